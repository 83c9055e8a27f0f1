/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/utf8.h"

#include <string.h>

/*
 * RFC 3629 section 4:
 *   UTF8-2 = %xC2-DF UTF8-tail
 *   UTF8-3 = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2( UTF8-tail ) /
 *            %xED %x80-9F UTF8-tail / %xEE-EF 2( UTF8-tail )
 *   UTF8-4 = %xF0 %x90-BF 2( UTF8-tail ) / %xF1-F3 3( UTF8-tail ) /
 *            %xF4 %x80-8F 2( UTF8-tail )
 * Only the second octet has a range of its own; the table holds it.
 */
static const struct lead {
	unsigned char first, last; /* first octet */
	unsigned char lo, hi;      /* second octet */
	unsigned char len;
} leads[] = {
	{ 0xC2, 0xDF, 0x80, 0xBF, 2 },
	{ 0xE0, 0xE0, 0xA0, 0xBF, 3 },
	{ 0xE1, 0xEC, 0x80, 0xBF, 3 },
	{ 0xED, 0xED, 0x80, 0x9F, 3 },
	{ 0xEE, 0xEF, 0x80, 0xBF, 3 },
	{ 0xF0, 0xF0, 0x90, 0xBF, 4 },
	{ 0xF1, 0xF3, 0x80, 0xBF, 4 },
	{ 0xF4, 0xF4, 0x80, 0x8F, 4 },
};

size_t
utf8_sequence(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t i, k;

	if (len == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	for (i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
		if (u[0] < leads[i].first || u[0] > leads[i].last)
			continue;
		if (len < leads[i].len || u[1] < leads[i].lo ||
		    u[1] > leads[i].hi)
			return 0;
		for (k = 2; k < leads[i].len; k++) {
			if (u[k] < 0x80 || u[k] > 0xBF)
				return 0;
		}
		return leads[i].len;
	}
	return 0;
}

bool
utf8_printable(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;

	if (n == 1)
		return u[0] >= 32 && u[0] != 127;
	if (n == 2 && u[0] == 0xC2 && u[1] < 0xA0)
		return false;
	if (n == 3 && u[0] == 0xE2 && u[1] == 0x80 &&
	    (u[2] == 0xA8 || u[2] == 0xA9))
		return false;
	return n > 0;
}

void
utf8_clean(char *s, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t n = utf8_sequence(s + i, len - i);

		if (n == 0 || !utf8_printable(s + i, n)) {
			n = n == 0 ? 1 : n;
			memset(s + i, '?', n);
		}
		i += n;
	}
}

bool
utf8_valid(const char *s, size_t len)
{
	size_t i = 0, n;

	while (i < len && (n = utf8_sequence(s + i, len - i)) > 0)
		i += n;
	return i == len;
}
