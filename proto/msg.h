/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between `sv` and `sv-agent`: numbers, limits, and one encode/decode pair per message body
 * (proto/PROTOCOL.md).
 *
 * Bodies are little-endian; texts are u16 length + bytes, values u32 length + bytes, no NUL.  Decoding consumes from a
 * struct sv_buf and yields views into it.  A request body must be consumed exactly (SV_ERR_PROTO otherwise); bytes
 * behind a reply body that is known are ignored, so that a newer agent can say more.
 */
#ifndef SV_PROTO_MSG_H
#define SV_PROTO_MSG_H

#include "vault/base/buf.h"
#include "vault/base/err.h"
#include "vault/base/name.h"
#include "vault/base/types.h"

#define SV_PROTO_VERSION      1
#define SV_FRAME_HEADER_BYTES 8
/* Longest frame body, either way: one value of 1 MiB, its metadata and room. */
#define SV_FRAME_BODY_MAX ((size_t)(1u << 20) + (1u << 16))
/* Longest reply body when its frames are put together (a client's limit; LIST and BACKUP are read frame by frame). */
#define SV_REPLY_MAX ((size_t)16 << 20)

/* Header: u32 body length, u8 version, u8 flags, u16 type. */
enum sv_frame_flag { SV_FRAME_MORE = 1 /* another frame of the same message follows */ };

enum sv_msg_type {
	SV_MSG_STATUS = 0x01,  /* -> struct sv_msg_status; never extends the session */
	SV_MSG_SLOTS = 0x02,   /* -> u8 n, n x slot info */
	SV_MSG_INIT = 0x03,    /* slots, timers -> status */
	SV_MSG_UNLOCK = 0x04,  /* struct sv_msg_unlock -> status */
	SV_MSG_LOCK = 0x05,    /* -> empty.  A body that does not parse locks all the same */
	SV_MSG_REKEY = 0x06,   /* struct sv_msg_rekey -> status */
	SV_MSG_VERIFY = 0x07,  /* -> u64 rows, u64 values, u64 bytes */
	SV_MSG_BACKUP = 0x08,  /* -> frames of file bytes, MORE on all but the last */
	SV_MSG_LOAD = 0x09,    /* frames of file bytes (MORE) -> slots of that file; kept aside on this connection */
	SV_MSG_ADOPT = 0x0a,   /* u8 slot, key: verify the loaded file and put it in the vault's place -> str16 path of
				  the former file */
	SV_MSG_GET = 0x20,     /* struct sv_msg_ref -> the value's bytes, nothing else */
	SV_MSG_INFO = 0x21,    /* struct sv_msg_ref -> struct sv_msg_info */
	SV_MSG_LIST = 0x22,    /* struct sv_msg_list -> frames of entries */
	SV_MSG_RESOLVE = 0x23, /* struct sv_msg_resolve -> frames, see sv_msg_pair */
	SV_MSG_HISTORY = 0x24, /* struct sv_msg_ref -> frames of u32 length + struct sv_msg_info, newest first */
	SV_MSG_COMPARE =
		0x25,        /* two struct sv_msg_ref -> u8 1 when the values are the same, u8 1 when the metadata is */
	SV_MSG_INFOS = 0x26, /* struct sv_msg_list -> frames of u32 length + struct sv_msg_info (show GROUP/) */
	SV_MSG_READ = 0x27, /* struct sv_msg_list (with_meta) -> frames of u32 length + struct sv_msg_info, u32 length +
			       value; for edit and export */
	SV_MSG_WRITE = 0x30,    /* u8 verb, ops ...; MORE: staged, answered with an empty body; else committed -> struct
				   sv_msg_commit */
	SV_MSG_UNDO = 0x31,     /* u8 dry run -> struct sv_msg_commit, then u32 length + struct sv_msg_info each */
	SV_MSG_ENVS = 0x32,     /* -> entries: str16 name, u8 standalone, u32 secrets */
	SV_MSG_ENV_DIFF = 0x33, /* str16 env, str16 other, str16 group -> entries: u8 enum sv_msg_side, str16 name */
	SV_MSG_OBJECT_PUT = 0x40,    /* u8 kind, str16 key, u32 length + bytes -> empty; drafts and consents only, else
					SV_ERR_DENIED */
	SV_MSG_OBJECT_GET = 0x41,    /* u8 kind, str16 key -> the bytes, nothing else */
	SV_MSG_OBJECT_LIST = 0x42,   /* u8 kind -> entries: str16 key, i64 changed_s, u32 length */
	SV_MSG_OBJECT_REMOVE = 0x43, /* u8 kind, str16 key -> empty */
	SV_MSG_DRAFT_KEY =
		0x44, /* -> 32 bytes: X25519 public key that a draft may be sealed to while the vault is locked */
	SV_MSG_WATCH = 0x46,      /* -> a stream of frames, u8 enum sv_msg_event each; see PROTOCOL.md */
	SV_MSG_DRAFT_OPEN = 0x45, /* u32 length + sealed box -> the plaintext */
	SV_MSG_OK = 0x8000,       /* reply */
	SV_MSG_ERROR = 0x8001,    /* reply: u16 enum sv_code, str16 sentence */
};

