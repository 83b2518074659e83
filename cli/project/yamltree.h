/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML files as trees with line and column, built from libyaml's events.
 *
 * Two manners of reading.  SV_YAML_STRICT is for our own manifest: one document; anchors, aliases, explicit tags and
 * duplicate keys are errors, because what a person reviews must be what is meant.  Otherwise (compose files, manifests
 * of Kubernetes, workflows) several documents, aliases point at the node they name, the last of two equal keys counts,
 * and tags are ignored.
 */
#ifndef SV_PROJECT_YAMLTREE_H
#define SV_PROJECT_YAMLTREE_H

#include "cli/project/arena.h"

#include <stdbool.h>

enum sv_yaml_kind { SV_YAML_SCALAR, SV_YAML_MAP, SV_YAML_SEQ };

struct sv_yaml {
	enum sv_yaml_kind kind;
	bool plain;         /* a scalar without quotes */
	bool closed;        /* fully read: an alias inside its own anchor is refused */
	unsigned line, col; /* from 1 */
	const char *text;   /* of a scalar, with NUL behind */
	size_t len;
	struct sv_yaml **v; /* of a map: key, value, key, value ...; of a sequence: items */
	size_t n;           /* pointers in v */
};

#define SV_YAML_STRICT           1u
#define SV_YAML_DEPTH_MAX        32
#define SV_YAML_NODES_MAX        200000
#define SV_YAML_STRICT_NODES_MAX 20000

/*
 * *docs: the roots of n documents, all in the arena; an empty file has none.  SV_ERR_FAIL with "line L, column C: ..."
 * for what does not parse or is refused; SV_ERR_TOO_BIG; SV_ERR_NOMEM.
 */
enum sv_code sv_yaml_parse(struct sv_arena *a, const char *text, size_t len, unsigned flags, struct sv_yaml ***docs,
			   size_t *n, struct sv_err *err) SV_CHECK;

/* The value of a key in a map, the last one of the name; NULL when y is no map or has none.  y may be NULL. */
const struct sv_yaml *sv_yaml_get(const struct sv_yaml *y, const char *key);
/* ~, null or nothing at all, without quotes. */
bool sv_yaml_is_null(const struct sv_yaml *y);
/* true and false as YAML 1.2 writes them (and True, TRUE ...); false: neither. */
bool sv_yaml_bool(const struct sv_yaml *y, bool *out);
bool sv_yaml_is(const struct sv_yaml *y, const char *text);

#endif
