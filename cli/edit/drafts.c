/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drafts as bytes, as objects of the vault and as sealed files.
 */
#include "cli/edit/drafts.h"

#include "cli/session.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC      "SVDRAFT1"
#define MAGIC_LEN  8
#define KEY_LEN    crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_LEN  crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN    crypto_aead_xchacha20poly1305_ietf_ABYTES
#define BOX_LEN    (KEY_LEN + crypto_box_SEALBYTES)
#define HEAD_LEN   (MAGIC_LEN + BOX_LEN + NONCE_LEN)
#define DRAFT_MAX  (SV_DOC_BYTES_MAX * 5)
#define KIND_DRAFT 5 /* SV_OBJECT_DRAFT of the vault */

_Static_assert(SV_DRAFT_PK_BYTES == crypto_box_PUBLICKEYBYTES, "a draft is sealed to an X25519 key");

void sv_draft_clear(struct sv_draft *d)
{
	sv_tree_clear(&d->base);
	sv_buf_clear(&d->text);
	sv_wipe(d, sizeof(*d));
	d->text = (struct sv_buf)SV_BUF_LOCKED(DRAFT_MAX);
}

/* ---- as bytes ---------------------------------------------------------------------------------------------------- */

static enum sv_code put_item(struct sv_buf *out, const struct sv_item *it)
{
	enum sv_code rc = sv_buf_put_str16(out, it->name.p, it->name.n);

	if (rc == SV_OK)
		rc = sv_buf_put_u8(out, it->inherited);
	if (rc == SV_OK)
		rc = sv_buf_put_u32(out, (uint32_t)it->value_len);
	if (rc == SV_OK)
		rc = sv_buf_put_u64(out, it->version);
	if (rc == SV_OK)
		rc = sv_buf_put(out, it->mark, SV_MARK_BYTES);
	return rc == SV_OK ? sv_buf_put(out, it->meta_mark, SV_MARK_BYTES) : rc;
}

enum sv_code sv_draft_put_head(struct sv_buf *out, const struct sv_draft *d, const struct sv_tree *base,
			       struct sv_err *err)
{
	enum sv_code rc = sv_buf_put(out, MAGIC, MAGIC_LEN);

	if (rc == SV_OK)
		rc = sv_buf_put_u8(out, (uint8_t)d->format);
	if (rc == SV_OK)
		rc = sv_buf_put_u8(out, d->full);
	if (rc == SV_OK)
		rc = sv_buf_put_u64(out, (uint64_t)d->made_s);
	if (rc == SV_OK)
		rc = sv_buf_put_str16(out, d->env, strlen(d->env));
	if (rc == SV_OK)
		rc = sv_buf_put_str16(out, d->scope, strlen(d->scope));
	if (rc == SV_OK)
		rc = sv_buf_put(out, d->mark_key, SV_MARK_KEY_BYTES);
	if (rc == SV_OK)
		rc = sv_buf_put_u32(out, (uint32_t)base->n);
	for (size_t i = 0; rc == SV_OK && i < base->n; i++)
		rc = put_item(out, &base->items[i]);
	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "no memory for the draft");
}

enum sv_code sv_draft_put_text(struct sv_buf *out, const unsigned char *p, size_t n, struct sv_err *err)
{
	enum sv_code rc = sv_buf_put_str32(out, p, n);

	return rc == SV_OK ? SV_OK : sv_err_set(err, rc, "the draft is too big");
}

static bool get_text(struct sv_buf *in, char *out, size_t size)
{
	const char *p;
	size_t n;

	if (sv_buf_peek_str16(in, &p, &n, size - 1) != SV_OK || (n > 0 && memchr(p, 0, n) != NULL))
		return false;
	memcpy(out, p, n);
	out[n] = '\0';
	return true;
}

static enum sv_code get_item(struct sv_buf *in, struct sv_tree *t, struct sv_err *err)
{
	struct sv_item *it;
	struct sv_text name;
	uint8_t inherited;
	uint32_t len;
	enum sv_code rc;

