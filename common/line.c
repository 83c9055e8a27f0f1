/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/classify.h"
#include "common/conf.h"
#include "common/engine.h"
#include "common/esc.h"
#include "common/log.h"

/* After a session broke with recipients on it, they go one at a time for so
 * long: whichever broke it then breaks it alone. */
#define BROKEN_MS 10000

static bool
owned_add(struct engine *e, struct line *l)
{
	struct line **owned;
	bool ok = true;

	pthread_mutex_lock(&e->lock);
	if (e->n_owned == e->max_owned) {
		size_t max = e->max_owned == 0 ? 16 : e->max_owned * 2;

		owned = reallocarray(e->owned, max, sizeof(*owned));
		if (owned == NULL) {
			ok = false;
		} else {
			e->owned = owned;
			e->max_owned = max;
		}
	}
	if (ok)
		e->owned[e->n_owned++] = l;
	pthread_mutex_unlock(&e->lock);
	return ok;
}

static void
owned_remove(struct engine *e, const struct line *l)
{
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < e->n_owned; i++) {
		if (e->owned[i] == l) {
			e->owned[i] = e->owned[--e->n_owned];
			break;
		}
	}
	pthread_mutex_unlock(&e->lock);
}

struct line *
line_new(struct target *t, struct opened *o)
{
	struct line *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		session_free(o->session);
		return NULL;
	}
	l->target = t;
	l->session = o->session;
	l->id = o->id;
	l->epoch = o->epoch;
	l->idle_ms = clock_ms();
	TAILQ_INIT(&l->sent);
	session_local(l->session, l->local, sizeof(l->local), &l->local_port);
	if (!owned_add(t->engine, l)) {
		session_free(l->session);
		free(l);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&t->lines, l, entry);
	t->n_lines++;
	atomic_fetch_add(&t->engine->opened, 1);
	atomic_fetch_add(&t->engine->sessions, 1);
	engine_poll(t->engine, l, true);
	return l;
}

static void
line_free(struct line *l)
{
	struct target *t = l->target;

	owned_remove(t->engine, l);
	TAILQ_REMOVE(&t->lines, l, entry);
	t->n_lines--;
	atomic_fetch_sub(&t->engine->sessions, 1);
	(void)epoll_ctl(
	    t->engine->poll_fd, EPOLL_CTL_DEL, session_fd(l->session), NULL);
	atomic_fetch_add(
	    &t->engine->commands, session_commands(l->session) - l->commands);
	session_free(l->session);
	free(l->mail_reply);
	free(l);
	target_touch(t);
}

static bool
same_sender(const struct line *l, const struct probe *p)
{
	return l->sender.path_len == p->q.sender.path_len &&
	    memcmp(l->sender.path, p->q.sender.path, l->sender.path_len) == 0;
}

static bool
needs_utf8(const struct probe *p)
{
	return p->q.rcpt.utf8 || p->q.sender.utf8;
}

/* Whether p can join the transaction that MAIL has opened. */
static bool
same_transaction(const struct line *l, const struct probe *p)
{
	return l->in_mail && same_sender(l, p) &&
	    l->rcpts < l->target->rcpts_max && (l->mail_utf8 || !needs_utf8(p));
}

/* Whether another recipient could exceed max_commands. */
static bool
used_up(const struct line *l)
{
	/* Two more for RSET and MAIL. */
	return session_commands(l->session) + session_unsent(l->session) + 2 >=
	    (unsigned long)l->target->up->max_commands;
}

bool
line_fits(const struct line *l, const struct probe *p)
{
	struct identity id;

	if (l->slow || l->retire)
		return false;
	if (used_up(l))
		return false;
	if ((session_ehlo(l->session)->keywords & EHLO_PIPELINING) == 0 &&
	    !TAILQ_EMPTY(&l->sent))
		return false;
	if (!same_transaction(l, p) && l->in_mail && l->rsets >= LINE_RSETS_MAX)
		return false;
	identity_of(&p->q, &id);
	return identity_equal(&l->id, &id);
}

/* The cookie of the next command; NULL without memory. */
static struct sent *
sent_add(struct line *l, enum sent_kind kind, struct probe *p)
{
	struct sent *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->kind = kind;
	s->sent_ms = clock_ms();
	if (TAILQ_EMPTY(&l->sent))
		l->head_ms = s->sent_ms;
	TAILQ_INSERT_TAIL(&l->sent, s, entry);
	if (kind == SENT_RCPT) {
		s->probe = p;
		p->flights++;
		probe_ref(p);
		l->outstanding++;
	}
	return s;
}

