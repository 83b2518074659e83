/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Editors by name.  What is switched off here is switched off a second time by the write ban of sandbox.h; what is left
 * on leaves its copies in the private directory, where they are of use after a crash.
 *
 * Sources: vim :help recover, :help shada, :help v:dying; nano(1), nanorc(5); Emacs manual "Auto Save", "Backup"; micro
 * help options; sudoers(5) on `--`.
 */
#include "cli/edit/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- words ------------------------------------------------------------------------------------------------------- */

static enum sv_code put_byte(struct sv_editor *e, char c, struct sv_err *err)
{
	if (e->used >= sizeof(e->store))
		return sv_err_set(err, SV_ERR_TOO_BIG, "the editor's command is too long");
	e->store[e->used++] = c;
	return SV_OK;
}

static enum sv_code add_word(struct sv_editor *e, const char *word, struct sv_err *err)
{
	if (e->argc >= SV_EDITOR_WORDS_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG, "the editor's command has too many words");
	e->argv[e->argc++] = word;
	e->argv[e->argc] = NULL;
	return SV_OK;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

enum sv_code sv_editor_split(const char *text, struct sv_editor *e, struct sv_err *err)
{
	const char *p = text;
	enum sv_code rc = SV_OK;

	for (;;) {
		size_t start = e->used;
		char quote = '\0';

		while (is_blank(*p))
			p++;
		if (*p == '\0')
			break;
		for (; *p != '\0' && (quote != '\0' || !is_blank(*p)); p++) {
			if (quote == '\0' && (*p == '\'' || *p == '"')) {
				quote = *p;
				continue;
			}
			if (quote != '\0' && *p == quote) {
				quote = '\0';
				continue;
			}
			if (*p == '\\' && quote != '\'' && p[1] != '\0' &&
			    (quote == '\0' || strchr("\"\\$`", p[1]) != NULL))
				p++;
			if ((rc = put_byte(e, *p, err)) != SV_OK)
				return rc;
		}
		if (quote != '\0')
			return sv_err_set(err, SV_ERR_USAGE, "a quote in the editor's command is never closed");
		if ((rc = put_byte(e, '\0', err)) != SV_OK || (rc = add_word(e, e->store + start, err)) != SV_OK)
			return rc;
	}
	return e->argc > 0 ? SV_OK : sv_err_set(err, SV_ERR_USAGE, "the editor's command is empty");
}

/* ---- which ------------------------------------------------------------------------------------------------------- */

/* The file that execvp(3) would run; false when there is none. */
static bool find_program(const char *name, char out[PATH_MAX])
{
	const char *path = getenv("PATH");
	size_t n;

	if (strchr(name, '/') != NULL)
		return access(name, X_OK) == 0 && realpath(name, out) != NULL;
	for (path = path != NULL ? path : "/usr/bin:/bin"; *path != '\0'; path += n + (path[n] == ':')) {
		char file[PATH_MAX];
		struct stat st;

		n = strcspn(path, ":");
		if (n == 0 || snprintf(file, sizeof(file), "%.*s/%s", (int)n, path, name) >= (int)sizeof(file))
			continue;
		if (access(file, X_OK) == 0 && stat(file, &st) == 0 && S_ISREG(st.st_mode) &&
		    realpath(file, out) != NULL)
			return true;
	}
	return false;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static const struct hand_off {
	const char *program, *wait[3];
} hand_offs[] = {
	{ "code", { "--wait", "-w", NULL } },   { "code-insiders", { "--wait", "-w", NULL } },
	{ "codium", { "--wait", "-w", NULL } }, { "vscodium", { "--wait", "-w", NULL } },
	{ "cursor", { "--wait", "-w", NULL } }, { "windsurf", { "--wait", "-w", NULL } },
	{ "subl", { "--wait", "-w", NULL } },   { "sublime_text", { "--wait", "-w", NULL } },
	{ "zed", { "--wait", "-w", NULL } },    { "zeditor", { "--wait", "-w", NULL } },
	{ "atom", { "--wait", "-w", NULL } },   { "mate", { "--wait", "-w", NULL } },
	{ "gedit", { "--wait", "-w", NULL } },  { "gnome-text-editor", { "--standalone", "-s", NULL } },
	{ "kate", { "--block", "-b", NULL } },  { "pulsar", { "--wait", "-w", NULL } },
	{ "idea", { "--wait", NULL, NULL } },   { "pycharm", { "--wait", NULL, NULL } },
	{ "xdg-open", { NULL, NULL, NULL } },   { "open", { "-W", NULL, NULL } },
};

static bool has_word(const struct sv_editor *e, const char *word)
{
	for (size_t i = 1; i < e->argc; i++)
		if (word != NULL && strcmp(e->argv[i], word) == 0)
			return true;
	return false;
}

static bool named(const struct sv_editor *e, const char *name)
{
	return strcmp(e->program, name) == 0 || strcmp(last_part(e->argv[0]), name) == 0;
}

static void look_at_hand_off(struct sv_editor *e)
{
	for (size_t i = 0; i < sizeof(hand_offs) / sizeof(hand_offs[0]); i++) {
		if (!named(e, hand_offs[i].program))
			continue;
		e->hand_off = true;
		e->wait_arg = hand_offs[i].wait[0];
		e->waits = has_word(e, hand_offs[i].wait[0]) || has_word(e, hand_offs[i].wait[1]);
	}
	if (strncmp(last_part(e->argv[0]), "emacsclient", 11) == 0) {
		e->hand_off = true;
		e->waits = !has_word(e, "-n") && !has_word(e, "--no-wait");
	}
	for (size_t i = 1; i < e->argc; i++)
		if (strncmp(e->argv[i], "--remote", 8) == 0)
			e->hand_off = true;
}

enum sv_code sv_editor_choose(struct sv_editor *e, struct sv_err *err)
{
	static const char *const usual[] = { "vim", "vi", "nano", NULL };
	const char *from = "VISUAL", *text = getenv(from);
	char path[PATH_MAX];
	enum sv_code rc;

	memset(e, 0, sizeof(*e));
	if (text == NULL || *text == '\0')
		text = getenv(from = "EDITOR");
	if (text != NULL && *text != '\0') {
		if ((rc = sv_editor_split(text, e, err)) != SV_OK) {
			sv_err_prefix(err, "$%s", from);
			return rc;
		}
		if (!find_program(e->argv[0], path))
			return sv_err_set(err, SV_ERR_NOT_FOUND, "the editor in $%s is not there or cannot be run",
					  from);
	} else {
		size_t i = 0;

		while (usual[i] != NULL && !find_program(usual[i], path))
			i++;
		if (usual[i] == NULL)
			return sv_err_set(err, SV_ERR_NOT_FOUND, "no editor: set VISUAL or EDITOR");
		if ((rc = add_word(e, usual[i], err)) != SV_OK)
			return rc;
	}
	(void)snprintf(e->program, sizeof(e->program), "%.255s", last_part(path));
	look_at_hand_off(e);
	return SV_OK;
}

void sv_editor_clear(struct sv_editor *e)
{
	free(e->rc_store);
	e->rc_store = NULL;
	e->rc = NULL;
}

/* ---- what keeps them clean --------------------------------------------------------------------------------------- */

enum family { FAMILY_OTHER, FAMILY_VIM, FAMILY_NVIM, FAMILY_NANO, FAMILY_EMACS, FAMILY_MICRO, FAMILY_HELIX };

static enum family family_of(const struct sv_editor *e)
{
	if (named(e, "nvim"))
		return FAMILY_NVIM;
	if (strncmp(e->program, "vim", 3) == 0 || strcmp(e->program, "gvim") == 0 || strcmp(e->program, "view") == 0)
		return FAMILY_VIM;
	if (named(e, "nano"))
		return FAMILY_NANO;
	if (strncmp(e->program, "emacs", 5) == 0)
		return FAMILY_EMACS;
	if (named(e, "micro"))
		return FAMILY_MICRO;
	if (named(e, "hx") || named(e, "helix"))
		return FAMILY_HELIX;
	return FAMILY_OTHER;
}

/* A word made with a path in it. */
static enum sv_code add_made(struct sv_editor *e, struct sv_err *err, const char *fmt, ...) SV_PRINTF(3, 4);
static enum sv_code add_made(struct sv_editor *e, struct sv_err *err, const char *fmt, ...)
{
	size_t room = sizeof(e->store) - e->used;
	char *at = e->store + e->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(at, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		return sv_err_set(err, SV_ERR_TOO_BIG, "the editor's command is too long");
	e->used += (size_t)n + 1;
	return add_word(e, at, err);
}

#define ADD(word)                                             \
	do {                                                  \
		if ((rc = add_word(e, (word), err)) != SV_OK) \
			return rc;                            \
	} while (0)
#define ADD_MADE(...)                                              \
	do {                                                       \
		if ((rc = add_made(e, err, __VA_ARGS__)) != SV_OK) \
			return rc;                                 \
	} while (0)

/*
 * The settings stand before the person's own (--cmd) for what acts while the file is read, and behind them (-c) for the
 * rest.  The copy of what is not written yet goes to the private directory after a second of rest and when a signal
 * ends the editor.
 */
static enum sv_code vim_words(struct sv_editor *e, bool neo, const char *dir, struct sv_err *err)
{
	enum sv_code rc;

	ADD("-n");
	ADD("-i");
	ADD("NONE");
	ADD("--cmd");
	ADD("set nobackup nowritebackup noswapfile noundofile nomodeline updatetime=1000");
	ADD("--cmd");
	ADD("autocmd BufReadPre,BufNewFile,BufEnter * setlocal noswapfile noundofile nomodeline");
	ADD("--cmd");
	ADD_MADE("autocmd CursorHold,CursorHoldI,InsertLeave,TextChanged * if &modified | silent! call "
		 "writefile(getline(1, '$'), '%s/.sv-copy') | endif",
		 dir);
	ADD("--cmd");
	ADD_MADE("autocmd VimLeavePre * if v:dying && &modified | silent! call writefile(getline(1, '$'), "
		 "'%s/.sv-copy') | endif",
		 dir);
	ADD("-c");
	ADD_MADE("set nobackup nowritebackup noswapfile noundofile nomodeline directory=%s backupdir=%s undodir=%s "
		 "viewdir=%s",
		 dir, dir, dir, dir);
	ADD("-c");
	ADD(neo ? "set shada=" : "set viminfo=");
	if (named(e, "gvim"))
		ADD("-f");
	if (neo) {
		(void)snprintf(e->env[0], sizeof(e->env[0]), "NVIM_LOG_FILE=%s/.nvim-log", dir);
		(void)snprintf(e->env[1], sizeof(e->env[1]), "XDG_STATE_HOME=%s", dir);
	}
	return SV_OK;
}

/* nano takes no settings back on its command line, so it gets the person's settings and ours behind them as one file.
 */
static bool append_file(char **text, size_t *n, const char *path)
{
	char buf[16384];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got;
	char *more;

	if (fd < 0)
		return true;
	got = read(fd, buf, sizeof(buf));
	(void)close(fd);
	if (got <= 0 || got == (ssize_t)sizeof(buf))
		return got <= 0;
	more = realloc(*text, *n + (size_t)got + 2);
	if (more == NULL)
		return false;
	memcpy(more + *n, buf, (size_t)got);
	*n += (size_t)got;
	more[(*n)++] = '\n';
	more[*n] = '\0';
	*text = more;
	return true;
}

static enum sv_code nano_words(struct sv_editor *e, const char *dir, struct sv_err *err)
{
	static const char ours[] = "unset backup\nunset historylog\nunset positionlog\nunset locking\n";
	const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
	char path[PATH_MAX];
	size_t n = 0;
	char *text = calloc(1, 1), *more;
	enum sv_code rc;

	if (text == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the editor's settings");
	(void)append_file(&text, &n, "/etc/nanorc");
	if (home != NULL && snprintf(path, sizeof(path), "%s/.nanorc", home) < (int)sizeof(path) &&
	    access(path, R_OK) == 0)
		(void)append_file(&text, &n, path);
	else if (config != NULL && snprintf(path, sizeof(path), "%s/nano/nanorc", config) < (int)sizeof(path))
		(void)append_file(&text, &n, path);
	else if (home != NULL && snprintf(path, sizeof(path), "%s/.config/nano/nanorc", home) < (int)sizeof(path))
		(void)append_file(&text, &n, path);
	more = realloc(text, n + sizeof(ours));
	if (more == NULL) {
		free(text);
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the editor's settings");
	}
	memcpy(more + n, ours, sizeof(ours));
	free(e->rc_store);
	e->rc = e->rc_store = more;
	ADD_MADE("--rcfile=%s/%s", dir, SV_EDITOR_RC_NAME);
	return SV_OK;
}

static enum sv_code emacs_words(struct sv_editor *e, const char *dir, struct sv_err *err)
{
	enum sv_code rc;

	ADD("--no-desktop");
	ADD("--eval");
	ADD_MADE("(progn (setq make-backup-files nil create-lockfiles nil auto-save-default t auto-save-timeout 1 "
		 "auto-save-interval 20 auto-save-list-file-prefix nil delete-auto-save-files t "
		 "auto-save-file-name-transforms '((\".*\" \"%s/\" t)) "
		 "backup-directory-alist '((\".*\" . \"%s\")) temporary-file-directory \"%s/\" "
		 "enable-local-variables nil inhibit-startup-screen t "
		 "undo-tree-auto-save-history nil savehist-file nil recentf-save-file nil save-place-file "
		 "\"%s/.places\") "
		 "(dolist (m '(recentf-mode savehist-mode save-place-mode desktop-save-mode server-mode "
		 "global-undo-tree-mode)) "
		 "(when (and (boundp m) (symbol-value m) (fboundp m)) (ignore-errors (funcall m -1)))))",
		 dir, dir, dir, dir);
	return SV_OK;
}

/* $VARIABLE/rest, else $HOME/usual/rest. */
static void own_dir(struct sv_editor *e, const char *variable, const char *usual, const char *rest)
{
	const char *base = getenv(variable), *home = getenv("HOME");
	int n = 0;

	if (base != NULL && *base == '/')
		n = snprintf(e->own_dir, sizeof(e->own_dir), "%s/%s", base, rest);
	else if (home != NULL)
		n = snprintf(e->own_dir, sizeof(e->own_dir), "%s/%s/%s", home, usual, rest);
	if (n < 0 || (size_t)n >= sizeof(e->own_dir))
		e->own_dir[0] = '\0';
}

static enum sv_code micro_words(struct sv_editor *e, struct sv_err *err)
{
	static const char *const off[] = { "-backup", "-permbackup", "-savecursor", "-savehistory", "-saveundo" };
	enum sv_code rc;

	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		ADD(off[i]);
		ADD("false");
	}
	return SV_OK;
}

enum sv_code sv_editor_finish(struct sv_editor *e, const char *dir, const char *path, size_t line, struct sv_err *err)
{
	enum family family = family_of(e);
	enum sv_code rc = SV_OK;

	switch (family) {
	case FAMILY_VIM: rc = vim_words(e, false, dir, err); break;
	case FAMILY_NVIM:
		own_dir(e, "XDG_DATA_HOME", ".local/share", "nvim");
		rc = vim_words(e, true, dir, err);
		break;
	case FAMILY_NANO: rc = nano_words(e, dir, err); break;
	case FAMILY_EMACS: rc = emacs_words(e, dir, err); break;
	case FAMILY_MICRO:
		own_dir(e, "XDG_CONFIG_HOME", ".config", "micro");
		rc = micro_words(e, err);
		break;
	case FAMILY_HELIX:
	case FAMILY_OTHER: break;
	}
	if (rc != SV_OK)
		return rc;
	if (line > 0 && family != FAMILY_OTHER && family != FAMILY_HELIX)
		ADD_MADE("+%zu", line);
	/* The path is absolute, so `--` only matters to what parses options in odd ways; those that know it get it. */
	if (family == FAMILY_VIM || family == FAMILY_NVIM || (family == FAMILY_NANO && line == 0))
		ADD("--");
	ADD(path);
	return SV_OK;
}

bool sv_editor_is_copy(const char *name, const char *file)
{
	size_t n = strlen(file), len = strlen(name);

	if (strcmp(name, ".sv-copy") == 0)
		return true;
	/* Emacs: #file#, with the slashes of its directory as '!' when it was moved. */
	if (len > n + 1 && name[0] == '#' && name[len - 1] == '#' && memcmp(name + len - 1 - n, file, n) == 0)
		return true;
	/* nano: file.save, file.save.1 */
	return strncmp(name, file, n) == 0 && strncmp(name + n, ".save", 5) == 0;
}
