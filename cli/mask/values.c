/* SPDX-License-Identifier: Apache-2.0 */
/*
 * READ and GET into patterns.  READ comes frame by frame, so that a vault of any size passes through one buffer.
 */
#include "cli/mask/values.h"

#include "cli/out.h"
#include "cli/ref.h"

#include <string.h>

/* The name behind VAR= and sv:///. */
static const char *name_of(const char *text)
{
	const char *eq = strchr(text, '=');

	if (eq != NULL)
		text = eq + 1;
	return strncmp(text, "sv:///", 6) == 0 ? text + 6 : text;
}

enum sv_code sv_mask_check_select(const char *text, struct sv_err *err)
{
	const char *eq = strchr(text, '=');
	struct sv_text name;

	if (eq != NULL && (sv_var_check(text, (size_t)(eq - text), err) != SV_OK || sv_ref_is_group(eq + 1)))
		return sv_err_set(err, SV_ERR_USAGE, "-s takes NAME, VAR=NAME or GROUP/");
	return sv_ref_name(name_of(text), true, &name, err) == SV_OK ? SV_OK : SV_ERR_USAGE;
}

static enum sv_code malformed(struct sv_err *err)
{
	return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
}

/* u32 length + info, u32 length + value, as often as the frame has it. */
static enum sv_code add_frame(struct sv_buf *body, struct sv_patterns *ps, struct sv_err *err)
{
	while (sv_buf_unread(body) > 0) {
		const unsigned char *p;
		const unsigned char *value;
		struct sv_msg_info info;
		struct sv_buf view;
		size_t n;
		size_t value_len;
		enum sv_code rc;

		if (sv_buf_peek_str32(body, &p, &n, SV_FRAME_BODY_MAX) != SV_OK ||
		    sv_buf_peek_str32(body, &value, &value_len, SV_VALUE_MAX) != SV_OK)
			return malformed(err);
		view = (struct sv_buf){ .data = (unsigned char *)(uintptr_t)p, .len = n, .cap = n };
		if (sv_msg_get_info(&view, &info) != SV_OK)
			return malformed(err);
		if (info.gone)
			continue;
		if ((rc = sv_patterns_add(ps, info.name.p, info.name.n, value, value_len, err)) != SV_OK)
			return rc;
	}
	return SV_OK;
}

enum sv_code sv_mask_add_group(struct sv_client *c, struct sv_text env, struct sv_text group, struct sv_patterns *ps,
			       struct sv_err *err)
{
	const struct sv_msg_list list = { .env = env, .group = group, .with_meta = true };
	struct sv_buf *body;
	bool more = true;
	enum sv_code rc;

	if ((rc = sv_client_begin(c, SV_MSG_READ, 0, err)) != SV_OK)
		return rc;
	if ((rc = sv_msg_put_list(&c->out, &list)) != SV_OK)
		return sv_err_set(err, rc, "too much is selected for one request");
	rc = sv_client_send(c, err);
	while (rc == SV_OK && more)
		if ((rc = sv_client_recv(c, &body, &more, err)) == SV_OK)
			rc = add_frame(body, ps, err);
	return rc;
}

static enum sv_code add_name(struct sv_client *c, struct sv_text env, struct sv_text name, struct sv_patterns *ps,
			     struct sv_err *err)
{
	const struct sv_msg_ref ref = { .env = env, .name = name };
	struct sv_buf *body;
	enum sv_code rc;

	if ((rc = sv_client_begin(c, SV_MSG_GET, 0, err)) != SV_OK || (rc = sv_msg_put_ref(&c->out, &ref)) != SV_OK ||
	    (rc = sv_client_call(c, &body, err)) != SV_OK)
		return rc;
	return sv_patterns_add(ps, name.p, name.n, sv_buf_head(body), sv_buf_unread(body), err);
}

enum sv_code sv_mask_add_select(struct sv_client *c, struct sv_text env, const char *text, struct sv_patterns *ps,
				struct sv_err *err)
{
	struct sv_text name;
	size_t before = sv_patterns_secrets(ps);
	enum sv_code rc = sv_ref_name(name_of(text), true, &name, err);

	if (rc != SV_OK)
		return rc;
	if (name.n == 0 || name.p[name.n - 1] != '/')
		return add_name(c, env, name, ps, err);
	rc = sv_mask_add_group(c, env, name, ps, err);
	if (rc == SV_OK && sv_patterns_secrets(ps) == before)
		return sv_err_set(err, SV_ERR_NOT_FOUND, "there is no secret in %.*s", (int)name.n, name.p);
	return rc;
}

enum sv_code sv_mask_add_vault(struct sv_client *c, struct sv_patterns *ps, struct sv_err *err)
{
	struct sv_buf names = SV_BUF_INIT;
	struct sv_buf *body;
	enum sv_code rc;

	if ((rc = sv_client_begin(c, SV_MSG_ENVS, 0, err)) != SV_OK || (rc = sv_client_call(c, &body, err)) != SV_OK)
		return rc;
	/* The next request takes the buffer, so the names are copied. */
	if (sv_buf_put(&names, sv_buf_head(body), sv_buf_unread(body)) != SV_OK)
		rc = sv_err_set(err, SV_ERR_NOMEM, "no memory for the environments");
	while (rc == SV_OK && sv_buf_unread(&names) > 0) {
		struct sv_text env;
		uint8_t standalone;
		uint32_t secrets;

		if (sv_msg_get_text(&names, &env, SV_ENV_NAME_MAX) != SV_OK ||
		    sv_buf_get_u8(&names, &standalone) != SV_OK || sv_buf_get_u32(&names, &secrets) != SV_OK)
			rc = malformed(err);
		else
			rc = sv_mask_add_group(c, env, (struct sv_text){ "", 0 }, ps, err);
	}
	sv_buf_clear(&names);
	return rc;
}

enum sv_code sv_mask_add_vars(const struct sv_childenv_var *vars, size_t n, struct sv_patterns *ps,
			      struct sv_err *err)
{
	enum sv_code rc = SV_OK;

	for (size_t i = 0; i < n && rc == SV_OK; i++)
		rc = sv_patterns_add(ps, vars[i].name.p, vars[i].name.n, vars[i].pair + vars[i].var_len + 1,
				     vars[i].value_len, err);
	return rc;
}
