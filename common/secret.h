/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * secret - octets that must not be printed and are wiped when done with
 *
 * Passwords, tokens, initial responses.  There is no way to format one; the
 * octets leave only through secret_bytes(), at the place where they are put
 * on the wire.  No locks.
 */
#ifndef POSTERN_COMMON_SECRET_H
#define POSTERN_COMMON_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Longest secret held; OAuth tokens run to several thousand octets. */
#define SECRET_MAX 65536

struct secret {
	unsigned char *data; /* owned; use secret_bytes() */
	size_t len;          /* octets; 0 when unset or empty */
};

/*
 * secret_init(s): make *s hold nothing.  Cannot fail; a zeroed struct is
 * the same.
 */
void secret_init(struct secret *s);

/*
 * secret_set(s, data, len): copy len octets into *s, after wiping what was
 * there.  The octets may include NUL; the caller wipes its own copy.  data
 * must not point into *s.
 *
 * Returns false, with *s holding nothing, when memory is short or len is
 * over SECRET_MAX.
 */
bool secret_set(struct secret *s, const void *data, size_t len);

/*
 * secret_release(s): wipe and free.  A zeroed or released *s is fine.
 */
void secret_release(struct secret *s);

/*
 * secret_equal(a, b): are they the same octets?  Takes a time that depends
 * on the lengths only.  Two that hold nothing are equal.
 */
bool secret_equal(const struct secret *a, const struct secret *b);

/*
 * secret_bytes(s, len): the octets, for the one who sends or hashes them.
 *
 *   len  set to their number; may be NULL
 *
 * Borrowed until *s changes.  Never NULL: "" when *s holds nothing, and a
 * NUL follows the last octet.
 */
const char *secret_bytes(const struct secret *s, size_t *len);

#endif /* POSTERN_COMMON_SECRET_H */