	if (sv_buf_peek_str16(in, &name.p, &name.n, SV_NAME_MAX) != SV_OK || sv_buf_get_u8(in, &inherited) != SV_OK)
		return SV_ERR_INTEGRITY;
	if ((rc = sv_tree_add(t, name, NULL, 0, NULL, &it, err)) != SV_OK)
		return rc;
	it->inherited = inherited != 0;
	it->has_meta = true;
	if (sv_buf_get_u32(in, &len) != SV_OK || sv_buf_get_u64(in, &it->version) != SV_OK ||
	    sv_buf_get(in, it->mark, SV_MARK_BYTES) != SV_OK || sv_buf_get(in, it->meta_mark, SV_MARK_BYTES) != SV_OK)
		return SV_ERR_INTEGRITY;
	it->value_len = len;
	return SV_OK;
}

enum sv_code sv_draft_get(struct sv_buf *in, struct sv_draft *d, struct sv_err *err)
{
	char magic[MAGIC_LEN];
	const unsigned char *text;
	uint64_t made = 0;
	uint8_t format = 0, full = 0;
	uint32_t n = 0;
	size_t len;
	enum sv_code rc = SV_OK;

	if (sv_buf_get(in, magic, MAGIC_LEN) != SV_OK || memcmp(magic, MAGIC, MAGIC_LEN) != 0 ||
	    sv_buf_get_u8(in, &format) != SV_OK || format > SV_DOC_JSON || sv_buf_get_u8(in, &full) != SV_OK ||
	    sv_buf_get_u64(in, &made) != SV_OK || !get_text(in, d->env, sizeof(d->env)) ||
	    !get_text(in, d->scope, sizeof(d->scope)) || sv_buf_get(in, d->mark_key, SV_MARK_KEY_BYTES) != SV_OK ||
	    sv_buf_get_u32(in, &n) != SV_OK || n > SV_SECRETS_MAX)
		rc = SV_ERR_INTEGRITY;
	d->format = (enum sv_doc_format)format;
	d->full = full != 0;
	d->made_s = (int64_t)made;
	for (uint32_t i = 0; rc == SV_OK && i < n; i++)
		rc = get_item(in, &d->base, err);
	if (rc == SV_OK && sv_buf_peek_str32(in, &text, &len, DRAFT_MAX) != SV_OK)
		rc = SV_ERR_INTEGRITY;
	if (rc == SV_OK)
		rc = sv_buf_put(&d->text, text, len);
	if (rc != SV_OK)
		return sv_err_set(err, rc, "the draft does not parse");
	sv_tree_sort(&d->base);
	return SV_OK;
}

/* ---- as files ---------------------------------------------------------------------------------------------------- */

/* The beginning of the names of one vault's drafts. */
static void file_prefix(const char *vault_path, char out[SV_DRAFT_ID_BYTES])
{
	unsigned char digest[crypto_generichash_BYTES_MIN];
	char hex[17];

	(void)crypto_generichash(digest, sizeof(digest), (const unsigned char *)vault_path, strlen(vault_path), NULL,
				 0);
	(void)sodium_bin2hex(hex, sizeof(hex), digest, 8);
	(void)snprintf(out, SV_DRAFT_ID_BYTES, "draft-%s-", hex);
}

static enum sv_code state_directory(const char *path, int *fd, struct sv_err *err)
{
	char at[SV_PATH_BYTES];
	struct stat st;
	size_t n = strlen(path);

	if (n >= sizeof(at))
		return sv_err_set(err, SV_ERR_TOO_BIG, "the path of the state directory is too long");
	memcpy(at, path, n + 1);
	for (size_t i = 1; i <= n; i++) {
		if (at[i] != '/' && at[i] != '\0')
			continue;
		at[i] = '\0';
		if (mkdir(at, 0700) != 0 && errno != EEXIST)
			return sv_err_sys(err, SV_ERR_IO, errno, "cannot make the state directory");
		at[i] = path[i];
	}
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, &st) != 0)
		return sv_err_sys(err, SV_ERR_IO, errno, "cannot open the state directory");
	if (st.st_uid != geteuid())
		return sv_err_set(err, SV_ERR_DENIED, "the state directory belongs to somebody else");
	return SV_OK;
}

static enum sv_code seal(const unsigned char pk[SV_DRAFT_PK_BYTES], const struct sv_buf *plain, struct sv_buf *out,
			 struct sv_err *err)
{
	unsigned char key[KEY_LEN];
	unsigned char *at;
	unsigned long long sealed = 0;
	size_t len = sv_buf_unread(plain);
	enum sv_code rc = sv_buf_extend(out, HEAD_LEN + len + TAG_LEN, &at);

