/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread_chain - threads that end when they like, and are joined all the same
 *
 * A thread that is detached may still be on its way out when the process
 * ends; what libraries keep for it (the error queue of OpenSSL) is lost then,
 * and its stack with it.  Here each that leaves joins the one that left before
 * it, so that who joins the last has joined them all, and never more than one
 * waits to be joined.
 */
#ifndef POSTERN_COMMON_THREAD_CHAIN_H
#define POSTERN_COMMON_THREAD_CHAIN_H

#include <pthread.h>
#include <stdbool.h>

/* All zero: nobody has left.  Guarded by a lock of its owner's. */
struct thread_chain {
	pthread_t last; /* that left, whom nobody has joined */
	bool any;
};

/*
 * thread_chain_leave(c, before): the calling thread, which is joinable, is
 * about to end.  With the lock held, that c is guarded by.
 *
 * True: it is to pthread_join() *before, without the lock, and c may be gone
 * by then.
 */
bool thread_chain_leave(struct thread_chain *c, pthread_t *before);

/* thread_chain_join(c): wait for those that have left.  Nobody leaves any
 * more. */
void thread_chain_join(struct thread_chain *c);

#endif /* POSTERN_COMMON_THREAD_CHAIN_H */
