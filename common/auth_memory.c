/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/auth_memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/account_tag.h"
#include "common/pair_hash.h"
#include "common/table.h"

struct bad {
	struct table_entry link;
	struct pair_digest pair; /* the key */
	uint64_t name;
	int64_t until_ms;
};

struct account {
	struct table_entry link;
	struct account_tag tag; /* tag.account is the key */
	struct pair_digest known;
	int64_t good_until_ms; /* 0: known only */
};

/*
 * A question that is being asked.  Whoever asks and whoever waits has a
 * reference; when the one who asks could not tell, nobody asks until one of
 * the others wakes and takes over.
 */
struct auth_claim {
	struct table_entry link;
	struct auth_memory *m;
	struct pair_digest pair; /* the key */
	struct account_tag tag;
	pthread_cond_t changed;
	unsigned int refs;
	bool listed;  /* in the table of questions */
	bool asked;   /* somebody is asking */
	bool ended;   /* answer is set */
	bool dropped; /* the answer is out of date before it comes */
	bool known;
	enum auth_memory_answer answer;
};

struct auth_memory {
	struct pair_hash *hash;
	struct siphash_key key;
	pthread_condattr_t clock;
	pthread_mutex_t lock;    /* of everything below */
	struct table *bad;       /* struct bad */
	struct table *accounts;  /* struct account */
	struct table *questions; /* struct auth_claim */
	struct auth_memory_stats stats;
};

static void
entry_free(void *arg, struct table_entry *e)
{
	(void)arg;
	free(e);
}

/* Questions live as long as somebody refers to them. */
static void
question_left(void *arg, struct table_entry *e)
{
	(void)arg;
	((struct auth_claim *)e)->listed = false;
}

static bool
memory_init(struct auth_memory *m, size_t max)
{
	if (pthread_condattr_setclock(&m->clock, CLOCK_MONOTONIC) != 0 ||
	    getrandom(&m->key, sizeof m->key, 0) != (ssize_t)sizeof m->key)
		return false;
	m->hash = pair_hash_new();
	m->bad = table_new(max, entry_free, NULL);
	m->accounts = table_new(max, entry_free, NULL);
	m->questions = table_new(SIZE_MAX, question_left, NULL);
	return m->hash != NULL && m->bad != NULL && m->accounts != NULL &&
	    m->questions != NULL;
}

struct auth_memory *
auth_memory_new(size_t max)
{
	struct auth_memory *m = calloc(1, sizeof *m);

	if (m == NULL)
		return NULL;
	if (pthread_mutex_init(&m->lock, NULL) != 0) {
		free(m);
		return NULL;
	}
	if (pthread_condattr_init(&m->clock) != 0) {
		(void)pthread_mutex_destroy(&m->lock);
		free(m);
		return NULL;
	}
	if (!memory_init(m, max)) {
		auth_memory_free(m);
		return NULL;
	}
	return m;
}

void
auth_memory_free(struct auth_memory *m)
{
	if (m == NULL)
		return;
	table_free(m->questions);
	table_free(m->accounts);
	table_free(m->bad);
	pair_hash_free(m->hash);
	(void)pthread_condattr_destroy(&m->clock);
	(void)pthread_mutex_destroy(&m->lock);
	explicit_bzero(&m->key, sizeof m->key);
	free(m);
}

static struct bad *
bad_find(struct auth_memory *m, const struct pair_digest *pair)
{
	return (struct bad *)table_find(m->bad, pair, sizeof *pair);
}

static struct account *
account_find(struct auth_memory *m, const struct account_tag *tag)
{
	return (struct account *)table_find(
	    m->accounts, &tag->account, sizeof tag->account);
}

/* The account whose known pair this is, or NULL. */
static struct account *
account_of(struct auth_memory *m, const struct auth_claim *c)
{
	struct account *a = account_find(m, &c->tag);

	if (a == NULL || memcmp(&a->known, &c->pair, sizeof c->pair) != 0)
		return NULL;
	return a;
}

/* Is the answer to be had without asking? */
static bool
remembered(struct auth_memory *m, const struct pair_digest *pair,
    const struct account_tag *tag, enum auth_memory_answer *answer)
{
	struct account *a = account_find(m, tag);
	struct bad *b = bad_find(m, pair);
	int64_t now = clock_ms();

	if (b != NULL && b->until_ms > now) {
		table_touch(m->bad, &b->link);
		m->stats.hits_bad++;
		*answer = AUTH_MEMORY_BAD;
		return true;
	}
	if (a != NULL && a->good_until_ms > now &&
	    memcmp(&a->known, pair, sizeof *pair) == 0) {
		table_touch(m->accounts, &a->link);
		m->stats.hits_good++;
		*answer = AUTH_MEMORY_GOOD;
		return true;
	}
	return false;
}

