/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * esc - enhanced status: "5.1.1" (RFC 3463, in replies RFC 2034)
 *
 * Pure: no I/O, no allocation, no log.
 */
#ifndef POSTERN_COMMON_ESC_H
#define POSTERN_COMMON_ESC_H

#include <stdbool.h>
#include <stddef.h>

/* "5.999.999" and its NUL, and a little. */
#define ESC_TEXT_MAX 12

struct esc {
	int class;   /* 2, 4 or 5; 0 when there is none */
	int subject; /* 0..999 */
	int detail;  /* 0..999 */
};

/*
 * esc_parse(text, code, out): read the enhanced status that begins the text
 * of a reply.
 *
 *   text  the text after the reply code
 *   code  the reply code; its first digit must be the class
 *   out   filled; all zero when there is none
 *
 * Returns the octets it takes, with the one space that follows; 0 when text
 * does not begin with an enhanced status of that class which is followed by
 * a space, the end of the line or the end of text.
 */
size_t esc_parse(const char *text, int code, struct esc *out);

/*
 * esc_strip(text, code, out, size): the text of a reply, its lines separated
 * by newlines, without the enhanced statuses that begin them: RFC 2034 section
 * 4 wants one on each line.
 *
 *   out, size  cut if it does not fit; not text itself
 */
void esc_strip(const char *text, int code, char *out, size_t size);

/*
 * esc_parse_exact(text, out): read a string that is an enhanced status and
 * nothing else.  Returns false, with *out all zero, when it is not.
 */
bool esc_parse_exact(const char *text, struct esc *out);

/*
 * esc_format(e, buf, size): write "5.1.1"; "" for one that is not there.
 * ESC_TEXT_MAX is always enough.
 *
 * Returns buf, holding "" when size was too small or a field out of range.
 */
const char *esc_format(const struct esc *e, char *buf, size_t size);

#endif /* POSTERN_COMMON_ESC_H */
