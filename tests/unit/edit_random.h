/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random trees of secrets, the same for the same seed: names and values that formats stumble over, in all mixtures.
 */
#ifndef EDIT_RANDOM_H
#define EDIT_RANDOM_H

#include "cli/edit/tree.h"
#include "tests/support/sv_test.h"

#include <stdio.h>
#include <string.h>

#define UNUSED __attribute__((unused))

static const unsigned char random_key[SV_MARK_KEY_BYTES] UNUSED = "the key of the marks in tests.";

static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static inline size_t below(uint64_t *state, size_t n)
{
	return (size_t)(next_random(state) >> 11) % n;
}

static const char *const segments[] UNUSED = {
	"a",        "b",     "c",           "value",    "desc",         "tags",
	"!!binary", "x: y",  "#c",          "null",     "yes",          "~",
	"0755",     "1.0",   "<<",          "'q'",      "\"q\"",        "[l]",
	"{m}",      "*star", "&amp",        "- dash",   "% pct",        "key?",
	"? key",    "a:b",   "a #b",        "\xc3\xa4", "\xe6\xbc\xa2", "\xf0\x9f\x94\x91",
	"export x", "$VAR",  "back\\slash", "...",      "=eq",          "|",
	">",        "@at",   "`tick`",      "a,b",      "!tag",         "on",
	"0",        "1",
};

static inline struct sv_text random_name(uint64_t *s, char *buf)
{
	size_t n = 0, parts = 1 + below(s, 4);

	if (below(s, 60) == 0) {
		/* As long and as deep as a name may be. */
		for (n = 0; n < 253; n += 2)
			memcpy(buf + n, "d/", 2);
		buf[n++] = (char)('a' + below(s, 26));
		return (struct sv_text){ buf, n };
	}
	for (size_t i = 0; i < parts; i++) {
		const char *seg = segments[below(s, SV_COUNT(segments))];

		if (i > 0)
			buf[n++] = '/';
		memcpy(buf + n, seg, strlen(seg));
		n += strlen(seg);
	}
	if (below(s, 3) == 0)
		n += (size_t)snprintf(buf + n, 16, "%zu", below(s, 1000));
	return (struct sv_text){ buf, n };
}

static const char *const values[] UNUSED = {
	"",
	"0755",
	"yes",
	"no",
	"1.0",
	"null",
	"~",
	"true",
	"0x1F",
	"1e3",
	"2001-12-14",
	"12:30:45",
	".inf",
	"-",
	"a b",
	" lead",
	"trail ",
	"a\nb",
	"a\nb\n",
	"a\n\n",
	"\n",
	"\n\n",
	"\na",
	"  a\nb",
	"a\n  b\n",
	"a \nb",
	"\ta\nb",
	"a\tb",
	"#x",
	"a #x",
	"a: b",
	"- a",
	"[a]",
	"{a: b}",
	"'",
	"\"",
	"\\n",
	"$HOME",
	"`id`",
	"!x",
	"&x",
	"*x",
	"%x",
	"@x",
	"|",
	">",
	"? x",
	"<<",
	"a\r\nb",
	"\r",
	"\xc3\xa4",
	"\xf0\x9f\x94\x91\nx",
	"\xe2\x80\xa8x",
	"\xc2\x85x",
	"\xef\xbb\xbfx",
	"\x01\x02",
	"\x7f",
	"\xff\xfe",
	"\xed\xa0\x80",
	"\xef\xbf\xbe",
	"---",
	"...",
	"---\na\n",
	"a\n...\nb",
	"-----BEGIN KEY-----\nMIIB\n-----END KEY-----\n",
	"{\n  \"a\": 1\n}\n",
	"=",
	"y",
	"N",
	"# c\n# d\n",
	"a\n#b\n",
	"x\n\n\n",
	"\n\n\nx",
	"export A=b",
	"a=b",
	"********x",
	" ",
	"  \n",
	"a\n \nb",
	"\t",
	"#:sv: error: x",
	"\xe2\x80\xae"
	"abc",
};

static inline size_t random_value(uint64_t *s, unsigned char *buf, size_t max)
{
	size_t kind = below(s, 10), n;

	if (kind < 6) {
		const char *v = values[below(s, SV_COUNT(values))];

		n = strlen(v);
		memcpy(buf, v, n);
		return n;
	}
	n = below(s, kind == 9 ? max : 40);
	for (size_t i = 0; i < n; i++) {
		if (kind == 6)
			buf[i] = (unsigned char)next_random(s);
		else if (kind == 7)
			buf[i] = (unsigned char)" \n\ta#:-'\"\\|>&*!%@`{}[],?=<"[below(s, 27)];
		else
			buf[i] = (unsigned char)(' ' + below(s, 95));
	}
	return n;
}

static inline struct sv_meta random_meta(uint64_t *s)
{
	static const char *const texts[] = { "", "", "plain", "yes", "a: b # c", "two\nlines", "\xc3\xa4", "0755" };
	struct sv_meta m;

	memset(&m, 0, sizeof(m));
#define TEXT()                                      \
	(struct sv_text)                            \
	{                                           \
		texts[below(s, SV_COUNT(texts))], 0 \
	}
	struct sv_text *fields[] = { &m.var, &m.desc, &m.owner, &m.url, &m.type };

	for (size_t i = 0; i < SV_COUNT(fields); i++) {
		*fields[i] = TEXT();
		fields[i]->n = strlen(fields[i]->p);
	}
#undef TEXT
	for (m.n_tags = 0; m.n_tags < below(s, 4); m.n_tags++) {
		const char *t = texts[2 + below(s, 6)];

		m.tags[m.n_tags] = (struct sv_text){ t, strlen(t) };
	}
	if (below(s, 2) == 0)
		m.scopes[m.n_scopes++] = (struct sv_text){ "read, write", 11 };
	if (below(s, 2) == 0)
		m.expires_s = (int64_t)below(s, 4000000000u);
	if (below(s, 2) == 0)
		m.rotate_s = 1 + (int64_t)below(s, 90 * 86400);
	return m;
}

static inline void random_tree(uint64_t seed, size_t max, bool with_meta, struct sv_tree *t)
{
	uint64_t s = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	size_t n = below(&s, max);
	static unsigned char value[3000];
	char name[600];

	for (size_t i = 0; i < n; i++) {
		struct sv_text nm = random_name(&s, name);
		size_t len = random_value(&s, value, sizeof(value));
		struct sv_meta m = random_meta(&s);
		bool twice = false;

		if (sv_name_check(nm.p, nm.n, NULL) != SV_OK)
			continue;
		for (size_t j = 0; j < t->n && !twice; j++)
			twice = sv_text_same(t->items[j].name, nm);
		if (!twice)
			assert_int_equal(sv_tree_add(t, nm, value, len, with_meta ? &m : NULL, NULL, NULL), SV_OK);
	}
	sv_tree_sort(t);
	sv_tree_mark(t, random_key);
}

static inline void trees_same(const struct sv_tree *a, const struct sv_tree *b, bool with_meta)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		const struct sv_item *x = &a->items[i], *y = &b->items[i];

		assert_true(sv_text_same(x->name, y->name));
		assert_int_equal(x->value_len, y->value_len);
		assert_memory_equal(x->value, y->value, x->value_len);
		if (with_meta)
			assert_true(sv_meta_equal(x->meta, y->meta));
	}
}

#endif
