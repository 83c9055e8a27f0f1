/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/buffer.h"

#include <stdlib.h>
#include <string.h>

bool
buffer_init(struct buffer *b)
{
	memset(b, 0, sizeof(*b));
	return (b->data = malloc(BUFFER_SIZE)) != NULL;
}

void
buffer_release(struct buffer *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

size_t
buffer_room(struct buffer *b)
{
	/* Nothing is moved for a little room: the writer will make more. */
	if (b->start == b->end) {
		b->start = b->clear = b->end = 0;
	} else if (b->start > 0 && BUFFER_SIZE - b->end < BUFFER_SIZE / 4) {
		memmove(b->data, b->data + b->start, b->end - b->start);
		b->clear -= b->start;
		b->end -= b->start;
		b->start = 0;
	}
	return BUFFER_SIZE - b->end;
}

void
buffer_take(struct buffer *b, size_t n)
{
	b->clear += n;
	b->start = b->clear;
}
