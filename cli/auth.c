/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proving who one is to the agent.
 */
#include "cli/auth.h"

#include "cli/prompt.h"
#include "cli/say.h"
#include "cli/value.h"

#include <stdio.h>
#include <string.h>

#define TRIES 3

bool sv_auth_can_ask(const struct sv_cli *cli)
{
	return !cli->opt.no_prompt && sv_prompt_possible();
}

enum sv_code sv_auth_status(struct sv_cli *cli, struct sv_msg_status *s, struct sv_err *err)
{
	struct sv_buf *body;
	enum sv_code rc;

	if ((rc = sv_client_begin(&cli->client, SV_MSG_STATUS, 0, err)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	return sv_msg_get_status(body, s) == SV_OK ? SV_OK
						   : sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
}

enum sv_code sv_auth_slot_list(struct sv_cli *cli, struct sv_slot_info slots[SV_SLOTS_MAX], size_t *n,
			       struct sv_err *err)
{
	struct sv_buf *body;
	enum sv_code rc;

	if ((rc = sv_client_begin(&cli->client, SV_MSG_SLOTS, 0, err)) != SV_OK ||
	    (rc = sv_client_call(&cli->client, &body, err)) != SV_OK)
		return rc;
	return sv_msg_get_slots(body, slots, n) == SV_OK
		       ? SV_OK
		       : sv_err_set(err, SV_ERR_PROTO, "the agent's answer does not parse");
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */

static enum sv_code read_proof(struct sv_cli *cli, const struct sv_auth_how *how, struct sv_secret **typed,
			       struct sv_err *err)
{
	const char *what = how->recovery ? "the recovery code" : "the passphrase";

	if (how->fd >= 0)
		return sv_value_line(how->fd, what, SV_PASSPHRASE_MAX, typed, err);
	if (!sv_auth_can_ask(cli)) {
		sv_hint(cli, "run it on a terminal, or give %s with --passphrase-fd N", what);
		return sv_err_set(err, SV_ERR_LOCKED, "there is no terminal to ask for %s", what);
	}
	return sv_prompt_secret(how->question != NULL ? how->question
				: how->recovery       ? "Recovery code: "
						      : "Passphrase: ",
				SV_PASSPHRASE_MAX, typed, err);
}

/* What goes into the key derivation: a recovery code in its canonical form. */
static enum sv_code canonical(bool recovery, const struct sv_secret *typed, struct sv_secret **out, struct sv_err *err)
{
	if (recovery)
		return sv_recovery_parse((const char *)sv_secret_cpeek(typed), sv_secret_len(typed), out, err);
	*out = sv_secret_from(sv_secret_cpeek(typed), sv_secret_len(typed));
	return *out != NULL ? SV_OK : sv_err_set(err, SV_ERR_NOMEM, "no memory for the passphrase");
}

static enum sv_code try_slots(struct sv_cli *cli, bool recovery, const struct sv_slot_info *slots, size_t n,
			      const struct sv_secret *typed, sv_auth_try attempt, void *ctx, uint8_t *slot,
			      struct sv_secret **key, struct sv_err *err)
{
	const uint8_t kind = recovery ? SV_SLOT_RECOVERY : SV_SLOT_PASSPHRASE;
	struct sv_secret *pass = NULL;
	enum sv_code rc;

	if ((rc = canonical(recovery, typed, &pass, err)) != SV_OK)
		return rc;
	rc = sv_err_set(err, SV_ERR_PASSPHRASE,
			recovery ? "the vault has no recovery code" : "the vault has no passphrase");
	for (size_t i = 0; i < n && rc == SV_ERR_PASSPHRASE; i++) {
		if (slots[i].kind != kind)
			continue;
		sv_secret_free(key);
		if ((rc = sv_kdf_derive(&slots[i].kdf, sv_secret_cpeek(pass), sv_secret_len(pass), key, err)) != SV_OK)
			break;
		*slot = slots[i].id;
		rc = attempt(cli, ctx, slots[i].id, sv_secret_cpeek(*key), err);
	}
	sv_secret_free(&pass);
	if (rc != SV_OK)
		sv_secret_free(key);
	return rc;
}

enum sv_code sv_auth_open(struct sv_cli *cli, const struct sv_auth_how *how, const struct sv_slot_info *slots, size_t n,
			  sv_auth_try attempt, void *ctx, uint8_t *slot, struct sv_secret **key,
			  struct sv_secret **typed, struct sv_err *err)
{
	struct sv_secret *answer = NULL;
	enum sv_code rc;

	*key = NULL;
	for (int tries = 1;; tries++) {
		if ((rc = read_proof(cli, how, &answer, err)) != SV_OK)
			break;
		rc = try_slots(cli, how->recovery, slots, n, answer, attempt, ctx, slot, key, err);
		if (how->fd >= 0 || tries == TRIES ||
		    (rc != SV_ERR_PASSPHRASE && !(how->recovery && rc == SV_ERR_USAGE)))
			break;
		sv_say_warning(cli, "%s", err->msg);
		sv_secret_free(&answer);
	}
	if (rc == SV_OK && typed != NULL) {
		*typed = answer;
		answer = NULL;
	}
	sv_secret_free(&answer);
	return rc;
}

/* ---- unlocking ----------------------------------------------------------------------------------------------------
 */

struct unlock {
	struct sv_msg_timers timers;
	bool accept_rollback;
};

static enum sv_code try_unlock(struct sv_cli *cli, void *ctx, uint8_t slot, const unsigned char *key,
			       struct sv_err *err)
{
	const struct unlock *u = ctx;
	const struct sv_msg_unlock m = {
		.slot = slot, .key = key, .timers = u->timers, .accept_rollback = u->accept_rollback
	};
	struct sv_buf *body;
	enum sv_code rc;

	if ((rc = sv_client_begin(&cli->client, SV_MSG_UNLOCK, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_unlock(&cli->client.out, &m)) != SV_OK)
		return rc;
	return sv_client_call(&cli->client, &body, err);
}

enum sv_code sv_auth_unlock(struct sv_cli *cli, const struct sv_auth_how *how, const struct sv_msg_timers *timers,
			    bool accept_rollback, uint8_t *slot, struct sv_secret **key, struct sv_secret **typed,
			    struct sv_err *err)
{
	struct unlock u = { .accept_rollback = accept_rollback };
	struct sv_slot_info slots[SV_SLOTS_MAX];
	struct sv_secret *own = NULL;
	struct sv_msg_status s;
	uint8_t id = 0;
	size_t n = 0;
	enum sv_code rc;

	if (timers != NULL) {
		u.timers = *timers;
	} else {
		if ((rc = sv_auth_status(cli, &s, err)) != SV_OK)
			return rc;
		if (s.state == SV_STATE_UNLOCKED)
			u.timers = (struct sv_msg_timers){ s.idle_s, s.total_s };
	}
	if ((rc = sv_auth_slot_list(cli, slots, &n, err)) != SV_OK)
		return rc;
	rc = sv_auth_open(cli, how, slots, n, try_unlock, &u, &id, &own, typed, err);
	if (rc == SV_OK && slot != NULL)
		*slot = id;
	if (rc == SV_OK && key != NULL) {
		*key = own;
		own = NULL;
	}
	sv_secret_free(&own);
	return rc;
}

/* ---- making slots -------------------------------------------------------------------------------------------------
 */

#define PASSPHRASE_MIN  8
#define PASSPHRASE_GOOD 14

static unsigned kinds_of(const unsigned char *p, size_t n)
{
	unsigned seen = 0;

	for (size_t i = 0; i < n; i++)
		seen |= p[i] >= 0x80                 ? 16u
			: p[i] >= 'a' && p[i] <= 'z' ? 1u
			: p[i] >= 'A' && p[i] <= 'Z' ? 2u
			: p[i] >= '0' && p[i] <= '9' ? 4u
						     : 8u;
	return seen;
}

static enum sv_code judge(struct sv_cli *cli, const struct sv_secret *s, struct sv_err *err)
{
	const unsigned char *p = sv_secret_cpeek(s);
	size_t n = sv_secret_len(s);
	unsigned kinds = kinds_of(p, n);
	bool one_letter = true;

	for (size_t i = 1; i < n; i++)
		one_letter = one_letter && p[i] == p[0];
	if (memchr(p, '\0', n) != NULL)
		return sv_err_set(err, SV_ERR_USAGE, "a passphrase holds no NUL byte");
	if (n < PASSPHRASE_MIN || one_letter) {
		sv_hint(cli, "five or six words that nobody said before are easy to keep and hard to guess");
		return sv_err_set(err, SV_ERR_USAGE,
				  one_letter && n >= PASSPHRASE_MIN ? "the passphrase is one character again and again"
								    : "the passphrase is shorter than 8 bytes");
	}
	if (n < PASSPHRASE_GOOD && (kinds & (kinds - 1)) == 0)
		sv_say_warning(cli, "this passphrase is easy to guess for whoever has the file; a longer one is better "
				    "(sv passwd)");
	else if (n < PASSPHRASE_GOOD - 4)
		sv_say_warning(cli, "this passphrase is short; a longer one is better (sv passwd)");
	if ((kinds & 16u) != 0)
		sv_say_warning(cli, "the passphrase holds characters outside ASCII; another keyboard or system may "
				    "send other bytes for them");
	return SV_OK;
}

enum sv_code sv_auth_new_passphrase(struct sv_cli *cli, int fd, struct sv_secret **out, struct sv_err *err)
{
	struct sv_secret *first = NULL;
	struct sv_secret *second = NULL;
	enum sv_code rc;

	*out = NULL;
	if (fd >= 0) {
		rc = sv_value_line(fd, "the new passphrase", SV_PASSPHRASE_MAX, &first, err);
	} else if (!sv_auth_can_ask(cli)) {
		sv_hint(cli, "run it on a terminal, or give the passphrase on a descriptor; sv help %s says how",
			cli->cmd->name);
		return sv_err_set(err, SV_ERR_USAGE, "there is no terminal to ask for a new passphrase");
	} else {
		rc = sv_prompt_secret("New passphrase: ", SV_PASSPHRASE_MAX, &first, err);
	}
	if (rc == SV_OK)
		rc = judge(cli, first, err);
	if (rc == SV_OK && fd < 0) {
		rc = sv_prompt_secret("The same again: ", SV_PASSPHRASE_MAX, &second, err);
		if (rc == SV_OK && !sv_secret_equal(first, second))
			rc = sv_err_set(err, SV_ERR_USAGE, "the two passphrases differ; nothing was changed");
	}
	if (rc == SV_OK) {
		*out = first;
		first = NULL;
	}
	sv_secret_free(&first);
	sv_secret_free(&second);
	return rc;
}

enum sv_code sv_auth_recovery_plan(struct sv_cli *cli, int fd, bool none, struct sv_err *err)
{
	if (none && fd >= 0)
		return sv_err_set(err, SV_ERR_USAGE, "--no-recovery and --recovery-fd contradict each other");
	if (none || fd >= 0 || sv_auth_can_ask(cli))
		return SV_OK;
	sv_hint(cli, "--recovery-fd N writes it to descriptor N (as in 3>file), --no-recovery makes none");
	return sv_err_set(err, SV_ERR_USAGE, "there is no terminal to show the recovery code on");
}

static enum sv_code add_slot(struct sv_auth_slots *s, uint8_t kind, enum sv_kdf_level level, const struct sv_kdf *like,
			     const struct sv_secret *pass, struct sv_err *err)
{
	struct sv_slot_new *slot = &s->slot[s->n];
	bool same = like != NULL && like->alg == SV_KDF_ARGON2ID13 && like->mem >= SV_KDF_FLOOR_MEM &&
		    like->ops >= SV_KDF_FLOOR_OPS;
	enum sv_code rc;

	slot->kind = kind;
	/* The salt is always new. */
	if ((rc = sv_kdf_choose(same ? SV_KDF_INTERACTIVE : level, &slot->kdf, err)) != SV_OK)
		return rc;
	if (same) {
		slot->kdf.mem = like->mem;
		slot->kdf.ops = like->ops;
	}
	if ((rc = sv_kdf_derive(&slot->kdf, sv_secret_cpeek(pass), sv_secret_len(pass), &s->key[s->n], err)) != SV_OK)
		return rc;
	slot->key = sv_secret_cpeek(s->key[s->n]);
	s->n++;
	return SV_OK;
}

enum sv_code sv_auth_slots_make(struct sv_auth_slots *s, enum sv_kdf_level level, const struct sv_kdf *like,
				const struct sv_secret *passphrase, bool recovery, struct sv_err *err)
{
	struct sv_secret *code = NULL;
	enum sv_code rc;

	*s = (struct sv_auth_slots){ 0 };
	rc = add_slot(s, SV_SLOT_PASSPHRASE, level, like, passphrase, err);
	if (rc != SV_OK || !recovery)
		return rc;
	if ((rc = sv_recovery_new(&s->recovery, err)) != SV_OK ||
	    (rc = canonical(true, s->recovery, &code, err)) != SV_OK)
		return rc;
	/* The code has 160 random bits: the cheapest derivation that may be written is as good as any. */
	rc = add_slot(s, SV_SLOT_RECOVERY, SV_KDF_INTERACTIVE, NULL, code, err);
	sv_secret_free(&code);
	return rc;
}

void sv_auth_slots_clear(struct sv_auth_slots *s)
{
	sv_secret_free(&s->key[0]);
	sv_secret_free(&s->key[1]);
	sv_secret_free(&s->recovery);
	*s = (struct sv_auth_slots){ 0 };
}

enum sv_code sv_auth_rekey(struct sv_cli *cli, uint8_t proof_slot, const struct sv_secret *proof,
			   const struct sv_auth_slots *s, struct sv_err *err)
{
	struct sv_msg_rekey m = { .proof_slot = proof_slot, .proof = sv_secret_cpeek(proof) };
	struct sv_buf *body;
	enum sv_code rc;

	for (size_t i = 0; i < s->n; i++)
		m.slots.slot[i] = s->slot[i];
	m.slots.n = s->n;
	if ((rc = sv_client_begin(&cli->client, SV_MSG_REKEY, 0, err)) != SV_OK ||
	    (rc = sv_msg_put_rekey(&cli->client.out, &m)) != SV_OK)
		return rc;
	return sv_client_call(&cli->client, &body, err);
}

enum sv_code sv_auth_recovery_show(struct sv_cli *cli, const struct sv_auth_slots *s, int fd, struct sv_err *err)
{
	static const char before[] = "\nRecovery code, shown this once.  It opens the vault without the passphrase: "
				     "write it on paper.\n\n    ";
	struct sv_buf b = SV_BUF_LOCKED(1024);
	enum sv_code rc;

	if (s->recovery == NULL)
		return SV_OK;
	if ((rc = sv_buf_reserve(&b, 512)) == SV_OK && fd < 0)
		rc = sv_buf_put(&b, before, sizeof(before) - 1);
	if (rc == SV_OK)
		rc = sv_buf_put(&b, sv_secret_cpeek(s->recovery), sv_secret_len(s->recovery));
	if (rc == SV_OK)
		rc = sv_buf_put(&b, "\n\n", fd < 0 ? 2 : 1);
	if (rc == SV_OK)
		rc = fd >= 0 ? sv_write_all(fd, b.data, b.len, err) : sv_prompt_show(b.data, b.len, err);
	sv_buf_clear(&b);
	if (rc != SV_OK) {
		sv_err_prefix(err, "the recovery code could not be handed out");
		sv_hint(cli, "sv keys recovery renew makes a new one");
	}
	return rc;
}

enum sv_code sv_auth_level(const char *text, enum sv_kdf_level *level, struct sv_err *err)
{
	*level = SV_KDF_DEFAULT;
	if (text == NULL)
		return SV_OK;
	if (strcmp(text, "interactive") == 0)
		*level = SV_KDF_INTERACTIVE;
	else if (strcmp(text, "moderate") == 0)
		*level = SV_KDF_MODERATE;
	else if (strcmp(text, "sensitive") == 0)
		*level = SV_KDF_SENSITIVE;
	else
		return sv_err_set(err, SV_ERR_USAGE,
				  "--kdf is interactive (64 MiB), moderate (256 MiB) or sensitive (1 GiB)");
	return SV_OK;
}
