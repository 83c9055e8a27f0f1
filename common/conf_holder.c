/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/conf_holder.h"

#include <pthread.h>
#include <stdlib.h>

struct conf_holder {
	pthread_mutex_t lock;
	struct conf *current;
};

struct conf_holder *
conf_holder_new(struct conf *c)
{
	struct conf_holder *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	pthread_mutex_init(&h->lock, NULL);
	h->current = c;
	return h;
}

void
conf_holder_free(struct conf_holder *h)
{
	if (h == NULL)
		return;
	conf_unref(h->current);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

struct conf *
conf_holder_get(struct conf_holder *h)
{
	struct conf *c;

	pthread_mutex_lock(&h->lock);
	c = conf_ref(h->current);
	pthread_mutex_unlock(&h->lock);
	return c;
}

void
conf_holder_set(struct conf_holder *h, struct conf *c)
{
	struct conf *old;

	pthread_mutex_lock(&h->lock);
	old = h->current;
	h->current = conf_ref(c);
	pthread_mutex_unlock(&h->lock);
	/* The last reader frees it; that may be us, outside of the lock. */
	conf_unref(old);
}
