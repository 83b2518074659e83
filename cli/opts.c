/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing of options by rows.  Works on argv in place and allocates nothing.
 */
#include "cli/opts.h"

#include <string.h>

#define FD_MAX     1048575u
#define NUMBER_MAX UINT64_C(1000000000000000)

bool sv_number_parse(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		unsigned digit = (unsigned)(unsigned char)*text - '0';

		if (digit > 9 || digit > max || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

static const struct sv_opt *find_long(const struct sv_opt *rows, const char *name, size_t len)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		if (strncmp(rows->name, name, len) == 0 && rows->name[len] == '\0')
			return rows;
	return NULL;
}

static const struct sv_opt *find_letter(const struct sv_opt *rows, char letter)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		if (rows->letter == letter)
			return rows;
	return NULL;
}

static enum sv_code store(const struct sv_opt *o, void *into, const char *value, struct sv_err *err)
{
	char *at = (char *)into + o->offset;
	uint64_t number;

	switch ((enum sv_opt_kind)o->kind) {
	case SV_OPT_FLAG: *(bool *)(void *)at = true; return SV_OK;
	case SV_OPT_TEXT: *(const char **)(void *)at = value; return SV_OK;
	case SV_OPT_LIST: {
		struct sv_opt_list *list = (struct sv_opt_list *)(void *)at;

		if (list->n == list->max)
			return sv_err_set(err, SV_ERR_USAGE, "--%s is given more than %zu times", o->name, list->max);
		list->v[list->n++] = value;
		return SV_OK;
	}
	case SV_OPT_FD:
		if (!sv_number_parse(value, FD_MAX, &number))
			return sv_err_set(err, SV_ERR_USAGE,
					  "--%s wants the number of an open descriptor, as in --%s 3 3<file", o->name,
					  o->name);
		*(int *)(void *)at = (int)number;
		return SV_OK;
	case SV_OPT_NUMBER:
		if (!sv_number_parse(value, NUMBER_MAX, &number) || number == 0)
			return sv_err_set(err, SV_ERR_USAGE, "--%s wants a number from 1", o->name);
		*(uint64_t *)(void *)at = number;
		return SV_OK;
	case SV_OPT_MAYBE: *(struct sv_opt_maybe *)(void *)at = (struct sv_opt_maybe){ true, value }; return SV_OK;
	}
	return sv_err_set(err, SV_ERR_USAGE, "--%s cannot be used", o->name);
}

/* One option at argv[i]; *i moves to the last element it used. */
static enum sv_code option(const struct sv_opts_set *set, int argc, char **argv, int *i, struct sv_err *err)
{
	const char *text = argv[*i];
	const char *name = text + 2;
	const char *value = NULL;
	const struct sv_opt *o;
	void *into = set->into;
	bool is_long = text[1] == '-';
	size_t len;

	if (is_long) {
		len = strcspn(name, "=");
		if (name[len] == '=')
			value = name + len + 1;
		if ((o = find_long(set->rows, name, len)) == NULL) {
			o = find_long(set->globals, name, len);
			into = set->globals_into;
		}
		if (o == NULL)
			return sv_err_set(err, SV_ERR_USAGE, "there is no option --%.*s here",
					  (int)(len > 40 ? 40 : len), name);
	} else {
		if (text[2] != '\0')
			value = text + 2;
		if ((o = find_letter(set->rows, text[1])) == NULL) {
			o = find_letter(set->globals, text[1]);
			into = set->globals_into;
		}
		if (o == NULL)
			return sv_err_set(err, SV_ERR_USAGE, "there is no option -%c here",
					  (unsigned char)text[1] < 0x80 ? text[1] : '?');
	}
	if (o->kind == SV_OPT_FLAG) {
		if (value != NULL)
			return sv_err_set(err, SV_ERR_USAGE, "--%s takes no value", o->name);
	} else if (o->kind != SV_OPT_MAYBE && value == NULL) {
		if (*i + 1 >= argc)
			return sv_err_set(err, SV_ERR_USAGE, "--%s wants %s behind it", o->name, o->arg);
		value = argv[++*i];
	}
	return store(o, into, value, err);
}

enum sv_code sv_opts_parse(const struct sv_opts_set *set, int argc, char **argv, char **args, int *n_args,
			   struct sv_err *err)
{
	int n = 0;
	int i;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (argv[i][0] == '-' && argv[i][1] != '\0') {
			enum sv_code rc = option(set, argc, argv, &i, err);

			if (rc != SV_OK)
				return rc;
			continue;
		}
		if (set->stop_at_arg)
			break;
		args[n++] = argv[i];
	}
	if (set->stop_at_arg) {
		*n_args = argc - i;
		return SV_OK;
	}
	for (; i < argc; i++)
		args[n++] = argv[i];
	args[n] = NULL;
	*n_args = n;
	return SV_OK;
}
