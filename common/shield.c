/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/shield.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "common/account_tag.h"
#include "common/cidr.h"
#include "common/table.h"
#include "common/tally.h"

/* The failing answers after which a client's delay grows no more. */
#define DELAY_FAILURES 7

/* The addresses that logged in to an account, the last ones of them. */
struct lately {
	struct table_entry link;
	struct account_tag tag; /* tag.account is the key */
	uint64_t client[SHIELD_ADDRESSES];
	int64_t at_ms[SHIELD_ADDRESSES];
	size_t count;
};

struct shield {
	struct siphash_key key;
	pthread_mutex_t lock;   /* of everything below */
	struct tally *accounts; /* failures; held: attempts under way */
	struct tally *clients;  /* failures */
	struct table *lately;   /* struct lately */
	unsigned long held_accounts, held_clients;
	pthread_cond_t left; /* an attempt has ended */
	unsigned int waiting;
	bool stopped;
};

static void
lately_free(void *arg, struct table_entry *e)
{
	(void)arg;
	free(e);
}

static bool
init_locks(struct shield *s)
{
	pthread_condattr_t attr;
	bool ok;

	if (pthread_condattr_init(&attr) != 0)
		return false;
	ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	    pthread_cond_init(&s->left, &attr) == 0;
	(void)pthread_condattr_destroy(&attr);
	if (ok && pthread_mutex_init(&s->lock, NULL) != 0) {
		(void)pthread_cond_destroy(&s->left);
		ok = false;
	}
	return ok;
}

struct shield *
shield_new(size_t max_accounts, size_t max_clients)
{
	struct shield *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	if (!init_locks(s)) {
		free(s);
		return NULL;
	}
	s->accounts = tally_new(max_accounts);
	s->clients = tally_new(max_clients);
	s->lately = table_new(max_accounts, lately_free, NULL);
	if (s->accounts == NULL || s->clients == NULL || s->lately == NULL ||
	    getrandom(&s->key, sizeof s->key, 0) != (ssize_t)sizeof s->key) {
		shield_free(s);
		return NULL;
	}
	return s;
}

void
shield_free(struct shield *s)
{
	if (s == NULL)
		return;
	table_free(s->lately);
	tally_free(s->clients);
	tally_free(s->accounts);
	(void)pthread_mutex_destroy(&s->lock);
	(void)pthread_cond_destroy(&s->left);
	free(s);
}

/*
 * client_tag(s, client): a number for the client, 0 when there is none.
 *
 * Whoever has one IPv6 address has all of its /64.
 */
static uint64_t
client_tag(const struct shield *s, const char *client)
{
	size_t len = strcspn(client, ";%");
	char text[CIDR_TEXT_MAX];
	unsigned char octets[1 + 8] = { 0 };
	struct cidr c;
	uint64_t tag;

	if (strncasecmp(client, "IPv6:", 5) == 0) {
		client += 5;
		len -= 5;
	}
	if (len == 0 || len >= sizeof text || strchr(client, '/') != NULL)
		return 0;
	memcpy(text, client, len);
	text[len] = '\0';
	if (!cidr_parse(text, &c, NULL))
		return 0;
	octets[0] = c.family == AF_INET ? 4 : 6;
	memcpy(octets + 1, c.addr, c.family == AF_INET ? 4 : 8);
	tag = siphash(&s->key, octets, sizeof octets);
	return tag != 0 ? tag : 1;
}

static struct lately *
lately_find(const struct shield *s, const struct account_tag *tag)
{
	return (struct lately *)table_find(
	    s->lately, &tag->account, sizeof tag->account);
}

/* Did the client, or with 0 anybody, log in to the account lately? */
static bool
logged_in(const struct lately *l, uint64_t client, int64_t now_ms)
{
	if (l == NULL)
		return false;
	for (size_t i = 0; i < l->count; i++) {
		if ((client == 0 || l->client[i] == client) &&
		    now_ms - l->at_ms[i] <= SHIELD_LATELY_MS)
			return true;
	}
	return false;
}

/* A new entry for the account, or NULL. */
static struct lately *
lately_add(struct shield *s, const struct account_tag *tag)
{
	struct lately *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->tag = *tag;
	if (!table_add(
		s->lately, &l->link, &l->tag.account, sizeof l->tag.account)) {
		free(l);
		return NULL;
	}
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the table has it */
	return l;
}

