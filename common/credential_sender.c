/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/credential_check.h"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Is text[0..len) a quoted string as a whole?  The last quote is then not
 * one that is quoted itself. */
static bool
is_quoted(const char *text, size_t len)
{
	size_t i;

	if (len < 2 || text[0] != '"')
		return false;
	for (i = 1; i < len; i++) {
		if (text[i] == '\\')
			i++;
		else if (text[i] == '"')
			return i == len - 1;
	}
	return false;
}

/* The local part, out of its quotes: Postfix asks with "a b"@c as with
 * a b@c. */
static size_t
put_local(const char *text, size_t len, char *out)
{
	bool quoted = is_quoted(text, len);
	size_t i = quoted ? 1 : 0, end = quoted ? len - 1 : len, n = 0;

	for (; i < end; i++) {
		if (quoted && text[i] == '\\')
			i++;
		out[n++] = lower(text[i]);
	}
	return n;
}

bool
credential_sender(const char *text, char *out)
{
	const char *at = strrchr(text, '@');
	size_t len = strlen(text), n, i;

	out[0] = '\0';
	if (at == NULL || at[1] == '\0' || len > CREDENTIAL_SENDER_MAX)
		return false;
	if (len > 2 && text[len - 1] == '.' && &text[len - 2] != at)
		len--;
	n = put_local(text, (size_t)(at - text), out);
	for (i = (size_t)(at - text); i < len; i++)
		out[n++] = lower(text[i]);
	out[n] = '\0';
	return true;
}
