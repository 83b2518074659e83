/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memfds, private files, FIFOs, and the process that tidies up behind a killed sv.
 *
 * Memory of secrets is wiped in a forked child (secmem.h), so what a FIFO's server needs goes through a sealed memfd.
 */
#include "cli/project/deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TMPFS_NUMBER 0x01021994
#define RAMFS_NUMBER 0x858458f6
#define NOEXEC_SEAL  8u /* MFD_NOEXEC_SEAL, Linux 6.3 */
#define HIGH_FD      64 /* programs and scripts use low numbers for their own purposes */

static enum sv_code write_value(int fd, const void *value, size_t len, struct sv_err *err)
{
	const char *p = value;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sv_err_sys(err, SV_ERR_IO, errno, "cannot write a secret to memory");
		p += n;
		len -= (size_t)n;
	}
	return SV_OK;
}

static enum sv_code make_memfd(const void *value, size_t len, int *out, struct sv_err *err)
{
	int low = memfd_create("sv", MFD_ALLOW_SEALING | NOEXEC_SEAL);
	int fd;
	enum sv_code rc;

	*out = -1;
	if (low < 0 && errno == EINVAL)
		low = memfd_create("sv", MFD_ALLOW_SEALING);
	if (low < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot make a file in memory");
	fd = fcntl(low, F_DUPFD, HIGH_FD);
	if (fd >= 0)
		(void)close(low);
	else
		fd = low;
	rc = write_value(fd, value, len, err);
	if (rc == SV_OK && (lseek(fd, 0, SEEK_SET) != 0 || fchmod(fd, 0400) != 0 ||
			    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0))
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot seal a file in memory");
	if (rc != SV_OK)
		(void)close(fd);
	else
		*out = fd;
	return rc;
}

static enum sv_code add(struct sv_deliveries *d, struct sv_delivery one, struct sv_err *err)
{
	if (d->n == SV_DELIVER_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "more than %d secrets as files", SV_DELIVER_MAX);
	d->v[d->n++] = one;
	return SV_OK;
}

enum sv_code sv_deliver_memory(struct sv_deliveries *d, const void *value, size_t len, struct sv_err *err)
{
	struct sv_delivery one = { .fd = -1, .at = -1, .server = -1 };
	enum sv_code rc = make_memfd(value, len, &one.fd, err);

	return rc == SV_OK ? add(d, one, err) : rc;
}

enum sv_code sv_deliver_fd(struct sv_deliveries *d, int at, const void *value, size_t len, struct sv_err *err)
{
	struct sv_delivery one = { .fd = -1, .at = at, .server = -1 };
	enum sv_code rc = make_memfd(value, len, &one.fd, err);

	if (rc == SV_OK && one.fd == at) { /* its own number by chance: another, so that placing never overwrites */
		int other = fcntl(one.fd, F_DUPFD, at + 1);

		if (other < 0)
			rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot use descriptor %d", at);
		(void)close(one.fd);
		one.fd = other;
	}
	return rc == SV_OK ? add(d, one, err) : rc;
}

static bool in_memory(const char *dir)
{
	struct statfs fs;

	return statfs(dir, &fs) == 0 &&
	       ((unsigned long)fs.f_type == TMPFS_NUMBER || (unsigned long)fs.f_type == RAMFS_NUMBER);
}

/* Unlink all in the directory, one level of directories included, and the directory itself. */
static void remove_dir(const char *dir, char (*files)[SV_DELIVER_PATH_BYTES], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *slash;

		(void)unlink(files[i]);
		slash = strrchr(files[i], '/');
		*slash = '\0';
		(void)rmdir(files[i]);
	}
	(void)rmdir(dir);
}

static void remove_now(const struct sv_deliveries *d)
{
	static char files[SV_DELIVER_MAX][SV_DELIVER_PATH_BYTES];
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].path != NULL && strlen(d->v[i].path) < SV_DELIVER_PATH_BYTES)
			(void)strcpy(files[n++], d->v[i].path);
	remove_dir(d->dir, files, n);
}

