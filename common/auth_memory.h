/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth_memory - which pairs of name and password have been good or bad
 *
 * A pair is kept as a keyed hash (HMAC-SHA-256 under a key made at start and
 * never written anywhere) of route, name and password; neither the password
 * nor anything it could be found from without the key is kept.  The memory
 * ends with the process.
 *
 *	bad    the upstream refused the pair: it is not asked again
 *	good   the upstream took it: not asked again, only when wished
 *	known  the last pair that was good, for the shield: it may always be
 *	       asked about, and is never a login by itself
 *
 * Two logins with one pair at the same time are one question: the second
 * waits for the first's answer.  Nothing is ever keyed by address.
 *
 * Any thread.
 */
#ifndef POSTERN_COMMON_AUTH_MEMORY_H
#define POSTERN_COMMON_AUTH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/secret.h"

struct auth_memory;
struct auth_claim;

/* How many pairs are remembered at most. */
#define AUTH_MEMORY_MAX 100000

/* Returns NULL without memory or randomness. */
struct auth_memory *auth_memory_new(size_t max);
void auth_memory_free(struct auth_memory *m); /* NULL does nothing */

/* What a pair stands for.  The account is the upstream name; its case does
 * not make another account of it. */
struct auth_pair {
	const char *route;   /* id of the route */
	const char *account; /* name that goes upstream */
	const struct secret *pass;
};

enum auth_memory_answer {
	AUTH_MEMORY_ASK, /* *claim is the caller's to end */
	AUTH_MEMORY_GOOD,
	AUTH_MEMORY_BAD,
	AUTH_MEMORY_LATE, /* the one that asks has no answer yet */
};

/*
 * auth_memory_begin(m, p, d, claim): what is known of a pair?  Waits, d at
 * most, for one who asks about the same pair; when that one could not tell,
 * the next is the one to ask.
 */
enum auth_memory_answer auth_memory_begin(struct auth_memory *m,
    const struct auth_pair *p, struct deadline d, struct auth_claim **claim);

/* auth_claim_known(c): is it the account's last good pair? */
bool auth_claim_known(const struct auth_claim *c);

/*
 * auth_claim_end(c, end, life_ms): what came of it.  With AUTH_END_GOOD
 * life_ms is good_memory (0: kept as known only) and the pair takes the place
 * of the account's former good one; with AUTH_END_BAD bad_memory (0: not
 * kept), and the pair is no longer good or known.  AUTH_END_UNSURE and
 * AUTH_END_POLICY, a refusal that is not the password's, keep nothing; after
 * AUTH_END_POLICY those who waited are told AUTH_MEMORY_BAD all the same, and
 * the pair is no longer good.
 */
enum auth_end {
	AUTH_END_UNSURE,
	AUTH_END_GOOD,
	AUTH_END_BAD,
	AUTH_END_POLICY,
};
void auth_claim_end(struct auth_claim *c, enum auth_end end, int64_t life_ms);

/* auth_memory_drop(m, account): forget all pairs of an account, NULL: of
 * all.  Returns how many. */
size_t auth_memory_drop(struct auth_memory *m, const char *account);

struct auth_memory_stats {
	size_t good, bad, known;
	unsigned long hits_good, hits_bad, joined;
};
void auth_memory_stats(struct auth_memory *m, struct auth_memory_stats *out);

#endif /* POSTERN_COMMON_AUTH_MEMORY_H */
