/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker, podman, buildah, nerdctl and compose: which Dockerfile, target and compose files the arguments mean, and the
 * variables that the arguments themselves take from the environment (--build-arg X, --secret id=X, -e X).
 */
#include "cli/project/discover_int.h"
#include "vault/base/name.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define FILES_MAX 16

struct build {
	const char *files[FILES_MAX];
	size_t n_files;
	const char *target, *context;
	bool elsewhere; /* the context is not here: standard input or an address */
};

static bool among(const char *word, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* Behind global options to the verb. */
static char *const *verb(char *const *argv)
{
	static const char *const with_value[] = {
		"--context",        "-c",          "--host",   "-H",        "--config",  "--log-level",  "-l",
		"--tlscacert",      "--tlscert",   "--tlskey", "--root",    "--runroot", "--connection", "--url",
		"--storage-driver", "--namespace", "-n",       "--address", "-a",        "--builder",    NULL
	};

	for (argv++; *argv != NULL && **argv == '-'; argv++)
		if (among(*argv, with_value) && argv[1] != NULL)
			argv++;
	return argv;
}

static const char *const build_values[] = { "-f",
					    "--file",
					    "-t",
					    "--tag",
					    "--target",
					    "--build-arg",
					    "--secret",
					    "--ssh",
					    "--platform",
					    "--cache-from",
					    "--cache-to",
					    "-o",
					    "--output",
					    "--label",
					    "--network",
					    "--progress",
					    "--iidfile",
					    "--metadata-file",
					    "--add-host",
					    "--shm-size",
					    "--ulimit",
					    "-m",
					    "--memory",
					    "--build-context",
					    "--builder",
					    "--allow",
					    "--annotation",
					    "--attest",
					    "--call",
					    "--cgroup-parent",
					    "--no-cache-filter",
					    "--provenance",
					    "--sbom",
					    "--isolation",
					    "--cpu-shares",
					    "-c",
					    "--cpuset-cpus",
					    "--arch",
					    "--os",
					    "--variant",
					    "--authfile",
					    "--creds",
					    "--format",
					    "--ignorefile",
					    "-v",
					    "--volume",
					    "--layers",
					    "--build-arg-file",
					    "--env",
					    "--userns",
					    "--jobs",
					    "--logfile",
					    "--manifest",
					    "--from",
					    NULL };

/* id=X, env=V; type=env,src=V; id=X alone is the variable X when it is set. */
static void secret_option(struct sv_asks *a, const char *text)
{
	const char *id = NULL;
	const char *env = NULL;
	const char *src = NULL;
	size_t id_len = 0;
	size_t env_len = 0;
	size_t src_len = 0;
	bool type_env = false;

	while (*text != '\0') {
		size_t n = strcspn(text, ",");

		if (n > 3 && strncmp(text, "id=", 3) == 0) {
			id = text + 3;
			id_len = n - 3;
		} else if (n > 4 && strncmp(text, "env=", 4) == 0) {
			env = text + 4;
			env_len = n - 4;
		} else if (n > 4 && (strncmp(text, "src=", 4) == 0)) {
			src = text + 4;
			src_len = n - 4;
		} else if (n > 7 && strncmp(text, "source=", 7) == 0) {
			src = text + 7;
			src_len = n - 7;
		} else if (n == 8 && strncmp(text, "type=env", 8) == 0) {
			type_env = true;
		}
		text += n + (text[n] == ',');
	}
	if (env != NULL)
		sv_asks_add(a, env, env_len, "the command line", 0, "--secret", false);
	else if (src != NULL && type_env)
		sv_asks_add(a, src, src_len, "the command line", 0, "--secret", false);
	else if (src == NULL && id != NULL)
		sv_asks_add(a, id, id_len, "the command line", 0, "--secret", true);
}

/* NAME without a value is taken from the environment. */
static void bare(struct sv_asks *a, const char *text, const char *why)
{
	if (strchr(text, '=') == NULL)
		sv_asks_add(a, text, strlen(text), "the command line", 0, why, false);
}

static void build_option(struct sv_asks *a, struct build *b, const char *name, size_t n, const char *value)
{
	if ((n == 2 && strncmp(name, "-f", 2) == 0) || (n == 6 && strncmp(name, "--file", 6) == 0)) {
		if (b->n_files < FILES_MAX)
			b->files[b->n_files++] = value;
	} else if (n == 8 && strncmp(name, "--target", 8) == 0) {
		b->target = value;
	} else if (n == 11 && strncmp(name, "--build-arg", 11) == 0) {
		bare(a, value, "--build-arg");
	} else if (n == 8 && strncmp(name, "--secret", 8) == 0) {
		secret_option(a, value);
	}
}

static void build_arguments(struct sv_asks *a, struct build *b, char *const *argv)
{
	for (; *argv != NULL; argv++) {
		const char *eq = strchr(*argv, '=');

		if (**argv != '-' || strcmp(*argv, "-") == 0) {
			b->context = *argv;
		} else if (strncmp(*argv, "--", 2) == 0 && eq != NULL) {
			build_option(a, b, *argv, (size_t)(eq - *argv), eq + 1);
		} else if (among(*argv, build_values) && argv[1] != NULL) {
			build_option(a, b, argv[0], strlen(argv[0]), argv[1]);
			argv++;
		} else if (strncmp(*argv, "-f", 2) == 0 && (*argv)[2] != '\0' && b->n_files < FILES_MAX) {
			b->files[b->n_files++] = *argv + 2;
		}
	}
	b->elsewhere = b->context != NULL &&
		       (strcmp(b->context, "-") == 0 || strstr(b->context, "://") != NULL ||
			strncmp(b->context, "git@", 4) == 0 || strncmp(b->context, "github.com/", 11) == 0);
}

static void build(struct sv_asks *a, char *const *argv)
{
	static const char *const names[] = { "Dockerfile", "Containerfile" };
	struct build b = { .context = NULL };
	char path[4096];
	const char *target;

	build_arguments(a, &b, argv);
	target = b.target != NULL ? b.target : "";
	if (b.elsewhere) {
		sv_asks_note(a, "the build context is not a directory here, so no Dockerfile was read");
		return;
	}
	for (size_t i = 0; i < b.n_files; i++)
		if (strcmp(b.files[i], "-") != 0 &&
		    !sv_discover_file(a, SV_KIND_DOCKERFILE, AT_FDCWD, b.files[i], b.files[i], target))
			sv_asks_note(a, "%s is not there", b.files[i]);
	for (size_t i = 0; b.n_files == 0 && i < 2; i++) {
		const char *dir = b.context != NULL ? b.context : ".";
		bool here = strcmp(dir, ".") == 0 || strcmp(dir, "./") == 0;
		size_t n = strlen(dir);

		if (snprintf(path, sizeof(path), "%s%s%s", here ? "" : dir, here || dir[n - 1] == '/' ? "" : "/",
			     names[i]) < (int)sizeof(path) &&
		    sv_discover_file(a, SV_KIND_DOCKERFILE, AT_FDCWD, path, path, target))
			break;
	}
}

static void compose_default(struct sv_asks *a, const struct sv_root *root)
{
	static const char *const names[] = { "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml",
					     NULL };
	static const char *const more[] = { "compose.override.yaml", "compose.override.yml",
					    "docker-compose.override.yaml", "docker-compose.override.yml", NULL };
	size_t top = sv_discover_top(root);
	char show[SV_ROOT_LEVELS_MAX * 3 + 64];

	for (size_t i = 0; i <= top && i < root->n; i++) {
		bool found = false;

		for (size_t k = 0; names[k] != NULL && !found; k++) {
			show[0] = '\0';
			for (size_t up = 0; up < i; up++)
				(void)strcat(show, "../");
			(void)strcat(show, names[k]);
			found = sv_discover_file(a, SV_KIND_COMPOSE, root->level[i].fd, names[k], show, NULL);
		}
		for (size_t k = 0; found && more[k] != NULL; k++)
			(void)sv_discover_file(a, SV_KIND_COMPOSE, root->level[i].fd, more[k], more[k], NULL);
		if (found)
			return;
	}
}

static void compose(struct sv_asks *a, const struct sv_root *root, char *const *argv)
{
	bool named = false;

	for (; *argv != NULL && **argv == '-'; argv++) {
		const char *file = NULL;

		if ((strcmp(*argv, "-f") == 0 || strcmp(*argv, "--file") == 0) && argv[1] != NULL)
			file = *++argv;
		else if (strncmp(*argv, "--file=", 7) == 0)
			file = *argv + 7;
		else if ((strcmp(*argv, "-p") == 0 || strcmp(*argv, "--project-name") == 0 ||
			  strcmp(*argv, "--profile") == 0 || strcmp(*argv, "--env-file") == 0 ||
			  strcmp(*argv, "--project-directory") == 0 || strcmp(*argv, "--ansi") == 0) &&
			 argv[1] != NULL)
			argv++;
		if (file == NULL || strcmp(file, "-") == 0)
			continue;
		named = true;
		if (!sv_discover_file(a, SV_KIND_COMPOSE, AT_FDCWD, file, file, NULL))
			sv_asks_note(a, "%s is not there", file);
	}
	if (!named)
		compose_default(a, root);
}

static void run(struct sv_asks *a, char *const *argv)
{
	for (; *argv != NULL; argv++) {
		if ((strcmp(*argv, "-e") == 0 || strcmp(*argv, "--env") == 0) && argv[1] != NULL)
			bare(a, *++argv, "-e");
		else if (strncmp(*argv, "--env=", 6) == 0)
			bare(a, *argv + 6, "-e");
	}
}

void sv_discover_docker(struct sv_asks *a, const struct sv_root *root, char *const *argv)
{
	const char *name = strrchr(argv[0], '/');

	name = name != NULL ? name + 1 : argv[0];
	if (strcmp(name, "docker-compose") == 0 || strcmp(name, "podman-compose") == 0) {
		compose(a, root, argv + 1);
		return;
	}
	argv = verb(argv);
	if (*argv != NULL && (strcmp(*argv, "image") == 0 || strcmp(*argv, "container") == 0 ||
			      strcmp(*argv, "builder") == 0 || strcmp(*argv, "buildx") == 0)) {
		argv++;
		while (*argv != NULL && **argv == '-')
			argv += strcmp(*argv, "--builder") == 0 && argv[1] != NULL ? 2 : 1;
	}
	if (*argv == NULL)
		return;
	if (strcmp(*argv, "build") == 0 || strcmp(*argv, "b") == 0 || strcmp(*argv, "bud") == 0 ||
	    strcmp(*argv, "build-using-dockerfile") == 0)
		build(a, argv + 1);
	else if (strcmp(*argv, "compose") == 0)
		compose(a, root, argv + 1);
	else if (strcmp(*argv, "run") == 0 || strcmp(*argv, "create") == 0 || strcmp(*argv, "exec") == 0)
		run(a, argv + 1);
}
