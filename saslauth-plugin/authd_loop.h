/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * authd_loop - the thread of authd_serve.h, and what workers do for it
 *
 * For authd_serve.c, authd_accept.c, authd_loop.c, conn_rest.c, conn_work.c
 * and conn_quick.c alone.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_AUTHD_LOOP_H
#define POSTERN_SASLAUTH_PLUGIN_AUTHD_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/wire.h"
#include "saslauth-plugin/authd_listen.h"
#include "saslauth-plugin/conn.h"
#include "saslauth-plugin/timers.h"
#include "saslauth-plugin/workers.h"

struct auth;
struct outbound;
struct peers;

/* A whole request; a login in all, which is half a second less than the
 * plug-in waits. */
#define REQUEST_MS 10000
#define LOGIN_MS   24500

/* What has come, before it is known whose size it has.  The loop's alone. */
struct scratch {
	unsigned char octets[WIRE_MAX + 1];
};

struct listener {
	enum watched watched;
	int fd;
	bool called; /* somebody has connected */
	int burst;   /* how many are accepted in a row */
	const struct serve_protocol *protocol;
};

struct wake {
	enum watched watched;
	int fd;
};

enum server_end {
	SERVER_SERVES,
	SERVER_STOPS,   /* nobody new; dialogues go on */
	SERVER_HURRIES, /* nobody who waits for the client */
	SERVER_ENDS,    /* the thread returns */
};

struct server {
	struct auth *auth;
	struct outbound *outbound;
	struct workers *workers; /* for logins */
	struct workers *lookers; /* for look-ups */
	pthread_t thread;
	bool started;
	size_t max_conns;
	size_t max_kind; /* of those for look-ups, and of the others */

	/* The loop's own. */
	int epoll;
	struct listener listeners[AUTHD_SOCKETS_MAX];
	size_t n_listeners;
	struct wake wake;
	struct timers timers; /* of the connections it owns */
	struct timers asking_timers;
	STAILQ_HEAD(, work) ready;  /* connections in CONN_READY */
	TAILQ_HEAD(, conn) resting; /* those of logins that rest */
	int64_t accept_at_ms;       /* when to accept again; 0: now */
	enum server_end ending;     /* what it knows of `end' */

	pthread_mutex_t lock; /* guards the next seven */
	pthread_cond_t none_left;
	STAILQ_HEAD(, work) back; /* connections that workers give back */
	size_t n_conns;
	size_t n_lookups; /* of them */
	enum server_end end;
	bool closed; /* the listeners */
	struct peers *peers;

	pthread_condattr_t cond_attr;
	atomic_size_t n_held;
	atomic_size_t n_quick; /* of CONN_ASKS */
	atomic_size_t n_rest;
	atomic_ulong n_quickly;
	atomic_ulong n_accepted, n_refused, n_requests, n_bad, n_late,
	    n_turned_away, n_held_back;
};

/* loop_main(s): the thread. */
void *loop_main(void *server);

/* accept_called(s, scratch): those who have connected; others that rest may
 * have to go for them.  listeners_watch(s, events): whether to be told of
 * others.  loop_close(s): close the listeners that are open. */
void accept_called(struct server *s, struct scratch *scratch);
void listeners_watch(struct server *s, uint32_t events);
void loop_close(struct server *s);

/* conn_allowed(s, c): may its user be answered, as of now?  If not, c is
 * gone. */
bool conn_allowed(struct server *s, struct conn *c);

/*
 * conn_rest(c): nothing is under way, and the next request may take its time.
 * conn_rouse(c): no more; nothing is done if that is known.
 *
 * conn_make_room(s): close the connection of logins that has rested longest.
 * False when there is none.
 */
void conn_rest(struct conn *c);
void conn_rouse(struct conn *c);
bool conn_make_room(struct server *s);

/* conn_read(s, c, scratch): take what has come, do what is to be done. */
void conn_read(struct server *s, struct conn *c, struct scratch *scratch);

/* conn_work(work): what a worker does with a connection. */
void conn_work(struct work *work);

/* conn_of(work): the connection it is a part of. */
struct conn *conn_of(struct work *work);

/* conn_drop(c): it is over: free it, and count.  Whoever owns it.
 * conn_gone(s, lookups): count one that is gone. */
void conn_drop(struct conn *c);
void conn_gone(struct server *s, bool lookups);

/* conn_call(c, call): what a protocol needs to know of it.  conn_replied(c,
 * call): take what it has said. */
void conn_call(struct conn *c, struct serve_call *call);
void conn_replied(struct conn *c, const struct serve_call *call);

/* conn_hold(c): is the reply to be held back?  Counted, then. */
bool conn_hold(struct conn *c);

/* A login that the upstream is asked about without a worker. */
struct asking {
	enum watched watched;
	struct server *server;
	struct auth_quick *quick;
	struct conn *conn;
	struct timer timer;
};

/* As many as workers. */
#define ASKINGS_MAX 1500

struct asking *asking_of_timer(const struct timer *t);

/* asking_event(a): its upstream has something to say.  asking_late(a): its
 * time has come.  Both return the connection whose reply is there now, and a
 * is gone; or NULL. */
struct conn *asking_event(struct asking *a);
struct conn *asking_late(struct asking *a);

/* conn_quick_begin(c): try to answer the request so. */
enum conn_quick {
	CONN_QUICK_SLOW,     /* it takes a worker; nothing has been done */
	CONN_QUICK_WAITS,    /* for asking_event() or asking_late() */
	CONN_QUICK_ANSWERED, /* the reply is there */
};
enum conn_quick conn_quick_begin(struct conn *c);

/* conn_complain(c, why): it sends what is no request. */
void conn_complain(struct conn *c, const char *why);

/* server_wake(s): make the loop look around. */
void server_wake(struct server *s);

#endif /* POSTERN_SASLAUTH_PLUGIN_AUTHD_LOOP_H */
