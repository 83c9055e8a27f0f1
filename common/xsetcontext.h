/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xsetcontext - the arguments of XSETCONTEXT
 *
 *   XSETCONTEXT name=value [name=value ...]
 *
 * Names and values are xtext (RFC 1891 section 5, now RFC 3461 section 4).
 * Decoded, a name is one that context_set() takes and a value is free of
 * control characters.  Whether a name may be set is not judged here: see
 * context_names.h.  Pure: no I/O, no allocation, no log.
 */
#ifndef POSTERN_COMMON_XSETCONTEXT_H
#define POSTERN_COMMON_XSETCONTEXT_H

#include <stddef.h>

#include "common/context.h"

struct xsetcontext_pair {
	char name[CONTEXT_NAME_MAX + 1];
	char value[CONTEXT_VALUE_MAX + 1];
};

enum xsetcontext_result {
	XSETCONTEXT_BAD = 0,
	XSETCONTEXT_PAIR, /* there was one more */
	XSETCONTEXT_END,  /* there was none left */
};

/*
 * xsetcontext_next(text, len, pair, why): take one pair off the front.
 *
 *   text, len  what is left of the arguments; moved behind the pair.  Pairs
 *              stand apart by spaces or tabs, of which any number may also
 *              come first and last
 *   pair       filled; both "" unless a pair is returned.  After
 *              XSETCONTEXT_BAD the name is there when the value was at fault
 *   why        set to a constant text for XSETCONTEXT_BAD, else to NULL
 */
enum xsetcontext_result xsetcontext_next(const char **text, size_t *len,
    struct xsetcontext_pair *pair, const char **why);

/*
 * xsetcontext_check(text, len, bad, why): are these arguments of at least one
 * pair, all of them good?
 *
 *   bad  CONTEXT_NAME_MAX + 1 octets: the name at whose value it failed, or
 *        ""
 *
 * Returns the number of pairs, 0 when they are not.
 */
size_t xsetcontext_check(
    const char *text, size_t len, char *bad, const char **why);

#endif /* POSTERN_COMMON_XSETCONTEXT_H */
