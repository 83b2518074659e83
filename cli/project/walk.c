/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories: what matters in one of them, and the bounded walk over a tree.
 */
#include "cli/project/discover_int.h"
#include "cli/project/discover/sources.h"
#include "cli/project/ignore.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool ends(const char *name, const char *tail)
{
	size_t n = strlen(name);
	size_t t = strlen(tail);

	return n > t && memcmp(name + n - t, tail, t) == 0;
}

static bool starts(const char *name, const char *head)
{
	return strncmp(name, head, strlen(head)) == 0;
}

static bool yaml(const char *name)
{
	return ends(name, ".yml") || ends(name, ".yaml");
}

unsigned sv_discover_classify(const char *name, bool in_workflows)
{
	static const struct {
		const char *name;
		unsigned kind;
	} exact[] = { { ".npmrc", SV_KIND_NPM },
		      { ".yarnrc.yml", SV_KIND_YARN },
		      { ".pypirc", SV_KIND_PIP },
		      { "pip.conf", SV_KIND_PIP },
		      { "pip.ini", SV_KIND_PIP },
		      { "settings.xml", SV_KIND_MAVEN },
		      { "pom.xml", SV_KIND_MAVEN },
		      { "gradle.properties", SV_KIND_GRADLE },
		      { "build.gradle", SV_KIND_GRADLE },
		      { "build.gradle.kts", SV_KIND_GRADLE },
		      { "settings.gradle", SV_KIND_GRADLE },
		      { "settings.gradle.kts", SV_KIND_GRADLE },
		      { "init.gradle", SV_KIND_GRADLE },
		      { ".envrc", SV_KIND_ENVRC },
		      { "Dockerfile", SV_KIND_DOCKERFILE },
		      { "Containerfile", SV_KIND_DOCKERFILE },
		      { ".env.example", SV_KIND_DOTENV },
		      { ".env.sample", SV_KIND_DOTENV },
		      { ".env.template", SV_KIND_DOTENV },
		      { ".env.dist", SV_KIND_DOTENV },
		      { ".env.schema", SV_KIND_DOTENV } };

	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		if (strcmp(exact[i].name, name) == 0)
			return exact[i].kind;
	if (ends(name, ".tf") || ends(name, ".tofu"))
		return SV_KIND_TERRAFORM;
	if (ends(name, ".txt") && starts(name, "requirements"))
		return SV_KIND_PIP;
	if (starts(name, "Dockerfile.") || starts(name, "Containerfile.") || ends(name, ".Dockerfile") ||
	    ends(name, ".dockerfile"))
		return ends(name, ".dockerignore") ? 0 : SV_KIND_DOCKERFILE;
	if (!yaml(name))
		return 0;
	if (in_workflows)
		return SV_KIND_WORKFLOW;
	if (starts(name, "compose.") || starts(name, "docker-compose"))
		return SV_KIND_COMPOSE;
	return SV_KIND_KUBE;
}

static sv_source_fn reader_of(unsigned kind, const char *name)
{
	const char *slash = strrchr(name, '/');

	if (slash != NULL)
		name = slash + 1;
	switch (kind) {
	case SV_KIND_NPM: return sv_source_npmrc;
	case SV_KIND_YARN: return sv_source_yarnrc;
	case SV_KIND_PIP: return ends(name, ".txt") ? sv_source_requirements : sv_source_ini;
	case SV_KIND_MAVEN: return sv_source_maven;
	case SV_KIND_GRADLE: return ends(name, ".properties") ? sv_source_properties : sv_source_gradle;
	case SV_KIND_TERRAFORM: return sv_source_terraform;
	case SV_KIND_COMPOSE: return sv_source_compose;
	case SV_KIND_KUBE: return sv_source_kube;
	case SV_KIND_WORKFLOW: return sv_source_workflow;
	case SV_KIND_DOTENV: return sv_source_dotenv;
	case SV_KIND_ENVRC: return sv_source_envrc;
	default: return sv_source_dockerfile;
	}
}

