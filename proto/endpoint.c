/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the vault and the socket are, and both ends of the socket.
 *
 * The directory is what protects the socket: it is 0700 and ours, so nobody else can reach the name, replace it, or
 * listen in its place.  Both ends check it, and both check the uid at the other end besides.
 */
#ifdef __linux__
#define _GNU_SOURCE 1 /* struct ucred */
#endif

#include "proto/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

/* ---- paths ---------------------------------------------------------------------------------- */

/* Join up to three parts.  false when the result does not fit. */
static bool join(char out[SV_PATH_BYTES], const char *a, const char *b, const char *c)
{
	size_t na = strlen(a), nb = strlen(b), nc = strlen(c);

	if (na >= SV_PATH_BYTES || nb >= SV_PATH_BYTES || nc >= SV_PATH_BYTES || na + nb + nc >= SV_PATH_BYTES)
		return false;
	memcpy(out, a, na);
	memcpy(out + na, b, nb);
	memcpy(out + na + nb, c, nc + 1);
	return true;
}

/* "//" and "/./" are taken out, so that two spellings of one path mean one agent; ".." stays, it may cross a link. */
static void squeeze(char *path)
{
	size_t w = 0;

	for (size_t r = 0; path[r] != '\0'; r++) {
		if (path[r] == '/') {
			while (path[r + 1] == '/' ||
			       (path[r + 1] == '.' && (path[r + 2] == '/' || path[r + 2] == '\0')))
				r += path[r + 1] == '/' ? 1 : 2;
		}
		path[w++] = path[r];
	}
	while (w > 1 && path[w - 1] == '/')
		w--;
	path[w] = '\0';
}

/* A path from the environment, made absolute. */
static enum sv_code absolute(char out[SV_PATH_BYTES], const char *path, const char *what, struct sv_err *err)
{
	char cwd[SV_PATH_BYTES];
	bool fits;

	if (path[0] == '/') {
		fits = join(out, path, "", "");
	} else {
		if (getcwd(cwd, sizeof(cwd)) == NULL)
			return sv_err_sys(err, SV_ERR_USAGE, errno,
					  "%s is relative, and the working directory cannot be told", what);
		fits = join(out, cwd, "/", path);
	}
	if (!fits)
		return sv_err_set(err, SV_ERR_USAGE, "the path in %s is longer than %d bytes", what, SV_PATH_BYTES - 1);
	squeeze(out);
	return SV_OK;
}

/* A variable that counts only when it holds an absolute path (XDG Base Directory Specification). */
static const char *xdg(const char *var)
{
	const char *v = getenv(var);

	return v != NULL && v[0] == '/' ? v : NULL;
}

static const char *from_env(const char *var)
{
	const char *v = getenv(var);

	return v != NULL && v[0] != '\0' ? v : NULL;
}

/* $var/tail, else $HOME/home_part/tail. */
static enum sv_code below(char out[SV_PATH_BYTES], const char *var, const char *home_part, const char *tail,
			  struct sv_err *err)
{
	const char *dir = xdg(var);
	const char *home;

	if (dir != NULL) {
		if (!join(out, dir, "", tail))
			return sv_err_set(err, SV_ERR_USAGE, "the path in %s is too long", var);
	} else {
		home = from_env("HOME");
		if (home == NULL || home[0] != '/')
			return sv_err_set(err, SV_ERR_USAGE, "HOME is not set to an absolute path");
		if (!join(out, home, home_part, tail))
			return sv_err_set(err, SV_ERR_USAGE, "the path in HOME is too long");
	}
	squeeze(out);
	return SV_OK;
}

static enum sv_code find_vault(char out[SV_PATH_BYTES], struct sv_err *err)
{
	const char *given = from_env("SV_VAULT");

	if (given != NULL)
		return absolute(out, given, "SV_VAULT", err);
	return below(out, "XDG_DATA_HOME", "/.local/share", "/sv/vault.db", err);
}