static void
lately_note(struct shield *s, const struct account_tag *tag, uint64_t client,
    int64_t now_ms)
{
	struct lately *l = lately_find(s, tag);
	size_t oldest = 0, i;

	if (l == NULL)
		l = lately_add(s, tag);
	if (l == NULL)
		return;
	table_touch(s->lately, &l->link);
	for (i = 0; i < l->count && l->client[i] != client; i++) {
		if (l->at_ms[i] < l->at_ms[oldest])
			oldest = i;
	}
	if (i == l->count && l->count < SHIELD_ADDRESSES)
		l->count++;
	else if (i == l->count)
		i = oldest;
	l->client[i] = client;
	l->at_ms[i] = now_ms;
}

static bool
client_full(const struct shield *s, uint64_t client,
    const struct shield_limits *l, int64_t now_ms)
{
	return client != 0 && l->client_failures > 0 &&
	    tally_recent(tally_find(s->clients, client), l->client_window_ms,
		now_ms) >= (size_t)l->client_failures;
}

/* How many refusals may there be of the account for one more to be asked
 * about; SIZE_MAX: no limit. */
static size_t
account_limit(bool kept_one, const struct shield_limits *l)
{
	if (l->failures <= 0)
		return SIZE_MAX;
	return (size_t)l->failures - (kept_one && l->failures >= 2);
}

/*
 * May it be asked about?  Under the lock.
 *
 *   busy  set when there would be room but for what is under way
 */
static enum shield_answer
enter(struct shield *s, const struct shield_visit *v,
    const struct shield_limits *l, int64_t now_ms, bool *busy)
{
	const struct tally_window window = { l->window_ms, l->failures };
	uint64_t client = client_tag(s, v->client);
	struct account_tag tag;
	struct tally_entry *e;
	struct lately *lately;
	size_t limit, failures;
	bool familiar;

	*busy = false;
	account_tag_set(&tag, &s->key, v->route, v->account);
	lately = lately_find(s, &tag);
	familiar = client != 0 && logged_in(lately, client, now_ms);
	if (!v->known && !familiar && client_full(s, client, l, now_ms))
		return SHIELD_CLIENT;
	e = tally_hold(s->accounts, tag.account, tag.name, &window, now_ms);
	if (e == NULL)
		return SHIELD_ACCOUNT;
	limit = account_limit(!familiar && logged_in(lately, 0, now_ms), l);
	failures = tally_recent(e, l->window_ms, now_ms);
	if (v->known || failures + tally_held(e) - 1 < limit)
		return SHIELD_PASS;
	tally_release(s->accounts, e);
	*busy = failures < limit;
	return SHIELD_ACCOUNT;
}

static void
count_held(struct shield *s, enum shield_answer answer)
{
	if (answer == SHIELD_ACCOUNT)
		s->held_accounts++;
	else if (answer == SHIELD_CLIENT)
		s->held_clients++;
}

enum shield_answer
shield_enter(struct shield *s, const struct shield_visit *v,
    const struct shield_limits *l, int64_t now_ms)
{
	enum shield_answer answer;
	bool busy;

	(void)pthread_mutex_lock(&s->lock);
	answer = enter(s, v, l, now_ms, &busy);
	count_held(s, answer);
	(void)pthread_mutex_unlock(&s->lock);
	return answer;
}

enum shield_answer
shield_try(struct shield *s, const struct shield_visit *v,
    const struct shield_limits *l, int64_t now_ms, bool *busy)
{
	enum shield_answer answer;

	(void)pthread_mutex_lock(&s->lock);
	answer = enter(s, v, l, now_ms, busy);
	*busy = *busy && !s->stopped;
	if (!*busy)
		count_held(s, answer);
	(void)pthread_mutex_unlock(&s->lock);
	return answer;
}

