/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally - when something happened lately, for many somethings
 *
 * A bounded table of keys, each with the times of its last events: what a
 * limit of "n in any window" is judged by.  Where room is short the entry
 * with the fewest events goes first, among these the one that was changed
 * longest ago: who wants an entry forgotten must make as many events of
 * others as it has, once for each place in the table.  (From 8 events on it
 * is nearly so: 8 to 15 count as equals, then 16 to 31, and so on.)
 *
 * An entry that is held is never forgotten, whatever the bound.  One that
 * has no events and is not held does not stay.  Entries whose events have
 * all left the window are found and forgotten as others come.
 *
 * No locks: the user has one around each tally.
 */
#ifndef POSTERN_COMMON_TALLY_H
#define POSTERN_COMMON_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most events that can be told apart of one entry. */
#define TALLY_EVENTS_MAX 1024

struct tally;
struct tally_entry;

struct tally *tally_new(size_t max); /* NULL: no memory or randomness */
void tally_free(struct tally *t);    /* NULL does nothing */

/* tally_find(t, key): borrowed until the tally is changed; NULL: nothing. */
struct tally_entry *tally_find(const struct tally *t, uint64_t key);

struct tally_window {
	int64_t ms; /* events older than this are forgotten */
	long most;  /* events to tell apart; 4 are in any case, and
		     * TALLY_EVENTS_MAX at most */
};

/*
 * tally_hold(t, key, group, w, now): find or make an entry, and keep it until
 * tally_release().  May be held several times over.
 *
 *   group  for tally_drop()
 *
 * NULL without memory.
 */
struct tally_entry *tally_hold(struct tally *t, uint64_t key, uint64_t group,
    const struct tally_window *w, int64_t now_ms);
void tally_release(struct tally *t, struct tally_entry *e);

/* tally_held(e): how many hold it. */
unsigned int tally_held(const struct tally_entry *e);

/*
 * tally_add(e, now): an event of an entry that is held.  Cannot fail: when
 * there is no more room the oldest event gives way.  A time before the last
 * one's counts as the last one's.
 */
void tally_add(struct tally_entry *e, int64_t now_ms);

/*
 * tally_recent(e, window, now): events no older than window, both ends
 * included.  0 for NULL.
 */
size_t tally_recent(
    const struct tally_entry *e, int64_t window_ms, int64_t now_ms);

/* tally_has_events(t, key): are there any, within the window or not? */
bool tally_has_events(const struct tally *t, uint64_t key);

/* tally_drop(t, group): forget the events of a group, NULL: of all.  Returns
 * how many entries had any. */
size_t tally_drop(struct tally *t, const uint64_t *group);

size_t tally_count(const struct tally *t);

#endif /* POSTERN_COMMON_TALLY_H */
