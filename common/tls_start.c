/* SPDX-License-Identifier: BSD-2-Clause */
/* The handshake, and the transport that comes out of it. */
#include "common/tls.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "common/tls_client.h"
#include "common/tls_ticket.h"
#include "common/transport.h"

struct tls_stream {
	struct transport base;
	struct transport *inner;
	struct tls_client *client;
	SSL *ssl;
	struct fault below; /* of the inner transport, while OpenSSL runs */
	bool broken;        /* no close_notify any more */
	bool eof;           /* the inner transport's end; OpenSSL asks */
	char key[TLS_TICKET_KEY_MAX];
};

/* The BIO */

static int
bio_result(BIO *b, const struct tls_stream *st, ssize_t n)
{
	BIO_clear_retry_flags(b);
	if (n >= 0)
		return (int)n;
	if (n == TRANSPORT_WAIT) {
		if (st->inner->events == POLLOUT)
			BIO_set_retry_write(b);
		else
			BIO_set_retry_read(b);
	}
	return -1;
}

static int
bio_read(BIO *b, char *buf, int len)
{
	struct tls_stream *st = BIO_get_data(b);
	ssize_t n;

	if (len <= 0)
		return 0;
	n = st->inner->ops->read(st->inner, buf, (size_t)len, &st->below);
	st->eof = n == TRANSPORT_EOF;
	return bio_result(b, st, n);
}

static int
bio_write(BIO *b, const char *buf, int len)
{
	struct tls_stream *st = BIO_get_data(b);
	ssize_t n;

	if (len <= 0)
		return 0;
	n = st->inner->ops->write(st->inner, buf, (size_t)len, &st->below);
	return bio_result(b, st, n);
}

static long
bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	const struct tls_stream *st = BIO_get_data(b);

	(void)num;
	(void)ptr;
	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return st != NULL && st->eof;
	default:
		return 0;
	}
}

BIO_METHOD *
tls_bio_method(void)
{
	BIO_METHOD *m =
	    BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "postern");

	if (m == NULL)
		return NULL;
	if (BIO_meth_set_read(m, bio_read) != 1 ||
	    BIO_meth_set_write(m, bio_write) != 1 ||
	    BIO_meth_set_ctrl(m, bio_ctrl) != 1) {
		BIO_meth_free(m);
		return NULL;
	}
	return m;
}

/* With TLS 1.3 tickets come after the handshake, during some later read. */
int
tls_new_session(SSL *ssl, SSL_SESSION *sess)
{
	struct tls_stream *st = SSL_get_app_data(ssl);

	if (st == NULL || !SSL_SESSION_is_resumable(sess))
		return 0;
	tls_tickets_put(st->client->tickets, st->key, sess);
	return 1;
}

/* The transport */

static const char *
openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason != NULL ? reason : "protocol error";
}

