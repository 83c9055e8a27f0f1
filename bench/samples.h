/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * samples - durations, and their percentiles
 */
#ifndef POSTERN_BENCH_SAMPLES_H
#define POSTERN_BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
	uint32_t *us;
	size_t used, size;
};

/* Keep one duration of ${ns} nanoseconds.  -1: out of memory. */
int samples_add(struct samples *s, uint64_t ns);

/* To be called once, before samples_at(). */
void samples_sort(struct samples *s);

/* The ${percent}th percentile in microseconds; 0 without samples. */
uint32_t samples_at(const struct samples *s, unsigned int percent);

void samples_release(struct samples *s);

#endif /* POSTERN_BENCH_SAMPLES_H */