void
sent_remove(struct line *l, struct sent *s)
{
	if (s == NULL)
		return;
	TAILQ_REMOVE(&l->sent, s, entry);
	if (s->kind == SENT_RCPT) {
		l->outstanding--;
		s->probe->flights--;
	}
	probe_unref(s->probe);
	free(s);
}

/* RSET and MAIL, as far as p needs them. */
static bool
send_mail(struct line *l, struct probe *p)
{
	struct sent *s;

	if (same_transaction(l, p))
		return true;
	if (l->in_mail) {
		if ((s = sent_add(l, SENT_RSET, NULL)) == NULL)
			return false;
		if (!session_rset(l->session, s)) {
			sent_remove(l, s);
			return false;
		}
		l->rsets++;
		l->in_mail = false;
	}
	if ((s = sent_add(l, SENT_MAIL, NULL)) == NULL)
		return false;
	if (!session_mail(l->session, &p->q.sender, needs_utf8(p), s)) {
		sent_remove(l, s);
		return false;
	}
	l->sender = p->q.sender;
	l->mail_utf8 = needs_utf8(p);
	l->in_mail = true;
	l->last_mail = s;
	l->rcpts = 0;
	return true;
}

bool
line_send(struct line *l, struct probe *p)
{
	struct sent *s = NULL;

	if (needs_utf8(p) &&
	    (session_ehlo(l->session)->keywords & EHLO_SMTPUTF8) == 0) {
		fault_set(&p->last, FAULT_FEATURE, "%s does not offer SMTPUTF8",
		    l->target->label);
		return false;
	}
	l->dirty = true;
	if (!send_mail(l, p) || (s = sent_add(l, SENT_RCPT, p)) == NULL ||
	    !session_rcpt(l->session, &p->q.rcpt, s)) {
		/* Broken, as its next pump will tell, or memory is short. */
		sent_remove(l, s);
		l->retire = true;
		if (++p->requeues > PROBE_REQUEUES_MAX)
			return false;
		target_enqueue(l->target, p, true);
		return true;
	}
	l->rcpts++;
	return true;
}

/* What comes behind QUIT is of no interest, the end is. */
static void
line_drain(struct line *l)
{
	char octets[1024];
	ssize_t n;

	do
		n = recv(session_fd(l->session), octets, sizeof(octets),
		    MSG_DONTWAIT);
	while (n > 0);
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		line_free(l);
}

void
line_pump(struct line *l)
{
	struct target *t = l->target;
	struct reply r;
	struct fault f;
	void *cookie;

	l->dirty = false;
	if (l->quit_ms != 0) {
		line_drain(l);
		return;
	}
	for (;;) {
		enum session_event ev =
		    session_pump(l->session, &r, &cookie, &f);

		if (ev == SESSION_DEAD) {
			line_end(l, &f, true);
			return;
		}
		if (ev == SESSION_NONE)
			break;
		if (!line_reply(l, cookie, &r))
			return;
	}
	atomic_fetch_add(
	    &t->engine->commands, session_commands(l->session) - l->commands);
	l->commands = session_commands(l->session);
	if (l->errors >= t->up->max_errors || used_up(l))
		l->retire = true;
	if (TAILQ_EMPTY(&l->sent)) {
		l->idle_ms = clock_ms();
		l->slow = false;
		if (l->retire) {
			line_quit(l);
			return;
		}
	}
	engine_poll(t->engine, l, false);
	if (t->n_queue > 0)
		target_touch(t);
}

/* The first recipient waits too long: it stays, those behind it move on. */
static void
line_move_on(struct line *l, int64_t now_ms)
{
	struct target *t = l->target;
	struct sent *s = TAILQ_FIRST(&l->sent);

	l->slow = true;
	t->slow_until_ms = now_ms + TARGET_SLOW_MS;
	log_debug("upstream %s: slow: one recipient at a time for %d s",
	    t->label, TARGET_SLOW_MS / 1000);
	while ((s = TAILQ_NEXT(s, entry)) != NULL) {
		if (s->kind != SENT_RCPT || s->probe->finished ||
		    s->probe->requeues++ >= PROBE_REQUEUES_MAX)
			continue;
		atomic_fetch_add(&t->engine->moved, 1);
		target_enqueue(t, s->probe, false);
	}
}