/* The janitor learns of files by their paths, each with NUL, through the pipe; its end is the signal to remove them. */
static void janitor(int pipe_fd, const char *dir)
{
	static char files[SV_DELIVER_MAX][SV_DELIVER_PATH_BYTES];
	size_t n = 0;
	size_t at = 0;
	char c;
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	(void)setsid();
	(void)prctl(PR_SET_NAME, "sv-files", 0, 0, 0);
	for (int fd = 0; fd < 1024; fd++)
		if (fd != pipe_fd)
			(void)close(fd);
	if (chdir("/") != 0) {
		/* then it stays where it is */
	}
	for (;;) {
		ssize_t got = read(pipe_fd, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		if (n < SV_DELIVER_MAX && at < SV_DELIVER_PATH_BYTES)
			files[n][at++] = c;
		if (c == '\0') {
			n++;
			at = 0;
		}
	}
	remove_dir(dir, files, n < SV_DELIVER_MAX ? n : SV_DELIVER_MAX);
	_exit(0);
}

static enum sv_code start_janitor(struct sv_deliveries *d, struct sv_err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot make a pipe");
	d->janitor = fork();
	if (d->janitor == 0) {
		(void)close(ends[1]);
		janitor(ends[0], d->dir);
	}
	(void)close(ends[0]);
	d->janitor_pipe = ends[1];
	return d->janitor > 0 ? SV_OK
			      : sv_err_sys(err, SV_ERR_IO, errno, "cannot start the process that removes files");
}

static enum sv_code make_dir(struct sv_deliveries *d, struct sv_err *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	enum sv_code rc;

	if (d->dir_fd >= 0)
		return SV_OK;
	if (runtime != NULL && runtime[0] == '/' && strlen(runtime) < SV_DELIVER_PATH_BYTES - 64 && in_memory(runtime))
		(void)snprintf(d->dir, sizeof(d->dir), "%s/sv-files-XXXXXX", runtime);
	else if (in_memory("/dev/shm"))
		(void)snprintf(d->dir, sizeof(d->dir), "/dev/shm/sv-%u-XXXXXX", (unsigned)geteuid());
	else
		return sv_err_set(
			err, SV_ERR_FAIL,
			"there is no directory in memory (XDG_RUNTIME_DIR or /dev/shm) for a file with a name; without "
			":path a file in memory is given");
	if (mkdtemp(d->dir) == NULL) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot make a private directory");
		d->dir[0] = '\0';
		return rc;
	}
	d->dir_fd = open(d->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (d->dir_fd < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot open the private directory");
	return start_janitor(d, err);
}

/* dir/N/basename, so that two secrets with one last segment do not meet; the janitor hears of it before it exists. */
static enum sv_code place_of(struct sv_deliveries *d, const char *name, char **path, struct sv_err *err)
{
	const char *base = strrchr(name, '/');
	char sub[SV_DELIVER_PATH_BYTES + 16];
	size_t left;
	const char *p;
	enum sv_code rc = make_dir(d, err);

	*path = NULL;
	if (rc != SV_OK)
		return rc;
	base = base != NULL ? base + 1 : name;
	(void)snprintf(sub, sizeof(sub), "%s/%zu", d->dir, d->n);
	if (asprintf(path, "%s/%s", sub, base) < 0) {
		*path = NULL;
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for a path");
	}
	left = strlen(*path) + 1;
	for (p = *path; left > 0;) {
		ssize_t n = write(d->janitor_pipe, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sv_err_sys(err, SV_ERR_IO, errno, "the process that removes files is gone");
		p += n;
		left -= (size_t)n;
	}
	if (mkdir(sub, 0700) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot make a private directory");
	return SV_OK;
}

static enum sv_code write_file(const char *path, const void *value, size_t len, struct sv_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	enum sv_code rc;

	if (fd < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot make a private file");
	rc = write_value(fd, value, len, err);
	if (rc == SV_OK && fchmod(fd, 0400) != 0)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot protect a private file");
	(void)close(fd);
	return rc;
}

enum sv_code sv_deliver_path(struct sv_deliveries *d, const char *name, const void *value, size_t len,
			     struct sv_err *err)
{
	struct sv_delivery one = { .fd = -1, .at = -1, .server = -1 };
	enum sv_code rc = place_of(d, name, &one.path, err);

	if (rc == SV_OK)
		rc = write_file(one.path, value, len, err);
	if (one.path != NULL) {
		enum sv_code added = add(d, one, rc == SV_OK ? err : NULL);

		rc = rc == SV_OK ? added : rc;
	}
	return rc;
}

enum sv_code sv_deliver_renew(struct sv_deliveries *d, size_t i, const void *value, size_t len, struct sv_err *err)
{
	char next[SV_DELIVER_PATH_BYTES];
	char *slash;
	enum sv_code rc;

	/* In dir itself, which the janitor empties only of what it knows: so a rename follows at once. */
	(void)snprintf(next, sizeof(next), "%s", d->v[i].path);
	slash = strrchr(next, '/');
	if (slash == NULL || (size_t)(slash - next) + 8 >= sizeof(next))
		return sv_err_set(err, SV_ERR_FAIL, "a path is too long");
	(void)strcpy(slash, "/.next");
	(void)unlink(next);
	if ((rc = write_file(next, value, len, err)) != SV_OK)
		return rc;
	if (rename(next, d->v[i].path) != 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot renew a private file");
		(void)unlink(next);
	}
	return rc;
}

/* Serve reader after reader until the supervisor ends it. */
static void serve(const char *path, int memfd)
{
	static char block[65536];
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "sv-fifo", 0, 0, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setsid();
	for (int fd = 0; fd < 1024; fd++)
		if (fd != memfd)
			(void)close(fd);
	for (;;) {
		int fd = open(path, O_WRONLY | O_CLOEXEC);
		off_t at = 0;
		ssize_t n;

		if (fd < 0)
			_exit(1);
		while ((n = pread(memfd, block, sizeof(block), at)) > 0) {
			ssize_t w = write(fd, block, (size_t)n);

			if (w < 0)
				break;
			at += w;
		}
		(void)close(fd);
		/* A reader that is still there must see the end before the next writer opens, or it would read the
		 * value twice. */
		(void)nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	}
}

enum sv_code sv_deliver_fifo(struct sv_deliveries *d, const char *name, const void *value, size_t len,
			     struct sv_err *err)
{
	struct sv_delivery one = { .fd = -1, .at = -1, .server = -1 };
	int memfd = -1;
	enum sv_code rc = place_of(d, name, &one.path, err);

	if (rc == SV_OK && mkfifo(one.path, 0600) != 0)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot make a FIFO");
	if (rc == SV_OK)
		rc = make_memfd(value, len, &memfd, err);
	if (rc == SV_OK) {
		one.server = fork();
		if (one.server == 0)
			serve(one.path, memfd);
		if (one.server < 0)
			rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot start the process that serves a FIFO");
	}
	if (memfd >= 0)
		(void)close(memfd);
	if (one.path != NULL) {
		enum sv_code added = add(d, one, rc == SV_OK ? err : NULL);

		rc = rc == SV_OK ? added : rc;
	}
	return rc;
}

bool sv_deliver_place(const struct sv_deliveries *d)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].at < 0)
			continue;
		if (dup2(d->v[i].fd, d->v[i].at) < 0)
			return false;
		(void)fcntl(d->v[i].fd, F_SETFD, FD_CLOEXEC);
	}
	return true;
}

bool sv_deliver_text(const struct sv_deliveries *d, size_t i, pid_t pid, char *out, size_t size)
{
	int n = d->v[i].path != NULL ? snprintf(out, size, "%s", d->v[i].path)
				     : snprintf(out, size, "/proc/%ld/fd/%d", (long)pid, d->v[i].fd);

	return n > 0 && (size_t)n < size;
}

void sv_deliver_close_fds(struct sv_deliveries *d)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].fd >= 0)
			(void)close(d->v[i].fd);
		d->v[i].fd = -1;
	}
}

void sv_deliver_clear(struct sv_deliveries *d)
{
	sv_deliver_close_fds(d);
	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].server > 0) {
			(void)kill(d->v[i].server, SIGKILL);
			(void)waitpid(d->v[i].server, NULL, 0);
		}
	if (d->dir[0] != '\0')
		remove_now(d);
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].path);
	if (d->janitor_pipe >= 0)
		(void)close(d->janitor_pipe);
	if (d->janitor > 0)
		(void)waitpid(d->janitor, NULL, 0);
	if (d->dir_fd >= 0)
		(void)close(d->dir_fd);
	*d = (struct sv_deliveries)SV_DELIVERIES_INIT;
}
