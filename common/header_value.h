/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header_value - any text as the value of a header
 *
 * RFC 5322 section 2.2.3 (folding) and RFC 2047 (encoded words).  Lines are
 * parted by LF and a blank, as libmilter wants it; no other control character
 * comes out, and none but ASCII.  A reader that unfolds and decodes gets the
 * text back.  No I/O, no log.
 */
#ifndef POSTERN_COMMON_HEADER_VALUE_H
#define POSTERN_COMMON_HEADER_VALUE_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf;

/* No line is longer than RFC 5322 wishes where there is a blank to fold at;
 * encoded words have lines of their own limit (RFC 2047 section 2). */
#define HEADER_LINE_MAX  78
#define HEADER_WORDS_MAX 76

/*
 * header_value_encode(column, text, out): append text, as it is where that
 * is safe, else as encoded words.
 *
 *   column  octets that stand on the line already, as "X-Tenant: " does
 *   text    any string; what is not UTF-8, or a control character, becomes ?
 *
 * Encoded is also what would not come back: blanks in a row or at an end,
 * text that looks like an encoded word, a word too long for a line.
 * Returns false when *out has no more room.
 */
bool header_value_encode(size_t column, const char *text, struct strbuf *out);

/*
 * header_words_encode(column, text, out): the same, always as encoded words;
 * they fit into a comment or a phrase as well (RFC 2047 section 5).
 */
bool header_words_encode(size_t column, const char *text, struct strbuf *out);

#endif /* POSTERN_COMMON_HEADER_VALUE_H */
