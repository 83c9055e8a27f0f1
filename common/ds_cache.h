/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ds_cache - answers of a data source that are remembered
 *
 * By the query's text and all its parameters.  An answer with rows outlives
 * its time: it is kept, as long as there is room, for when the source is
 * down.  Times are milliseconds on one monotonic scale.  Any thread; one lock
 * inside.
 */
#ifndef POSTERN_COMMON_DS_CACHE_H
#define POSTERN_COMMON_DS_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "common/ds_driver.h"

/* No answer is served that is older than this. */
#define DS_STALE_MAX_MS 86400000

struct ds_cache;

enum ds_cached {
	DS_CACHE_MISS,
	DS_CACHE_FRESH,
	DS_CACHE_STALE, /* its time is over */
};

/* ds_cache_new(max): at most max answers.  NULL: no memory. */
struct ds_cache *ds_cache_new(size_t max);
void ds_cache_free(struct ds_cache *c); /* NULL does nothing */

/*
 * ds_cache_get(c, q, now_ms, out): *out is a new reference, or NULL for
 * DS_CACHE_MISS.  An answer without rows is never stale: what was not there
 * once may be there by now, and "none" is not to be guessed.
 */
enum ds_cached ds_cache_get(struct ds_cache *c, const struct ds_query *q,
    int64_t now_ms, struct ds_rows **out);

/* ds_cache_put(c, q, rows, ends_ms): remember rows, fresh until ends_ms.
 * Without memory nothing is kept. */
void ds_cache_put(struct ds_cache *c, const struct ds_query *q,
    struct ds_rows *rows, int64_t now_ms, int64_t ends_ms);

/* ds_cache_drop(c, value): forget answers with a parameter of that value;
 * NULL: all of them.  Returns how many. */
size_t ds_cache_drop(struct ds_cache *c, const char *value);

size_t ds_cache_count(struct ds_cache *c);

#endif /* POSTERN_COMMON_DS_CACHE_H */
