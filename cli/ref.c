/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References to secrets as they are typed.
 */
#include "cli/ref.h"

#include "cli/opts.h"
#include "cli/out.h"

#include <string.h>

#define SCHEME      "sv://"
#define VERSION_MAX UINT64_C(1000000000000000)

bool sv_ref_is_group(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && text[n - 1] == '/';
}

enum sv_code sv_ref_name(const char *text, bool group, struct sv_text *name, struct sv_err *err)
{
	*name = sv_text_of(text);
	if (group && sv_ref_is_group(text))
		return sv_group_check(name->p, name->n, err);
	return sv_name_check(name->p, name->n, err);
}

enum sv_code sv_ref_parse(const char *text, struct sv_text env, struct sv_msg_ref *ref, struct sv_err *err)
{
	const char *at;
	enum sv_code rc;

	*ref = (struct sv_msg_ref){ .env = env };
	if (strncmp(text, SCHEME, sizeof(SCHEME) - 1) == 0) {
		size_t n;

		text += sizeof(SCHEME) - 1;
		n = strcspn(text, "/");
		if (text[n] != '/')
			return sv_err_set(err, SV_ERR_NAME,
					  "a reference is sv://ENV/NAME, or sv:///NAME for the current environment");
		if (n > 0) {
			ref->env = (struct sv_text){ text, n };
			if ((rc = sv_env_name_check(text, n, err)) != SV_OK)
				return rc;
		}
		text += n + 1;
	}
	ref->name = sv_text_of(text);
	at = strrchr(text, '@');
	if (at != NULL && sv_number_parse(at + 1, VERSION_MAX, &ref->version)) {
		if (ref->version == 0)
			return sv_err_set(err, SV_ERR_USAGE, "versions are counted from 1");
		ref->name.n = (size_t)(at - text);
	}
	return sv_name_check(ref->name.p, ref->name.n, err);
}
