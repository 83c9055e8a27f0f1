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

#endif /* POSTERN_COMMON_DIAL_H */
