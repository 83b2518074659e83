/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where vault and socket are, and both ends of the socket.  DESIGN: vault $SV_VAULT, else
 * ${XDG_DATA_HOME:-~/.local/share}/sv/vault.db; socket $SV_SOCKET, else $XDG_RUNTIME_DIR/sv/NAME, else
 * ${XDG_STATE_HOME:-~/.local/state}/sv/run/NAME; NAME is agent.sock for the default vault, else v-<16 hex digits>.sock,
 * FNV-1a 64 of the absolute path.  Never a shared temporary directory, never the abstract namespace.
 */
#ifndef SV_PROTO_ENDPOINT_H
#define SV_PROTO_ENDPOINT_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

#define SV_PATH_BYTES 4096 /* longest path that is accepted, with NUL */

struct sv_paths {
	char vault[SV_PATH_BYTES];
	char socket[SV_PATH_BYTES];
	char state_dir[SV_PATH_BYTES]; /* ${XDG_STATE_HOME:-~/.local/state}/sv */
};

/* From the environment (getenv) alone: no disk access but getcwd for a relative SV_VAULT.  SV_ERR_USAGE: HOME unset, a
 * path too long for its purpose (a socket path has 107 bytes; the sentence names SV_SOCKET), relative XDG paths are
 * ignored as the XDG specification says. */
enum sv_code sv_paths_find(struct sv_paths *p, struct sv_err *err) SV_CHECK;
/* Only the socket: the hot path. */
enum sv_code sv_paths_socket(char socket[SV_PATH_BYTES], struct sv_err *err) SV_CHECK;

/* The private directory of the socket: made 0700 with its parents; an existing one must be a directory, ours, mode &
 * 077 == 0, no link.  SV_ERR_DENIED. */
enum sv_code sv_endpoint_dir(const char *socket_path, struct sv_err *err) SV_CHECK;
/*
 * Bind and listen (the caller holds the lock file of sv_endpoint_lock): a stale socket is removed, mode 0600,
 * non-blocking, close-on-exec.
 */
enum sv_code sv_endpoint_listen(const char *socket_path, int *fd, struct sv_err *err) SV_CHECK;
/* flock on socket_path + ".lock", held until the descriptor is closed.  wait false: SV_ERR_BUSY when another process
 * has it. */
enum sv_code sv_endpoint_lock(const char *socket_path, bool wait, int *fd, struct sv_err *err) SV_CHECK;
/* Connect (blocking descriptor, close-on-exec) and check that directory and listener belong to this user.
 * SV_ERR_NO_AGENT: nobody there; SV_ERR_DENIED. */
enum sv_code sv_endpoint_connect(const char *socket_path, int *fd, struct sv_err *err) SV_CHECK;
/* The uid of the peer by SO_PEERCRED (getpeereid elsewhere). */
enum sv_code sv_endpoint_peer_uid(int fd, uid_t *uid, struct sv_err *err) SV_CHECK;

#endif
