/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classify_rules - a route's own rows of the refusal table
 *
 * The values of the option reply_class.  One rule:
 *
 *	CODE [STATUS] ["SUBSTRING"] = nouser | mailbox | refused_us | temporary
 *
 * CODE is three digits beginning with 5, STATUS an enhanced status such as
 * 5.7.1; in both an x stands for any digit or number: 5xx, 55x, 5.7.x.
 * SUBSTRING is looked for in the text, ASCII capitals and small letters
 * being the same; \" and \\ stand for " and \.  Examples:
 *
 *	550 5.7.1 "mailbox not here" = nouser
 *	554 = refused_us
 *	5xx 5.4.x = temporary
 *
 * The first rule that fits a reply decides.  A 4yz reply is temporary
 * whatever a rule says, so a CODE beginning with 4 is refused.  Immutable
 * after parsing: may be shared by threads.
 */
#ifndef POSTERN_COMMON_CLASSIFY_RULES_H
#define POSTERN_COMMON_CLASSIFY_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/classify.h"

struct classify_rules;

/*
 * classify_rules_parse(v, n, out, err, errlen): parse n rules.
 *
 *   v       n strings, not kept
 *   out     set to a new object, or NULL when n is 0 or on failure
 *   err     on failure, what is wrong with which rule; at most errlen octets
 *           with the NUL
 *
 * Returns whether all are right; false also when memory is short.
 */
bool classify_rules_parse(const char *const *v, size_t n,
    struct classify_rules **out, char *err, size_t errlen);

/* classify_rules_free(r): NULL does nothing. */
void classify_rules_free(struct classify_rules *r);

/*
 * classify_rules_match(r, code, esc, text, out): whether a rule fits.
 *
 *   esc   enhanced status or ""
 *   out   what the first fitting rule says; untouched when none fits
 */
bool classify_rules_match(const struct classify_rules *r, int code,
    const char *esc, const char *text, enum refusal *out);

#endif /* POSTERN_COMMON_CLASSIFY_RULES_H */
