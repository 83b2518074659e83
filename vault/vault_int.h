/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the vault share: the unlocked state, a loaded record, a staged change.  Not for others.
 */
#ifndef SV_VAULT_INT_H
#define SV_VAULT_INT_H

#include "vault/base/buf.h"
#include "vault/cache.h"
#include "vault/names.h"
#include "vault/record.h"
#include "vault/rows.h"
#include "vault/state.h"
#include "vault/store.h"
#include "vault/vault.h"
#include "vault/witness.h"

#define SV_STAGED_NONE UINT32_MAX

struct sv_env {
	uint8_t id[SV_ID_BYTES];
	bool live, standalone;
	uint8_t name_n;
	char name[SV_ENV_NAME_MAX];
};

struct sv_vault {
	struct sv_place place;
	char *state_dir;
	sv_vault_clock clock;
	void *clock_ctx;

	struct sv_store *store; /* NULL while closed */
	struct sv_scope scope;  /* keys NULL while locked */
	struct sv_keys *keys;   /* locked memory */
	uint64_t seq;
	uint8_t mac[SV_HASH_BYTES], root[SV_HASH_BYTES];
	struct sv_slot slots[SV_SLOTS_MAX];
	size_t n_slots;
	struct sv_head head;
	struct sv_rows rows;
	bool witness_new, witness_stale, kdf_below_floor;

	struct sv_buf plain; /* locked: metadata being encoded */

	struct sv_env *envs; /* locked: environments met so far; all of them once the index is complete */
	uint32_t n_envs, envs_cap;
	uint8_t default_env[SV_ID_BYTES];

	struct sv_names *names; /* NULL: not begun */
	bool names_complete;
	uint8_t names_next[SV_ID_BYTES]; /* items before this one are in it */

	struct sv_cache *cache; /* NULL until something is read */
	bool usage_loaded, usage_changed;
};

/* ---- vault.c ---- */
enum sv_code sv_vault_need_unlocked(const struct sv_vault *v, struct sv_err *err) SV_CHECK;
int64_t sv_vault_now(const struct sv_vault *v);
/* Forget everything believed and close the file, without writing anything. */
void sv_vault_drop(struct sv_vault *v);

/* ---- unlock.c ---- */
/* Open the file again if it is closed. */
enum sv_code sv_vault_need_store(struct sv_vault *v, struct sv_err *err) SV_CHECK;
/* Read and verify everything under keys (taken over in any case). */
enum sv_code sv_vault_believe(struct sv_vault *v, struct sv_keys *keys, bool accept_rollback,
			      struct sv_err *err) SV_CHECK;
/* Compare file state and witness; advance the witness. */
enum sv_code sv_vault_check_witness(struct sv_vault *v, bool accept, bool advance, struct sv_err *err) SV_CHECK;
void sv_vault_advance_witness(struct sv_vault *v);

/*
 * After a re-key: overwrite and remove the journal, which holds the old slots; the file is closed and opened again for
 * it.
 */
enum sv_code sv_vault_wipe_journal(struct sv_vault *v, struct sv_err *err) SV_CHECK;

/* ---- row.c ---- */
struct sv_loaded { /* one opened version */
	struct sv_record r;
	unsigned char *meta; /* locked, with room for an environment name behind meta_n */
	size_t meta_n;
	unsigned char *val; /* locked, padded; NULL when not asked for */
	const unsigned char *value;
	size_t value_n;
	uint8_t id[SV_ID_BYTES];
	uint32_t rev;
};
void sv_loaded_clear(struct sv_loaded *l);
/* Fetch a row and compare its leaf with the authenticated one. */
enum sv_code sv_row_fetch(struct sv_vault *v, uint32_t h, struct sv_raw *raw, struct sv_err *err) SV_CHECK;
enum sv_code sv_row_load(struct sv_vault *v, uint32_t h, bool want_value, struct sv_loaded *l,
			 struct sv_err *err) SV_CHECK;
/* Open blobs that are known to be ours. */
enum sv_code sv_blobs_load(struct sv_vault *v, const struct sv_raw *raw, bool want_value, struct sv_loaded *l,
			   struct sv_err *err) SV_CHECK;

/* ---- tx.c ---- */
struct sv_staged {
	uint8_t id[SV_ID_BYTES];
	uint8_t tag[SV_HASH_BYTES];
	uint32_t rev, base_rev; /* base_rev 0: a new item */
	uint8_t kind;
	bool live, was_live, dead; /* dead: came to nothing within the transaction */
	bool alone;                /* objects: all earlier rows of the item go */
	bool remove;               /* objects: and no new one comes */
	unsigned char *meta, *val; /* one block of memory */
	size_t meta_n, val_n;
	uint32_t handle;
};

struct sv_tx {
	struct sv_vault *v;
	uint8_t verb;
	uint64_t txn; /* what is sealed in the staged rows */
	uint64_t undo_of;
	uint64_t key_epoch;
	struct sv_staged *s;
	uint32_t n, cap;
	uint32_t *by_tag, *by_id; /* open addressing over s[] */
	uint32_t hash_cap, tags_used;
	uint32_t unchanged;
	int32_t secrets_delta;
	bool envs_touched, failed;
	size_t bytes;
};

/* Where something was found: a staged change or a current row. */
struct sv_where {
	uint32_t staged, row;
};
static inline bool sv_where_found(struct sv_where w)
{
	return w.staged != SV_STAGED_NONE || w.row != SV_ROW_NONE;
}

