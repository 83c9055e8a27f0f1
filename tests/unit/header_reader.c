/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/header_reader.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

#define OPEN "=?utf-8?Q?"

/* A character of 12 octets and the frame of a word need 24 of 76. */
#define COLUMN_MAX 52

static void
must(bool what)
{
	if (!what)
		abort();
}

void
header_reader_lines(size_t column, const char *value)
{
	size_t len, i;
	bool first = true;

	for (;; first = false, column = 0) {
		len = strcspn(value, "\n");
		for (i = 0; i < len; i++)
			must(value[i] >= ' ' && value[i] <= '~');
		must(first || len > 1);
		must(first || (value[0] == ' ' && value[1] != ' '));
		must(column + len <= 998);
		if (memmem(value, len, OPEN, strlen(OPEN)) != NULL)
			must(column + len <= 76 ||
			    (first && column > COLUMN_MAX && len <= 24));
		if (value[len] == '\0')
			return;
		value += len + 1;
	}
}

static char
from_hex(const char *digits)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *high = strchr(hex, digits[0]);
	const char *low = strchr(hex, digits[1]);

	must(digits[0] != '\0' && digits[1] != '\0' && high != NULL &&
	    low != NULL);
	return (char)((high - hex) * 16 + (low - hex));
}

/* One encoded word from p on; returns what is behind it. */
static const char *
decode_word(const char *p, char *out, size_t *len, size_t size)
{
	const char *begin = p;
	size_t at = *len, n;

	for (p += strlen(OPEN); *p != '?'; p++) {
		must(*len + 1 < size && *p != '\0' && *p != ' ');
		if (*p == '=') {
			out[(*len)++] = from_hex(p + 1);
			p += 2;
		} else {
			out[(*len)++] = *p == '_' ? ' ' : *p;
		}
	}
	must(p[1] == '=' && p + 2 - begin <= 75 && *len > at);
	for (; at < *len; at += n)
		must((n = utf8_sequence(out + at, *len - at)) > 0);
	return p + 2;
}

void
header_reader_decode(const char *value, char *out, size_t size)
{
	size_t len = 0, blank;

	while (*value != '\0') {
		if (strncmp(value, OPEN, strlen(OPEN)) == 0) {
			value = decode_word(value, out, &len, size);
			/* blanks between two of them are not read */
			blank = strspn(value, " \n");
			if (strncmp(value + blank, OPEN, strlen(OPEN)) == 0)
				value += blank;
		} else if (*value == '\n') {
			value++;
		} else {
			must(len + 1 < size);
			out[len++] = *value++;
		}
	}
	out[len] = '\0';
}
