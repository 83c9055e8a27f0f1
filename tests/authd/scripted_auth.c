/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth.h as a script: the user name says what becomes of the login, so that
 * what stands before auth.h can be tested without an upstream.
 *
 *	good...     accepted with the password "right", refused with another
 *	unsure...   deferred
 *	hold-N...   refused, to be held back N milliseconds
 *	slow-N...   accepted after N milliseconds, or deferred by auth_stop()
 *	stuck-N...  the same, but auth_stop() does not help
 *	ask-N...    as slow-N, but without a worker
 *	now-N...    refused without a worker, to be held back N milliseconds
 *
 * A relayed mechanism: the initial response or the first response is the
 * name; then a challenge "more" for each response, until one is "end".
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/auth.h"
#include "common/log.h"
#include "common/number.h"
#include "common/strbuf.h"

struct auth {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	LIST_HEAD(, auth_quick) quick;
	bool stopped;
	unsigned long asked, dialogues;
};

/* Its "upstream" is a timer. */
struct auth_quick {
	LIST_ENTRY(auth_quick) entry;
	struct auth *auth;
	int fd;
	struct deadline until;
	char user[LOGIN_NAME_OCTETS + 1];
};

struct auth_dialogue {
	struct auth *auth;
	struct deadline until;
	char user[LOGIN_NAME_OCTETS + 1];
};

