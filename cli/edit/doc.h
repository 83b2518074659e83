/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents: a tree of secrets as text, in one of three formats, and back.
 *
 *	yaml	nested mappings; the default of edit, show, import and export
 *	env	one NAME=value a line; names are the vault's names, slashes and all
 *	json	nested objects
 *
 * Scalars are text and mean the bytes that were typed; nothing is a number, a date or a truth value.  What cannot be
 *written as text (bytes that are no UTF-8) is !!binary in YAML, \xNN in env, {"!!binary": "base64"} in JSON.  Reading
 *what was written gives the same tree; every error has a place and says no value.
 */
#ifndef SV_CLI_EDIT_DOC_H
#define SV_CLI_EDIT_DOC_H

#include "cli/edit/tree.h"

#define SV_DOC_BYTES_MAX  ((size_t)10 << 20)
#define SV_DOC_BINARY_KEY "!!binary"
#define SV_DOC_MASK       "********"

enum sv_doc_format { SV_DOC_YAML, SV_DOC_ENV, SV_DOC_JSON };

struct sv_doc_style {
	enum sv_doc_format format;
	bool full;               /* each secret is a mapping of `value` and its metadata (not env) */
	bool masked;             /* write every value as SV_DOC_MASK */
	bool flatten;            /* read: sequences become name/0, name/1 ...; otherwise they are an error */
	bool skip_empty;         /* read: a key without a value is passed over and counted; otherwise it is an error */
	const char *header;      /* write: comment lines in front (yaml, env); may be NULL */
	const char *hidden_note; /* write: what stands behind an inherited value; NULL: "inherited from default" */
	int64_t now_s;           /* read: for an expiry that is a period */
};

struct sv_doc_place {       /* what sv_doc_read says besides the tree */
	struct sv_place at; /* of the error */
	size_t skipped;     /* keys without a value */
	struct sv_place first_skipped;
};

/* "yaml", "env", "json"; false for anything else. */
bool sv_doc_format_parse(const char *name, enum sv_doc_format *out);
const char *sv_doc_format_word(enum sv_doc_format f);

/*
 * Text to tree, sorted and checked (names legal, none twice).  text is borrowed.  SV_ERR_USAGE for bad text,
 * SV_ERR_NAME, SV_ERR_TOO_BIG; the sentence does not hold the place: see sv_doc_err_place().  An empty document is an
 * empty tree.
 */
enum sv_code sv_doc_read(const struct sv_doc_style *style, const unsigned char *text, size_t len, struct sv_tree *out,
			 struct sv_doc_place *where, struct sv_err *err) SV_CHECK;
/* Sorted tree to text, appended to out (which should be locked). */
enum sv_code sv_doc_write(const struct sv_doc_style *style, const struct sv_tree *tree, struct sv_buf *out,
			  struct sv_err *err) SV_CHECK;
/* "WHAT, line 3, column 7: " in front of the sentence. */
void sv_doc_err_place(struct sv_err *err, const char *what, struct sv_place at);

/* ---- for the formats
 * ------------------------------------------------------------------------------------------------- */

enum sv_code sv_yaml_read(const struct sv_doc_style *style, const unsigned char *text, size_t len, struct sv_tree *out,
			  struct sv_doc_place *where, struct sv_err *err) SV_CHECK;
enum sv_code sv_yaml_write(const struct sv_doc_style *style, const struct sv_tree *tree, struct sv_buf *out,
			   struct sv_err *err) SV_CHECK;
enum sv_code sv_json_doc_read(const struct sv_doc_style *style, const unsigned char *text, size_t len,
			      struct sv_tree *out, struct sv_doc_place *where, struct sv_err *err) SV_CHECK;
enum sv_code sv_json_doc_write(const struct sv_doc_style *style, const struct sv_tree *tree, struct sv_buf *out,
			       struct sv_err *err) SV_CHECK;
enum sv_code sv_env_read(const struct sv_doc_style *style, const unsigned char *text, size_t len, struct sv_tree *out,
			 struct sv_doc_place *where, struct sv_err *err) SV_CHECK;
enum sv_code sv_env_write(const struct sv_doc_style *style, const struct sv_tree *tree, struct sv_buf *out,
			  struct sv_err *err) SV_CHECK;

/* Line and column of a byte. */
struct sv_place sv_doc_place_of(const unsigned char *text, size_t len, size_t at);
/* Would the value do as text in a document (UTF-8, no NUL)? */
bool sv_doc_is_text(const unsigned char *p, size_t n);

#endif
