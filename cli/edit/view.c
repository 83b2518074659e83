/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sv show prints of a group.  Values stay in the agent.
 */
#include "cli/edit/view.h"

#include "cli/edit/doc.h"
#include "cli/edit/remote.h"

enum sv_code sv_view_masked(struct sv_cli *cli, struct sv_text group, bool full, struct sv_err *err)
{
	const struct sv_doc_style style = { .format = SV_DOC_YAML, .full = full, .masked = true };
	struct sv_tree tree = SV_TREE_INIT;
	struct sv_buf text = SV_BUF_LOCKED(0);
	enum sv_code rc = sv_remote_read_masked(cli, group, &tree, err);

	if (rc == SV_OK && tree.n == 0 && group.n > 0)
		rc = sv_err_set(err, SV_ERR_NOT_FOUND, "there is no group %.*s in the environment %.*s", (int)group.n,
				group.p, (int)cli->env.n, cli->env.p);
	if (rc == SV_OK)
		rc = sv_doc_write(&style, &tree, &text, err);
	if (rc == SV_OK && text.len > 0)
		sv_out_bytes(&cli->out, text.data, text.len);
	sv_buf_clear(&text);
	sv_tree_clear(&tree);
	return rc;
}