/* ---- requests ---- */

struct sv_msg_timers {
	uint32_t idle_s, total_s;
}; /* 0: the default; SV_TIMER_NEVER: only by an explicit word of the person */

#define SV_TIMER_NEVER     UINT32_MAX
#define SV_IDLE_DEFAULT_S  900
#define SV_TOTAL_DEFAULT_S 28800

struct sv_msg_slots_new {
	struct sv_slot_new slot[SV_SLOTS_MAX];
	size_t n;
};

struct sv_msg_init {
	struct sv_msg_slots_new slots;
	struct sv_msg_timers timers;
};

struct sv_msg_unlock {
	uint8_t slot;
	const unsigned char *key;
	struct sv_msg_timers timers;
	bool accept_rollback;
};

struct sv_msg_rekey {
	uint8_t proof_slot;
	const unsigned char *proof;
	struct sv_msg_slots_new slots;
};

struct sv_msg_ref {
	struct sv_text env, name;
	uint64_t version; /* 0: current */
};

struct sv_msg_list {
	struct sv_text env, group;
	bool with_meta;
};

enum sv_select {
	SV_SELECT_NAME = 1,
	SV_SELECT_GROUP = 2,
	SV_SELECT_ALL = 3,
	SV_SELECT_VAR_PREFIX = 4, /* secrets whose variable name starts with arg */
	SV_SELECT_VAR = 5,        /* secrets whose variable name is arg */
};
struct sv_msg_selector {
	uint8_t kind;
	struct sv_text arg;
	struct sv_text var; /* NAME only; empty: the secret's own */
};
#define SV_SELECTORS_MAX      4096
#define SV_RESOLVE_NAMES_ONLY 1u /* variables and names, no value is opened */
#define SV_RESOLVE_LENIENT \
	2u /* what is not found is left out; with NAMES_ONLY two secrets of one variable are both told */
/* Header of the body; the selectors follow one by one. */
struct sv_msg_resolve {
	struct sv_text env;
	uint8_t flags;
	uint16_t n;
};

enum sv_op {
	SV_OP_PUT = 1,
	SV_OP_REMOVE = 2,
	SV_OP_MOVE = 3,
	SV_OP_COPY = 4,
	SV_OP_RESTORE = 5,
	SV_OP_ENV_CREATE = 6,
	SV_OP_ENV_RENAME = 7,
	SV_OP_ENV_REMOVE = 8,
	SV_OP_ENV_COPY = 9,
};
/*
 * One operation of a WRITE.  REMOVE, MOVE and COPY take a group ("a/" to "b/") as well as a name.  Which fields count:
 * PUT all but to_*; REMOVE env name version(=if_version); MOVE, COPY env name to_env to_name force(=replace); RESTORE
 * env name version; ENV_CREATE env force(=standalone); ENV_RENAME env to_env; ENV_REMOVE env force; ENV_COPY env to_env
 * force(=replace): every secret of its own.
 */
