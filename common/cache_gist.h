/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache_gist - what many cached answers have in common, held once
 *
 * The gist of an answer is all of it but its text: a million recipients share
 * a few dozen.  Part of the verdict cache and under its lock.
 */
#ifndef POSTERN_COMMON_CACHE_GIST_H
#define POSTERN_COMMON_CACHE_GIST_H

#include <stddef.h>

#include "common/answer.h"

/* What malloc() adds to an allocation, about. */
#define CACHE_MALLOC_COST 16

struct gists;
struct gist;

/* gists_new(max): room for max different gists, which must never be passed:
 * one more than there are entries.  NULL when memory is short. */
struct gists *gists_new(size_t max);
void gists_free(struct gists *all); /* NULL does nothing */

/* gists_bytes(all): the memory that the gists take. */
size_t gists_bytes(const struct gists *all);

/* gist_ref(all, a): a reference to the gist of a, or NULL when memory is
 * short. */
struct gist *gist_ref(struct gists *all, const struct answer *a);
void gist_unref(struct gists *all, struct gist *g);

/* gist_answer(g, out): set everything in *out but its text. */
void gist_answer(const struct gist *g, struct answer *out);

#endif /* POSTERN_COMMON_CACHE_GIST_H */
