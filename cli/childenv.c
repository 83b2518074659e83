/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envp from the inherited environment and resolved secrets, by one open-addressing table of names.
 */
#include "cli/childenv.h"

#include "vault/base/name.h"

#include <stdint.h>
#include <string.h>

/* A table entry: 0 free, else 1 + index into the list of variables, secrets first, then the inherited. */
typedef uint32_t slot_t;

static size_t table_size(size_t n)
{
	size_t size = 16;

	while (size < 2 * n)
		size *= 2;
	return size;
}

size_t sv_childenv_room(size_t n_inherited, size_t n_vars)
{
	size_t n = n_inherited + n_vars;

	return (n + 1) * sizeof(char *) + table_size(n) * sizeof(slot_t);
}

static uint32_t hash(const char *p, size_t n)
{
	uint32_t h = 2166136261u; /* FNV-1a: collisions only cost time, and a person chooses his own environment */

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 16777619u;
	return h;
}

static size_t name_len(const char *pair)
{
	/* A first character '=' belongs to the name (glibc and env(1) keep such entries). */
	return pair[0] == '\0' ? 0 : 1 + strcspn(pair + 1, "=");
}

/* The slot that holds the name, or the free one where it goes. */
static slot_t *lookup(slot_t *table, size_t size, char *const *list, const char *var, size_t len)
{
	size_t i = hash(var, len) & (size - 1);

	while (table[i] != 0) {
		const char *other = list[table[i] - 1];

		if (strncmp(other, var, len) == 0 && (other[len] == '=' || other[len] == '\0'))
			break;
		i = (i + 1) & (size - 1);
	}
	return &table[i];
}

static bool plumbing(const char *pair, size_t len)
{
	return (len == 8 && memcmp(pair, "SV_VAULT", 8) == 0) || (len == 9 && memcmp(pair, "SV_SOCKET", 9) == 0);
}

static enum sv_code check(const struct sv_childenv_var *v, unsigned flags, struct sv_err *err)
{
	const char *var = v->pair;
	int n = (int)v->name.n;
	int len = (int)v->var_len;

	if (sv_var_check(var, v->var_len, err) != SV_OK) {
		sv_err_prefix(err, "the variable name of %.*s", n, v->name.p);
		return SV_ERR_NAME;
	}
	if ((flags & SV_CHILDENV_FORCE) == 0 && (sv_var_dangerous(var, v->var_len) || plumbing(var, v->var_len)))
		return sv_err_set(err, SV_ERR_DENIED,
				  "%.*s would set %.*s, which changes how programs run; --force allows it", n,
				  v->name.p, len, var);
	if (v->value_len == 0)
		return sv_err_set(err, SV_ERR_FAIL, "%.*s is empty; sv set gives it a value", n, v->name.p);
	if (v->var_len + 1 + v->value_len > SV_VAR_PAIR_MAX)
		return sv_err_set(err, SV_ERR_TOO_BIG,
				  "%.*s is too large for an environment variable (%zu bytes; with its name at most "
				  "%d); read it with sv get",
				  n, v->name.p, v->value_len, SV_VAR_PAIR_MAX);
	if ((flags & SV_CHILDENV_NO_VALUES) == 0 && memchr(v->pair + v->var_len + 1, '\0', v->value_len) != NULL)
		return sv_err_set(err, SV_ERR_FAIL,
				  "%.*s holds a NUL byte, which no environment variable can; read it with sv get", n,
				  v->name.p);
	return SV_OK;
}

struct build {
	char **list;
	slot_t *table;
	size_t size, n;
};

static void add_inherited(struct build *b, char *const *inherited)
{
	for (; *inherited != NULL; inherited++) {
		size_t len = name_len(*inherited);
		slot_t *at;

		if (plumbing(*inherited, len))
			continue;
		at = lookup(b->table, b->size, b->list, *inherited, len);
		if (*at != 0)
			continue;
		b->list[b->n++] = *inherited;
		*at = (slot_t)b->n;
	}
}

static enum sv_code twice(const struct sv_childenv_var *vars, const struct sv_childenv_var *v, const char *pair,
			  struct sv_err *err)
{
	const struct sv_childenv_var *other = vars;

	while (other->pair != pair)
		other++;
	if (other->name.n == v->name.n && memcmp(other->name.p, v->name.p, v->name.n) == 0)
		return SV_OK; /* one secret, selected in two ways */
	return sv_err_set(err, SV_ERR_CONFLICT,
			  "%.*s and %.*s would both set %.*s; name one of them another way with -s VAR=NAME",
			  (int)other->name.n, other->name.p, (int)v->name.n, v->name.p, (int)v->var_len, v->pair);
}

static enum sv_code add_secrets(struct build *b, const struct sv_childenv_var *vars, size_t n_vars, unsigned flags,
				struct sv_err *err)
{
	size_t kept = b->n; /* what is in the list already wins */

	for (const struct sv_childenv_var *v = vars; v < vars + n_vars; v++) {
		enum sv_code rc = check(v, flags, err);
		slot_t *at;

		if (rc != SV_OK)
			return rc;
		at = lookup(b->table, b->size, b->list, v->pair, v->var_len);
		if (*at == 0) {
			b->list[b->n++] = v->pair;
			*at = (slot_t)b->n;
		} else if (*at > kept && (rc = twice(vars, v, b->list[*at - 1], err)) != SV_OK) {
			return rc;
		}
	}
	return SV_OK;
}

enum sv_code sv_childenv_build(char *const *inherited, const struct sv_childenv_var *vars, size_t n_vars,
			       unsigned flags, void *room, char ***envp, struct sv_err *err)
{
	struct build b = { .list = room };
	size_t n_inherited = 0;
	enum sv_code rc;

	while (inherited[n_inherited] != NULL)
		n_inherited++;
	b.size = table_size(n_inherited + n_vars);
	b.table = (slot_t *)(void *)(b.list + n_inherited + n_vars + 1);
	memset(b.table, 0, b.size * sizeof(*b.table));
	if ((flags & SV_CHILDENV_KEEP) != 0)
		add_inherited(&b, inherited);
	if ((rc = add_secrets(&b, vars, n_vars, flags, err)) != SV_OK)
		return rc;
	if ((flags & SV_CHILDENV_KEEP) == 0)
		add_inherited(&b, inherited);
	b.list[b.n] = NULL;
	*envp = b.list;
	return SV_OK;
}
