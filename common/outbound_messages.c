/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/outbound_messages.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/outbound_markers.h"
#include "common/table.h"

/* Entries are counted here, none is to be pushed out. */
#define TABLE_MAX ((size_t)1 << 30)

/* How often what is over is looked for. */
#define SWEEP_MS 30000

struct entry {
	struct table_entry link;
	int64_t born_ms; /* on clock_ms(); before 0 when it is from long ago */
	bool lost;
	struct outbound_held held;
	char id[OUTBOUND_QUEUE_MAX + 1];
};

struct outbound_messages {
	/* Taken in this order.  Who changes something has both; the first one
	 * alone guards the directory. */
	pthread_mutex_t disk;
	pthread_mutex_t lock;
	struct table *table; /* by id, the oldest first */
	size_t lost;
	struct outbound_markers markers;
	_Atomic int64_t life_ms;
	atomic_size_t max;
	pthread_t sweeper;
	pthread_cond_t wake; /* with lock */
	bool stop, running;
};

/* -- entries ---------------------------------------------------------- */

void
outbound_held_release(struct outbound_held *h)
{
	secret_release(&h->pass);
	free(h->user);
	free(h->key);
	free(h->binding);
	memset(h, 0, sizeof(*h));
}

static bool
copy_text(char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from == NULL || *to != NULL;
}

/* *to is to be released in any case. */
static bool
copy_held(struct outbound_held *to, const struct outbound_message *from)
{
	const char *pass = "";
	size_t len = 0;

	memset(to, 0, sizeof(*to));
	to->type = from->type;
	if (from->pass != NULL)
		pass = secret_bytes(from->pass, &len);
	return copy_text(&to->user, from->user) &&
	    copy_text(&to->key, from->key) &&
	    copy_text(&to->binding, from->binding) &&
	    (from->pass == NULL || secret_set(&to->pass, pass, len));
}

static void
entry_free(struct entry *e)
{
	outbound_held_release(&e->held);
	free(e);
}

static void
entry_drop(void *arg, struct table_entry *node)
{
	struct outbound_messages *m = arg;
	struct entry *e = (struct entry *)node;

	if (e->lost)
		m->lost--;
	entry_free(e);
}

static struct entry *
entry_new(const char *id, int64_t age_ms)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	memcpy(e->id, id, strlen(id));
	e->born_ms = clock_ms() - age_ms;
	return e;
}

static struct entry *
find(const struct outbound_messages *m, const char *id)
{
	return (struct entry *)table_find(m->table, id, strlen(id));
}

static bool
is_over(const struct outbound_messages *m, const struct entry *e)
{
	return clock_ms() - e->born_ms >= atomic_load(&m->life_ms);
}

/* -- what is over ------------------------------------------------------- */

/* With m->disk held. */
static void
sweep(struct outbound_messages *m)
{
	char id[OUTBOUND_QUEUE_MAX + 1];
	struct entry *e;

	for (;;) {
		(void)pthread_mutex_lock(&m->lock);
		e = (struct entry *)table_oldest(m->table);
		if (e == NULL || !is_over(m, e)) {
			(void)pthread_mutex_unlock(&m->lock);
			return;
		}
		memcpy(id, e->id, sizeof(id));
		table_remove(m->table, &e->link);
		(void)pthread_mutex_unlock(&m->lock);
		outbound_markers_remove(&m->markers, id);
	}
}

static int64_t
sweep_interval(const struct outbound_messages *m)
{
	int64_t life = atomic_load(&m->life_ms) / 4 + 1;

	return life < SWEEP_MS ? life : SWEEP_MS;
}

static void *
sweeper_main(void *arg)
{
	struct outbound_messages *m = arg;
	struct timespec until;
	int64_t ms;

	(void)pthread_mutex_lock(&m->lock);
	while (!m->stop) {
		ms = sweep_interval(m);
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += ms / 1000;
		until.tv_nsec += (ms % 1000) * 1000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		(void)pthread_cond_timedwait(&m->wake, &m->lock, &until);
		if (m->stop)
			break;
		(void)pthread_mutex_unlock(&m->lock);
		(void)pthread_mutex_lock(&m->disk);
		sweep(m);
		(void)pthread_mutex_unlock(&m->disk);
		(void)pthread_mutex_lock(&m->lock);
	}
	(void)pthread_mutex_unlock(&m->lock);
	return NULL;
}

