/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents: what is written reads as the same tree, and looks as it should.
 */
#include "cli/edit/doc.h"
#include "tests/unit/edit_random.h"

#include <stdlib.h>

static void round_trip(const struct sv_doc_style *style, uint64_t seed, bool with_meta)
{
	struct sv_tree before = SV_TREE_INIT, after = SV_TREE_INIT;
	struct sv_buf text = SV_BUF_INIT;
	struct sv_doc_place where;
	struct sv_err err = SV_ERR_INIT;

	random_tree(seed, 60, with_meta, &before);
	assert_int_equal(sv_doc_write(style, &before, &text, &err), SV_OK);
	if (sv_doc_read(style, text.data, text.len, &after, &where, &err) != SV_OK)
		fail_msg("seed %llu: line %zu column %zu: %s\n%.*s", (unsigned long long)seed, where.at.line,
			 where.at.column, err.msg, (int)text.len, text.data != NULL ? (const char *)text.data : "");
	trees_same(&before, &after, with_meta);
	sv_buf_clear(&text);
	sv_tree_clear(&before);
	sv_tree_clear(&after);
}

static unsigned long rounds(void)
{
	const char *n = getenv("SV_TEST_ROUNDS");

	return n != NULL ? strtoul(n, NULL, 10) : 400;
}

static void random_trees_survive_each_format(void **state)
{
	static const struct sv_doc_style styles[] = { { .format = SV_DOC_YAML },
						      { .format = SV_DOC_ENV },
						      { .format = SV_DOC_JSON } };

	(void)state;
	for (size_t f = 0; f < SV_COUNT(styles); f++)
		for (uint64_t seed = 1; seed <= rounds(); seed++)
			round_trip(&styles[f], seed, false);
}

static void random_trees_survive_with_their_metadata(void **state)
{
	static const struct sv_doc_style styles[] = { { .format = SV_DOC_YAML, .full = true },
						      { .format = SV_DOC_JSON, .full = true } };

	(void)state;
	for (size_t f = 0; f < SV_COUNT(styles); f++)
		for (uint64_t seed = 1; seed <= rounds(); seed++)
			round_trip(&styles[f], seed, true);
}

/* Inherited items and ghosts are comments: reading gives the rest. */
static void commented_items_are_not_read(void **state)
{
	static const enum sv_doc_format formats[] = { SV_DOC_YAML, SV_DOC_ENV, SV_DOC_JSON };

	(void)state;
	for (size_t f = 0; f < SV_COUNT(formats); f++) {
		for (uint64_t seed = 1; seed <= rounds(); seed++) {
			struct sv_doc_style style = { .format = formats[f],
						      .full = seed % 2 == 0 && formats[f] != SV_DOC_ENV };
			struct sv_tree all = SV_TREE_INIT, own = SV_TREE_INIT, after = SV_TREE_INIT;
			struct sv_buf text = SV_BUF_INIT;
			struct sv_doc_place where;
			struct sv_err err = SV_ERR_INIT;
			uint64_t s = seed + 77;

			random_tree(seed, 40, true, &all);
			for (size_t i = 0; i < all.n; i++) {
				all.items[i].inherited = below(&s, 2) == 0;
				all.items[i].conflict = false;
				if (!all.items[i].inherited)
					assert_int_equal(sv_tree_copy(&own, &all.items[i], NULL, NULL), SV_OK);
			}
			assert_int_equal(sv_doc_write(&style, &all, &text, &err), SV_OK);
			if (sv_doc_read(&style, text.data, text.len, &after, &where, &err) != SV_OK)
				fail_msg("seed %llu: line %zu: %s\n%.*s", (unsigned long long)seed, where.at.line,
					 err.msg, (int)text.len, (const char *)text.data);
			trees_same(&own, &after, style.full);
			sv_buf_clear(&text);
			sv_tree_clear(&all);
			sv_tree_clear(&own);
			sv_tree_clear(&after);
		}
	}
}