/* FNV-1a, 64 bit: the name only has to differ, it hides nothing. */
static uint64_t fnv1a(const char *s)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *s != '\0'; s++) {
		h ^= (unsigned char)*s;
		h *= 0x100000001b3ull;
	}
	return h;
}

/*
 * agent.sock stands for ~/.local/share/sv/vault.db alone.  A vault elsewhere, be it through SV_VAULT or
 * XDG_DATA_HOME, has a name of its own: two vaults behind one socket would mean that a secret lands in the wrong one.
 */
static bool is_default_vault(const char *vault)
{
	static const char tail[] = "/.local/share/sv/vault.db";
	const char *home = from_env("HOME");
	char path[SV_PATH_BYTES];

	if (home == NULL || !join(path, home, tail, ""))
		return false;
	squeeze(path);
	return strcmp(path, vault) == 0;
}

static void socket_name(const char *vault, char out[40])
{
	static const char hex[] = "0123456789abcdef";
	uint64_t h = fnv1a(vault);

	if (is_default_vault(vault)) {
		memcpy(out, "agent.sock", sizeof("agent.sock"));
		return;
	}
	memcpy(out, "v-", 2);
	for (int i = 0; i < 16; i++)
		out[2 + i] = hex[(h >> (60 - 4 * i)) & 15];
	memcpy(out + 18, ".sock", sizeof(".sock"));
}

static enum sv_code find_socket(char out[SV_PATH_BYTES], const char *vault, struct sv_err *err)
{
	const char *given = from_env("SV_SOCKET");
	const char *runtime = xdg("XDG_RUNTIME_DIR");
	enum sv_code rc = SV_OK;
	char name[40];

	if (given != NULL) {
		rc = absolute(out, given, "SV_SOCKET", err);
	} else {
		socket_name(vault, name);
		if (runtime == NULL) {
			char dir[SV_PATH_BYTES];

			rc = below(dir, "XDG_STATE_HOME", "/.local/state", "/sv/run/", err);
			if (rc == SV_OK && !join(out, dir, "/", name))
				rc = sv_err_set(err, SV_ERR_USAGE, "the path in HOME is too long");
		} else if (!join(out, runtime, "/sv/", name)) {
			rc = sv_err_set(err, SV_ERR_USAGE, "the path in XDG_RUNTIME_DIR is too long");
		}
		if (rc == SV_OK)
			squeeze(out);
	}
	if (rc == SV_OK && strlen(out) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		rc = sv_err_set(err, SV_ERR_USAGE,
				"the path of the agent's socket has %zu bytes and may have %zu: set SV_SOCKET to a "
				"shorter one",
				strlen(out), sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	return rc;
}

enum sv_code sv_paths_socket(char socket[SV_PATH_BYTES], struct sv_err *err)
{
	char vault[SV_PATH_BYTES];
	enum sv_code rc;

	if (from_env("SV_SOCKET") != NULL)
		return find_socket(socket, "", err);
	rc = find_vault(vault, err);
	return rc == SV_OK ? find_socket(socket, vault, err) : rc;
}

enum sv_code sv_paths_find(struct sv_paths *p, struct sv_err *err)
{
	enum sv_code rc = find_vault(p->vault, err);

	if (rc == SV_OK)
		rc = find_socket(p->socket, p->vault, err);
	if (rc == SV_OK)
		rc = below(p->state_dir, "XDG_STATE_HOME", "/.local/state", "/sv", err);
	return rc;
}

/* ---- the directory -------------------------------------------------------------------------- */

/* The directory part of a socket path, which sv_paths made absolute.  false: there is none that could be private. */
static bool parent_of(const char *path, char dir[SV_PATH_BYTES])
{
	const char *slash = strrchr(path, '/');
	size_t n;

	if (slash == NULL || slash == path)
		return false;
	n = (size_t)(slash - path);
	if (n >= SV_PATH_BYTES)
		return false;
	memcpy(dir, path, n);
	dir[n] = '\0';
	return true;
}

/* What both ends ask of the directory. */
static enum sv_code judge_dir(const char *dir, const struct stat *st, struct sv_err *err)
{
	if (!S_ISDIR(st->st_mode))
		return sv_err_set(err, SV_ERR_DENIED, "%s is not a directory", dir);
	if (st->st_uid != geteuid())
		return sv_err_set(err, SV_ERR_DENIED, "%s belongs to another user", dir);
	if ((st->st_mode & 077) != 0)
		return sv_err_set(err, SV_ERR_DENIED,
				  "%s is open to other users (mode %03o): chmod 700 it, or set SV_SOCKET to a path "
				  "in a private directory",
				  dir, (unsigned)(st->st_mode & 0777));
	return SV_OK;
}

/* Make dir and what is missing above it, each 0700. */
static enum sv_code make_dirs(const char *dir, struct sv_err *err)
{
	char path[SV_PATH_BYTES];
	size_t n = strlen(dir);

	memcpy(path, dir, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST) {
			int e = errno;
			struct stat st;

			/*
			 * On a read-only or foreign file system an existing directory may answer with something else
			 * than EEXIST.
			 */
			if (stat(path, &st) != 0)
				return sv_err_sys(err, e == EACCES || e == EPERM ? SV_ERR_DENIED : SV_ERR_IO, e,
						  "cannot make the directory %s", path);
		}
		if (i < n)
			path[i] = '/';
	}
	return SV_OK;
}

enum sv_code sv_endpoint_dir(const char *socket_path, struct sv_err *err)
{
	char dir[SV_PATH_BYTES];
	struct stat st;
	enum sv_code rc;

