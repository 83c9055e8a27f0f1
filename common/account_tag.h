/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account_tag - a number that stands for an account
 *
 * The tables of logins are keyed by it rather than by names of any length.
 * 64 bits of SipHash under a key of the process: whoever does not know the
 * key cannot look for two names with one number, and among a million
 * accounts two have it by chance once in 30 million starts.  Pure.
 */
#ifndef POSTERN_COMMON_ACCOUNT_TAG_H
#define POSTERN_COMMON_ACCOUNT_TAG_H

#include <stdint.h>

#include "common/siphash.h"

struct account_tag {
	uint64_t account; /* of route and name */
	uint64_t name;    /* of the name alone, whatever the route */
};

/*
 * account_tag_set(t, key, route, name): the tags of an account.
 *
 *   route  id of the route; NULL: leave t->account 0
 *   name   upstream name; the case of ASCII letters does not matter
 */
void account_tag_set(struct account_tag *t, const struct siphash_key *key,
    const char *route, const char *name);

#endif /* POSTERN_COMMON_ACCOUNT_TAG_H */
