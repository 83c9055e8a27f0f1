/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ds_text.h"

#include <string.h>

static bool
starts_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
goes_on(char c)
{
	return starts_name(c) || (c >= '0' && c <= '9');
}

/* Behind what begins with open and ends with close; the end of the text when
 * it does not end. */
static const char *
behind(const char *p, size_t open_len, const char *close)
{
	const char *end = strstr(p + open_len, close);

	return end != NULL ? end + strlen(close) : p + strlen(p);
}

/* Behind the quoted text or comment at p; p itself when there is none.  A
 * quote that is doubled inside reads as two quoted texts: just as well. */
static const char *
skip(const char *p)
{
	const char quote[2] = { *p, '\0' };

	if (*p == '\'' || *p == '"' || *p == '`')
		return behind(p, 1, quote);
	if (strncmp(p, "--", 2) == 0)
		return behind(p, 2, "\n");
	if (strncmp(p, "/*", 2) == 0)
		return behind(p, 2, "*/");
	if (strncmp(p, "::", 2) == 0)
		return p + 2;
	return p;
}

bool
ds_text_next(const char **text, struct ds_name *name)
{
	const char *p = *text;

	while (*p != '\0') {
		const char *next = skip(p);

		if (next != p) {
			p = next;
			continue;
		}
		if (*p++ != ':' || !starts_name(*p))
			continue;
		name->at = p;
		while (goes_on(*p))
			p++;
		name->len = (size_t)(p - name->at);
		*text = p;
		return true;
	}
	*text = p;
	return false;
}

bool
ds_text_check(
    const char *text, const char *const *allowed, struct ds_name *name)
{
	while (ds_text_next(&text, name)) {
		const char *const *a = allowed;

		while (*a != NULL &&
		    (strlen(*a) != name->len ||
			memcmp(*a, name->at, name->len) != 0))
			a++;
		if (*a == NULL)
			return false;
	}
	return true;
}
