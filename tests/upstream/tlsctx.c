/* SPDX-License-Identifier: BSD-2-Clause */
#include "tlsctx.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

struct entry {
	struct entry *next;
	char *name;
	char *client_ca; /* "" when none is asked for */
	bool old_tls;
	SSL_CTX *ctx;
};

struct tlsctx_store {
	pthread_mutex_t lock;
	const char *dir;
	struct entry *entries;
};

struct tlsctx_store *
tlsctx_store_new(const char *dir)
{
	struct tlsctx_store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->dir = dir;
	if (pthread_mutex_init(&s->lock, NULL) != 0) {
		free(s);
		return NULL;
	}
	return s;
}

static void
entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	free(e->name);
	free(e->client_ca);
	SSL_CTX_free(e->ctx);
	free(e);
}

void
tlsctx_store_free(struct tlsctx_store *s)
{
	struct entry *e;

	if (s == NULL)
		return;
	while ((e = s->entries) != NULL) {
		s->entries = e->next;
		entry_free(e);
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static bool
file_name(char *out, const char *dir, const char *name, const char *ext)
{
	int n = snprintf(out, PATH_MAX, "%s/%s.%s", dir, name, ext);

	return n > 0 && n < PATH_MAX;
}

static bool
ctx_load(SSL_CTX *ctx, const char *dir, const struct entry *e)
{
	char crt[PATH_MAX], key[PATH_MAX], ca[PATH_MAX];

	if (!file_name(crt, dir, e->name, "crt") ||
	    !file_name(key, dir, e->name, "key") ||
	    !file_name(ca, dir, e->client_ca, "crt"))
		return false;
	if (SSL_CTX_use_certificate_chain_file(ctx, crt) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return false;
	if (SSL_CTX_set_session_id_context(
		ctx, (const unsigned char *)"scripted", 8) != 1)
		return false;
	/* Tests of tls_min_protocol need a server that is behind the times. */
	SSL_CTX_set_security_level(ctx, 0);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) != 1)
		return false;
	if (e->old_tls &&
	    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION) != 1)
		return false;
	if (*e->client_ca == '\0')
		return true;
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return SSL_CTX_load_verify_file(ctx, ca) == 1;
}

static struct entry *
entry_new(const char *dir, const char *name, const char *client_ca, bool old)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->name = strdup(name);
	e->client_ca = strdup(client_ca);
	e->old_tls = old;
	e->ctx = SSL_CTX_new(TLS_server_method());
	if (e->name == NULL || e->client_ca == NULL || e->ctx == NULL ||
	    !ctx_load(e->ctx, dir, e)) {
		(void)fprintf(
		    stderr, "scripted: certificate \"%s\" in %s:\n", name, dir);
		ERR_print_errors_fp(stderr);
		entry_free(e);
		return NULL;
	}
	return e;
}

SSL_CTX *
tlsctx_get(struct tlsctx_store *s, const char *name, const char *client_ca,
    bool old_tls)
{
	struct entry *e;

	if (client_ca == NULL)
		client_ca = "";
	pthread_mutex_lock(&s->lock);
	for (e = s->entries; e != NULL; e = e->next)
		if (strcmp(e->name, name) == 0 && e->old_tls == old_tls &&
		    strcmp(e->client_ca, client_ca) == 0)
			break;
	if (e == NULL &&
	    (e = entry_new(s->dir, name, client_ca, old_tls)) != NULL) {
		e->next = s->entries;
		s->entries = e;
	}
	pthread_mutex_unlock(&s->lock);
	return e == NULL ? NULL : e->ctx;
}
