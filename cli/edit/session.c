/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of an editor session that is `sv`: making the helper, the file, waiting, signals, the terminal.
 */
#include "cli/edit/session_int.h"

#include "cli/prompt.h"
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <dirent.h>
#include <termios.h>
#include <unistd.h>

#define TALK_MAX (SV_DOC_BYTES_MAX * 4)

/* ---- talking ----------------------------------------------------------------------------------------------------- */

static bool send_bytes(int sock, const void *p, size_t n, int fd)
{
	const unsigned char *at = p;

	while (n > 0) {
		struct iovec iov = { (void *)(uintptr_t)at, n };
		union {
			struct cmsghdr head;
			char room[CMSG_SPACE(sizeof(int))];
		} control;
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t sent;

		if (fd >= 0) {
			memset(&control, 0, sizeof(control));
			m.msg_control = control.room;
			m.msg_controllen = sizeof(control.room);
			control.head.cmsg_level = SOL_SOCKET;
			control.head.cmsg_type = SCM_RIGHTS;
			control.head.cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		}
		sent = sendmsg(sock, &m, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		fd = -1;
		at += sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool receive_bytes(int sock, void *p, size_t n, int *fd)
{
	unsigned char *at = p;

	while (n > 0) {
		struct iovec iov = { at, n };
		union {
			struct cmsghdr head;
			char room[CMSG_SPACE(sizeof(int))];
		} control;
		struct msghdr m = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = control.room,
				    .msg_controllen = sizeof(control.room) };
		ssize_t got = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
		const struct cmsghdr *c;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		c = CMSG_FIRSTHDR(&m);
		if (c != NULL && c->cmsg_type == SCM_RIGHTS && fd != NULL)
			memcpy(fd, CMSG_DATA(c), sizeof(*fd));
		at += got;
		n -= (size_t)got;
	}
	return true;
}

enum sv_code sv_edit_send(int sock, enum sv_edit_word word, const struct sv_buf *body, int fd, struct sv_err *err)
{
	size_t n = body == NULL ? 0 : sv_buf_unread(body);
	unsigned char head[5] = { (unsigned char)word, (unsigned char)n, (unsigned char)(n >> 8),
				  (unsigned char)(n >> 16), (unsigned char)(n >> 24) };

	if (send_bytes(sock, head, sizeof(head), fd) && (n == 0 || send_bytes(sock, sv_buf_head(body), n, -1)))
		return SV_OK;
	return sv_err_set(err, SV_ERR_TRUNCATED, "the editor's helper process is gone");
}

enum sv_code sv_edit_receive(int sock, enum sv_edit_word *word, struct sv_buf *body, int *fd, struct sv_err *err)
{
	unsigned char head[5], *at;
	size_t n;

	if (fd != NULL)
		*fd = -1;
	sv_buf_reset(body);
	if (!receive_bytes(sock, head, sizeof(head), fd))
		return sv_err_set(err, SV_ERR_TRUNCATED, "the editor's helper process is gone");
	*word = (enum sv_edit_word)head[0];
	n = (size_t)head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
	if (n > TALK_MAX || (n > 0 && sv_buf_extend(body, n, &at) != SV_OK))
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the editor session");
	if (n > 0 && !receive_bytes(sock, at, n, NULL))
		return sv_err_set(err, SV_ERR_TRUNCATED, "the editor's helper process is gone");
	return SV_OK;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

enum sv_code sv_edit_session_put(struct sv_edit_session *s, const unsigned char *p, size_t n, struct sv_err *err)
{
	int fd;
	enum sv_code rc;

	/* A new file each time: the editor may have left a link or a directory of that name. */
	(void)unlinkat(s->where.fd, s->file, 0);
	fd = openat(s->where.fd, s->file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot write to the private directory");
	rc = sv_write_all(fd, p, n, err);
	if (close(fd) != 0 && rc == SV_OK)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot write to the private directory");
	return rc;
}

static bool newer(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec != b->st_mtim.tv_sec ? a->st_mtim.tv_sec > b->st_mtim.tv_sec
						      : a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

/* The newest of the file and its copies. */
static void find_newest(int dir, const char *file, char out[256])
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *e;
	struct stat best;
	bool have = fstatat(dir, file, &best, AT_SYMLINK_NOFOLLOW) == 0;

	(void)snprintf(out, 256, "%s", file);
	while (d != NULL && (e = readdir(d)) != NULL) {
		struct stat st;

		if (!sv_editor_is_copy(e->d_name, file) || fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode) || (have && !newer(&st, &best)))
			continue;
		best = st;
		have = true;
		(void)snprintf(out, 256, "%s", e->d_name);
	}
	if (d != NULL)
		(void)closedir(d);
}

enum sv_code sv_edit_read_file(int dir, const char *file, bool copies, struct sv_buf *out, struct sv_err *err)
{
	char name[256];
	struct stat st;
	unsigned char *at;
	int fd;
	enum sv_code rc = SV_OK;

	(void)snprintf(name, sizeof(name), "%s", file);
	if (copies)
		find_newest(dir, file, name);
	sv_buf_reset(out);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? sv_err_set(err, SV_ERR_NOT_FOUND, "the editor deleted the file")
				       : sv_err_sys(err, SV_ERR_IO, errno, "cannot read the file back");
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		rc = sv_err_set(err, SV_ERR_FAIL, "what the editor left is no file");
	else if (st.st_size > (off_t)SV_DOC_BYTES_MAX)
		rc = sv_err_set(err, SV_ERR_TOO_BIG, "the text is larger than %zu MiB", SV_DOC_BYTES_MAX >> 20);
	for (bool more = rc == SV_OK; more;) {
		ssize_t n;

		if ((rc = sv_buf_extend(out, 65536, &at)) != SV_OK) {
			rc = sv_err_set(err, rc, "no memory for the text");
			break;
		}
		n = read(fd, at, 65536);
		out->len -= 65536 - (size_t)(n > 0 ? n : 0);
		if (n < 0 && errno != EINTR)
			rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot read the file back");
		more = rc == SV_OK && n != 0 && out->len <= SV_DOC_BYTES_MAX;
	}
	(void)close(fd);
	return rc;
}

enum sv_code sv_edit_session_get(struct sv_edit_session *s, bool copies, struct sv_buf *out, struct sv_err *err)
{
	return sv_edit_read_file(s->where.fd, s->file, copies, out, err);
}

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

static enum sv_code hear_ready(struct sv_edit_session *s, char fell_back[256], struct sv_err *err)
{
	struct sv_buf body = SV_BUF_INIT;
	enum sv_edit_word word;
	const char *p;
	size_t n;
	uint8_t level, swap;
	uint16_t code;
	enum sv_code rc = sv_edit_receive(s->sock, &word, &body, &s->where.fd, err);

	if (rc != SV_OK)
		goto out;
	rc = sv_err_set(err, SV_ERR_PROTO, "the editor's helper does not make sense");
	if (word == SV_EDIT_FAILED && sv_buf_get_u16(&body, &code) == SV_OK &&
	    sv_buf_peek_str16(&body, &p, &n, 400) == SV_OK) {
		rc = sv_err_set(err, (enum sv_code)code, "%.*s", (int)n, p);
	} else if (word == SV_EDIT_READY && s->where.fd >= 0 && sv_buf_get_u8(&body, &level) == SV_OK &&
		   sv_buf_get_u8(&body, &swap) == SV_OK &&
		   sv_buf_peek_str16(&body, &p, &n, sizeof(s->where.dir) - 1) == SV_OK) {
		s->where.level = (enum sv_place_level)level;
		s->where.may_swap = swap != 0;
		memcpy(s->where.dir, p, n);
		s->where.dir[n] = '\0';
		if (sv_buf_peek_str16(&body, &p, &n, 255) == SV_OK) {
			memcpy(fell_back, p, n);
			fell_back[n] = '\0';
			rc = SV_OK;
		}
	}
out:
	sv_buf_clear(&body);
	return rc;
}

enum sv_code sv_edit_session_open(struct sv_edit_session *s, enum sv_place_level level, bool insecure, const char *file,
				  char fell_back[256], struct sv_err *err)
{
	char runtime[SV_PATH_BYTES], mount_point[SV_PATH_BYTES + 8];
	const struct sv_paths *paths;
	char *slash;
	int pair[2];
	enum sv_code rc;

	*s = (struct sv_edit_session){ .sock = -1, .helper = -1, .where = { .fd = -1 } };
	(void)snprintf(s->file, sizeof(s->file), "%s", file);
	fell_back[0] = '\0';
	if ((rc = sv_session_paths(&paths, err)) != SV_OK || (rc = sv_endpoint_dir(paths->socket, err)) != SV_OK)
		return rc;
	(void)snprintf(runtime, sizeof(runtime), "%s", paths->socket);
	slash = strrchr(runtime, '/');
	if (slash != NULL)
		*slash = '\0';
	(void)snprintf(mount_point, sizeof(mount_point), "%s/edit", runtime);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot start the editor's helper");
	s->helper = fork();
	if (s->helper < 0) {
		(void)close(pair[0]);
		(void)close(pair[1]);
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot start the editor's helper");
	}
	if (s->helper == 0) {
		const struct sv_edit_helper_args a = { pair[1], level, insecure, runtime, mount_point, file };

		sv_edit_helper(&a);
	}
	(void)close(pair[1]);
	s->sock = pair[0];
	rc = hear_ready(s, fell_back, err);
	if (rc != SV_OK)
		sv_edit_session_close(s);
	return rc;
}

enum sv_code sv_edit_session_arm(struct sv_edit_session *s, const unsigned char pk[SV_DRAFT_PK_BYTES],
				 const struct sv_buf *head, struct sv_err *err)
{
	struct sv_buf body = SV_BUF_LOCKED(TALK_MAX);
	const struct sv_paths *paths;
	enum sv_code rc = sv_session_paths(&paths, err);

	if (rc == SV_OK && ((rc = sv_buf_put(&body, pk, SV_DRAFT_PK_BYTES)) != SV_OK ||
			    (rc = sv_buf_put_str16(&body, paths->state_dir, strlen(paths->state_dir))) != SV_OK ||
			    (rc = sv_buf_put_str16(&body, paths->vault, strlen(paths->vault))) != SV_OK ||
			    (rc = sv_buf_put(&body, sv_buf_head(head), sv_buf_unread(head))) != SV_OK))
		rc = sv_err_set(err, rc, "no memory for the editor session");
	if (rc == SV_OK)
		rc = sv_edit_send(s->sock, SV_EDIT_ARM, &body, -1, err);
	sv_buf_clear(&body);
	return rc;
}

void sv_edit_session_close(struct sv_edit_session *s)
{
	int status;

	if (s->where.fd >= 0)
		sv_private_remove(&s->where);
	if (s->sock >= 0) {
		(void)sv_edit_send(s->sock, SV_EDIT_DONE, NULL, -1, NULL);
		(void)close(s->sock);
	}
	s->sock = -1;
	while (s->helper > 0 && waitpid(s->helper, &status, 0) < 0 && errno == EINTR)
		;
	s->helper = -1;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t ending;

static void on_end_signal(int sig)
{
	ending = sig;
}

static const int handled[] = { SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGTTOU };
#define N_HANDLED (sizeof(handled) / sizeof(handled[0]))

struct terminal {
	int fd;
	bool saved;
	struct termios state;
	struct sigaction old[N_HANDLED];
	sigset_t mask;
};

/* The signals of the terminal are the editor's; those that end us are waited for. */
static void take_signals(struct terminal *t)
{
	struct sigaction sa;
	sigset_t block;

	memset(&sa, 0, sizeof(sa));
	(void)sigemptyset(&sa.sa_mask);
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGHUP);
	(void)sigaddset(&block, SIGTERM);
	ending = 0;
	(void)sigprocmask(SIG_BLOCK, &block, &t->mask);
	for (size_t i = 0; i < N_HANDLED; i++) {
		sa.sa_handler = handled[i] == SIGHUP || handled[i] == SIGTERM ? on_end_signal : SIG_IGN;
		(void)sigaction(handled[i], &sa, &t->old[i]);
	}
	t->fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	t->saved = t->fd >= 0 && tcgetattr(t->fd, &t->state) == 0;
}

static void give_signals_back(struct terminal *t, bool crashed)
{
	static const char leave[] = "\033[?1049l\033[?2004l\033[?1000l\033[?25h\033[0m\r\n";

	if (t->saved)
		(void)tcsetattr(t->fd, TCSADRAIN, &t->state);
	if (t->fd >= 0 && crashed && write(t->fd, leave, sizeof(leave) - 1) < 0)
		t->saved = false;
	if (t->fd >= 0)
		(void)close(t->fd);
	for (size_t i = 0; i < N_HANDLED; i++)
		(void)sigaction(handled[i], &t->old[i], NULL);
	(void)sigprocmask(SIG_SETMASK, &t->mask, NULL);
}

static enum sv_code send_run(struct sv_edit_session *s, const struct sv_editor *e, struct sv_err *err)
{
	struct sv_buf body = SV_BUF_INIT;
	enum sv_code rc = sv_buf_put_u16(&body, (uint16_t)e->argc);

	for (size_t i = 0; rc == SV_OK && i < e->argc; i++)
		rc = sv_buf_put_str16(&body, e->argv[i], strlen(e->argv[i]));
	for (size_t i = 0; rc == SV_OK && i < 2; i++)
		rc = sv_buf_put_str16(&body, e->env[i], strlen(e->env[i]));
	if (rc == SV_OK)
		rc = sv_buf_put_u8(&body, e->hand_off);
	if (rc == SV_OK)
		rc = sv_buf_put_str16(&body, e->rc != NULL ? e->rc : "", e->rc != NULL ? strlen(e->rc) : 0);
	rc = rc == SV_OK ? sv_edit_send(s->sock, SV_EDIT_RUN, &body, -1, err)
			 : sv_err_set(err, rc, "no memory for the editor's command");
	sv_buf_clear(&body);
	return rc;
}

static bool get_end(struct sv_buf *body, struct sv_edit_end *end)
{
	uint32_t v[4];

	for (int i = 0; i < 4; i++)
		if (sv_buf_get_u32(body, &v[i]) != SV_OK)
			return false;
	end->exited = v[0] != 0;
	end->status = (int)v[1];
	end->start_errno = (int)v[2];
	end->background = v[3];
	return true;
}

static void say_background(int tty)
{
	static const char text[] =
		"sv: the editor returned and left a process running.  sv goes on when that ends, or on Enter.\r\n";

	if (tty >= 0 && write(tty, text, sizeof(text) - 1) < 0)
		return;
}

/* One round of waiting; true when the editor's end was heard, or the helper is gone. */
static bool wait_once(struct sv_edit_session *s, struct terminal *t, struct sv_edit_end *end, struct sv_buf *body)
{
	struct pollfd p[2] = { { .fd = s->sock, .events = POLLIN },
			       { .fd = end->background > 0 ? t->fd : -1, .events = POLLIN } };
	struct sv_buf sig = SV_BUF_INIT;
	enum sv_edit_word word;
	char c;

	if (ppoll(p, 2, NULL, &t->mask) < 0) {
		if (errno == EINTR && ending != 0 && end->caught == 0) {
			end->caught = (int)ending;
			if (sv_buf_put_u32(&sig, (uint32_t)ending) == SV_OK)
				(void)sv_edit_send(s->sock, SV_EDIT_STOP, &sig, -1, NULL);
			sv_buf_clear(&sig);
		}
		return false;
	}
	if (p[0].revents != 0) {
		unsigned before = end->background;

		if (sv_edit_receive(s->sock, &word, body, NULL, NULL) != SV_OK || word != SV_EDIT_END ||
		    !get_end(body, end)) {
			end->lost_helper = true;
			return true;
		}
		if (end->background == 0)
			return true;
		if (before == 0)
			say_background(t->fd);
	} else if (p[1].revents != 0 && read(t->fd, &c, 1) == 1) {
		(void)sv_edit_send(s->sock, SV_EDIT_ENOUGH, NULL, -1, NULL);
	}
	return false;
}

/* Editors make their directories when they first run; under the write ban they could not.  They are left empty. */
static void make_own_dir(const struct sv_editor *e)
{
	char path[sizeof(e->own_dir)];
	size_t n = strlen(e->own_dir);

	memcpy(path, e->own_dir, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return;
		path[i] = e->own_dir[i];
	}
}

enum sv_code sv_edit_session_run(struct sv_edit_session *s, const struct sv_editor *e, struct sv_edit_end *end,
				 struct sv_err *err)
{
	struct sv_buf body = SV_BUF_INIT;
	struct terminal t = { .fd = -1 };
	enum sv_code rc;

	*end = (struct sv_edit_end){ 0 };
	make_own_dir(e);
	take_signals(&t);
	rc = send_run(s, e, err);
	/* The signals that end us arrive inside ppoll only, with the old mask. */
	(void)sigdelset(&t.mask, SIGHUP);
	(void)sigdelset(&t.mask, SIGTERM);
	while (rc == SV_OK && !wait_once(s, &t, end, &body))
		;
	give_signals_back(&t, rc != SV_OK || end->lost_helper || !end->exited);
	sv_buf_clear(&body);
	return rc;
}
