/* SPDX-License-Identifier: BSD-2-Clause */
#include "samples.h"

#include <stdlib.h>

int
samples_add(struct samples *s, uint64_t ns)
{
	size_t size = s->size == 0 ? 4096 : s->size * 2;
	uint64_t us = ns / 1000;
	uint32_t *grown;

	if (s->used == s->size) {
		grown = reallocarray(s->us, size, sizeof(*grown));
		if (grown == NULL)
			return -1;
		s->us = grown;
		s->size = size;
	}
	s->us[s->used++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void
samples_sort(struct samples *s)
{
	if (s->used > 0)
		qsort(s->us, s->used, sizeof(*s->us), compare);
}

uint32_t
samples_at(const struct samples *s, unsigned int percent)
{
	return s->used == 0 ? 0 : s->us[(s->used - 1) * percent / 100];
}

void
samples_release(struct samples *s)
{
	free(s->us);
	s->us = NULL;
	s->used = s->size = 0;
}
