/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table - a bounded hash table that forgets what was used longest ago
 *
 * Everything that caches stands on it.  Keys are octets.  An entry is the
 * user's own structure with a struct table_entry as its first member; the
 * key lies in the entry too, so that an entry is one allocation.  The hash is
 * seeded for each table from the kernel's random numbers: strangers cannot
 * choose keys that collide.
 *
 * No locks: the user has one around each table.
 */
#ifndef POSTERN_COMMON_TABLE_H
#define POSTERN_COMMON_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* uthash would otherwise end the process when memory is out. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct table;

struct table_entry {
	UT_hash_handle hh; /* for table.c alone */
};

/* Called once for each entry that leaves the table, to free it; meanwhile
 * table_newer() still tells what came after it. */
typedef void table_drop_fn(void *arg, struct table_entry *e);

/*
 * table_new(max, drop, arg): a new table of at most max entries, max > 0.
 *
 *   drop  frees an entry; may not call the table
 *   arg   handed to drop
 *
 * Returns NULL when there is no memory or no randomness.
 */
struct table *table_new(size_t max, table_drop_fn *drop, void *arg);

/* table_free(t): drop every entry, then the table.  NULL does nothing. */
void table_free(struct table *t);

/*
 * table_find(t, key, len): the entry with that key, or NULL.  Borrowed; does
 * not count as use.
 */
struct table_entry *table_find(
    const struct table *t, const void *key, size_t len);

/* table_touch(t, e): e is used now; it will be forgotten last. */
void table_touch(struct table *t, struct table_entry *e);

/*
 * table_add(t, e, key, len): takes e, whose key lies in e itself and is in
 * the table neither now nor changed later.  When the table is full the
 * entry that was used longest ago is dropped first.
 *
 * Returns false, with e still the caller's, when there is no memory.
 */
bool table_add(
    struct table *t, struct table_entry *e, const void *key, size_t len);

/* table_remove(t, e): take e out and drop it. */
void table_remove(struct table *t, struct table_entry *e);

/* table_clear(t): drop every entry. */
void table_clear(struct table *t);

/*
 * table_oldest(t), table_newer(e): walk through the table in the order of
 * use, longest ago first.  NULL at the end.
 */
struct table_entry *table_oldest(const struct table *t);
struct table_entry *table_newer(const struct table_entry *e);

size_t table_count(const struct table *t);

/* table_evicted(t): entries dropped so far because the table was full. */
unsigned long table_evicted(const struct table *t);

/* table_key(e, len): the key e was added with.  Borrowed. */
const void *table_key(const struct table_entry *e, size_t *len);

#endif /* POSTERN_COMMON_TABLE_H */
