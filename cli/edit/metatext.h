/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata as text in a document: field names, dates and periods, exact in both directions.
 */
#ifndef SV_CLI_EDIT_METATEXT_H
#define SV_CLI_EDIT_METATEXT_H

#include "vault/base/err.h"
#include "vault/base/types.h"

#define SV_METATEXT_BYTES 40

/* Fields that are one text: an index from 0, NULL behind the last.  The order is the one in a document. */
enum sv_metafield {
	SV_METAFIELD_VAR,
	SV_METAFIELD_DESC,
	SV_METAFIELD_OWNER,
	SV_METAFIELD_URL,
	SV_METAFIELD_TYPE,
	SV_METAFIELD_EXPIRES,
	SV_METAFIELD_ROTATE,
	SV_METAFIELD_TAGS,
	SV_METAFIELD_SCOPES,
	SV_METAFIELD_COUNT
};
extern const char *const sv_metafield_names[SV_METAFIELD_COUNT];

/* The field of that name, or SV_METAFIELD_COUNT. */
enum sv_metafield sv_metafield_find(struct sv_text name);
/* The text member of m, or NULL for dates, periods and lists. */
struct sv_text *sv_metafield_text(struct sv_meta *m, enum sv_metafield f);

/* "2031-05-17", "2031-05-17T08:30:00Z", or "@SECONDS" outside the years 1970 to 9999. */
void sv_metatext_put_date(int64_t when_s, char out[SV_METATEXT_BYTES]);
/* The same back, and a period from now_s ("90d"); SV_ERR_USAGE. */
enum sv_code sv_metatext_get_date(struct sv_text t, int64_t now_s, int64_t *when_s, struct sv_err *err) SV_CHECK;
/* "90d", "36h", "61s": the largest unit that is exact. */
void sv_metatext_put_period(int64_t seconds, char out[SV_METATEXT_BYTES]);
enum sv_code sv_metatext_get_period(struct sv_text t, int64_t *seconds, struct sv_err *err) SV_CHECK;

#endif
