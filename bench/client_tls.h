/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client_tls - TLS of bench_client, on a socket whose server has said 220 to
 * STARTTLS (RFC 3207)
 *
 * TLS 1.3 with a full handshake for each session, as of a client that was
 * never here before; the certificate is not verified.  Nothing waits: what
 * cannot be done at once is done when the socket is ready for what
 * client_tls_wants() says.  What fails is said on stderr, the first few times.
 */
#ifndef POSTERN_BENCH_CLIENT_TLS_H
#define POSTERN_BENCH_CLIENT_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	CLIENT_TLS_SEND_MAX = 2048 /* octets that can be under way */
};

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */
struct client_tls;

/* What all sessions share; free with client_tls_context_free().  Exits with
 * a message and status 71 when it cannot be had. */
struct ssl_ctx_st *client_tls_context_new(void);

void client_tls_context_free(struct ssl_ctx_st *context);

/*
 * client_tls_new(context, fd): TLS on ${fd}, which is made non-blocking and
 * remains the caller's.  Nothing is sent before client_tls_handshake().
 * Exits like client_tls_context_new().
 */
struct client_tls *client_tls_new(struct ssl_ctx_st *context, int fd);

/* Forget it.  Neither sends a close_notify nor waits for one. */
void client_tls_free(struct client_tls *tls);

/* Go on with the handshake.  Returns 1: it is done, 0: when the socket is
 * ready again, -1: it failed. */
int client_tls_handshake(struct client_tls *tls);

/*
 * client_tls_send(tls, data, len): send now, or keep what cannot be sent and
 * do so in client_tls_recv().  Returns ${len}; -1 when the session is broken
 * or more than CLIENT_TLS_SEND_MAX octets would be under way.
 */
ssize_t client_tls_send(struct client_tls *tls, const char *data, size_t len);

/* As recv(2): octets that came, 0 at a close_notify, -1 with EAGAIN in errno
 * when there are none yet, -1 with another when the session is broken. */
ssize_t client_tls_recv(struct client_tls *tls, char *buf, size_t size);

/* Whether something was taken from the socket and not yet returned, so that
 * the socket alone does not tell when to call client_tls_recv().  It may turn
 * out to be a part of a record. */
bool client_tls_pending(const struct client_tls *tls);

/* EPOLLIN, EPOLLOUT, or both: what to wait for. */
uint32_t client_tls_wants(const struct client_tls *tls);

#endif /* POSTERN_BENCH_CLIENT_TLS_H */