static ssize_t
stream_result(struct tls_stream *st, int rc, struct fault *f)
{
	switch (SSL_get_error(st->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		st->base.events = POLLIN;
		return TRANSPORT_WAIT;
	case SSL_ERROR_WANT_WRITE:
		st->base.events = POLLOUT;
		return TRANSPORT_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return TRANSPORT_EOF;
	default:
		break;
	}
	st->broken = true;
	if (st->below.origin != FAULT_NONE) {
		if (f != NULL)
			*f = st->below;
	} else {
		fault_set(f, FAULT_CONNECTION, "TLS: %s", openssl_reason());
	}
	ERR_clear_error();
	return TRANSPORT_FAIL;
}

static ssize_t
stream_read(struct transport *t, void *buf, size_t len, struct fault *f)
{
	struct tls_stream *st = (struct tls_stream *)t;
	size_t n = 0;
	int rc;

	ERR_clear_error();
	fault_clear(&st->below);
	rc = SSL_read_ex(st->ssl, buf, len, &n);
	return rc == 1 ? (ssize_t)n : stream_result(st, rc, f);
}

static ssize_t
stream_write(struct transport *t, const void *buf, size_t len, struct fault *f)
{
	struct tls_stream *st = (struct tls_stream *)t;
	size_t n = 0;
	ssize_t res;
	int rc;

	ERR_clear_error();
	fault_clear(&st->below);
	rc = SSL_write_ex(st->ssl, buf, len, &n);
	if (rc == 1)
		return (ssize_t)n;
	res = stream_result(st, rc, f);
	if (res == TRANSPORT_EOF) {
		fault_set(f, FAULT_CONNECTION, "lost connection: closed");
		return TRANSPORT_FAIL;
	}
	return res;
}

static bool
stream_poll(const struct transport *t, struct deadline d)
{
	const struct tls_stream *st = (const struct tls_stream *)t;

	st->inner->events = t->events;
	return transport_poll(st->inner, d);
}

static void
stream_free(struct transport *t)
{
	struct tls_stream *st = (struct tls_stream *)t;

	if (st->ssl != NULL) {
		/* Without close_notify OpenSSL takes the ticket for spoilt. */
		ERR_clear_error();
		if (!st->broken && SSL_is_init_finished(st->ssl))
			(void)SSL_shutdown(st->ssl);
		SSL_free(st->ssl);
		ERR_clear_error();
	}
	transport_free(st->inner);
	tls_client_unref(st->client);
	free(st);
}

static const struct transport_ops stream_ops = {
	.read = stream_read,
	.write = stream_write,
	.free = stream_free,
	.poll = stream_poll,
};

/* The handshake */

static bool
is_literal(const char *name)
{
	unsigned char buf[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, buf) == 1 ||
	    inet_pton(AF_INET6, name, buf) == 1;
}

static bool
expect_name(SSL *ssl, const char *name)
{
	char sni[256]; /* OpenSSL's macro would cast a const away */

	if (name[0] == '\0')
		return true; /* nothing is verified: see tls_start() */
	if (is_literal(name))
		return X509_VERIFY_PARAM_set1_ip_asc(
			   SSL_get0_param(ssl), name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if ((size_t)snprintf(sni, sizeof sni, "%s", name) >= sizeof sni)
		return false;
	return SSL_set1_host(ssl, name) == 1 &&
	    SSL_set_tlsext_host_name(ssl, sni) == 1;
}

/* Takes *t, also on failure. */
static struct tls_stream *
stream_new(
    struct tls_client *c, const struct tls_start_params *p, struct transport *t)
{
	struct tls_stream *st = calloc(1, sizeof(*st));
	BIO *b;
	int n;

	if (st == NULL) {
		transport_free(t);
		return NULL;
	}
	st->base.ops = &stream_ops;
	st->base.fd = t->fd;
	st->base.events = POLLIN;
	st->inner = t;
	st->client = tls_client_ref(c);
	n = snprintf(st->key, sizeof(st->key), "%s %s %s", p->key, p->name,
	    p->verify ? "verify" : "any");
	st->ssl = SSL_new(c->ctx);
	b = BIO_new(c->bio);
	if (n < 0 || (size_t)n >= sizeof(st->key) || st->ssl == NULL ||
	    b == NULL) {
		(void)BIO_free(b);
		goto fail;
	}
	BIO_set_data(b, st);
	BIO_set_init(b, 1);
	SSL_set_bio(st->ssl, b, b);
	SSL_set_app_data(st->ssl, st);
	SSL_set_verify(
	    st->ssl, p->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (!expect_name(st->ssl, p->name))
		goto fail;
	return st;
fail:
	stream_free(&st->base);
	return NULL;
}

static void
resume(struct tls_stream *st)
{
	SSL_SESSION *sess = tls_tickets_get(st->client->tickets, st->key);

	if (sess == NULL)
		return;
	(void)SSL_set_session(st->ssl, sess);
	SSL_SESSION_free(sess);
}

static void
handshake_fault(
    struct tls_stream *st, const struct tls_start_params *p, struct fault *f)
{
	long v = SSL_get_verify_result(st->ssl);

	if (p->verify && v != X509_V_OK)
		fault_set(f, FAULT_CONNECTION, "certificate of %s: %s", p->name,
		    X509_verify_cert_error_string(v));
	else if (st->below.origin != FAULT_NONE)
		fault_set(f, FAULT_CONNECTION, "TLS handshake with %s: %s",
		    p->key, st->below.text);
	else if (ERR_peek_last_error() == 0)
		fault_set(f, FAULT_CONNECTION,
		    "TLS handshake with %s: connection closed", p->key);
	else
		fault_set(f, FAULT_CONNECTION, "TLS handshake with %s: %s",
		    p->key, openssl_reason());
}

static bool
handshake(
    struct tls_stream *st, const struct tls_start_params *p, struct fault *f)
{
	int rc, err;

	for (;;) {
		ERR_clear_error();
		fault_clear(&st->below);
		rc = SSL_connect(st->ssl);
		if (rc == 1)
			return true;
		err = SSL_get_error(st->ssl, rc);
		if (err != SSL_ERROR_WANT_READ && err != SSL_ERROR_WANT_WRITE)
			break;
		st->base.events = err == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		if (!transport_poll(&st->base, p->deadline)) {
			fault_set(f, FAULT_CONNECTION,
			    "TLS handshake with %s: timed out", p->key);
			return false;
		}
	}
	handshake_fault(st, p, f);
	ERR_clear_error();
	return false;
}

static void
fill_info(SSL *ssl, const char *name, struct tls_info *info)
{
	const char *cipher = SSL_get_cipher_name(ssl);

	info->active = true;
	/* A resumed session brings the result of its first handshake; the
	 * ticket's key has the name in it. */
	info->verified = name[0] != '\0' &&
	    SSL_get0_peer_certificate(ssl) != NULL &&
	    SSL_get_verify_result(ssl) == X509_V_OK;
	info->resumed = SSL_session_reused(ssl) == 1;
	(void)snprintf(
	    info->protocol, sizeof(info->protocol), "%s", SSL_get_version(ssl));
	(void)snprintf(info->cipher, sizeof(info->cipher), "%s",
	    cipher != NULL ? cipher : "");
}

enum outcome
tls_start(struct tls_client *c, const struct tls_start_params *p,
    struct transport **t, struct tls_info *info, struct fault *f)
{
	struct transport *inner = *t;
	struct tls_stream *st = NULL;
	enum outcome oc = OUTCOME_TEMP;

	*t = NULL;
	memset(info, 0, sizeof(*info));
	/* OpenSSL would take no name for "any name". */
	if (p->verify && p->name[0] == '\0') {
		fault_set(f, FAULT_LOCAL,
		    "certificate of %s: no name to expect: set tls_verify_name",
		    p->key);
		transport_free(inner);
		goto done;
	}
	st = stream_new(c, p, inner);
	if (st == NULL) {
		fault_set(
		    f, FAULT_LOCAL, "TLS with %s cannot be set up", p->key);
		goto done;
	}
	resume(st);
	if (!handshake(st, p, f)) {
		tls_tickets_drop(c->tickets, st->key);
		st->broken = true;
		goto done;
	}
	fill_info(st->ssl, p->name, info);
	*t = &st->base;
	st = NULL;
	oc = OUTCOME_OK;
done:
	ERR_clear_error();
	if (st != NULL)
		transport_free(&st->base);
	return oc;
}
