/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * channel - one end of the session: a socket, or TLS on it
 *
 * Never blocks.  Of one thread.
 */
#ifndef POSTERN_FRONT_CHANNEL_H
#define POSTERN_FRONT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <openssl/types.h>

struct pollfd;

#define CHANNEL_EOF  0
#define CHANNEL_WAIT (-1) /* poll for read_events or write_events */
#define CHANNEL_FAIL (-2)

struct channel {
	int fd; /* -1: none */
	SSL *ssl;
	short read_events; /* what to poll for, to read or to write */
	short write_events;
	bool can_read; /* worth a try, before poll() says so */
	bool can_write;
	bool failed;
};

static inline bool
channel_is_open(const struct channel *c)
{
	return c->fd >= 0 && !c->failed;
}

/* channel_init(c, fd): a connected socket, which becomes non-blocking; takes
 * fd.  False when that cannot be. */
bool channel_init(struct channel *c, int fd);

/* What TLS uses; all zero without TLS. */
struct channel_tls {
	const char *cipher; /* its name; borrowed, "" without TLS */
	int alg_bits;       /* of the algorithm */
	int use_bits;       /* of them, secret */
};

void channel_tls(const struct channel *c, struct channel_tls *out);

/* channel_release(c): close; sends what TLS has for a good-bye. */
void channel_release(struct channel *c);

/* Octets, or one of the above.  Keep can_read and can_write. */
ssize_t channel_read(struct channel *c, void *data, size_t len);
ssize_t channel_write(struct channel *c, const void *data, size_t len);

/*
 * channel_want(c, p, read, write): fill *p with what is to be waited for; with
 * neither the descriptor is left out.
 *
 * channel_told(c, p): note what poll() has said.
 */
void channel_want(
    const struct channel *c, struct pollfd *p, bool read, bool write);
void channel_told(struct channel *c, const struct pollfd *p);

#endif /* POSTERN_FRONT_CHANNEL_H */
