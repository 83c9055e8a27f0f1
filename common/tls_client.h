/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls_client - the inside of a struct tls_client, for tls.c and tls_start.c
 */
#ifndef POSTERN_COMMON_TLS_CLIENT_H
#define POSTERN_COMMON_TLS_CLIENT_H

#include <stdatomic.h>

#include <openssl/ssl.h>

struct tls_tickets;

struct tls_client {
	atomic_uint refs;
	SSL_CTX *ctx;    /* read-only once made; OpenSSL locks what it counts */
	BIO_METHOD *bio; /* a struct transport as OpenSSL wants to see it */
	struct tls_tickets *tickets;
};

/* tls_bio_method(): returns a new method, or NULL. */
BIO_METHOD *tls_bio_method(void);

/* tls_new_session(ssl, sess): for SSL_CTX_sess_set_new_cb(). */
int tls_new_session(SSL *ssl, SSL_SESSION *sess);

#endif /* POSTERN_COMMON_TLS_CLIENT_H */
