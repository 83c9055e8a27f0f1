/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock - monotonic time, and deadlines as points in it
 *
 * A deadline is a point, not a length: passed down through calls it means
 * the same at every wait.  The wall clock is never used for waiting.  Any
 * thread.
 */
#ifndef POSTERN_COMMON_CLOCK_H
#define POSTERN_COMMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct deadline {
	int64_t at_ms; /* on the scale of clock_ms() */
};

/*
 * clock_ms(), clock_us(): milliseconds, microseconds of CLOCK_MONOTONIC.
 */
int64_t clock_ms(void);
int64_t clock_us(void);

/*
 * deadline_in(ms): the point ms milliseconds from now; now itself for a
 * negative ms, the farthest point there is when the sum would overflow.
 */
struct deadline deadline_in(int64_t ms);

/*
 * deadline_left_ms(d): milliseconds until d, 0 when it has passed.
 */
int64_t deadline_left_ms(struct deadline d);

/*
 * deadline_left_poll(d): the same for poll(2): at most INT_MAX.
 */
int deadline_left_poll(struct deadline d);

/*
 * deadline_passed(d): has d been reached?
 */
bool deadline_passed(struct deadline d);

/*
 * deadline_sooner(a, b): the one that is reached first.
 */
struct deadline deadline_sooner(struct deadline a, struct deadline b);

#endif /* POSTERN_COMMON_CLOCK_H */
