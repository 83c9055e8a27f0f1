/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conn - one connection to a socket of postern-authd
 *
 * Owned by one thread at a time: by the one of authd_serve.h while octets or
 * a point in time are waited for, by a worker while a request is answered.
 * Thousands may be idle, so it is small: what it holds is allocated when
 * octets come.  All of that may be secret and is wiped.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_CONN_H
#define POSTERN_SASLAUTH_PLUGIN_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "saslauth-plugin/serve.h"
#include "saslauth-plugin/timers.h"
#include "saslauth-plugin/workers.h"

struct server;

/* What epoll(7) tells of: each such thing begins with this. */
enum watched {
	WATCHED_LISTENER,
	WATCHED_WAKE,
	WATCHED_CONN,
	WATCHED_UPSTREAM,
};

enum conn_state {
	CONN_READ,    /* waits for a request, or the rest of one */
	CONN_READY,   /* waits for its turn: octets are there */
	CONN_ANSWER,  /* a worker answers it */
	CONN_ASKS,    /* the upstream is asked, without a worker */
	CONN_HELD,    /* its reply is held back */
	CONN_WRITE,   /* its reply waits for the peer to read */
	CONN_REFUSED, /* a worker complains about its user */
	CONN_OVER,    /* a worker ends its dialogue */
};

struct conn {
	enum watched watched;
	int fd;
	enum conn_state state;
	uid_t uid;
	struct server *server;
	const struct serve_protocol *protocol;
	struct work work; /* for the workers, and on the way back */
	struct timer timer;
	TAILQ_ENTRY(conn) resting; /* conn_rest() */
	int64_t until_ms;  /* until when the login, or the look-up, may take */
	int64_t rest_ms;   /* when all of the request must have come, or 0 */
	int64_t given_ms;  /* when the workers got it */
	unsigned char *in; /* NULL when nothing has come */
	size_t in_len, in_size;
	size_t request_len; /* of them; 0: not known */
	bool in_epoll;      /* events for it have been asked for before */
	bool in_parts;      /* it has not come in one piece */
	bool rests;         /* nothing is under way: a request may come */
	bool more;          /* a request may follow the reply */
	unsigned char *out; /* NULL when there is no reply */
	size_t out_len, out_sent;
	int64_t hold_ms;
	void *dialogue; /* the protocol's */
};

/* conn_new(server, protocol, fd): takes fd.  NULL without memory. */
struct conn *conn_new(
    struct server *server, const struct serve_protocol *protocol, int fd);

/* conn_free(c): hang up, wipe.  The dialogue has been ended. */
void conn_free(struct conn *c);

/* conn_take(c, data, len): append octets that have come.  False without
 * memory.  The caller wipes its own. */
bool conn_take(struct conn *c, const unsigned char *data, size_t len);

/* conn_forget(c): wipe the request; what follows it stays. */
void conn_forget(struct conn *c);

/* conn_stays(c): may another login, or look-up, follow? */
bool conn_stays(const struct conn *c);

/* conn_send(c): as much of the reply as the peer takes now. */
enum conn_sent {
	CONN_GONE = -1, /* the peer does not read any more */
	CONN_LATER,
	CONN_SENT, /* all of it, or there was none; wiped */
};
enum conn_sent conn_send(struct conn *c);

/* conn_hung_up(c): has the peer closed?  What it only stopped to write does
 * not count. */
bool conn_hung_up(const struct conn *c);

#endif /* POSTERN_SASLAUTH_PLUGIN_CONN_H */
