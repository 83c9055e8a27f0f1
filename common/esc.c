/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/esc.h"

#include <stdio.h>
#include <string.h>

/*
 * RFC 3463 section 2; none of the numbers has a leading zero:
 *   status-code = class "." subject "." detail
 *   class       = "2" / "4" / "5"
 *   subject     = 1*3digit
 *   detail      = 1*3digit
 */

/* Read "." 1*3digit at s; the octets taken, 0 when it is not there. */
static size_t
number(const char *s, int *out)
{
	size_t n = 1;
	int v = 0;

	if (s[0] != '.')
		return 0;
	while (s[n] >= '0' && s[n] <= '9' && n < 4)
		v = v * 10 + s[n++] - '0';
	if (n == 1 || (s[1] == '0' && n > 2) || (s[n] >= '0' && s[n] <= '9'))
		return 0;
	*out = v;
	return n;
}

/* Read an enhanced status at s; the octets taken, 0 when there is none. */
static size_t
status(const char *s, struct esc *out)
{
	struct esc e = { 0 };
	size_t len = 1, n;

	memset(out, 0, sizeof(*out));
	if (s[0] != '2' && s[0] != '4' && s[0] != '5')
		return 0;
	e.class = s[0] - '0';
	if ((n = number(s + len, &e.subject)) == 0)
		return 0;
	len += n;
	if ((n = number(s + len, &e.detail)) == 0)
		return 0;
	*out = e;
	return len + n;
}

size_t
esc_parse(const char *text, int code, struct esc *out)
{
	size_t len = status(text, out);

	if (len > 0 && out->class == code / 100) {
		if (text[len] == ' ')
			return len + 1;
		if (text[len] == '\0' || text[len] == '\n')
			return len;
	}
	memset(out, 0, sizeof(*out));
	return 0;
}

void
esc_strip(const char *text, int code, char *out, size_t size)
{
	struct esc e;
	size_t n = 0;

	text += esc_parse(text, code, &e);
	for (; *text != '\0' && n + 1 < size; text++) {
		out[n++] = *text;
		if (*text == '\n')
			text += esc_parse(text + 1, code, &e);
	}
	if (size > 0)
		out[n] = '\0';
}

bool
esc_parse_exact(const char *text, struct esc *out)
{
	size_t len = status(text, out);

	if (len > 0 && text[len] == '\0')
		return true;
	memset(out, 0, sizeof(*out));
	return false;
}

const char *
esc_format(const struct esc *e, char *buf, size_t size)
{
	char text[40] = "";
	int n = 0;

	if ((e->class == 2 || e->class == 4 || e->class == 5) &&
	    e->subject >= 0 && e->subject <= 999 && e->detail >= 0 &&
	    e->detail <= 999)
		n = snprintf(text, sizeof(text), "%d.%d.%d", e->class,
		    e->subject, e->detail);
	if (n > 0 && (size_t)n < size)
		memcpy(buf, text, (size_t)n + 1);
	else if (size > 0)
		buf[0] = '\0';
	return buf;
}
