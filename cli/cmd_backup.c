/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sv backup: a consistent copy of the encrypted vault, complete or not there at all.
 */
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/say.h"
#include "cli/units.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
	bool force;
} args;

static const struct sv_opt opts[] = {
	{ "force", 'f', SV_OPT_FLAG, offsetof(__typeof__(args), force), NULL, "replace an existing file" }, SV_OPT_END
};

static enum sv_code check(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	(void)argc;
	if (strcmp(argv[0], "-") == 0)
		return isatty(STDOUT_FILENO) == 1
			       ? sv_err_set(err, SV_ERR_DENIED, "a backup is no text; give a file name, or redirect it")
			       : SV_OK;
	if (strlen(argv[0]) >= SV_PATH_BYTES - 32 || argv[0][0] == '\0')
		return sv_err_set(err, SV_ERR_USAGE, "the name of the file is too long");
	if (!args.force && access(argv[0], F_OK) == 0) {
		sv_hint(cli, "--force replaces it");
		return sv_err_set(err, SV_ERR_EXISTS, "%s exists already", argv[0]);
	}
	return SV_OK;
}

static enum sv_code stream(struct sv_cli *cli, int fd, uint64_t *bytes, struct sv_err *err)
{
	struct sv_buf *body;
	bool more = true;
	enum sv_code rc;

	if ((rc = sv_client_begin(&cli->client, SV_MSG_BACKUP, 0, err)) != SV_OK ||
	    (rc = sv_client_send(&cli->client, err)) != SV_OK)
		return rc;
	while (rc == SV_OK && more) {
		rc = sv_client_recv(&cli->client, &body, &more, err);
		if (rc == SV_OK) {
			*bytes += sv_buf_unread(body);
			rc = sv_write_all(fd, sv_buf_head(body), sv_buf_unread(body), err);
		}
	}
	return rc;
}

/* A name beside the target, so that the last step is within one file system. */
static enum sv_code open_temp(const char *target, char temp[SV_PATH_BYTES], int *fd, struct sv_err *err)
{
	const char *slash = strrchr(target, '/');
	int dir = slash != NULL ? (int)(slash - target + 1) : 0;

	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(temp, SV_PATH_BYTES, "%.*s.sv-backup-%ld-%u", dir, target, (long)getpid(), i);
		*fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (*fd >= 0)
			return SV_OK;
		if (errno != EEXIST)
			break;
	}
	return sv_err_sys(err, errno == EACCES || errno == EROFS ? SV_ERR_DENIED : SV_ERR_IO, errno,
			  "cannot write beside %s", target);
}

static enum sv_code settle(const char *temp, const char *target, struct sv_err *err)
{
	char dir[SV_PATH_BYTES];
	char *slash;
	int fd;

	/* link(2) fails when somebody made the target meanwhile; rename(2) would replace it. */
	if (args.force ? rename(temp, target) != 0 : link(temp, target) != 0)
		return errno == EEXIST ? sv_err_set(err, SV_ERR_EXISTS, "%s exists already", target)
				       : sv_err_sys(err, SV_ERR_IO, errno, "cannot put the backup at %s", target);
	if (!args.force)
		(void)unlink(temp);
	memcpy(dir, target, strlen(target) + 1);
	slash = strrchr(dir, '/');
	if (slash == NULL)
		memcpy(dir, ".", 2);
	else
		slash[1] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		(void)close(fd);
	}
	return SV_OK;
}

static enum sv_code to_file(struct sv_cli *cli, const char *target, uint64_t *bytes, struct sv_err *err)
{
	char temp[SV_PATH_BYTES];
	int fd = -1;
	enum sv_code rc;

	if ((rc = open_temp(target, temp, &fd, err)) != SV_OK)
		return rc;
	rc = stream(cli, fd, bytes, err);
	if (rc == SV_OK && fsync(fd) != 0)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot write the backup to the disk");
	if (close(fd) != 0 && rc == SV_OK)
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot write the backup");
	if (rc == SV_OK)
		rc = settle(temp, target, err);
	if (rc != SV_OK)
		(void)unlink(temp);
	return rc;
}

static enum sv_code run(struct sv_cli *cli, int argc, char **argv, struct sv_err *err)
{
	struct sv_json j = { &cli->out, false };
	char size[SV_DURATION_BYTES];
	uint64_t bytes = 0;
	enum sv_code rc;

	(void)argc;
	if (strcmp(argv[0], "-") == 0)
		return stream(cli, STDOUT_FILENO, &bytes, err);
	if ((rc = to_file(cli, argv[0], &bytes, err)) != SV_OK)
		return rc;
	if (cli->opt.json) {
		sv_json_open(&j, NULL, '{');
		sv_json_str(&j, "file", argv[0]);
		sv_json_number(&j, "bytes", (int64_t)bytes);
		sv_json_close(&j, '}');
		sv_json_end(&j);
	} else {
		sv_size_format(bytes, size);
		sv_say(cli, "wrote %s (%s)", argv[0], size);
	}
	return SV_OK;
}

const struct sv_cmd sv_cmd_backup = {
	.name = "backup",
	.fn = run,
	.check = check,
	.flags = SV_CMD_AGENT | SV_CMD_UNLOCKED,
	.args_min = 1,
	.args_max = 1,
	.synopsis = "[--force] FILE|-",
	.help = "copy the encrypted vault",
	.opts = opts,
	.args = &args,
	.more = "The copy is consistent, checked, and opens with the present passphrase or recovery code.  The file is "
		"complete or not\n"
		"there; - writes to standard output.\n",
};
