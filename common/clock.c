/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/clock.h"

#include <limits.h>
#include <time.h>

int64_t
clock_us(void)
{
	struct timespec ts = { 0 };

	/* Cannot fail: the clock always exists and ts is ours. */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

struct deadline
deadline_in(int64_t ms)
{
	int64_t now = clock_ms();

	if (ms < 0)
		ms = 0;
	if (ms > INT64_MAX - now)
		return (struct deadline){ .at_ms = INT64_MAX };
	return (struct deadline){ .at_ms = now + ms };
}

int64_t
deadline_left_ms(struct deadline d)
{
	int64_t now = clock_ms();

	return d.at_ms > now ? d.at_ms - now : 0;
}

int
deadline_left_poll(struct deadline d)
{
	int64_t left = deadline_left_ms(d);

	return left > INT_MAX ? INT_MAX : (int)left;
}

bool
deadline_passed(struct deadline d)
{
	return deadline_left_ms(d) == 0;
}

struct deadline
deadline_sooner(struct deadline a, struct deadline b)
{
	return a.at_ms <= b.at_ms ? a : b;
}
