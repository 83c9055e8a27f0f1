/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "common/conf.h"
#include "common/engine.h"

/* An idle session of another identity, to be closed in favour of one that
 * fits; none while one is being closed. */
static struct line *
target_idle_line(const struct target *t)
{
	struct line *l, *idle = NULL;

	TAILQ_FOREACH(l, &t->lines, entry) {
		if (l->quit_ms != 0)
			return NULL;
		if (idle == NULL && TAILQ_EMPTY(&l->sent))
			idle = l;
	}
	return idle;
}

/* Sessions that are there and may be given more, and those that are coming,
 * of this identity. */
static size_t
target_lines_of(const struct target *t, const struct identity *id)
{
	const struct line *l;
	size_t n = 0;

	TAILQ_FOREACH(l, &t->lines, entry)
		if (!l->retire && identity_equal(&l->id, id))
			n++;
	return n;
}

static size_t
target_openings_of(const struct target *t, const struct identity *id)
{
	const struct opened *o;
	size_t n = 0;

	TAILQ_FOREACH(o, &t->openings, opening_entry)
		if (identity_equal(&o->id, id))
			n++;
	return n;
}

size_t
target_lines_max(const struct target *t, int64_t now_ms)
{
	size_t max = (size_t)t->up->max_sessions;

	return now_ms < t->lines_max_ms && t->lines_max < max ? t->lines_max
							      : max;
}

/* All sessions are busy with other identities: one of them gets no more, so
 * that those do not keep this one out for good. */
static void
target_make_room(struct target *t)
{
	struct line *l, *least = NULL;

	TAILQ_FOREACH(l, &t->lines, entry) {
		if (l->retire)
			return; /* it will be that one's place */
		if (least == NULL || l->outstanding < least->outstanding)
			least = l;
	}
	if (least != NULL)
		least->retire = true;
}

/* Both allow a connection; one that is asked in vain has not been tried. */
static bool
target_breakers_allow(struct target *t, int64_t now_ms)
{
	if (!breaker_allows(&t->own, now_ms))
		return false;
	if (breaker_allows(t->breaker, now_ms))
		return true;
	breaker_untried(&t->own, now_ms);
	return false;
}

bool
target_grow(struct target *t, const struct probe *p, const struct identity *id,
    int64_t now_ms)
{
	bool served = target_lines_of(t, id) + target_openings_of(t, id) > 0;
	struct line *idle = NULL;

	if (t->n_lines + t->n_opening >= target_lines_max(t, now_ms)) {
		if (t->n_opening > 0)
			return true;
		if ((idle = target_idle_line(t)) == NULL) {
			if (!served)
				target_make_room(t);
			return true;
		}
	}
	if (!p->q.direct && !target_breakers_allow(t, now_ms))
		return served;
	if (idle != NULL) {
		line_quit(idle);
		served = true; /* when its place is free */
	} else {
		switch (opener_start(t, p)) {
		case OPENER_STARTED:
			return true;
		case OPENER_FULL:
			served = true; /* its turn comes */
			break;
		case OPENER_FAILED:
			break;
		}
	}
	breaker_untried(&t->own, now_ms);
	breaker_untried(t->breaker, now_ms);
	return served;
}

bool
target_wants_more(
    const struct target *t, const struct identity *id, int64_t now_ms)
{
	size_t window = (size_t)target_window(t, now_ms);
	size_t coming = target_openings_of(t, id);

	if (window > (size_t)t->up->max_errors)
		window = (size_t)t->up->max_errors;
	return coming == 0 || t->n_queue > window * coming;
}
