/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads that open sessions. */
#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/dial.h"
#include "common/pool_state.h"
#include "common/tls.h"
#include "common/transport.h"

/* One job, and what the thread has for it. */
struct crew_job {
	struct pool_lease *lease;
	struct dialer *dialer;
};

/* Keep a second descriptor of the socket: pool_stop() ends a dialogue with
 * it, whatever has become of the first. */
static enum outcome
crew_dial(void *arg, const struct endpoint *e, unsigned int port,
    struct deadline d, struct transport **out, struct fault *f)
{
	const struct crew_job *job = arg;
	struct pool_lease *l = job->lease;
	struct pool *p = l->target->pool;
	enum outcome oc;
	int fd, was;

	if (p->params.dial != NULL)
		oc = p->params.dial(p->params.dial_arg, e, port, d, out, f);
	else
		oc = dialer_connect(job->dialer, e, port, d, out, f);
	if (oc != OUTCOME_OK || (*out)->fd == -1)
		return oc;
	fd = fcntl((*out)->fd, F_DUPFD_CLOEXEC, 3);
	pthread_mutex_lock(&p->lock);
	was = l->abort_fd;
	l->abort_fd = fd;
	if (p->stop && fd != -1)
		(void)shutdown(fd, SHUT_RDWR);
	pthread_mutex_unlock(&p->lock);
	if (was != -1)
		(void)close(was);
	return oc;
}

void
pool_session_params(const struct pool_target *t, struct session_params *sp)
{
	const struct conf_upstream *up = &t->options->up;

	memset(sp, 0, sizeof(*sp));
	sp->endpoint = t->endpoint;
	sp->port = (unsigned int)up->port;
	sp->tls = (enum conf_tls)t->key.tls;
	sp->tls_verify_name = up->tls_verify_name;
	sp->helo = t->conf->hostname;
	sp->xclient = XCLIENT_NO; /* it goes with the login */
	sp->connect_ms = POOL_CONNECT_MS;
	sp->reply_ms = POOL_REPLY_MS;
	sp->trace = t->pool->params.trace;
	sp->trace_arg = t->pool->params.trace_arg;
	sp->trace_debug = t->pool->params.trace_debug;
	if (!t->endpoint.lmtp && !endpoint_is_loopback(&t->endpoint))
		sp->own_name = t->conf->hostname;
}

static enum outcome
open_session(struct crew_job *job, struct session **out, struct fault *f,
    enum smtp_stage *stage)
{
	struct pool_target *t = job->lease->target;
	struct session_params sp;

	pool_session_params(t, &sp);
	sp.dial = crew_dial;
	sp.dial_arg = job;
	*stage = STAGE_STARTTLS;
	if (sp.tls != TLS_NONE) {
		sp.tls_client = pool_tls_client(t, f);
		if (sp.tls_client == NULL)
			return OUTCOME_TEMP;
	}
	return session_open(&sp, deadline_in(POOL_OPEN_MS), out, f, stage);
}

static void
run_opening(struct crew_job *job)
{
	struct pool_lease *l = job->lease;
	struct pool *p = l->target->pool;
	struct session *s = NULL;
	struct fault f;
	enum smtp_stage stage;
	enum outcome oc = open_session(job, &s, &f, &stage);
	struct dial_where where = { .len = 0 };
	struct session_params sp;
	bool plain = false;
	int fd;

	if (oc == OUTCOME_OK) {
		pool_session_params(l->target, &sp);
		plain = session_begin_would(&sp, s);
		dial_note(&where, &sp.endpoint, session_fd(s));
	}
	pthread_mutex_lock(&p->lock);
	fd = l->abort_fd;
	l->abort_fd = -1;
	l->target->where = where;
	l->target->plain = plain;
	if (oc == OUTCOME_OK)
		pool_target_opened(l, s);
	else
		pool_target_failed(l, oc, &f, stage);
	pthread_mutex_unlock(&p->lock);
	if (fd != -1)
		(void)close(fd);
}

static void *
crew_main(void *arg)
{
	struct crew_job job = { NULL, dialer_new() };
	struct pool *p = arg;
	struct pool_lease *l;
	int64_t leave_ms;
	pthread_t before;
	bool joins;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		leave_ms = clock_ms() +
		    (p->n_crew > POOL_CREW_KEPT ? POOL_CREW_SPARE_MS
						: POOL_CREW_IDLE_MS);
		p->n_resting++;
		while (p->n_jobs == 0 && !p->stop && clock_ms() < leave_ms)
			pool_wait(p, &p->work, leave_ms);
		p->n_resting--;
		if (p->n_jobs == 0 || p->stop)
			break;
		l = TAILQ_FIRST(&p->jobs);
		TAILQ_REMOVE(&p->jobs, l, entry);
		p->n_jobs--;
		if (p->n_called > p->n_jobs)
			p->n_called = p->n_jobs;
		pthread_mutex_unlock(&p->lock);
		job.lease = l;
		run_opening(&job);
		pthread_mutex_lock(&p->lock);
	}
	p->n_crew--; /* takes no job any more */
	joins = thread_chain_leave(&p->gone, &before);
	pthread_mutex_unlock(&p->lock);
	dialer_free(job.dialer);
	if (joins)
		(void)pthread_join(before, NULL);
	pthread_mutex_lock(&p->lock);
	p->n_threads--;
	pthread_cond_broadcast(&p->ended);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Have a thread come for one more job.  False: there is none.  One that rests
 * may be on its way to an earlier job. */
static bool
call_thread(struct pool *p)
{
	pthread_t thread; /* joined by the next one that leaves */

	if (p->n_resting <= p->n_called && p->n_crew < POOL_CREW_MAX) {
		if (pool_thread(crew_main, p, &thread)) {
			p->n_crew++;
			p->n_threads++;
		} else if (p->n_crew == 0)
			return false;
	}
	p->n_called++;
	pthread_cond_signal(&p->work);
	return true;
}

/* While there are sessions enough, a thread that is at work will come for it:
 * to wake another one costs as much as a part of the work. */
static bool
can_wait(const struct pool_lease *l)
{
	const struct pool_target *t = l->target;
	const struct pool *p = t->pool;

	return p->n_crew > p->n_resting && t->n_waiting == 0 &&
	    2 * t->n[LEASE_IDLE] > (size_t)t->options->warm_sessions;
}

bool
crew_job(struct pool_lease *l)
{
	struct pool *p = l->target->pool;

	/* If not, nor can those before it. */
	while (!can_wait(l) && p->n_called <= p->n_jobs) {
		if (!call_thread(p))
			return false;
	}
	TAILQ_INSERT_TAIL(&p->jobs, l, entry);
	p->n_jobs++;
	return true;
}

void
crew_hurry(struct pool *p)
{
	while (p->n_called < p->n_jobs && call_thread(p))
		continue;
}
