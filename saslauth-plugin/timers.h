/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timers - many points in time, of which the next is wanted
 *
 * A heap of timers that lie in their owners' memory.  To set and to clear
 * takes a time that grows with the logarithm of their number.  No locks.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_TIMERS_H
#define POSTERN_SASLAUTH_PLUGIN_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: not set. */
struct timer {
	int64_t at_ms; /* on the scale of clock_ms() */
	size_t place;  /* in the heap, counted from 1; 0: not set */
};

struct timers {
	struct timer **heap; /* owned; the timers are not */
	size_t n, room;
};

void timers_init(struct timers *t);
void timers_release(struct timers *t); /* none need be cleared before */

/* timers_reserve(t, n): make room for n timers.  Returns false without
 * memory. */
bool timers_reserve(struct timers *t, size_t n);

/* timer_set(t, timer, at_ms): to another time if it is set already.  There is
 * room for it. */
void timer_set(struct timers *t, struct timer *timer, int64_t at_ms);
void timer_clear(struct timers *t, struct timer *timer);

/* timers_first(t): the one that is due first, or NULL. */
struct timer *timers_first(const struct timers *t);

/* timers_change(t, when, arg): give each that is set the time that when()
 * says; which may not touch t. */
typedef int64_t timer_when(void *arg, const struct timer *timer);
void timers_change(struct timers *t, timer_when *when, void *arg);

#endif /* POSTERN_SASLAUTH_PLUGIN_TIMERS_H */
