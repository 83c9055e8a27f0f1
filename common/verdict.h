/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict - what we say about a recipient or about credentials
 *
 * Three answers, never two.  Zero is the safe one: memory that nobody filled
 * in defers.
 */
#ifndef POSTERN_COMMON_VERDICT_H
#define POSTERN_COMMON_VERDICT_H

#include "common/classify.h"

enum verdict {
	VERDICT_DEFER = 0, /* cannot tell now; the client tries again */
	VERDICT_ACCEPT,
	VERDICT_REJECT, /* the upstream's own refusal of this very question */
};

/*
 * verdict_name(v): "defer", "accept" or "reject"; "unknown" for other values.
 * The string is constant.
 */
const char *verdict_name(enum verdict v);

/*
 * verdict_of(r): what we say to a reply of that meaning.  Only what speaks of
 * the recipient itself is a reject.
 */
enum verdict verdict_of(enum refusal r);

#endif /* POSTERN_COMMON_VERDICT_H */
