/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the text of an edit lives: a directory in memory, at best one that only this session's processes can see; and
 *the ban on writing anywhere else, for the editor.
 *
 *	private	   user and mount namespace of its own, ramfs (never swapped) or tmpfs mounted on an empty directory
 *	shared	   a 0700 directory on a file system in memory
 *	insecure   a 0700 directory wherever $TMPDIR is: only when the person asks for it
 *
 * Order trap: with PR_SET_DUMPABLE 0 the uid_map of a new user namespace cannot be written (EACCES), so entering it
 *switches the flag on for a moment.  Call it in a child made before any secret was read.  Linux only; elsewhere private
 *is not available.
 */
#ifndef SV_CLI_EDIT_SANDBOX_H
#define SV_CLI_EDIT_SANDBOX_H

#include "proto/endpoint.h"

enum sv_place_level { SV_PLACE_PRIVATE = 1, SV_PLACE_SHARED = 2, SV_PLACE_INSECURE = 3 };

struct sv_private {
	enum sv_place_level level;
	bool may_swap;           /* the kernel may write it to swap */
	char dir[SV_PATH_BYTES]; /* absolute, of characters that need no quoting anywhere */
	int fd;                  /* of the directory, -1 */
};

/*
 * Enter a new namespace and mount a private directory on mount_point (made when missing; its parent is ours) or, when
 * that name is unsuitable, on /mnt.  The process stays in the namespace.  SV_ERR_UNSUPPORTED: not on this system.
 */
enum sv_code sv_private_enter(const char *mount_point, struct sv_private *p, struct sv_err *err) SV_CHECK;
/*
 * A new directory below runtime_dir, else /dev/shm, whichever is in memory.  Directories left by sessions that are gone
 * are removed first.  SV_ERR_UNSUPPORTED: neither is.
 */
enum sv_code sv_private_shared(const char *runtime_dir, struct sv_private *p, struct sv_err *err) SV_CHECK;
/* A new directory below $TMPDIR or /tmp. */
enum sv_code sv_private_insecure(struct sv_private *p, struct sv_err *err) SV_CHECK;
/* Remove what is in the directory, and the directory unless it is a mount. */
void sv_private_remove(struct sv_private *p);
/*
 * From here on this process and those it starts may write below p, to the terminal and to /dev/null, and nowhere else.
 * SV_ERR_UNSUPPORTED: the kernel has no Landlock.
 */
enum sv_code sv_private_ban_writes(const struct sv_private *p, struct sv_err *err) SV_CHECK;

#endif
