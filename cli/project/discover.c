/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a command to the files that it reads.
 */
#include "cli/project/discover_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APP (SV_KIND_DOTENV | SV_KIND_ENVRC) /* what an application of the project itself reads */

struct tool {
	const char *name;
	unsigned kinds;
	bool walk;
	const char *const
		*own_verbs; /* verbs that start no application, so that APP does not count; NULL: none start one */
};

static const char *const node_verbs[] = { "install",       "i",      "ci",     "add",  "publish",   "update",
					  "upgrade",       "up",     "remove", "rm",   "uninstall", "audit",
					  "outdated",      "pack",   "view",   "info", "login",     "whoami",
					  "dlx",           "config", "dedupe", "link", "prune",     "install-test",
					  "clean-install", "fund",   "ls",     "list", "npm",       "version",
					  "token",         "access", NULL };

static const struct tool tools[] = {
	{ "npm", SV_KIND_NPM | APP, false, node_verbs },
	{ "npx", SV_KIND_NPM, false, NULL },
	{ "pnpm", SV_KIND_NPM | APP, false, node_verbs },
	{ "pnpx", SV_KIND_NPM, false, NULL },
	{ "yarn", SV_KIND_NPM | SV_KIND_YARN | APP, false, node_verbs },
	{ "bun", SV_KIND_NPM | APP, false, node_verbs },
	{ "corepack", SV_KIND_NPM | SV_KIND_YARN, false, NULL },
	{ "lerna", SV_KIND_NPM, false, NULL },
	{ "pip", SV_KIND_PIP, false, NULL },
	{ "pip3", SV_KIND_PIP, false, NULL },
	{ "pipx", SV_KIND_PIP, false, NULL },
	{ "uv", SV_KIND_PIP, false, NULL },
	{ "twine", SV_KIND_PIP, false, NULL },
	{ "mvn", SV_KIND_MAVEN, false, NULL },
	{ "mvnw", SV_KIND_MAVEN, false, NULL },
	{ "mvnd", SV_KIND_MAVEN, false, NULL },
	{ "gradle", SV_KIND_GRADLE, false, NULL },
	{ "gradlew", SV_KIND_GRADLE, false, NULL },
	{ "terraform", SV_KIND_TERRAFORM, false, NULL },
	{ "tofu", SV_KIND_TERRAFORM, false, NULL },
	{ "terragrunt", SV_KIND_TERRAFORM, false, NULL },
	{ "kubectl", SV_KIND_KUBE, false, NULL },
	{ "kustomize", SV_KIND_KUBE, false, NULL },
	{ "oc", SV_KIND_KUBE, false, NULL },
	{ "helm", SV_KIND_KUBE, true, NULL },
	{ "act", SV_KIND_WORKFLOW, false, NULL },
	{ "make", SV_KIND_ALL, true, NULL },
	{ "gmake", SV_KIND_ALL, true, NULL },
	{ "just", SV_KIND_ALL, true, NULL },
	{ "task", SV_KIND_ALL, true, NULL },
	{ "skaffold", SV_KIND_ALL, true, NULL },
	{ "tilt", SV_KIND_ALL, true, NULL },
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool docker(const char *name)
{
	static const char *const names[] = { "docker",         "podman",         "buildah", "nerdctl",
					     "docker-compose", "podman-compose", NULL };

	for (const char *const *n = names; *n != NULL; n++)
		if (strcmp(*n, name) == 0)
			return true;
	return false;
}

static bool starts_application(const struct tool *t, char *const *argv)
{
	for (argv++; *argv != NULL && **argv == '-';)
		argv++;
	if (*argv == NULL)
		return false; /* yarn alone installs; npm alone explains itself */
	for (const char *const *v = t->own_verbs; v != NULL && *v != NULL; v++)
		if (strcmp(*v, *argv) == 0)
			return false;
	return t->own_verbs != NULL;
}

unsigned sv_discover_kinds(char *const *argv, bool *walk)
{
	const char *name;

	*walk = argv[0] == NULL;
	if (argv[0] == NULL)
		return SV_KIND_ALL;
	name = base_name(argv[0]);
	if (docker(name))
		return SV_KIND_DOCKERFILE | SV_KIND_COMPOSE;
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
		if (strcmp(tools[i].name, name) == 0) {
			*walk = tools[i].walk;
			if (tools[i].own_verbs != NULL && !starts_application(&tools[i], argv))
				return tools[i].kinds & ~(unsigned)APP;
			return tools[i].kinds;
		}
	if (strncmp(name, "python", 6) == 0 && argv[1] != NULL && strcmp(argv[1], "-m") == 0 && argv[2] != NULL &&
	    (strcmp(argv[2], "pip") == 0 || strcmp(argv[2], "twine") == 0))
		return SV_KIND_PIP;
	return APP;
}

size_t sv_discover_top(const struct sv_root *root)
{
	int i = sv_root_holding(root, ".git");

	return i > 0 ? (size_t)i : 0;
}

/* Text behind an option: --name value, --name=value, -n value.  NULL: not given. */
static const char *option(char *const *argv, const char *name, const char *letter)
{
	size_t n = strlen(name);

	for (argv++; *argv != NULL; argv++) {
		if (strncmp(*argv, name, n) == 0 && (*argv)[n] == '=')
			return *argv + n + 1;
		if (strcmp(*argv, name) == 0 || (letter != NULL && strcmp(*argv, letter) == 0))
			return argv[1];
	}
	return NULL;
}

static void up_prefix(char *out, size_t size, size_t levels)
{
	size_t n = 0;

	for (out[0] = '\0'; levels > 0 && n + 4 < size; levels--, n += 3)
		memcpy(out + n, "../", 4);
}

/* One name in the working directory and its parents up to the top. */
static void upwards(struct sv_asks *a, unsigned kind, const struct sv_root *root, size_t top, const char *name)
{
	char show[SV_ROOT_LEVELS_MAX * 3 + 64];

	for (size_t i = 0; i <= top && i < root->n; i++) {
		up_prefix(show, sizeof(show) - 64, i);
		(void)strncat(show, name, 60);
		(void)sv_discover_file(a, kind, root->level[i].fd, name, show, NULL);
	}
}

static void at_home(struct sv_asks *a, unsigned kind, const char *name)
{
	const char *home = getenv("HOME");
	char path[4096];
	char show[256];
	struct stat st;
	int fd;

	if (home == NULL || home[0] != '/' || snprintf(path, sizeof(path), "%s/%s", home, name) >= (int)sizeof(path))
		return;
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0 || st.st_uid != geteuid() || !S_ISREG(st.st_mode)) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	(void)close(fd);
	(void)snprintf(show, sizeof(show), "~/%s", name);
	(void)sv_discover_file(a, kind, -1, path, show, NULL);
}