/* Variables that terraform.tfvars and *.auto.tfvars set need no TF_VAR_x: these files win over it. */
static bool assigned(int dir_fd, const char *name)
{
	static const char *const files[] = { "terraform.tfvars", "production.auto.tfvars", "default.auto.tfvars" };
	char *text;
	size_t len;
	bool found = false;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !found; i++)
		if (sv_root_read(dir_fd, files[i], SV_DISCOVER_FILE_MAX, &text, &len, NULL) == SV_OK) {
			found = sv_source_assigns(text, len, name);
			free(text);
		}
	return found;
}

static void terraform(struct sv_asks *a, int dir_fd, const char *show, const char *text, size_t len)
{
	struct sv_asks some = SV_ASKS_INIT;

	sv_source_terraform(&some, show, text, len);
	for (size_t i = 0; i < some.n; i++)
		if (!assigned(dir_fd, some.v[i].var + 7))
			sv_asks_add(a, some.v[i].var, strlen(some.v[i].var), show, some.v[i].line, some.v[i].why,
				    false);
	sv_asks_clear(&some);
}

bool sv_discover_file(struct sv_asks *a, unsigned kind, int dir_fd, const char *name, const char *show,
		      const char *target)
{
	struct sv_err err = SV_ERR_INIT;
	char *text;
	size_t len;
	enum sv_code rc = sv_root_read(dir_fd, name, SV_DISCOVER_FILE_MAX, &text, &len, &err);

	if (rc != SV_OK) {
		if (rc != SV_ERR_NOT_FOUND)
			sv_asks_note(a, "%s: %s", show, err.msg);
		return false;
	}
	a->files++;
	if (kind == SV_KIND_DOCKERFILE && target != NULL)
		sv_source_dockerfile_target(a, show, text, len, *target != '\0' ? target : NULL);
	else if (kind == SV_KIND_TERRAFORM)
		terraform(a, dir_fd, show, text, len);
	else
		reader_of(kind, name)(a, show, text, len);
	free(text);
	return true;
}

struct walk {
	struct sv_asks *a;
	unsigned kinds;
	struct sv_ignore ignore;
	char path[SV_ROOT_LEVELS_MAX * 256]; /* from the top of the repository */
	size_t shown;                        /* where the part that is shown begins in path */
	const char *prefix;
	bool recurse, in_workflows, ended;
};

/* Trees that hold what was built, fetched or is not ours to read, wherever they stand. */
static bool never(const char *name)
{
	static const char *const names[] = { "node_modules",     ".git",   ".hg",         ".svn",
					     ".terraform",       ".venv",  "__pycache__", ".tox",
					     ".gradle",          ".cache", ".yarn",       ".pnpm-store",
					     "bower_components", NULL };

	for (const char *const *n = names; *n != NULL; n++)
		if (strcmp(*n, name) == 0)
			return true;
	return false;
}

static size_t push_gitignore(struct walk *w, int fd, size_t base_len)
{
	size_t before = w->ignore.n;
	char *text;
	size_t len;

	if (sv_root_read(fd, ".gitignore", SV_DISCOVER_FILE_MAX, &text, &len, NULL) == SV_OK) {
		(void)sv_ignore_push(&w->ignore, text, len, base_len);
		free(text);
	}
	return before;
}

static void one_file(struct walk *w, int fd, const char *name)
{
	unsigned kind = sv_discover_classify(name, w->in_workflows) & w->kinds;
	char show[4096];

	if (kind == 0 || (w->recurse && sv_ignore_match(&w->ignore, w->path, false)))
		return;
	if (strlen(w->prefix) + strlen(w->path + w->shown) >= sizeof(show))
		return;
	(void)stpcpy(stpcpy(show, w->prefix), w->path + w->shown);
	(void)sv_discover_file(w->a, kind, fd, name, show, NULL);
}

static void directory(struct walk *w, int fd, size_t len, unsigned depth, const struct stat *above);

