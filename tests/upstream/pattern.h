/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pattern - escaped text of a dialogue script, and matching against it
 *
 * Scripts write bytes as \r \n \t \0 \\ \" \* and \xNN.  In a pattern an
 * unescaped '*' stands for any run of octets, the empty one included.
 * Pure: no I/O.  A struct pattern is read-only after pattern_init() and may
 * be shared by threads.
 */
#ifndef POSTERN_TESTS_UPSTREAM_PATTERN_H
#define POSTERN_TESTS_UPSTREAM_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct pattern {
	char *bytes; /* len octets, may hold NUL; then one NUL */
	bool *wild;  /* wild[i]: bytes[i] is a wildcard, not a '*' */
	size_t len;
};

/*
 * pattern_init(p, src, len, tail): decode ${len} octets at ${src} into *p;
 * ${tail} is appended as it is ("" or CRLF).
 *
 * Returns 0, or -1 when an escape is malformed or memory is short; *p is
 * then empty.  pattern_release(p) frees what it holds; a zeroed *p is fine.
 */
int pattern_init(
    struct pattern *p, const char *src, size_t len, const char *tail);
void pattern_release(struct pattern *p);

/*
 * pattern_match(p, text, len): does the whole of ${text} match?
 */
bool pattern_match(const struct pattern *p, const char *text, size_t len);

#endif /* POSTERN_TESTS_UPSTREAM_PATTERN_H */
