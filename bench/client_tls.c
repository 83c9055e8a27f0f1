/* SPDX-License-Identifier: BSD-2-Clause */
#include "client_tls.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>

struct client_tls {
	SSL *ssl;
	/* each is EPOLLIN or EPOLLOUT, whatever OpenSSL needs for it; 0 when
	 * there is nothing to send */
	uint32_t recv_wants, send_wants;
	size_t len; /* octets of ${out} that are to be sent */
	char out[CLIENT_TLS_SEND_MAX];
};

/* Of OpenSSL's own errors, and of the system's when it has none. */
static void
complain(const char *what)
{
	static unsigned int complaints;
	unsigned long code = ERR_peek_error();
	const char *reason = ERR_reason_error_string(code);

	if (complaints++ >= 5)
		return;
	if (code != 0)
		warnx("TLS: %s: %s", what, reason != NULL ? reason : "failed");
	else
		warn("TLS: %s", what);
}

struct ssl_ctx_st *
client_tls_context_new(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL ||
	    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1) {
		complain("start");
		exit(EX_OSERR);
	}
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	/* one recv(2) for a record, not two: the server needs the cores */
	SSL_CTX_set_read_ahead(context, 1);
	/* what is left of ${out} moves to its beginning */
	(void)SSL_CTX_set_mode(context,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return context;
}

void
client_tls_context_free(struct ssl_ctx_st *context)
{
	SSL_CTX_free(context);
}

struct client_tls *
client_tls_new(struct ssl_ctx_st *context, int fd)
{
	struct client_tls *tls = malloc(sizeof(*tls));

	if (tls == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		err(EX_OSERR, "TLS");
	if ((tls->ssl = SSL_new(context)) == NULL ||
	    SSL_set_fd(tls->ssl, fd) != 1) {
		complain("new session");
		exit(EX_OSERR);
	}
	SSL_set_connect_state(tls->ssl);
	tls->recv_wants = EPOLLIN;
	tls->send_wants = 0;
	tls->len = 0;
	return tls;
}

void
client_tls_free(struct client_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	free(tls);
}

/* What OpenSSL waits for when an operation gave ${ret}; 0: it is broken. */
static uint32_t
wanted(const struct client_tls *tls, int ret, const char *what)
{
	switch (SSL_get_error(tls->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return EPOLLIN;
	case SSL_ERROR_WANT_WRITE:
		return EPOLLOUT;
	default:
		complain(what);
		return 0;
	}
}

int
client_tls_handshake(struct client_tls *tls)
{
	int ret;

	/* the queue is shared by all sessions, and SSL_get_error() reads it */
	ERR_clear_error();
	if ((ret = SSL_do_handshake(tls->ssl)) == 1) {
		tls->recv_wants = EPOLLIN;
		return 1;
	}
	tls->recv_wants = wanted(tls, ret, "handshake");
	return tls->recv_wants != 0 ? 0 : -1;
}

/* Send what can be sent.  False: it is broken. */
static bool
flush(struct client_tls *tls)
{
	size_t sent;
	int ret;

	while (tls->len > 0) {
		ERR_clear_error();
		ret = SSL_write_ex(tls->ssl, tls->out, tls->len, &sent);
		if (ret != 1) {
			tls->send_wants = wanted(tls, ret, "send");
			return tls->send_wants != 0;
		}
		tls->len -= sent;
		memmove(tls->out, tls->out + sent, tls->len);
	}
	tls->send_wants = 0;
	return true;
}

ssize_t
client_tls_send(struct client_tls *tls, const char *data, size_t len)
{
	if (len > sizeof(tls->out) - tls->len)
		return -1;
	memcpy(tls->out + tls->len, data, len);
	tls->len += len;
	return flush(tls) ? (ssize_t)len : -1;
}

ssize_t
client_tls_recv(struct client_tls *tls, char *buf, size_t size)
{
	size_t n;
	int ret;

	tls->recv_wants = EPOLLIN;
	if (!flush(tls)) {
		errno = EPROTO;
		return -1;
	}
	ERR_clear_error();
	if ((ret = SSL_read_ex(tls->ssl, buf, size, &n)) == 1)
		return (ssize_t)n;
	if (SSL_get_error(tls->ssl, ret) == SSL_ERROR_ZERO_RETURN)
		return 0;
	tls->recv_wants = wanted(tls, ret, "receive");
	errno = tls->recv_wants != 0 ? EAGAIN : EPROTO;
	return -1;
}

bool
client_tls_pending(const struct client_tls *tls)
{
	return SSL_has_pending(tls->ssl) == 1;
}

uint32_t
client_tls_wants(const struct client_tls *tls)
{
	return tls->recv_wants | tls->send_wants;
}
