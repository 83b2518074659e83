/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vault: one encrypted file, its keys while unlocked, and every change as a version.  Format: vault/FORMAT.md.
 *
 *	closed --open/create--> locked --unlock--> unlocked --lock--> locked --close--> closed
 *
 * locked: the file is open, checked and exclusively ours, the key slots are known, nothing in it has been believed.
 * unlocked: root and witness verified; the subkeys are in locked memory; the row index (ids, tags, leaves) is in
 *memory. No value and no name is held in the clear between calls: the name index is sealed under a key in locked
 *memory.
 *
 * Not thread-safe.  Every function may block on disk; none sleeps.  Strings come with lengths and need no NUL.  The
 *library knows no process, socket or terminal, and writes to no stream.
 */
#ifndef SV_VAULT_H
#define SV_VAULT_H

#include "vault/base/err.h"
#include "vault/base/name.h"
#include "vault/base/secret.h"
#include "vault/base/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- key slots and key derivation ---- */

/* kdf.h has the derivation itself (sv_kdf_derive), the levels, calibration and the recovery code; the client links only
 * that. */

/* ---- life of a vault ---- */

struct sv_vault;

/* The clock, in seconds since 1970 for stored times.  Tests pass their own. */
typedef int64_t (*sv_vault_clock)(void *ctx);

struct sv_vault_config {
	const char *path;      /* absolute */
	const char *state_dir; /* absolute; where the rollback witness lives; created 0700 when missing */
	sv_vault_clock clock;  /* NULL: time(2) */
	void *clock_ctx;
};

struct sv_vault_facts { /* what may be said about an unlocked vault */
	uint8_t vault_id[16];
	uint64_t seq; /* commits so far */
	uint64_t key_epoch;
	int64_t created_s, changed_s;
	uint32_t secrets; /* live, in all environments */
	uint32_t rows;
	bool witness_new;     /* at unlock there was no witness: trust on first use */
	bool kdf_below_floor; /* the slot used has weaker parameters than this version would write */
};

/*
 * Create a vault file that must not exist, with the given slots (1 to SV_SLOTS_MAX), and leave it unlocked.  Missing
 * parent directories are made 0700. SV_ERR_EXISTS, SV_ERR_DENIED (directory not ours or open to others), SV_ERR_IO; on
 * an error no file is left.
 */
enum sv_code sv_vault_create(const struct sv_vault_config *cfg, const struct sv_slot_new *slots, size_t n_slots,
			     struct sv_vault **v, struct sv_err *err) SV_CHECK;
/*
 * Open an existing file as FORMAT.md "opening an untrusted file" says, without keys.  SV_ERR_NO_VAULT, SV_ERR_DENIED,
 * SV_ERR_NOT_A_VAULT, SV_ERR_UNSUPPORTED, SV_ERR_LIMITS, SV_ERR_INTEGRITY (schema), SV_ERR_BUSY (another process has
 * it). Nothing is modified, except that SQLite may roll back a hot journal of ours.
 */
enum sv_code sv_vault_open(const struct sv_vault_config *cfg, struct sv_vault **v, struct sv_err *err) SV_CHECK;
/* Wipe everything, close, free, set to NULL. */
void sv_vault_close(struct sv_vault **v);

enum sv_code sv_vault_slots(struct sv_vault *v, struct sv_slot_info out[SV_SLOTS_MAX], size_t *n,
			    struct sv_err *err) SV_CHECK;

/*
 * Try key (SV_SLOT_KEY_BYTES) on slot id.  SV_ERR_PASSPHRASE when the commitment does not match (nothing else is told);
 * SV_ERR_INTEGRITY, SV_ERR_ROLLBACK, SV_ERR_FORK.  accept_rollback: take a file older than, or forked from, the witness
 * and move the witness to it.  Calling it on an unlocked vault only checks the key.
 */
enum sv_code sv_vault_unlock(struct sv_vault *v, uint8_t slot_id, const unsigned char *key, bool accept_rollback,
			     struct sv_err *err) SV_CHECK;
