/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/socketmap_frame.h"

#include <stdio.h>
#include <string.h>

static enum socketmap_state
bad(const char **why, const char *text)
{
	if (why != NULL)
		*why = text;
	return SOCKETMAP_BAD;
}

/* The length and its ':'; `at' is set to what follows them. */
static enum socketmap_state
length(const unsigned char *buf, size_t len, size_t *at, size_t *out,
    const char **why)
{
	size_t n = 0, i;

	for (i = 0; i < len && buf[i] >= '0' && buf[i] <= '9'; i++) {
		if (i > 0 && n == 0)
			return bad(why, "a length with a leading zero");
		n = n * 10 + (size_t)(buf[i] - '0');
		if (n > SOCKETMAP_REQUEST_MAX)
			return bad(why, "longer than a request may be");
	}
	if (i == len)
		return SOCKETMAP_MORE;
	if (i == 0 || buf[i] != ':')
		return bad(why, "a length that is no number");
	*at = i + 1;
	*out = n;
	return SOCKETMAP_WHOLE;
}

enum socketmap_state
socketmap_parse(const unsigned char *buf, size_t len,
    struct socketmap_request *out, const char **why)
{
	enum socketmap_state state;
	const unsigned char *blank;
	size_t at = 0, n = 0;

	if ((state = length(buf, len, &at, &n, why)) != SOCKETMAP_WHOLE)
		return state;
	if (len - at <= n)
		return SOCKETMAP_MORE;
	if (buf[at + n] != ',')
		return bad(why, "no comma where it should end");
	if (out == NULL)
		return SOCKETMAP_WHOLE;
	memset(out, 0, sizeof(*out));
	out->frame = at + n + 1;
	out->name.data = buf + at;
	out->name.len = n;
	if ((blank = memchr(buf + at, ' ', n)) != NULL) {
		out->name.len = (size_t)(blank - (buf + at));
		out->key.data = blank + 1;
		out->key.len = n - out->name.len - 1;
	}
	return SOCKETMAP_WHOLE;
}

size_t
socketmap_write(
    const struct socketmap_text *v, size_t n, unsigned char *out, size_t size)
{
	char head[24];
	size_t sum = 0, at;

	for (size_t i = 0; i < n; i++) {
		if (v[i].len > SOCKETMAP_REPLY_MAX - sum)
			return 0;
		sum += v[i].len;
	}
	at = (size_t)snprintf(head, sizeof(head), "%zu:", sum);
	if (at + sum + 1 > size)
		return 0;
	memcpy(out, head, at);
	for (size_t i = 0; i < n; i++) {
		if (v[i].len > 0)
			memcpy(out + at, v[i].data, v[i].len);
		at += v[i].len;
	}
	out[at++] = ',';
	return at;
}
