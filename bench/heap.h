/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap - what is due first
 *
 * A binary heap of caller-owned nodes, embedded in the caller's structs.
 */
#ifndef POSTERN_BENCH_HEAP_H
#define POSTERN_BENCH_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_node {
	uint64_t due;
	size_t at; /* place in the heap, from 1; 0: not in it */
};

struct heap {
	struct heap_node **nodes;
	size_t used, size;
};

/* Put ${n} in, or move it, to be due at ${due}.  -1: out of memory. */
int heap_set(struct heap *h, struct heap_node *n, uint64_t due);

/* Take ${n} out, if it is in. */
void heap_remove(struct heap *h, struct heap_node *n);

/* The node due first, NULL when there is none. */
struct heap_node *heap_first(const struct heap *h);

void heap_release(struct heap *h);

#endif /* POSTERN_BENCH_HEAP_H */