static void add(struct sv_tree *t, const char *name, const char *value)
{
	assert_int_equal(sv_tree_add(t, (struct sv_text){ name, strlen(name) }, (const unsigned char *)value,
				     strlen(value), NULL, NULL, NULL),
			 SV_OK);
}

static void writes(struct sv_tree *t, const struct sv_doc_style *style, const char *wanted)
{
	struct sv_buf text = SV_BUF_INIT;

	sv_tree_sort(t);
	assert_int_equal(sv_doc_write(style, t, &text, NULL), SV_OK);
	assert_int_equal(sv_buf_put(&text, "", 1), SV_OK);
	assert_string_equal((const char *)text.data, wanted);
	sv_buf_clear(&text);
	sv_tree_clear(t);
}

static void yaml_looks_as_people_write_it(void **state)
{
	const struct sv_doc_style style = { .format = SV_DOC_YAML };
	struct sv_tree t = SV_TREE_INIT;

	(void)state;
	add(&t, "NPM_TOKEN", "npm_abc");
	add(&t, "mysql/root", "0755");
	add(&t, "mysql/key", "-----BEGIN\nx\n-----END\n");
	add(&t, "no-newline", "a\nb");
	add(&t, "two-newlines", "a\n\n");
	add(&t, "indented", "  a\nb\n");
	add(&t, "yes", "no");
	add(&t, "empty", "");
	writes(&t, &style,
	       "NPM_TOKEN: npm_abc\nempty: ''\nindented: |2\n    a\n  b\nmysql:\n  key: |\n    -----BEGIN\n    x\n    "
	       "-----END\n"
	       "  root: '0755'\nno-newline: |-\n  a\n  b\ntwo-newlines: |+\n  a\n\n'yes': 'no'\n");
}

static void a_secret_that_is_a_group_keeps_flat_keys_beside_it(void **state)
{
	const struct sv_doc_style style = { .format = SV_DOC_YAML };
	struct sv_tree t = SV_TREE_INIT;

	(void)state;
	add(&t, "a", "1");
	add(&t, "a/b", "2");
	add(&t, "a/c/d", "3");
	add(&t, "a/c/e", "4");
	writes(&t, &style, "a: '1'\na/b: '2'\na/c:\n  d: '3'\n  e: '4'\n");
}

static void a_group_with_a_secret_called_value_is_told_from_a_secret(void **state)
{
	const struct sv_doc_style style = { .format = SV_DOC_YAML, .full = true };
	struct sv_tree t = SV_TREE_INIT;

	(void)state;
	add(&t, "g/value", "1");
	add(&t, "s", "2");
	writes(&t, &style, "g:\n  value:\n    value: '1'\ns:\n  value: '2'\n");
}

static void values_can_be_masked(void **state)
{
	const struct sv_doc_style style = { .format = SV_DOC_YAML, .masked = true };
	struct sv_tree t = SV_TREE_INIT;

	(void)state;
	add(&t, "a", "one\ntwo\n");
	add(&t, "b/c", "\xff");
	writes(&t, &style, "a: '********'\nb:\n  c: '********'\n");
}

static void inherited_values_are_comments_with_a_note(void **state)
{
	const struct sv_doc_style style = { .format = SV_DOC_YAML };
	struct sv_tree t = SV_TREE_INIT;

	(void)state;
	add(&t, "own", "1");
	add(&t, "g/x", "a\nb\n");
	add(&t, "h/own", "2");
	add(&t, "h/theirs", "3");
	t.items[1].inherited = t.items[3].inherited = true;
	writes(&t, &style,
	       "# g:\n#   x: |  # inherited from default\n#     a\n#     b\nh:\n  own: '2'\n#   theirs: '3'  # "
	       "inherited from default\nown: '1'\n");
}

