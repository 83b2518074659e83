/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discovery: every kind of source against files as projects have them, and which files a command means.
 */
#include "tests/support/sv_test.h"

#include "cli/project/discover.h"
#include "cli/project/discover/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA SV_SRC "/tests/data/project/"

/* "A:3 B:7? ..." in the order of finding; ? marks a weak one. */
static char *text_of(const struct sv_asks *a)
{
	static char out[8192];
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < a->n; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s:%u%s", i > 0 ? " " : "", a->v[i].var,
				      a->v[i].line, a->v[i].weak ? "?" : "");
	return out;
}

static char *load(const char *path, size_t *len)
{
	char *text;

	assert_int_equal(sv_root_read(-1, path, 1 << 20, &text, len, NULL), SV_OK);
	return text;
}

static void expect(sv_source_fn fn, const char *path, const char *want)
{
	struct sv_asks a = SV_ASKS_INIT;
	size_t len;
	char *text = load(path, &len);

	fn(&a, "f", text, len);
	assert_string_equal(text_of(&a), want);
	assert_int_equal(a.n_notes, 0);
	sv_asks_clear(&a);
	/* cut anywhere, nothing is read past the end (the copy has no room behind it) */
	for (size_t n = 0; n < len; n++) {
		char *part = malloc(n + 1);

		memcpy(part, text, n);
		part[n] = '\0';
		fn(&a, "f", part, n);
		sv_asks_clear(&a);
		free(part);
	}
	free(text);
}

static void each_source_finds_what_its_tool_reads(void **state)
{
	(void)state;
	expect(sv_source_npmrc, DATA "node/.npmrc", "GITHUB_PACKAGES_TOKEN:3 NPM_TOKEN:4?");
	expect(sv_source_yarnrc, DATA "node/.yarnrc.yml", "YARN_NPM_TOKEN:5 ALWAYS_AUTH:6?");
	expect(sv_source_terraform, DATA "terraform/variables.tf",
	       "TF_VAR_pat_token:2 TF_VAR_db_password:14 TF_VAR_settings:15 TF_VAR_from_tfvars:20");
	expect(sv_source_maven, DATA "maven/settings.xml", "NEXUS_USER:5 NEXUS_PASSWORD:6");
	expect(sv_source_gradle, DATA "gradle/build.gradle.kts", "GRADLE_USER:6 GRADLE_TOKEN:7");
	expect(sv_source_properties, DATA "gradle/gradle.properties", "SONATYPE_TOKEN:2 SIGNING_KEY:3");
	expect(sv_source_requirements, DATA "python/requirements.txt", "PIP_USER:1 PIP_TOKEN:1 NO:2");
	expect(sv_source_ini, DATA "python/.pypirc", "PYPI_TOKEN:4");
	expect(sv_source_workflow, DATA "workflow/.github/workflows/release.yml",
	       "NPM_TOKEN:7 SLACK_WEBHOOK:9 ONE_TOKEN:12 TWO_TOKEN:12");
	expect(sv_source_dotenv, DATA "envs/.env.example",
	       "DATABASE_URL:2 STRIPE_KEY:3 PORT:4? SESSION_SECRET:5? NAME_ALONE:6 INDENTED_TOKEN:7");
	expect(sv_source_envrc, DATA "envs/.envrc",
	       "GH_TOKEN:2 REQUIRED_TOKEN:5 REGION_DEFAULT:6? FIRST_KEY:7 SECOND_KEY:7 SELF:8");
}

static void expect_whole(sv_source_fn fn, const char *path, const char *want)
{
	struct sv_asks a = SV_ASKS_INIT;
	size_t len;
	char *text = load(path, &len);

	fn(&a, "f", text, len);
	assert_string_equal(text_of(&a), want);
	free(text);
	sv_asks_clear(&a);
}

