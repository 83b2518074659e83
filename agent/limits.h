/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client may ask of the agent, as numbers.  proto/PROTOCOL.md gives them to the reader.
 */
#ifndef SV_AGENT_LIMITS_H
#define SV_AGENT_LIMITS_H

#include <stddef.h>

#define SV_CONNS_MAX           128    /* connections at a time; one more drops the one that was idle longest */
#define SV_WATCHERS_MAX        64     /* connections that watch */
#define SV_ACCEPTS_PER_TURN    16     /* so that a flood of connections does not starve requests */
#define SV_FRAME_WITHIN_MS     5000   /* from the first byte of a frame to its last */
#define SV_BEGUN_SAFE_MS       250    /* an unfinished frame older than this gives way when the table is full */
#define SV_IDLE_CONN_MS        60000  /* a connection without a request */
#define SV_STAGED_WITHIN_MS    600000 /* a change in parts, a file in parts: from first frame to last */
#define SV_DRAIN_WITHIN_MS     10000  /* a reply of which not one more byte was taken */
#define SV_TERM_WITHIN_MS      2000   /* replies that are owed when SIGTERM comes */
#define SV_STAGED_MAX          ((size_t)128 << 20)           /* staged ciphertext over all connections */
#define SV_INPUT_MAX           ((size_t)32 << 20)            /* unfinished and waiting requests over all connections */
#define SV_OUTPUT_MAX          ((size_t)48 << 20)            /* replies that wait to be read, over all connections */
#define SV_LOADS_MAX           2                             /* files being loaded at a time */
#define SV_RESOLVE_VISITS_MAX  1000000                       /* names that the selectors of one request may walk over */
#define SV_LOAD_MAX            ((unsigned long long)4 << 30) /* a file that is to become the vault */
#define SV_SCRATCH_BYTES       ((size_t)64 << 10)            /* read at once from one connection */
#define SV_KEEP_REPLY_BYTES    ((size_t)64 << 10)            /* a reply buffer that grew past this is given back */
#define SV_STREAM_BYTES        ((size_t)64 << 10)            /* a frame of a listing ends behind this many bytes */
#define SV_RESOLVE_FRAME_BYTES ((size_t)512 << 10)
#define SV_UNDO_INFO_BYTES     ((size_t)4 << 20) /* what an undo tells about single secrets; its counts are whole */
#define SV_SOCKET_CHECK_MS     30000             /* how often the agent looks whether its socket is still there */
#define SV_INDEX_SLICE_US      500               /* background work between two looks at the sockets */
#define SV_HINT_SECRETS_MAX    5000              /* vaults larger than this get no "did you mean" */
#define SV_ARENA_BYTES         ((size_t)1 << 20)

#endif
