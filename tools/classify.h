/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classify - `posternctl classify': the refusal classifier on a stream
 */
#ifndef POSTERN_TOOLS_CLASSIFY_H
#define POSTERN_TOOLS_CLASSIFY_H

#include <stdbool.h>
#include <stdio.h>

struct classify_rules;

/*
 * classify_stream(in, out, rules): judge replies to RCPT, one a line.
 *
 *   in     lines such as "550 5.1.1 text", read to their end
 *   out    for each line: its class, a tab, the line as it was; empty lines
 *          are passed over
 *   rules  a route's own rows (option reply_class), or NULL
 *
 * Returns false when reading or writing failed; errno says why.
 */
bool classify_stream(FILE *in, FILE *out, const struct classify_rules *rules);

#endif /* POSTERN_TOOLS_CLASSIFY_H */
