/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pseudo-terminals that look like the terminal they stand for, and the raw mode of that terminal.
 */
#ifndef SV_CLI_MASK_PTY_H
#define SV_CLI_MASK_PTY_H

#include "vault/base/err.h"

#include <stdbool.h>
#include <termios.h>

struct sv_pty {
	int master; /* does not block */
	int slave;  /* -1 once handed over */
};
#define SV_PTY_INIT                       \
	{                                 \
		.master = -1, .slave = -1 \
	}

/*
 * A pair with the settings and the window of the terminal like.  transparent: bytes pass as they are, because the
 * terminal itself keeps its line discipline; for a stream that is only written to.  SV_ERR_IO.
 */
enum sv_code sv_pty_open(struct sv_pty *p, int like, bool transparent, struct sv_err *err) SV_CHECK;
void sv_pty_close_slave(struct sv_pty *p);
void sv_pty_close(struct sv_pty *p);
/* Give it the window of like; the program behind it hears SIGWINCH when that is a change. */
void sv_pty_resize(const struct sv_pty *p, int like);
/* The program reads single keys: a full-screen program or a line editor, not a line from the line discipline. */
bool sv_pty_wants_keys(const struct sv_pty *p);

/* Raw mode: every key is a byte for the pseudo-terminal, which makes lines, echo and signals of it. */
struct sv_raw {
	int fd;
	bool on;
	struct termios saved;
};

/* false when the terminal belongs to another process group now: it is then left alone. */
bool sv_raw_foreground(int fd);
/* Does nothing when it is on, or in the background. */
void sv_raw_enter(struct sv_raw *r);
/* What it was before; nothing when it is off.  In the background the terminal is its new owner's. */
void sv_raw_leave(struct sv_raw *r);

#endif