/* -- from the disk ------------------------------------------------------ */

struct names {
	struct entry **v;
	size_t n, room;
};

static bool
note_name(void *arg, const char *id, int64_t age_ms)
{
	struct names *names = arg;
	struct entry **v;

	if (names->n == names->room) {
		names->room = names->room == 0 ? 64 : names->room * 2;
		v = reallocarray(names->v, names->room, sizeof(*v));
		if (v == NULL)
			return false;
		names->v = v;
	}
	names->v[names->n] = entry_new(id, age_ms);
	if (names->v[names->n] == NULL)
		return false;
	names->n++;
	return true;
}

static int
older_first(const void *va, const void *vb)
{
	const struct entry *a = *(struct entry *const *)va;
	const struct entry *b = *(struct entry *const *)vb;

	return a->born_ms < b->born_ms ? -1 : a->born_ms > b->born_ms;
}

/* All that there is, to begin with, are names. */
static bool
load(struct outbound_messages *m, char *why, size_t len)
{
	struct names names = { NULL, 0, 0 };
	bool ok =
	    outbound_markers_each(&m->markers, note_name, &names, why, len);
	size_t i;

	if (ok && names.n > 0)
		qsort(names.v, names.n, sizeof(struct entry *), older_first);
	for (i = 0; i < names.n; i++) {
		struct entry *e = names.v[i];

		if (ok && table_add(m->table, &e->link, e->id, strlen(e->id))) {
			e->lost = true;
			m->lost++;
			continue;
		}
		if (ok)
			(void)snprintf(why, len, "out of memory");
		ok = false;
		entry_free(e);
	}
	free(names.v);
	return ok;
}

/* -- life --------------------------------------------------------------- */

static bool
start(struct outbound_messages *m)
{
	pthread_condattr_t attr;
	bool ok;

	if (pthread_condattr_init(&attr) != 0)
		return false;
	ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	    pthread_cond_init(&m->wake, &attr) == 0;
	(void)pthread_condattr_destroy(&attr);
	if (!ok)
		return false;
	m->running = pthread_create(&m->sweeper, NULL, sweeper_main, m) == 0;
	if (!m->running)
		(void)pthread_cond_destroy(&m->wake);
	return m->running;
}

static struct outbound_messages *
allocate(const struct conf *conf)
{
	struct outbound_messages *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->markers.fd = -1;
	(void)pthread_mutex_init(&m->disk, NULL);
	(void)pthread_mutex_init(&m->lock, NULL);
	outbound_messages_limits(m, conf);
	m->table = table_new(TABLE_MAX, entry_drop, m);
	if (m->table == NULL) {
		outbound_messages_close(m);
		return NULL;
	}
	return m;
}

bool
outbound_messages_open(const struct conf *conf, struct outbound_messages **out,
    char *why, size_t len)
{
	const char *state = conf->authd.state_directory;
	bool create = conf->credential.message_credentials;
	struct outbound_messages *m;
	size_t lost;
	bool ok;

	*out = NULL;
	if (state == NULL || state[0] == '\0') {
		(void)snprintf(why, len,
		    "message_credentials: authd has no state_directory");
		return !create;
	}
	(void)snprintf(why, len, "out of memory");
	m = allocate(conf);
	if (m == NULL)
		return false;
	ok = outbound_markers_open(&m->markers, state, create, why, len);
	if (!ok || m->markers.fd < 0) {
		outbound_messages_close(m);
		return ok;
	}
	if (!load(m, why, len)) {
		outbound_messages_close(m);
		return false;
	}
	sweep(m);
	lost = m->lost;
	if (!start(m)) {
		(void)snprintf(why, len, "no thread for message_life");
		outbound_messages_close(m);
		return false;
	}
	if (lost > 0)
		log_warning("outbound: credentials of %zu messages were lost: "
			    "these wait until message_life is over",
		    lost);
	*out = m;
	return true;
}

