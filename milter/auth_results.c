/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 8601 section 2.2:
 *
 *	authres-payload = [CFWS] authserv-id [ CFWS authres-version ]
 *	                  ( no-result / 1*resinfo ) [CFWS] CRLF
 *	authserv-id = value             ; token or quoted-string, RFC 2045
 *	authres-version = 1*DIGIT [CFWS]
 *	no-result = [CFWS] ";" [CFWS] "none"
 *	resinfo = [CFWS] ";" methodspec [ CFWS reasonspec ]
 *	          [ CFWS 1*propspec ]
 *	pvalue = [CFWS] ( ( value / [ [ local-part ] "@" ] domain-name ) )
 *	          [CFWS]
 */
#include "config.h"

#include "milter/auth_results.h"

#include <string.h>
#include <strings.h>

#include "common/header_value.h"
#include "common/strbuf.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"
#define BLANKS  " \t\r\n"

/* An identifier is kept as far as this; no host is that long. */
#define ID_MAX   320
/* Longer ones make no sense as the name of a user, nor fit on a line. */
#define USER_MAX 512
#define MECH_MAX 32

/* What has been read of an identifier. */
struct id {
	char text[ID_MAX + 1];
	size_t len;
	bool international; /* has octets beyond ASCII */
};

static void
id_add(struct id *id, char c)
{
	if ((unsigned char)c > 127)
		id->international = true;
	/* What is too long is not ours; the rest needs not be kept. */
	if (id->len < ID_MAX)
		id->text[id->len++] = c;
	id->text[id->len] = '\0';
}

/* A token's (RFC 2045 section 5.1), or beyond ASCII (RFC 6532). */
static bool
in_token(char c)
{
	unsigned char u = (unsigned char)c;

	return u > 127 ||
	    (u > 32 && u < 127 && strchr("()<>@,;:\\\"/[]?=", c) == NULL);
}

/* Past blanks and comments, which nest.  NULL when one does not end. */
static const char *
skip_cfws(const char *p)
{
	size_t depth = 0;

	for (;; p++) {
		if (*p == '\0')
			return depth == 0 ? p : NULL;
		if (*p == '(')
			depth++;
		else if (depth == 0 && strchr(BLANKS, *p) == NULL)
			return p;
		else if (*p == ')')
			depth--;
		else if (*p == '\\' && *++p == '\0')
			return NULL;
	}
}

/* A quoted string's content.  NULL when it does not end. */
static const char *
read_quoted(const char *p, struct id *id)
{
	for (p++; *p != '"'; p++) {
		if (*p == '\\')
			p++;
		if (*p == '\0')
			return NULL;
		if (*p != '\r' && *p != '\n')
			id_add(id, *p);
	}
	return p + 1;
}

static const char *
read_value(const char *p, struct id *id)
{
	if (*p == '"')
		return read_quoted(p, id);
	for (; in_token(*p); p++)
		id_add(id, *p);
	return p;
}

/* Is what comes behind the identifier what may come there? */
static bool
in_order(const char *p)
{
	size_t version = strspn(p, DIGITS);

	if (version > 0)
		p = skip_cfws(p + version);
	return p != NULL && (*p == ';' || *p == '\0');
}

/* Length without a final dot. */
static size_t
host_len(const char *host)
{
	size_t len = strlen(host);

	return len > 0 && host[len - 1] == '.' ? len - 1 : len;
}

static bool
same_host(const struct id *id, const char *host)
{
	size_t len = host_len(host);

	return host_len(id->text) == len &&
	    strncasecmp(id->text, host, len) == 0;
}

/* The identifier is followed by what may not be there: read on as somebody
 * would who only leaves out comments, blanks and quotes. */
static enum auth_results_whose
read_leniently(const char *p, struct id *id, const char *host)
{
	size_t len = host_len(host);

	while (*p != ';' && *p != '\0') {
		if (*p == '"')
			p = read_quoted(p, id);
		else
			id_add(id, *p++);
		if (p == NULL || (p = skip_cfws(p)) == NULL)
			return AUTH_RESULTS_UNCLEAR;
	}
	if (strncasecmp(id->text, host, len) != 0)
		return AUTH_RESULTS_OTHERS;
	if (id->text[len] == '.')
		len++;
	return id->text[len] != '\0' &&
		strchr(LETTERS DIGITS "-_", id->text[len]) != NULL
	    ? AUTH_RESULTS_OTHERS
	    : AUTH_RESULTS_OURS;
}

enum auth_results_whose
auth_results_whose(const char *value, const char *host)
{
	const char *p = skip_cfws(value), *behind;
	struct id id;

	id.len = 0;
	id.text[0] = '\0';
	id.international = false;
	if (p == NULL || (behind = read_value(p, &id)) == NULL || id.len == 0)
		return AUTH_RESULTS_UNCLEAR;
	if (same_host(&id, host))
		return AUTH_RESULTS_OURS;
	if (id.international && strcasestr(host, "xn--") != NULL)
		return AUTH_RESULTS_OURS;
	if ((behind = skip_cfws(behind)) == NULL)
		return AUTH_RESULTS_UNCLEAR;
	if (in_order(behind))
		return AUTH_RESULTS_OTHERS;
	return read_leniently(behind, &id, host);
}

static bool
is_token(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!in_token(text[i]))
			return false;
	return len > 0;
}

/* Words of letters and digits, parted by single dots. */
static bool
is_domain(const char *text)
{
	size_t n;

	for (;;) {
		n = strspn(text, LETTERS DIGITS "-");
		if (n == 0 || text[0] == '-' || text[n - 1] == '-')
			return false;
		if (text[n] == '\0')
			return true;
		if (text[n] != '.')
			return false;
		text += n + 1;
	}
}

/* May it stand bare behind "smtp.auth="? */
static bool
is_pvalue(const char *text)
{
	const char *at = strrchr(text, '@');
	size_t local;

	if (at == NULL)
		return is_token(text, strlen(text));
	local = (size_t)(at - text);
	return is_token(text, local) && text[0] != '.' && at[-1] != '.' &&
	    memmem(text, local, "..", 2) == NULL && is_domain(at + 1);
}

static void
add_quoted(struct strbuf *out, const char *text)
{
	strbuf_addch(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			strbuf_addch(out, '\\');
		strbuf_addch(out, *text);
	}
	strbuf_addch(out, '"');
}

static bool
is_printable_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 32 || *text > 126)
			return false;
	return true;
}

static void
add_user(struct strbuf *out, const char *user)
{
	if (strlen(user) > USER_MAX)
		return;
	if (!is_printable_ascii(user)) {
		strbuf_adds(out, "\n\t(");
		(void)header_words_encode(2, user, out);
		strbuf_addch(out, ')');
		return;
	}
	strbuf_adds(out, "\n\tsmtp.auth=");
	if (is_pvalue(user))
		strbuf_adds(out, user);
	else
		add_quoted(out, user);
}

bool
auth_results_write(const char *host, const char *user, const char *mechanism,
    struct strbuf *out)
{
	if (is_token(host, strlen(host)))
		strbuf_adds(out, host);
	else
		add_quoted(out, host);
	if (user == NULL) {
		strbuf_adds(out, "; auth=none");
		return strbuf_ok(out);
	}
	strbuf_adds(out, "; auth=pass");
	if (mechanism != NULL && mechanism[0] != '\0' &&
	    strlen(mechanism) <= MECH_MAX &&
	    strspn(mechanism, LETTERS DIGITS "-_") == strlen(mechanism))
		strbuf_addf(out, " (%s)", mechanism);
	add_user(out, user);
	return strbuf_ok(out);
}