static struct auth_claim *
question_new(struct auth_memory *m, const struct pair_digest *pair,
    const struct account_tag *tag)
{
	struct auth_claim *c = calloc(1, sizeof *c);

	if (c == NULL || pthread_cond_init(&c->changed, &m->clock) != 0) {
		free(c);
		return NULL;
	}
	c->m = m;
	c->pair = *pair;
	c->tag = *tag;
	c->refs = 1;
	c->asked = true;
	c->known = account_of(m, c) != NULL;
	/* One that could not be listed is asked without company. */
	c->listed = table_add(m->questions, &c->link, &c->pair, sizeof c->pair);
	return c;
}

/* The caller holds the lock. */
static void
question_unref(struct auth_claim *c)
{
	if (--c->refs > 0)
		return;
	if (c->listed)
		table_remove(c->m->questions, &c->link);
	(void)pthread_cond_destroy(&c->changed);
	free(c);
}

static struct timespec
timespec_of(struct deadline d)
{
	return (struct timespec){
		.tv_sec = (time_t)(d.at_ms / 1000),
		.tv_nsec = (long)(d.at_ms % 1000 * 1000000),
	};
}

/* Wait for the end of a question, or take it over.  The caller's reference
 * is given up unless it is his to ask. */
static enum auth_memory_answer
question_join(struct auth_claim *c, struct deadline d)
{
	enum auth_memory_answer answer = AUTH_MEMORY_LATE;
	struct timespec until = timespec_of(d);
	struct auth_memory *m = c->m;
	int status = 0;

	while (
	    !c->ended && c->asked && !deadline_passed(d) && status != ETIMEDOUT)
		status = pthread_cond_timedwait(&c->changed, &m->lock, &until);
	if (c->ended) {
		m->stats.joined++;
		answer = c->answer;
	} else if (!c->asked && !deadline_passed(d)) {
		c->asked = true;
		c->known = account_of(m, c) != NULL;
		return AUTH_MEMORY_ASK;
	} else if (!c->asked) {
		/* It was handed to us too late: the next one, then. */
		(void)pthread_cond_signal(&c->changed);
	}
	question_unref(c);
	return answer;
}

enum auth_memory_answer
auth_memory_begin(struct auth_memory *m, const struct auth_pair *p,
    struct deadline d, struct auth_claim **claim)
{
	enum auth_memory_answer answer = AUTH_MEMORY_ASK;
	struct auth_claim *c;
	struct account_tag tag;
	struct pair_digest pair;

	*claim = NULL;
	if (!pair_hash(m->hash, p, &pair))
		return AUTH_MEMORY_ASK;
	account_tag_set(&tag, &m->key, p->route, p->account);
	(void)pthread_mutex_lock(&m->lock);
	if (remembered(m, &pair, &tag, &answer))
		goto done;
	c = (struct auth_claim *)table_find(m->questions, &pair, sizeof pair);
	if (c == NULL) {
		*claim = question_new(m, &pair, &tag);
		goto done;
	}
	c->refs++;
	answer = question_join(c, d);
	if (answer == AUTH_MEMORY_ASK)
		*claim = c;
done:
	(void)pthread_mutex_unlock(&m->lock);
	return answer;
}

bool
auth_claim_known(const struct auth_claim *c)
{
	return c != NULL && c->known;
}

static int64_t
end_of(int64_t life_ms)
{
	int64_t now = clock_ms();

	return life_ms > INT64_MAX - now ? INT64_MAX : now + life_ms;
}

static void
keep_good(struct auth_memory *m, const struct auth_claim *c, int64_t life_ms)
{
	struct account *a = account_find(m, &c->tag);
	struct bad *b = bad_find(m, &c->pair);

	if (b != NULL)
		table_remove(m->bad, &b->link);
	if (a != NULL) {
		table_touch(m->accounts, &a->link);
	} else {
		a = calloc(1, sizeof *a);
		if (a == NULL)
			return;
		a->tag = c->tag;
		if (!table_add(m->accounts, &a->link, &a->tag.account,
			sizeof a->tag.account)) {
			free(a);
			return;
		}
	}
	a->known = c->pair;
	a->good_until_ms = life_ms > 0 ? end_of(life_ms) : 0;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the table has it */
}