static void yaml_sources_find_names(void **state)
{
	(void)state;
	expect_whole(
		sv_source_compose, DATA "compose/compose.yaml",
		"NPM_FILE_TOKEN:28 NPM_TOKEN:12 POSTGRES_PASSWORD:20 QUEUE_TOKEN:24 LOG_LEVEL:4? WEB_TAG:8 PORT:16? "
		"QUEUE_PASSWORD:25");
	expect_whole(sv_source_kube, DATA "kube/deployment.yaml",
		     "DB_PASSWORD:16 OPTIONAL_TOKEN:19? MAIL_CREDENTIALS:25?");
	expect_whole(sv_source_kube, DATA "kube/overlays/prod/kustomization.yaml", "API_KEY:5");
}

static void dockerfile_targets_choose_stages(void **state)
{
	static const struct {
		const char *target, *want;
	} rows[] = {
		{ "deps", "NODE_VERSION:3? REGISTRY:4 NPM_TOKEN:10 NPMRC:12 GITHUB_TOKEN:12" },
		{ "docs", "NODE_VERSION:3? REGISTRY:4 DOCS_TOKEN:20" },
		{ NULL,
		  "NODE_VERSION:3? REGISTRY:4 NPM_TOKEN:10 BUILD_ID:31? SENTRY_AUTH_TOKEN:31 NPMRC:12 GITHUB_TOKEN:12 "
		  "SIGNING_KEY:34 GIT_AUTH_TOKEN:32?" },
	};
	size_t len;
	char *text = load(DATA "docker/Dockerfile", &len);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sv_asks a = SV_ASKS_INIT;

		sv_source_dockerfile_target(&a, "f", text, len, rows[i].target);
		assert_string_equal(text_of(&a), rows[i].want);
		sv_asks_clear(&a);
	}
	free(text);
}

static char *found(const char *dir, char *const *argv)
{
	static struct sv_asks a = SV_ASKS_INIT;
	struct sv_root root;
	char old[4096];

	sv_asks_clear(&a);
	assert_non_null(getcwd(old, sizeof(old)));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(sv_root_find(&root, NULL, "/nonexistent", NULL), SV_OK);
	sv_discover(&a, &root, argv);
	sv_root_clear(&root);
	assert_int_equal(chdir(old), 0);
	return text_of(&a);
}

#define ARGV(...) ((char *[]){ __VA_ARGS__, NULL })
#define S(x)      ((char[]){ x })

static void the_command_decides_which_files_count(void **state)
{
	(void)state;
	assert_int_equal(setenv("HOME", "/nonexistent", 1), 0);
	assert_string_equal(found(DATA "node", ARGV(S("npm"), S("ci"))), "GITHUB_PACKAGES_TOKEN:3 NPM_TOKEN:4?");
	assert_string_equal(found(DATA "envs", ARGV(S("npm"), S("ci"))), "");
	assert_non_null(strstr(found(DATA "envs", ARGV(S("npm"), S("start"))), "DATABASE_URL"));
	assert_non_null(strstr(found(DATA "node", ARGV(S("/usr/bin/yarn"))), "YARN_NPM_TOKEN"));
	assert_string_equal(found(DATA "node", ARGV(S("terraform"), S("plan"))), "");
	assert_null(strstr(found(DATA "terraform", ARGV(S("terraform"), S("plan"))), "from_tfvars"));
	assert_non_null(strstr(found(DATA "terraform", ARGV(S("tofu"), S("plan"))), "TF_VAR_tofu_token"));
	assert_non_null(
		strstr(found(DATA, ARGV(S("terraform"), S("-chdir=terraform"), S("plan"))), "TF_VAR_pat_token"));
	assert_string_equal(found(DATA, ARGV(S("kubectl"), S("apply"), S("-k"), S("kube/overlays/prod"))), "API_KEY:5");
	assert_string_equal(found(DATA, ARGV(S("kubectl"), S("apply"), S("-f"), S("-"))),
			    "DB_PASSWORD:16 OPTIONAL_TOKEN:19? "
			    "MAIL_CREDENTIALS:25? API_KEY:5");
}

