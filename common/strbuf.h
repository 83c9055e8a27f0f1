/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strbuf - a growing string that is born with a ceiling
 *
 * What does not fit, or for which there is no memory, is not added at all,
 * and the buffer remembers it: a chain of additions needs one check at its
 * end, strbuf_ok().  Not for secrets (see secret.h).  No locks.
 */
#ifndef POSTERN_COMMON_STRBUF_H
#define POSTERN_COMMON_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

struct strbuf {
	char *data;  /* NULL until something is added; else NUL-terminated */
	size_t len;  /* octets held, without the final NUL */
	size_t size; /* octets allocated */
	size_t max;  /* ceiling for len */
	bool failed; /* an addition was refused */
};

/*
 * strbuf_init(sb, max): make *sb empty, never to hold more than max octets.
 * Allocates nothing and cannot fail.
 */
void strbuf_init(struct strbuf *sb, size_t max);

/*
 * strbuf_release(sb): give the memory back.  *sb is empty afterwards, with
 * the same ceiling; a zeroed or released buffer is fine too.
 */
void strbuf_release(struct strbuf *sb);

/*
 * strbuf_reset(sb): forget the contents and any failure, keep the memory.
 */
void strbuf_reset(struct strbuf *sb);

/*
 * strbuf_add(sb, data, len): append len octets, which may include NUL.
 * Copies; data may be NULL when len is 0.
 *
 * Returns false, and adds nothing, when the ceiling would be passed, memory
 * is short, or an earlier addition has failed.
 */
bool strbuf_add(struct strbuf *sb, const void *data, size_t len);

/*
 * strbuf_addch(sb, c): append one octet.  Returns as strbuf_add().
 */
bool strbuf_addch(struct strbuf *sb, char c);

/*
 * strbuf_adds(sb, s): append the string s.  Returns as strbuf_add().
 */
bool strbuf_adds(struct strbuf *sb, const char *s);

/*
 * strbuf_addf(sb, fmt, ...): append formatted text, all of it or nothing.
 * Returns as strbuf_add().  The arguments must not point into *sb.
 */
bool strbuf_addf(struct strbuf *sb, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * strbuf_str(sb): the contents as a string, "" when empty.  Borrowed: valid
 * until *sb next changes.
 */
const char *strbuf_str(const struct strbuf *sb);

/*
 * strbuf_ok(sb): has everything been added that was asked for since
 * strbuf_init() or strbuf_reset()?
 */
bool strbuf_ok(const struct strbuf *sb);

#endif /* POSTERN_COMMON_STRBUF_H */
