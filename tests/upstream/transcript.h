/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transcript - what a scripted upstream saw, said and disliked
 *
 * Lines are kept in memory (bounded) and printed at the end, so that the
 * dialogues of several connections do not depend on a reader of stdout.
 * Thread-safe.
 */
#ifndef POSTERN_TESTS_UPSTREAM_TRANSCRIPT_H
#define POSTERN_TESTS_UPSTREAM_TRANSCRIPT_H

#include <stddef.h>
#include <stdio.h>

struct transcript;

/* Returns NULL when memory is short.  transcript_free(NULL) is fine. */
struct transcript *transcript_new(void);
void transcript_free(struct transcript *t);

/*
 * transcript_add(t, conn, who, text, len): note ${len} octets at ${text}
 * on connection ${conn}; ${who} is 'C', 'S' or '-' for a remark.
 * Non-printables are escaped, long text is cut.
 */
void transcript_add(struct transcript *t, unsigned int conn, char who,
    const char *text, size_t len);

/*
 * transcript_mismatch(t, where, line, conn, fmt, ...): the client did not
 * do what line ${line} of script ${where} says.  Printed to stderr at once,
 * noted, and counted.
 */
void transcript_mismatch(struct transcript *t, const char *where,
    unsigned int line, unsigned int conn, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* How many mismatches there were. */
unsigned int transcript_mismatches(struct transcript *t);

/* Print the lines as "CONN WHO: TEXT". */
void transcript_print(struct transcript *t, FILE *fp);

#endif /* POSTERN_TESTS_UPSTREAM_TRANSCRIPT_H */
