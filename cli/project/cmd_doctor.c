/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv doctor: what on this machine or in this project keeps the promises from holding.  It looks and changes nothing.
 */
#include "cli/auth.h"
#include "cli/json.h"
#include "cli/project/commands.h"
#include "cli/project/discover.h"
#include "cli/project/plan.h"
#include "cli/say.h"
#include "cli/session.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct {
	bool unused;
} args;

static const struct sv_opt opts[] = { SV_OPT_END };

static struct sv_plan plan = SV_PLAN_INIT;

struct report {
	struct sv_cli *cli;
	struct sv_json j;
	unsigned problems;
};

/* level: ok, note, problem. */
static void tell(struct report *r, const char *level, const char *topic, const char *fmt, ...) SV_PRINTF(4, 5);
static void tell(struct report *r, const char *level, const char *topic, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->problems += strcmp(level, "problem") == 0;
	if (r->cli->opt.json) {
		sv_json_open(&r->j, NULL, '{');
		sv_json_str(&r->j, "topic", topic);
		sv_json_str(&r->j, "level", level);
		sv_json_str(&r->j, "text", text);
		sv_json_close(&r->j, '}');
		return;
	}
	sv_out_fmt(&r->cli->out, "%-8s %-14s ", level, topic);
	sv_out_escaped(&r->cli->out, sv_text_of(text));
	sv_out_str(&r->cli->out, "\n");
}