static void settings_of_user(struct sv_asks *a, unsigned kinds)
{
	if ((kinds & SV_KIND_NPM) != 0)
		at_home(a, SV_KIND_NPM, ".npmrc");
	if ((kinds & SV_KIND_YARN) != 0)
		at_home(a, SV_KIND_YARN, ".yarnrc.yml");
	if ((kinds & SV_KIND_PIP) != 0) {
		at_home(a, SV_KIND_PIP, ".pypirc");
		at_home(a, SV_KIND_PIP, ".config/pip/pip.conf");
		at_home(a, SV_KIND_PIP, ".pip/pip.conf");
	}
	if ((kinds & SV_KIND_MAVEN) != 0)
		at_home(a, SV_KIND_MAVEN, ".m2/settings.xml");
	if ((kinds & SV_KIND_GRADLE) != 0)
		at_home(a, SV_KIND_GRADLE, ".gradle/gradle.properties");
}

/* -f FILE, -f DIR, -k DIR of kubectl and helm; true when something was named. */
static bool named_manifests(struct sv_asks *a, char *const *argv, struct sv_arena *patterns)
{
	bool found = false;

	for (size_t i = 1; argv[i] != NULL; i++) {
		const char *path = NULL;
		struct stat st;

		if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--filename") == 0 || strcmp(argv[i], "-k") == 0 ||
		    strcmp(argv[i], "--kustomize") == 0)
			path = argv[i + 1];
		else if (strncmp(argv[i], "--filename=", 11) == 0)
			path = argv[i] + 11;
		else if (strncmp(argv[i], "--kustomize=", 12) == 0)
			path = argv[i] + 12;
		if (path == NULL || strcmp(path, "-") == 0 || strstr(path, "://") != NULL)
			continue;
		found = true;
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
			int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			char prefix[4096];
			struct sv_root none = SV_ROOT_INIT;

			if (fd >= 0 && snprintf(prefix, sizeof(prefix), "%s%s", path,
						path[strlen(path) - 1] == '/' ? "" : "/") < (int)sizeof(prefix))
				sv_discover_walk(a, SV_KIND_KUBE, fd, prefix, "", patterns, &none, 0);
			if (fd >= 0)
				(void)close(fd);
		} else {
			(void)sv_discover_file(a, SV_KIND_KUBE, AT_FDCWD, path, path, NULL);
		}
	}
	return found;
}