void
outbound_messages_close(struct outbound_messages *m)
{
	if (m == NULL)
		return;
	if (m->running) {
		(void)pthread_mutex_lock(&m->lock);
		m->stop = true;
		(void)pthread_cond_signal(&m->wake);
		(void)pthread_mutex_unlock(&m->lock);
		(void)pthread_join(m->sweeper, NULL);
		(void)pthread_cond_destroy(&m->wake);
	}
	table_free(m->table);
	outbound_markers_close(&m->markers);
	(void)pthread_mutex_destroy(&m->lock);
	(void)pthread_mutex_destroy(&m->disk);
	free(m);
}

void
outbound_messages_limits(struct outbound_messages *m, const struct conf *conf)
{
	atomic_store(&m->life_ms, conf->credential.message_life);
	atomic_store(&m->max, (size_t)conf->credential.message_max);
}

/* -- use ---------------------------------------------------------------- */

static size_t
count(struct outbound_messages *m)
{
	size_t n;

	(void)pthread_mutex_lock(&m->lock);
	n = table_count(m->table);
	(void)pthread_mutex_unlock(&m->lock);
	return n;
}

static bool
is_known(struct outbound_messages *m, const char *id)
{
	bool known;

	(void)pthread_mutex_lock(&m->lock);
	known = find(m, id) != NULL;
	(void)pthread_mutex_unlock(&m->lock);
	return known;
}

/* In the place of what there was of it. */
static bool
insert(struct outbound_messages *m, struct entry *e)
{
	struct entry *old;
	bool ok;

	(void)pthread_mutex_lock(&m->lock);
	old = find(m, e->id);
	if (old != NULL)
		table_remove(m->table, &old->link);
	ok = table_add(m->table, &e->link, e->id, strlen(e->id));
	(void)pthread_mutex_unlock(&m->lock);
	return ok;
}

/* With m->disk held.  The name is on the disk before the message is taken:
 * whatever ends this process, it is known to have had something. */
static bool
put(struct outbound_messages *m, struct entry *e, char *why, size_t len)
{
	sweep(m);
	if (count(m) >= atomic_load(&m->max) && !is_known(m, e->id)) {
		(void)snprintf(why, len,
		    "message_max: %zu messages have credentials already",
		    count(m));
		return false;
	}
	if (!outbound_markers_put(&m->markers, e->id, why, len))
		return false;
	(void)snprintf(why, len, "out of memory");
	return insert(m, e);
}

bool
outbound_messages_put(struct outbound_messages *m,
    const struct outbound_message *msg, char *why, size_t len)
{
	struct entry *e;
	bool ok;

	(void)snprintf(why, len, "not a queue id");
	if (!outbound_id_ok(msg->queue_id))
		return false;
	(void)snprintf(why, len, "out of memory");
	e = entry_new(msg->queue_id, 0);
	if (e == NULL)
		return false;
	if (!copy_held(&e->held, msg)) {
		entry_free(e);
		return false;
	}
	(void)pthread_mutex_lock(&m->disk);
	ok = put(m, e, why, len);
	(void)pthread_mutex_unlock(&m->disk);
	if (!ok)
		entry_free(e);
	return ok;
}

enum outbound_found
outbound_messages_find(
    struct outbound_messages *m, const char *id, struct outbound_held *out)
{
	enum outbound_found found = OUTBOUND_UNKNOWN;
	struct outbound_message as;
	struct entry *e;

	memset(out, 0, sizeof(*out));
	if (!outbound_id_ok(id))
		return OUTBOUND_UNKNOWN;
	(void)pthread_mutex_lock(&m->lock);
	e = find(m, id);
	if (e != NULL && !is_over(m, e)) {
		as.queue_id = id;
		as.user = e->held.user;
		as.pass = e->held.user != NULL ? &e->held.pass : NULL;
		as.type = e->held.type;
		as.key = e->held.key;
		as.binding = e->held.binding;
		/* Without memory it is as good as lost. */
		found = !e->lost && copy_held(out, &as) ? OUTBOUND_HELD
							: OUTBOUND_LOST;
	}
	(void)pthread_mutex_unlock(&m->lock);
	if (found == OUTBOUND_LOST)
		outbound_held_release(out);
	return found;
}

void
outbound_messages_stats(
    struct outbound_messages *m, struct outbound_messages_stats *out)
{
	(void)pthread_mutex_lock(&m->lock);
	out->lost = m->lost;
	out->held = table_count(m->table) - m->lost;
	(void)pthread_mutex_unlock(&m->lock);
}