/* Flush usage times (best effort), wipe subkeys, indexes and caches, close SQLite.  The vault stays known and is opened
 * again by unlock. */
void sv_vault_lock(struct sv_vault *v);
bool sv_vault_is_unlocked(const struct sv_vault *v);
enum sv_code sv_vault_facts(struct sv_vault *v, struct sv_vault_facts *out, struct sv_err *err) SV_CHECK;

/*
 * New VMK, key_epoch + 1, every row sealed anew, slots replaced by the given ones, the journal wiped, in one
 * transaction. proof/proof_slot: the present key, checked first (SV_ERR_PASSPHRASE).  Afterwards the vault is unlocked
 * under the new keys.
 */
enum sv_code sv_vault_rekey(struct sv_vault *v, uint8_t proof_slot, const unsigned char *proof,
			    const struct sv_slot_new *slots, size_t n_slots, struct sv_err *err) SV_CHECK;

struct sv_verify_report {
	uint64_t rows, values, bytes;
};
/* Everything that can be checked: quick_check, schema, every leaf, root, state MAC, witness, and every seal opened. */
enum sv_code sv_vault_verify(struct sv_vault *v, struct sv_verify_report *out, struct sv_err *err) SV_CHECK;

/*
 * A consistent copy into the open, empty, writable file fd (the caller made it O_EXCL 0600, or O_TMPFILE), fsynced,
 * then verified against the keys in memory before SV_OK.  *bytes: its size.
 */
enum sv_code sv_vault_backup_fd(struct sv_vault *v, int fd, uint64_t *bytes, struct sv_err *err) SV_CHECK;

/* ---- what is in it ---- */

/* One version of one secret, without its value.  Views point into *store and live until sv_info_clear(). */
struct sv_info {
	struct sv_text name;
	struct sv_text env; /* the environment it was found in: the asked one or "default" */
	struct sv_meta meta;
	uint64_t version;  /* 1, 2, 3 ... per secret; kept through renames */
	uint64_t txn;      /* the vault's seq of the change that made it */
	uint8_t verb;      /* enum sv_verb */
	bool gone;         /* this version is a deletion */
	bool inherited;    /* from default, though another environment was asked for */
	int64_t created_s; /* the secret's first version */
	int64_t changed_s; /* this version */
	int64_t used_s;    /* last use known, 0 never */
	uint32_t value_len;
	unsigned char *store; /* sv_secmem_alloc'd */
};
void sv_info_clear(struct sv_info *info);

/*
 * Current version (version 0) or an older one.  value may be NULL when only info is wanted, info may be NULL when only
 * the value is; *value belongs to the caller.  SV_ERR_LOCKED, SV_ERR_NOT_FOUND ("no secret named ..." with the
 * environment, and with a version asked for which ones there are), SV_ERR_INTEGRITY. With version != 0 also the
 * versions of a deleted secret are found.
 */
enum sv_code sv_vault_get(struct sv_vault *v, struct sv_text env, struct sv_text name, uint64_t version,
			  struct sv_info *info, struct sv_secret **value, struct sv_err *err) SV_CHECK;

/*
 * The hot path of get and resolve: the current value copied to out (room for out_cap bytes, locked memory), length to
 * *len, and noted as used.  SV_ERR_TOO_BIG when it does not fit (with *len set, nothing written).
 */
enum sv_code sv_vault_get_into(struct sv_vault *v, struct sv_text env, struct sv_text name, unsigned char *out,
			       size_t out_cap, size_t *len, struct sv_err *err) SV_CHECK;
/*
 * The same with the secret's variable name, explicit or derived, in var (no NUL; *var_n bytes), which may be NULL
 * together with var_n.
 */
enum sv_code sv_vault_get_pair(struct sv_vault *v, struct sv_text env, struct sv_text name, char var[SV_VAR_MAX + 1],
			       size_t *var_n, bool *inherited, unsigned char *out, size_t out_cap, size_t *len,
			       struct sv_err *err) SV_CHECK;

