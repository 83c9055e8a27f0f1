/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * certs - certificates made while a test runs
 *
 * EC keys, valid from and to a number of days from now.  Every function ends
 * the program with a message when OpenSSL fails: a test has no use for less.
 */
#ifndef POSTERN_TESTS_CERTS_H
#define POSTERN_TESTS_CERTS_H

#include <stdbool.h>

#include <openssl/ssl.h>

struct cert {
	X509 *x;
	EVP_PKEY *key;
};

struct cert_params {
	const char *cn;
	const char *names; /* "DNS:mx.example.org,IP:127.0.0.1", or NULL */
	const struct cert
	    *issuer; /* NULL: signed by itself, and an authority */
	int from_days, to_days;
};

void cert_init(struct cert *c, const struct cert_params *p);
void cert_release(struct cert *c);

/* Write the certificate, and its key if with_key, to a file as PEM. */
void cert_write(const struct cert *c, const char *path, bool with_key);

/*
 * cert_server(c, client_ca): a server's context with this certificate; with
 * client_ca, clients must have one that it has signed.
 */
SSL_CTX *cert_server(const struct cert *c, const struct cert *client_ca);

#endif /* POSTERN_TESTS_CERTS_H */
