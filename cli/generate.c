/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random values of a described shape.
 */
#include "cli/generate.h"

#include "cli/opts.h"

#include <sodium.h>
#include <string.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT  "0123456789"
#define SYMBOL "._-+:@,%"

enum shape { CHARACTERS, HEX, BASE64, WORDS };

static const struct {
	const char *name, *chars;
} classes[] = {
	{ "lower", LOWER },   { "upper", UPPER },       { "digit", DIGIT },
	{ "symbol", SYMBOL }, { "alpha", LOWER UPPER }, { "alnum", LOWER UPPER DIGIT },
};
#define CLASSES (sizeof(classes) / sizeof(classes[0]))

struct spec {
	enum shape shape;
	size_t n;
	bool wanted[CLASSES]; /* CHARACTERS: each one must be there */
	bool plain_start;     /* a letter or digit first */
	char alphabet[128];   /* CHARACTERS: every character once */
	size_t alphabet_len;
};

static void add_chars(struct spec *s, const char *chars)
{
	for (; *chars != '\0'; chars++)
		if (memchr(s->alphabet, *chars, s->alphabet_len) == NULL)
			s->alphabet[s->alphabet_len++] = *chars;
}

static bool add_classes(struct spec *s, const char *list)
{
	while (*list != '\0') {
		size_t n = strcspn(list, ",");
		size_t c = 0;

		while (c < CLASSES && (strlen(classes[c].name) != n || memcmp(classes[c].name, list, n) != 0))
			c++;
		if (c == CLASSES || s->wanted[c])
			return false;
		s->wanted[c] = true;
		add_chars(s, classes[c].chars);
		list += n;
		if (*list == ',' && *++list == '\0')
			return false;
	}
	return s->alphabet_len > 0;
}

static bool parse_number(const char *p, size_t len, size_t *n)
{
	char digits[8];
	uint64_t v;

	if (len == 0 || len >= sizeof(digits))
		return false;
	memcpy(digits, p, len);
	digits[len] = '\0';
	if (!sv_number_parse(digits, SV_GENERATE_MAX, &v) || v == 0)
		return false;
	*n = (size_t)v;
	return true;
}

static enum sv_code parse(const char *text, struct spec *s, struct sv_err *err)
{
	size_t head = strcspn(text, ":");
	const char *rest = text[head] == ':' ? text + head + 1 : NULL;
	size_t needed = 0;
	bool good;

	*s = (struct spec){ .shape = CHARACTERS };
	if (parse_number(text, head, &s->n)) {
		good = rest == NULL ? add_classes(s, "lower,upper,digit,symbol") : add_classes(s, rest);
		s->plain_start = rest == NULL;
	} else {
		good = rest != NULL && parse_number(rest, strlen(rest), &s->n);
		if (head == 3 && memcmp(text, "hex", 3) == 0)
			s->shape = HEX;
		else if (head == 6 && memcmp(text, "base64", 6) == 0)
			s->shape = BASE64;
		else if (head == 5 && memcmp(text, "words", 5) == 0)
			s->shape = WORDS;
		else if (head == 5 && memcmp(text, "alnum", 5) == 0)
			add_chars(s, LOWER UPPER DIGIT);
		else if (head == 6 && memcmp(text, "digits", 6) == 0)
			add_chars(s, DIGIT);
		else
			good = false;
	}
	if (!good)
		return sv_err_set(err, SV_ERR_USAGE,
				  "what to generate is a length (40), a length with classes "
				  "(40:lower,upper,digit,symbol), or one of alnum:24, digits:6, "
				  "hex:32, base64:32, words:6; at most %d",
				  SV_GENERATE_MAX);
	for (size_t c = 0; c < CLASSES; c++)
		needed += s->wanted[c];
	if (s->n < needed)
		return sv_err_set(err, SV_ERR_USAGE, "%zu characters cannot hold one of each of %zu classes", s->n,
				  needed);
	return SV_OK;
}

enum sv_code sv_generate_check(const char *spec, struct sv_err *err)
{
	struct spec s;

	return parse(spec, &s, err);
}

static bool has_all(const struct spec *s, const char *p)
{
	for (size_t c = 0; c < CLASSES; c++) {
		bool there = !s->wanted[c];

		for (size_t i = 0; i < s->n && !there; i++)
			there = strchr(classes[c].chars, p[i]) != NULL;
		if (!there)
			return false;
	}
	return true;
}

/* Whole values are drawn until one has every class: what comes out is uniform among the values that do. */
static void characters(const struct spec *s, char *p)
{
	do {
		for (size_t i = 0; i < s->n; i++)
			do
				p[i] = s->alphabet[randombytes_uniform((uint32_t)s->alphabet_len)];
			while (i == 0 && s->plain_start && strchr(SYMBOL, p[0]) != NULL);
	} while (!has_all(s, p));
}

static void words(size_t n, char *p)
{
	static const char consonants[17] = "bdfghjklmnprstvz";
	static const char vowels[5] = "aiou";

	for (size_t i = 0; i < n; i++) {
		uint32_t r = randombytes_uniform(65536);

		if (i > 0)
			*p++ = '-';
		*p++ = consonants[r >> 12];
		*p++ = vowels[r >> 10 & 3];
		*p++ = consonants[r >> 6 & 15];
		*p++ = vowels[r >> 4 & 3];
		*p++ = consonants[r & 15];
		sv_wipe(&r, sizeof(r));
	}
}

static size_t size_of(const struct spec *s)
{
	switch (s->shape) {
	case HEX: return 2 * s->n;
	case BASE64: return sodium_base64_encoded_len(s->n, sodium_base64_VARIANT_ORIGINAL) - 1;
	case WORDS: return 6 * s->n - 1;
	case CHARACTERS: break;
	}
	return s->n;
}

enum sv_code sv_generate(const char *spec, struct sv_secret **out, struct sv_err *err)
{
	struct sv_secret *bytes = NULL;
	struct sv_secret *text = NULL;
	struct spec s;
	enum sv_code rc;
	char *p;

	*out = NULL;
	if ((rc = parse(spec, &s, err)) != SV_OK)
		return rc;
	if (sodium_init() < 0)
		return sv_err_set(err, SV_ERR_FAIL, "libsodium cannot be initialised");
	text = sv_secret_new(size_of(&s) + 1); /* the encoders end with a NUL */
	bytes = sv_secret_new(s.n);
	if (text == NULL || bytes == NULL) {
		rc = sv_err_set(err, SV_ERR_NOMEM, "no memory for the value");
		goto out;
	}
	p = (char *)sv_secret_peek(text);
	if (s.shape == CHARACTERS) {
		characters(&s, p);
	} else if (s.shape == WORDS) {
		words(s.n, p);
	} else {
		randombytes_buf(sv_secret_peek(bytes), s.n);
		if (s.shape == HEX)
			(void)sodium_bin2hex(p, size_of(&s) + 1, sv_secret_peek(bytes), s.n);
		else
			(void)sodium_bin2base64(p, size_of(&s) + 1, sv_secret_peek(bytes), s.n,
						sodium_base64_VARIANT_ORIGINAL);
	}
	sv_secret_cut(text, size_of(&s));
	*out = text;
	text = NULL;
out:
	sv_secret_free(&bytes);
	sv_secret_free(&text);
	return rc;
}
