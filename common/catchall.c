/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/catchall.h"
#include "common/table.h"

/* Domains that are remembered; a mark is some 200 octets. */
#define MARKS_MAX     100000
/* A test without an end is made again after so long. */
#define TEST_LIMIT_MS 120000

enum mark_state {
	MARK_TESTING,
	MARK_SELECTIVE,
	MARK_CATCHALL
};

struct mark {
	struct table_entry entry; /* first, for table.h */
	enum mark_state state;
	int64_t until_ms;
	char key[]; /* domain, NUL, route */
};

struct catchall {
	pthread_mutex_t lock;
	struct table *marks;
};

static void
mark_free(void *arg, struct table_entry *e)
{
	(void)arg;
	free((struct mark *)(void *)e);
}

struct catchall *
catchall_new(void)
{
	struct catchall *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	if ((c->marks = table_new(MARKS_MAX, mark_free, NULL)) == NULL) {
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void
catchall_free(struct catchall *c)
{
	if (c == NULL)
		return;
	table_free(c->marks);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* The mark of a domain and route, made when `make`; NULL without. */
static struct mark *
mark_get(struct catchall *c, const char *domain, const char *route, bool make)
{
	size_t dlen = strlen(domain) + 1, rlen = strlen(route) + 1;
	size_t len = dlen + rlen;
	struct mark *m = malloc(sizeof(*m) + len), *found;

	if (m == NULL)
		return NULL;
	memcpy(m->key, domain, dlen);
	memcpy(m->key + dlen, route, rlen);
	found = (struct mark *)(void *)table_find(c->marks, m->key, len);
	if (found != NULL) {
		free(m);
		table_touch(c->marks, &found->entry);
		return found;
	}
	if (make) {
		m->state = MARK_SELECTIVE;
		m->until_ms = INT64_MIN;
		if (table_add(c->marks, &m->entry, m->key, len))
			return m;
	}
	free(m);
	return NULL;
}

bool
catchall_marked(
    struct catchall *c, const char *domain, const char *route, int64_t now_ms)
{
	const struct mark *m;
	bool marked;

	pthread_mutex_lock(&c->lock);
	m = mark_get(c, domain, route, false);
	marked = m != NULL && m->state == MARK_CATCHALL && now_ms < m->until_ms;
	pthread_mutex_unlock(&c->lock);
	return marked;
}

bool
catchall_due(
    struct catchall *c, const char *domain, const char *route, int64_t now_ms)
{
	struct mark *m;
	bool due;

	pthread_mutex_lock(&c->lock);
	m = mark_get(c, domain, route, true);
	due = m != NULL && now_ms >= m->until_ms;
	if (due) {
		m->state = MARK_TESTING;
		m->until_ms = now_ms + TEST_LIMIT_MS;
	}
	pthread_mutex_unlock(&c->lock);
	return due;
}

bool
catchall_result(struct catchall *c, const struct catchall_result *r)
{
	struct mark *m;
	bool fresh = false;

	pthread_mutex_lock(&c->lock);
	m = mark_get(c, r->domain, r->route, true);
	if (m != NULL && r->verdict == VERDICT_DEFER) {
		m->state = MARK_SELECTIVE;
		m->until_ms = r->now_ms + r->life_ms / 10;
	} else if (m != NULL) {
		fresh =
		    r->verdict == VERDICT_ACCEPT && m->state != MARK_CATCHALL;
		m->state = r->verdict == VERDICT_ACCEPT ? MARK_CATCHALL
							: MARK_SELECTIVE;
		m->until_ms = r->now_ms + r->life_ms;
	}
	pthread_mutex_unlock(&c->lock);
	return fresh;
}

void
catchall_drop(struct catchall *c, const char *domain)
{
	struct table_entry *e, *next;

	pthread_mutex_lock(&c->lock);
	for (e = table_oldest(c->marks); e != NULL; e = next) {
		next = table_newer(e);
		if (domain == NULL ||
		    strcmp(((struct mark *)(void *)e)->key, domain) == 0)
			table_remove(c->marks, e);
	}
	pthread_mutex_unlock(&c->lock);
}

void
catchall_walk(
    struct catchall *c, int64_t now_ms, catchall_walk_fn *fn, void *arg)
{
	struct table_entry *e;

	pthread_mutex_lock(&c->lock);
	for (e = table_oldest(c->marks); e != NULL; e = table_newer(e)) {
		const struct mark *m = (struct mark *)(void *)e;

		if (m->state == MARK_CATCHALL && now_ms < m->until_ms)
			fn(arg, m->key, m->until_ms - now_ms);
	}
	pthread_mutex_unlock(&c->lock);
}

bool
catchall_local(char buf[CATCHALL_LOCAL_LEN + 1])
{
	unsigned char r[CATCHALL_LOCAL_LEN];

	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return false;
	for (size_t i = 0; i < sizeof(r); i++)
		buf[i] = (char)('a' + r[i] % 26);
	buf[CATCHALL_LOCAL_LEN] = '\0';
	return true;
}
