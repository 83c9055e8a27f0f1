/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/setup.h"

#include <stdio.h>
#include <stdlib.h>

struct setup *
setup_new(struct conf *conf, enum route_for what, char *why, size_t len)
{
	struct setup *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		snprintf(why, len, "out of memory");
		return NULL;
	}
	atomic_init(&s->refs, 1);
	s->conf = conf_ref(conf);
	if ((s->router = router_new(conf, what, why, len)) == NULL) {
		setup_unref(s);
		return NULL;
	}
	return s;
}

void
setup_unref(struct setup *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	router_free(s->router);
	conf_unref(s->conf);
	free(s);
}

void
setup_holder_init(struct setup_holder *h, struct setup *s)
{
	pthread_mutex_init(&h->lock, NULL);
	h->setup = s;
}

void
setup_holder_set(struct setup_holder *h, struct setup *s)
{
	struct setup *old;

	pthread_mutex_lock(&h->lock);
	old = h->setup;
	h->setup = s;
	pthread_mutex_unlock(&h->lock);
	setup_unref(old);
}

void
setup_holder_release(struct setup_holder *h)
{
	setup_unref(h->setup);
	h->setup = NULL;
	pthread_mutex_destroy(&h->lock);
}

struct setup *
setup_holder_get(struct setup_holder *h)
{
	struct setup *s;

	pthread_mutex_lock(&h->lock);
	s = h->setup;
	atomic_fetch_add(&s->refs, 1);
	pthread_mutex_unlock(&h->lock);
	return s;
}
