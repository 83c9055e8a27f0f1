/* SPDX-License-Identifier: BSD-2-Clause */

#include "common/table.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/siphash.h"

struct table {
	struct table_entry *head; /* uthash: the entry used longest ago */
	size_t max;
	unsigned long evicted;
	table_drop_fn *drop;
	void *arg;
	struct siphash_key key;
};

static unsigned
hash(const struct table *t, const void *key, size_t len)
{
	/* Half of a SipHash is as hard to foresee as the whole. */
	return (unsigned)(siphash(&t->key, key, len) & UINT_MAX);
}

struct table *
table_new(size_t max, table_drop_fn *drop, void *arg)
{
	struct table *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	if (getrandom(&t->key, sizeof t->key, 0) != (ssize_t)sizeof t->key) {
		free(t);
		return NULL;
	}
	t->max = max;
	t->drop = drop;
	t->arg = arg;
	return t;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	table_clear(t);
	free(t);
}

/* uthash's macros count as lines and branches of the functions they are in. */
/* NOLINTBEGIN(readability-function-size) */
struct table_entry *
table_find(const struct table *t, const void *key, size_t len)
{
	struct table_entry *e = NULL;

	if (t->head != NULL) {
		HASH_FIND_BYHASHVALUE(
		    hh, t->head, key, (unsigned)len, hash(t, key, len), e);
	}
	return e;
}

/*
 * Moves e to the end of uthash's list of insertion, which we keep in the
 * order of use.  Taking e out and adding it again would do the same, but may
 * need memory, and then e would be lost.
 */
void
table_touch(struct table *t, struct table_entry *e)
{
	UT_hash_table *ut = t->head->hh.tbl;
	struct table_entry *prev = e->hh.prev, *next = e->hh.next;

	if (next == NULL)
		return;
	next->hh.prev = prev;
	if (prev != NULL)
		prev->hh.next = next;
	else
		t->head = next;
	e->hh.prev = ELMT_FROM_HH(ut, ut->tail);
	e->hh.next = NULL;
	ut->tail->next = e;
	ut->tail = &e->hh;
}

bool
table_add(struct table *t, struct table_entry *e, const void *key, size_t len)
{
	unsigned h = hash(t, key, len);

	while (t->head != NULL && table_count(t) >= t->max) {
		t->evicted++;
		table_remove(t, t->head);
	}
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, t->head, key, len, h, e);
	return e->hh.tbl != NULL;
}

void
table_remove(struct table *t, struct table_entry *e)
{
	HASH_DELETE(hh, t->head, e);
	t->drop(t->arg, e);
}

/* NOLINTEND(readability-function-size) */

void
table_clear(struct table *t)
{
	while (t->head != NULL)
		table_remove(t, t->head);
}

struct table_entry *
table_oldest(const struct table *t)
{
	return t->head;
}

struct table_entry *
table_newer(const struct table_entry *e)
{
	return e->hh.next;
}

size_t
table_count(const struct table *t)
{
	return HASH_COUNT(t->head);
}

unsigned long
table_evicted(const struct table *t)
{
	return t->evicted;
}

const void *
table_key(const struct table_entry *e, size_t *len)
{
	*len = e->hh.keylen;
	return e->hh.key;
}
