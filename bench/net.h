/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net - sockets, time and numbers for the bench programs
 *
 * Nothing of Postern is linked, so that a figure is not measured with the
 * code it is about.
 */
#ifndef POSTERN_BENCH_NET_H
#define POSTERN_BENCH_NET_H

#include <stdint.h>

/* Nanoseconds of the monotonic clock. */
uint64_t net_now(void);

/*
 * net_listen(where): a non-blocking listening socket at ${where},
 * "unix:PATH" or a port of 127.0.0.1 in digits; port 0 is any free one.
 * What was bound is printed as port=N or socket=PATH on stdout.  Returns
 * the descriptor, or -1 after a message.
 */
int net_listen(const char *where);

/*
 * net_connect(where): connect to "unix:PATH", "PORT" of 127.0.0.1, or
 * "inet:PORT@ADDR" with a numeric ADDR.  Returns a blocking descriptor, or
 * -1 after a message.
 */
int net_connect(const char *where);

/* Set TCP_NODELAY; no harm on a Unix socket. */
void net_nodelay(int fd);

/* Raise the limit on open files to what is allowed. */
void net_raise_files(void);

/*
 * net_number(text, max): a whole number up to ${max}; exits with a message
 * and status 64 on anything else.
 */
unsigned long net_number(const char *text, unsigned long max);

#endif /* POSTERN_BENCH_NET_H */
