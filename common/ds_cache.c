/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ds_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/strbuf.h"
#include "common/table.h"

/* Longer questions are not remembered. */
#define KEY_MAX 65536

struct entry {
	struct table_entry link;
	struct ds_rows *rows;
	int64_t born_ms, ends_ms;
	char key[]; /* text, then name and value of each parameter */
};

struct ds_cache {
	pthread_mutex_t lock;
	struct table *table;
};

static void
entry_drop(void *arg, struct table_entry *node)
{
	struct entry *e = (struct entry *)node;

	(void)arg;
	ds_rows_unref(e->rows);
	free(e);
}

struct ds_cache *
ds_cache_new(size_t max)
{
	struct ds_cache *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->table = table_new(max, entry_drop, NULL);
	if (c->table == NULL || pthread_mutex_init(&c->lock, NULL) != 0) {
		table_free(c->table);
		free(c);
		return NULL;
	}
	return c;
}

void
ds_cache_free(struct ds_cache *c)
{
	if (c == NULL)
		return;
	table_free(c->table);
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

/* Each string with its NUL, so that no two questions have one key. */
static bool
key_make(struct strbuf *key, const struct ds_query *q)
{
	size_t i;

	strbuf_init(key, KEY_MAX);
	strbuf_add(key, q->text, strlen(q->text) + 1);
	for (i = 0; i < q->n_params; i++) {
		const struct ds_param *p = &q->params[i];

		strbuf_add(key, p->name, strlen(p->name) + 1);
		strbuf_add(key, p->value, strlen(p->value) + 1);
	}
	return strbuf_ok(key);
}

enum ds_cached
ds_cache_get(struct ds_cache *c, const struct ds_query *q, int64_t now_ms,
    struct ds_rows **out)
{
	enum ds_cached found = DS_CACHE_MISS;
	struct strbuf key;
	struct entry *e;

	*out = NULL;
	if (!key_make(&key, q)) {
		strbuf_release(&key);
		return DS_CACHE_MISS;
	}
	(void)pthread_mutex_lock(&c->lock);
	e = (struct entry *)table_find(c->table, key.data, key.len);
	if (e != NULL && now_ms < e->ends_ms)
		found = DS_CACHE_FRESH;
	else if (e != NULL && ds_rows_count(e->rows) > 0 &&
	    now_ms - e->born_ms < DS_STALE_MAX_MS)
		found = DS_CACHE_STALE;
	if (found != DS_CACHE_MISS) {
		table_touch(c->table, &e->link);
		*out = ds_rows_ref(e->rows);
	}
	(void)pthread_mutex_unlock(&c->lock);
	strbuf_release(&key);
	return found;
}

void
ds_cache_put(struct ds_cache *c, const struct ds_query *q, struct ds_rows *rows,
    int64_t now_ms, int64_t ends_ms)
{
	struct table_entry *old;
	struct entry *e = NULL;
	struct strbuf key;

	if (key_make(&key, q))
		e = malloc(sizeof *e + key.len);
	if (e == NULL) {
		strbuf_release(&key);
		return;
	}
	memset(e, 0, sizeof *e);
	e->rows = ds_rows_ref(rows);
	e->born_ms = now_ms;
	e->ends_ms = ends_ms;
	memcpy(e->key, key.data, key.len);
	(void)pthread_mutex_lock(&c->lock);
	old = table_find(c->table, e->key, key.len);
	if (old != NULL)
		table_remove(c->table, old);
	if (!table_add(c->table, &e->link, e->key, key.len))
		entry_drop(NULL, &e->link);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the table has it */
	(void)pthread_mutex_unlock(&c->lock);
	strbuf_release(&key);
}

/* Is one of the parameters in the entry's key of that value? */
static bool
has_value(const struct table_entry *node, const char *value)
{
	size_t len;
	const char *p = table_key(node, &len), *end = p + len;

	for (p += strlen(p) + 1; p < end; p += strlen(p) + 1) {
		p += strlen(p) + 1;
		if (strcmp(p, value) == 0)
			return true;
	}
	return false;
}

size_t
ds_cache_drop(struct ds_cache *c, const char *value)
{
	struct table_entry *node, *next;
	size_t n = 0;

	(void)pthread_mutex_lock(&c->lock);
	for (node = table_oldest(c->table); node != NULL; node = next) {
		next = table_newer(node);
		if (value != NULL && !has_value(node, value))
			continue;
		table_remove(c->table, node);
		n++;
	}
	(void)pthread_mutex_unlock(&c->lock);
	return n;
}

size_t
ds_cache_count(struct ds_cache *c)
{
	size_t n;

	(void)pthread_mutex_lock(&c->lock);
	n = table_count(c->table);
	(void)pthread_mutex_unlock(&c->lock);
	return n;
}
