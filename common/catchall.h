/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * catchall - which domains take every local part
 *
 * After the first recipient of a domain was taken, one random local part is
 * asked about.  An upstream that takes that too says nothing by taking
 * others: until the mark expires its "yes" is assumed.  Marks are kept by
 * domain and route, bounded, the least used forgotten first.
 *
 * Any thread; one lock inside.
 */
#ifndef POSTERN_COMMON_CATCHALL_H
#define POSTERN_COMMON_CATCHALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/verdict.h"

struct catchall;

/* A random local part: letters only, so that every server can look it up. */
#define CATCHALL_LOCAL_LEN 20

struct catchall *catchall_new(void); /* NULL without memory */
void catchall_free(struct catchall *c);

/* catchall_marked(c, domain, route, now): everything is taken there. */
bool catchall_marked(
    struct catchall *c, const char *domain, const char *route, int64_t now_ms);

/* catchall_due(c, domain, route, now): no result is known and no test is
 * under way; the caller is to make it, nobody else will for a while. */
bool catchall_due(
    struct catchall *c, const char *domain, const char *route, int64_t now_ms);

/*
 * catchall_result(c, domain, route, v, now, life): what became of the random
 * local part.  life is how long that holds, in milliseconds; a deferral is
 * tried again after a tenth of it.  True when the domain is now marked and
 * was not before, so that the caller can log it.
 */
struct catchall_result {
	const char *domain, *route;
	enum verdict verdict;
	int64_t now_ms, life_ms;
};

bool catchall_result(struct catchall *c, const struct catchall_result *r);

/* catchall_drop(c, domain): forget the marks of a domain; NULL: of all. */
void catchall_drop(struct catchall *c, const char *domain);

/* catchall_local(buf): a fresh random local part.  False without randomness. */
bool catchall_local(char buf[CATCHALL_LOCAL_LEN + 1]);

/* catchall_walk(c, now, fn, arg): each marked domain and the milliseconds
 * that its mark still holds.  fn is called with the lock held: it must be
 * quick and not call back. */
typedef void catchall_walk_fn(void *arg, const char *domain, int64_t left_ms);
void catchall_walk(
    struct catchall *c, int64_t now_ms, catchall_walk_fn *fn, void *arg);

#endif /* POSTERN_COMMON_CATCHALL_H */