static void workflows(struct sv_asks *a, const struct sv_root *root, size_t top)
{
	char prefix[SV_ROOT_LEVELS_MAX * 3 + 32];
	int fd = openat(root->level[top].fd, ".github/workflows", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	up_prefix(prefix, sizeof(prefix) - 32, top);
	(void)strncat(prefix, ".github/workflows/", 31);
	sv_discover_dir(a, SV_KIND_WORKFLOW, fd, prefix, true);
	(void)close(fd);
}

static void whole_tree(struct sv_asks *a, unsigned kinds, const struct sv_root *root, size_t top,
		       struct sv_arena *patterns)
{
	const char *rel = root->level[0].path + strlen(root->level[top].path);
	char top_prefix[4096];

	while (*rel == '/')
		rel++;
	(void)snprintf(top_prefix, sizeof(top_prefix), "%s%s", rel, *rel != '\0' ? "/" : "");
	sv_discover_walk(a, kinds, root->level[0].fd, "", top_prefix, patterns, root, top);
}

static void in_directory(struct sv_asks *a, unsigned kinds, const struct sv_root *root, char *const *argv)
{
	const char *chdir_to = (kinds & SV_KIND_TERRAFORM) != 0 ? option(argv, "-chdir", NULL) : NULL;
	const char *settings = (kinds & SV_KIND_MAVEN) != 0 ? option(argv, "--settings", "-s") : NULL;
	char prefix[4096] = "";
	int fd = root->level[0].fd;

	if (settings != NULL)
		(void)sv_discover_file(a, SV_KIND_MAVEN, AT_FDCWD, settings, settings, NULL);
	if (chdir_to != NULL) {
		(void)snprintf(prefix, sizeof(prefix), "%s/", chdir_to);
		fd = openat(fd, chdir_to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return;
	}
	sv_discover_dir(a, kinds & ~(unsigned)SV_KIND_KUBE, fd, prefix, false);
	if (fd != root->level[0].fd)
		(void)close(fd);
}

void sv_discover(struct sv_asks *a, const struct sv_root *root, char *const *argv)
{
	struct sv_arena patterns = SV_ARENA_INIT;
	unsigned kinds;
	bool walk;
	size_t top;

	if (root->foreign)
		sv_asks_note(a, "this directory belongs to another user; nothing was read");
	if (root->n == 0)
		return;
	kinds = sv_discover_kinds(argv, &walk);
	top = sv_discover_top(root);
	if (argv[0] != NULL && docker(base_name(argv[0]))) {
		sv_discover_docker(a, root, argv);
		sv_asks_sort(a);
		return;
	}
	if (walk) {
		if (top > 0 && (kinds & SV_KIND_NPM) != 0)
			for (size_t i = 1; i <= top; i++)
				sv_discover_dir(a, SV_KIND_NPM | SV_KIND_YARN, root->level[i].fd, "../", false);
		whole_tree(a, kinds, root, top, &patterns);
		if (top > 0 && (kinds & SV_KIND_WORKFLOW) != 0)
			workflows(a, root, top);
	} else if (kinds == SV_KIND_KUBE) {
		if (!named_manifests(a, argv, &patterns))
			whole_tree(a, kinds, root, top, &patterns);
	} else if (kinds == SV_KIND_WORKFLOW) {
		workflows(a, root, top);
	} else {
		in_directory(a, kinds, root, argv);
		if ((kinds & SV_KIND_NPM) != 0 && top > 0)
			upwards(a, SV_KIND_NPM, root, top, ".npmrc");
		if ((kinds & SV_KIND_YARN) != 0 && top > 0)
			upwards(a, SV_KIND_YARN, root, top, ".yarnrc.yml");
		if ((kinds & SV_KIND_MAVEN) != 0)
			(void)sv_discover_file(a, SV_KIND_MAVEN, root->level[0].fd, ".mvn/settings.xml",
					       ".mvn/settings.xml", NULL);
	}
	settings_of_user(a, kinds);
	sv_asks_sort(a);
	sv_arena_clear(&patterns);
}
