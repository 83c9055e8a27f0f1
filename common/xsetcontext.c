/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/xsetcontext.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/xtext.h"

/*
 *   arguments = *WSP pair *( 1*WSP pair ) *WSP
 *   pair      = xtext "=" xtext
 *
 * xtext has no "=" of its own, so the first one ends the name.
 */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *
read_name(const char *text, size_t len, struct xsetcontext_pair *pair)
{
	size_t got;

	if (len == 0)
		return "no name before the =";
	if (!xtext_decode(text, len, pair->name, sizeof(pair->name), &got) ||
	    strlen(pair->name) != got || !context_name_ok(pair->name)) {
		pair->name[0] = '\0';
		return "name is not 1 to 64 of letters, digits, _ . -";
	}
	return NULL;
}

/* Too long and not xtext are the same to xtext_decode(). */
static const char *
read_value(const char *text, size_t len, struct xsetcontext_pair *pair)
{
	char wide[XTEXT_ROOM(CONTEXT_VALUE_MAX)];
	const char *why = NULL;
	size_t got = 0, i;

	if (len >= sizeof(wide))
		return "value longer than 1024 octets";
	if (!xtext_decode(text, len, wide, sizeof(wide), &got))
		return "value is not xtext";
	if (got > CONTEXT_VALUE_MAX)
		why = "value longer than 1024 octets";
	for (i = 0; i < got && why == NULL; i++)
		if ((unsigned char)wide[i] < 32 || wide[i] == 127)
			why = "control character in the value";
	if (why == NULL)
		memcpy(pair->value, wide, got + 1);
	explicit_bzero(wide, got); /* it may be a password */
	return why;
}

static const char *
read_pair(const char *text, size_t len, struct xsetcontext_pair *pair)
{
	const char *equals = memchr(text, '=', len);
	const char *why;
	size_t before;

	if (equals == NULL)
		return "not of the form name=value";
	before = (size_t)(equals - text);
	if ((why = read_name(text, before, pair)) != NULL)
		return why;
	return read_value(equals + 1, len - before - 1, pair);
}

enum xsetcontext_result
xsetcontext_next(const char **text, size_t *len, struct xsetcontext_pair *pair,
    const char **why)
{
	const char *at = *text, *end = *text + *len, *start;

	pair->name[0] = pair->value[0] = '\0';
	*why = NULL;
	while (at < end && is_blank(*at))
		at++;
	for (start = at; at < end && !is_blank(*at);)
		at++;
	*text = at;
	*len = (size_t)(end - at);
	if (at == start)
		return XSETCONTEXT_END;
	*why = read_pair(start, (size_t)(at - start), pair);
	return *why == NULL ? XSETCONTEXT_PAIR : XSETCONTEXT_BAD;
}

size_t
xsetcontext_check(const char *text, size_t len, char *bad, const char **why)
{
	struct xsetcontext_pair pair;
	enum xsetcontext_result r;
	size_t n = 0;

	bad[0] = '\0';
	while (
	    (r = xsetcontext_next(&text, &len, &pair, why)) == XSETCONTEXT_PAIR)
		n++;
	if (r == XSETCONTEXT_BAD) {
		snprintf(bad, CONTEXT_NAME_MAX + 1, "%s", pair.name);
		return 0;
	}
	if (n == 0)
		*why = "no name=value";
	return n;
}
