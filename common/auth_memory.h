/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth_memory - which pairs of name and password have been good or bad
 *
 * A pair is kept as a keyed hash (HMAC-SHA-256 under a key made at start,
 * never written anywhere and wiped at the end) of route, name and password;
 * neither the password nor anything it could be found from without the key
 * is kept.  The memory ends with the process.
 *
 *	bad    the upstream refused the pair: it is not asked again
 *	good   the upstream took it: not asked again, only when wished
 *	known  the last pair that was good, for the shield: it may always be
 *	       asked about, and is never a login by itself
 *
 * Two logins with one pair at the same time are one question: the second
 * waits for the first's answer.  Nothing is ever keyed by address.
 *
 * Bounded: max bad pairs, of which the one met longest ago is forgotten
 * first, and apart from them max accounts with their known pair.  Guesses
 * make bad pairs only, so no number of them makes a known pair forgotten; a
 * bad pair that is forgotten early is asked about once more, as far as the
 * shield allows.  A bad pair takes about 110 octets, an account 125.
 *
 * Any thread; one lock inside, never held while the upstream is asked or the
 * hash is computed.
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

/* How many bad pairs, and how many accounts, are remembered at most. */
#define AUTH_MEMORY_MAX 100000

/* Returns NULL without memory or randomness. */
struct auth_memory *auth_memory_new(size_t max);

/* auth_memory_free(m): when every claim is ended and nobody waits.  NULL does
 * nothing. */
void auth_memory_free(struct auth_memory *m);

/*
 * What a pair stands for; borrowed for the call.  Pairs are told apart by the
 * name octet for octet: an upstream may take "Ann" and "ann" for two names,
 * and what it said of one is not said of the other.  An account, which has
 * one known pair and is dropped as a whole, is the name without regard to
 * the case of its ASCII letters.
 */
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
 * one of those who wait is the next to ask.  With a d that has passed it does
 * not wait: AUTH_MEMORY_LATE.
 *
 *   claim  set to NULL but for AUTH_MEMORY_ASK; NULL with that too when
 *          memory is short: ask all the same, nothing will be remembered
 */
enum auth_memory_answer auth_memory_begin(struct auth_memory *m,
    const struct auth_pair *p, struct deadline d, struct auth_claim **claim);

/* auth_claim_known(c): was it the account's last good pair when the claim
 * was made?  False for NULL. */
bool auth_claim_known(const struct auth_claim *c);

/*
 * auth_claim_end(c, end, life_ms): what came of it; c is gone.  NULL does
 * nothing.
 *
 * With AUTH_END_GOOD life_ms is good_memory (0: kept as known only) and the
 * pair takes the place of the account's former good one; with AUTH_END_BAD
 * bad_memory (0: not kept), and the pair is no longer good or known.
 * AUTH_END_UNSURE and AUTH_END_POLICY, a refusal that is not the password's,
 * keep nothing; after AUTH_END_POLICY those who waited are told
 * AUTH_MEMORY_BAD all the same, and the pair is no longer good or known: the
 * upstream may have counted it, and may mean the password nevertheless.
 * Nothing is kept of a claim whose account was dropped meanwhile.
 */
enum auth_end {
	AUTH_END_UNSURE,
	AUTH_END_GOOD,
	AUTH_END_BAD,
	AUTH_END_POLICY,
};

void auth_claim_end(struct auth_claim *c, enum auth_end end, int64_t life_ms);

/*
 * auth_memory_drop(m, account): forget all pairs of an account, by any
 * route; NULL: of all.  Returns how many.  Looks at every entry under the
 * lock, some milliseconds when there are as many as can be.
 */
size_t auth_memory_drop(struct auth_memory *m, const char *account);

/* good: accounts whose known pair is good, too; bad: both as of now. */
struct auth_memory_stats {
	size_t good, bad, known;
	unsigned long hits_good, hits_bad;
	unsigned long joined; /* answered by what another one was told */
};

/* auth_memory_stats(m, out): looks at every entry, as above. */
void auth_memory_stats(struct auth_memory *m, struct auth_memory_stats *out);

#endif /* POSTERN_COMMON_AUTH_MEMORY_H */
