/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/conf_lex.h"

#include <string.h>

void
conf_lexer_init(struct conf_lexer *lx, const char *data, size_t len)
{
	lx->p = data;
	lx->end = data + len;
	lx->line = 1;
	lx->lenient = false;
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		lx->p += 3;
}

static bool
is_control(char c)
{
	return (unsigned char)c < 32 || c == 127;
}

static bool
in_word(char c)
{
	return !is_control(c) && strchr(" {}(),=\"'#", c) == NULL;
}

static enum conf_token_kind
bad(struct conf_token *t, const char *why)
{
	t->kind = CONF_TOKEN_BAD;
	t->why = why;
	return t->kind;
}

static void
skip_line(struct conf_lexer *lx)
{
	while (lx->p < lx->end && *lx->p != '\n')
		lx->p++;
}

/* At the first octet of a C comment.  False when it does not end. */
static bool
skip_comment(struct conf_lexer *lx)
{
	for (lx->p += 2; lx->end - lx->p >= 2; lx->p++) {
		if (lx->p[0] == '*' && lx->p[1] == '/') {
			lx->p += 2;
			return true;
		}
		if (*lx->p == '\n')
			lx->line++;
	}
	lx->p = lx->end;
	return false;
}

static bool
begins(const struct conf_lexer *lx, const char *two)
{
	return lx->end - lx->p >= 2 && memcmp(lx->p, two, 2) == 0;
}

/* Blanks and comments.  False, with t filled, when something is wrong. */
static bool
skip_blank(struct conf_lexer *lx, struct conf_token *t)
{
	while (lx->p < lx->end) {
		t->line = lx->line;
		if (*lx->p == '\n') {
			lx->line++;
			lx->p++;
		} else if (*lx->p == ' ' || *lx->p == '\t' ||
		    begins(lx, "\r\n")) {
			lx->p++;
		} else if (*lx->p == '#' || begins(lx, "//")) {
			skip_line(lx);
		} else if (begins(lx, "/*")) {
			if (!skip_comment(lx)) {
				bad(t, "this comment is not closed");
				return false;
			}
		} else {
			break;
		}
	}
	t->line = lx->line;
	return true;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* RFC-like grammar of what may follow a backslash between double quotes:
 *	1*3OCT-DIGIT / "x" 1*2HEX-DIGIT / "n" / "r" / ... / line end / other
 * Sets *c to the octet meant, or to -1 when none is.  Returns the octets that
 * the escape takes behind the backslash, 0 when it is wrong. */
static size_t
escape(const char *p, const char *end, int *c)
{
	static const char letters[] = "nrbfaetv";
	static const unsigned char octets[] = "\n\r\b\f\a\033\t\v";
	const char *at;
	size_t n = 0;
	int value = 0;

	*c = -1;
	if (p == end)
		return 0;
	if (*p == '\n' || (end - p >= 2 && memcmp(p, "\r\n", 2) == 0))
		return *p == '\n' ? 1 : 2;
	if (*p >= '0' && *p <= '9') {
		for (; p + n < end && n < 3 && p[n] >= '0' && p[n] <= '7'; n++)
			value = value * 8 + (p[n] - '0');
		if (p + n < end && p[n] >= '0' && p[n] <= '9')
			return 0;
	} else if (*p == 'x') {
		for (n = 1; p + n < end && n < 3 && hex_value(p[n]) >= 0; n++)
			value = value * 16 + hex_value(p[n]);
	} else if ((at = strchr(letters, *p)) != NULL && *p != '\0') {
		value = octets[at - letters];
		n = 1;
	} else {
		value = (unsigned char)*p;
		n = 1;
	}
	*c = value;
	return value >= 1 && value <= 255 ? n : 0;
}

static enum conf_token_kind
take_string(struct conf_lexer *lx, struct conf_token *t)
{
	size_t n;
	int c;

	t->quote = *lx->p++;
	t->text = lx->p;
	while (lx->p < lx->end && *lx->p != t->quote) {
		if (*lx->p == '\0')
			return bad(t, "this string holds a NUL");
		if (*lx->p == '\n')
			lx->line++;
		if (*lx->p++ != '\\')
			continue;
		if (t->quote == '"') {
			n = escape(lx->p, lx->end, &c);
			if (n == 0 && lx->p < lx->end)
				return bad(t, "this string has a wrong escape");
		} else {
			n = lx->p < lx->end ? 1 : 0;
		}
		if (n > 0 && lx->p[n - 1] == '\n')
			lx->line++;
		lx->p += n;
	}
	if (lx->p == lx->end)
		return bad(t, "this string is not closed");
	t->len = (size_t)(lx->p - t->text);
	lx->p++;
	t->kind = CONF_TOKEN_STRING;
	if (!lx->lenient && lx->p < lx->end &&
	    (in_word(*lx->p) || *lx->p == '"' || *lx->p == '\''))
		return bad(t, "something stands right behind this string");
	return t->kind;
}

static enum conf_token_kind
take_word(struct conf_lexer *lx, struct conf_token *t)
{
	t->text = lx->p;
	while (lx->p < lx->end) {
		if (begins(lx, "+="))
			break;
		if (!in_word(*lx->p) &&
		    !(lx->lenient && strchr("#\"'", *lx->p) != NULL &&
			*lx->p != '\0'))
			break;
		if (!lx->lenient && (begins(lx, "//") || begins(lx, "/*")))
			return bad(t,
			    "a comment begins inside this word: put the value "
			    "into quotes, or a blank before the comment");
		lx->p++;
	}
	t->len = (size_t)(lx->p - t->text);
	t->kind = CONF_TOKEN_WORD;
	if (lx->p < lx->end && strchr("#\"'", *lx->p) != NULL && *lx->p != '\0')
		return bad(t,
		    *lx->p == '#'
			? "a comment begins inside this word: put the value "
			  "into quotes, or a blank before the comment"
			: "a quote stands inside this word: put quotes around "
			  "the whole value");
	return t->kind;
}

enum conf_token_kind
conf_lexer_next(struct conf_lexer *lx, struct conf_token *t)
{
	memset(t, 0, sizeof(*t));
	if (!skip_blank(lx, t))
		return t->kind;
	if (lx->p == lx->end)
		return t->kind;
	if (begins(lx, "+=")) {
		t->sign = '+';
		lx->p += 2;
		return t->kind = CONF_TOKEN_SIGN;
	}
	if (is_control(*lx->p))
		return bad(t, "a control character stands here");
	if (strchr("{}(),=", *lx->p) != NULL) {
		t->sign = *lx->p++;
		return t->kind = CONF_TOKEN_SIGN;
	}
	if (*lx->p == '"' || *lx->p == '\'')
		return take_string(lx, t);
	return take_word(lx, t);
}

size_t
conf_token_decode(const struct conf_token *t, char *buf)
{
	const char *p = t->text;
	const char *end = t->text + t->len;
	char *out = buf;
	int c;

	while (p < end) {
		if (t->kind != CONF_TOKEN_STRING || *p != '\\') {
			*out++ = *p++;
		} else if (t->quote == '"') {
			p++;
			p += escape(p, end, &c);
			if (c >= 0)
				*out++ = (char)c;
		} else if (p[1] == '\n') {
			p += 2;
		} else {
			if (p[1] != '\\' && p[1] != '\'')
				*out++ = *p;
			*out++ = p[1];
			p += 2;
		}
	}
	*out = '\0';
	return (size_t)(out - buf);
}
