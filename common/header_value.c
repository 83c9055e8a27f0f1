/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/header_value.h"

#include <string.h>

#include "common/strbuf.h"
#include "common/utf8.h"

/* A word beyond this would make its line longer than the 998 octets of RFC
 * 5322 section 2.1.1, whatever the header is called. */
#define WORD_MAX 800

#define OPEN      "=?utf-8?Q?"
#define CLOSE     "?="
#define FRAME_LEN (sizeof(OPEN CLOSE) - 1)
#define TEXT_MAX  (75 - FRAME_LEN) /* of an encoded word, RFC 2047 section 2 */
#define TEXT_MIN  12               /* the longest character: =F0=9F=93=AC */

static bool
plain(const char *text)
{
	size_t word = 0, i;

	if (text[0] == ' ' || strstr(text, "=?") != NULL)
		return false;
	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return false;
		if (text[i] != ' ') {
			if (++word > WORD_MAX)
				return false;
		} else {
			if (text[i + 1] == ' ' || text[i + 1] == '\0')
				return false;
			word = 0;
		}
	}
	return true;
}

static void
fold(size_t column, const char *text, struct strbuf *out)
{
	while (*text != '\0') {
		size_t blank = *text == ' ';
		size_t len = blank + strcspn(text + blank, " ");

		/* Never before the first word: the rest of its line would be
		 * blank, and some readers end the header there. */
		if (blank != 0 && column + len > HEADER_LINE_MAX) {
			strbuf_addch(out, '\n');
			column = 0;
		}
		strbuf_add(out, text, len);
		column += len;
		text += len;
	}
}

bool
header_value_encode(size_t column, const char *text, struct strbuf *out)
{
	if (!plain(text))
		return header_words_encode(column, text, out);
	fold(column, text, out);
	return strbuf_ok(out);
}

/* One octet in the Q encoding, as it is allowed everywhere (section 5 (3)).
 * Returns its length. */
static size_t
octet(char c, char out[3])
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned char u = (unsigned char)c;

	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!*+-/", c) != NULL)) {
		out[0] = c;
		return 1;
	}
	if (c == ' ') {
		out[0] = '_';
		return 1;
	}
	out[0] = '=';
	out[1] = hex[u >> 4];
	out[2] = hex[u & 15];
	return 3;
}

/* One character, all of it in one encoded word (section 5).  Returns the
 * octets of text that it is made of; *len is of what is in out. */
static size_t
character(const char *text, char out[TEXT_MIN], size_t *len)
{
	size_t n = utf8_sequence(text, strnlen(text, 4)), i;

	*len = 0;
	if (n == 0 || !utf8_printable(text, n)) {
		*len = octet('?', out);
		return n == 0 ? 1 : n;
	}
	for (i = 0; i < n; i++)
		*len += octet(text[i], out + *len);
	return n;
}

bool
header_words_encode(size_t column, const char *text, struct strbuf *out)
{
	char one[TEXT_MIN];
	size_t room, len, n;

	while (*text != '\0') {
		room = column + FRAME_LEN + TEXT_MIN < HEADER_WORDS_MAX
		    ? HEADER_WORDS_MAX - FRAME_LEN - column
		    : TEXT_MIN;
		if (room > TEXT_MAX)
			room = TEXT_MAX;
		strbuf_adds(out, OPEN);
		while (*text != '\0') {
			n = character(text, one, &len);
			if (len > room)
				break;
			strbuf_add(out, one, len);
			room -= len;
			text += n;
		}
		strbuf_adds(out, CLOSE);
		if (*text != '\0')
			strbuf_adds(out, "\n ");
		column = 1;
	}
	return strbuf_ok(out);
}