/* tx may be NULL: the vault as it is. */
enum sv_code sv_tx_find(struct sv_vault *v, const struct sv_tx *tx, uint8_t kind, enum sv_state state,
			const uint8_t *env_id, struct sv_text name, struct sv_where *w, struct sv_err *err) SV_CHECK;
enum sv_code sv_where_load(struct sv_vault *v, const struct sv_tx *tx, struct sv_where w, bool want_value,
			   struct sv_loaded *l, struct sv_err *err) SV_CHECK;
/* What a staged change of an item starts from. */
struct sv_base {
	uint8_t id[SV_ID_BYTES];
	uint32_t rev;
	bool live;
};
struct sv_base sv_where_base(const struct sv_vault *v, const struct sv_tx *tx, struct sv_where w);
struct sv_base sv_base_new(void);
/*
 * Seal and stage a version.  r: kind, state, env_id, name, created_s (0: now), origin (0: its own), value_len is set
 * from n.  A second change of an item replaces the first.
 */
enum sv_code sv_tx_stage(struct sv_tx *tx, const struct sv_base *base, struct sv_record *r, const unsigned char *value,
			 size_t n, struct sv_err *err) SV_CHECK;
enum sv_code sv_tx_stage_remove(struct sv_tx *tx, const struct sv_base *base, const struct sv_record *r,
				struct sv_err *err) SV_CHECK;
struct sv_raw sv_staged_raw(const struct sv_staged *st);
bool sv_tx_overrides(const struct sv_tx *tx, const uint8_t *id);
enum sv_code sv_tx_usable(const struct sv_tx *tx, struct sv_err *err) SV_CHECK;
/* Seal the metadata of all staged versions anew for another commit number. */
enum sv_code sv_tx_reseal(struct sv_tx *tx, uint64_t txn, struct sv_err *err) SV_CHECK;
uint32_t sv_tx_by_tag(const struct sv_tx *tx, const uint8_t *tag, uint32_t *cursor);

/* ---- commit.c ---- */
/*
 * After a failed commit: which state is on disk?  SV_OK: row's; SV_ERR_IO: the old one, or unknown (the vault is locked
 * then).
 */
enum sv_code sv_commit_resolve(struct sv_vault *v, const struct sv_state_row *row, const struct sv_scope *scope,
			       struct sv_err *err) SV_CHECK;
/* Begin, and be sure that the file is at the state we know. */
enum sv_code sv_commit_begin(struct sv_vault *v, struct sv_err *err) SV_CHECK;

/* Every staged change still fits what is there, and no two live things share a name. */
enum sv_code sv_commit_check(struct sv_vault *v, const struct sv_tx *tx, struct sv_err *err) SV_CHECK;
void sv_commit_count(const struct sv_tx *tx, struct sv_commit *out);

/* ---- prune.c ---- */
struct sv_handles {
	uint32_t *h;
	uint32_t n, cap;
};
bool sv_handles_put(struct sv_handles *l, uint32_t h);
/* Rows that this commit lets go of: versions over the limit, deletions over their time. */
enum sv_code sv_prune(struct sv_vault *v, const struct sv_tx *tx, int64_t now, struct sv_handles *del,
		      struct sv_head *head, struct sv_err *err) SV_CHECK;

/* ---- env.c ---- */
/* The live environment of this name; SV_ERR_NOT_FOUND with a sentence. */
enum sv_code sv_env_find(struct sv_vault *v, const struct sv_tx *tx, struct sv_text name, struct sv_env *out,
			 struct sv_err *err) SV_CHECK;
/* Any environment, also a deleted one. */
enum sv_code sv_env_by_id(struct sv_vault *v, const uint8_t *id, struct sv_env *out, struct sv_err *err) SV_CHECK;
void sv_env_from_record(const uint8_t *id, const struct sv_record *r, struct sv_env *out);
enum sv_code sv_env_remember(struct sv_vault *v, const struct sv_env *e) SV_CHECK;
void sv_envs_clear(struct sv_vault *v);

/* ---- index.c ---- */
enum sv_code sv_index_complete(struct sv_vault *v, struct sv_err *err) SV_CHECK;
/*
 * Collect what the staged changes mean for the index (before the old rows go), then take it over or forget the index.
 */
enum sv_code sv_index_prepare(struct sv_vault *v, struct sv_tx *tx, struct sv_names **changes,
			      struct sv_err *err) SV_CHECK;
void sv_index_reset(struct sv_vault *v);
void sv_index_space(uint8_t kind, uint8_t out[SV_ID_BYTES]);

/* ---- usage.c ---- */
void sv_usage_load(struct sv_vault *v);
void sv_usage_flush(struct sv_vault *v);
/* The current row h was given out. */
void sv_usage_note(struct sv_vault *v, uint32_t h);
int64_t sv_usage_of(struct sv_vault *v, const uint8_t *id);

/* ---- read.c ---- */
/* Fill in info from l, whose metadata it takes over. */
enum sv_code sv_info_fill(struct sv_vault *v, struct sv_loaded *l, bool inherited, struct sv_info *info,
			  struct sv_err *err) SV_CHECK;
enum sv_code sv_no_secret(struct sv_text env, struct sv_text name, struct sv_err *err);

static inline struct sv_text sv_env_text(const struct sv_env *e)
{
	return (struct sv_text){ e->name, e->name_n };
}

#endif
