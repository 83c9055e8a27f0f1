/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Having logins reset.  The upstream is told by the janitor, every few
 * milliseconds, unless sessions are short; its reply is read when the session
 * is wanted again, or by the janitor in passing.  To wake the upstream for each
 * of them, and to be woken, would cost more than the rest of it.
 */
#include "config.h"

#include "common/pool_state.h"

/* Looked at, at most, before somebody is told to wait. */
#define LOOK_MAX 3

void
reset_no_more(struct pool_target *t, const char *why)
{
	if (!t->no_reset)
		log_info("upstream %s: takes no login back: %s",
		    t->place->label, why);
	t->no_reset = true;
}

void
lease_reset(struct pool_lease *l)
{
	struct pool_target *t = l->target;
	struct pool *p = t->pool;
	struct fault f;
	bool ok;

	fault_clear(&f);
	ok = session_reset_begin(l->session, t->conf->hostname, &f);
	pthread_mutex_lock(&p->lock);
	if (!ok || p->stop || t->old) {
		lease_end(l);
	} else {
		l->since_ms = clock_ms();
		lease_set(l, LEASE_RESETTING);
		TAILQ_INSERT_TAIL(&t->resetting, l, entry);
		if (t->n_waiting > 0)
			janitor_wake(p, true);
		else
			lease_offer(t);
	}
	pthread_mutex_unlock(&p->lock);
}

void
reset_spent(struct pool *p)
{
	struct pool_lease *l;

	p->had_spent = !TAILQ_EMPTY(&p->spent);
	while (!p->stop && (l = TAILQ_FIRST(&p->spent)) != NULL) {
		if (l->target->old || l->target->no_reset) {
			lease_end(l);
			continue;
		}
		lease_set(l, LEASE_IN_USE);
		pthread_mutex_unlock(&p->lock);
		lease_reset(l);
		pthread_mutex_lock(&p->lock);
	}
}

enum looked {
	LOOKED_EARLY, /* its reply has not come */
	LOOKED_DONE,
	LOOKED_FAILED, /* it is gone */
};

/* Its limit is looked at, too.  It may have been closed since. */
static bool
is_over(struct pool_lease *l, enum outcome *oc, struct fault *f)
{
	if (session_reset_step(l->session, oc, f)) {
		if (*oc == OUTCOME_OK && !session_alive(l->session))
			*oc = OUTCOME_TEMP;
		return true;
	}
	if (clock_ms() < l->since_ms + POOL_RESET_MS)
		return false;
	session_reset_late(l->session, f);
	*oc = OUTCOME_TEMP;
	return true;
}

static void
failed(struct pool_lease *l, enum outcome oc, const struct fault *f)
{
	if (oc == OUTCOME_PERM)
		reset_no_more(l->target, f->text);
	lease_drop(l);
}

/* At the one that is first, and there is one; it is the caller's meanwhile, in
 * that state.  If it is too early it is the last then. */
static enum looked
look(struct pool_target *t, enum lease_state state, struct pool_lease **out)
{
	struct pool_lease *l = TAILQ_FIRST(&t->resetting);
	enum outcome oc = OUTCOME_TEMP;
	struct fault f;
	bool over;

	lease_set(l, state);
	pthread_mutex_unlock(&t->pool->lock);
	fault_clear(&f);
	over = is_over(l, &oc, &f);
	pthread_mutex_lock(&t->pool->lock);
	if (!over) {
		lease_set(l, LEASE_RESETTING);
		TAILQ_INSERT_TAIL(&t->resetting, l, entry);
		return LOOKED_EARLY;
	}
	/* It may have come to light meanwhile that none is as if new. */
	if (oc != OUTCOME_OK || t->no_reset) {
		failed(l, oc, &f);
		return LOOKED_FAILED;
	}
	t->reused++;
	l->was_reset = true;
	l->since_ms = t->life_ms = clock_ms();
	*out = l;
	return LOOKED_DONE;
}

struct pool_lease *
reset_take(struct pool_target *t)
{
	struct pool_lease *l = NULL;
	int early = 0;

	/* Those behind one that was told long ago will hardly be done, unless
	 * it hangs. */
	while (
	    !t->pool->stop && early < LOOK_MAX && !TAILQ_EMPTY(&t->resetting)) {
		switch (look(t, LEASE_IN_USE, &l)) {
		case LOOKED_EARLY:
			early++;
			break;
		case LOOKED_FAILED:
			break;
		case LOOKED_DONE:
			if (t->n_waiting > 0) {
				/* He was here before. */
				lease_ready(l, l->since_ms);
				break;
			}
			pool_target_grow(t, l->since_ms);
			return l;
		}
	}
	return NULL;
}

void
reset_settle(struct pool_target *t)
{
	size_t n = t->n[LEASE_RESETTING];
	struct pool_lease *l = NULL;

	for (; n > 0 && !t->pool->stop && !TAILQ_EMPTY(&t->resetting); n--) {
		if (look(t, LEASE_CHECKING, &l) == LOOKED_DONE)
			lease_ready(l, l->since_ms);
	}
}

bool
reset_is_waited_for(const struct pool_target *t)
{
	return t->n_waiting > 0 && !TAILQ_EMPTY(&t->resetting);
}
