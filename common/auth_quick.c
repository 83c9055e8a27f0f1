/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/auth_attempt.h"

/* Between sending and the reply; what the caller of auth_quick() has lent is
 * not there any more. */
struct auth_quick {
	struct auth_attempt t;
	struct secret pass, message;
};

static void
quick_free(struct auth_quick *q)
{
	secret_release(&q->pass);
	secret_release(&q->message);
	free(q);
}

/* Send it.  False: nothing has been sent. */
static bool
begin(struct auth_quick *q, const struct auth_login *l)
{
	struct auth_attempt *t = &q->t;
	size_t len;
	const char *octets = secret_bytes(l->pass, &len);

	if (!secret_set(&q->pass, octets, len) || !attempt_connect_now(t))
		return false;
	if (!exchange_line(&t->x, attempt_session(t), t->account, &q->pass)) {
		attempt_unconnect(t);
		return false;
	}
	attempt_message(&q->message, t->account, &q->pass);
	t->hidden_secret = &q->pass;
	t->hidden_message = &q->message;
	return true;
}

static enum auth_quick_said
finish(struct auth_quick *q, struct auth_answer *out)
{
	attempt_judge(&q->t);
	attempt_end(&q->t, out);
	quick_free(q);
	return AUTH_QUICK_ANSWERED;
}

static enum auth_quick_said
give_up(struct auth_quick *q)
{
	attempt_forget(&q->t);
	quick_free(q);
	return AUTH_QUICK_SLOW;
}

enum auth_quick_said
auth_quick(struct auth *a, const struct auth_asker *who,
    const struct auth_login *login, struct deadline d, struct auth_quick **out,
    struct auth_answer *answer)
{
	struct auth_quick *q;
	struct auth_attempt *t;
	bool over;

	*out = NULL;
	if (who->direct || who->explain != NULL ||
	    (q = calloc(1, sizeof(*q))) == NULL)
		return AUTH_QUICK_SLOW;
	t = &q->t;
	if (!attempt_begin(t, a, who, login->mech, d))
		goto answered;
	t->quick = true;
	if (!attempt_prepare(t, login)) {
		if (t->slow)
			return give_up(q);
		goto answered;
	}
	if (!begin(q, login))
		return give_up(q);
	over = exchange_pump(&t->x);
	if (over && t->x.sent)
		return finish(q, answer);
	/* It was found dead: a worker will try another one. */
	if (over) {
		(void)attempt_is_over(t);
		return give_up(q);
	}
	*out = q;
	return AUTH_QUICK_WAIT;
answered:
	attempt_end(t, answer);
	quick_free(q);
	return AUTH_QUICK_ANSWERED;
}

void
auth_quick_poll(const struct auth_quick *q, struct auth_quick_poll *out)
{
	const struct session *s = q->t.x.session;

	out->fd = session_fd(s);
	out->events = session_events(s);
	out->until = q->t.deadline;
	out->again = pool_was_reset(q->t.lease);
}

enum auth_quick_said
auth_quick_step(struct auth_quick *q, struct auth_answer *answer)
{
	return exchange_pump(&q->t.x) ? finish(q, answer) : AUTH_QUICK_WAIT;
}

void
auth_quick_late(struct auth_quick *q, struct auth_answer *answer)
{
	exchange_late(&q->t.x);
	(void)finish(q, answer);
}
