/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifest: what is read, what is refused and where, profiles, extends, and the way up to it.
 */
#include "tests/support/sv_test.h"

#include "cli/project/manifest.h"
#include "cli/project/root.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char full[] = "version: 1\n"
			   "environment: dev\n"
			   "mask: auto\n"
			   "secrets:\n"
			   "  NPM_TOKEN:\n"
			   "  GITHUB_PAT: github/personal_access_token\n"
			   "  TF_VAR_pat: { ref: 'sv://rc/github/flux', required: false }\n"
			   "  LOG_LEVEL: { default: info }\n"
			   "  EDITOR_TOKEN: { ref: editor, shell: true, optional: true }\n"
			   "groups: [mysql, deep/er/]\n"
			   "files:\n"
			   "  KEYFILE: gcp/service-account.json\n"
			   "  KUBECONFIG: { ref: kube, as: path }\n"
			   "at_least_one: [[NPM_TOKEN, GITHUB_PAT]]\n"
			   "profiles:\n"
			   "  deploy:\n"
			   "    environment: production\n"
			   "    secrets: { GITHUB_PAT: github/deploy, EXTRA: extra }\n"
			   "  alone: { inherit: false, secrets: { ONLY: x } }\n";

static const struct sv_manifest_entry *entry(const struct sv_manifest_part *p, const char *var)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].var != NULL && strcmp(p->v[i].var, var) == 0)
			return &p->v[i];
	return NULL;
}

static void everything_that_may_be_said_is_read(void **state)
{
	struct sv_manifest m = SV_MANIFEST_INIT;
	struct sv_manifest_part p;
	struct sv_err err = SV_ERR_INIT;
	const char *extends;

	(void)state;
	assert_int_equal(sv_manifest_parse(&m, "m", full, sizeof(full) - 1, &extends, &err), SV_OK);
	assert_null(extends);
	assert_int_equal(sv_manifest_choose(&m, NULL, &p, &err), SV_OK);
	assert_string_equal(p.environment, "dev");
	assert_int_equal(p.mask, SV_MASK_AUTO);
	assert_int_equal(p.n, 9);
	assert_string_equal(entry(&p, "NPM_TOKEN")->name, "NPM_TOKEN");
	assert_true(entry(&p, "NPM_TOKEN")->optional); /* in a presence group */
	assert_int_equal(entry(&p, "GITHUB_PAT")->line, 6);
	assert_int_equal(entry(&p, "GITHUB_PAT")->col, 3);
	assert_string_equal(entry(&p, "TF_VAR_pat")->env, "rc");
	assert_string_equal(entry(&p, "TF_VAR_pat")->name, "github/flux");
	assert_true(entry(&p, "TF_VAR_pat")->optional);
	assert_string_equal(entry(&p, "LOG_LEVEL")->default_text, "info");
	assert_true(entry(&p, "EDITOR_TOKEN")->shell);
	assert_int_equal(entry(&p, "KEYFILE")->as, SV_AS_MEMORY);
	assert_int_equal(entry(&p, "KUBECONFIG")->as, SV_AS_PATH);
	assert_false(entry(&p, "KUBECONFIG")->optional);
	assert_string_equal(p.v[p.n - 1].name, "deep/er/");
	assert_int_equal(p.n_presence, 1);

	assert_int_equal(sv_manifest_choose(&m, "deploy", &p, &err), SV_OK);
	assert_string_equal(p.environment, "production");
	assert_string_equal(entry(&p, "GITHUB_PAT")->name, "github/deploy");
	assert_non_null(entry(&p, "EXTRA"));
	assert_non_null(entry(&p, "KEYFILE"));
	assert_int_equal(sv_manifest_choose(&m, "alone", &p, &err), SV_OK);
	assert_int_equal(p.n, 1);
	assert_int_equal(sv_manifest_choose(&m, "nope", &p, &err), SV_ERR_USAGE);
	assert_non_null(strstr(err.msg, "deploy, alone"));
	sv_manifest_clear(&m);
}

