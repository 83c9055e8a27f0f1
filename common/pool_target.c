/* SPDX-License-Identifier: BSD-2-Clause */
/* One endpoint: how many sessions it is to have, and who gets them. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/pool_state.h"

/* Leases */

void
lease_set(struct pool_lease *l, enum lease_state state)
{
	struct pool_target *t = l->target;

	if (l->state == LEASE_IDLE)
		TAILQ_REMOVE(&t->idle, l, entry);
	else if (l->state == LEASE_SPENT)
		TAILQ_REMOVE(&t->pool->spent, l, entry);
	else if (l->state == LEASE_RESETTING)
		TAILQ_REMOVE(&t->resetting, l, entry);
	t->n[l->state]--;
	l->state = state;
	t->n[state]++;
}

void
lease_free(struct pool_lease *l)
{
	struct pool_target *t = l->target;

	if (l->trial)
		t->on_trial = false; /* for another one */
	lease_set(l, LEASE_CLOSING);
	t->n[LEASE_CLOSING]--;
	TAILQ_REMOVE(&t->leases, l, all);
	t->place->sessions--;
	free(l);
	place_freed(t->place);
}

void
lease_end(struct pool_lease *l)
{
	lease_set(l, LEASE_CLOSING);
	l->since_ms = clock_ms();
	TAILQ_INSERT_TAIL(&l->target->pool->closing, l, entry);
	janitor_wake(l->target->pool, false);
}

void
lease_offer(struct pool_target *t)
{
	if (t->pool->n_waiting > t->n_waiting)
		place_freed(t->place);
}

void
lease_drop(struct pool_lease *l)
{
	struct pool *p = l->target->pool;

	lease_set(l, LEASE_CLOSING);
	pthread_mutex_unlock(&p->lock);
	session_free(l->session);
	pthread_mutex_lock(&p->lock);
	lease_free(l);
}

static void
waiter_done(struct pool_target *t, struct pool_waiter *w)
{
	TAILQ_REMOVE(&t->waiters, w, entry);
	t->n_waiting--;
	t->pool->n_waiting--;
	w->done = true;
	pthread_cond_signal(&w->cond);
}

void
lease_ready(struct pool_lease *l, int64_t now_ms)
{
	struct pool_target *t = l->target;
	struct pool_waiter *w = TAILQ_FIRST(&t->waiters);

	if (w != NULL) {
		lease_set(l, LEASE_IN_USE);
		w->lease = l;
		waiter_done(t, w);
	} else if (t->old || t->pool->stop) {
		lease_end(l);
	} else {
		if (l->state != LEASE_CHECKING && l->state != LEASE_IN_USE)
			l->since_ms = now_ms;
		lease_set(l, LEASE_IDLE);
		TAILQ_INSERT_HEAD(&t->idle, l, entry);
		lease_offer(t);
	}
}

void
pool_target_flush(struct pool_target *t)
{
	while (!TAILQ_EMPTY(&t->idle))
		lease_end(TAILQ_FIRST(&t->idle));
	while (!TAILQ_EMPTY(&t->resetting))
		lease_end(TAILQ_FIRST(&t->resetting));
}

/* Failing who waits */

void
pool_target_fail(struct pool_target *t, unsigned long seq, enum outcome oc,
    const struct fault *f, enum smtp_stage stage)
{
	struct pool_waiter *w;

	while ((w = TAILQ_FIRST(&t->waiters)) != NULL && w->seq <= seq) {
		w->outcome = oc;
		w->fault = *f;
		w->stage = stage;
		waiter_done(t, w);
	}
}

bool
pool_target_barred(const struct pool_target *t, int64_t now_ms)
{
	return t->breaker.state != BREAKER_CLOSED &&
	    now_ms < t->breaker.until_ms;
}

/* The breaker has opened: nobody waits for what will not be tried. */
static void
target_down(struct pool_target *t, enum outcome oc, const struct fault *f,
    enum smtp_stage stage)
{
	log_warning("upstream %s: not asked for %lld s: %s", t->place->label,
	    (long long)(t->breaker.pause_ms / 1000), f->text);
	t->last = *f;
	t->last_stage = stage;
	t->works = false;
	pool_target_fail(t, t->seq, oc, f, stage);
}

void
pool_target_blame(struct pool_target *t, const struct fault *f, bool refused)
{
	int64_t now_ms = clock_ms();

	if (refused)
		t->left_alone = true;
	if (refused ? breaker_refused(&t->breaker, now_ms)
		    : breaker_bad(&t->breaker, now_ms))
		target_down(t, OUTCOME_TEMP, f, STAGE_AUTH);
}

/* Growing */

bool
pool_target_is_warm(const struct pool_target *t, int64_t now_ms)
{
	return !t->old && t->options->warm_sessions > 0 &&
	    (t->warm || now_ms < t->asked_ms + POOL_KEEP_MS);
}

static size_t
target_wants(const struct pool_target *t, int64_t now_ms)
{
	size_t want = t->n_waiting;
	size_t have = t->n[LEASE_OPENING] + t->n[LEASE_SPENT] +
	    t->n[LEASE_RESETTING] + t->n[LEASE_CHECKING] + t->n[LEASE_IDLE];

	if (now_ms >= t->retry_ms && pool_target_is_warm(t, now_ms))
		want += (size_t)t->options->warm_sessions;
	return want > have ? want - have : 0;
}

