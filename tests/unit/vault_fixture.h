/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vault in a private scratch directory, and short ways to use it.  Slot keys are given directly, so no test pays for
 * Argon2.
 */
#ifndef VAULT_FIXTURE_H
#define VAULT_FIXTURE_H

#include "tests/support/sv_test.h"
#include "vault/vault.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

struct fix {
	char dir[128], path[160], state[160];
	struct sv_vault_config cfg;
	struct sv_vault *v;
	int64_t now; /* of the clock that the vault sees */
	struct sv_err err;
	struct sv_commit commit;
};

static const unsigned char fix_key[SV_SLOT_KEY_BYTES] UNUSED = "the slot key of all these tests";
static const unsigned char fix_key2[SV_SLOT_KEY_BYTES] UNUSED = "the other key of all these test";

static inline struct sv_text text(const char *s)
{
	return (struct sv_text){ s, strlen(s) };
}

static int64_t fix_clock(void *ctx)
{
	return *(int64_t *)ctx;
}

static UNUSED struct sv_slot_new fix_slot(uint8_t kind, const unsigned char *key)
{
	return (struct sv_slot_new){ .kind = kind,
				     .kdf = { .alg = SV_KDF_ARGON2ID13, .ops = 3, .mem = (uint64_t)64 << 20 },
				     .key = key };
}

static UNUSED void fix_dir(struct fix *f)
{
	const char *tmp = getenv("TMPDIR");

	memset(f, 0, sizeof(*f));
	f->now = 1700000000;
	(void)snprintf(f->dir, sizeof(f->dir), "%.90s/sv-test-XXXXXX", tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/vault.db", f->dir);
	(void)snprintf(f->state, sizeof(f->state), "%s/state", f->dir);
	f->cfg = (struct sv_vault_config){
		.path = f->path, .state_dir = f->state, .clock = fix_clock, .clock_ctx = &f->now
	};
}

static UNUSED void fix_new(struct fix *f)
{
	struct sv_slot_new slot = fix_slot(SV_SLOT_PASSPHRASE, fix_key);

	fix_dir(f);
	if (sv_vault_create(&f->cfg, &slot, 1, &f->v, &f->err) != SV_OK)
		fail_msg("create: %s", f->err.msg);
}

static int fix_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static UNUSED void fix_end(struct fix *f)
{
	sv_vault_close(&f->v);
	(void)nftw(f->dir, fix_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static UNUSED enum sv_code fix_open(struct fix *f)
{
	enum sv_code rc;

	sv_vault_close(&f->v);
	if ((rc = sv_vault_open(&f->cfg, &f->v, &f->err)) != SV_OK)
		return rc;
	return sv_vault_unlock(f->v, 0, fix_key, false, &f->err);
}

static UNUSED void fix_reopen(struct fix *f)
{
	if (fix_open(f) != SV_OK)
		fail_msg("open: %s", f->err.msg);
}

static UNUSED enum sv_code fix_try(struct fix *f, enum sv_put_mode mode, const char *env, const char *name,
				   const char *value)
{
	struct sv_put p = { .env = text(env),
			    .name = text(name),
			    .mode = mode,
			    .has_value = true,
			    .value = (const unsigned char *)value,
			    .value_len = strlen(value) };
	struct sv_tx *tx;
	enum sv_code rc = sv_tx_begin(f->v, mode == SV_PUT_ADD ? SV_VERB_ADD : SV_VERB_SET, &tx, &f->err);

	if (rc != SV_OK)
		return rc;
	if ((rc = sv_tx_put(tx, &p, &f->err)) == SV_OK)
		return sv_tx_commit(&tx, &f->commit, &f->err);
	sv_tx_abort(&tx);
	return rc;
}

static UNUSED void fix_set(struct fix *f, const char *env, const char *name, const char *value)
{
	if (fix_try(f, SV_PUT_SET, env, name, value) != SV_OK)
		fail_msg("set %s: %s", name, f->err.msg);
}

static UNUSED enum sv_code fix_rm(struct fix *f, const char *env, const char *name)
{
	struct sv_tx *tx;
	enum sv_code rc = sv_tx_begin(f->v, SV_VERB_RM, &tx, &f->err);

	if (rc != SV_OK)
		return rc;
	if ((rc = sv_tx_remove(tx, text(env), text(name), 0, &f->err)) == SV_OK)
		return sv_tx_commit(&tx, &f->commit, &f->err);
	sv_tx_abort(&tx);
	return rc;
}

/*
 * The value as a string, "(none)" when there is no secret, or the code word of another refusal; good until the next
 * call.
 */
static UNUSED const char *fix_get_version(struct fix *f, const char *env, const char *name, uint64_t version)
{
	static char out[256];
	struct sv_secret *s;
	enum sv_code rc = sv_vault_get(f->v, text(env), text(name), version, NULL, &s, &f->err);

	if (rc != SV_OK)
		return rc == SV_ERR_NOT_FOUND ? "(none)" : sv_code_word(rc);
	(void)snprintf(out, sizeof(out), "%.*s", (int)sv_secret_len(s), (const char *)sv_secret_cpeek(s));
	sv_secret_free(&s);
	return out;
}

static UNUSED const char *fix_get(struct fix *f, const char *env, const char *name)
{
	return fix_get_version(f, env, name, 0);
}

static UNUSED void fix_sound(struct fix *f)
{
	struct sv_verify_report r;

	if (sv_vault_verify(f->v, &r, &f->err) != SV_OK)
		fail_msg("verify: %s", f->err.msg);
}

/* A whole file in memory, and back. */
static UNUSED unsigned char *fix_read(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	unsigned char *p;
	long size;

	*n = 0;
	if (f == NULL)
		return NULL;
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	rewind(f);
	assert_non_null(p = malloc((size_t)size + 1));
	assert_int_equal(fread(p, 1, (size_t)size, f), size);
	fclose(f);
	*n = (size_t)size;
	return p;
}

static UNUSED void fix_write(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
}

#endif
