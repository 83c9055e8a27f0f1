/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socketmap_serve - what the MTA asks in the socketmap protocol, put to
 * outbound.h
 *
 * A connection stays, and carries one look-up after the other; its client need
 * not wait for an answer before it asks again.  Whatever hinders an answer is
 * TEMP, never NOTFOUND: an MTA that is told so sends without AUTH.
 */
#include <stdlib.h>
#include <string.h>

#include "saslauth-plugin/complain.h"
#include "saslauth-plugin/serve.h"
#include "saslauth-plugin/socketmap_ask.h"

/* Longer than the MTAs let one idle. */
#define STAYS_MS (5L * 60 * 1000)

static enum serve_seen
socketmap_look(const unsigned char *buf, size_t len, const char **why)
{
	switch (socketmap_parse(buf, len, NULL, why)) {
	case SOCKETMAP_WHOLE:
		return SERVE_WHOLE;
	case SOCKETMAP_MORE:
		return SERVE_PART;
	case SOCKETMAP_BAD:
	default:
		return SERVE_BAD;
	}
}

static size_t
socketmap_first(const unsigned char *buf, size_t len)
{
	struct socketmap_request rq;

	if (socketmap_parse(buf, len, &rq, NULL) != SOCKETMAP_WHOLE)
		return len;
	return rq.frame;
}

/* Without memory: hang up, which the MTA takes for a fault of ours. */
static void
say(struct serve_call *c, const char *word, const char *reason)
{
	c->reply = socketmap_say(word, reason, &c->reply_len);
	c->more = c->reply != NULL;
}

/* False when a worker is to do it. */
static bool
put(struct serve_call *c, struct socketmap_asked *asked,
    struct outbound_answer *out)
{
	bool now = c->quick != NULL, done;

	do {
		outbound_answer_release(out);
		done = outbound_ask(
		    c->outbound, &asked->question, c->until, now, out);
	} while (done && out->verdict == OUTBOUND_NONE &&
	    socketmap_asked_again(asked));
	return done;
}

static void
socketmap_serve(struct serve_call *c)
{
	static struct log_limit limit;
	struct socketmap_asked asked;
	struct outbound_answer a = { .verdict = OUTBOUND_DEFER };
	struct socketmap_request rq;
	const char *unfit = NULL;

	if (socketmap_parse(c->request, c->len, &rq, &c->fault) !=
	    SOCKETMAP_WHOLE)
		return;
	if (!socketmap_asked(&rq, &asked, &c->fault)) {
		say(c, "PERM", c->fault);
		return;
	}
	if (put(c, &asked, &a)) {
		c->reply = socketmap_answer(&asked, &a, &c->reply_len, &unfit);
		c->more = c->reply != NULL;
		if (unfit != NULL)
			complain(
			    &limit, "outbound: %s: %s", a.login_scope, unfit);
	} else
		c->slow = true;
	outbound_answer_release(&a);
}

static void
socketmap_refuse(struct serve_call *c, const char *reason)
{
	(void)reason; /* which is for the log */
	say(c, "TEMP", "overloaded");
}

static void
socketmap_bad(struct serve_call *c, const char *why)
{
	say(c, "PERM", why);
}

const struct serve_protocol socketmap_protocol = {
	.name = "socketmap",
	.requests = "look-ups",
	.max = SOCKETMAP_FRAME_MAX,
	.idle_ms = STAYS_MS,
	.lookups = true,
	.look = socketmap_look,
	.first = socketmap_first,
	.answer = socketmap_serve,
	.refuse = socketmap_refuse,
	.bad = socketmap_bad,
};
