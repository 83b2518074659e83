/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a legal name is, and how text from outside is shown on a terminal.  Pure functions; no locale.
 */
#include "vault/base/name.h"

#include <stdio.h>
#include <string.h>

/* Decode one character.  Returns its length in bytes, 0 when p does not start a valid one. */
static size_t utf8_decode(const unsigned char *p, size_t n, uint32_t *cp)
{
	uint32_t c;
	size_t len;

	if (n == 0)
		return 0;
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
		c = p[0] & 0x1fu;
	} else if ((p[0] & 0xf0) == 0xe0) {
		len = 3;
		c = p[0] & 0x0fu;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		c = p[0] & 0x07u;
	} else {
		return 0;
	}
	if (n < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if ((len == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff))) || (len == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	*cp = c;
	return len;
}

/*
 * Characters that change how a terminal shows what stands beside them, or show nothing at all: C0, DEL, C1, soft
 * hyphen, Arabic letter mark, zero-width and directional format characters, line and paragraph separators, invisible
 * operators, variation of the byte order mark, interlinear annotation, tag characters, noncharacters.  Source: Unicode
 * UAX #9, UTS #39.
 */
static bool shows_falsely(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xad || c == 0x61c || c == 0x115f || c == 0x1160 ||
	       c == 0x17b4 || c == 0x17b5 || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0x3164 || c == 0xfeff ||
	       c == 0xffa0 || (c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff) ||
	       (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

/* Blanks at either end are lost in every table and every copy and paste. */
static bool is_blank(uint32_t c)
{
	return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f ||
	       c == 0x3000;
}

bool sv_utf8_valid(const void *p, size_t n)
{
	const unsigned char *u = p;
	uint32_t cp;

	while (n > 0) {
		size_t len = utf8_decode(u, n, &cp);

		if (len == 0)
			return false;
		u += len;
		n -= len;
	}
	return true;
}

static enum sv_code check_segment(const char *seg, size_t len, struct sv_err *err)
{
	if (len == 0)
		return sv_err_set(err, SV_ERR_NAME,
				  "a name cannot have an empty part (a slash at an end, or two in a row)");
	if ((len == 1 && seg[0] == '.') || (len == 2 && seg[0] == '.' && seg[1] == '.'))
		return sv_err_set(err, SV_ERR_NAME, "a name cannot have \".\" or \"..\" as a part");
	return SV_OK;
}

static enum sv_code check_characters(const char *name, size_t len, struct sv_err *err)
{
	const unsigned char *p = (const unsigned char *)name;
	uint32_t cp = 0;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_decode(p + i, len - i, &cp);
		if (n == 0)
			return sv_err_set(err, SV_ERR_NAME, "a name must be valid UTF-8 (byte %zu is not)", i + 1);
		if (shows_falsely(cp))
			return sv_err_set(err, SV_ERR_NAME,
					  "a name cannot hold control or invisible characters (U+%04X at byte %zu)",
					  (unsigned)cp, i + 1);
		if (cp == '=')
			return sv_err_set(err, SV_ERR_NAME, "a name cannot hold '='");
		if (i == 0 && is_blank(cp))
			return sv_err_set(err, SV_ERR_NAME, "a name cannot begin with a blank");
	}
	if (is_blank(cp))
		return sv_err_set(err, SV_ERR_NAME, "a name cannot end with a blank");
	return SV_OK;
}

static bool looks_like_version(const char *name, size_t len)
{
	size_t digits = 0;

	while (digits < len && name[len - 1 - digits] >= '0' && name[len - 1 - digits] <= '9')
		digits++;
	return digits > 0 && digits < len && name[len - 1 - digits] == '@';
}

static enum sv_code check_path(const char *name, size_t len, struct sv_err *err)
{
	size_t start = 0;
	enum sv_code rc;

	if (len == 0)
		return sv_err_set(err, SV_ERR_NAME, "a name cannot be empty");
	if (len > SV_NAME_MAX)
		return sv_err_set(err, SV_ERR_NAME, "a name is at most %d bytes long, this one has %zu", SV_NAME_MAX,
				  len);
	if (name[0] == '-')
		return sv_err_set(err, SV_ERR_NAME, "a name cannot begin with '-' (it would be taken for an option)");
	if (len >= 5 && memcmp(name, "sv://", 5) == 0)
		return sv_err_set(err, SV_ERR_NAME, "a name cannot begin with \"sv://\" (that is a reference)");
	for (size_t i = 0; i <= len; i++) {
		if (i < len && name[i] != '/')
			continue;
		if ((rc = check_segment(name + start, i - start, err)) != SV_OK)
			return rc;
		start = i + 1;
	}
	return check_characters(name, len, err);
}

enum sv_code sv_name_check(const char *name, size_t len, struct sv_err *err)
{
	enum sv_code rc = check_path(name, len, err);

	if (rc == SV_OK && looks_like_version(name, len))
		return sv_err_set(err, SV_ERR_NAME, "a name cannot end with '@' and digits (NAME@N means version N)");
	return rc;
}

enum sv_code sv_group_check(const char *group, size_t len, struct sv_err *err)
{
	if (len == 0)
		return SV_OK;
	if (group[len - 1] != '/')
		return sv_err_set(err, SV_ERR_NAME, "a group is written with a closing slash");
	if (len > SV_NAME_MAX)
		return sv_err_set(err, SV_ERR_NAME, "a group is at most %d bytes long, this one has %zu", SV_NAME_MAX,
				  len);
	return check_path(group, len - 1, err);
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

enum sv_code sv_env_name_check(const char *name, size_t len, struct sv_err *err)
{
	bool good = len > 0 && len <= SV_ENV_NAME_MAX && is_alnum(name[0]);

	for (size_t i = 0; good && i < len; i++)
		good = is_alnum(name[i]) || name[i] == '.' || name[i] == '_' || name[i] == '-';
	if (good)
		return SV_OK;
	return sv_err_set(
		err, SV_ERR_NAME,
		"an environment is 1 to %d letters, digits, '.', '_' or '-', and begins with a letter or digit",
		SV_ENV_NAME_MAX);
}

enum sv_code sv_var_check(const char *var, size_t len, struct sv_err *err)
{
	bool good = len > 0 && len <= SV_VAR_MAX && !(var[0] >= '0' && var[0] <= '9');

	for (size_t i = 0; good && i < len; i++)
		good = is_alnum(var[i]) || var[i] == '_';
	if (good)
		return SV_OK;
	return sv_err_set(err, SV_ERR_NAME,
			  "a variable name is 1 to %d letters, digits or '_', and does not begin with a digit",
			  SV_VAR_MAX);
}

size_t sv_var_from_name(const char *name, size_t len, char out[SV_VAR_MAX + 1])
{
	const char *seg = name;
	size_t seg_len = len, n = 0;
	bool has_upper = false;

	for (size_t i = 0; i < len; i++) {
		if (name[i] == '/') {
			seg = name + i + 1;
			seg_len = len - i - 1;
		}
	}
	for (size_t i = 0; i < seg_len; i++)
		has_upper = has_upper || (seg[i] >= 'A' && seg[i] <= 'Z');
	if (seg_len > 0 && seg[0] >= '0' && seg[0] <= '9')
		out[n++] = '_';
	for (size_t i = 0; i < seg_len && n < SV_VAR_MAX; i++) {
		char c = seg[i];

		if (!has_upper && c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		out[n++] = is_alnum(c) ? c : '_';
	}
	out[n] = '\0';
	return n;
}

/*
 * Sources: ld.so(8); bash(1), zsh(1), POSIX XCU 2.5.3; python(1), perlrun(1), ruby(1), node, java and git environment
 * variables; references/security-design.md section 4.
 */
bool sv_var_dangerous(const char *var, size_t len)
{
	static const char *const exact[] = {
		"PATH",
		"IFS",
		"ENV",
		"BASH_ENV",
		"SHELLOPTS",
		"BASHOPTS",
		"PS4",
		"PROMPT_COMMAND",
		"CDPATH",
		"GLOBIGNORE",
		"ZDOTDIR",
		"FPATH",
		"HOME",
		"SHELL",
		"USER",
		"LOGNAME",
		"TMPDIR",
		"TERM",
		"TERMINFO",
		"TERMINFO_DIRS",
		"TERMCAP",
		"TZDIR",
		"EDITOR",
		"VISUAL",
		"PAGER",
		"MANPAGER",
		"LESSOPEN",
		"LESSCLOSE",
		"BROWSER",
		"NODE_OPTIONS",
		"NODE_PATH",
		"NODE_EXTRA_CA_CERTS",
		"JAVA_TOOL_OPTIONS",
		"_JAVA_OPTIONS",
		"JDK_JAVA_OPTIONS",
		"CLASSPATH",
		"MAVEN_OPTS",
		"GRADLE_OPTS",
		"LOCPATH",
		"NLSPATH",
		"GCONV_PATH",
		"HOSTALIASES",
		"RESOLV_HOST_CONF",
		"MALLOC_TRACE",
		"GOFLAGS",
		"RUSTC_WRAPPER",
		"RUSTFLAGS",
		"CC",
		"CXX",
		"DOCKER_HOST",
		"DOCKER_CONFIG",
		"KUBECONFIG",
		"AWS_CONFIG_FILE",
		"SSH_ASKPASS",
		"SUDO_ASKPASS",
		"SSL_CERT_FILE",
		"SSL_CERT_DIR",
		"CURL_CA_BUNDLE",
		"REQUESTS_CA_BUNDLE",
		"HTTP_PROXY",
		"HTTPS_PROXY",
		"ALL_PROXY",
		"http_proxy",
		"https_proxy",
		"all_proxy",
		"MAKEFLAGS",
		"MFLAGS",
		"GIT_SSH",
		"GLIBC_TUNABLES",
	};
	static const char *const prefix[] = {
		"LD_",  "DYLD_",   "PYTHON", "PERL5", "PERLLIB",    "RUBY",        "BUNDLE_",     "GEM_",
		"LUA_", "PHP_INI", "GIT_",   "SV_",   "BASH_FUNC_", "npm_config_", "NPM_CONFIG_",
	};
	/* Tokens that people do keep, though their names begin like one of the above. */
	static const char *const harmless[] = {
		"GIT_TOKEN",       "GIT_PAT",          "GIT_PASSWORD",     "GIT_USERNAME",     "GIT_AUTH_TOKEN",
		"GIT_AUTH_HEADER", "GEM_HOST_API_KEY", "NPM_CONFIG_TOKEN", "NPM_CONFIG__AUTH", "NPM_CONFIG__AUTHTOKEN"
	};

	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		if (strlen(harmless[i]) == len && memcmp(harmless[i], var, len) == 0)
			return false;
	}
	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
		if (strlen(exact[i]) == len && memcmp(exact[i], var, len) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++) {
		size_t n = strlen(prefix[i]);

		if (len >= n && memcmp(prefix[i], var, n) == 0)
			return true;
	}
	return false;
}

size_t sv_escape(const char *p, size_t n, char *out, size_t out_size)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t need = 0, at = 0;
	bool full = out_size == 0;

	for (size_t i = 0; i < n;) {
		char piece[16];
		uint32_t cp = 0;
		size_t len = utf8_decode(u + i, n - i, &cp);
		size_t m;

		if (len == 0) {
			m = (size_t)snprintf(piece, sizeof(piece), "\\x%02x", u[i]);
			len = 1;
		} else if (cp == '\\') {
			memcpy(piece, "\\\\", m = 2);
		} else if (!shows_falsely(cp)) {
			memcpy(piece, u + i, m = len);
		} else if (cp < 0x80) {
			m = (size_t)snprintf(piece, sizeof(piece), "\\x%02x", (unsigned)cp);
		} else {
			m = (size_t)snprintf(piece, sizeof(piece), "\\u{%x}", (unsigned)cp);
		}
		i += len;
		need += m;
		if (!full && at + m < out_size) {
			memcpy(out + at, piece, m);
			at += m;
		} else {
			full = true;
		}
	}
	if (out_size > 0)
		out[at] = '\0';
	return need;
}
