/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/cache.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/cache_gist.h"
#include "common/table.h"

/*
 * There may be a million entries, so they are kept small: times are 32-bit
 * numbers of ticks (13 years of them), the text has the length it has, and
 * what many entries share is held once (cache_gist).
 */
#define TICK_MS   100
#define TEXT_KEPT 200
#define SLICE     1000

struct entry {
	struct table_entry link;
	struct gist *gist;
	uint32_t born, ends;
	uint32_t noted; /* a contradiction came then; 0: none */
	uint32_t asked; /* somebody was told to refresh then; 0: nobody */
	uint16_t text_len;
	uint8_t verdict;
	char octets[]; /* key, text */
};

#define ENTRY_SIZE offsetof(struct entry, octets)

/* A walk in progress; the entry it comes to next. */
struct cursor {
	struct cursor *other;
	struct table_entry *next;
	size_t left; /* entries to go: those that came later are not shown */
};

struct cache {
	pthread_mutex_t lock; /* of everything below */
	struct table *entries;
	struct gists *gists;
	struct cursor *cursors;
	struct cache_stats stats;
};

static uint32_t
tick(int64_t ms)
{
	int64_t t = ms / TICK_MS + 1;

	if (t < 1)
		return 1;
	return t > UINT32_MAX ? UINT32_MAX : (uint32_t)t;
}

static uint32_t
tick_after(uint32_t t, int64_t ms)
{
	int64_t life = ms < TICK_MS ? 1 : ms / TICK_MS;

	return life > UINT32_MAX - t ? UINT32_MAX : t + (uint32_t)life;
}

static bool
tick_passed(uint32_t since, uint32_t now, int64_t ms)
{
	return now >= since && now - since >= ms / TICK_MS;
}

static size_t
entry_size(const struct entry *e)
{
	size_t key_len;

	(void)table_key(&e->link, &key_len);
	return ENTRY_SIZE + key_len + e->text_len + CACHE_MALLOC_COST;
}

static void
entry_drop(void *arg, struct table_entry *node)
{
	struct cache *c = arg;
	struct entry *e = (struct entry *)node;
	struct cursor *k;

	for (k = c->cursors; k != NULL; k = k->other) {
		if (k->next == node)
			k->next = table_newer(node);
	}
	c->stats.bytes -= entry_size(e);
	gist_unref(c->gists, e->gist);
	free(e);
}

