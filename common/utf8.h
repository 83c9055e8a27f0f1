/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * utf8 - is this UTF-8, and is it fit to be shown
 *
 * RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
 * Pure: no I/O, no allocation, no log.
 */
#ifndef POSTERN_COMMON_UTF8_H
#define POSTERN_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * utf8_sequence(s, len): octets of the UTF-8 sequence at s, 1 to 4; 0 when
 * len is 0, or what is there is not UTF-8 or is not complete within len.
 */
size_t utf8_sequence(const char *s, size_t len);

/* utf8_valid(s, len): is all of it UTF-8, whatever it says? */
bool utf8_valid(const char *s, size_t len);

/*
 * utf8_printable(s, n): may the sequence of n octets at s, as measured by
 * utf8_sequence(), stand in a log line, a header or an address?  False for
 * the control characters (ASCII and U+0080..U+009F) and for the line and
 * paragraph separators U+2028 and U+2029.
 */
bool utf8_printable(const char *s, size_t n);

/*
 * utf8_clean(s, len): replace, in place, every octet that is not UTF-8 or
 * not printable by '?'.  The length stays.
 */
void utf8_clean(char *s, size_t len);

#endif /* POSTERN_COMMON_UTF8_H */
