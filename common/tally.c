/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/tally.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/table.h"

/* Entries are ranked by their events: 1 to 7, then by powers of two up to
 * TALLY_EVENTS_MAX. */
#define FEW   8
#define RANKS 16

/* Up to this many events need no memory of their own. */
#define INSIDE 4

struct tally_entry {
	struct table_entry link;
	TAILQ_ENTRY(tally_entry) peer; /* in its rank; unless held */
	uint64_t key, group;
	int64_t window_ms; /* as it was last held for */
	unsigned int held;
	uint16_t len, room;
	uint16_t rank;
	int64_t *at; /* events, oldest first: inside, or memory of its own */
	int64_t inside[INSIDE];
};

TAILQ_HEAD(rank, tally_entry);

struct tally {
	struct table *entries;
	size_t max;
	struct rank ranks[RANKS]; /* changed longest ago first */
};

static void
entry_drop(void *arg, struct table_entry *node)
{
	struct tally_entry *e = (struct tally_entry *)node;

	(void)arg;
	if (e->at != e->inside)
		free(e->at);
	free(e);
}

struct tally *
tally_new(size_t max)
{
	struct tally *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	/* What has to go is chosen here, not by the table. */
	t->entries = table_new(SIZE_MAX, entry_drop, t);
	if (t->entries == NULL) {
		free(t);
		return NULL;
	}
	t->max = max;
	for (size_t i = 0; i < RANKS; i++)
		TAILQ_INIT(&t->ranks[i]);
	return t;
}

void
tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	table_free(t->entries);
	free(t);
}

struct tally_entry *
tally_find(const struct tally *t, uint64_t key)
{
	return (struct tally_entry *)table_find(t->entries, &key, sizeof key);
}

static uint16_t
rank_of(size_t events)
{
	uint16_t rank = FEW - 1;

	if (events < FEW)
		return (uint16_t)(events - 1);
	for (events /= FEW; events > 1 && rank < RANKS - 1; events /= 2)
		rank++;
	return rank;
}

/* Put an entry that is not held where it belongs: among its peers, or away. */
static void
entry_place(struct tally *t, struct tally_entry *e)
{
	if (e->len == 0) {
		table_remove(t->entries, &e->link);
		return;
	}
	e->rank = rank_of(e->len);
	TAILQ_INSERT_TAIL(&t->ranks[e->rank], e, peer);
}

static void
entry_forget(struct tally *t, struct tally_entry *e)
{
	TAILQ_REMOVE(&t->ranks[e->rank], e, peer);
	table_remove(t->entries, &e->link);
}

static bool
entry_over(const struct tally_entry *e, int64_t now_ms)
{
	return now_ms - e->at[e->len - 1] > e->window_ms;
}

/*
 * Forget what has run out, as far as it lies first in its rank.  One of each
 * rank a time is more than what comes in, so they do not pile up.
 */
static void
sweep(struct tally *t, int64_t now_ms)
{
	struct tally_entry *e;

	for (size_t i = 0; i < RANKS; i++) {
		e = TAILQ_FIRST(&t->ranks[i]);
		if (e != NULL && entry_over(e, now_ms))
			entry_forget(t, e);
	}
}

static void
make_place(struct tally *t, int64_t now_ms)
{
	struct tally_entry *e;

	sweep(t, now_ms);
	for (size_t i = 0; i < RANKS && tally_count(t) >= t->max; i++) {
		while ((e = TAILQ_FIRST(&t->ranks[i])) != NULL &&
		    tally_count(t) >= t->max)
			entry_forget(t, e);
	}
}

/* Room for one event of each who holds the entry, up to most events in all:
 * an entry takes what its events take, not what they might. */
static bool
entry_grow(struct tally_entry *e, long most)
{
	size_t limit =
	    most < TALLY_EVENTS_MAX ? (size_t)most : TALLY_EVENTS_MAX;
	size_t room = (size_t)e->len + e->held;
	int64_t *at;

	if (most <= e->room || room <= e->room)
		return true;
	if (room < 2 * (size_t)e->room)
		room = 2 * (size_t)e->room;
	if (room > limit)
		room = limit;
	at = reallocarray(e->at != e->inside ? e->at : NULL, room, sizeof *at);
	if (at == NULL)
		return false;
	if (e->at == e->inside)
		memcpy(at, e->inside, e->len * sizeof *at);
	e->at = at;
	e->room = (uint16_t)room;
	return true;
}

static void
forget_oldest(struct tally_entry *e, size_t n)
{
	e->len = (uint16_t)(e->len - n);
	memmove(e->at, e->at + n, e->len * sizeof *e->at);
}

/* A new entry, not held yet and not among peers. */
static struct tally_entry *
entry_new(struct tally *t, uint64_t key, uint64_t group)
{
	struct tally_entry *e = calloc(1, sizeof *e);

	if (e == NULL)
		return NULL;
	e->key = key;
	e->group = group;
	e->at = e->inside;
	e->room = INSIDE;
	if (!table_add(t->entries, &e->link, &e->key, sizeof e->key)) {
		free(e);
		return NULL;
	}
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the table has it */
	return e;
}

struct tally_entry *
tally_hold(struct tally *t, uint64_t key, uint64_t group,
    const struct tally_window *w, int64_t now_ms)
{
	struct tally_entry *e = tally_find(t, key);

	if (e == NULL) {
		make_place(t, now_ms);
		e = entry_new(t, key, group);
		if (e == NULL)
			return NULL;
	} else if (e->held == 0) {
		TAILQ_REMOVE(&t->ranks[e->rank], e, peer);
	}
	e->held++;
	e->window_ms = w->ms;
	forget_oldest(e, e->len - tally_recent(e, w->ms, now_ms));
	if (!entry_grow(e, w->most)) {
		tally_release(t, e);
		return NULL;
	}
	return e;
}

void
tally_release(struct tally *t, struct tally_entry *e)
{
	if (--e->held == 0)
		entry_place(t, e);
}

unsigned int
tally_held(const struct tally_entry *e)
{
	return e->held;
}

void
tally_add(struct tally_entry *e, int64_t now_ms)
{
	if (e->len > 0 && e->at[e->len - 1] > now_ms)
		now_ms = e->at[e->len - 1];
	if (e->len == e->room)
		forget_oldest(e, 1);
	e->at[e->len++] = now_ms;
}

size_t
tally_recent(const struct tally_entry *e, int64_t window_ms, int64_t now_ms)
{
	size_t old = 0;

	if (e == NULL)
		return 0;
	while (old < e->len && now_ms - e->at[old] > window_ms)
		old++;
	return e->len - old;
}

bool
tally_has_events(const struct tally *t, uint64_t key)
{
	const struct tally_entry *e = tally_find(t, key);

	return e != NULL && e->len > 0;
}

size_t
tally_drop(struct tally *t, const uint64_t *group)
{
	struct table_entry *node, *next;
	struct tally_entry *e;
	size_t n = 0;

	for (node = table_oldest(t->entries); node != NULL; node = next) {
		next = table_newer(node);
		e = (struct tally_entry *)node;
		if (group != NULL && e->group != *group)
			continue;
		n += e->len > 0;
		e->len = 0;
		if (e->held == 0)
			entry_forget(t, e);
	}
	return n;
}

size_t
tally_count(const struct tally *t)
{
	return table_count(t->entries);
}
