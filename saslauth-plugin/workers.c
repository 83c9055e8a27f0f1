/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "common/errtext.h"
#include "common/thread_chain.h"
#include "saslauth-plugin/complain.h"

/* A thread that waits: on its own stack. */
struct worker {
	SLIST_ENTRY(worker) entry;
	pthread_cond_t cond;
	struct work *work; /* NULL: none yet */
	bool listed;
};

struct workers {
	struct workers_params p;
	pthread_attr_t attr;
	pthread_condattr_t cond_attr;
	pthread_mutex_t lock; /* guards all that follows */
	SLIST_HEAD(, worker) idle;
	STAILQ_HEAD(, work) queue;
	size_t n_threads, n_queued;
	struct thread_chain gone;
	size_t n_starting; /* threads: each will take one off the queue */
	bool stop;
	pthread_cond_t ended; /* n_threads is 0 */
};

static void
point_in(int64_t ms, struct timespec *out)
{
	(void)clock_gettime(CLOCK_MONOTONIC, out);
	out->tv_sec += ms / 1000;
	out->tv_nsec += (long)(ms % 1000) * 1000000L;
	if (out->tv_nsec >= 1000000000L) {
		out->tv_sec++;
		out->tv_nsec -= 1000000000L;
	}
}

/* Under the lock: the next work, or NULL when this thread is to end. */
static struct work *
work_wait(struct workers *w, struct worker *me)
{
	struct work *work = STAILQ_FIRST(&w->queue);
	struct timespec until;
	int rc = 0;

	if (work != NULL) {
		STAILQ_REMOVE_HEAD(&w->queue, entry);
		w->n_queued--;
		return work;
	}
	if (w->stop)
		return NULL;
	me->work = NULL;
	me->listed = true;
	SLIST_INSERT_HEAD(&w->idle, me, entry);
	point_in(w->p.idle_ms, &until);
	while (me->listed && !w->stop && rc == 0)
		rc = pthread_cond_timedwait(&me->cond, &w->lock, &until);
	if (me->listed)
		SLIST_REMOVE(&w->idle, me, worker, entry);
	return me->work;
}

static void *
worker_main(void *arg)
{
	struct workers *w = arg;
	struct worker me = { .work = NULL };
	struct work *work;
	pthread_t before;
	bool joins;

	pthread_cond_init(&me.cond, &w->cond_attr);
	pthread_mutex_lock(&w->lock);
	w->n_starting--;
	while ((work = work_wait(w, &me)) != NULL) {
		pthread_mutex_unlock(&w->lock);
		w->p.fn(work);
		pthread_mutex_lock(&w->lock);
	}
	joins = thread_chain_leave(&w->gone, &before);
	if (--w->n_threads == 0)
		pthread_cond_signal(&w->ended);
	pthread_cond_destroy(&me.cond);
	pthread_mutex_unlock(&w->lock);
	if (joins)
		(void)pthread_join(before, NULL);
	return NULL;
}

struct workers *
workers_new(const struct workers_params *p)
{
	struct workers *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->p = *p;
	SLIST_INIT(&w->idle);
	STAILQ_INIT(&w->queue);
	if (pthread_attr_init(&w->attr) != 0 ||
	    pthread_attr_setstacksize(&w->attr, p->stack) != 0 ||
	    pthread_condattr_init(&w->cond_attr) != 0 ||
	    pthread_condattr_setclock(&w->cond_attr, CLOCK_MONOTONIC) != 0) {
		free(w);
		return NULL;
	}
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->ended, NULL);
	return w;
}

/* Under the lock.  Work is there for it already. */
static bool
thread_add(struct workers *w)
{
	static struct log_limit limit;
	pthread_t thread;
	int rc;

	if (w->n_threads >= w->p.max_threads)
		return false;
	w->n_threads++;
	w->n_starting++;
	if ((rc = pthread_create(&thread, &w->attr, worker_main, w)) == 0)
		return true;
	w->n_threads--;
	w->n_starting--;
	errno = rc;
	if (!log_limited(&limit, 10000))
		log_warning(
		    "no more than %zu logins at once: %s", w->n_threads, ERRNO);
	return false;
}

bool
workers_give(struct workers *w, struct work *work)
{
	struct worker *idle;
	bool ok = true;

	pthread_mutex_lock(&w->lock);
	if ((idle = SLIST_FIRST(&w->idle)) != NULL) {
		SLIST_REMOVE_HEAD(&w->idle, entry);
		idle->listed = false;
		idle->work = work;
		pthread_cond_signal(&idle->cond);
		pthread_mutex_unlock(&w->lock);
		return true;
	}
	STAILQ_INSERT_TAIL(&w->queue, work, entry);
	w->n_queued++;
	/* It waits for one of the others, or for nobody. */
	if (!thread_add(w) &&
	    (w->n_threads == 0 ||
		w->n_queued > w->p.max_queue + w->n_starting)) {
		STAILQ_REMOVE(&w->queue, work, work, entry);
		w->n_queued--;
		ok = false;
	}
	pthread_mutex_unlock(&w->lock);
	return ok;
}

void
workers_count(struct workers *w, size_t *threads, size_t *queued)
{
	pthread_mutex_lock(&w->lock);
	*threads = w->n_threads;
	*queued = w->n_queued;
	pthread_mutex_unlock(&w->lock);
}

void
workers_free(struct workers *w)
{
	struct worker *idle;

	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	SLIST_FOREACH(idle, &w->idle, entry) {
		pthread_cond_signal(&idle->cond);
	}
	while (w->n_threads > 0)
		pthread_cond_wait(&w->ended, &w->lock);
	pthread_mutex_unlock(&w->lock);
	thread_chain_join(&w->gone);
	pthread_cond_destroy(&w->ended);
	pthread_mutex_destroy(&w->lock);
	pthread_condattr_destroy(&w->cond_attr);
	pthread_attr_destroy(&w->attr);
	free(w);
}
