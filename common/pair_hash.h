/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair_hash - route, name and password as 16 octets that give nothing away
 *
 * HMAC-SHA-256 (RFC 2104), cut to its first half, under a key that is made
 * of the kernel's random numbers, lives in this object alone and is wiped
 * with it.  The password is not copied.  Any thread: the object does not
 * change once it is made.
 */
#ifndef POSTERN_COMMON_PAIR_HASH_H
#define POSTERN_COMMON_PAIR_HASH_H

#include <stdbool.h>

#include "common/auth_memory.h"

#define PAIR_DIGEST_LEN 16

struct pair_digest {
	unsigned char octets[PAIR_DIGEST_LEN];
};

struct pair_hash;

struct pair_hash *pair_hash_new(void);    /* NULL: no memory or randomness */
void pair_hash_free(struct pair_hash *h); /* NULL does nothing */

/* pair_hash(h, p, out): false without memory.  Any thread. */
bool pair_hash(
    struct pair_hash *h, const struct auth_pair *p, struct pair_digest *out);

#endif /* POSTERN_COMMON_PAIR_HASH_H */
