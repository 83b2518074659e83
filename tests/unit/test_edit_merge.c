/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Differences and three-way merges: cases in a table, laws over random trees.
 */
#include "cli/edit/merge.h"
#include "tests/unit/edit_random.h"

#include <stdlib.h>

/* "name=value name=value": a tree; a value of "-" is inherited from elsewhere. */
static void make(const char *text, struct sv_tree *t)
{
	while (*text != '\0') {
		size_t word = strcspn(text, " "), name = strcspn(text, "=");
		struct sv_item *it;

		assert_int_equal(sv_tree_add(t, (struct sv_text){ text, name }, (const unsigned char *)text + name + 1,
					     word - name - 1, NULL, &it, NULL),
				 SV_OK);
		it->place.line = 1;
		text += word + (text[word] == ' ');
	}
	sv_tree_sort(t);
	sv_tree_mark(t, random_key);
}

static void show(const struct sv_tree *t, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < t->n; i++) {
		const struct sv_item *it = &t->items[i];

		n += (size_t)snprintf(out + n, size - n, "%s%s%s%.*s=%.*s", i > 0 ? " " : "", it->conflict ? "!" : "",
				      it->ghost ? "~" : "", (int)it->name.n, it->name.p, (int)it->value_len,
				      it->value != NULL ? (const char *)it->value : "");
	}
}

static void merges_by_secret(void **state)
{
	static const struct {
		const char *base, *theirs, *mine, *result;
		size_t conflicts;
	} table[] = {
		{ "a=1", "a=1", "a=1", "a=1", 0 },
		{ "a=1", "a=1", "a=2", "a=2", 0 },
		{ "a=1", "a=2", "a=1", "a=2", 0 },
		{ "a=1", "a=2", "a=2", "a=2", 0 },
		{ "a=1", "a=2", "a=3", "!a=3 ~a=2", 1 },
		{ "a=1 b=1x", "b=1x", "a=1 b=2", "b=2", 0 },
		{ "a=1", "", "a=2", "!a=2", 1 },
		{ "a=1", "a=2", "", "!~a=2", 1 },
		{ "a=1", "", "", "", 0 },
		{ "", "a=1", "b=2", "a=1 b=2", 0 },
		{ "", "a=1", "a=1", "a=1", 0 },
		{ "", "a=1", "a=2", "!a=2 ~a=1", 1 },
		/* renames */
		{ "a=one", "a=one", "b=one", "b=one", 0 },
		{ "a=one", "a=two", "b=one", "b=two", 0 },
		{ "a=one", "b=one", "a=two", "b=two", 0 },
		{ "a=one", "b=one", "b=one", "b=one", 0 },
		{ "a=one", "b=one", "c=one", "~b=one !c=one", 1 },
		{ "a=one", "a=one b=two", "b=one", "!b=one ~b=two", 1 },
		{ "g/x=1 g/y=1", "g/x=1 g/y=1", "h/x=1 h/y=1", "h/x=1 h/y=1", 0 },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(table); i++) {
		struct sv_tree b = SV_TREE_INIT, t = SV_TREE_INIT, m = SV_TREE_INIT, out = SV_TREE_INIT;
		size_t conflicts = 99;
		char text[256];

		make(table[i].base, &b);
		make(table[i].theirs, &t);
		make(table[i].mine, &m);
		assert_int_equal(sv_merge(&b, &t, &m, &out, &conflicts, NULL), SV_OK);
		show(&out, text, sizeof(text));
		assert_string_equal(text, table[i].result);
		assert_int_equal(conflicts, table[i].conflicts);
		sv_tree_clear(&b);
		sv_tree_clear(&t);
		sv_tree_clear(&m);
		sv_tree_clear(&out);
	}
}

static void differences_are_named(void **state)
{
	static const struct {
		const char *old, *now;
		size_t added, removed, renamed, changed, kept;
	} table[] = {
		{ "", "", 0, 0, 0, 0, 0 },
		{ "a=1", "a=1", 0, 0, 0, 0, 1 },
		{ "a=1", "a=2", 0, 0, 0, 1, 1 },
		{ "a=1", "b=1", 0, 0, 1, 0, 1 },
		{ "a=1", "b=2", 1, 1, 0, 0, 0 },
		{ "a=", "b=", 1, 1, 0, 0, 0 },
		{ "a=1 b=2", "a=2 b=1", 0, 0, 0, 2, 2 },
		{ "a=1 b=2", "b=1 c=2", 1, 1, 0, 1, 1 },
		{ "g/x=1 g/y=1 z=3", "h/y=1 h/x=1 z=3", 0, 0, 2, 0, 3 },
	};

	(void)state;
	for (size_t i = 0; i < SV_COUNT(table); i++) {
		struct sv_tree a = SV_TREE_INIT, b = SV_TREE_INIT;
		struct sv_diff d;

		make(table[i].old, &a);
		make(table[i].now, &b);
		assert_int_equal(sv_diff_make(&a, &b, &d, NULL), SV_OK);
		assert_int_equal(d.added, table[i].added);
		assert_int_equal(d.removed, table[i].removed);
		assert_int_equal(d.renamed, table[i].renamed);
		assert_int_equal(d.changed, table[i].changed);
		assert_int_equal(d.kept, table[i].kept);
		for (size_t j = 0; j < d.n; j++)
			if ((d.v[j].what & SV_DELTA_RENAMED) != 0 && d.v[j].from->name.n > 2)
				assert_int_equal(d.v[j].from->name.p[2], d.v[j].to->name.p[2]);
		sv_diff_clear(&d);
		sv_tree_clear(&a);
		sv_tree_clear(&b);
	}
}

