/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One good body of every message, and a decoder for each that encodes again what it read: for the tests of proto/msg
 * and for its fuzz target.
 */
#ifndef MSG_SAMPLES_H
#define MSG_SAMPLES_H

#include "proto/msg.h"

struct msg_sample {
	const char *name;
	enum sv_code (*make)(struct sv_buf *b);
	/* Decode from in; on SV_OK encode the same to out.  Returns the decoder's code, SV_ERR_FAIL when encoding
	 * failed. */
	enum sv_code (*again)(struct sv_buf *in, struct sv_buf *out);
};

extern const struct msg_sample msg_samples[];
extern const size_t msg_samples_n;

#endif