enum shield_answer
shield_wait(struct shield *s, const struct shield_visit *v,
    const struct shield_limits *l, struct deadline d)
{
	const struct timespec until = { d.at_ms / 1000,
		d.at_ms % 1000 * 1000000 };
	enum shield_answer answer;
	bool busy;
	int status = 0;

	(void)pthread_mutex_lock(&s->lock);
	for (;;) {
		answer = enter(s, v, l, clock_ms(), &busy);
		if (!busy || s->stopped || status != 0)
			break;
		s->waiting++;
		status = pthread_cond_timedwait(&s->left, &s->lock, &until);
		s->waiting--;
	}
	count_held(s, answer);
	(void)pthread_mutex_unlock(&s->lock);
	return answer;
}

void
shield_stop(struct shield *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->stopped = true;
	(void)pthread_cond_broadcast(&s->left);
	(void)pthread_mutex_unlock(&s->lock);
}

void
shield_leave(struct shield *s, const struct shield_visit *v,
    enum shield_end end, int64_t now_ms)
{
	uint64_t client = client_tag(s, v->client);
	struct account_tag tag;
	struct tally_entry *e;

	account_tag_set(&tag, &s->key, v->route, v->account);
	(void)pthread_mutex_lock(&s->lock);
	if (end == SHIELD_GOOD && client != 0)
		lately_note(s, &tag, client, now_ms);
	e = tally_find(s->accounts, tag.account);
	if (e != NULL && tally_held(e) > 0) {
		if (end == SHIELD_BAD || end == SHIELD_LOST)
			tally_add(e, now_ms);
		tally_release(s->accounts, e);
	}
	if (s->waiting > 0)
		(void)pthread_cond_broadcast(&s->left);
	(void)pthread_mutex_unlock(&s->lock);
}

static int64_t
delay_of(size_t failures)
{
	if (failures <= 2)
		return 0;
	if (failures >= DELAY_FAILURES)
		return SHIELD_DELAY_MAX_MS;
	return 1000LL << (failures - 3);
}

int64_t
shield_delay(struct shield *s, const char *client,
    const struct shield_limits *l, bool repeated, int64_t now_ms)
{
	struct tally_window window = { l->client_window_ms, DELAY_FAILURES };
	uint64_t tag = client_tag(s, client);
	struct tally_entry *e;
	int64_t delay;

	if (tag == 0 || l->client_failures <= 0)
		return 0;
	if (window.most < l->client_failures)
		window.most = l->client_failures;
	(void)pthread_mutex_lock(&s->lock);
	if (repeated) {
		e = tally_find(s->clients, tag);
		delay = delay_of(tally_recent(e, window.ms, now_ms));
		if (delay < 1000)
			delay = 1000;
	} else {
		e = tally_hold(s->clients, tag, 0, &window, now_ms);
		if (e != NULL)
			tally_add(e, now_ms);
		delay = delay_of(tally_recent(e, window.ms, now_ms));
		if (e != NULL)
			tally_release(s->clients, e);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return delay;
}

/* Forget the addresses of accounts of that name, NULL: of all.  Returns how
 * many accounts these are, but for those that have failures, too. */
static size_t
drop_lately(struct shield *s, const uint64_t *name)
{
	struct table_entry *e, *next;
	struct lately *l;
	size_t n = 0;

	for (e = table_oldest(s->lately); e != NULL; e = next) {
		next = table_newer(e);
		l = (struct lately *)e;
		if (name != NULL && l->tag.name != *name)
			continue;
		n += !tally_has_events(s->accounts, l->tag.account);
		table_remove(s->lately, e);
	}
	return n;
}

size_t
shield_drop(struct shield *s, const char *account)
{
	const uint64_t *name = NULL;
	struct account_tag tag;
	size_t n;

	if (account != NULL) {
		account_tag_set(&tag, &s->key, NULL, account);
		name = &tag.name;
	}
	(void)pthread_mutex_lock(&s->lock);
	n = drop_lately(s, name);
	n += tally_drop(s->accounts, name);
	if (name == NULL)
		(void)tally_drop(s->clients, NULL);
	(void)pthread_mutex_unlock(&s->lock);
	return n;
}

void
shield_stats(struct shield *s, struct shield_stats *out)
{
	(void)pthread_mutex_lock(&s->lock);
	out->accounts = tally_count(s->accounts);
	out->clients = tally_count(s->clients);
	out->held_accounts = s->held_accounts;
	out->held_clients = s->held_clients;
	(void)pthread_mutex_unlock(&s->lock);
}