	if (rc != SV_OK)
		return sv_err_set(err, rc, "no memory for the draft");
	randombytes_buf(key, sizeof(key));
	memcpy(at, MAGIC, MAGIC_LEN);
	randombytes_buf(at + MAGIC_LEN + BOX_LEN, NONCE_LEN);
	if (crypto_box_seal(at + MAGIC_LEN, key, sizeof(key), pk) != 0)
		rc = sv_err_set(err, SV_ERR_FAIL, "the vault's draft key is not usable");
	else
		(void)crypto_aead_xchacha20poly1305_ietf_encrypt(at + HEAD_LEN, &sealed, sv_buf_head(plain), len, at,
								 MAGIC_LEN + BOX_LEN, NULL, at + MAGIC_LEN + BOX_LEN,
								 key);
	sv_wipe(key, sizeof(key));
	sv_stack_scrub();
	return rc;
}

enum sv_code sv_draft_save_file(const char *state_dir, const char *vault_path,
				const unsigned char pk[SV_DRAFT_PK_BYTES], const struct sv_buf *plain,
				struct sv_err *err)
{
	struct sv_buf out = { .max = DRAFT_MAX + HEAD_LEN + TAG_LEN };
	char prefix[SV_DRAFT_ID_BYTES], name[2 * SV_DRAFT_ID_BYTES], part[2 * SV_DRAFT_ID_BYTES + 8];
	int dir = -1, fd = -1;
	enum sv_code rc;

	if ((rc = seal(pk, plain, &out, err)) != SV_OK || (rc = state_directory(state_dir, &dir, err)) != SV_OK)
		goto out;
	file_prefix(vault_path, prefix);
	(void)snprintf(name, sizeof(name), "%s%llx-%08x", prefix, (unsigned long long)time(NULL), randombytes_random());
	(void)snprintf(part, sizeof(part), "%s.part", name);
	fd = openat(dir, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot keep the draft as a file");
		goto out;
	}
	rc = sv_write_all(fd, out.data, out.len, err);
	if (rc == SV_OK && (fsync(fd) != 0 || renameat(dir, part, dir, name) != 0 || fsync(dir) != 0))
		rc = sv_err_sys(err, SV_ERR_IO, errno, "cannot keep the draft as a file");
	if (rc != SV_OK)
		(void)unlinkat(dir, part, 0);
out:
	if (fd >= 0)
		(void)close(fd);
	if (dir >= 0)
		(void)close(dir);
	sv_buf_clear(&out);
	return rc;
}

static enum sv_code read_file(int dir, const char *name, struct sv_buf *out, struct sv_err *err)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	unsigned char *at;
	enum sv_code rc = SV_OK;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
		rc = sv_err_set(err, SV_ERR_IO, "cannot read a draft");
	else if (st.st_size < (off_t)(HEAD_LEN + TAG_LEN) || st.st_size > (off_t)(DRAFT_MAX + HEAD_LEN + TAG_LEN))
		rc = sv_err_set(err, SV_ERR_INTEGRITY, "a draft of an impossible size");
	else if ((rc = sv_buf_extend(out, (size_t)st.st_size, &at)) != SV_OK)
		rc = sv_err_set(err, rc, "no memory for the draft");
	for (size_t got = 0; rc == SV_OK && got < (size_t)st.st_size;) {
		ssize_t n = read(fd, at + got, (size_t)st.st_size - got);

		if (n <= 0 && errno != EINTR)
			rc = sv_err_set(err, SV_ERR_IO, "cannot read a draft");
		got += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* The agent opens the box with the key in it; the draft is opened here. */
static enum sv_code open_file(struct sv_cli *cli, const struct sv_buf *sealed, struct sv_buf *plain, struct sv_err *err)
{
	const unsigned char *head = sealed->data;
	size_t len = sealed->len - HEAD_LEN;
	unsigned long long n = 0;
	unsigned char *at;
	struct sv_buf *key;
	enum sv_code rc;

	if (memcmp(head, MAGIC, MAGIC_LEN) != 0)
		return sv_err_set(err, SV_ERR_INTEGRITY, "not a draft");
	if ((rc = sv_client_begin(&cli->client, SV_MSG_DRAFT_OPEN, 0, err)) != SV_OK ||
	    (rc = sv_buf_put_str32(&cli->client.out, head + MAGIC_LEN, BOX_LEN)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &key, err)) != SV_OK)
		return rc;
	if (sv_buf_unread(key) != KEY_LEN)
		return sv_err_set(err, SV_ERR_INTEGRITY, "a draft that was not made for this vault");
	if ((rc = sv_buf_extend(plain, len, &at)) != SV_OK)
		return sv_err_set(err, rc, "no memory for the draft");
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(at, &n, NULL, head + HEAD_LEN, len, head, MAGIC_LEN + BOX_LEN,
						       head + MAGIC_LEN + BOX_LEN, sv_buf_head(key)) != 0)
		rc = sv_err_set(err, SV_ERR_INTEGRITY, "a draft was altered");
	plain->len -= len - (size_t)n;
	return rc;
}

