/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xtext - octets as printable text without spaces (RFC 3461 section 4)
 *
 * What XCLIENT attributes and MAIL's AUTH= and ENVID= carry.  Pure: no I/O,
 * no allocation, no log.
 */
#ifndef POSTERN_COMMON_XTEXT_H
#define POSTERN_COMMON_XTEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Room that len octets can need when encoded, with the NUL. */
#define XTEXT_ROOM(len) (3 * (len) + 1)

/*
 * xtext_encode(data, len, out, size): write len octets as xtext with a NUL.
 *
 * Returns false, with out holding "", when size is too small.  out must not
 * overlap data.
 */
bool xtext_encode(const char *data, size_t len, char *out, size_t size);

/*
 * xtext_decode(text, len, out, size, out_len): read len octets of xtext.
 *
 *   out, size  where the octets go, and a NUL after them
 *   out_len    set to their number; may be NULL
 *
 * The octets may be anything, NUL, CR and LF included: the caller judges
 * them.  Hexadecimal digits are taken in either case.
 *
 * Returns false, with out holding "" and *out_len 0, when text is not xtext
 * or size is too small.
 */
bool xtext_decode(
    const char *text, size_t len, char *out, size_t size, size_t *out_len);

#endif /* POSTERN_COMMON_XTEXT_H */
