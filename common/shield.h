/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shield - guessing at the edge must not lock the account behind
 *
 * Per account: no more than `failures` refusals in any `window` come from
 * the upstream.  Attempts that are under way count as refusals until they
 * end, and a refusal counts from its end for a whole window.  So that the
 * real user is not shut out by somebody else's guesses, the account's last
 * good pair passes always (it can be refused once beyond the limit, when the
 * password was changed: then it is no longer the last good pair), and once an
 * address has logged in to the account lately, one of the failures (of two or
 * more) is kept for such addresses.
 *
 * Per client address (an IPv6 one by its /64, an IPv4 one wrapped into IPv6
 * as what it is): failing answers are held back by a growing delay, and after
 * `client_failures` of them in `client_window` nothing new of that client is
 * asked upstream, but for the last good pair of an account, and accounts it
 * has lately logged in to.  Attempts under way do not count there: many users
 * may come from one address at once.
 *
 * An address alone is never a reason to let anybody in.
 *
 * Bounded: max_accounts accounts with failures, max_clients clients with
 * failures, and apart from these max_accounts accounts with the addresses of
 * their last SHIELD_ADDRESSES logins.  Where room is short, the accounts
 * (clients) with the fewest failures are forgotten first, among these the
 * ones that failed longest ago.  So whoever wants the counter of an account
 * with n failures reset must cause n failures each of max_accounts others
 * within the window.  Failures never make a login's address forgotten.  An
 * account with failures, and a client with failures, takes about 170 octets
 * with up to 4 of them, and 8 to 16 for each beyond; the addresses of an
 * account take about 170.
 *
 * Times are given by the caller (clock_ms()); threads may give them a little
 * out of order.  Any thread; one lock inside.
 */
#ifndef POSTERN_COMMON_SHIELD_H
#define POSTERN_COMMON_SHIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"

struct shield;

struct shield_limits {
	long failures; /* per account, 0: no limit; SHIELD_FAILURES_MAX */
	int64_t window_ms;
	long client_failures; /* per client, 0: neither limit nor delay;
			       * SHIELD_FAILURES_MAX */
	int64_t client_window_ms;
};

#define SHIELD_FAILURES_MAX 1000
#define SHIELD_ACCOUNTS_MAX 100000
#define SHIELD_CLIENTS_MAX  100000
/* Of each account, the addresses that logged in last. */
#define SHIELD_ADDRESSES    4
/* How long an address counts as one that logged in lately. */
#define SHIELD_LATELY_MS    (30LL * 24 * 3600 * 1000)
#define SHIELD_DELAY_MAX_MS 15000

/* shield_new(max_accounts, max_clients): NULL without memory or randomness. */
struct shield *shield_new(size_t max_accounts, size_t max_clients);
void shield_free(struct shield *s); /* NULL does nothing */

/* Borrowed for the call. */
struct shield_visit {
	const char *route;   /* id of the route: with account, the key */
	const char *account; /* upstream name; its case does not matter */
	const char *client;  /* address, or "" when the protocol gives none;
			      * ";port" behind it is not looked at, and what
			      * is not an address counts as none */
	bool known;          /* the account's last good pair */
};

enum shield_answer {
	SHIELD_PASS,    /* shield_leave() must follow */
	SHIELD_ACCOUNT, /* too many failures of the account */
	SHIELD_CLIENT,  /* too many failures of the client */
};

/* shield_enter(s, v, l, now): may the upstream be asked?  Without memory
 * SHIELD_ACCOUNT, where there is a limit. */
enum shield_answer shield_enter(struct shield *s, const struct shield_visit *v,
    const struct shield_limits *l, int64_t now_ms);

/* shield_try(s, v, l, now, busy): the same; but *busy is set, and nothing is
 * counted, where shield_wait() would wait. */
enum shield_answer shield_try(struct shield *s, const struct shield_visit *v,
    const struct shield_limits *l, int64_t now_ms, bool *busy);

/*
 * shield_wait(s, v, l, d): the same, now; but where it is not failures that
 * keep the account from being asked about, only attempts that are under way,
 * wait until these have ended, d at most.  One account may be used by many
 * clients at once.
 */
enum shield_answer shield_wait(struct shield *s, const struct shield_visit *v,
    const struct shield_limits *l, struct deadline d);

/* shield_stop(s): nobody waits any more. */
void shield_stop(struct shield *s);

/* shield_leave(s, v, end, now): what came of it; once for each SHIELD_PASS. */
enum shield_end {
	SHIELD_UNSURE, /* no refusal was seen, and none can have been meant */
	SHIELD_GOOD,
	SHIELD_BAD,
	SHIELD_LOST, /* the password was sent and there was no answer: an
		      * upstream that is slow to refuse has counted it, so
		      * it counts as SHIELD_BAD */
};

void shield_leave(struct shield *s, const struct shield_visit *v,
    enum shield_end end, int64_t now_ms);

/*
 * shield_delay(s, client, l, repeated, now): a failing answer is given to the
 * client, from the upstream or from memory.
 *
 *   repeated  from memory: the same pair as before.  Teaches nothing, and
 *             comes from programs that have an old password more often than
 *             from guessers: it is not counted
 *
 * Returns how long it is to be held back, in ms: 0 for the first two in the
 * window, then 1, 2, 4, 8, 15 seconds; at least 1 second for one that is
 * repeated.  0 without an address, and without client_failures.
 */
int64_t shield_delay(struct shield *s, const char *client,
    const struct shield_limits *l, bool repeated, int64_t now_ms);

/*
 * shield_drop(s, account): forget an account's failures and addresses, by any
 * route; NULL: everything, of clients too.  Returns how many accounts.
 * Attempts that are under way still count.
 */
size_t shield_drop(struct shield *s, const char *account);

/* accounts, clients: with failures in their window or attempts under way, or
 * not yet found to have none. */
struct shield_stats {
	size_t accounts, clients;
	unsigned long held_accounts, held_clients; /* logins not asked about */
};

void shield_stats(struct shield *s, struct shield_stats *out);

#endif /* POSTERN_COMMON_SHIELD_H */