static void mistakes_are_refused_with_line_and_column(void **state)
{
	static const struct {
		const char *text, *where;
	} rows[] = {
		{ "", "line 1, column 1" },
		{ "secrets:\n", "version: 1 is missing" },
		{ "version: 2\n", "line 1, column 10" },
		{ "version: '1'\n", "line 1, column 10" },
		{ "version: 1\nsecret:\n", "m: line 2, column 1: the key secret is not known" },
		{ "version: 1\nsecrets:\n  A: b\n  A: c\n", "line 4, column 3: this key is there twice" },
		{ "version: 1\nsecrets: &x {}\n", "line 2, column 10: anchors" },
		{ "version: 1\nsecrets: *x\n", "line 2, column 10" },
		{ "version: 1\nsecrets: !!map {}\n", "line 2, column 10: tags" },
		{ "version: 1\nsecrets: [A]\n", "line 2, column 10: secrets must be a mapping" },
		{ "version: 1\nsecrets:\n  A-B: c\n", "line 3, column 3" },
		{ "version: 1\nsecrets:\n  A: ../b\n", "line 3, column 6" },
		{ "version: 1\nsecrets:\n  A: sv://rc\n", "line 3, column 6" },
		{ "version: 1\nsecrets:\n  A: { reff: b }\n", "line 3, column 8: the key reff is not known" },
		{ "version: 1\nsecrets:\n  A: { required: perhaps }\n", "line 3, column 18" },
		{ "version: 1\nsecrets:\n  A: { required: true, optional: true }\n", "line 3, column 6" },
		{ "version: 1\nsecrets:\n  A: { required: true, default: x }\n", "line 3, column 33" },
		{ "version: 1\nfiles:\n  A:\n", "line 3, column 3: a file needs the name" },
		{ "version: 1\nfiles:\n  A: { ref: b, as: disk }\n", "line 3, column 20" },
		{ "version: 1\nsecrets: { A: b }\nfiles: { A: c }\n",
		  "line 3, column 10: this variable is there twice" },
		{ "version: 1\ngroups: [ /x ]\n", "line 2, column 11" },
		{ "version: 1\nat_least_one: [[A]]\n", "line 2, column 16: a group of variables has two" },
		{ "version: 1\nextends: /etc/passwd\n", "line 2, column 10: extends must be a relative path" },
		{ "version: 1\nprofiles: { a: { extends: x } }\n", "line 2, column 18: the key extends is not known" },
		{ "version: 1\nenvironment: 'a b'\n", "line 2, column 14" },
		{ "version: 1\n---\nversion: 1\n", "second document" },
		{ "version: 1\nsecrets: {\n", "line 3" },
		{ "version: 1\nsecrets:\n\tA: b\n", "line 3, column 1" },
		{ "version: 1\nsecrets:\n  \"\\e[31m\": b\n", "line 3, column 3" },
		{ "version: 1\n\xff\n", "line" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sv_manifest m = SV_MANIFEST_INIT;
		struct sv_err err = SV_ERR_INIT;
		const char *extends;

		if (sv_manifest_parse(&m, "m", rows[i].text, strlen(rows[i].text), &extends, &err) != SV_ERR_FAIL ||
		    strstr(err.msg, rows[i].where) == NULL)
			fail_msg("row %zu: \"%s\" is not about %s", i, err.msg, rows[i].where);
		sv_manifest_clear(&m);
	}
}

static void a_group_of_unknown_variables_is_refused(void **state)
{
	static const char text[] = "version: 1\nsecrets: { A: }\nexactly_one: [[A, B]]\n";
	struct sv_manifest m = SV_MANIFEST_INIT;
	struct sv_manifest_part p;
	struct sv_err err = SV_ERR_INIT;
	const char *extends;

	(void)state;
	assert_int_equal(sv_manifest_parse(&m, "m", text, strlen(text), &extends, &err), SV_OK);
	assert_int_equal(sv_manifest_choose(&m, NULL, &p, &err), SV_ERR_FAIL);
	assert_non_null(strstr(err.msg, "line 3"));
	sv_manifest_clear(&m);
}

static void every_truncation_and_changed_byte_ends_well(void **state)
{
	char copy[sizeof(full)];
	const char *extends;

	(void)state;
	for (size_t n = 0; n < sizeof(full); n++) {
		struct sv_manifest m = SV_MANIFEST_INIT;

		(void)!sv_manifest_parse(&m, "m", full, n, &extends, NULL);
		sv_manifest_clear(&m);
	}
	for (size_t i = 0; i < sizeof(full) - 1; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct sv_manifest m = SV_MANIFEST_INIT;

			memcpy(copy, full, sizeof(full));
			copy[i] = (char)(copy[i] ^ (1 << bit));
			(void)!sv_manifest_parse(&m, "m", copy, sizeof(full) - 1, &extends, NULL);
			sv_manifest_clear(&m);
		}
}

static void shell(const char *fmt, const char *dir)
{
	char command[4096];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(command, sizeof(command), fmt, dir);
#pragma GCC diagnostic pop
	assert_int_equal(system(command), 0);
}

static enum sv_code load(const char *dir, struct sv_manifest *m, struct sv_err *err)
{
	struct sv_root r;
	enum sv_code rc;

	assert_int_equal(sv_root_find(&r, dir, "/nonexistent", err), SV_OK);
	rc = sv_manifest_load(m, r.level[0].fd, r.level[0].path, err);
	sv_root_clear(&r);
	return rc;
}

static void extended_files_lose_and_circles_are_refused(void **state)
{
	char dir[] = "/tmp/svm.XXXXXX";
	char sub[64];
	struct sv_manifest m = SV_MANIFEST_INIT;
	struct sv_manifest_part p;
	struct sv_err err = SV_ERR_INIT;

	if (getenv("SV_UNDER_VALGRIND") != NULL)
		skip(); /* it has no openat2(2) */
	(void)state;
	assert_non_null(mkdtemp(dir));
	shell("cd %s && mkdir sub circle gone && printf 'version: 1\\nenvironment: base\\nsecrets: {A: base/a, B: "
	      "base/b}\\n' >.sv.yaml && "
	      "printf 'version: 1\\nextends: ../.sv.yaml\\nsecrets: {A: own/a}\\n' >sub/.sv.yaml && "
	      "printf 'version: 1\\nextends: ../circle/.sv.yaml\\n' >circle/.sv.yaml && "
	      "printf 'version: 1\\nextends: ../none.yaml\\n' >gone/.sv.yaml",
	      dir);
	(void)snprintf(sub, sizeof(sub), "%s/sub", dir);
	assert_int_equal(load(sub, &m, &err), SV_OK);
	assert_int_equal(sv_manifest_choose(&m, NULL, &p, &err), SV_OK);
	assert_string_equal(entry(&p, "A")->name, "own/a");
	assert_string_equal(entry(&p, "B")->name, "base/b");
	assert_string_equal(p.environment, "base");
	assert_int_equal(m.n_sources, 2);
	sv_manifest_clear(&m);
	(void)snprintf(sub, sizeof(sub), "%s/circle", dir);
	assert_int_equal(load(sub, &m, &err), SV_ERR_FAIL);
	assert_non_null(strstr(err.msg, "circle"));
	sv_manifest_clear(&m);
	(void)snprintf(sub, sizeof(sub), "%s/gone", dir);
	assert_int_equal(load(sub, &m, &err), SV_ERR_FAIL);
	sv_manifest_clear(&m);
	shell("rm -rf %s", dir);
}

static void links_out_of_the_directory_are_refused(void **state)
{
	char dir[] = "/tmp/svm.XXXXXX";
	char sub[64];
	struct sv_manifest m = SV_MANIFEST_INIT;
	struct sv_err err = SV_ERR_INIT;

	if (getenv("SV_UNDER_VALGRIND") != NULL)
		skip(); /* it has no openat2(2) */
	(void)state;
	assert_non_null(mkdtemp(dir));
	shell("cd %s && mkdir in out && printf 'version: 1\\n' >real.yaml && printf 'version: 1\\n' >in/real.yaml && "
	      "ln -s real.yaml in/.sv.yaml && ln -s ../real.yaml out/.sv.yaml",
	      dir);
	(void)snprintf(sub, sizeof(sub), "%s/in", dir);
	assert_int_equal(load(sub, &m, &err), SV_OK);
	sv_manifest_clear(&m);
	(void)snprintf(sub, sizeof(sub), "%s/out", dir);
	assert_int_equal(load(sub, &m, &err), SV_ERR_DENIED);
	sv_manifest_clear(&m);
	shell("rm -rf %s", dir);
}

static void the_way_up_ends_at_home_and_at_foreign_directories(void **state)
{
	char dir[] = "/tmp/svm.XXXXXX";
	char path[64];
	char home[64];
	struct sv_root r;

	(void)state;
	assert_non_null(mkdtemp(dir));
	shell("mkdir -p %s/a/b/c", dir);
	(void)snprintf(path, sizeof(path), "%s/a/b/c", dir);
	(void)snprintf(home, sizeof(home), "%s/a", dir);
	assert_int_equal(sv_root_find(&r, path, home, NULL), SV_OK);
	assert_int_equal(r.n, 2); /* c and b; a is the home */
	sv_root_clear(&r);
	assert_int_equal(sv_root_find(&r, home, home, NULL), SV_OK);
	assert_int_equal(r.n, 1); /* the home itself, when it is where one stands */
	sv_root_clear(&r);
	assert_int_equal(sv_root_find(&r, "/", "/nonexistent", NULL), SV_OK);
	assert_true(r.n <= 1);
	sv_root_clear(&r);
	if (geteuid() == 0) {
		assert_int_equal(chown(home, 12345, 12345), 0);
		assert_int_equal(sv_root_find(&r, path, "/nonexistent", NULL), SV_OK);
		assert_int_equal(r.n, 2);
		sv_root_clear(&r);
		assert_int_equal(sv_root_find(&r, home, "/nonexistent", NULL), SV_OK);
		assert_int_equal(r.n, 0);
		assert_true(r.foreign);
		sv_root_clear(&r);
	}
	shell("rm -rf %s", dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_may_be_said_is_read),
		cmocka_unit_test(mistakes_are_refused_with_line_and_column),
		cmocka_unit_test(a_group_of_unknown_variables_is_refused),
		cmocka_unit_test(every_truncation_and_changed_byte_ends_well),
		cmocka_unit_test(extended_files_lose_and_circles_are_refused),
		cmocka_unit_test(links_out_of_the_directory_are_refused),
		cmocka_unit_test(the_way_up_ends_at_home_and_at_foreign_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