struct auth *
auth_new(struct conf *conf, const struct pool_params *pp, char *why, size_t len)
{
	struct auth *a = calloc(1, sizeof(*a));
	pthread_condattr_t attr;

	(void)conf;
	(void)pp;
	if (a == NULL) {
		snprintf(why, len, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->cond, &attr);
	pthread_condattr_destroy(&attr);
	return a;
}

bool
auth_reload(struct auth *a, struct conf *conf, char *why, size_t len)
{
	(void)a;
	if (strcmp(conf->hostname, "refuse.test") != 0)
		return true;
	snprintf(why, len, "routes that cannot be prepared");
	return false;
}

static void
timer_in(int fd, long long ms)
{
	const struct itimerspec t = {
		.it_value = { .tv_sec = ms / 1000,
		    .tv_nsec = (long)(ms % 1000) * 1000000L + 1 }
	};

	(void)timerfd_settime(fd, 0, &t, NULL);
}

void
auth_stop(struct auth *a)
{
	struct auth_quick *q;

	pthread_mutex_lock(&a->lock);
	a->stopped = true;
	pthread_cond_broadcast(&a->cond);
	LIST_FOREACH(q, &a->quick, entry) {
		timer_in(q->fd, 0);
	}
	pthread_mutex_unlock(&a->lock);
}

void
auth_free(struct auth *a)
{
	if (a == NULL)
		return;
	if (a->dialogues > 0)
		log_error("%lu dialogues have not ended", a->dialogues);
	pthread_cond_destroy(&a->cond);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static void
text_of(char *out, size_t size, const char *octets, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(out, octets, len);
	out[len] = '\0';
}

/* The number behind the first '-'. */
static long long
number_in(const char *user)
{
	const char *at = strchr(user, '-');
	char digits[16] = "";
	long long n = 0;

	if (at != NULL)
		text_of(digits, sizeof(digits), at + 1,
		    strspn(at + 1, "0123456789"));
	(void)number_parse(digits, 0, 1000000, &n);
	return n;
}

/* False when it was told to stop. */
static bool
pause_for(struct auth *a, struct deadline until, bool stops)
{
	struct timespec at = { .tv_sec = until.at_ms / 1000,
		.tv_nsec = (long)(until.at_ms % 1000) * 1000000L };
	bool stopped;
	int rc = 0;

	pthread_mutex_lock(&a->lock);
	while (!(a->stopped && stops) && rc == 0)
		rc = pthread_cond_timedwait(&a->cond, &a->lock, &at);
	stopped = a->stopped && stops;
	pthread_mutex_unlock(&a->lock);
	return !stopped;
}

static void
decide(struct auth *a, const char *user, bool right, struct deadline d,
    struct auth_answer *out)
{
	struct deadline until = deadline_in(number_in(user));
	bool slow = strncmp(user, "slow", 4) == 0;

	memset(out, 0, sizeof(*out));
	snprintf(out->user, sizeof(out->user), "%s", user);
	if (slow || strncmp(user, "stuck", 5) == 0) {
		out->verdict = VERDICT_ACCEPT;
		if (!pause_for(
			a, slow ? deadline_sooner(until, d) : until, slow) ||
		    deadline_passed(d))
			out->verdict = VERDICT_DEFER;
	} else if (strncmp(user, "good", 4) == 0)
		out->verdict = right ? VERDICT_ACCEPT : VERDICT_REJECT;
	else if (strncmp(user, "hold", 4) == 0) {
		out->verdict = VERDICT_REJECT;
		out->hold_ms = number_in(user);
	}
	if (out->verdict == VERDICT_DEFER)
		snprintf(out->reason, sizeof(out->reason), "as scripted");
}

static bool
is(const struct secret *s, const char *text)
{
	size_t len;
	const char *octets = secret_bytes(s, &len);

	return len == strlen(text) && memcmp(octets, text, len) == 0;
}

void
auth_check(struct auth *a, const struct auth_asker *who,
    const struct auth_login *login, struct deadline d, struct auth_answer *out)
{
	char user[LOGIN_NAME_OCTETS + 1];

	pthread_mutex_lock(&a->lock);
	a->asked++;
	pthread_mutex_unlock(&a->lock);
	text_of(user, sizeof(user), login->user, login->user_len);
	decide(a, user, is(login->pass, "right"), d, out);
	log_info("auth: client=%s service=%s realm=%s user=<%s> mech=%s "
		 "verdict=%s",
	    who->client, who->service, who->realm, user, login->mech,
	    verdict_name(out->verdict));
}

static void
quick_free(struct auth_quick *q)
{
	pthread_mutex_lock(&q->auth->lock);
	LIST_REMOVE(q, entry);
	pthread_mutex_unlock(&q->auth->lock);
	close(q->fd);
	free(q);
}

enum auth_quick_said
auth_quick(struct auth *a, const struct auth_asker *who,
    const struct auth_login *login, struct deadline d, struct auth_quick **out,
    struct auth_answer *answer)
{
	struct auth_quick *q;
	char user[LOGIN_NAME_OCTETS + 1];

	(void)who;
	text_of(user, sizeof(user), login->user, login->user_len);
	if (strncmp(user, "now", 3) == 0) {
		memset(answer, 0, sizeof(*answer));
		snprintf(answer->user, sizeof(answer->user), "%s", user);
		answer->verdict = VERDICT_REJECT;
		answer->hold_ms = number_in(user);
		return AUTH_QUICK_ANSWERED;
	}
	if (strncmp(user, "ask", 3) != 0 || (q = calloc(1, sizeof(*q))) == NULL)
		return AUTH_QUICK_SLOW;
	q->auth = a;
	q->until = d;
	memcpy(q->user, user, sizeof(user));
	q->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	pthread_mutex_lock(&a->lock);
	LIST_INSERT_HEAD(&a->quick, q, entry);
	timer_in(q->fd, a->stopped ? 0 : number_in(user));
	pthread_mutex_unlock(&a->lock);
	*out = q;
	return AUTH_QUICK_WAIT;
}

void
auth_quick_poll(const struct auth_quick *q, struct auth_quick_poll *out)
{
	*out = (struct auth_quick_poll){ q->fd, POLLIN, q->until, false };
}

enum auth_quick_said
auth_quick_step(struct auth_quick *q, struct auth_answer *out)
{
	uint64_t n;

	if (read(q->fd, &n, sizeof(n)) < 0)
		return AUTH_QUICK_WAIT;
	memset(out, 0, sizeof(*out));
	snprintf(out->user, sizeof(out->user), "%s", q->user);
	pthread_mutex_lock(&q->auth->lock);
	out->verdict = q->auth->stopped ? VERDICT_DEFER : VERDICT_ACCEPT;
	pthread_mutex_unlock(&q->auth->lock);
	quick_free(q);
	return AUTH_QUICK_ANSWERED;
}

void
auth_quick_late(struct auth_quick *q, struct auth_answer *out)
{
	memset(out, 0, sizeof(*out));
	out->verdict = VERDICT_DEFER;
	quick_free(q);
}

static bool
dialogue_on(struct auth_dialogue *x, const struct secret *response,
    struct secret *challenge, struct auth_answer *out)
{
	size_t len;
	const char *octets = secret_bytes(response, &len);

	if (x->user[0] == '\0')
		text_of(x->user, sizeof(x->user), octets, len);
	if (!is(response, "end"))
		return secret_set(challenge, "more", 4);
	decide(x->auth, x->user, true, x->until, out);
	return false;
}

bool
auth_begin(struct auth *a, const struct auth_asker *who, const char *mech,
    const struct secret *initial, struct deadline d, struct auth_dialogue **x,
    struct secret *challenge, struct auth_answer *out)
{
	(void)who;
	(void)mech;
	memset(out, 0, sizeof(*out));
	if ((*x = calloc(1, sizeof(**x))) == NULL)
		return false;
	pthread_mutex_lock(&a->lock);
	a->dialogues++;
	pthread_mutex_unlock(&a->lock);
	(*x)->auth = a;
	(*x)->until = d;
	if (initial == NULL)
		return secret_set(challenge, "name", 4);
	return dialogue_on(*x, initial, challenge, out);
}

bool
auth_step(struct auth_dialogue *x, const struct secret *response,
    struct secret *challenge, struct auth_answer *out)
{
	return dialogue_on(x, response, challenge, out);
}

void
auth_end(struct auth_dialogue *x)
{
	if (x == NULL)
		return;
	pthread_mutex_lock(&x->auth->lock);
	x->auth->dialogues--;
	pthread_mutex_unlock(&x->auth->lock);
	free(x);
}

size_t
auth_drop(struct auth *a, const char *user)
{
	(void)a;
	return user == NULL ? 7 : 1;
}

void
auth_status(struct auth *a, struct strbuf *sb)
{
	pthread_mutex_lock(&a->lock);
	strbuf_addf(sb, "dialogues=%lu\n", a->dialogues);
	pthread_mutex_unlock(&a->lock);
}

void
auth_stats(struct auth *a, struct strbuf *sb)
{
	pthread_mutex_lock(&a->lock);
	strbuf_addf(sb, "asked=%lu\n", a->asked);
	pthread_mutex_unlock(&a->lock);
}