/* ---- in the vault ------------------------------------------------------------------------------------------------ */

enum sv_code sv_draft_public_key(struct sv_cli *cli, unsigned char pk[SV_DRAFT_PK_BYTES], struct sv_err *err)
{
	struct sv_buf *body;
	enum sv_code rc = sv_client_begin(&cli->client, SV_MSG_DRAFT_KEY, 0, err);

	if (rc == SV_OK)
		rc = sv_client_call(&cli->client, &body, err);
	if (rc == SV_OK && sv_buf_get(body, pk, SV_DRAFT_PK_BYTES) != SV_OK)
		rc = sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
	return rc;
}

static enum sv_code object(struct sv_cli *cli, uint16_t type, const char *key, const struct sv_buf *value,
			   struct sv_buf **body, struct sv_err *err)
{
	enum sv_code rc = sv_client_begin(&cli->client, type, 0, err);

	if (rc == SV_OK)
		rc = sv_buf_put_u8(&cli->client.out, KIND_DRAFT);
	if (rc == SV_OK && key != NULL)
		rc = sv_msg_put_text(&cli->client.out, sv_text_of(key));
	if (rc == SV_OK && value != NULL)
		rc = sv_buf_put_str32(&cli->client.out, sv_buf_head(value), sv_buf_unread(value));
	return rc == SV_OK ? sv_client_call(&cli->client, body, err) : rc;
}

enum sv_code sv_draft_save(struct sv_cli *cli, const unsigned char pk[SV_DRAFT_PK_BYTES], const struct sv_buf *plain,
			   bool *in_file, struct sv_err *err)
{
	const struct sv_paths *paths;
	struct sv_buf *body;
	struct sv_err ignored;
	char key[SV_DRAFT_ID_BYTES];
	enum sv_code rc;

	*in_file = false;
	(void)snprintf(key, sizeof(key), "edit-%llx-%08x", (unsigned long long)time(NULL), randombytes_random());
	if (cli->client.fd >= 0 && sv_buf_unread(plain) <= SV_VALUE_MAX &&
	    object(cli, SV_MSG_OBJECT_PUT, key, plain, &body, &ignored) == SV_OK)
		return SV_OK;
	*in_file = true;
	rc = sv_session_paths(&paths, err);
	return rc == SV_OK ? sv_draft_save_file(paths->state_dir, paths->vault, pk, plain, err) : rc;
}

/* ---- finding them ------------------------------------------------------------------------------------------------ */

struct search {
	struct sv_cli *cli;
	const char *env, *scope;
	struct sv_draft *best;
	bool found;
	size_t unreadable;
};

static enum sv_code consider(struct search *s, struct sv_buf *plain, const char *id, bool in_file, struct sv_err *err)
{
	struct sv_draft d = { .text = SV_BUF_LOCKED(DRAFT_MAX) };
	enum sv_code rc = sv_draft_get(plain, &d, err);

	if (rc == SV_OK && (s->env == NULL || strcmp(s->env, d.env) == 0) &&
	    (s->scope == NULL || strcmp(s->scope, d.scope) == 0) && (!s->found || d.made_s >= s->best->made_s)) {
		(void)snprintf(d.id, sizeof(d.id), "%s", id);
		d.in_file = in_file;
		sv_draft_clear(s->best);
		*s->best = d;
		s->found = true;
		return SV_OK;
	}
	sv_draft_clear(&d);
	return rc;
}