static void conflicts_show_both_sides(void **state)
{
	const struct sv_doc_style style = { .format = SV_DOC_YAML };
	struct sv_tree t = SV_TREE_INIT;

	(void)state;
	add(&t, "k", "mine");
	add(&t, "k", "theirs");
	t.items[0].conflict = true;
	t.items[1].ghost = true;
	writes(&t, &style,
	       "#:sv: conflict: changed here and in the vault; settle it, then delete this line\nk: mine\n# k: theirs  "
	       "# in the vault now\n");
}

struct reading {
	const char *text, *name, *value;
};

static void reads(const struct sv_doc_style *style, const struct reading *r)
{
	struct sv_tree t = SV_TREE_INIT;
	struct sv_err err = SV_ERR_INIT;
	const struct sv_item *it;

	if (sv_doc_read(style, (const unsigned char *)r->text, strlen(r->text), &t, NULL, &err) != SV_OK)
		fail_msg("%s: %s", r->text, err.msg);
	it = sv_tree_find(&t, (struct sv_text){ r->name, strlen(r->name) });
	if (it == NULL)
		fail_msg("%s: no %s", r->text, r->name);
	assert_int_equal(it->value_len, strlen(r->value));
	assert_memory_equal(it->value, r->value, it->value_len);
	sv_tree_clear(&t);
}

static void scalars_are_the_text_that_was_typed(void **state)
{
	static const struct reading yaml[] = {
		{ "a: 0755", "a", "0755" },
		{ "a: yes", "a", "yes" },
		{ "a: 1.0", "a", "1.0" },
		{ "a: null", "a", "null" },
		{ "a: ~", "a", "~" },
		{ "a: 2001-01-01", "a", "2001-01-01" },
		{ "a: !!str 12", "a", "12" },
		{ "a: ! 12", "a", "12" },
		{ "8080: x", "8080", "x" },
		{ "a: {b: c, d: e}", "a/b", "c" },
		{ "a/b: c", "a/b", "c" },
		{ "{\"a\": \"b\"}", "a", "b" },
		{ "a: ''", "a", "" },
		{ "a: !!binary aGk=", "a", "hi" },
		{ "? a\n: b", "a", "b" },
		{ "'<<': x", "<<", "x" },
		{ "%YAML 1.1\n---\na: b\n", "a", "b" },
		{ "a: !!binary |\n  aG\n  k=\n", "a", "hi" },
	};
	static const struct reading env[] = {
		{ "A=b", "A", "b" },         { "export A=b c ", "A", "b c" },
		{ "A='b\nc'", "A", "b\nc" }, { "A=\"b\\nc\"", "A", "b\nc" },
		{ "a/b=x#y", "a/b", "x#y" }, { " A = b ", "A", "b" },
		{ "A='b' # c", "A", "b" },   { "\"A B\"='x'", "A B", "x" },
		{ "A=a=b", "A", "a=b" },     { "# c\n\nA=\"\\$x\"", "A", "$x" },
	};
	static const struct reading json[] = {
		{ "{\"a\": 0.10}", "a", "0.10" },
		{ "{\"a\": true}", "a", "true" },
		{ "{\"a\":\"\\u00e4\\ud83d\\udd11\"}", "a", "\xc3\xa4\xf0\x9f\x94\x91" },
		{ "{\"a\":{\"!!binary\":\"aGk=\"}}", "a", "hi" },
		{ "# c\n{\"a\": \"#\"}\n", "a", "#" },
		{ "{\"a\": -1e9}", "a", "-1e9" },
	};
	const struct sv_doc_style y = { .format = SV_DOC_YAML }, e = { .format = SV_DOC_ENV },
				  j = { .format = SV_DOC_JSON };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(yaml); i++)
		reads(&y, &yaml[i]);
	for (size_t i = 0; i < SV_COUNT(env); i++)
		reads(&e, &env[i]);
	for (size_t i = 0; i < SV_COUNT(json); i++)
		reads(&j, &json[i]);
}