static size_t slurp(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

	if (fd >= 0)
		(void)close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void swap(struct report *r)
{
	char text[4096];
	unsigned plain = 0;
	char *save = NULL;

	if (slurp("/proc/swaps", text, sizeof(text)) == 0) {
		tell(r, "note", "swap", "/proc/swaps cannot be read");
		return;
	}
	(void)strtok_r(text, "\n", &save); /* the heading */
	for (char *line = strtok_r(NULL, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		plain += strncmp(line, "/dev/zram", 9) != 0 && strncmp(line, "/dev/dm-", 8) != 0 &&
			 strncmp(line, "/dev/mapper/", 12) != 0;
	if (plain > 0)
		tell(r, "problem", "swap",
		     "%u swap area%s may not be encrypted; what programs hold in memory can reach it (sv's own memory "
		     "is locked)",
		     plain, plain == 1 ? "" : "s");
	else
		tell(r, "ok", "swap", "none, in memory, or through the device mapper");
}

static void core(struct report *r)
{
	char text[256];
	struct rlimit limit;

	if (slurp("/proc/sys/kernel/core_pattern", text, sizeof(text)) > 0) {
		text[strcspn(text, "\n")] = '\0';
		if (text[0] == '|')
			tell(r, "note", "core files",
			     "a program gets them whatever the limit is: %s (sv and sv-agent make none; programs they "
			     "start may)",
			     text);
		else if (getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur > 0)
			tell(r, "note", "core files",
			     "programs that sv starts may leave one with what they hold; ulimit -c 0 prevents it");
		else
			tell(r, "ok", "core files", "off for this session");
	}
}

static void terminal(struct report *r)
{
	char text[16];

	if (slurp("/proc/sys/dev/tty/legacy_tiocsti", text, sizeof(text)) > 0 && text[0] == '1')
		tell(r, "problem", "terminal",
		     "a program on your terminal can type for you (dev.tty.legacy_tiocsti is 1); set it to 0");
	else if (text[0] == '0')
		tell(r, "ok", "terminal", "programs cannot type for you");
	else
		tell(r, "note", "terminal", "this kernel cannot forbid programs to type for you (TIOCSTI)");
	if (slurp("/proc/sys/kernel/yama/ptrace_scope", text, sizeof(text)) > 0 && text[0] == '0')
		tell(r, "note", "ptrace",
		     "your programs may look into each other (kernel.yama.ptrace_scope is 0); the agent itself cannot "
		     "be traced");
}

static void memory(struct report *r)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
	    limit.rlim_cur < ((rlim_t)8 << 20))
		tell(r, "note", "memory lock", "the limit is %llu KiB; 8192 or more is comfortable (ulimit -l)",
		     (unsigned long long)limit.rlim_cur / 1024);
	else
		tell(r, "ok", "memory lock", "the limit is high enough");
}

static bool agent(struct report *r)
{
	const struct sv_paths *paths;
	struct sv_err err = SV_ERR_INIT;
	struct sv_msg_status s;

	if (sv_session_paths(&paths, &err) != SV_OK ||
	    sv_client_connect(&r->cli->client, paths->socket, &err) != SV_OK ||
	    sv_auth_status(r->cli, &s, &err) != SV_OK) {
		tell(r, "note", "agent", "not running, so it and the project's names were not looked at");
		return false;
	}
	if ((s.flags & SV_STATUS_MEM_UNLOCKED) != 0)
		tell(r, "problem", "agent", "some of its memory could not be locked");
	if ((s.flags & SV_STATUS_DUMPABLE) != 0)
		tell(r, "problem", "agent", "it could not be protected from being traced and dumped");
	if ((s.flags & SV_STATUS_KDF_WEAK) != 0)
		tell(r, "problem", "agent",
		     "the vault's key derivation is weaker than today's floor; sv passwd renews it");
	if (s.refused_peers > 0)
		tell(r, "problem", "agent", "other users tried to connect %u times", s.refused_peers);
	if ((s.flags & (SV_STATUS_MEM_UNLOCKED | SV_STATUS_DUMPABLE | SV_STATUS_KDF_WEAK)) == 0)
		tell(r, "ok", "agent", "memory %s, %s, %s",
		     (s.flags & SV_STATUS_SECRETMEM) != 0 ? "secret even from the kernel's map" : "locked",
		     "not traceable",
		     (s.flags & SV_STATUS_SANDBOX) != 0 ? "file access restricted" : "file access not restricted");
	return s.state == SV_STATE_UNLOCKED;
}

static void project(struct report *r)
{
	static char *none[] = { NULL };
	struct sv_err err = SV_ERR_INIT;
	unsigned missing = 0;

	if (sv_plan_find(&plan, NULL, &err) != SV_OK || sv_plan_manifest(&plan, NULL, &err) != SV_OK ||
	    (!plan.has_manifest && sv_plan_discover(&plan, none, &err) != SV_OK)) {
		tell(r, "problem", "project", "%s", err.msg);
		return;
	}
	sv_plan_environment(&plan, r->cli);
	for (size_t i = 0; i < plan.asks.n_notes; i++)
		tell(r, "note", "project", "%s", plan.asks.notes[i]);
	if (plan.n_wishes == 0) {
		tell(r, "ok", "project", "the files here ask for nothing");
		return;
	}
	if (sv_plan_names(&plan, r->cli, true, &err) != SV_OK || sv_plan_consent(&plan, r->cli, &err) != SV_OK) {
		tell(r, "problem", "project", "%s", err.msg);
		return;
	}
	for (size_t i = 0; i < plan.n_items; i++) {
		const struct sv_item *item = &plan.items[i];
		const struct sv_ask *ask = sv_asks_find(&plan.asks, item->var, strlen(item->var));
		char reason[SV_PATH_BYTES];

		if (item->name != NULL || item->wish->default_text != NULL || (ask != NULL && ask->weak))
			continue;
		sv_plan_reason(item, reason, sizeof(reason));
		tell(r, item->wish->optional ? "note" : "problem", "project",
		     "%s is asked for and not in the vault (%s)", item->var, reason);
		missing++;
	}
	if (sv_plan_unallowed(&plan) > 0)
		tell(r, "note", "project", "%zu secrets are asked for and not allowed yet: sv allow",
		     sv_plan_unallowed(&plan));
	if (missing == 0)
		tell(r, "ok", "project", "everything that is asked for is in the vault");
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct report r = { .cli = cli, .j = { &cli->out, false } };

	(void)argc;
	(void)argv;
	(void)err;
	if (cli->opt.json)
		sv_json_open(&r.j, NULL, '[');
	swap(&r);
	core(&r);
	terminal(&r);
	memory(&r);
	if (agent(&r))
		project(&r);
	if (cli->opt.json) {
		sv_json_close(&r.j, ']');
		sv_json_end(&r.j);
	}
	cli->status = r.problems > 0 ? SV_STATUS_FAILED : 0;
	sv_plan_clear(&plan);
	return SV_OK;
}

const struct sv_cmd sv_cmd_doctor = {
	.name = "doctor",
	.fn = run,
	.flags = 0,
	.args_min = 0,
	.args_max = 0,
	.synopsis = "",
	.help = "look for what keeps the promises from holding, here and in this project",
	.opts = opts,
	.args = &args,
	.more = "Looks at swap, core files, the terminal, memory limits, the agent, and which names the project's "
		"files ask for that\n"
		"are not in the vault.  Changes nothing; status 1 when there is a problem.\n",
};
