/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Differences as lines for people and as JSON.
 */
#include "cli/edit/summary.h"

#include "cli/json.h"

#include <stdio.h>
#include <string.h>

static void fields(struct sv_out *o, uint32_t f)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ SV_MF_VAR, "var" },       { SV_MF_DESC, "desc" },       { SV_MF_OWNER, "owner" },
		{ SV_MF_URL, "url" },       { SV_MF_TYPE, "type" },       { SV_MF_TAGS, "tags" },
		{ SV_MF_SCOPES, "scopes" }, { SV_MF_EXPIRES, "expires" }, { SV_MF_ROTATE, "rotate" },
	};
	bool comma = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((f & names[i].bit) == 0)
			continue;
		sv_out_str(o, comma ? ", " : "");
		sv_out_str(o, names[i].name);
		comma = true;
	}
}

static char sign_of(unsigned what)
{
	return (what & SV_DELTA_ADDED) != 0     ? '+'
	       : (what & SV_DELTA_REMOVED) != 0 ? '-'
	       : (what & SV_DELTA_RENAMED) != 0 ? '>'
						: '~';
}

static const char *color_of(char sign)
{
	return sign == '+' ? "\033[32m" : sign == '-' ? "\033[31m" : "\033[33m";
}

static void line(struct sv_out *o, const struct sv_delta *d, bool color)
{
	char sign = sign_of(d->what);

	if (color)
		sv_out_str(o, color_of(sign));
	sv_out_fmt(o, "%c ", sign);
	if ((d->what & (SV_DELTA_REMOVED | SV_DELTA_RENAMED)) != 0)
		sv_out_escaped(o, d->from->name);
	if ((d->what & SV_DELTA_RENAMED) != 0)
		sv_out_str(o, " -> ");
	if ((d->what & SV_DELTA_REMOVED) == 0)
		sv_out_escaped(o, d->to->name);
	if ((d->what & SV_DELTA_VALUE) != 0)
		sv_out_str(o, "  value changed");
	if ((d->what & SV_DELTA_META) != 0) {
		sv_out_str(o, (d->what & SV_DELTA_VALUE) != 0 ? "; metadata: " : "  metadata: ");
		fields(o, sv_meta_differs(d->from->meta, d->to->meta));
	}
	sv_out_str(o, color ? "\033[0m\n" : "\n");
}

void sv_summary_count(const struct sv_diff *d, char *out, size_t size)
{
	const struct {
		size_t n;
		const char *word;
	} parts[] = {
		{ d->added, "added" },     { d->changed, "changed" },          { d->renamed, "renamed" },
		{ d->removed, "removed" }, { d->meta, "with other metadata" },
	};
	size_t at = 0;

	(void)snprintf(out, size, "nothing changed");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int n;

		if (parts[i].n == 0)
			continue;
		n = snprintf(out + at, size - at, "%s%zu %s", at > 0 ? ", " : "", parts[i].n, parts[i].word);
		if (n > 0 && (size_t)n < size - at)
			at += (size_t)n;
	}
}

void sv_summary_text(struct sv_out *o, const struct sv_diff *d, bool color)
{
	char counts[160];

	for (size_t i = 0; i < d->n; i++)
		line(o, &d->v[i], color);
	sv_summary_count(d, counts, sizeof(counts));
	sv_out_fmt(o, "%s\n", counts);
}

static void names(struct sv_json *j, const char *key, const struct sv_diff *d, unsigned what)
{
	sv_json_open(j, key, '[');
	for (size_t i = 0; i < d->n; i++) {
		const struct sv_delta *v = &d->v[i];

		if ((v->what & what) == 0)
			continue;
		if (what == SV_DELTA_RENAMED) {
			sv_json_open(j, NULL, '{');
			sv_json_text(j, "from", v->from->name);
			sv_json_text(j, "to", v->to->name);
			sv_json_close(j, '}');
		} else {
			sv_json_text(j, NULL, v->to != NULL ? v->to->name : v->from->name);
		}
	}
	sv_json_close(j, ']');
}

void sv_summary_json(struct sv_out *o, const struct sv_diff *d, bool dry_run)
{
	struct sv_json j = { o, false };

	sv_json_open(&j, NULL, '{');
	sv_json_bool(&j, "dry_run", dry_run);
	names(&j, "added", d, SV_DELTA_ADDED);
	names(&j, "changed", d, SV_DELTA_VALUE);
	names(&j, "renamed", d, SV_DELTA_RENAMED);
	names(&j, "removed", d, SV_DELTA_REMOVED);
	names(&j, "metadata", d, SV_DELTA_META);
	sv_json_close(&j, '}');
	sv_json_end(&j);
}

bool sv_summary_drastic(const struct sv_diff *d)
{
	return d->removed > 0 && d->removed > d->kept;
}
