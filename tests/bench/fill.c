/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Put many secrets into the vault of a running, unlocked agent, in WRITE batches over its socket, and tell how long it
 *took.
 *
 *	fill SOCKET NAME-PREFIX COUNT [BATCH [VALUE-BYTES]]
 *
 * Names are NAME-PREFIX followed by six digits, so every variable name differs.  BATCH secrets are one transaction
 *(default 10,000).  Output: secrets, transactions, seconds, secrets a second.  With BATCH 1 each secret is a durable
 *write of its own, and the median of one write is told too.
 */
#include "proto/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRAME_ROOM      ((size_t)1 << 19)
#define VALUE_BYTES_MAX 4096

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static enum sv_code put_one(struct sv_client *c, const char *name, const unsigned char *value, size_t value_len)
{
	struct sv_msg_op op = { .op = SV_OP_PUT, .mode = SV_PUT_SET, .has_value = true };

	op.env = (struct sv_text){ SV_ENV_DEFAULT, sizeof(SV_ENV_DEFAULT) - 1 };
	op.name = (struct sv_text){ name, strlen(name) };
	op.value = value;
	op.value_len = value_len;
	return sv_msg_put_op(&c->out, &op);
}

/* One transaction: secrets first .. first + n - 1, in as many frames as they need. */
static enum sv_code write_batch(struct sv_client *c, const char *prefix, unsigned first, unsigned n, size_t value_len,
				struct sv_err *err)
{
	unsigned char value[VALUE_BYTES_MAX];
	struct sv_buf *reply;
	enum sv_code rc = SV_OK;
	unsigned i = 0;

	while (i < n && rc == SV_OK) {
		size_t room = FRAME_ROOM / (value_len + 128);
		bool last = n - i <= room;
		unsigned end = last ? n : i + (unsigned)room;

		if ((rc = sv_client_begin(c, SV_MSG_WRITE, last ? 0 : SV_FRAME_MORE, err)) != SV_OK ||
		    (rc = sv_buf_put_u8(&c->out, SV_VERB_IMPORT)) != SV_OK)
			break;
		for (; i < end && rc == SV_OK; i++) {
			char name[SV_NAME_MAX + 1];

			snprintf(name, sizeof(name), "%s%06u", prefix, first + i);
			for (size_t b = 0; b < value_len; b++)
				value[b] = (unsigned char)('a' + (b * 7 + first + i) % 26);
			rc = put_one(c, name, value, value_len);
		}
		if (rc == SV_OK)
			rc = sv_client_call(c, &reply, err);
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct sv_client client = SV_CLIENT_INIT;
	struct sv_err err = SV_ERR_INIT;
	unsigned count = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	unsigned batch = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 10000;
	size_t value_len = argc > 5 ? strtoul(argv[5], NULL, 10) : 40;
	unsigned transactions = 0;
	double *took = NULL;
	double start, all;
	enum sv_code rc;

	if (count == 0 || batch == 0 || value_len == 0 || value_len > VALUE_BYTES_MAX) {
		fputs("usage: fill SOCKET NAME-PREFIX COUNT [BATCH [VALUE-BYTES]]\n", stderr);
		return 2;
	}
	if ((took = calloc(count / batch + 1, sizeof(*took))) == NULL)
		return 1;
	start = now_s();
	rc = sv_client_connect(&client, argv[1], &err);
	for (unsigned at = 0; at < count && rc == SV_OK; at += batch) {
		double began = now_s();

		rc = write_batch(&client, argv[2], at, count - at < batch ? count - at : batch, value_len, &err);
		took[transactions++] = now_s() - began;
	}
	all = now_s() - start;
	sv_client_close(&client);
	if (rc != SV_OK) {
		fprintf(stderr, "fill: %s (%s)\n", err.msg, sv_code_word(rc));
		free(took);
		return 1;
	}
	qsort(took, transactions, sizeof(*took), by_value);
	printf("secrets %u transactions %u seconds %.6f rate %.0f median_ms %.3f\n", count, transactions, all,
	       count / all, took[transactions / 2] * 1e3);
	free(took);
	return 0;
}
