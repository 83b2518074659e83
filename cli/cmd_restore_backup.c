/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv restore-backup: put a backup in the place of the vault, once it is proved good; the former file is kept.
 */
#include "cli/auth.h"
#include "cli/json.h"
#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	int passphrase_fd;
	bool recovery;
} args = { .passphrase_fd = -1 };

#define A(member) offsetof(__typeof__(args), member)

static const struct sv_opt opts[] = { { "passphrase-fd", 0, SV_OPT_FD, A(passphrase_fd), "N",
					"read the backup's passphrase or recovery code, one line, from descriptor N" },
				      { "recovery", 0, SV_OPT_FLAG, A(recovery), NULL,
					"open it with its recovery code" },
				      SV_OPT_END };

#define CHUNK ((size_t)1 << 20)

static enum sv_code read_chunk(int fd, struct sv_buf *b, size_t n, struct sv_err *err)
{
	unsigned char *p;
	size_t have = 0;

	if (sv_buf_extend(b, n, &p) != SV_OK)
		return sv_err_set(err, SV_ERR_NOMEM, "no memory to read the backup");
	while (have < n) {
		ssize_t r = read(fd, p + have, n - have);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return sv_err_sys(err, SV_ERR_IO, errno, "cannot read the backup");
		if (r == 0)
			return sv_err_set(err, SV_ERR_IO, "the backup became shorter while it was read");
		have += (size_t)r;
	}
	return SV_OK;
}

/* Send the file to the agent, frame by frame; the slots of it come back with the last one. */
static enum sv_code load(struct sv_cli *cli, const char *path, struct sv_slot_info slots[SV_SLOTS_MAX], size_t *n,
			 struct sv_err *err)
{
	struct sv_buf *body = NULL;
	struct stat st;
	uint64_t left;
	enum sv_code rc = SV_OK;
	int fd;

	sv_hint(cli, "FILE must be what sv backup wrote; the vault is as it was");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return sv_err_sys(err, errno == ENOENT ? SV_ERR_NOT_FOUND : SV_ERR_IO, errno, "cannot open %s", path);
	if (fstat(fd, &st) != 0)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot look at %s", path);
	else if (!S_ISREG(st.st_mode) || st.st_size == 0)
		rc = sv_err_set(err, SV_ERR_NOT_A_VAULT, "%s is no backup of a vault", path);
	left = rc == SV_OK ? (uint64_t)st.st_size : 0;
	while (rc == SV_OK && left > 0) {
		size_t part = left < CHUNK ? (size_t)left : CHUNK;

		left -= part;
		if ((rc = sv_client_begin(&cli->client, SV_MSG_LOAD, left > 0 ? SV_FRAME_MORE : 0, err)) == SV_OK &&
		    (rc = read_chunk(fd, &cli->client.out, part, err)) == SV_OK)
			rc = sv_client_call(&cli->client, &body, err);
	}
	(void)close(fd);
	if (rc == SV_OK && sv_msg_get_slots(body, slots, n) != SV_OK)
		rc = sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	if (rc == SV_OK)
		cli->hint[0] = '\0';
	return rc;
}

static enum sv_code adopt(struct sv_cli *cli, void *ctx, uint8_t slot, const unsigned char *key, struct sv_err *err)
{
	struct sv_buf *former = ctx;
	struct sv_buf *out = &cli->client.out;
	struct sv_buf *body;
	struct sv_text path;
	enum sv_code rc;

	if ((rc = sv_client_begin(&cli->client, SV_MSG_ADOPT, 0, err)) != SV_OK ||
	    (rc = sv_buf_put_u8(out, slot)) != SV_OK || (rc = sv_buf_put(out, key, SV_SLOT_KEY_BYTES)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	if (sv_msg_get_text(body, &path, SV_PATH_BYTES) != SV_OK || sv_buf_put(former, path.p, path.n) != SV_OK)
		return sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	return SV_OK;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	const struct sv_auth_how how = { .fd = args.passphrase_fd,
					 .recovery = args.recovery,
					 .question = args.recovery ? "Recovery code of the backup: "
								   : "Passphrase of the backup: " };
	struct sv_json j = { &cli->out, false };
	struct sv_slot_info slots[SV_SLOTS_MAX];
	struct sv_buf former = SV_BUF_INIT;
	struct sv_secret *key = NULL;
	struct sv_text path;
	uint8_t slot = 0;
	size_t n = 0;
	enum sv_code rc;

	(void)argc;
	if ((rc = load(cli, argv[0], slots, &n, err)) != SV_OK)
		return rc;
	rc = sv_auth_open(cli, &how, slots, n, adopt, &former, &slot, &key, NULL, err);
	sv_secret_free(&key);
	path = (struct sv_text){ former.data != NULL ? (const char *)former.data : "", former.len };
	if (rc == SV_OK && cli->opt.json) {
		sv_json_open(&j, NULL, '{');
		if (path.n > 0)
			sv_json_text(&j, "former_file", path);
		else
			sv_json_null(&j, "former_file");
		sv_json_close(&j, '}');
		sv_json_end(&j);
	} else if (rc == SV_OK && path.n > 0) {
		sv_say(cli, "the backup is the vault now; the file that was there is %.*s", (int)path.n, path.p);
	} else if (rc == SV_OK) {
		sv_say(cli, "the backup is the vault now");
	}
	sv_buf_clear(&former);
	return rc;
}

const struct sv_cmd sv_cmd_restore_backup = {
	.name = "restore-backup",
	.fn = run,
	.flags = SV_CMD_AGENT | SV_CMD_MAKES,
	.args_min = 1,
	.args_max = 1,
	.synopsis = "[--passphrase-fd N] [--recovery] FILE",
	.help = "put a backup in the place of the vault",
	.opts = opts,
	.args = &args,
	.more = "The whole backup is checked before anything is replaced, and opens with the passphrase it was made "
		"under.  The former\n"
		"file is kept beside the vault; its name is said.\n",
};
