/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auth_attempt.h"

static void
warm_route(void *arg, struct route *r)
{
	struct auth *a = arg;
	size_t i;

	for (i = 0; r->auth->warm_sessions > 0 && i < r->n_hosts; i++)
		pool_warm(a->pool, r, i);
}

struct auth *
auth_new(struct conf *conf, const struct pool_params *pp, char *why, size_t len)
{
	struct auth *a = calloc(1, sizeof(*a));
	struct setup *s;

	if (a == NULL) {
		(void)snprintf(why, len, "out of memory");
		return NULL;
	}
	s = setup_new(conf, ROUTE_FOR_AUTH, why, len);
	setup_holder_init(&a->setups, s);
	if (s == NULL)
		goto fail;
	(void)snprintf(why, len, "out of memory or randomness");
	if ((a->memory = auth_memory_new(AUTH_MEMORY_MAX)) == NULL ||
	    (a->shield = shield_new(SHIELD_ACCOUNTS_MAX, SHIELD_CLIENTS_MAX)) ==
		NULL ||
	    (a->pool = pool_new(pp)) == NULL)
		goto fail;
	why[0] = '\0';
	router_each(s->router, warm_route, a);
	return a;
fail:
	auth_free(a);
	return NULL;
}

void
auth_free(struct auth *a)
{
	if (a == NULL)
		return;
	if (a->pool != NULL)
		pool_stop(a->pool);
	pool_free(a->pool);
	auth_memory_free(a->memory);
	shield_free(a->shield);
	setup_holder_release(&a->setups);
	free(a);
}

void
auth_stop(struct auth *a)
{
	atomic_store(&a->stopped, true);
	shield_stop(a->shield);
	pool_stop(a->pool);
}

static bool
same_lives(const struct conf_auth *x, const struct conf_auth *y)
{
	return x->good_memory == y->good_memory &&
	    x->bad_memory == y->bad_memory;
}

/* Is as much to be remembered as before? */
static bool
lives_kept(const struct conf *x, const struct conf *y)
{
	size_t i;

	if (!same_lives(&x->auth, &y->auth) || x->n_domains != y->n_domains)
		return false;
	for (i = 0; i < x->n_domains; i++) {
		if (strcmp(x->domains[i].name, y->domains[i].name) != 0 ||
		    !same_lives(&x->domains[i].auth, &y->domains[i].auth))
			return false;
	}
	return true;
}

bool
auth_reload(struct auth *a, struct conf *conf, char *why, size_t len)
{
	struct setup *s = setup_new(conf, ROUTE_FOR_AUTH, why, len), *old;

	if (s == NULL)
		return false;
	old = setup_holder_get(&a->setups);
	setup_holder_set(&a->setups, s);
	pool_renew(a->pool);
	/* s itself may be gone when another reload follows at once. */
	s = setup_holder_get(&a->setups);
	router_each(s->router, warm_route, a);
	/* What was remembered for longer than is wished now. */
	if (!lives_kept(old->conf, s->conf))
		(void)auth_memory_drop(a->memory, NULL);
	setup_unref(s);
	setup_unref(old);
	return true;
}

size_t
auth_drop(struct auth *a, const char *user)
{
	return auth_memory_drop(a->memory, user) + shield_drop(a->shield, user);
}
