/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings file, by libyaml's document loader: one flat mapping of scalars.
 */
#include "cli/settings.h"

#include "cli/generate.h"
#include "cli/units.h"
#include "proto/endpoint.h"
#include "proto/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#define FILE_MAX          65536
#define CLIPBOARD_CLEAR_S 45

enum sv_code sv_settings_timer(const char *text, uint32_t *seconds, struct sv_err *err)
{
	int64_t s;
	enum sv_code rc;

	if (strcmp(text, "never") == 0) {
		*seconds = SV_TIMER_NEVER;
		return SV_OK;
	}
	if ((rc = sv_duration_parse(text, &s, err)) != SV_OK)
		return rc;
	if (s >= (int64_t)SV_TIMER_NEVER)
		return sv_err_set(err, SV_ERR_USAGE, "that is too long; the word for no limit is never");
	*seconds = (uint32_t)s;
	return SV_OK;
}

static enum sv_code set_idle(struct sv_settings *s, const char *v, struct sv_err *err)
{
	return sv_settings_timer(v, &s->idle_s, err);
}

static enum sv_code set_for(struct sv_settings *s, const char *v, struct sv_err *err)
{
	return sv_settings_timer(v, &s->total_s, err);
}

static enum sv_code set_clipboard(struct sv_settings *s, const char *v, struct sv_err *err)
{
	int64_t seconds;
	enum sv_code rc = sv_duration_parse(v, &seconds, err);

	if (rc == SV_OK && seconds > 3600)
		return sv_err_set(err, SV_ERR_USAGE, "at most 1h");
	if (rc == SV_OK)
		s->clipboard_clear_s = (uint32_t)seconds;
	return rc;
}

static enum sv_code set_color(struct sv_settings *s, const char *v, struct sv_err *err)
{
	if (strcmp(v, "auto") != 0 && strcmp(v, "always") != 0 && strcmp(v, "never") != 0)
		return sv_err_set(err, SV_ERR_USAGE, "it is auto, always or never");
	memcpy(s->color, v, strlen(v) + 1);
	return SV_OK;
}

static enum sv_code set_generate(struct sv_settings *s, const char *v, struct sv_err *err)
{
	enum sv_code rc = sv_generate_check(v, err);

	if (rc == SV_OK && strlen(v) >= sizeof(s->generate))
		return sv_err_set(err, SV_ERR_USAGE, "it is too long");
	if (rc == SV_OK)
		memcpy(s->generate, v, strlen(v) + 1);
	return rc;
}

static const struct {
	const char *key;
	enum sv_code (*set)(struct sv_settings *, const char *, struct sv_err *);
} keys[] = {
	{ "idle", set_idle },   { "for", set_for },           { "clipboard_clear", set_clipboard },
	{ "color", set_color }, { "generate", set_generate },
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static enum sv_code at(struct sv_err *err, const char *name, yaml_mark_t mark, const char *what)
{
	return sv_err_set(err, SV_ERR_USAGE, "%s, line %zu, column %zu: %s", name, mark.line + 1, mark.column + 1,
			  what);
}

static enum sv_code pair(struct sv_settings *s, const yaml_node_t *key, const yaml_node_t *value, unsigned *seen,
			 const char *name, struct sv_err *err)
{
	struct sv_err inner = SV_ERR_INIT;

	if (key->type != YAML_SCALAR_NODE)
		return at(err, name, key->start_mark, "a key must be a word");
	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].key, (const char *)key->data.scalar.value) != 0)
			continue;
		if ((*seen & 1u << i) != 0)
			return at(err, name, key->start_mark, "this key is there twice");
		*seen |= 1u << i;
		if (value->type != YAML_SCALAR_NODE)
			return at(err, name, value->start_mark, "a plain value is expected here");
		if (strlen((const char *)value->data.scalar.value) != value->data.scalar.length)
			return at(err, name, value->start_mark, "a NUL byte has no place here");
		if (keys[i].set(s, (const char *)value->data.scalar.value, &inner) != SV_OK)
			return at(err, name, value->start_mark, inner.msg);
		return SV_OK;
	}
	return at(err, name, key->start_mark, "unknown key; there are idle, for, clipboard_clear, color and generate");
}

static enum sv_code document(struct sv_settings *s, yaml_document_t *doc, const char *name, struct sv_err *err)
{
	const yaml_node_t *root = yaml_document_get_root_node(doc);
	unsigned seen = 0;

	if (root == NULL)
		return SV_OK; /* empty, or comments only */
	if (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0)
		return SV_OK;
	if (root->type != YAML_MAPPING_NODE)
		return at(err, name, root->start_mark, "lines of the form `key: value` are expected");
	for (const yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top; p++) {
		enum sv_code rc = pair(s, yaml_document_get_node(doc, p->key), yaml_document_get_node(doc, p->value),
				       &seen, name, err);

		if (rc != SV_OK)
			return rc;
	}
	return SV_OK;
}

enum sv_code sv_settings_parse(struct sv_settings *s, const char *text, size_t len, const char *name,
			       struct sv_err *err)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	enum sv_code rc;

	*s = (struct sv_settings){ .clipboard_clear_s = CLIPBOARD_CLEAR_S };
	if (yaml_parser_initialize(&parser) == 0)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory to read %s", name);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (yaml_parser_load(&parser, &doc) == 0) {
		rc = at(err, name, parser.problem_mark, parser.problem != NULL ? parser.problem : "this is not YAML");
	} else {
		rc = document(s, &doc, name, err);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return rc;
}

static bool config_path(char path[SV_PATH_BYTES])
{
	const char *base = getenv("XDG_CONFIG_HOME");
	const char *middle = "/sv/config.yaml";
	int n;

	if (base == NULL || base[0] != '/') {
		base = getenv("HOME");
		middle = "/.config/sv/config.yaml";
	}
	if (base == NULL || base[0] != '/')
		return false;
	n = snprintf(path, SV_PATH_BYTES, "%s%s", base, middle);
	return n > 0 && n < SV_PATH_BYTES;
}

enum sv_code sv_settings_load(struct sv_settings *s, struct sv_err *err)
{
	char path[SV_PATH_BYTES];
	enum sv_code rc = SV_OK;
	char *text = NULL;
	size_t len = 0;
	ssize_t n = 1;
	int fd;

	*s = (struct sv_settings){ .clipboard_clear_s = CLIPBOARD_CLEAR_S };
	if (!config_path(path))
		return SV_OK;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? SV_OK
							   : sv_err_sys(err, SV_ERR_IO, errno, "cannot open %s", path);
	text = malloc(FILE_MAX + 1);
	if (text == NULL)
		rc = sv_err_set(err, SV_ERR_NOMEM, "no memory to read %s", path);
	while (rc == SV_OK && n > 0 && len <= FILE_MAX) {
		n = read(fd, text + len, FILE_MAX + 1 - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot read %s", path);
		else
			len += (size_t)n;
	}
	if (rc == SV_OK && len > FILE_MAX)
		rc = sv_err_set(err, SV_ERR_USAGE, "%s is larger than %d bytes", path, FILE_MAX);
	if (rc == SV_OK)
		rc = sv_settings_parse(s, text, len, path, err);
	(void)close(fd);
	free(text);
	return rc;
}