/* A tree made from another by random changes. */
static void mutate(const struct sv_tree *from, uint64_t *s, struct sv_tree *t)
{
	unsigned char value[64];
	char name[600];

	for (size_t i = 0; i < from->n; i++) {
		struct sv_item it = from->items[i];
		size_t what = below(s, 10);

		if (what == 0)
			continue;
		if (what == 1) {
			it.value_len = random_value(s, value, sizeof(value));
			it.value = value;
		}
		if (what == 2)
			it.name = random_name(s, name);
		if (sv_name_check(it.name.p, it.name.n, NULL) != SV_OK || sv_tree_copy(t, &it, NULL, NULL) != SV_OK)
			continue;
	}
	for (size_t i = below(s, 5); i > 0; i--) {
		struct sv_text n = random_name(s, name);
		size_t len = random_value(s, value, sizeof(value));

		if (sv_name_check(n.p, n.n, NULL) == SV_OK)
			assert_int_equal(sv_tree_add(t, n, value, len, NULL, NULL, NULL), SV_OK);
	}
	sv_tree_sort(t);
	for (size_t i = 1; i < t->n;) {
		if (!sv_text_same(t->items[i - 1].name, t->items[i].name)) {
			i++;
			continue;
		}
		memmove(&t->items[i], &t->items[i + 1], (t->n - i - 1) * sizeof(t->items[0]));
		t->n--;
	}
	sv_tree_mark(t, random_key);
}

static void same_trees(const struct sv_tree *a, const struct sv_tree *b)
{
	struct sv_diff d;

	assert_int_equal(sv_diff_make(a, b, &d, NULL), SV_OK);
	assert_int_equal(d.n, 0);
	assert_int_equal(a->n, b->n);
	sv_diff_clear(&d);
}

static void laws_of_merging(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct sv_tree b = SV_TREE_INIT, x = SV_TREE_INIT, y = SV_TREE_INIT, out = SV_TREE_INIT,
			       other = SV_TREE_INIT;
		uint64_t s = seed * 7919;
		size_t n, m;

		random_tree(seed, 40, false, &b);
		mutate(&b, &s, &x);
		mutate(&b, &s, &y);
		/* nobody else changed anything: mine */
		assert_int_equal(sv_merge(&b, &b, &x, &out, &n, NULL), SV_OK);
		assert_int_equal(n, 0);
		same_trees(&out, &x);
		sv_tree_clear(&out);
		/* I changed nothing: theirs */
		assert_int_equal(sv_merge(&b, &x, &b, &out, &n, NULL), SV_OK);
		assert_int_equal(n, 0);
		same_trees(&out, &x);
		sv_tree_clear(&out);
		/* both did the same */
		assert_int_equal(sv_merge(&b, &x, &x, &out, &n, NULL), SV_OK);
		assert_int_equal(n, 0);
		same_trees(&out, &x);
		sv_tree_clear(&out);
		/* who is who makes no difference when there is no conflict */
		assert_int_equal(sv_merge(&b, &x, &y, &out, &n, NULL), SV_OK);
		assert_int_equal(sv_merge(&b, &y, &x, &other, &m, NULL), SV_OK);
		assert_int_equal(n == 0, m == 0);
		if (n == 0)
			same_trees(&out, &other);
		sv_tree_clear(&out);
		sv_tree_clear(&other);
		sv_tree_clear(&b);
		sv_tree_clear(&x);
		sv_tree_clear(&y);
	}
}

static void inherited_values_left_alone_say_nothing(void **state)
{
	struct sv_tree present = SV_TREE_INIT, doc = SV_TREE_INIT;
	struct sv_diff d;

	(void)state;
	make("a=1 b=2 own=3", &present);
	present.items[0].inherited = present.items[1].inherited = true;
	/* a uncommented as it was, b changed */
	make("a=1 b=5 own=3", &doc);
	sv_merge_drop_inherited(&present, &doc);
	assert_int_equal(sv_diff_make(&present, &doc, &d, NULL), SV_OK);
	assert_int_equal(d.n, 1);
	assert_int_equal(d.v[0].what, SV_DELTA_ADDED);
	assert_int_equal(d.v[0].to->name.p[0], 'b');
	assert_true(d.v[0].to->has_meta);
	sv_diff_clear(&d);
	sv_tree_clear(&present);
	sv_tree_clear(&doc);
}

static void many_equal_values_are_paired_quickly(void **state)
{
	struct sv_tree a = SV_TREE_INIT, b = SV_TREE_INIT;
	struct sv_diff d;
	char name[32];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int n = snprintf(name, sizeof(name), "%c%d", 'a', i);

		assert_int_equal(sv_tree_add(&a, (struct sv_text){ name, (size_t)n }, (const unsigned char *)"x", 1,
					     NULL, NULL, NULL),
				 SV_OK);
		name[0] = 'b';
		assert_int_equal(sv_tree_add(&b, (struct sv_text){ name, (size_t)n }, (const unsigned char *)"x", 1,
					     NULL, NULL, NULL),
				 SV_OK);
	}
	sv_tree_sort(&a);
	sv_tree_sort(&b);
	sv_tree_mark(&a, random_key);
	sv_tree_mark(&b, random_key);
	assert_int_equal(sv_diff_make(&a, &b, &d, NULL), SV_OK);
	assert_int_equal(d.renamed, 20000);
	sv_diff_clear(&d);
	sv_tree_clear(&a);
	sv_tree_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges_by_secret),
		cmocka_unit_test(differences_are_named),
		cmocka_unit_test(laws_of_merging),
		cmocka_unit_test(inherited_values_left_alone_say_nothing),
		cmocka_unit_test(many_equal_values_are_paired_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
