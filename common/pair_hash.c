/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/pair_hash.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#define KEY_LEN 32
#define MAC_LEN 32 /* of SHA-256 */

/* To copy a context takes as long as to hash: one copy is kept. */
struct pair_hash {
	EVP_MAC_CTX *keyed;
	pthread_mutex_t lock;
	EVP_MAC_CTX *spare; /* of keyed, ready to begin; or NULL */
};

/* Give the context its key; what is left of it is in the context alone,
 * which OpenSSL clears when it is freed. */
static bool
set_key(EVP_MAC_CTX *ctx)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
		    OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	unsigned char key[KEY_LEN];
	bool done;

	done = getrandom(key, sizeof key, 0) == (ssize_t)sizeof key &&
	    EVP_MAC_init(ctx, key, sizeof key, params) == 1;
	explicit_bzero(key, sizeof key);
	return done;
}

struct pair_hash *
pair_hash_new(void)
{
	struct pair_hash *h = calloc(1, sizeof *h);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	if (h != NULL && pthread_mutex_init(&h->lock, NULL) != 0) {
		free(h);
		h = NULL;
	}

	if (h != NULL && mac != NULL)
		h->keyed = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (h != NULL && (h->keyed == NULL || !set_key(h->keyed))) {
		pair_hash_free(h);
		h = NULL;
	}
	return h;
}

void
pair_hash_free(struct pair_hash *h)
{
	if (h == NULL)
		return;
	EVP_MAC_CTX_free(h->spare);
	EVP_MAC_CTX_free(h->keyed);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
}

/* With its length in front, so that no two lists of texts look alike. */
static bool
add(EVP_MAC_CTX *ctx, const char *text, size_t len)
{
	uint64_t n = len;

	return EVP_MAC_update(ctx, (const unsigned char *)&n, sizeof n) == 1 &&
	    EVP_MAC_update(ctx, (const unsigned char *)text, len) == 1;
}

static EVP_MAC_CTX *
borrow(struct pair_hash *h)
{
	EVP_MAC_CTX *ctx;

	(void)pthread_mutex_lock(&h->lock);
	ctx = h->spare;
	h->spare = NULL;
	(void)pthread_mutex_unlock(&h->lock);
	return ctx != NULL ? ctx : EVP_MAC_CTX_dup(h->keyed);
}

/* To begin again overwrites what it has hashed. */
static void
give_back(struct pair_hash *h, EVP_MAC_CTX *ctx)
{
	if (ctx == NULL || EVP_MAC_init(ctx, NULL, 0, NULL) != 1) {
		EVP_MAC_CTX_free(ctx);
		return;
	}
	(void)pthread_mutex_lock(&h->lock);
	if (h->spare == NULL) {
		h->spare = ctx;
		ctx = NULL;
	}
	(void)pthread_mutex_unlock(&h->lock);
	EVP_MAC_CTX_free(ctx);
}

bool
pair_hash(
    struct pair_hash *h, const struct auth_pair *p, struct pair_digest *out)
{
	EVP_MAC_CTX *ctx = borrow(h);
	unsigned char mac[MAC_LEN];
	size_t pass_len, mac_len = 0;
	const char *pass = secret_bytes(p->pass, &pass_len);
	bool done;

	done = ctx != NULL && add(ctx, p->route, strlen(p->route)) &&
	    add(ctx, p->account, strlen(p->account)) &&
	    add(ctx, pass, pass_len) &&
	    EVP_MAC_final(ctx, mac, &mac_len, sizeof mac) == 1 &&
	    mac_len == sizeof mac;
	if (done)
		memcpy(out->octets, mac, sizeof out->octets);
	give_back(h, ctx);
	return done;
}
