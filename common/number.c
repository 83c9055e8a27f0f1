/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/number.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Largest first; both directions use it. */
static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {
	{ "d", 86400000 },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
};

#define UNITS (sizeof(units) / sizeof(units[0]))

/*
 * Read 1*DIGIT at *text as a negative number, which has room for the
 * smallest long long too, and step over it.
 */
static bool
digits(const char **text, long long *negative)
{
	const char *s = *text;
	long long v = 0;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		int d = *s - '0';

		if (v < (LLONG_MIN + d) / 10)
			return false;
		v = v * 10 - d;
	}
	*text = s;
	*negative = v;
	return true;
}

bool
number_parse(const char *text, long long min, long long max, long long *out)
{
	bool minus = *text == '-';
	long long v;

	if (minus)
		text++;
	if (!digits(&text, &v) || *text != '\0')
		return false;
	if (!minus) {
		if (v == LLONG_MIN)
			return false;
		v = -v;
	}
	if (v < min || v > max)
		return false;
	*out = v;
	return true;
}

bool
duration_parse(const char *text, int64_t *ms_out)
{
	long long negative;
	int64_t n;
	size_t i;

	if (!digits(&text, &negative) || negative < -INT64_MAX)
		return false;
	n = -negative;
	if (*text == '\0')
		text = "s";
	for (i = 0; i < UNITS; i++) {
		if (strcmp(text, units[i].name) != 0)
			continue;
		if (n > INT64_MAX / units[i].ms)
			return false;
		*ms_out = n * units[i].ms;
		return true;
	}
	return false;
}

const char *
duration_format(int64_t ms, char *buf, size_t size)
{
	char text[DURATION_TEXT_MAX];
	size_t i = 0, len;
	int n;

	if (ms < 0)
		ms = 0;
	if (ms == 0)
		i = UNITS - 2; /* "0s" */
	while (ms % units[i].ms != 0)
		i++;
	n = snprintf(text, sizeof(text), "%" PRId64 "%s", ms / units[i].ms,
	    units[i].name);
	len = n < 0 ? 0 : (size_t)n;
	if (len < size)
		memcpy(buf, text, len + 1);
	else if (size > 0)
		buf[0] = '\0';
	return buf;
}
