/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking logins back: what came of it, and doing it without the crew. */
#include "config.h"

#include "common/pool_state.h"

void
lease_was_reset(struct pool_lease *l, enum outcome oc, const struct fault *f)
{
	struct pool_target *t = l->target;
	struct session *s = l->session;
	struct pool *p = t->pool;

	pthread_mutex_lock(&p->lock);
	if (oc == OUTCOME_OK) {
		t->reused++;
		t->life_ms = clock_ms();
		lease_ready(l, t->life_ms);
	} else {
		if (oc == OUTCOME_PERM && !t->no_reset) {
			t->no_reset = true;
			log_info("upstream %s: takes no login back: %s",
			    t->place->label, f->text);
		}
		lease_free(l);
	}
	pthread_mutex_unlock(&p->lock);
	if (oc != OUTCOME_OK)
		session_free(s);
}

/* The lease is the caller's, and will be until it is over: the lock is not
 * needed for what does not change. */
bool
pool_reset_step(struct pool_lease *l)
{
	enum outcome oc = OUTCOME_TEMP;
	struct fault f;

	fault_clear(&f);
	if (!session_reset_step(l->session, l->target->conf->hostname, &oc, &f))
		return true;
	lease_was_reset(l, oc, &f);
	return false;
}

bool
lease_reset(struct pool_lease *l)
{
	struct fault f;

	fault_clear(&f);
	if (session_reset_begin(l->session, &f))
		return pool_reset_step(l);
	lease_was_reset(l, OUTCOME_TEMP, &f);
	return false;
}

void
pool_reset_late(struct pool_lease *l)
{
	struct fault f;

	session_reset_late(l->session, &f);
	lease_was_reset(l, OUTCOME_TEMP, &f);
}

struct deadline
pool_reset_until(const struct pool_lease *l)
{
	return (struct deadline){ l->since_ms + POOL_RESET_MS };
}
