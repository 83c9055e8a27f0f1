/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dial - connect to an endpoint
 *
 * libcurl resolves the name, races the addresses and keeps the deadline
 * (CONNECT_ONLY); the socket is then taken from it.  What it has looked up is
 * kept for a minute.  Unix sockets are connected here.  Any thread; blocks
 * until the deadline at most.
 */
#ifndef POSTERN_COMMON_DIAL_H
#define POSTERN_COMMON_DIAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/endpoint.h"
#include "common/outcome.h"

struct transport;

/* Once per process, before threads: returns 0, or -1. */
int dial_global_init(void);
void dial_global_cleanup(void);

/*
 * dial_connect(e, port, d, out, f): open a connection.
 *
 *   e     where to; e->port wins over port
 *   d     absolute limit
 *   out   a new transport, or NULL
 *
 * Returns OUTCOME_OK, or OUTCOME_TEMP with *f set (FAULT_CONNECTION).
 */
enum outcome dial_connect(const struct endpoint *e, unsigned port,
    struct deadline d, struct transport **out, struct fault *f);

/*
 * A dialer is for one who connects often: it keeps what libcurl needs for
 * that.  One thread at a time.
 *
 * dialer_new(): NULL without memory.  dialer_free(l): NULL does nothing.
 * dialer_connect(l, ...): as dial_connect(), which l NULL makes of it.
 */
struct dialer;
struct dialer *dialer_new(void);
void dialer_free(struct dialer *l);
enum outcome dialer_connect(struct dialer *l, const struct endpoint *e,
    unsigned port, struct deadline d, struct transport **out, struct fault *f);

/*
 * Where a dial has led to: for so long the next ones may go straight there,
 * with neither a name looked up nor a choice of addresses.  Whoever fails so
 * dials as usual: the address may have become another.
 *
 * All zero: nowhere.  dial_note(w, e, fd): fd is a socket that dialling e has
 * connected.  dial_forget(w).  dial_known(w, now_ms): may dial_again() be
 * tried?
 *
 * dial_again(w): begin to connect, without blocking; a transport, of which
 * nobody knows yet whether it will be connected, or NULL: not so.
 */
#define DIAL_KNOWN_MS 30000

struct dial_where {
	struct sockaddr_storage addr;
	socklen_t len;
	int64_t until_ms;
};

void dial_note(struct dial_where *w, const struct endpoint *e, int fd);
void dial_forget(struct dial_where *w);
bool dial_known(const struct dial_where *w, int64_t now_ms);
struct transport *dial_again(const struct dial_where *w);

#endif /* POSTERN_COMMON_DIAL_H */
