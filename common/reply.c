/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/reply.h"

#include <string.h>

#include "common/utf8.h"

/*
 * RFC 5321 section 4.2:
 *   Reply-line = *( Reply-code "-" [ textstring ] CRLF )
 *                Reply-code [ SP textstring ] CRLF
 *   Reply-code = %x32-35 %x30-35 %x30-39
 * The middle digit is taken up to 9: a server may be wrong there without
 * any doubt about what it says.
 */

void
reply_init(struct reply *r)
{
	memset(r, 0, sizeof(*r));
	r->state = REPLY_MORE;
}

/* Whoever overlooks REPLY_BAD must not find a refusal in what is left. */
static enum reply_state
bad(struct reply *r)
{
	reply_init(r);
	r->state = REPLY_BAD;
	return REPLY_BAD;
}

/* n octets that belong together: all of them, or none. */
static void
put(struct reply *r, const char *s, size_t n)
{
	if (r->cut || r->text_len + n > sizeof(r->text) - 1) {
		r->cut = true;
		return;
	}
	memcpy(r->text + r->text_len, s, n);
	r->text_len += n;
	r->text[r->text_len] = '\0';
}

/* Servers word refusals in their own language: RFC 6531 section 3.7.4.1 lets
 * them after EHLO, many do anyway, and the classifier reads them. */
static void
put_text(struct reply *r, const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_sequence(s + i, len - i);
		if (n > 0 && utf8_printable(s + i, n)) {
			put(r, s + i, n);
		} else {
			put(r, "?", 1);
			n = 1;
		}
	}
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

enum reply_state
reply_line(struct reply *r, const char *line, size_t len)
{
	bool more;
	int code;

	if (r->state != REPLY_MORE)
		return bad(r);
	if (len < 3 || len > REPLY_LINE_MAX || r->lines == REPLY_LINES_MAX)
		return bad(r);
	if (line[0] < '2' || line[0] > '5' || !is_digit(line[1]) ||
	    !is_digit(line[2]))
		return bad(r);
	code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
	if (r->lines > 0 && code != r->code)
		return bad(r);
	if (len > 3 && line[3] != '-' && line[3] != ' ')
		return bad(r);
	more = len > 3 && line[3] == '-';

	r->code = code;
	if (r->lines++ > 0)
		put(r, "\n", 1);
	if (len > 4)
		put_text(r, line + 4, len - 4);
	r->state = more ? REPLY_MORE : REPLY_DONE;
	return r->state;
}

size_t
reply_first_line(const struct reply *r, char *buf, size_t size)
{
	size_t len = strcspn(r->text, "\n");

	if (size == 0)
		return 0;
	if (len > size - 1)
		len = size - 1;
	memcpy(buf, r->text, len);
	buf[len] = '\0';
	return len;
}

bool
reply_is_closing(const struct reply *r)
{
	return r->code == 421;
}
