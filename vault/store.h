/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQLite connection and its statements.  It sees ciphertext only, believes nothing about it, and checks types and
 * sizes of every column before they are used.  FORMAT.md "schema", "settings".
 */
#ifndef SV_VAULT_STORE_H
#define SV_VAULT_STORE_H

#include "vault/fscheck.h"
#include "vault/keys.h"

#define SV_HEAD_BYTES_MAX 4096

struct sv_store;

struct sv_state_row { /* the one row of table vault */
	uint8_t vault_id[SV_ID_BYTES];
	uint32_t suite;
	uint64_t epoch, seq, nrec;
	uint8_t root[SV_HASH_BYTES];
	uint8_t mac[SV_HASH_BYTES];
	uint8_t head[SV_HEAD_BYTES_MAX];
	size_t head_n;
};

struct sv_raw { /* a row of table rec; views live until the next store call */
	uint8_t id[SV_ID_BYTES];
	uint32_t rev;
	const uint8_t *tag;
	const unsigned char *meta, *val;
	size_t meta_n, val_n;
};

enum sv_store_mode { SV_STORE_VAULT, SV_STORE_NEW, SV_STORE_COPY };

/*
 * Open the database behind fd (taken over) with all settings, and compare its schema with ours byte for byte.  NEW: an
 * empty file gets the schema, without a journal.  COPY: read only, no journal, size and header checked by the caller.
 * SV_ERR_BUSY, SV_ERR_NOT_A_VAULT, SV_ERR_INTEGRITY, SV_ERR_LIMITS, SV_ERR_IO, SV_ERR_NOMEM.
 */
enum sv_code sv_store_open(const struct sv_place *place, int fd, enum sv_store_mode mode, struct sv_store **s,
			   struct sv_err *err) SV_CHECK;
void sv_store_close(struct sv_store **s);
/* The vault file itself, for identity checks and copying. */
int sv_store_fd(const struct sv_store *s);

enum sv_code sv_store_quick_check(struct sv_store *s, struct sv_err *err) SV_CHECK;
enum sv_code sv_store_schema_check(struct sv_store *s, struct sv_err *err) SV_CHECK;

enum sv_code sv_store_state(struct sv_store *s, struct sv_state_row *out, struct sv_err *err) SV_CHECK;
enum sv_code sv_store_slots(struct sv_store *s, struct sv_slot out[SV_SLOTS_MAX], size_t *n,
			    struct sv_err *err) SV_CHECK;
/* A row that must be there: SV_ERR_INTEGRITY when it is not. */
enum sv_code sv_store_get(struct sv_store *s, const uint8_t *id, uint32_t rev, struct sv_raw *out,
			  struct sv_err *err) SV_CHECK;
/* Let go of the row that sv_store_get() showed. */
void sv_store_done(struct sv_store *s);
typedef enum sv_code (*sv_raw_fn)(void *ctx, const struct sv_raw *r, struct sv_err *err);
/* All rows in (id, rev) order. */
enum sv_code sv_store_scan(struct sv_store *s, sv_raw_fn fn, void *ctx, struct sv_err *err) SV_CHECK;

enum sv_code sv_store_begin(struct sv_store *s, struct sv_err *err) SV_CHECK;
enum sv_code sv_store_commit(struct sv_store *s, struct sv_err *err) SV_CHECK;
void sv_store_rollback(struct sv_store *s);
enum sv_code sv_store_insert(struct sv_store *s, const struct sv_raw *r, struct sv_err *err) SV_CHECK;
enum sv_code sv_store_update(struct sv_store *s, const struct sv_raw *r, struct sv_err *err) SV_CHECK;
enum sv_code sv_store_delete(struct sv_store *s, const uint8_t *id, uint32_t rev, struct sv_err *err) SV_CHECK;
/* insert: the first time */
enum sv_code sv_store_put_state(struct sv_store *s, const struct sv_state_row *row, bool insert,
				struct sv_err *err) SV_CHECK;
enum sv_code sv_store_put_slots(struct sv_store *s, const struct sv_slot *slots, size_t n, struct sv_err *err) SV_CHECK;

#endif
