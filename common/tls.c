/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>

#include "common/tls_client.h"
#include "common/tls_ticket.h"

static bool
is_set(const char *option)
{
	return option != NULL && option[0] != '\0';
}

static void
say_openssl(char *why, size_t len, const char *option, const char *file)
{
	unsigned long e = ERR_peek_last_error();
	char buf[128];
	const char *reason = NULL;

	/* "system lib" means that what the system said is in front of it. */
	if (ERR_GET_REASON(e) == ERR_R_SYS_LIB &&
	    ERR_SYSTEM_ERROR(ERR_peek_error()))
		e = ERR_peek_error();
	if (ERR_SYSTEM_ERROR(e))
		reason = strerror_r(ERR_GET_REASON(e), buf, sizeof(buf));
	else
		reason = ERR_reason_error_string(e);
	(void)snprintf(why, len, "%s \"%s\": %s", option, file,
	    reason != NULL ? reason : "not usable");
	ERR_clear_error();
}

/* A directory is looked into only when a certificate is wanted: one that is
 * not there must be told now. */
static bool
load_ca_path(SSL_CTX *ctx, const char *path, char *why, size_t len)
{
	struct stat st;
	char buf[128];

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		errno = ENOTDIR;
	else if (access(path, R_OK | X_OK) == 0 &&
	    SSL_CTX_load_verify_locations(ctx, NULL, path) == 1)
		return true;
	(void)snprintf(why, len, "tls_ca_path \"%s\": %s", path,
	    strerror_r(errno, buf, sizeof(buf)));
	return false;
}

static bool
load_ca(SSL_CTX *ctx, const struct conf_upstream *up, char *why, size_t len)
{
	if (!is_set(up->tls_ca_file) && !is_set(up->tls_ca_path)) {
		if (SSL_CTX_set_default_verify_paths(ctx) == 1)
			return true;
		(void)snprintf(
		    why, len, "the system's certificates cannot be read");
		return false;
	}
	if (is_set(up->tls_ca_file) &&
	    SSL_CTX_load_verify_locations(ctx, up->tls_ca_file, NULL) != 1) {
		say_openssl(why, len, "tls_ca_file", up->tls_ca_file);
		return false;
	}
	return !is_set(up->tls_ca_path) ||
	    load_ca_path(ctx, up->tls_ca_path, why, len);
}

/* A key with a pass phrase is an error, not a question on the terminal. */
static int
no_pass_phrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return 0;
}

static bool
load_cert(SSL_CTX *ctx, const struct conf_upstream *up, char *why, size_t len)
{
	const char *cert = up->tls_cert_file;
	const char *key = up->tls_key_file;

	if (!is_set(cert)) {
		if (!is_set(key))
			return true;
		(void)snprintf(
		    why, len, "tls_key_file \"%s\": no tls_cert_file", key);
		return false;
	}
	if (!is_set(key))
		key = cert;
	SSL_CTX_set_default_passwd_cb(ctx, no_pass_phrase);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
		say_openssl(why, len, "tls_cert_file", cert);
		return false;
	}
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1) {
		say_openssl(why, len, "tls_key_file", key);
		return false;
	}
	return true;
}

static bool
setup(struct tls_client *c, const struct conf_upstream *up)
{
	int oldest = up->tls_min_protocol == TLS_PROTOCOL_1_3 ? TLS1_3_VERSION
							      : TLS1_2_VERSION;

	atomic_init(&c->refs, 1);
	c->ctx = SSL_CTX_new(TLS_client_method());
	c->bio = tls_bio_method();
	c->tickets = tls_tickets_new();
	if (c->ctx == NULL || c->bio == NULL || c->tickets == NULL ||
	    SSL_CTX_set_min_proto_version(c->ctx, oldest) != 1)
		return false;
	/* An SMTP reply says itself where it ends: a missing close_notify is
	 * an end of file like any other. */
	SSL_CTX_set_options(c->ctx,
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
		SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(c->ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(
	    c->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(c->ctx, tls_new_session);
	return true;
}

struct tls_client *
tls_client_new(const struct conf_upstream *up, char *why, size_t len)
{
	struct tls_client *c = calloc(1, sizeof(*c));
	struct tls_client *out = NULL;

	ERR_clear_error();
	if (c == NULL || !setup(c, up)) {
		(void)snprintf(why, len, "OpenSSL cannot be set up");
		goto done;
	}
	if (!load_ca(c->ctx, up, why, len) || !load_cert(c->ctx, up, why, len))
		goto done;
	out = c;
	c = NULL;
done:
	ERR_clear_error();
	tls_client_unref(c);
	return out;
}

struct tls_client *
tls_client_ref(struct tls_client *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void
tls_client_unref(struct tls_client *c)
{
	/* 0 only when tls_client_new() failed before it counted. */
	if (c == NULL || atomic_fetch_sub(&c->refs, 1) > 1)
		return;
	tls_tickets_free(c->tickets);
	SSL_CTX_free(c->ctx);
	BIO_meth_free(c->bio);
	free(c);
}
