/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/thread_chain.h"

bool
thread_chain_leave(struct thread_chain *c, pthread_t *before)
{
	bool any = c->any;

	if (any)
		*before = c->last;
	c->last = pthread_self();
	c->any = true;
	return any;
}

void
thread_chain_join(struct thread_chain *c)
{
	if (c->any)
		(void)pthread_join(c->last, NULL);
	c->any = false;
}