struct sv_msg_op {
	uint8_t op;
	struct sv_text env, name, to_env, to_name;
	uint64_t version; /* PUT: if_version */
	bool force;
	uint8_t mode; /* enum sv_put_mode */
	bool has_value;
	const unsigned char *value;
	size_t value_len;
	uint32_t meta_fields;
	struct sv_meta meta;
};

/* ---- replies ---- */

enum sv_vault_state { SV_STATE_NONE = 0, SV_STATE_LOCKED = 1, SV_STATE_UNLOCKED = 2 };

#define SV_STATUS_MEM_UNLOCKED (1u << 0) /* some memory could not be locked */
#define SV_STATUS_SECRETMEM    (1u << 1) /* keys are in memfd_secret memory */
#define SV_STATUS_DUMPABLE     (1u << 2) /* the agent could not be made undumpable */
#define SV_STATUS_SANDBOX      (1u << 3) /* file system access is restricted (Landlock) */
#define SV_STATUS_WITNESS_NEW  (1u << 4) /* first time this machine sees the vault */
#define SV_STATUS_KDF_WEAK     (1u << 5) /* the slot's parameters are below today's floor */
#define SV_STATUS_SECCOMP      (1u << 6)
struct sv_msg_status {
	uint8_t state;
	uint32_t flags;
	uint32_t pid;
	struct sv_text version; /* of the agent */
	struct sv_text vault_path;
	uint32_t idle_left_s, total_left_s, idle_s, total_s; /* SV_TIMER_NEVER: never; 0 when locked */
	uint64_t seq;
	int64_t changed_s;
	uint32_t secrets;
	uint64_t released;       /* values given out since unlock */
	uint32_t refused_peers;  /* connections of other users since the start */
	uint32_t failed_unlocks; /* since the last good one */
};

struct sv_msg_info {
	struct sv_text env, name;
	struct sv_meta meta;
	uint64_t version, txn;
	uint8_t verb;
	bool gone, inherited;
	int64_t created_s, changed_s, used_s;
	uint32_t value_len;
};

struct sv_msg_entry { /* of LIST; var, expires and value_len only when with_meta was asked */
	bool inherited;
	struct sv_text name, var;
	int64_t expires_s;
	uint32_t value_len;
};

/*
 * Of RESOLVE: u32 count over the whole reply, then count times: u8 flags (1 inherited), u16 var_len, u16 name_len, u32
 * value_len, name, NUL, var, '=', value, NUL.  With NAMES_ONLY no value bytes follow the '=' (value_len still tells).
 * So `pair` can go into envp as it stands: the client copies nothing.
 */
struct sv_msg_pair {
	bool inherited;
	struct sv_text var, name; /* NUL behind name; '=' behind var */
	char *pair;               /* "VAR=value", NUL behind; in the buffer */
	uint32_t value_len;
};

struct sv_msg_commit {
	uint64_t txn;
	uint32_t added, changed, removed, unchanged;
};

/* What a WATCH tells: the first frame is SV_EVENT_NONE (subscribed); events that are not read yet are told once. */
enum sv_msg_event {
	SV_EVENT_NONE = 0,
	SV_EVENT_CHANGED = 1,
	SV_EVENT_LOCKED = 2,
	SV_EVENT_UNLOCKED = 3,
	SV_EVENT_ENDING = 4,
};

enum sv_msg_side { SV_SIDE_ONLY_FIRST = 1, SV_SIDE_ONLY_SECOND = 2, SV_SIDE_SAME = 3, SV_SIDE_DIFFERENT = 4 };

/* ---- encode and decode ---- */
/* put: SV_ERR_TOO_BIG, SV_ERR_NOMEM.  get: SV_ERR_PROTO for everything that is not exactly right, limits of types.h
 * included. */

