/* SPDX-License-Identifier: BSD-2-Clause */
#include "pattern.h"

#include <stdlib.h>
#include <string.h>

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * Decode the escape whose backslash is at src[0].  Returns the octets used,
 * 0 when it is malformed.
 */
static size_t
escape_decode(const char *src, size_t len, char *out)
{
	static const char from[] = "rnt0\\\"*";
	static const char to[] = "\r\n\t\0\\\"*";
	const char *at;
	int hi, lo;

	if (len < 2)
		return 0;
	if (src[1] == 'x') {
		if (len < 4 || (hi = hex_digit(src[2])) < 0 ||
		    (lo = hex_digit(src[3])) < 0)
			return 0;
		*out = (char)(unsigned char)(hi * 16 + lo);
		return 4;
	}
	if ((at = memchr(from, src[1], sizeof(from) - 1)) == NULL)
		return 0;
	*out = to[at - from];
	return 2;
}

int
pattern_init(struct pattern *p, const char *src, size_t len, const char *tail)
{
	size_t i = 0, used;

	memset(p, 0, sizeof(*p));
	p->bytes = calloc(len + strlen(tail) + 1, 1);
	p->wild = calloc(len + strlen(tail) + 1, sizeof(*p->wild));
	if (p->bytes == NULL || p->wild == NULL)
		goto fail;
	while (i < len) {
		if (src[i] == '\\') {
			used =
			    escape_decode(src + i, len - i, &p->bytes[p->len]);
			if (used == 0)
				goto fail;
		} else {
			p->bytes[p->len] = src[i];
			p->wild[p->len] = src[i] == '*';
			used = 1;
		}
		i += used;
		p->len++;
	}
	memcpy(p->bytes + p->len, tail, strlen(tail));
	p->len += strlen(tail);
	return 0;
fail:
	pattern_release(p);
	return -1;
}

void
pattern_release(struct pattern *p)
{
	free(p->bytes);
	free(p->wild);
	memset(p, 0, sizeof(*p));
}

bool
pattern_match(const struct pattern *p, const char *text, size_t len)
{
	size_t i = 0, j = 0, star = 0, mark = 0;
	bool have_star = false;

	/* On a mismatch, let the latest wildcard swallow one octet more. */
	while (j < len) {
		if (i < p->len && p->wild[i]) {
			have_star = true;
			star = i++;
			mark = j;
		} else if (i < p->len && p->bytes[i] == text[j]) {
			i++;
			j++;
		} else if (have_star) {
			i = star + 1;
			j = ++mark;
		} else {
			return false;
		}
	}
	while (i < p->len && p->wild[i])
		i++;
	return i == p->len;
}
