/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * workers - threads that do work which blocks
 *
 * As many as there is work at once, up to a limit; one that has had nothing
 * to do for a while ends.  Work that finds no thread waits in a queue, which
 * has a limit, too.  The thread that was idle last is taken first, so that
 * the others can end.  Any thread.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_WORKERS_H
#define POSTERN_SASLAUTH_PLUGIN_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct workers;

/* A piece of work: a part of what is to be done, in its owner's memory. */
struct work {
	STAILQ_ENTRY(work) entry;
};

struct workers_params {
	size_t max_threads;
	size_t max_queue;
	size_t stack;    /* octets for each thread */
	int64_t idle_ms; /* how long one waits for work before it ends */
	void (*fn)(struct work *); /* on a worker; has the work from then on */
};

struct workers *workers_new(const struct workers_params *p); /* or NULL */

/* workers_give(w, work): have it done.  False, and nothing is done, when the
 * queue is full or no thread can be made. */
bool workers_give(struct workers *w, struct work *work);

/* workers_count(w, threads, queued): both now. */
void workers_count(struct workers *w, size_t *threads, size_t *queued);

/* workers_free(w): do what has been given, end the threads.  Nobody may give
 * any more.  NULL does nothing. */
void workers_free(struct workers *w);

#endif /* POSTERN_SASLAUTH_PLUGIN_WORKERS_H */
