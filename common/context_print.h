/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * context_print - a context as lines of an SMTP reply
 *
 *   [connection] ehlo_domain there
 *
 * A value stands as it is, but for octets that have no place in a reply: the
 * ones outside of printable ASCII, a space at the end, and a '+' that is
 * followed by two hexadecimal digits or by nothing become '+' and two such
 * digits.  One longer than CONTEXT_PRINT_MAX is continued: a line that ends
 * in '+' goes on, behind the same beginning, in the next one.  So lines stay
 * within the 512 octets of RFC 5321 section 4.5.3.1.5, and every value can
 * be read back.  A value that is a secret is printed as CONTEXT_MASK.
 */
#ifndef POSTERN_COMMON_CONTEXT_PRINT_H
#define POSTERN_COMMON_CONTEXT_PRINT_H

#include <stdbool.h>

#include "common/context.h"

struct strbuf;

#define CONTEXT_MASK      "********"
#define CONTEXT_PRINT_MAX 400

/*
 * context_print(c, which, out): append a line, ended by a newline, for each
 * value, in the order in which they were first set.
 *
 *   which  "connection" or "message"
 *
 * Returns false when not all fitted.
 */
bool context_print(
    const struct context *c, const char *which, struct strbuf *out);

#endif /* POSTERN_COMMON_CONTEXT_PRINT_H */
