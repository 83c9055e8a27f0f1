/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer - octets on their way, read but not yet written
 *
 * One a direction, of a fixed size: when it is full nothing more is read, so
 * that a slow reader slows the writer down.  What has been looked at and may
 * go on is `cleared`; it is written from where it lies.
 *
 *	start .. clear   may be written
 *	clear .. end     still to be looked at
 */
#ifndef POSTERN_FRONT_BUFFER_H
#define POSTERN_FRONT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#define BUFFER_SIZE 65536

struct buffer {
	char *data; /* BUFFER_SIZE octets */
	size_t start;
	size_t clear;
	size_t end;
};

/* buffer_init(b): false without memory. */
bool buffer_init(struct buffer *b);
void buffer_release(struct buffer *b);

/* buffer_room(b): make what room there is, at `end`; returns its octets. */
size_t buffer_room(struct buffer *b);

/* What is still to be looked at. */
static inline const char *
buffer_rest(const struct buffer *b)
{
	return b->data + b->clear;
}

static inline size_t
buffer_rest_len(const struct buffer *b)
{
	return b->end - b->clear;
}

/* Is there nothing that waits to be written? */
static inline bool
buffer_flushed(const struct buffer *b)
{
	return b->start == b->clear;
}

/* buffer_take(b, n): n octets that were looked at go no further; only when
 * nothing waits to be written. */
void buffer_take(struct buffer *b, size_t n);

#endif /* POSTERN_FRONT_BUFFER_H */