static enum sv_code search_vault(struct search *s, struct sv_err *err)
{
	struct sv_buf list = SV_BUF_LOCKED(0), *body;
	const char *key;
	size_t n;
	enum sv_code rc = object(s->cli, SV_MSG_OBJECT_LIST, NULL, NULL, &body, err);

	if (rc == SV_OK)
		rc = sv_buf_put(&list, sv_buf_head(body), sv_buf_unread(body));
	while (rc == SV_OK && sv_buf_unread(&list) > 0) {
		char id[SV_DRAFT_ID_BYTES];
		uint64_t changed;
		uint32_t len;

		if (sv_buf_peek_str16(&list, &key, &n, 255) != SV_OK || sv_buf_get_u64(&list, &changed) != SV_OK ||
		    sv_buf_get_u32(&list, &len) != SV_OK) {
			rc = sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
			break;
		}
		if (n < 5 || n >= sizeof(id) || memcmp(key, "edit-", 5) != 0)
			continue;
		memcpy(id, key, n);
		id[n] = '\0';
		if ((rc = object(s->cli, SV_MSG_OBJECT_GET, id, NULL, &body, err)) == SV_OK)
			s->unreadable += consider(s, body, id, false, NULL) != SV_OK;
	}
	sv_buf_clear(&list);
	return rc;
}

static enum sv_code search_files(struct search *s, struct sv_err *err)
{
	const struct sv_paths *paths;
	char prefix[SV_DRAFT_ID_BYTES];
	const struct dirent *e;
	DIR *dir;
	enum sv_code rc = sv_session_paths(&paths, err);

	if (rc != SV_OK)
		return rc;
	dir = opendir(paths->state_dir);
	if (dir == NULL)
		return errno == ENOENT ? SV_OK : sv_err_sys(err, SV_ERR_IO, errno, "cannot look for drafts");
	file_prefix(paths->vault, prefix);
	while ((e = readdir(dir)) != NULL) {
		struct sv_buf sealed = { .max = DRAFT_MAX + HEAD_LEN + TAG_LEN }, plain = SV_BUF_LOCKED(DRAFT_MAX);
		size_t n = strlen(e->d_name);

		if (strncmp(e->d_name, prefix, strlen(prefix)) != 0 || n >= SV_DRAFT_ID_BYTES ||
		    (n > 5 && strcmp(e->d_name + n - 5, ".part") == 0))
			continue;
		if (read_file(dirfd(dir), e->d_name, &sealed, NULL) != SV_OK ||
		    open_file(s->cli, &sealed, &plain, NULL) != SV_OK ||
		    consider(s, &plain, e->d_name, true, NULL) != SV_OK)
			s->unreadable++;
		sv_buf_clear(&sealed);
		sv_buf_clear(&plain);
	}
	(void)closedir(dir);
	return SV_OK;
}

enum sv_code sv_draft_find(struct sv_cli *cli, const char *env, const char *scope, struct sv_draft *d,
			   size_t *unreadable, struct sv_err *err)
{
	struct search s = { cli, env, scope, d, false, 0 };
	enum sv_code rc;

	sv_draft_clear(d);
	if ((rc = search_vault(&s, err)) == SV_OK)
		rc = search_files(&s, err);
	if (unreadable != NULL)
		*unreadable = s.unreadable;
	if (rc != SV_OK)
		sv_draft_clear(d);
	return rc != SV_OK || s.found ? rc : sv_err_set(err, SV_ERR_NOT_FOUND, "there is no draft of an edit");
}

enum sv_code sv_draft_remove(struct sv_cli *cli, const struct sv_draft *d, struct sv_err *err)
{
	const struct sv_paths *paths;
	char path[SV_PATH_BYTES + SV_DRAFT_ID_BYTES + 1];
	struct sv_buf *body;
	enum sv_code rc;

	if (!d->in_file)
		return object(cli, SV_MSG_OBJECT_REMOVE, d->id, NULL, &body, err);
	if ((rc = sv_session_paths(&paths, err)) != SV_OK)
		return rc;
	(void)snprintf(path, sizeof(path), "%s/%s", paths->state_dir, d->id);
	return unlink(path) == 0 || errno == ENOENT ? SV_OK
						    : sv_err_sys(err, SV_ERR_IO, errno, "cannot remove the draft");
}
