/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer - the server's end of one connection, in clear or under TLS
 *
 * Every wait ends when the program is told to stop (a descriptor becomes
 * readable), so no peer outlives it.  A struct peer belongs to one thread.
 */
#ifndef POSTERN_TESTS_UPSTREAM_PEER_H
#define POSTERN_TESTS_UPSTREAM_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

/* A longer line from the client ends the connection. */
#define PEER_LINE_MAX 131072

enum peer_event {
	PEER_DATA, /* octets are there; from peer_line(): a whole line */
	PEER_GONE, /* the client closed, or the connection broke */
	PEER_TIME, /* the time given is over */
	PEER_STOP, /* the program ends */
	PEER_LONG, /* a line beyond PEER_LINE_MAX */
};

enum peer_how {
	PEER_CLOSE, /* close_notify under TLS, then FIN */
	PEER_CUT,   /* FIN only */
	PEER_RESET, /* RST */
};

struct peer;

/*
 * peer_new(fd, stop_fd): takes ${fd}; ${stop_fd} is borrowed.  NULL when
 * memory is short, ${fd} is then closed.
 */
struct peer *peer_new(int fd, int stop_fd);

/* peer_free(p): as PEER_CUT, if still open.  NULL is fine. */
void peer_free(struct peer *p);

/*
 * peer_line(p, line, len): wait for a line and take it, its LF included.
 * *line stays good until the next call.  On PEER_GONE *len octets at *line
 * are what came without a line end.
 */
enum peer_event peer_line(struct peer *p, const char **line, size_t *len);

/*
 * peer_wait(p, ms): wait until the client sends something or ${ms} are over
 * (negative: without end).  Nothing is taken.
 */
enum peer_event peer_wait(struct peer *p, int ms);

/*
 * peer_ignore(p, ms): read and forget until the client closes or ${ms} are
 * over (negative: without end).  Never returns PEER_DATA.
 */
enum peer_event peer_ignore(struct peer *p, int ms);

/* peer_pause(p, ms): do nothing for ${ms}: PEER_TIME, or PEER_STOP. */
enum peer_event peer_pause(struct peer *p, int ms);

/*
 * peer_write(p, buf, len): PEER_DATA when all is written, else PEER_GONE
 * or PEER_STOP.  After PEER_GONE what the client sent can still be read.
 */
enum peer_event peer_write(struct peer *p, const char *buf, size_t len);

/*
 * peer_starttls(p, ctx, why, whylen): handshake.  Returns PEER_DATA,
 * PEER_STOP, or PEER_GONE with the reason in ${why}.  Octets that came in
 * clear before it are an error of the client: PEER_GONE too.
 */
enum peer_event peer_starttls(
    struct peer *p, SSL_CTX *ctx, char *why, size_t whylen);

/* The TLS session, NULL in clear.  Borrowed. */
SSL *peer_ssl(const struct peer *p);

void peer_close(struct peer *p, enum peer_how how);

#endif /* POSTERN_TESTS_UPSTREAM_PEER_H */
