/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/timers.h"

#include <stdlib.h>
#include <string.h>

void
timers_init(struct timers *t)
{
	memset(t, 0, sizeof(*t));
}

void
timers_release(struct timers *t)
{
	free(t->heap);
	timers_init(t);
}

bool
timers_reserve(struct timers *t, size_t n)
{
	size_t room = t->room < 64 ? 64 : t->room;
	struct timer **heap;

	if (n <= t->room)
		return true;
	while (room < n)
		room *= 2;
	if ((heap = reallocarray(t->heap, room, sizeof(struct timer *))) ==
	    NULL)
		return false;
	t->heap = heap;
	t->room = room;
	return true;
}

static void
put(struct timers *t, size_t place, struct timer *timer)
{
	t->heap[place - 1] = timer;
	timer->place = place;
}

static void
rise(struct timers *t, struct timer *timer)
{
	size_t i = timer->place;

	while (i > 1 && t->heap[i / 2 - 1]->at_ms > timer->at_ms) {
		put(t, i, t->heap[i / 2 - 1]);
		i /= 2;
	}
	put(t, i, timer);
}

static void
sink(struct timers *t, struct timer *timer)
{
	size_t i = timer->place, child;

	while ((child = 2 * i) <= t->n) {
		if (child < t->n &&
		    t->heap[child]->at_ms < t->heap[child - 1]->at_ms)
			child++;
		if (t->heap[child - 1]->at_ms >= timer->at_ms)
			break;
		put(t, i, t->heap[child - 1]);
		i = child;
	}
	put(t, i, timer);
}

void
timer_set(struct timers *t, struct timer *timer, int64_t at_ms)
{
	timer->at_ms = at_ms;
	if (timer->place == 0)
		put(t, ++t->n, timer);
	rise(t, timer);
	sink(t, timer);
}

void
timer_clear(struct timers *t, struct timer *timer)
{
	size_t place = timer->place;
	struct timer *last;

	if (place == 0)
		return;
	timer->place = 0;
	last = t->heap[--t->n];
	if (last == timer)
		return;
	put(t, place, last);
	rise(t, last);
	sink(t, last);
}

struct timer *
timers_first(const struct timers *t)
{
	return t->n == 0 ? NULL : t->heap[0];
}

void
timers_change(struct timers *t, timer_when *when, void *arg)
{
	for (size_t i = 0; i < t->n; i++)
		t->heap[i]->at_ms = when(arg, t->heap[i]);
	for (size_t i = t->n / 2; i > 0; i--)
		sink(t, t->heap[i - 1]);
}
