/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes, warnings and errors on standard error.
 */
#include "cli/say.h"

#include "cli/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int sv_say_status(enum sv_code code)
{
	switch (code) {
	case SV_OK: return SV_STATUS_DONE;
	case SV_ERR_USAGE:
	case SV_ERR_NAME: return SV_STATUS_USAGE;
	case SV_ERR_LOCKED: return SV_STATUS_LOCKED;
	case SV_ERR_NOT_FOUND:
	case SV_ERR_NO_VAULT: return SV_STATUS_MISSING;
	case SV_ERR_DENIED:
	case SV_ERR_PASSPHRASE: return SV_STATUS_DENIED;
	case SV_ERR_EXISTS:
	case SV_ERR_CONFLICT: return SV_STATUS_CONFLICT;
	case SV_ERR_NOT_A_VAULT:
	case SV_ERR_UNSUPPORTED:
	case SV_ERR_LIMITS:
	case SV_ERR_INTEGRITY:
	case SV_ERR_ROLLBACK:
	case SV_ERR_FORK: return SV_STATUS_DAMAGED;
	case SV_ERR_FAIL:
	case SV_ERR_TOO_BIG:
	case SV_ERR_NOMEM:
	case SV_ERR_IO:
	case SV_ERR_BUSY:
	case SV_ERR_PROTO:
	case SV_ERR_TRUNCATED:
	case SV_ERR_NO_AGENT: return SV_STATUS_FAILED;
	}
	return SV_STATUS_FAILED;
}

const char *sv_say_advice(enum sv_code code)
{
	switch (code) {
	case SV_ERR_LOCKED: return "run: sv unlock";
	case SV_ERR_NO_VAULT: return "run: sv init; or set SV_VAULT to the vault that you mean";
	case SV_ERR_EXISTS: return "nothing was changed";
	case SV_ERR_PASSPHRASE:
		return "try again; where a recovery code was made, --recovery takes it in place of the passphrase";
	case SV_ERR_UNSUPPORTED: return "the vault was made by a newer sv: install that; nothing was changed";
	case SV_ERR_NOT_A_VAULT:
	case SV_ERR_LIMITS:
	case SV_ERR_INTEGRITY:
		return "nothing was changed and nothing was given out; keep a copy of the file, then sv restore-backup "
		       "FILE brings back a backup";
	case SV_ERR_ROLLBACK:
	case SV_ERR_FORK: return "if you put that file there yourself: sv unlock --accept-rollback";
	case SV_ERR_BUSY: return "try again in a moment";
	default: return NULL;
	}
}

bool sv_say_color(const struct sv_cli *cli, int fd)
{
	const char *when = cli->opt.color;
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (when != NULL && strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	if (no != NULL && *no != '\0')
		return false;
	return isatty(fd) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

static void line(const char *label, const char *color, const char *text)
{
	struct sv_out o = SV_OUT_INIT(STDERR_FILENO);

	o.buf.locked = false;
	sv_out_str(&o, "sv: ");
	if (color != NULL)
		sv_out_str(&o, color);
	sv_out_str(&o, label);
	if (color != NULL)
		sv_out_str(&o, "\033[0m");
	sv_out_escaped(&o, sv_text_of(text));
	sv_out_str(&o, "\n");
	if (sv_out_flush(&o, NULL) != SV_OK) {
		/* there is nowhere left to say it */
	}
	sv_out_clear(&o);
}

static void say(const char *label, const char *color, const char *fmt, va_list ap) SV_PRINTF(3, 0);

static void say(const char *label, const char *color, const char *fmt, va_list ap)
{
	char text[SV_ERR_MSG_BYTES + SV_PATH_BYTES];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	line(label, color, text);
}

void sv_say(const struct sv_cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (cli->opt.quiet)
		return;
	va_start(ap, fmt);
	say("", NULL, fmt, ap);
	va_end(ap);
}

void sv_say_warning(const struct sv_cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("warning: ", sv_say_color(cli, STDERR_FILENO) ? "\033[33m" : NULL, fmt, ap);
	va_end(ap);
}

static void error_json(enum sv_code code, const char *message, const char *hint)
{
	struct sv_out o = SV_OUT_INIT(STDERR_FILENO);
	struct sv_json j = { &o, false };

	o.buf.locked = false;
	sv_json_open(&j, NULL, '{');
	sv_json_open(&j, "error", '{');
	sv_json_str(&j, "code", sv_code_word(code));
	sv_json_str(&j, "message", message);
	if (hint != NULL)
		sv_json_str(&j, "hint", hint);
	else
		sv_json_null(&j, "hint");
	sv_json_close(&j, '}');
	sv_json_close(&j, '}');
	sv_json_end(&j);
	if (sv_out_flush(&o, NULL) != SV_OK) {
		/* there is nowhere left to say it */
	}
	sv_out_clear(&o);
}

void sv_say_error(const struct sv_cli *cli, enum sv_code code, const struct sv_err *err)
{
	const char *hint = cli->hint[0] != '\0' ? cli->hint : sv_say_advice(code);
	const char *message = err->msg[0] != '\0' ? err->msg : sv_code_word(code);

	if (cli->opt.json) {
		error_json(code, message, hint);
		return;
	}
	line("error: ", sv_say_color(cli, STDERR_FILENO) ? "\033[31m" : NULL, message);
	if (hint != NULL && !cli->opt.quiet)
		line("hint: ", NULL, hint);
}