struct cache *
cache_new(size_t max)
{
	struct cache *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->entries = table_new(max, entry_drop, c);
	c->gists = gists_new(max + 1);
	if (c->entries == NULL || c->gists == NULL ||
	    pthread_mutex_init(&c->lock, NULL) != 0) {
		table_free(c->entries);
		gists_free(c->gists);
		free(c);
		return NULL;
	}
	return c;
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	table_free(c->entries);
	gists_free(c->gists);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

bool
cache_key_set(struct cache_key *k, const char *domain, const char *local,
    const void *rest, size_t rest_len)
{
	size_t dlen = strlen(domain) + 1, llen = strlen(local) + 1;

	k->len = 0;
	if (dlen > sizeof k->octets || llen > sizeof k->octets - dlen ||
	    rest_len > sizeof k->octets - dlen - llen)
		return false;
	memcpy(k->octets, domain, dlen);
	memcpy(k->octets + dlen, local, llen);
	if (rest_len > 0)
		memcpy(k->octets + dlen + llen, rest, rest_len);
	k->len = dlen + llen + rest_len;
	return true;
}

static void
entry_answer(const struct entry *e, struct answer *out)
{
	size_t key_len;

	(void)table_key(&e->link, &key_len);
	memset(out, 0, sizeof *out);
	gist_answer(e->gist, out);
	memcpy(out->text, e->octets + key_len, e->text_len);
}

static bool
entry_fresh(const struct entry *e, uint32_t now)
{
	return e != NULL && now < e->ends;
}

static bool
refresh_due(const struct entry *e, uint32_t now)
{
	if (e->verdict != VERDICT_ACCEPT)
		return false;
	if (e->asked != 0 && !tick_passed(e->asked, now, CACHE_REFRESH_MS))
		return false;
	/* A second opinion is worth having only when it can count. */
	if (e->noted != 0)
		return tick_passed(e->noted, now, CACHE_CONTRADICTION_MS);
	return now >= e->born && now - e->born >= (e->ends - e->born + 1) / 2;
}

enum cache_found
cache_get(struct cache *c, const struct cache_key *k, int64_t now_ms,
    struct answer *out)
{
	enum cache_found found = CACHE_MISS;
	uint32_t now = tick(now_ms);
	struct entry *e;

	(void)pthread_mutex_lock(&c->lock);
	e = (struct entry *)table_find(c->entries, k->octets, k->len);
	if (!entry_fresh(e, now)) {
		c->stats.misses++;
		goto done;
	}
	/* A walk goes by the order of use: leave it alone meanwhile. */
	if (c->cursors == NULL)
		table_touch(c->entries, &e->link);
	entry_answer(e, out);
	c->stats.hits++;
	found = CACHE_FRESH;
	if (refresh_due(e, now)) {
		e->asked = now;
		c->stats.refreshes++;
		found = CACHE_REFRESH;
	}
done:
	(void)pthread_mutex_unlock(&c->lock);
	return found;
}

/*
 * Whether the entry stands against answer a; it takes note of a then.
 */
static bool
entry_stands(struct entry *e, const struct answer *a, uint32_t now)
{
	if (!entry_fresh(e, now) || e->verdict == VERDICT_DEFER)
		return false;
	if (a->verdict == VERDICT_DEFER) {
		e->asked = now;
		return true;
	}
	if (e->verdict != VERDICT_ACCEPT || a->verdict != VERDICT_REJECT)
		return false;
	e->asked = 0;
	if (e->noted == 0) {
		e->noted = now;
		return true;
	}
	return !tick_passed(e->noted, now, CACHE_CONTRADICTION_MS);
}

static int64_t
life_of(const struct answer *a, const struct cache_lives *lives)
{
	switch (a->verdict) {
	case VERDICT_ACCEPT:
		return lives->positive;
	case VERDICT_REJECT:
		return a->kind == REFUSAL_MAILBOX ? lives->mailbox
						  : lives->negative;
	case VERDICT_DEFER:
		break;
	}
	return lives->temporary;
}

/* Nobody asks in which words a recipient was accepted. */
static size_t
text_kept(const struct answer *a)
{
	return a->verdict == VERDICT_ACCEPT ? 0 : strnlen(a->text, TEXT_KEPT);
}

static void
entry_add(struct cache *c, const struct cache_key *k, const struct answer *a,
    uint32_t born, uint32_t ends)
{
	size_t text_len = text_kept(a);
	struct entry *e = malloc(ENTRY_SIZE + k->len + text_len);

	if (e == NULL)
		return;
	memset(e, 0, ENTRY_SIZE);
	e->gist = gist_ref(c->gists, a);
	if (e->gist == NULL) {
		free(e);
		return;
	}
	e->born = born;
	e->ends = ends;
	e->text_len = (uint16_t)text_len;
	e->verdict = (uint8_t)a->verdict;
	memcpy(e->octets, k->octets, k->len);
	memcpy(e->octets + k->len, a->text, text_len);
	if (!table_add(c->entries, &e->link, e->octets, k->len)) {
		gist_unref(c->gists, e->gist);
		free(e);
		return;
	}
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the table has it */
	c->stats.bytes += entry_size(e);
}

void
cache_put(struct cache *c, const struct cache_key *k, const struct answer *a,
    const struct cache_lives *lives, int64_t now_ms)
{
	int64_t life = life_of(a, lives);
	uint32_t now = tick(now_ms);
	struct entry *e;

	(void)pthread_mutex_lock(&c->lock);
	e = (struct entry *)table_find(c->entries, k->octets, k->len);
	if (e == NULL || !entry_stands(e, a, now)) {
		if (e != NULL)
			table_remove(c->entries, &e->link);
		if (life > 0)
			entry_add(c, k, a, now, tick_after(now, life));
	}
	(void)pthread_mutex_unlock(&c->lock);
}

/* The octets that the keys selected begin with; false: there are none. */
static bool
select_prefix(const struct cache_select *which, struct cache_key *prefix)
{
	prefix->len = 0;
	if (which->domain == NULL)
		return true;
	if (!cache_key_set(prefix, which->domain,
		which->local != NULL ? which->local : "", NULL, 0))
		return false;
	if (which->local == NULL)
		prefix->len--;
	return true;
}

static bool
selected(const struct table_entry *node, const struct cache_key *prefix)
{
	size_t len;
	const void *key = table_key(node, &len);

	return len >= prefix->len &&
	    memcmp(key, prefix->octets, prefix->len) == 0;
}

static void
cursor_open(struct cache *c, struct cursor *k)
{
	(void)pthread_mutex_lock(&c->lock);
	k->next = table_oldest(c->entries);
	k->left = table_count(c->entries);
	k->other = c->cursors;
	c->cursors = k;
	(void)pthread_mutex_unlock(&c->lock);
}

static void
cursor_close(struct cache *c, struct cursor *k)
{
	struct cursor **p;

	(void)pthread_mutex_lock(&c->lock);
	for (p = &c->cursors; *p != k; p = &(*p)->other)
		;
	*p = k->other;
	(void)pthread_mutex_unlock(&c->lock);
}

/* The next entry, with the lock held; NULL when there is none. */
static struct table_entry *
cursor_step(struct cursor *k)
{
	struct table_entry *node = k->next;

	if (node == NULL || k->left == 0)
		return NULL;
	k->left--;
	k->next = table_newer(node);
	return node;
}

static void
item_set(struct cache_item *item, const struct entry *e, uint32_t now)
{
	size_t len;
	const char *key = table_key(&e->link, &len);

	memcpy(item->key.octets, key, len);
	item->key.len = len;
	item->domain = (const char *)item->key.octets;
	item->local = item->domain + strlen(item->domain) + 1;
	entry_answer(e, &item->answer);
	item->age_ms = ((int64_t)now - e->born) * TICK_MS;
	item->left_ms = ((int64_t)e->ends - now) * TICK_MS;
	item->contradicted = e->noted != 0;
}

void
cache_walk(struct cache *c, const struct cache_select *which, int64_t now_ms,
    cache_walk_fn *fn, void *arg)
{
	struct cursor k = { NULL, NULL, 0 };
	struct cache_item item;
	struct cache_key prefix;
	struct table_entry *node;
	bool more = true;
	unsigned n;

	if (!select_prefix(which, &prefix))
		return;
	cursor_open(c, &k);
	while (more) {
		(void)pthread_mutex_lock(&c->lock);
		for (n = 0; n < SLICE; n++) {
			node = cursor_step(&k);
			if (node == NULL || selected(node, &prefix))
				break;
		}
		if (n < SLICE && node != NULL)
			item_set(&item, (struct entry *)node, tick(now_ms));
		(void)pthread_mutex_unlock(&c->lock);
		if (n < SLICE)
			more = node != NULL && fn(arg, &item);
	}
	cursor_close(c, &k);
}

size_t
cache_drop(struct cache *c, const struct cache_select *which)
{
	struct cursor k = { NULL, NULL, 0 };
	struct table_entry *node = NULL;
	struct cache_key prefix;
	size_t dropped = 0;
	unsigned n;

	if (!select_prefix(which, &prefix))
		return 0;
	cursor_open(c, &k);
	do {
		(void)pthread_mutex_lock(&c->lock);
		for (n = 0; n < SLICE && (node = cursor_step(&k)) != NULL;
		     n++) {
			if (!selected(node, &prefix))
				continue;
			table_remove(c->entries, node);
			dropped++;
		}
		(void)pthread_mutex_unlock(&c->lock);
	} while (node != NULL);
	cursor_close(c, &k);
	return dropped;
}

void
cache_stats(struct cache *c, struct cache_stats *out)
{
	(void)pthread_mutex_lock(&c->lock);
	*out = c->stats;
	out->bytes += gists_bytes(c->gists);
	out->entries = table_count(c->entries);
	out->evictions = table_evicted(c->entries);
	(void)pthread_mutex_unlock(&c->lock);
}