static void imports_flatten_lists_and_pass_over_empty_keys(void **state)
{
	const struct sv_doc_style style = { .format = SV_DOC_YAML, .flatten = true, .skip_empty = true };
	static const char text[] = "a: [x, {b: y}, [z]]\nnone:\nlast: w\n";
	static const struct reading r[] = {
		{ text, "a/0", "x" }, { text, "a/1/b", "y" }, { text, "a/2/0", "z" }, { text, "last", "w" }
	};
	struct sv_tree t = SV_TREE_INIT;
	struct sv_doc_place where;

	(void)state;
	for (size_t i = 0; i < SV_COUNT(r); i++)
		reads(&style, &r[i]);
	assert_int_equal(sv_doc_read(&style, (const unsigned char *)text, strlen(text), &t, &where, NULL), SV_OK);
	assert_int_equal(where.skipped, 1);
	assert_int_equal(where.first_skipped.line, 2);
	sv_tree_clear(&t);
}

static void an_empty_text_is_an_empty_tree(void **state)
{
	static const char *const texts[] = { "", "\n", "# only\n# comments\n", "{}", "---\n", "a: {}\n" };
	const struct sv_doc_style style = { .format = SV_DOC_YAML };

	(void)state;
	for (size_t i = 0; i < SV_COUNT(texts); i++) {
		struct sv_tree t = SV_TREE_INIT;

		assert_int_equal(sv_doc_read(&style, (const unsigned char *)texts[i], strlen(texts[i]), &t, NULL, NULL),
				 SV_OK);
		assert_int_equal(t.n, 0);
		sv_tree_clear(&t);
	}
}

static void a_value_of_1_mib_survives(void **state)
{
	unsigned char *big = malloc(SV_VALUE_MAX);

	(void)state;
	assert_non_null(big);
	for (int f = SV_DOC_YAML; f <= SV_DOC_JSON; f++) {
		for (int kind = 0; kind < 3; kind++) {
			const struct sv_doc_style style = { .format = (enum sv_doc_format)f };
			struct sv_tree t = SV_TREE_INIT, back = SV_TREE_INIT;
			struct sv_buf text = SV_BUF_INIT;
			uint64_t s = 5;

			for (size_t i = 0; i < SV_VALUE_MAX; i++)
				big[i] = kind == 0   ? 'x'
					 : kind == 1 ? (unsigned char)(i % 70 == 69 ? '\n' : 'y')
						     : (unsigned char)next_random(&s);
			assert_int_equal(
				sv_tree_add(&t, (struct sv_text){ "big", 3 }, big, SV_VALUE_MAX, NULL, NULL, NULL),
				SV_OK);
			assert_int_equal(sv_doc_write(&style, &t, &text, NULL), SV_OK);
			assert_int_equal(sv_doc_read(&style, text.data, text.len, &back, NULL, NULL), SV_OK);
			trees_same(&t, &back, false);
			sv_buf_clear(&text);
			sv_tree_clear(&t);
			sv_tree_clear(&back);
		}
	}
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_trees_survive_each_format),
		cmocka_unit_test(random_trees_survive_with_their_metadata),
		cmocka_unit_test(commented_items_are_not_read),
		cmocka_unit_test(yaml_looks_as_people_write_it),
		cmocka_unit_test(a_secret_that_is_a_group_keeps_flat_keys_beside_it),
		cmocka_unit_test(a_group_with_a_secret_called_value_is_told_from_a_secret),
		cmocka_unit_test(values_can_be_masked),
		cmocka_unit_test(inherited_values_are_comments_with_a_note),
		cmocka_unit_test(conflicts_show_both_sides),
		cmocka_unit_test(scalars_are_the_text_that_was_typed),
		cmocka_unit_test(imports_flatten_lists_and_pass_over_empty_keys),
		cmocka_unit_test(an_empty_text_is_an_empty_tree),
		cmocka_unit_test(a_value_of_1_mib_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
