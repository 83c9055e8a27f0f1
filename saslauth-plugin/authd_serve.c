/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a server: its beginning, its figures, its end. */
#include "saslauth-plugin/authd_serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/errtext.h"
#include "common/strbuf.h"
#include "saslauth-plugin/authd_loop.h"
#include "saslauth-plugin/peers.h"

/* Logins at once, and those that wait for one of them to end.  A thread needs
 * as little stack as was measured, twice, and the guards of TLS and SQLite. */
#define THREADS_MAX 1500
#define QUEUE_MAX   1500
#define STACK       (256 * 1024)
#define IDLE_MS     10000

/* The same of look-ups, which data sources keep waiting. */
#define LOOKERS_MAX 256
#define LOOKS_MAX   1024

/* Three descriptors in four are for connections, the others for upstreams,
 * data sources, the log. */
static size_t
conns_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur > 65536)
		return 49152;
	return (size_t)files.rlim_cur / 4 * 3;
}

static bool
watch(struct server *s, int fd, uint32_t events, void *what)
{
	struct epoll_event e = { .events = events, .data.ptr = what };

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

static const struct serve_protocol *
protocol_of(enum authd_protocol p)
{
	switch (p) {
	case AUTHD_SASLAUTHD:
		return &saslauthd_protocol;
	case AUTHD_SOCKETMAP:
		return &socketmap_protocol;
	case AUTHD_WIRE:
	default:
		return &wire_protocol;
	}
}

static bool
start(struct server *s)
{
	struct workers_params wp = {
		.max_threads = THREADS_MAX,
		.max_queue = QUEUE_MAX,
		.stack = STACK,
		.idle_ms = IDLE_MS,
		.fn = conn_work,
	};

	if (!timers_reserve(&s->asking_timers, ASKINGS_MAX) ||
	    (s->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0 ||
	    (s->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0 ||
	    !watch(s, s->wake.fd, EPOLLIN, &s->wake))
		return false;
	for (size_t i = 0; i < s->n_listeners; i++)
		if (!watch(s, s->listeners[i].fd, EPOLLIN, &s->listeners[i]))
			return false;
	if ((s->workers = workers_new(&wp)) == NULL)
		return false;
	wp.max_threads = LOOKERS_MAX;
	wp.max_queue = LOOKS_MAX;
	if ((s->lookers = workers_new(&wp)) == NULL)
		return false;
	if (pthread_create(&s->thread, NULL, loop_main, s) != 0)
		return false;
	s->started = true;
	return true;
}

static void
add_listeners(struct server *s, const struct authd_sockets *sockets)
{
	size_t n_lookups = 0;

	s->n_listeners = sockets->n;
	for (size_t i = 0; i < sockets->n; i++) {
		struct listener *l = &s->listeners[i];

		l->watched = WATCHED_LISTENER;
		l->fd = sockets->v[i].fd;
		l->burst = 1;
		l->protocol = protocol_of(sockets->v[i].protocol);
		n_lookups += l->protocol->lookups;
	}
	s->max_conns = s->max_kind = conns_limit();
	if (n_lookups > 0 && n_lookups < sockets->n)
		s->max_kind = s->max_conns / 4 * 3;
}

struct server *
server_new(struct auth *auth, struct outbound *outbound,
    const struct authd_sockets *sockets, struct peers *peers, char *why,
    size_t len)
{
	struct server *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		for (size_t i = 0; i < sockets->n; i++)
			close(sockets->v[i].fd);
		snprintf(why, len, "out of memory");
		return NULL;
	}
	s->auth = auth;
	s->outbound = outbound;
	s->epoll = s->wake.fd = -1;
	s->wake.watched = WATCHED_WAKE;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&s->cond_attr);
	pthread_condattr_setclock(&s->cond_attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->none_left, &s->cond_attr);
	STAILQ_INIT(&s->back);
	STAILQ_INIT(&s->ready);
	TAILQ_INIT(&s->resting);
	timers_init(&s->timers);
	timers_init(&s->asking_timers);
	add_listeners(s, sockets);
	s->peers = peers;
	if (start(s))
		return s;
	snprintf(why, len, "cannot serve: %s", ERRNO);
	s->peers = NULL;
	server_free(s);
	return NULL;
}

void
server_peers(struct server *s, struct peers *peers)
{
	struct peers *old;

	pthread_mutex_lock(&s->lock);
	old = s->peers;
	s->peers = peers;
	pthread_mutex_unlock(&s->lock);
	peers_free(old);
}

/* Whether all connections are gone. */
static bool
end(struct server *s, enum server_end how, int64_t wait_ms)
{
	int64_t until = clock_ms() + wait_ms;
	struct timespec at = { .tv_sec = until / 1000,
		.tv_nsec = (long)(until % 1000) * 1000000L };
	bool none;
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	s->end = how;
	server_wake(s);
	while ((s->n_conns > 0 || !s->closed) && rc == 0)
		rc = pthread_cond_timedwait(&s->none_left, &s->lock, &at);
	none = s->n_conns == 0 && s->closed;
	pthread_mutex_unlock(&s->lock);
	return none;
}

bool
server_stop(struct server *s, int64_t wait_ms)
{
	return end(s, SERVER_STOPS, wait_ms);
}

bool
server_hurry(struct server *s, int64_t wait_ms)
{
	return end(s, SERVER_HURRIES, wait_ms);
}

void
server_free(struct server *s)
{
	if (s == NULL)
		return;
	if (s->started) {
		pthread_mutex_lock(&s->lock);
		s->end = SERVER_ENDS;
		server_wake(s);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->thread, NULL);
	}
	workers_free(s->workers);
	workers_free(s->lookers);
	loop_close(s);
	if (s->wake.fd >= 0)
		close(s->wake.fd);
	if (s->epoll >= 0)
		close(s->epoll);
	timers_release(&s->timers);
	timers_release(&s->asking_timers);
	peers_free(s->peers);
	pthread_cond_destroy(&s->none_left);
	pthread_condattr_destroy(&s->cond_attr);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void
server_status(struct server *s, struct strbuf *sb)
{
	size_t threads, queued, conns, t, q;

	pthread_mutex_lock(&s->lock);
	conns = s->n_conns;
	pthread_mutex_unlock(&s->lock);
	workers_count(s->workers, &threads, &queued);
	workers_count(s->lookers, &t, &q);
	threads += t;
	queued += q;
	strbuf_addf(sb,
	    "connections=%zu resting=%zu threads=%zu waiting=%zu quick=%zu "
	    "answers_held=%zu\n",
	    conns, (size_t)s->n_rest, threads, queued, (size_t)s->n_quick,
	    (size_t)s->n_held);
}

void
server_stats(struct server *s, struct strbuf *sb)
{
	strbuf_addf(sb,
	    "connections_accepted=%lu\nconnections_refused=%lu\n"
	    "requests=%lu\nrequests_quick=%lu\nrequests_bad=%lu\n"
	    "requests_late=%lu\n"
	    "requests_turned_away=%lu\nanswers_held_back=%lu\n",
	    (unsigned long)s->n_accepted, (unsigned long)s->n_refused,
	    (unsigned long)s->n_requests, (unsigned long)s->n_quickly,
	    (unsigned long)s->n_bad, (unsigned long)s->n_late,
	    (unsigned long)s->n_turned_away, (unsigned long)s->n_held_back);
}
