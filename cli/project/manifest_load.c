/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a manifest from a directory, and the chain of files that it extends.
 */
#include "cli/project/manifest.h"

#include "cli/project/root.h"

#include <stdlib.h>
#include <string.h>

/* dir + "/" + path with "." and ".." taken out; the path is relative. */
static char *join(struct sv_arena *a, const char *dir, const char *path)
{
	char *out = sv_arena_fmt(a, "%s", dir);
	size_t room = strlen(dir) + strlen(path) + 2;
	char *full = sv_arena_alloc(a, room);
	size_t n;

	if (out == NULL || full == NULL)
		return NULL;
	n = strlen(out);
	memcpy(full, out, n + 1);
	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		if (len == 2 && memcmp(path, "..", 2) == 0) {
			while (n > 0 && full[n - 1] != '/')
				n--;
			if (n > 0)
				n--;
		} else if (len > 0 && !(len == 1 && *path == '.')) {
			full[n++] = '/';
			memcpy(full + n, path, len);
			n += len;
		}
		full[n] = '\0';
		path += len;
		path += strspn(path, "/");
	}
	return full;
}

static enum sv_code keep(struct sv_manifest *m, const char *path, char *text, size_t len, struct sv_err *err)
{
	char *copy = sv_arena_text(&m->arena, text, len);

	free(text);
	if (path == NULL || copy == NULL || !SV_ARENA_GROW(&m->arena, m->sources, m->n_sources))
		return sv_err_set(err, SV_ERR_NOMEM, "no memory for the manifest");
	m->sources[m->n_sources++] = (struct sv_manifest_source){ path, copy, len };
	return SV_OK;
}

enum sv_code sv_manifest_load(struct sv_manifest *m, int dir_fd, const char *dir, struct sv_err *err)
{
	const char *label = SV_MANIFEST_NAME;
	const char *path = sv_arena_fmt(&m->arena, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, SV_MANIFEST_NAME);
	const char *extends = NULL;
	char *text;
	size_t len;
	enum sv_code rc = sv_root_read(dir_fd, SV_MANIFEST_NAME, SV_MANIFEST_BYTES_MAX, &text, &len, err);

	if (rc != SV_OK) {
		sv_err_prefix(err, "%s", SV_MANIFEST_NAME);
		return rc;
	}
	for (;;) {
		const struct sv_manifest_source *s;
		const char *slash;
		char *next;

		if ((rc = keep(m, path, text, len, err)) != SV_OK)
			return rc;
		s = &m->sources[m->n_sources - 1];
		if ((rc = sv_manifest_parse(m, label, s->text, s->len, &extends, err)) != SV_OK || extends == NULL)
			return rc;
		slash = strrchr(path, '/');
		next = sv_arena_text(&m->arena, path, (size_t)(slash - path));
		if (next == NULL || (next = join(&m->arena, next, extends)) == NULL)
			return sv_err_set(err, SV_ERR_NOMEM, "no memory for the manifest");
		for (size_t i = 0; i < m->n_sources; i++)
			if (strcmp(m->sources[i].path, next) == 0)
				return sv_err_set(err, SV_ERR_FAIL, "%s: extends goes in a circle", label);
		if (m->n_sources == SV_MANIFEST_EXTENDS_MAX)
			return sv_err_set(err, SV_ERR_TOO_BIG, "%s: extends goes over more than %d files", label,
					  SV_MANIFEST_EXTENDS_MAX);
		path = next;
		label = next;
		if ((rc = sv_root_read(-1, path, SV_MANIFEST_BYTES_MAX, &text, &len, err)) != SV_OK) {
			sv_err_prefix(err, "%s", path);
			return rc == SV_ERR_NOT_FOUND ? sv_err_set(err, SV_ERR_FAIL,
								   "%s, which the manifest extends, is not there", path)
						      : rc;
		}
	}
}
