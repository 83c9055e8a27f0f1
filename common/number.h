/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * number - whole numbers and durations from text
 *
 * The one place where digits become numbers.  Always the whole string, no
 * white space, no locale, a range on every call.  Pure: no I/O, no
 * allocation, no log.
 */
#ifndef POSTERN_COMMON_NUMBER_H
#define POSTERN_COMMON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any duration_format() result with its NUL. */
#define DURATION_TEXT_MAX 24

/*
 * number_parse(text, min, max, out): read a decimal whole number.
 *
 *   text  ["-"] 1*DIGIT, nothing else; not kept
 *   out   set on success only
 *
 * Returns false when text is anything else, or outside min..max.
 */
bool number_parse(
    const char *text, long long min, long long max, long long *out);

/*
 * duration_parse(text, ms_out): read a duration.
 *
 *   text    1*DIGIT [ "ms" / "s" / "m" / "h" / "d" ]; without a unit it is
 *           seconds; not kept
 *   ms_out  milliseconds, 0 or more; set on success only
 *
 * Returns false for anything else and for what an int64_t cannot hold.
 */
bool duration_parse(const char *text, int64_t *ms_out);

/*
 * duration_format(ms, buf, size): write ms so that duration_parse() reads the
 * same value: with the largest unit that leaves no remainder ("24h" is
 * "1d"), 0 as "0s".  A negative ms is written as "0s".
 *
 *   buf, size  where to; DURATION_TEXT_MAX is always enough
 *
 * Returns buf, holding "" when size was too small.
 */
const char *duration_format(int64_t ms, char *buf, size_t size);

#endif /* POSTERN_COMMON_NUMBER_H */