/* Remember that a secret's value was given out (kept in memory, written with the next lock or commit). */
void sv_vault_touch(struct sv_vault *v, struct sv_text env, struct sv_text name);

struct sv_entry { /* one line of a listing; views valid during the callback only */
	struct sv_text name;
	struct sv_text var; /* metadata var, or what sv_var_from_name gives */
	bool inherited;
	int64_t expires_s;
	uint32_t value_len;
};
/* One name as a listing would show it; var (room for SV_VAR_MAX + 1 bytes, the caller's) holds e->var.
 * SV_ERR_NOT_FOUND. */
enum sv_code sv_vault_entry(struct sv_vault *v, struct sv_text env, struct sv_text name, struct sv_entry *e,
			    char var[SV_VAR_MAX + 1], struct sv_err *err) SV_CHECK;

typedef enum sv_code (*sv_entry_fn)(void *ctx, const struct sv_entry *e);
/*
 * Names of env in byte order with what it inherits merged in, limited to a group (a prefix with its slash; empty: all),
 * starting behind `after` (empty: at the start).  The callback's SV_ERR_BUSY stops the walk and SV_OK is returned (for
 * paging); any other code stops it and is returned.  SV_ERR_NOT_FOUND: no such environment.
 */
enum sv_code sv_vault_list(struct sv_vault *v, struct sv_text env, struct sv_text group, struct sv_text after,
			   sv_entry_fn fn, void *ctx, struct sv_err *err) SV_CHECK;
/* Build more of the name index, at most about budget_us microseconds; true when there is nothing left to do. */
bool sv_vault_index_step(struct sv_vault *v, unsigned budget_us);

typedef enum sv_code (*sv_info_fn)(void *ctx, const struct sv_info *i);
/* Versions, newest first, also of a deleted secret.  SV_ERR_NOT_FOUND. */
enum sv_code sv_vault_history(struct sv_vault *v, struct sv_text env, struct sv_text name, sv_info_fn fn, void *ctx,
			      struct sv_err *err) SV_CHECK;

/* ---- changing it ---- */

struct sv_tx; /* changes sealed and staged, not yet in the file; several may exist; a conflict shows at commit */

struct sv_put {
	struct sv_text env, name;
	enum sv_put_mode mode;
	bool has_value; /* false: the value stays (UPDATE only) */
	const unsigned char *value;
	size_t value_len;
	struct sv_meta meta;
	uint32_t meta_fields; /* SV_MF_*: which fields of meta to take (an empty one deletes); the others stay as they
				 were */
	uint64_t if_version;  /* not 0: SV_ERR_CONFLICT unless the current version is this one */
};

struct sv_commit {
	uint64_t txn;
	uint32_t added, changed, removed, unchanged;
};

enum sv_code sv_tx_begin(struct sv_vault *v, enum sv_verb verb, struct sv_tx **tx, struct sv_err *err) SV_CHECK;
/* A put that changes neither value nor metadata stages nothing and counts as unchanged. */
enum sv_code sv_tx_put(struct sv_tx *tx, const struct sv_put *p, struct sv_err *err) SV_CHECK;
enum sv_code sv_tx_remove(struct sv_tx *tx, struct sv_text env, struct sv_text name, uint64_t if_version,
			  struct sv_err *err) SV_CHECK;
/* Rename within or between environments; replace: an existing target gets a deletion first; else SV_ERR_EXISTS. */
enum sv_code sv_tx_move(struct sv_tx *tx, struct sv_text env, struct sv_text name, struct sv_text to_env,
			struct sv_text to_name, bool replace, struct sv_err *err) SV_CHECK;
/* value and metadata as a new version of the target */
enum sv_code sv_tx_copy(struct sv_tx *tx, struct sv_text env, struct sv_text name, struct sv_text to_env,
			struct sv_text to_name, bool replace, struct sv_err *err) SV_CHECK;
/* An old version becomes a new one (version 0: the last one before the deletion).  On a deleted secret it brings it
 * back. */