static bool
open_one(struct pool_target *t, int64_t now_ms)
{
	struct pool_lease *l = calloc(1, sizeof(*l));
	struct fault f;

	if (l != NULL) {
		l->target = t;
		l->state = LEASE_OPENING;
		l->since_ms = now_ms;
		l->last_seq = t->seq;
		l->abort_fd = -1;
		t->n[LEASE_OPENING]++;
		t->place->sessions++;
		TAILQ_INSERT_TAIL(&t->leases, l, all);
		if (begin_job(l, now_ms) || crew_job(l))
			return true;
		lease_free(l);
	}
	log_error("upstream %s: cannot begin a session: no thread or memory",
	    t->place->label);
	fault_set(&f, FAULT_LOCAL, "no thread or memory to begin a session");
	breaker_untried(&t->breaker, now_ms);
	t->retry_ms = now_ms + POOL_RETRY_MS;
	pool_target_fail(t, t->seq, OUTCOME_TEMP, &f, STAGE_CONNECT);
	return false;
}

void
pool_target_grow(struct pool_target *t, int64_t now_ms)
{
	size_t most = t->works ? POOL_OPENINGS_MAX : POOL_OPENINGS_TRIAL;
	size_t n = target_wants(t, now_ms);

	if (t->pool->stop || t->growing)
		return;
	t->growing = true; /* what ends on the way must not begin another */
	for (; n > 0; n--) {
		if (t->n[LEASE_OPENING] >= most ||
		    pool_target_barred(t, now_ms) || !place_room(t, now_ms) ||
		    !breaker_allows(&t->breaker, now_ms) ||
		    !open_one(t, now_ms))
			break;
	}
	t->growing = false;
}

/* What came of an opening */

void
pool_target_opened(struct pool_lease *l, struct session *s)
{
	struct pool_target *t = l->target;
	int64_t now_ms = clock_ms();

	l->session = s;
	t->opened++;
	if (t->left_alone && t->breaker.state == BREAKER_OPEN) {
		lease_end(l); /* it began before we were told */
		return;
	}
	t->left_alone = false;
	t->works = true;
	t->life_ms = now_ms;
	t->doomed = 0;
	if (breaker_good(&t->breaker))
		log_info("upstream %s: works again", t->place->label);
	lease_ready(l, now_ms);
	pool_target_grow(t, now_ms);
}

/* The upstream serves us, but no more of us: a limit of connections. */
static bool
has_enough(struct pool_target *t, const struct fault *f, enum smtp_stage stage,
    int64_t now_ms)
{
	size_t live = t->n[LEASE_IN_USE] + t->n[LEASE_IDLE] +
	    t->n[LEASE_SPENT] + t->n[LEASE_RESETTING] + t->n[LEASE_CHECKING] +
	    t->n[LEASE_CLOSING];

	if (f->origin != FAULT_REPLY || f->code / 100 != 4 ||
	    stage != STAGE_GREETING || live == 0)
		return false;
	if (now_ms >= t->enough_ms)
		log_info("upstream %s: takes no more than %zu sessions: %d %s",
		    t->place->label, live, f->code, f->text);
	t->enough = live;
	t->enough_ms = now_ms + POOL_ENOUGH_MS;
	breaker_untried(&t->breaker, now_ms);
	return true;
}

static bool
count_failure(struct pool_target *t, const struct fault *f, int64_t now_ms)
{
	if (f->origin == FAULT_LOCAL) {
		breaker_untried(&t->breaker, now_ms);
		return false;
	}
	if (f->origin == FAULT_REPLY && f->code == 421) {
		t->left_alone = true;
		return breaker_refused(&t->breaker, now_ms);
	}
	return breaker_bad(&t->breaker, now_ms);
}

/*
 * Those who waited when a failed opening began have waited for it, and go to
 * the next host, unless the upstream has been seen alive since.  While older
 * openings are under way, it is too early to tell: of many begun at once one
 * may well fail.
 */
static void
doom(struct pool_target *t, unsigned long seq, enum outcome oc,
    const struct fault *f, enum smtp_stage stage)
{
	const struct pool_lease *l;

	if (t->doomed < seq)
		t->doomed = seq;
	seq = t->doomed;
	TAILQ_FOREACH(l, &t->leases, all) {
		if (l->state != LEASE_OPENING)
			continue;
		if (l->last_seq <= seq)
			seq = l->last_seq > 0 ? l->last_seq - 1 : 0;
		break;
	}
	pool_target_fail(t, seq, oc, f, stage);
}

void
pool_target_failed(struct pool_lease *l, enum outcome oc, const struct fault *f,
    enum smtp_stage stage)
{
	struct pool_target *t = l->target;
	unsigned long seq = l->last_seq;
	int64_t now_ms = clock_ms();
	bool life = t->life_ms >= l->since_ms;

	log_debug("upstream %s: no session, at %s: %s", t->place->label,
	    stage_name(stage), f->text);
	t->failed++;
	t->growing = true; /* not before it is known what this means */
	lease_free(l);
	t->growing = false;
	t->retry_ms = now_ms + POOL_RETRY_MS;
	if (!has_enough(t, f, stage, now_ms)) {
		t->works = life;
		if (count_failure(t, f, now_ms))
			target_down(t, oc, f, stage);
		else if (!life || f->origin == FAULT_LOCAL)
			doom(t, seq, oc, f, stage);
	}
	pool_target_grow(t, now_ms);
}
