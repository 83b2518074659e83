/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces, memory file systems and Landlock.  Sources: user_namespaces(7), mount_namespaces(7), tmpfs(5),
 * landlock(7).
 */
#include "cli/edit/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#endif

#define DIR_PREFIX "edit-"
#define TMPFS_TYPE 0x01021994
#define RAMFS_TYPE 0x858458f6

/* Paths end up in editors' settings: only what needs no quoting there. */
static bool plain_path(const char *p)
{
	if (*p != '/')
		return false;
	for (; *p != '\0'; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
		      strchr("/._-", *p) != NULL))
			return false;
	return true;
}

static enum sv_code open_dir(struct sv_private *p, struct sv_err *err)
{
	p->fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return p->fd >= 0 ? SV_OK : sv_err_sys(err, SV_ERR_IO, errno, "cannot open the private directory");
}

#ifdef __linux__

/* ---- a namespace of our own -------------------------------------------------------------------------------------- */

static enum sv_code write_text(const char *path, const char *text, struct sv_err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t n = strlen(text);
	bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n;
	int saved = errno;

	if (fd >= 0)
		(void)close(fd);
	return ok ? SV_OK : sv_err_sys(err, SV_ERR_UNSUPPORTED, saved, "cannot write %s", path);
}

/* Map only ourselves.  The kernel wants setgroups off before an unprivileged process may write gid_map. */
static enum sv_code map_ids(uid_t uid, gid_t gid, struct sv_err *err)
{
	char map[64];
	enum sv_code rc;

	(void)snprintf(map, sizeof(map), "%u %u 1\n", uid, uid);
	if ((rc = write_text("/proc/self/uid_map", map, err)) != SV_OK ||
	    (rc = write_text("/proc/self/setgroups", "deny", err)) != SV_OK)
		return rc;
	(void)snprintf(map, sizeof(map), "%u %u 1\n", gid, gid);
	return write_text("/proc/self/gid_map", map, err);
}

static enum sv_code new_namespace(struct sv_err *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	enum sv_code rc = SV_OK;

	/* With the privilege a mount namespace is enough, and there tmpfs takes noswap. */
	if (unshare(CLONE_NEWNS) != 0) {
		(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
			rc = sv_err_sys(err, SV_ERR_UNSUPPORTED, errno, "no user namespace");
		else
			rc = map_ids(uid, gid, err);
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	}
	/* Nothing that is mounted here may be seen outside. */
	if (rc == SV_OK && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		rc = sv_err_sys(err, SV_ERR_UNSUPPORTED, errno, "cannot make mounts private");
	return rc;
}

enum sv_code sv_private_enter(const char *mount_point, struct sv_private *p, struct sv_err *err)
{
	static const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	enum sv_code rc;

	*p = (struct sv_private){ .level = SV_PLACE_PRIVATE, .fd = -1 };
	if (!plain_path(mount_point) || (mkdir(mount_point, 0700) != 0 && errno != EEXIST))
		mount_point = "/mnt";
	(void)snprintf(p->dir, sizeof(p->dir), "%s", mount_point);
	if ((rc = new_namespace(err)) != SV_OK)
		return rc;
	if (mount("sv-edit", p->dir, "tmpfs", flags, "mode=700,size=256m,noswap") == 0)
		return open_dir(p, err);
	if (mount("sv-edit", p->dir, "ramfs", flags, "mode=700") == 0)
		return open_dir(p, err);
	p->may_swap = true;
	if (mount("sv-edit", p->dir, "tmpfs", flags, "mode=700,size=256m") == 0)
		return open_dir(p, err);
	return sv_err_sys(err, SV_ERR_UNSUPPORTED, errno, "cannot mount a file system in memory");
}

static bool in_memory(const char *dir)
{
	struct statfs fs;

	return statfs(dir, &fs) == 0 &&
	       ((unsigned long)fs.f_type == TMPFS_TYPE || (unsigned long)fs.f_type == RAMFS_TYPE);
}

/* ---- the ban ----------------------------------------------------------------------------------------------------- */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

#define LL_WRITE_FILE   (1ull << 1)
#define LL_CHANGES      0x1ff2ull    /* write, remove, make: bits 1, 4 to 12 */
#define LL_TRUNCATE     (1ull << 14) /* ABI 3 */
#define LL_VERSION      1u
#define LL_PATH_BENEATH 1

struct ll_ruleset {
	uint64_t fs;
};
struct ll_path {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

static void allow(int ruleset, const char *path, int fd, uint64_t access)
{
	struct ll_path rule = { .access = access, .fd = fd };
	int own = -1;

	if (path != NULL)
		rule.fd = own = open(path, O_PATH | O_CLOEXEC);
	if (rule.fd >= 0)
		(void)syscall(SYS_landlock_add_rule, ruleset, LL_PATH_BENEATH, &rule, 0u);
	if (own >= 0)
		(void)close(own);
}

enum sv_code sv_private_ban_writes(const struct sv_private *p, struct sv_err *err)
{
	static const char *const devices[] = { "/dev/tty", "/dev/null", "/dev/zero", "/dev/full", "/dev/ptmx" };
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LL_VERSION);
	struct ll_ruleset set = { .fs = LL_CHANGES | (abi >= 3 ? LL_TRUNCATE : 0) };
	uint64_t file = LL_WRITE_FILE | (abi >= 3 ? LL_TRUNCATE : 0);
	const char *tty = ttyname(STDIN_FILENO);
	int ruleset;

	if (abi < 1 || (ruleset = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof(set), 0u)) < 0)
		return sv_err_set(err, SV_ERR_UNSUPPORTED, "this kernel has no Landlock");
	allow(ruleset, NULL, p->fd, set.fs);
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		allow(ruleset, devices[i], -1, file);
	allow(ruleset, "/dev/pts", -1, file);
	if (tty != NULL)
		allow(ruleset, tty, -1, file);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, ruleset, 0u) != 0) {
		(void)close(ruleset);
		return sv_err_sys(err, SV_ERR_UNSUPPORTED, errno, "Landlock refuses");
	}
	(void)close(ruleset);
	return SV_OK;
}

