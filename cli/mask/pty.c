/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_openpt(3), termios(3) and window sizes.
 */
#include "cli/mask/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int open_slave(int master)
{
#ifdef TIOCGPTPEER
	/* Not by path: /dev/pts may belong to another mount namespace. */
	int fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
#endif
	const char *name = ptsname(master);

	return name == NULL ? -1 : open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

enum sv_code sv_pty_open(struct sv_pty *p, int like, bool transparent, struct sv_err *err)
{
	struct termios t;
	int flags;
	int why;

	*p = (struct sv_pty)SV_PTY_INIT;
	p->master = posix_openpt(O_RDWR | O_NOCTTY);
	if (p->master < 0 || grantpt(p->master) != 0 || unlockpt(p->master) != 0 ||
	    (p->slave = open_slave(p->master)) < 0 || tcgetattr(like, &t) != 0)
		goto failed;
	if (transparent) {
		t.c_oflag &= ~(tcflag_t)OPOST;
		t.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	}
	flags = fcntl(p->master, F_GETFL);
	if (tcsetattr(p->slave, TCSANOW, &t) != 0 || flags < 0 || fcntl(p->master, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    fcntl(p->master, F_SETFD, FD_CLOEXEC) != 0)
		goto failed;
	sv_pty_resize(p, like);
	return SV_OK;
failed:
	why = errno;
	sv_pty_close(p);
	return sv_err_sys(err, SV_ERR_IO, why, "cannot make a pseudo-terminal");
}

void sv_pty_close_slave(struct sv_pty *p)
{
	if (p->slave >= 0)
		(void)close(p->slave);
	p->slave = -1;
}

void sv_pty_close(struct sv_pty *p)
{
	sv_pty_close_slave(p);
	if (p->master >= 0)
		(void)close(p->master);
	p->master = -1;
}

void sv_pty_resize(const struct sv_pty *p, int like)
{
	struct winsize w;

	if (p->master >= 0 && ioctl(like, TIOCGWINSZ, &w) == 0)
		(void)ioctl(p->master, TIOCSWINSZ, &w);
}

bool sv_pty_wants_keys(const struct sv_pty *p)
{
	struct termios t;

	return tcgetattr(p->master, &t) == 0 && (t.c_lflag & ICANON) == 0;
}

bool sv_raw_foreground(int fd)
{
	pid_t owner = tcgetpgrp(fd);

	/* A terminal that does not control this session has no foreground to be in. */
	return owner < 0 || owner == getpgrp();
}

void sv_raw_enter(struct sv_raw *r)
{
	struct termios t;

	if (r->on || !sv_raw_foreground(r->fd) || tcgetattr(r->fd, &r->saved) != 0)
		return;
	t = r->saved;
	cfmakeraw(&t);
	r->on = tcsetattr(r->fd, TCSANOW, &t) == 0;
}

void sv_raw_leave(struct sv_raw *r)
{
	if (!r->on)
		return;
	r->on = false;
	if (sv_raw_foreground(r->fd))
		(void)tcsetattr(r->fd, TCSANOW, &r->saved);
}