enum sv_code sv_msg_put_text(struct sv_buf *b, struct sv_text t) SV_CHECK;
enum sv_code sv_msg_get_text(struct sv_buf *b, struct sv_text *t, size_t max) SV_CHECK;
enum sv_code sv_msg_put_meta(struct sv_buf *b, const struct sv_meta *m) SV_CHECK;
enum sv_code sv_msg_get_meta(struct sv_buf *b, struct sv_meta *m) SV_CHECK;
enum sv_code sv_msg_put_slots(struct sv_buf *b, const struct sv_slot_info *s, size_t n) SV_CHECK;
enum sv_code sv_msg_get_slots(struct sv_buf *b, struct sv_slot_info s[SV_SLOTS_MAX], size_t *n) SV_CHECK;
enum sv_code sv_msg_put_init(struct sv_buf *b, const struct sv_msg_init *m) SV_CHECK;
enum sv_code sv_msg_get_init(struct sv_buf *b, struct sv_msg_init *m) SV_CHECK;
enum sv_code sv_msg_put_unlock(struct sv_buf *b, const struct sv_msg_unlock *m) SV_CHECK;
enum sv_code sv_msg_get_unlock(struct sv_buf *b, struct sv_msg_unlock *m) SV_CHECK;
enum sv_code sv_msg_put_rekey(struct sv_buf *b, const struct sv_msg_rekey *m) SV_CHECK;
enum sv_code sv_msg_get_rekey(struct sv_buf *b, struct sv_msg_rekey *m) SV_CHECK;
enum sv_code sv_msg_put_ref(struct sv_buf *b, const struct sv_msg_ref *m) SV_CHECK;
enum sv_code sv_msg_get_ref(struct sv_buf *b, struct sv_msg_ref *m) SV_CHECK;
enum sv_code sv_msg_put_list(struct sv_buf *b, const struct sv_msg_list *m) SV_CHECK;
enum sv_code sv_msg_get_list(struct sv_buf *b, struct sv_msg_list *m) SV_CHECK;
enum sv_code sv_msg_put_resolve(struct sv_buf *b, const struct sv_msg_resolve *m) SV_CHECK;
enum sv_code sv_msg_get_resolve(struct sv_buf *b, struct sv_msg_resolve *m) SV_CHECK;
enum sv_code sv_msg_put_selector(struct sv_buf *b, const struct sv_msg_selector *m) SV_CHECK;
enum sv_code sv_msg_get_selector(struct sv_buf *b, struct sv_msg_selector *m) SV_CHECK;
enum sv_code sv_msg_put_op(struct sv_buf *b, const struct sv_msg_op *m) SV_CHECK;
enum sv_code sv_msg_get_op(struct sv_buf *b, struct sv_msg_op *m) SV_CHECK;
enum sv_code sv_msg_put_status(struct sv_buf *b, const struct sv_msg_status *m) SV_CHECK;
enum sv_code sv_msg_get_status(struct sv_buf *b, struct sv_msg_status *m) SV_CHECK;
enum sv_code sv_msg_put_info(struct sv_buf *b, const struct sv_msg_info *m) SV_CHECK;
enum sv_code sv_msg_get_info(struct sv_buf *b, struct sv_msg_info *m) SV_CHECK;
enum sv_code sv_msg_put_entry(struct sv_buf *b, const struct sv_msg_entry *m, bool with_meta) SV_CHECK;
enum sv_code sv_msg_get_entry(struct sv_buf *b, struct sv_msg_entry *m, bool with_meta) SV_CHECK;
/* Writes everything up to and including '='; the value and its NUL follow from the caller. */
enum sv_code sv_msg_put_pair_head(struct sv_buf *b, bool inherited, struct sv_text var, struct sv_text name,
				  uint32_t value_len) SV_CHECK;
enum sv_code sv_msg_get_pair(struct sv_buf *b, struct sv_msg_pair *m, bool names_only) SV_CHECK;
enum sv_code sv_msg_put_commit(struct sv_buf *b, const struct sv_msg_commit *m) SV_CHECK;
enum sv_code sv_msg_get_commit(struct sv_buf *b, struct sv_msg_commit *m) SV_CHECK;
enum sv_code sv_msg_put_error(struct sv_buf *b, const struct sv_err *e) SV_CHECK;
/* Fills e from an ERROR body; an unknown code becomes SV_ERR_FAIL. */
enum sv_code sv_msg_get_error(struct sv_buf *b, struct sv_err *e) SV_CHECK;

#endif