	if (!parent_of(socket_path, dir))
		return sv_err_set(err, SV_ERR_USAGE, "the path of the agent's socket names no directory");
	if (lstat(dir, &st) != 0) {
		rc = make_dirs(dir, err);
		if (rc != SV_OK)
			return rc;
		if (lstat(dir, &st) != 0)
			return sv_err_sys(err, SV_ERR_IO, errno, "cannot look at %s", dir);
	}
	return judge_dir(dir, &st, err);
}

/* ---- listening ------------------------------------------------------------------------------ */

static enum sv_code fill_address(struct sockaddr_un *a, const char *path, struct sv_err *err)
{
	size_t n = strlen(path);

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	if (n == 0 || n >= sizeof(a->sun_path))
		return sv_err_set(err, SV_ERR_USAGE,
				  "the path of the agent's socket may have %zu bytes: set SV_SOCKET to a shorter one",
				  sizeof(a->sun_path) - 1);
	memcpy(a->sun_path, path, n);
	return SV_OK;
}

static int unix_socket(bool nonblock)
{
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (nonblock ? SOCK_NONBLOCK : 0), 0);
#else
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd >= 0) {
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		if (nonblock)
			(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	return fd;
#endif
}

enum sv_code sv_endpoint_lock(const char *socket_path, bool wait, int *fd, struct sv_err *err)
{
	char path[SV_PATH_BYTES];
	int lock, r;

	*fd = -1;
	if (!join(path, socket_path, ".lock", ""))
		return sv_err_set(err, SV_ERR_USAGE, "the path of the agent's socket is too long");
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot open %s", path);
	do
		r = flock(lock, LOCK_EX | (wait ? 0 : LOCK_NB));
	while (r != 0 && errno == EINTR);
	if (r != 0) {
		int e = errno;

		(void)close(lock);
		if (e == EWOULDBLOCK)
			return sv_err_set(err, SV_ERR_BUSY, "another agent has %s", socket_path);
		return sv_err_sys(err, SV_ERR_IO, e, "cannot lock %s", path);
	}
	*fd = lock;
	return SV_OK;
}

/* Whoever calls holds the lock, so a socket that is there is one that an agent left behind. */
static enum sv_code remove_stale(const char *path, struct sv_err *err)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? SV_OK : sv_err_sys(err, SV_ERR_IO, errno, "cannot look at %s", path);
	if (!S_ISSOCK(st.st_mode))
		return sv_err_set(err, SV_ERR_DENIED, "%s is there and is not a socket", path);
	if (st.st_uid != geteuid())
		return sv_err_set(err, SV_ERR_DENIED, "%s belongs to another user", path);
	if (unlink(path) != 0 && errno != ENOENT)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot remove the old socket %s", path);
	return SV_OK;
}

