/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * breaker - stop asking an endpoint that does not work
 *
 * Closed: all is well.  Open: nobody asks until a pause has passed.  Half
 * open: one trial is under way; its end decides.  A pure value: the caller
 * gives the time and does the locking.
 */
#ifndef POSTERN_COMMON_BREAKER_H
#define POSTERN_COMMON_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

/* Failures in a row that open it, and the pause before a trial; the pause
 * doubles with each failed trial up to the longest. */
#define BREAKER_FAILURES   5
#define BREAKER_PAUSE_MS   5000
#define BREAKER_PAUSE_MAX  60000
#define BREAKER_REFUSED_MS 30000 /* after a 421: the upstream asked for it */
#define BREAKER_TRIAL_MS   30000 /* a trial without an end is given up */

enum breaker_state {
	BREAKER_CLOSED,
	BREAKER_OPEN,
	BREAKER_HALF_OPEN
};

struct breaker { /* all zero is a closed breaker */
	enum breaker_state state;
	int failures;     /* in a row while closed */
	int64_t pause_ms; /* the last pause taken */
	int64_t until_ms; /* open: the time of the trial; half open: its end */
};

/*
 * breaker_allows(b, now): whether a connection may be tried now.  When the
 * pause is over this says true once, and the breaker is half open: the caller
 * must report the end with one of the functions below.
 */
bool breaker_allows(struct breaker *b, int64_t now_ms);

/* breaker_untried(b, now): what was allowed did not take place; the next one
 * may try. */
void breaker_untried(struct breaker *b, int64_t now_ms);

/* breaker_good(b): the endpoint answered; closes.  True when it was not
 * closed before, so that the caller can log it. */
bool breaker_good(struct breaker *b);

/* breaker_bad(b, now): a connection failed or broke.  True when this opened
 * the breaker. */
bool breaker_bad(struct breaker *b, int64_t now_ms);

/* breaker_refused(b, now): the endpoint said 421; opens at once.  True when it
 * was not open before. */
bool breaker_refused(struct breaker *b, int64_t now_ms);

const char *breaker_name(const struct breaker *b);

#endif /* POSTERN_COMMON_BREAKER_H */
