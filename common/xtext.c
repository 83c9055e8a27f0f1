/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/xtext.h"

/*
 * RFC 3461 section 4:
 *   xtext   = *( xchar / hexchar )
 *   xchar   = any ASCII CHAR between "!" (33) and "~" (126) inclusive,
 *             except for "+" and "="
 *   hexchar = ASCII "+" immediately followed by two upper case hexadecimal
 *             digits
 */

static bool
is_xchar(char c)
{
	return c >= 33 && c <= 126 && c != '+' && c != '=';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool
xtext_encode(const char *data, size_t len, char *out, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];
		size_t need = is_xchar(data[i]) ? 1 : 3;

		if (size < need + 1 || n > size - need - 1)
			goto full;
		if (need == 1) {
			out[n++] = data[i];
			continue;
		}
		out[n++] = '+';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	if (n >= size)
		goto full;
	out[n] = '\0';
	return true;
full:
	if (size > 0)
		out[0] = '\0';
	return false;
}

bool
xtext_decode(
    const char *text, size_t len, char *out, size_t size, size_t *out_len)
{
	bool ok = false;
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		char c = text[i];

		if (n >= size)
			goto done;
		if (c == '+') {
			int high = len - i > 2 ? hex_value(text[i + 1]) : -1;
			int low = len - i > 2 ? hex_value(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				goto done;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (!is_xchar(c)) {
			goto done;
		}
		out[n++] = c;
	}
	if (n >= size)
		goto done;
	out[n] = '\0';
	ok = true;
done:
	if (!ok && size > 0)
		out[0] = '\0';
	if (out_len != NULL)
		*out_len = ok ? n : 0;
	return ok;
}