/* The question that waits at the front. */
static struct probe *
line_first(const struct line *l)
{
	const struct sent *s;

	TAILQ_FOREACH(s, &l->sent, entry) {
		if (s->probe != NULL && !s->probe->finished)
			return s->probe;
	}
	return NULL;
}

/* How long a reply may take before its session is given up. */
static int64_t
reply_limit(const struct target *t, const struct probe *p)
{
	int64_t limit = target_reply_limit(t, p);

	if (p != NULL && p->host + 1 >= p->q.route->n_hosts &&
	    limit < LINE_LATE_MS)
		limit = LINE_LATE_MS;
	return limit;
}

void
line_tick(struct line *l, int64_t now_ms)
{
	struct target *t = l->target;
	const struct sent *s = TAILQ_FIRST(&l->sent);
	struct fault f = { 0 };
	struct probe *first = line_first(l);
	int64_t age;

	if (l->quit_ms != 0) {
		if (now_ms - l->quit_ms >= LINE_QUIT_MS)
			line_free(l);
		return;
	}
	if (t->epoch != t->engine->epoch)
		l->retire = true;
	if (s == NULL) {
		if (l->retire || now_ms - l->idle_ms >= t->up->idle_timeout)
			line_quit(l);
		return;
	}
	age = now_ms - (s->sent_ms > l->head_ms ? s->sent_ms : l->head_ms);
	if (age >= reply_limit(t, first)) {
		fault_set(&f, FAULT_CONNECTION, "%s: no reply in %lld ms",
		    t->label, (long long)age);
		if (first != NULL)
			first->deaths = PROBE_DEATHS_MAX;
		if (s->kind == SENT_RCPT)
			target_bad(t, &f); /* line_end() would not */
		line_end(l, &f, true);
	} else if (!l->slow && s->kind == SENT_RCPT && l->outstanding > 1 &&
	    age > LINE_SLOW_MS && (double)age > 4.0 * t->usual_ms) {
		line_move_on(l, now_ms);
	}
}

/* A question whose session has broken: ask again here, or elsewhere. */
static void
line_again(struct target *t, struct probe *p, const struct fault *f)
{
	if (p->flights > 1 || p->queued_at != NULL)
		return; /* it has been moved on before */
	if (p->deaths >= PROBE_DEATHS_MAX || ++p->requeues > PROBE_REQUEUES_MAX)
		engine_next_host(t->engine, p, f);
	else
		target_enqueue(t, p, false);
}

void
line_end(struct line *l, const struct fault *f, bool blame)
{
	struct target *t = l->target;
	bool first = blame;
	struct sent *s;

	log_debug("upstream %s: session ended: %s", t->label, f->text);
	if (blame && !TAILQ_EMPTY(&l->sent)) {
		t->slow_until_ms = clock_ms() + BROKEN_MS;
		/* Broken at a recipient it may be that one's doing, and a few
		 * of those would have everybody deferred. */
		if (TAILQ_FIRST(&l->sent)->kind != SENT_RCPT)
			target_bad(t, f);
	}
	while ((s = TAILQ_FIRST(&l->sent)) != NULL) {
		struct probe *p = s->probe;

		if (p != NULL && !p->finished) {
			p->last = *f;
			if (first)
				p->deaths++;
			first = false;
			line_again(t, p, f);
		}
		sent_remove(l, s);
	}
	line_free(l);
}

/* False when it cannot be said now. */
static bool
say_quit(struct line *l)
{
	struct reply r;
	struct fault f;
	void *cookie;

	return session_quit(l->session, NULL) &&
	    session_pump(l->session, &r, &cookie, &f) != SESSION_DEAD &&
	    session_events(l->session) == POLLIN;
}

void
line_quit(struct line *l)
{
	if (l->quit_ms != 0)
		return;
	l->retire = true;
	l->quit_ms = clock_ms();
	if (say_quit(l))
		engine_poll(l->target->engine, l, false);
	else
		line_free(l);
}

void
line_close(struct line *l)
{
	if (l->quit_ms == 0)
		(void)say_quit(l);
	line_free(l);
}
