/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache - the verdicts that are remembered
 *
 * Bounded, with the entry used longest ago going first.  How long an entry
 * is fresh depends on what it says (struct cache_lives).  Times are
 * milliseconds on one monotonic scale that the caller passes in, clock_ms()
 * in a program; the cache keeps them to a tenth of a second.
 *
 * What a new answer does to a fresh entry of the same key:
 *
 *   entry     answer   effect
 *   positive  accept   replaces; a noted contradiction is forgotten
 *   positive  reject   the first is noted and the entry stays; one that
 *                      comes CACHE_CONTRADICTION_MS after it, or later,
 *                      replaces
 *   positive  defer    none, but the next refresh waits a while
 *   negative  defer    none
 *   other     any      replaces
 *
 * So an upstream that is broken for a minute does not turn known recipients
 * away, and a recipient that was deleted does not stay valid for a day.
 *
 * Any thread; one lock inside, never held across I/O or a callback.
 */
#ifndef POSTERN_COMMON_CACHE_H
#define POSTERN_COMMON_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/answer.h"

/* Two answers this far apart are two opinions, not one repeated. */
#define CACHE_CONTRADICTION_MS 300000

/* Who was told to refresh has this long before somebody else is told. */
#define CACHE_REFRESH_MS 60000

#define CACHE_KEY_MAX 1024

struct cache;

/*
 * What a question's answer depends on, as octets: "domain NUL local-part NUL
 * rest".  Neither of the first two may hold a NUL; the rest may.
 */
struct cache_key {
	size_t len;
	unsigned char octets[CACHE_KEY_MAX];
};

/*
 * cache_key_set(k, domain, local, rest, rest_len): make a key.
 *
 *   domain  recipient domain, compared octet by octet: lower case
 *   local   local part, as the upstream is asked about it
 *   rest    route, sender and whatever else the answer depends on
 *
 * Returns false, with an empty key, when it would be too long.
 */
bool cache_key_set(struct cache_key *k, const char *domain, const char *local,
    const void *rest, size_t rest_len);

struct cache_lives { /* milliseconds; 0: do not keep */
	int64_t positive;
	int64_t negative;
	int64_t mailbox; /* REFUSAL_MAILBOX */
	int64_t temporary;
};

enum cache_found {
	CACHE_MISS,
	CACHE_FRESH,
	CACHE_REFRESH, /* fresh, and this caller is the one to ask again */
};

struct cache_stats {
	unsigned long hits, misses, refreshes, evictions;
	size_t entries;
	size_t bytes; /* memory of the entries, near enough */
};

/* cache_new(max): a new cache of at most max entries, or NULL. */
struct cache *cache_new(size_t max);
void cache_free(struct cache *c); /* NULL does nothing */

/*
 * cache_get(c, k, now_ms, out): look a key up.
 *
 * CACHE_REFRESH comes for a positive entry past half its life, and for one
 * with a contradiction noted CACHE_CONTRADICTION_MS ago; to one caller only
 * until cache_put() or CACHE_REFRESH_MS later.  *out is set but for
 * CACHE_MISS.
 */
enum cache_found cache_get(struct cache *c, const struct cache_key *k,
    int64_t now_ms, struct answer *out);

/*
 * cache_put(c, k, a, lives, now_ms): remember an answer, as in the table
 * above.  A text is cut at 200 octets, that of an accept is not kept.  Without memory nothing is kept, and an
 * entry that a has overtaken is not either.
 */
void cache_put(struct cache *c, const struct cache_key *k,
    const struct answer *a, const struct cache_lives *lives, int64_t now_ms);

/* One entry, as cache_walk() shows it. */
struct cache_item {
	struct cache_key key;
	const char *domain; /* in key */
	const char *local;  /* in key */
	struct answer answer;
	int64_t age_ms;
	int64_t left_ms;   /* until it ends; <= 0: it has, and is not used */
	bool contradicted; /* a contradiction is noted */
};

/* Called without the lock.  Returns false to stop the walk. */
typedef bool cache_walk_fn(void *arg, const struct cache_item *item);

struct cache_select {
	const char *domain; /* only of this recipient domain; NULL: all */
	const char *local;  /* and only of this local part; NULL: all */
};

/*
 * cache_walk(c, which, now_ms, fn, arg): show the entries selected to fn, one
 * after the other.
 *
 * The lock is taken for a slice of the table at a time.  An entry that was
 * there at the start, and is not dropped or replaced meanwhile, is shown
 * once.  Until the walk ends it is not recorded which entries are used: do
 * not let it wait for long.
 */
void cache_walk(struct cache *c, const struct cache_select *which,
    int64_t now_ms, cache_walk_fn *fn, void *arg);

/*
 * cache_drop(c, which): forget the entries selected, in slices too.  Returns
 * how many.
 */
size_t cache_drop(struct cache *c, const struct cache_select *which);

void cache_stats(struct cache *c, struct cache_stats *out);

#endif /* POSTERN_COMMON_CACHE_H */