enum sv_code sv_tx_restore(struct sv_tx *tx, struct sv_text env, struct sv_text name, uint64_t version,
			   struct sv_err *err) SV_CHECK;
/* Environments: same transaction, same undo. */
enum sv_code sv_tx_env_create(struct sv_tx *tx, struct sv_text env, bool standalone, struct sv_err *err) SV_CHECK;
enum sv_code sv_tx_env_rename(struct sv_tx *tx, struct sv_text env, struct sv_text to, struct sv_err *err) SV_CHECK;
/* With the secrets in it; SV_ERR_CONFLICT when it holds some and force is false.  "default" cannot be removed or
 * renamed. */
enum sv_code sv_tx_env_remove(struct sv_tx *tx, struct sv_text env, bool force, struct sv_err *err) SV_CHECK;

size_t sv_tx_bytes(const struct sv_tx *tx); /* staged ciphertext, for the agent's budget */

/*
 * Write all of it or nothing, durable before it returns.  SV_ERR_CONFLICT when something that was staged upon has
 * changed since.  SV_ERR_IO: resolved by reading back: the sentence says whether it is saved, and SV_OK is returned if
 * it is.  tx is freed and NULL in every case. An empty transaction commits nothing and is SV_OK with txn 0.
 */
enum sv_code sv_tx_commit(struct sv_tx **tx, struct sv_commit *out, struct sv_err *err) SV_CHECK;
void sv_tx_abort(struct sv_tx **tx);

/*
 * Take back the last change that was not itself an undo and was not taken back yet; dry_run tells only.  fn is called
 * for each secret with what it becomes.  SV_ERR_NOT_FOUND: nothing to undo.  SV_ERR_CONFLICT: a version it needs is no
 * longer kept.
 */
enum sv_code sv_vault_undo(struct sv_vault *v, bool dry_run, sv_info_fn fn, void *ctx, struct sv_commit *out,
			   struct sv_err *err) SV_CHECK;

struct sv_env_info {
	struct sv_text name;
	bool standalone;
	uint32_t secrets; /* its own */
};
typedef enum sv_code (*sv_env_fn)(void *ctx, const struct sv_env_info *e);
enum sv_code sv_vault_env_list(struct sv_vault *v, sv_env_fn fn, void *ctx, struct sv_err *err) SV_CHECK;

/* ---- other things under the same root (consents, drafts ...): unversioned bytes by kind and key ---- */

enum sv_object_kind {
	SV_OBJECT_USAGE = 3,
	SV_OBJECT_CONSENT = 4,
	SV_OBJECT_DRAFT = 5,
	SV_OBJECT_AUDIT = 6,
	SV_OBJECT_ORIGINAL = 7
};

/* value NULL: remove (SV_ERR_NOT_FOUND).  One durable commit.  Not part of undo. */
enum sv_code sv_vault_object_put(struct sv_vault *v, enum sv_object_kind kind, struct sv_text key,
				 const unsigned char *value, size_t len, struct sv_err *err) SV_CHECK;
enum sv_code sv_vault_object_get(struct sv_vault *v, enum sv_object_kind kind, struct sv_text key,
				 struct sv_secret **value, struct sv_err *err) SV_CHECK;
typedef enum sv_code (*sv_object_fn)(void *ctx, struct sv_text key, int64_t changed_s, uint32_t len);
enum sv_code sv_vault_object_list(struct sv_vault *v, enum sv_object_kind kind, sv_object_fn fn, void *ctx,
				  struct sv_err *err) SV_CHECK;
/* X25519 public key of the vault's draft key pair, to which a draft can be sealed while the vault is locked
 * (crypto_box_seal). */
enum sv_code sv_vault_draft_key(struct sv_vault *v, unsigned char pk[32], struct sv_err *err) SV_CHECK;
/* Open a box sealed to it. */
enum sv_code sv_vault_draft_open(struct sv_vault *v, const unsigned char *box, size_t len, struct sv_secret **out,
				 struct sv_err *err) SV_CHECK;

#endif
