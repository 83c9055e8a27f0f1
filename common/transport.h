/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transport - a byte stream to an upstream
 *
 * What a session speaks over: a socket (dial.h), TLS on that socket (tls.h),
 * or a script in a test.  Never blocks: an operation that cannot go on says
 * what to poll for.  One thread at a time.
 */
#ifndef POSTERN_COMMON_TRANSPORT_H
#define POSTERN_COMMON_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "common/clock.h"
#include "common/outcome.h"

/* Results of read and write beside an octet count > 0. */
#define TRANSPORT_EOF  0    /* the other side has closed */
#define TRANSPORT_WAIT (-1) /* poll for transport.events, then call again */
#define TRANSPORT_FAIL (-2) /* broken; the fault says why */

struct transport;

struct transport_ops {
	ssize_t (*read)(struct transport *, void *, size_t, struct fault *);
	ssize_t (*write)(
	    struct transport *, const void *, size_t, struct fault *);
	/* Frees the transport; sends no more than fits without blocking. */
	void (*free)(struct transport *);
	/* As transport_poll(); NULL: poll fd for events. */
	bool (*poll)(const struct transport *, struct deadline);
};

struct transport {
	const struct transport_ops *ops;
	int fd;       /* to poll, or -1 with a script */
	short events; /* POLLIN or POLLOUT after TRANSPORT_WAIT */
};

/* A transport over a connected, non-blocking socket; takes fd.  NULL when
 * out of memory (fd is closed then). */
struct transport *transport_socket(int fd);

void transport_free(struct transport *t); /* NULL does nothing */

/*
 * transport_poll(t, d): wait until t can go on after TRANSPORT_WAIT.
 * Returns true, or false once the deadline has passed.  A scripted transport
 * (fd -1) without a poll operation never waits: false at once.
 */
bool transport_poll(const struct transport *t, struct deadline d);

#endif /* POSTERN_COMMON_TRANSPORT_H */
