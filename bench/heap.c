/* SPDX-License-Identifier: BSD-2-Clause */
#include "heap.h"

#include <stdlib.h>

static void
put(struct heap *h, struct heap_node *n, size_t at)
{
	h->nodes[at] = n;
	n->at = at;
}

/* Let ${n} find its place from ${at}, which is free. */
static void
sift(struct heap *h, struct heap_node *n, size_t at)
{
	size_t child;

	while (at > 1 && h->nodes[at / 2]->due > n->due) {
		put(h, h->nodes[at / 2], at);
		at /= 2;
	}
	while ((child = at * 2) <= h->used) {
		if (child < h->used &&
		    h->nodes[child + 1]->due < h->nodes[child]->due)
			child++;
		if (h->nodes[child]->due >= n->due)
			break;
		put(h, h->nodes[child], at);
		at = child;
	}
	put(h, n, at);
}

int
heap_set(struct heap *h, struct heap_node *n, uint64_t due)
{
	struct heap_node **grown;
	size_t size = h->size == 0 ? 64 : h->size * 2;

	n->due = due;
	if (n->at != 0) {
		sift(h, n, n->at);
		return 0;
	}
	if (h->used + 1 >= h->size) {
		grown =
		    reallocarray(h->nodes, size, sizeof(struct heap_node *));
		if (grown == NULL)
			return -1;
		h->nodes = grown;
		h->size = size;
	}
	sift(h, n, ++h->used);
	return 0;
}

void
heap_remove(struct heap *h, struct heap_node *n)
{
	struct heap_node *last;
	size_t at = n->at;

	if (at == 0)
		return;
	n->at = 0;
	last = h->nodes[h->used--];
	if (last != n)
		sift(h, last, at);
}

struct heap_node *
heap_first(const struct heap *h)
{
	return h->used == 0 ? NULL : h->nodes[1];
}

void
heap_release(struct heap *h)
{
	free(h->nodes);
	h->nodes = NULL;
	h->used = h->size = 0;
}
