/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/saslauthd_frame.h"

#include <string.h>

#define FIELDS_MAX 5

static enum saslauthd_state
bad(const char **why, const char *text)
{
	if (why != NULL)
		*why = text;
	return SASLAUTHD_BAD;
}

enum saslauthd_state
saslauthd_parse(const unsigned char *buf, size_t len,
    struct saslauthd_request *out, const char **why)
{
	struct saslauthd_field f[FIELDS_MAX];
	size_t n = 0, at = 0, need;

	memset(f, 0, sizeof(f));
	if (len > SASLAUTHD_REQUEST_MAX)
		return bad(why, "longer than a request may be");
	while (n < FIELDS_MAX && len - at >= 2) {
		need = (size_t)buf[at] << 8 | buf[at + 1];
		if (need > SASLAUTHD_REQUEST_MAX - (at + 2))
			return bad(why, "longer than a request may be");
		if (need > len - (at + 2))
			return SASLAUTHD_MORE;
		f[n].data = buf + at + 2;
		f[n++].len = need;
		at += 2 + need;
	}
	if (n == FIELDS_MAX && at < len)
		return bad(why, "more than five fields");
	if (n < FIELDS_MAX - 1 || at < len)
		return SASLAUTHD_MORE;
	if (out != NULL) {
		out->login = f[0];
		out->password = f[1];
		out->service = f[2];
		out->realm = f[3];
		out->client = f[4];
	}
	return n == FIELDS_MAX ? SASLAUTHD_FIVE : SASLAUTHD_FOUR;
}