static void
keep_bad(struct auth_memory *m, const struct auth_claim *c, int64_t life_ms)
{
	struct account *a = account_of(m, c);
	struct bad *b = bad_find(m, &c->pair);

	if (a != NULL)
		table_remove(m->accounts, &a->link);
	if (b != NULL)
		table_remove(m->bad, &b->link);
	if (life_ms <= 0)
		return;
	b = calloc(1, sizeof *b);
	if (b == NULL)
		return;
	b->pair = c->pair;
	b->name = c->tag.name;
	b->until_ms = end_of(life_ms);
	if (!table_add(m->bad, &b->link, &b->pair, sizeof b->pair))
		free(b);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the table has it */
}

static void
keep(struct auth_memory *m, const struct auth_claim *c, enum auth_end end,
    int64_t life_ms)
{
	switch (end) {
	case AUTH_END_GOOD:
		keep_good(m, c, life_ms);
		break;
	case AUTH_END_BAD:
		keep_bad(m, c, life_ms);
		break;
	case AUTH_END_POLICY:
		/* Some say so of a wrong password, too: whatever it was, it
		 * has counted behind, and must not pass the shield again. */
		keep_bad(m, c, 0);
		break;
	case AUTH_END_UNSURE:
		break;
	}
}

void
auth_claim_end(struct auth_claim *c, enum auth_end end, int64_t life_ms)
{
	struct auth_memory *m;

	if (c == NULL)
		return;
	m = c->m;
	(void)pthread_mutex_lock(&m->lock);
	if (!c->dropped)
		keep(m, c, end, life_ms);
	c->asked = false;
	if (end == AUTH_END_UNSURE) {
		(void)pthread_cond_signal(&c->changed);
	} else {
		c->ended = true;
		c->answer =
		    end == AUTH_END_GOOD ? AUTH_MEMORY_GOOD : AUTH_MEMORY_BAD;
		if (c->listed)
			table_remove(m->questions, &c->link);
		(void)pthread_cond_broadcast(&c->changed);
	}
	question_unref(c);
	(void)pthread_mutex_unlock(&m->lock);
}

/*
 * Every entry of a table that select() takes.  Returns how many there are;
 * with remove set they are removed, too.
 */
typedef bool select_fn(const struct table_entry *e, const void *arg);

static size_t
sift(struct table *t, select_fn *select, const void *arg, bool remove)
{
	struct table_entry *e, *next;
	size_t n = 0;

	for (e = table_oldest(t); e != NULL; e = next) {
		next = table_newer(e);
		if (!select(e, arg))
			continue;
		n++;
		if (remove)
			table_remove(t, e);
	}
	return n;
}

/* arg: the tag of a name, or NULL for all. */
static bool
bad_named(const struct table_entry *e, const void *arg)
{
	const uint64_t *name = arg;

	return name == NULL || ((const struct bad *)e)->name == *name;
}

static bool
account_named(const struct table_entry *e, const void *arg)
{
	const uint64_t *name = arg;

	return name == NULL || ((const struct account *)e)->tag.name == *name;
}

/* What is being asked was asked before the drop: its answer is not kept, and
 * whoever comes now asks anew. */
static void
drop_questions(struct auth_memory *m, const uint64_t *name)
{
	struct table_entry *e, *next;

	for (e = table_oldest(m->questions); e != NULL; e = next) {
		struct auth_claim *c = (struct auth_claim *)e;

		next = table_newer(e);
		if (name != NULL && c->tag.name != *name)
			continue;
		c->dropped = true;
		table_remove(m->questions, e);
	}
}

size_t
auth_memory_drop(struct auth_memory *m, const char *account)
{
	const uint64_t *name = NULL;
	struct account_tag tag;
	size_t n;

	if (account != NULL) {
		account_tag_set(&tag, &m->key, NULL, account);
		name = &tag.name;
	}
	(void)pthread_mutex_lock(&m->lock);
	drop_questions(m, name);
	n = sift(m->bad, bad_named, name, true) +
	    sift(m->accounts, account_named, name, true);
	(void)pthread_mutex_unlock(&m->lock);
	return n;
}

/* arg: the time. */
static bool
bad_fresh(const struct table_entry *e, const void *arg)
{
	return ((const struct bad *)e)->until_ms > *(const int64_t *)arg;
}

static bool
good_fresh(const struct table_entry *e, const void *arg)
{
	return ((const struct account *)e)->good_until_ms >
	    *(const int64_t *)arg;
}

void
auth_memory_stats(struct auth_memory *m, struct auth_memory_stats *out)
{
	int64_t now = clock_ms();

	(void)pthread_mutex_lock(&m->lock);
	*out = m->stats;
	out->bad = sift(m->bad, bad_fresh, &now, false);
	out->good = sift(m->accounts, good_fresh, &now, false);
	out->known = table_count(m->accounts);
	(void)pthread_mutex_unlock(&m->lock);
}
