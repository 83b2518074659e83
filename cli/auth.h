/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a person knows to what opens the vault: passphrases and recovery codes, their slots, unlocking.  The key
 * derivation runs here; the agent gets the derived key of a slot and never a passphrase.
 */
#ifndef SV_CLI_AUTH_H
#define SV_CLI_AUTH_H

#include "cli/cmd.h"
#include "vault/base/secret.h"
#include "vault/kdf.h"

/* How the person proves who he is. */
struct sv_auth_how {
	int fd;               /* -1: ask on the terminal */
	bool recovery;        /* the recovery code instead of the passphrase */
	const char *question; /* NULL: the usual one */
};

/* The key of one slot that is being made; both are wiped by sv_auth_slots_clear. */
struct sv_auth_slots {
	struct sv_slot_new slot[2];
	struct sv_secret *key[2];
	size_t n;
	struct sv_secret *recovery; /* the recovery code as text, NULL when there is none */
};

/* May questions be asked? */
bool sv_auth_can_ask(const struct sv_cli *cli);

/* Ask the agent for its status; views into the client's buffer. */
enum sv_code sv_auth_status(struct sv_cli *cli, struct sv_msg_status *s, struct sv_err *err) SV_CHECK;
enum sv_code sv_auth_slot_list(struct sv_cli *cli, struct sv_slot_info slots[SV_SLOTS_MAX], size_t *n,
			       struct sv_err *err) SV_CHECK;

/*
 * Read passphrase or recovery code (three times on the terminal, once from a descriptor), derive and try each slot of
 * its kind. timers NULL: those of the present session, else the defaults.  On SV_OK *slot and *key (the caller's) are
 * the ones that opened, *typed (may be NULL) what was typed.  SV_ERR_PASSPHRASE.
 */
enum sv_code sv_auth_unlock(struct sv_cli *cli, const struct sv_auth_how *how, const struct sv_msg_timers *timers,
			    bool accept_rollback, uint8_t *slot, struct sv_secret **key, struct sv_secret **typed,
			    struct sv_err *err) SV_CHECK;

/* Try to open slots, which are not the running vault's, by a callback: restore-backup. */
typedef enum sv_code (*sv_auth_try)(struct sv_cli *cli, void *ctx, uint8_t slot, const unsigned char *key,
				    struct sv_err *err);
enum sv_code sv_auth_open(struct sv_cli *cli, const struct sv_auth_how *how, const struct sv_slot_info *slots, size_t n,
			  sv_auth_try attempt, void *ctx, uint8_t *slot, struct sv_secret **key,
			  struct sv_secret **typed, struct sv_err *err) SV_CHECK;

/* A new passphrase: from fd, or asked twice.  SV_ERR_USAGE when it is too short or the two differ. */
enum sv_code sv_auth_new_passphrase(struct sv_cli *cli, int fd, struct sv_secret **out, struct sv_err *err) SV_CHECK;

/* Where a recovery code will go, checked before anything is changed; none: no code is wanted. */
enum sv_code sv_auth_recovery_plan(struct sv_cli *cli, int fd, bool none, struct sv_err *err) SV_CHECK;
/*
 * Derive a passphrase slot, and a recovery slot with a new code when recovery is set.  like: take the cost of that
 * derivation instead of the level's, if it may still be written; NULL for none.
 */
enum sv_code sv_auth_slots_make(struct sv_auth_slots *s, enum sv_kdf_level level, const struct sv_kdf *like,
				const struct sv_secret *passphrase, bool recovery, struct sv_err *err) SV_CHECK;
/* Replace the vault's keys and slots: everything is sealed anew. */
enum sv_code sv_auth_rekey(struct sv_cli *cli, uint8_t proof_slot, const struct sv_secret *proof,
			   const struct sv_auth_slots *s, struct sv_err *err) SV_CHECK;
void sv_auth_slots_clear(struct sv_auth_slots *s);
/* Hand the code out once, to fd or to the terminal. */
enum sv_code sv_auth_recovery_show(struct sv_cli *cli, const struct sv_auth_slots *s, int fd,
				   struct sv_err *err) SV_CHECK;

/* interactive, moderate, sensitive; NULL is the default. */
enum sv_code sv_auth_level(const char *text, enum sv_kdf_level *level, struct sv_err *err) SV_CHECK;

#endif
