/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * header_reader - what a reader of mail makes of a header's value
 *
 * For tests alone; each function aborts the program on what must not be.
 */
#ifndef POSTERN_TESTS_UNIT_HEADER_READER_H
#define POSTERN_TESTS_UNIT_HEADER_READER_H

#include <stddef.h>

/*
 * header_reader_lines(column, value): only printable ASCII, and LF before a
 * blank; no blank line; none beyond 998 octets, and with encoded words none
 * beyond 76 (but for a first one whose column leaves no room).
 */
void header_reader_lines(size_t column, const char *value);

/*
 * header_reader_decode(value, out, size): unfolded, with its encoded words
 * decoded.  Each of them must be of whole characters of UTF-8.
 */
void header_reader_decode(const char *value, char *out, size_t size);

#endif /* POSTERN_TESTS_UNIT_HEADER_READER_H */
