/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passphrase or recovery code to slot key.  Argon2id runs here, in the client, and its residue on the stack is scrubbed
 * (libsodium 1.0.18 leaves the output there).  The recovery code: 20 random bytes as 32 Crockford Base32 characters and
 * two more that are a 10-bit checksum of them, so a typing error is told before a second of key derivation is spent.
 */
#include "vault/kdf.h"

#include <sodium.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIB               ((uint64_t)1 << 20)
#define CALIBRATE_NS      800000000.0
#define CALIBRATE_OPS_MAX 16
#define CODE_CHARS        32
#define CODE_ALL          34

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static enum sv_code need_sodium(struct sv_err *err)
{
	return sodium_init() < 0 ? sv_err_set(err, SV_ERR_FAIL, "libsodium cannot be initialised") : SV_OK;
}

static __attribute__((noinline)) int run(const struct sv_kdf *k, const unsigned char *pass, size_t len,
					 unsigned char *key)
{
	return crypto_pwhash(key, SV_SLOT_KEY_BYTES, (const char *)pass, len, k->salt, k->ops, (size_t)k->mem,
			     crypto_pwhash_ALG_ARGON2ID13);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Passes that take about CALIBRATE_NS here; the passphrase and the result of the trial mean nothing. */
static bool calibrate(struct sv_kdf *k)
{
	unsigned char key[SV_SLOT_KEY_BYTES];
	double t = now_ns(), per_pass;
	uint64_t ops;

	k->ops = SV_KDF_FLOOR_OPS;
	if (run(k, (const unsigned char *)"calibration", 11, key) != 0)
		return false;
	per_pass = (now_ns() - t) / SV_KDF_FLOOR_OPS;
	ops = per_pass > 0 ? (uint64_t)(CALIBRATE_NS / per_pass + 0.999) : CALIBRATE_OPS_MAX;
	k->ops = ops < SV_KDF_FLOOR_OPS ? SV_KDF_FLOOR_OPS : ops > CALIBRATE_OPS_MAX ? CALIBRATE_OPS_MAX : ops;
	return true;
}

enum sv_code sv_kdf_choose(enum sv_kdf_level level, struct sv_kdf *out, struct sv_err *err)
{
	enum sv_code rc = need_sodium(err);

	if (rc != SV_OK)
		return rc;
	*out = (struct sv_kdf){ .alg = SV_KDF_ARGON2ID13, .ops = SV_KDF_FLOOR_OPS };
	randombytes_buf(out->salt, sizeof(out->salt));
	switch (level) {
	case SV_KDF_INTERACTIVE: out->mem = 64 * MIB; return SV_OK;
	case SV_KDF_MODERATE: out->mem = 256 * MIB; return SV_OK;
	case SV_KDF_SENSITIVE: out->mem = 1024 * MIB; return SV_OK;
	case SV_KDF_DEFAULT: {
		long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

		out->mem =
			pages > 0 && page > 0 && (uint64_t)pages * (uint64_t)page < 2048 * MIB ? 64 * MIB : 256 * MIB;
		if (calibrate(out))
			return SV_OK;
		out->mem = 64 * MIB;
		if (calibrate(out))
			return SV_OK;
		return sv_err_set(err, SV_ERR_NOMEM, "64 MiB of memory for the key derivation are not to be had");
	}
	}
	return sv_err_set(err, SV_ERR_USAGE, "no such level of key derivation");
}

enum sv_code sv_kdf_check(const struct sv_kdf *kdf, struct sv_err *err)
{
	if (kdf->alg != SV_KDF_ARGON2ID13)
		return sv_err_set(err, SV_ERR_LIMITS, "key derivation %u is not one this version knows", kdf->alg);
	if (kdf->ops < 1 || kdf->ops > SV_KDF_READ_OPS_MAX || kdf->mem < SV_KDF_READ_MEM_MIN ||
	    kdf->mem > SV_KDF_READ_MEM_MAX)
		return sv_err_set(
			err, SV_ERR_LIMITS,
			"the key derivation asks for more or less than is allowed (1 to %d passes, 8 MiB to 1 GiB)",
			SV_KDF_READ_OPS_MAX);
	return SV_OK;
}

enum sv_code sv_kdf_derive(const struct sv_kdf *kdf, const unsigned char *pass, size_t len, struct sv_secret **key,
			   struct sv_err *err)
{
	struct sv_secret *k;
	enum sv_code rc;

	*key = NULL;
	if ((rc = need_sodium(err)) != SV_OK || (rc = sv_kdf_check(kdf, err)) != SV_OK)
		return rc;
	if (len < 1 || len > SV_PASSPHRASE_MAX || memchr(pass, 0, len) != NULL)
		return sv_err_set(err, SV_ERR_USAGE, "a passphrase has 1 to %d bytes and no NUL", SV_PASSPHRASE_MAX);
	if ((k = sv_secret_new(SV_SLOT_KEY_BYTES)) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory for the slot key");
	if (run(kdf, pass, len, sv_secret_peek(k)) != 0) {
		sv_secret_free(&k);
		return sv_err_set(err, SV_ERR_NOMEM,
				  "the %llu MiB of memory that the key derivation needs are not to be had",
				  (unsigned long long)(kdf->mem / MIB));
	}
	sv_stack_scrub();
	*key = k;
	return SV_OK;
}

/* The two check characters: the low ten bits of BLAKE2b-256("sv1.rcode" || the 20 bytes). */
static void checksum(const unsigned char code[SV_RECOVERY_BYTES], char out[2])
{
	crypto_generichash_blake2b_state st;
	unsigned char h[32];
	unsigned v;

	(void)crypto_generichash_blake2b_init(&st, NULL, 0, sizeof(h));
	(void)crypto_generichash_blake2b_update(&st, (const unsigned char *)"sv1.rcode", 9);
	(void)crypto_generichash_blake2b_update(&st, code, SV_RECOVERY_BYTES);
	(void)crypto_generichash_blake2b_final(&st, h, sizeof(h));
	v = ((unsigned)h[0] | (unsigned)h[1] << 8) & 0x3ff;
	out[0] = alphabet[v >> 5];
	out[1] = alphabet[v & 31];
	sv_wipe(&st, sizeof(st));
	sv_wipe(h, sizeof(h));
}

/* 20 bytes, most significant bit first, in groups of five bits. */
static void to_chars(const unsigned char code[SV_RECOVERY_BYTES], char out[CODE_CHARS])
{
	for (unsigned i = 0; i < CODE_CHARS; i++) {
		unsigned bit = i * 5, v = (unsigned)code[bit / 8] << 8;

		if (bit / 8 + 1 < SV_RECOVERY_BYTES)
			v |= code[bit / 8 + 1];
		out[i] = alphabet[v >> (11 - bit % 8) & 31];
	}
}

enum sv_code sv_recovery_new(struct sv_secret **text, struct sv_err *err)
{
	struct {
		unsigned char code[SV_RECOVERY_BYTES];
		char chars[CODE_ALL];
	} w;
	struct sv_secret *s;
	enum sv_code rc;
	unsigned char *p;

	*text = NULL;
	if ((rc = need_sodium(err)) != SV_OK)
		return rc;
	/* one byte more than the text, for the NUL behind it, which is then cut off the length */
	if ((s = sv_secret_new(SV_RECOVERY_TEXT)) == NULL)
		return sv_err_set(err, SV_ERR_NOMEM, "no locked memory for the recovery code");
	randombytes_buf(w.code, sizeof(w.code));
	to_chars(w.code, w.chars);
	checksum(w.code, w.chars + CODE_CHARS);
	p = sv_secret_peek(s);
	for (unsigned i = 0; i < CODE_ALL; i++) {
		if (i > 0 && i % 4 == 0)
			*p++ = '-';
		*p++ = (unsigned char)w.chars[i];
	}
	*p = 0;
	sv_wipe(&w, sizeof(w));
	sv_secret_cut(s, SV_RECOVERY_TEXT - 1);
	*text = s;
	return SV_OK;
}

/* Value of a typed character, or -1.  No table look-up by a secret, no early end. */
static int char_value(unsigned char c)
{
	int v = -1;

	if (c >= 'a' && c <= 'z')
		c = (unsigned char)(c - 'a' + 'A');
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	for (int i = 0; i < 32; i++)
		v = alphabet[i] == (char)c ? i : v;
	return v;
}

enum sv_code sv_recovery_parse(const char *typed, size_t len, struct sv_secret **canonical, struct sv_err *err)
{
	struct {
		unsigned char code[SV_RECOVERY_BYTES];
		char chars[CODE_ALL], check[2];
	} w;
	enum sv_code rc = SV_OK;
	unsigned n = 0;

	*canonical = NULL;
	if ((rc = need_sodium(err)) != SV_OK)
		return rc;
	memset(&w, 0, sizeof(w));
	for (size_t i = 0; i < len && i < SV_PASSPHRASE_MAX; i++) {
		int v;

		if (typed[i] == '-' || typed[i] == ' ' || typed[i] == '\t' || typed[i] == '\r' || typed[i] == '\n')
			continue;
		v = char_value((unsigned char)typed[i]);
		if (v < 0 || n == CODE_ALL) {
			n = CODE_ALL + 1;
			break;
		}
		if (n < CODE_CHARS)
			for (unsigned b = 0; b < 5; b++)
				w.code[(n * 5 + b) / 8] |=
					(unsigned char)((unsigned)(v >> (4 - b) & 1) << (7 - (n * 5 + b) % 8));
		w.chars[n++] = alphabet[v];
	}
	if (n != CODE_ALL || len > SV_PASSPHRASE_MAX) {
		rc = sv_err_set(err, SV_ERR_USAGE,
				"this is not a recovery code: it has %d letters and digits in groups of four",
				CODE_ALL);
		goto out;
	}
	checksum(w.code, w.check);
	if (!sv_equal_ct(w.check, w.chars + CODE_CHARS, 2)) {
		rc = sv_err_set(
			err, SV_ERR_USAGE,
			"the recovery code has a typing error in it: its last two characters do not fit the others");
		goto out;
	}
	if ((*canonical = sv_secret_from(w.chars, CODE_ALL)) == NULL)
		rc = sv_err_set(err, SV_ERR_NOMEM, "no locked memory for the recovery code");
out:
	sv_wipe(&w, sizeof(w));
	return rc;
}
