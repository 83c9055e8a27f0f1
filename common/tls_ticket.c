/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/tls_ticket.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct ticket {
	char *key;
	SSL_SESSION *sess;
	uint64_t used; /* value of tls_tickets.uses then */
};

/* An array: there are as many keys as endpoints, and they are looked at once
 * per connection. */
struct tls_tickets {
	pthread_mutex_t lock;
	uint64_t uses;
	size_t n;
	struct ticket v[TLS_TICKET_MAX];
};

struct tls_tickets *
tls_tickets_new(void)
{
	struct tls_tickets *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	if (pthread_mutex_init(&t->lock, NULL) != 0) {
		free(t);
		return NULL;
	}
	return t;
}

static void
ticket_release(struct ticket *k)
{
	SSL_SESSION_free(k->sess);
	free(k->key);
}

void
tls_tickets_free(struct tls_tickets *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->n; i++)
		ticket_release(&t->v[i]);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

static struct ticket *
ticket_find(struct tls_tickets *t, const char *key)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (strcmp(t->v[i].key, key) == 0) {
			t->v[i].used = ++t->uses;
			return &t->v[i];
		}
	}
	return NULL;
}

/* The place for a new key: a free one, or the one used longest ago. */
static struct ticket *
ticket_place(struct tls_tickets *t)
{
	struct ticket *old = &t->v[0];
	size_t i;

	if (t->n < TLS_TICKET_MAX)
		return &t->v[t->n++];
	for (i = 1; i < t->n; i++) {
		if (t->v[i].used < old->used)
			old = &t->v[i];
	}
	ticket_release(old);
	return old;
}

void
tls_tickets_put(struct tls_tickets *t, const char *key, SSL_SESSION *sess)
{
	struct ticket *k;
	char *copy = NULL;
	SSL_SESSION *drop = sess;

	(void)pthread_mutex_lock(&t->lock);
	k = ticket_find(t, key);
	if (k != NULL) {
		drop = k->sess;
		k->sess = sess;
	} else if ((copy = strdup(key)) != NULL) {
		drop = NULL;
		k = ticket_place(t);
		*k = (struct ticket){ copy, sess, ++t->uses };
	}
	(void)pthread_mutex_unlock(&t->lock);
	SSL_SESSION_free(drop);
}

SSL_SESSION *
tls_tickets_get(struct tls_tickets *t, const char *key)
{
	struct ticket *k;
	SSL_SESSION *sess = NULL;

	(void)pthread_mutex_lock(&t->lock);
	k = ticket_find(t, key);
	if (k != NULL && SSL_SESSION_up_ref(k->sess) == 1)
		sess = k->sess;
	(void)pthread_mutex_unlock(&t->lock);
	return sess;
}

void
tls_tickets_drop(struct tls_tickets *t, const char *key)
{
	struct ticket *k;

	(void)pthread_mutex_lock(&t->lock);
	k = ticket_find(t, key);
	if (k != NULL) {
		ticket_release(k);
		t->n--;
		if (k != &t->v[t->n])
			*k = t->v[t->n];
	}
	(void)pthread_mutex_unlock(&t->lock);
}
