/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding targets, and what they share: endpoints and TLS contexts. */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/pool_state.h"
#include "common/tls.h"

/* Places */

static struct pool_place *
place_get(struct pool *p, const char *label)
{
	struct pool_place *pl = NULL;

	HASH_FIND(hh, p->places, label, strlen(label), pl);
	if (pl != NULL)
		return pl;
	if ((pl = calloc(1, sizeof(*pl))) == NULL)
		return NULL;
	(void)snprintf(pl->label, sizeof(pl->label), "%s", label);
	TAILQ_INIT(&pl->targets);
	HASH_ADD_KEYPTR(hh, p->places, pl->label, strlen(pl->label), pl);
	if (pl->hh.tbl == NULL) {
		free(pl);
		return NULL;
	}
	return pl;
}

static void
place_put(struct pool *p, struct pool_place *pl)
{
	if (!TAILQ_EMPTY(&pl->targets))
		return;
	HASH_DELETE(hh, p->places, pl);
	free(pl);
}

bool
place_room(struct pool_target *t, int64_t now_ms)
{
	size_t most = (size_t)t->options->up.max_sessions;
	struct pool_target *o;

	if (now_ms < t->enough_ms && t->enough < most)
		most = t->enough;
	if (t->place->sessions < most)
		return true;
	TAILQ_FOREACH(o, &t->place->targets, place_entry) {
		if (o == t)
			continue;
		if (!TAILQ_EMPTY(&o->idle)) {
			lease_end(TAILQ_LAST(&o->idle, pool_leases));
			break;
		}
		if (!TAILQ_EMPTY(&o->resetting) && o->n_waiting == 0) {
			lease_end(TAILQ_FIRST(&o->resetting));
			break;
		}
	}
	if (t->n_waiting > 0 && !t->pool->haste) {
		t->pool->haste = true;
		janitor_wake(t->pool, true);
	}
	return false;
}

void
place_freed(struct pool_place *pl)
{
	int64_t now_ms = clock_ms();
	struct pool_target *t;

	TAILQ_FOREACH(t, &pl->targets, place_entry) {
		pool_target_grow(t, now_ms);
	}
}

/* TLS contexts */

static struct pool_tls *
tls_get(struct pool *p, struct route *r)
{
	struct pool_tls *c = NULL;

	HASH_FIND_PTR(p->tls, &r->up, c);
	if (c != NULL) {
		c->refs++;
		return c;
	}
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	c->up = r->up;
	c->refs = 1;
	HASH_ADD_PTR(p->tls, up, c);
	if (c->hh.tbl == NULL || pthread_mutex_init(&c->making, NULL) != 0) {
		if (c->hh.tbl != NULL)
			HASH_DELETE(hh, p->tls, c);
		free(c);
		return NULL;
	}
	c->conf = conf_ref(r->conf);
	return c;
}

static void
tls_put(struct pool *p, struct pool_tls *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	HASH_DELETE(hh, p->tls, c);
	pthread_mutex_destroy(&c->making);
	tls_client_unref(c->client);
	conf_unref(c->conf);
	free(c);
}

struct tls_client *
pool_tls_client(struct pool_target *t, struct fault *f)
{
	struct pool_tls *c = t->tls;
	struct tls_client *client;
	char why[512];

	pthread_mutex_lock(&c->making);
	if (c->client == NULL)
		c->client = tls_client_new(c->up, why, sizeof(why));
	client = c->client;
	pthread_mutex_unlock(&c->making);
	if (client == NULL)
		fault_set(f, FAULT_LOCAL, "%s", why);
	return client;
}

/* Targets */

/* The key ends with the label, without its NUL. */
static size_t
key_of(struct pool_key *key, const struct route *r, size_t i)
{
	size_t len;

	memset(key, 0, offsetof(struct pool_key, label));
	key->up = r->up;
	key->tls = (int)r->hosts[i].tls;
	len = strlen(r->hosts[i].label);
	memcpy(key->label, r->hosts[i].label, len + 1);
	return offsetof(struct pool_key, label) + len;
}

static struct pool_target *
target_new(struct pool *p, struct route *r, size_t i)
{
	struct pool_target *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->key_len = key_of(&t->key, r, i);
	t->pool = p;
	t->endpoint = r->hosts[i].endpoint;
	t->options = r->auth;
	t->old = r->conf == p->past;
	TAILQ_INIT(&t->leases);
	TAILQ_INIT(&t->idle);
	TAILQ_INIT(&t->resetting);
	TAILQ_INIT(&t->waiters);
	TAILQ_INSERT_TAIL(&p->all, t, all);
	if ((t->place = place_get(p, t->key.label)) == NULL)
		goto fail;
	TAILQ_INSERT_TAIL(&t->place->targets, t, place_entry);
	if ((t->tls = tls_get(p, r)) == NULL)
		goto fail;
	t->conf = conf_ref(r->conf);
	HASH_ADD(hh, p->targets, key, t->key_len, t);
	if (t->hh.tbl == NULL)
		goto fail;
	t->known = true;
	p->fresh = true;
	janitor_wake(p, false);
	return t;
fail:
	pool_target_free(t);
	return NULL;
}

struct pool_target *
pool_target_get(struct pool *p, struct route *r, size_t i)
{
	struct pool_key key;
	size_t len = key_of(&key, r, i);
	struct pool_target *t = NULL;

	HASH_FIND(hh, p->targets, &key, len, t);
	return t != NULL ? t : target_new(p, r, i);
}

void
pool_target_forget(struct pool_target *t)
{
	if (t->known)
		HASH_DELETE(hh, t->pool->targets, t);
	t->known = false;
}

void
pool_target_free(struct pool_target *t)
{
	pool_target_forget(t);
	TAILQ_REMOVE(&t->pool->all, t, all);
	if (t->place != NULL) {
		TAILQ_REMOVE(&t->place->targets, t, place_entry);
		place_put(t->pool, t->place);
	}
	tls_put(t->pool, t->tls);
	conf_unref(t->conf);
	free(t);
}