static void docker_arguments_choose_files_and_name_variables(void **state)
{
	(void)state;
	assert_string_equal(found(DATA "docker", ARGV(S("docker"), S("build"), S("--target=docs"), S("."))),
			    "NODE_VERSION:3? REGISTRY:4 DOCS_TOKEN:20");
	assert_string_equal(found(DATA, ARGV(S("docker"), S("--context"), S("x"), S("buildx"), S("build"),
					     S("--target"), S("docs"), S("-t"), S("a:b"), S("docker"))),
			    "NODE_VERSION:3? REGISTRY:4 DOCS_TOKEN:20");
	assert_string_equal(found(DATA, ARGV(S("podman"), S("build"), S("-f"), S("docker/Dockerfile.windows"), S("."))),
			    "FEED_TOKEN:3 AFTER_TOKEN:8");
	assert_string_equal(found(DATA, ARGV(S("docker"), S("build"), S("--build-arg"), S("A_TOKEN"), S("--build-arg"),
					     S("B=x"), S("--secret"), S("id=n,env=C_TOKEN"), S("-"))),
			    "A_TOKEN:0 C_TOKEN:0");
	assert_string_equal(
		found(DATA, ARGV(S("docker"), S("run"), S("-e"), S("RUN_TOKEN"), S("-e"), S("X=1"), S("alpine"))),
		"RUN_TOKEN:0");
	assert_non_null(strstr(found(DATA "compose", ARGV(S("docker"), S("compose"), S("up"))), "QUEUE_PASSWORD:25"));
	assert_string_equal(found(DATA, ARGV(S("docker"), S("ps"))), "");
}

static void make_reads_everything_but_what_git_ignores(void **state)
{
	char dir[] = "/tmp/svd.XXXXXX";
	char command[4096];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(command, sizeof(command),
		       "cd %s && mkdir -p .git a/node_modules b/out c/inner/.git && echo '/b/out/' >.gitignore && "
		       "for d in a a/node_modules b b/out c/inner .git; do echo \"x=\\${IN_$(echo $d | tr a-z/. "
		       "A-Z__)}\" >$d/.npmrc; done",
		       dir);
	assert_int_equal(system(command), 0);
	assert_non_null(strstr(found(dir, ARGV(S("make"))), "IN_A:1"));
	assert_non_null(strstr(found(dir, ARGV(S("make"))), "IN_B:1"));
	assert_null(strstr(found(dir, ARGV(S("make"))), "NODE_MODULES"));
	assert_null(strstr(found(dir, ARGV(S("make"))), "OUT"));
	assert_null(strstr(found(dir, ARGV(S("make"))), "INNER"));
	assert_null(strstr(found(dir, ARGV(S("make"))), "GIT"));
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

static void hostile_files_are_notes_not_failures(void **state)
{
	char dir[] = "/tmp/svd.XXXXXX";
	char command[4096];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(
		command, sizeof(command),
		"cd %s && ln -s /etc/passwd .npmrc && mkfifo compose.yaml && mkdir Dockerfile && printf 'a: [' "
		">docker-compose.yml && "
		"printf 'RUN <<EOF\\nx\\n' >Containerfile && printf 'a: &a [*a, *a]\\nsecretRef: 1\\n' >k.yaml && "
		"printf '\\377\\376${X\\000' >.envrc",
		dir);
	assert_int_equal(system(command), 0);
	assert_string_equal(found(dir, ARGV(S("make"))), "X:1");
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_source_finds_what_its_tool_reads),
		cmocka_unit_test(yaml_sources_find_names),
		cmocka_unit_test(dockerfile_targets_choose_stages),
		cmocka_unit_test(the_command_decides_which_files_count),
		cmocka_unit_test(docker_arguments_choose_files_and_name_variables),
		cmocka_unit_test(make_reads_everything_but_what_git_ignores),
		cmocka_unit_test(hostile_files_are_notes_not_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