static void descend(struct walk *w, int fd, const char *name, size_t len, unsigned depth, const struct stat *here)
{
	struct stat st;
	int sub;
	bool workflows = w->in_workflows;

	if (never(name) || depth >= SV_DISCOVER_DEPTH_MAX || sv_ignore_match(&w->ignore, w->path, true))
		return;
	sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (sub < 0)
		return;
	/* Another file system, somebody else's directory, or a repository inside this one is another project. */
	if (fstat(sub, &st) != 0 || st.st_dev != here->st_dev || st.st_uid != here->st_uid ||
	    faccessat(sub, ".git", F_OK, 0) == 0) {
		(void)close(sub);
		return;
	}
	w->in_workflows = strcmp(w->path, ".github/workflows") == 0;
	w->path[len] = '/';
	w->path[len + 1] = '\0';
	directory(w, sub, len + 1, depth + 1, &st);
	w->in_workflows = workflows;
}

/* fd is closed here; the path has len bytes and ends in a slash, or is empty. */
static void directory(struct walk *w, int fd, size_t len, unsigned depth, const struct stat *here)
{
	size_t patterns = w->ignore.n;
	DIR *dir = fdopendir(fd);
	const struct dirent *e;

	if (dir == NULL) {
		(void)close(fd);
		return;
	}
	if (w->recurse && depth > 0)
		patterns = push_gitignore(w, fd, len);
	while (!w->ended && (e = readdir(dir)) != NULL) {
		size_t n = strlen(e->d_name);
		unsigned char type = e->d_type;
		struct stat st;

		if (e->d_name[0] == '.' && (n == 1 || (n == 2 && e->d_name[1] == '.')))
			continue;
		if (++w->a->entries > SV_DISCOVER_ENTRIES_MAX) {
			sv_asks_note(w->a, "the search ended after %d files and directories", SV_DISCOVER_ENTRIES_MAX);
			w->ended = true;
			break;
		}
		if (len + n + 2 >= sizeof(w->path))
			continue;
		memcpy(w->path + len, e->d_name, n + 1);
		if (type == DT_UNKNOWN && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_LNK;
		if (type == DT_DIR && w->recurse)
			descend(w, fd, e->d_name, len + n, depth, here);
		else if (type == DT_REG || type == DT_LNK)
			one_file(w, fd, e->d_name);
	}
	w->path[len] = '\0';
	sv_ignore_drop(&w->ignore, patterns);
	(void)closedir(dir);
}

static void start(struct walk *w, int dir_fd, size_t len)
{
	struct stat st;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &st) == 0)
		directory(w, fd, len, 0, &st);
	else if (fd >= 0)
		(void)close(fd);
}

void sv_discover_dir(struct sv_asks *a, unsigned kinds, int dir_fd, const char *prefix, bool in_workflows)
{
	struct walk w = { .a = a, .kinds = kinds, .prefix = prefix, .in_workflows = in_workflows };

	start(&w, dir_fd, 0);
}

void sv_discover_walk(struct sv_asks *a, unsigned kinds, int dir_fd, const char *prefix, const char *top_prefix,
		      struct sv_arena *patterns_arena, const struct sv_root *root, size_t top)
{
	struct walk w = {
		.a = a, .kinds = kinds, .prefix = prefix, .recurse = true, .ignore = { .a = patterns_arena }
	};
	size_t top_len = root->n > 0 ? strlen(root->level[top].path) : 0;
	char *text;
	size_t len = strlen(top_prefix);

	if (len >= sizeof(w.path))
		return;
	if (root->n > 0 &&
	    sv_root_read(root->level[top].fd, ".git/info/exclude", SV_DISCOVER_FILE_MAX, &text, &len, NULL) == SV_OK) {
		(void)sv_ignore_push(&w.ignore, text, len, 0);
		free(text);
	}
	/* From the top of the repository down to here; a level's path ends where its own names begin. */
	for (size_t i = top + 1; root->n > 0 && i-- > 0;) {
		size_t base = strlen(root->level[i].path) - top_len;

		(void)push_gitignore(&w, root->level[i].fd, base);
	}
	len = strlen(top_prefix);
	memcpy(w.path, top_prefix, len + 1);
	w.shown = len;
	start(&w, dir_fd, len);
}