enum sv_code sv_endpoint_listen(const char *socket_path, int *fd, struct sv_err *err)
{
	struct sockaddr_un a;
	enum sv_code rc;
	mode_t mask;
	int s = -1, r;

	*fd = -1;
	rc = fill_address(&a, socket_path, err);
	if (rc == SV_OK)
		rc = remove_stale(socket_path, err);
	if (rc != SV_OK)
		return rc;
	s = unix_socket(true);
	if (s < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot make a socket");
	mask = umask(0177);
	r = bind(s, (struct sockaddr *)&a, sizeof(a));
	(void)umask(mask);
	if (r != 0)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot bind %s", socket_path);
	else if (listen(s, BACKLOG) != 0)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot listen on %s", socket_path);
	if (rc != SV_OK) {
		(void)close(s);
		return rc;
	}
	*fd = s;
	return SV_OK;
}

/* ---- connecting ----------------------------------------------------------------------------- */

enum sv_code sv_endpoint_peer_uid(int fd, uid_t *uid, struct sv_err *err)
{
#if defined(SO_PEERCRED) && defined(__linux__)
	struct ucred cred;
	socklen_t n = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0 || n != sizeof(cred))
		return sv_err_sys(err, SV_ERR_DENIED, errno, "cannot tell who is at the other end of the socket");
	*uid = cred.uid;
	return SV_OK;
#else
	gid_t gid;

	if (getpeereid(fd, uid, &gid) != 0)
		return sv_err_sys(err, SV_ERR_DENIED, errno, "cannot tell who is at the other end of the socket");
	return SV_OK;
#endif
}

static enum sv_code connect_failed(int e, const char *path, struct sv_err *err)
{
	switch (e) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED: return sv_err_set(err, SV_ERR_NO_AGENT, "no agent is running");
	case EACCES:
	case EPERM:
	case ELOOP: return sv_err_sys(err, SV_ERR_DENIED, e, "cannot connect to %s", path);
	default: return sv_err_sys(err, SV_ERR_IO, e, "cannot connect to %s", path);
	}
}

/* Directory and listener are looked at before a byte is sent. */
static enum sv_code check_peer(int fd, const char *socket_path, struct sv_err *err)
{
	char dir[SV_PATH_BYTES];
	struct stat st;
	enum sv_code rc;
	uid_t uid;

	if (!parent_of(socket_path, dir))
		return sv_err_set(err, SV_ERR_USAGE, "the path of the agent's socket names no directory");
	if (lstat(dir, &st) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot look at %s", dir);
	rc = judge_dir(dir, &st, err);
	if (rc == SV_OK)
		rc = sv_endpoint_peer_uid(fd, &uid, err);
	if (rc == SV_OK && uid != st.st_uid)
		rc = sv_err_set(err, SV_ERR_DENIED, "%s is served by another user", socket_path);
	return rc;
}

enum sv_code sv_endpoint_connect(const char *socket_path, int *fd, struct sv_err *err)
{
	struct sockaddr_un a;
	enum sv_code rc;
	int s, r;

	*fd = -1;
	rc = fill_address(&a, socket_path, err);
	if (rc != SV_OK)
		return rc;
	s = unix_socket(false);
	if (s < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot make a socket");
	do
		r = connect(s, (struct sockaddr *)&a, sizeof(a));
	while (r != 0 && errno == EINTR);
	rc = r == 0 ? check_peer(s, socket_path, err) : connect_failed(errno, socket_path, err);
	if (rc != SV_OK) {
		(void)close(s);
		return rc;
	}
	*fd = s;
	return SV_OK;
}
