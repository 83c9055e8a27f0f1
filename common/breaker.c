/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "common/breaker.h"

static void
breaker_open(struct breaker *b, int64_t now_ms, int64_t pause_ms)
{
	b->state = BREAKER_OPEN;
	b->failures = 0;
	b->pause_ms = pause_ms;
	b->until_ms = now_ms + pause_ms;
}

bool
breaker_allows(struct breaker *b, int64_t now_ms)
{
	if (b->state == BREAKER_CLOSED)
		return true;
	if (now_ms < b->until_ms)
		return false;
	/* A half-open breaker whose trial never ended comes here too. */
	b->state = BREAKER_HALF_OPEN;
	b->until_ms = now_ms + BREAKER_TRIAL_MS;
	return true;
}

void
breaker_untried(struct breaker *b, int64_t now_ms)
{
	if (b->state != BREAKER_HALF_OPEN)
		return;
	b->state = BREAKER_OPEN;
	b->until_ms = now_ms;
}

bool
breaker_good(struct breaker *b)
{
	bool was_closed = b->state == BREAKER_CLOSED;

	b->state = BREAKER_CLOSED;
	b->failures = 0;
	b->pause_ms = 0;
	return !was_closed;
}

bool
breaker_bad(struct breaker *b, int64_t now_ms)
{
	int64_t pause = BREAKER_PAUSE_MS;

	switch (b->state) {
	case BREAKER_OPEN:
		return false; /* a straggler that began before it opened */
	case BREAKER_HALF_OPEN:
		if (b->pause_ms > 0)
			pause = b->pause_ms * 2;
		if (pause > BREAKER_PAUSE_MAX)
			pause = BREAKER_PAUSE_MAX;
		break;
	case BREAKER_CLOSED:
		if (++b->failures < BREAKER_FAILURES)
			return false;
		break;
	}
	breaker_open(b, now_ms, pause);
	return true;
}

bool
breaker_refused(struct breaker *b, int64_t now_ms)
{
	bool was_open = b->state == BREAKER_OPEN;

	if (!was_open)
		breaker_open(b, now_ms, BREAKER_REFUSED_MS);
	return !was_open;
}

const char *
breaker_name(const struct breaker *b)
{
	switch (b->state) {
	case BREAKER_CLOSED:
		return "closed";
	case BREAKER_OPEN:
		return "open";
	case BREAKER_HALF_OPEN:
		return "half-open";
	}
	return "?";
}
