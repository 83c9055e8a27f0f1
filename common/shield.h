/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shield - guessing at the edge must not lock the account behind
 *
 * Per account: no more than `failures` refusals in any `window` come from
 * the upstream; attempts that are under way count as refusals until they
 * end.  So that the real user is not shut out by somebody else's guesses,
 * the account's last good pair passes always, and once an address has logged
 * in to the account lately, one of the failures (of two or more) is kept for
 * such addresses.
 *
 * Per client address (an IPv6 one by its /64): failing answers are held back
 * by a growing delay, and after `client_failures` of them in `client_window`
 * nothing new of that client is asked upstream, but for the last good pair of
 * an account, and accounts it has lately logged in to.
 *
 * An address alone is never a reason to let anybody in.  Times are given by
 * the caller (clock_ms()).  Any thread; both tables are bounded, and forget
 * what was used longest ago.
 */
#ifndef POSTERN_COMMON_SHIELD_H
#define POSTERN_COMMON_SHIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shield;

struct shield_limits {
	long failures;     /* per account; 0: no limit */
	int64_t window_ms;
	long client_failures; /* per client; 0: neither limit nor delay */
	int64_t client_window_ms;
};

#define SHIELD_ACCOUNTS_MAX 100000
#define SHIELD_CLIENTS_MAX  100000
/* How long an address counts as one that logged in lately. */
#define SHIELD_LATELY_MS    (30LL * 24 * 3600 * 1000)
#define SHIELD_DELAY_MAX_MS 15000

struct shield *shield_new(size_t max_accounts, size_t max_clients);
void shield_free(struct shield *s); /* NULL does nothing */

struct shield_visit {
	const char *route;   /* id of the route: with account, the key */
	const char *account; /* upstream name; its case does not matter */
	const char *client;  /* address, or "" when the protocol gives none */
	bool known;          /* the account's last good pair */
};

enum shield_answer {
	SHIELD_PASS,    /* shield_leave() must follow */
	SHIELD_ACCOUNT, /* too many failures of the account */
	SHIELD_CLIENT,  /* too many failures of the client */
};

/* shield_enter(s, v, l, now): may the upstream be asked? */
enum shield_answer shield_enter(struct shield *s, const struct shield_visit *v,
    const struct shield_limits *l, int64_t now_ms);

/* shield_leave(s, v, end, now): what came of it. */
enum shield_end {
	SHIELD_UNSURE, /* no refusal was seen */
	SHIELD_GOOD,
	SHIELD_BAD,
};
void shield_leave(struct shield *s, const struct shield_visit *v,
    enum shield_end end, int64_t now_ms);

/*
 * shield_delay(s, client, l, now): a failing answer is given to the client,
 * from the upstream or from memory: count it.  Returns how long it is to be
 * held back, in ms: 0 for the first two in the window, then 1, 2, 4, 8, 15
 * seconds.  0 without an address.
 */
int64_t shield_delay(struct shield *s, const char *client,
    const struct shield_limits *l, int64_t now_ms);

/* shield_drop(s, account): forget an account's failures, NULL: everything.
 * Returns how many accounts. */
size_t shield_drop(struct shield *s, const char *account);

struct shield_stats {
	size_t accounts, clients;
	unsigned long held_accounts, held_clients; /* logins not asked about */
};
void shield_stats(struct shield *s, struct shield_stats *out);

#endif /* POSTERN_COMMON_SHIELD_H */
