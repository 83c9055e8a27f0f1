/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/starttls.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "common/conf.h"
#include "front/channel.h"

struct server_tls {
	SSL_CTX *ctx;
};

static const char *
reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text != NULL ? text : "not usable";
}

/* A key with a pass phrase is an error, not a question. */
static int
no_pass_phrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return 0;
}

/* A process lives for one session: there is nobody to resume with. */
static bool
setup(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_default_passwd_cb(ctx, no_pass_phrase);
	return SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
	    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1;
}

static bool
load(SSL_CTX *ctx, const char *cert, const char *key, char *why, size_t len)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
		(void)snprintf(why, len, "front: tls_cert_file \"%s\": %s",
		    cert, reason());
		return false;
	}
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1) {
		(void)snprintf(
		    why, len, "front: tls_key_file \"%s\": %s", key, reason());
		return false;
	}
	return true;
}

bool
server_tls_new(
    const struct conf *conf, struct server_tls **out, char *why, size_t len)
{
	const char *cert = conf->front.tls_cert_file;
	const char *key = conf->front.tls_key_file;
	struct server_tls *t = NULL;
	bool ok = false;

	*out = NULL;
	if (cert == NULL || cert[0] == '\0')
		return true;
	if (key == NULL || key[0] == '\0')
		key = cert;
	ERR_clear_error();
	if ((t = calloc(1, sizeof(*t))) == NULL ||
	    (t->ctx = SSL_CTX_new(TLS_server_method())) == NULL ||
	    !setup(t->ctx)) {
		(void)snprintf(why, len, "OpenSSL cannot be set up");
		goto done;
	}
	if (!load(t->ctx, cert, key, why, len))
		goto done;
	*out = t;
	t = NULL;
	ok = true;
done:
	ERR_clear_error();
	server_tls_free(t);
	return ok;
}

void
server_tls_free(struct server_tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	free(t);
}

static bool
wait_for(int fd, short events, struct deadline d)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, deadline_left_poll(d));
	while (n < 0 && errno == EINTR);
	return n > 0;
}

bool
server_tls_start(struct server_tls *t, struct channel *c, struct deadline d,
    char *why, size_t len)
{
	SSL *ssl = NULL;
	int n;

	ERR_clear_error();
	if ((ssl = SSL_new(t->ctx)) == NULL || SSL_set_fd(ssl, c->fd) != 1) {
		(void)snprintf(why, len, "out of memory");
		goto fail;
	}
	while ((n = SSL_accept(ssl)) != 1) {
		int e = SSL_get_error(ssl, n);
		short events = e == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;

		if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) {
			(void)snprintf(why, len, "TLS handshake: %s",
			    e == SSL_ERROR_SSL ? reason()
					       : "the client has gone");
			goto fail;
		}
		if (!wait_for(c->fd, events, d)) {
			(void)snprintf(why, len, "TLS handshake: timeout");
			goto fail;
		}
		ERR_clear_error();
	}
	c->ssl = ssl;
	c->can_read = c->can_write = true;
	return true;
fail:
	ERR_clear_error();
	SSL_free(ssl);
	c->failed = true;
	return false;
}