#else

enum sv_code sv_private_enter(const char *mount_point, struct sv_private *p, struct sv_err *err)
{
	(void)mount_point;
	*p = (struct sv_private){ .level = SV_PLACE_PRIVATE, .fd = -1 };
	return sv_err_set(err, SV_ERR_UNSUPPORTED, "this system has no private mounts");
}

static bool in_memory(const char *dir)
{
	(void)dir;
	return false;
}

enum sv_code sv_private_ban_writes(const struct sv_private *p, struct sv_err *err)
{
	(void)p;
	return sv_err_set(err, SV_ERR_UNSUPPORTED, "this system cannot ban writes");
}

#endif

/* ---- directories that others could see --------------------------------------------------------------------------- */

static void empty_dir(int fd)
{
	DIR *dir = fdopendir(dup(fd));
	const struct dirent *e;

	if (dir == NULL)
		return;
	rewinddir(dir);
	while ((e = readdir(dir)) != NULL) {
		int below;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) == 0)
			continue;
		below = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below >= 0) {
			empty_dir(below);
			(void)close(below);
			(void)unlinkat(fd, e->d_name, AT_REMOVEDIR);
		}
	}
	(void)closedir(dir);
}

void sv_private_remove(struct sv_private *p)
{
	if (p->fd < 0)
		return;
	empty_dir(p->fd);
	(void)close(p->fd);
	p->fd = -1;
	if (p->level != SV_PLACE_PRIVATE)
		(void)rmdir(p->dir);
}

/* What sessions left that were killed: their process id is in the name. */
static void sweep(const char *parent)
{
	DIR *dir = opendir(parent);
	const struct dirent *e;

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL) {
		struct sv_private old = { .level = SV_PLACE_SHARED, .fd = -1 };
		long pid;

		if (strncmp(e->d_name, DIR_PREFIX, sizeof(DIR_PREFIX) - 1) != 0)
			continue;
		pid = strtol(e->d_name + sizeof(DIR_PREFIX) - 1, NULL, 10);
		if (pid <= 1 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
			continue;
		if (snprintf(old.dir, sizeof(old.dir), "%s/%s", parent, e->d_name) < (int)sizeof(old.dir) &&
		    open_dir(&old, NULL) == SV_OK)
			sv_private_remove(&old);
	}
	(void)closedir(dir);
}

static enum sv_code make_dir(const char *parent, struct sv_private *p, struct sv_err *err)
{
	if (snprintf(p->dir, sizeof(p->dir), "%s/" DIR_PREFIX "%ld-XXXXXX", parent, (long)getpid()) >=
	    (int)sizeof(p->dir))
		return sv_err_set(err, SV_ERR_TOO_BIG, "the path of the private directory is too long");
	if (mkdtemp(p->dir) == NULL)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot make a private directory");
	return open_dir(p, err);
}

enum sv_code sv_private_shared(const char *runtime_dir, struct sv_private *p, struct sv_err *err)
{
	char shm[64];

	*p = (struct sv_private){ .level = SV_PLACE_SHARED, .may_swap = true, .fd = -1 };
	if (plain_path(runtime_dir) && in_memory(runtime_dir)) {
		sweep(runtime_dir);
		return make_dir(runtime_dir, p, err);
	}
	(void)snprintf(shm, sizeof(shm), "/dev/shm/sv-%lu", (unsigned long)geteuid());
	if (in_memory("/dev/shm") && (mkdir(shm, 0700) == 0 || errno == EEXIST)) {
		struct stat st;

		if (lstat(shm, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0) {
			sweep(shm);
			return make_dir(shm, p, err);
		}
	}
	return sv_err_set(err, SV_ERR_UNSUPPORTED, "there is no directory in memory");
}

enum sv_code sv_private_insecure(struct sv_private *p, struct sv_err *err)
{
	const char *tmp = getenv("TMPDIR");

	*p = (struct sv_private){ .level = SV_PLACE_INSECURE, .may_swap = true, .fd = -1 };
	return make_dir(tmp != NULL && plain_path(tmp) ? tmp : "/tmp", p, err);
}
