/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/certs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY_SECONDS (24L * 60 * 60)

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "certs: %s failed\n", what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static void
add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	must(ext != NULL && X509_add_ext(x, ext, -1) == 1, value);
	X509_EXTENSION_free(ext);
}

void
cert_init(struct cert *c, const struct cert_params *p)
{
	static long serial;
	const struct cert *issuer = p->issuer != NULL ? p->issuer : c;
	X509_NAME *name;

	c->key = EVP_EC_gen("P-256");
	c->x = X509_new();
	must(c->key != NULL && c->x != NULL, "key");
	name = X509_get_subject_name(c->x);
	must(X509_set_version(c->x, X509_VERSION_3) == 1 &&
		ASN1_INTEGER_set(X509_get_serialNumber(c->x), ++serial) == 1 &&
		X509_gmtime_adj(X509_getm_notBefore(c->x),
		    p->from_days * DAY_SECONDS) != NULL &&
		X509_gmtime_adj(X509_getm_notAfter(c->x),
		    p->to_days * DAY_SECONDS) != NULL &&
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		    (const unsigned char *)p->cn, -1, -1, 0) == 1 &&
		X509_set_issuer_name(c->x, X509_get_subject_name(issuer->x)) ==
		    1 &&
		X509_set_pubkey(c->x, c->key) == 1,
	    "certificate");
	if (p->issuer == NULL)
		add_extension(c->x, NID_basic_constraints, "critical,CA:TRUE");
	if (p->names != NULL)
		add_extension(c->x, NID_subject_alt_name, p->names);
	must(X509_sign(c->x, issuer->key, EVP_sha256()) > 0, "signature");
}

void
cert_release(struct cert *c)
{
	X509_free(c->x);
	EVP_PKEY_free(c->key);
	memset(c, 0, sizeof(*c));
}

void
cert_write(const struct cert *c, const char *path, bool with_key)
{
	FILE *fp = fopen(path, "w");

	must(fp != NULL, path);
	must(PEM_write_X509(fp, c->x) == 1, path);
	if (with_key)
		must(PEM_write_PrivateKey(
			 fp, c->key, NULL, NULL, 0, NULL, NULL) == 1,
		    path);
	must(fclose(fp) == 0, path);
}

SSL_CTX *
cert_server(const struct cert *c, const struct cert *client_ca)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	must(ctx != NULL && SSL_CTX_use_certificate(ctx, c->x) == 1 &&
		SSL_CTX_use_PrivateKey(ctx, c->key) == 1,
	    "server");
	/* Without an id of its own a server that asks for certificates
	 * refuses to resume. */
	must(SSL_CTX_set_session_id_context(
		 ctx, (const unsigned char *)"test", 4) == 1,
	    "session id");
	if (client_ca == NULL)
		return ctx;
	must(
	    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), client_ca->x) == 1,
	    "client authority");
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return ctx;
}
