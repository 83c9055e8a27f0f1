/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbound.h as a script: the key says what becomes of the look-up, so that
 * what stands before outbound.h can be tested alone.
 *
 *	given...    user "user" and a password of the length behind its '-',
 *	            or "secret"
 *	none...     nothing is configured
 *	slow-N...   given after N milliseconds, by a thread that may wait
 *	long...     given, with a user name of 200 octets
 *	else        deferred, "as scripted"
 */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/number.h"
#include "common/outbound.h"
#include "common/strbuf.h"

struct outbound {
	atomic_ulong asked, asked_now, put;
};

struct outbound *
outbound_new(struct conf *conf, char *why, size_t len)
{
	struct outbound *o = calloc(1, sizeof(*o));

	(void)conf;
	if (o == NULL)
		snprintf(why, len, "out of memory");
	return o;
}

bool
outbound_check(struct conf *conf, char *why, size_t len)
{
	if (strcmp(conf->hostname, "refuse-outbound.test") != 0)
		return true;
	snprintf(why, len, "credentials that cannot be prepared");
	return false;
}

bool
outbound_reload(struct outbound *o, struct conf *conf, char *why, size_t len)
{
	(void)o;
	if (strcmp(conf->hostname, "refuse-outbound.test") != 0)
		return true;
	snprintf(why, len, "credentials that cannot be prepared");
	return false;
}

void
outbound_free(struct outbound *o)
{
	free(o);
}

/* The number behind the first '-', or another. */
static int
number_in(const char *key, int otherwise)
{
	const char *at = strchr(key, '-');
	long long n = otherwise;

	if (at != NULL)
		(void)number_parse(at + 1, 0, 1000000, &n);
	return (int)n;
}

static bool
give(const char *key, struct outbound_answer *out)
{
	char pass[OUTBOUND_PASS_MAX];
	size_t n = (size_t)number_in(key, 0);

	memset(pass, 'p', sizeof(pass));
	out->verdict = OUTBOUND_GIVEN;
	snprintf(out->user, sizeof(out->user), "user");
	if (strncmp(key, "long", 4) == 0)
		memset(out->user, 'u', 200);
	if (n == 0 || n > sizeof(pass))
		return secret_set(&out->pass, "secret", 6);
	return secret_set(&out->pass, pass, n);
}

bool
outbound_ask(struct outbound *o, const struct outbound_question *q,
    struct deadline d, bool now, struct outbound_answer *out)
{
	const char *key = q->key != NULL ? q->key : q->nexthop;

	memset(out, 0, sizeof(*out));
	out->verdict = OUTBOUND_DEFER;
	out->type = -1;
	snprintf(out->reason, sizeof(out->reason), "as scripted");
	if (key == NULL)
		return true;
	o->asked++;
	o->asked_now += now;
	if (strncmp(key, "slow", 4) == 0) {
		if (now)
			return false;
		(void)poll(NULL, 0, number_in(key, 0));
		if (!deadline_passed(d))
			return give("given", out);
	} else if (strncmp(key, "given", 5) == 0 ||
	    strncmp(key, "long", 4) == 0)
		return give(key, out);
	else if (strncmp(key, "none", 4) == 0)
		out->verdict = OUTBOUND_NONE;
	return true;
}

void
outbound_answer_release(struct outbound_answer *a)
{
	secret_release(&a->pass);
}

bool
outbound_put(
    struct outbound *o, const struct outbound_message *m, char *why, size_t len)
{
	if (strcmp(m->queue_id, "FULL") == 0) {
		snprintf(why, len, "no room for another message");
		return false;
	}
	o->put++;
	log_info("put: id=%s binding=<%s> user=<%s> pass=%zu type=%d key=<%s>",
	    m->queue_id, m->binding == NULL ? "" : m->binding,
	    m->user == NULL ? "" : m->user, m->pass == NULL ? 0 : m->pass->len,
	    m->type, m->key == NULL ? "" : m->key);
	return true;
}

size_t
outbound_drop(struct outbound *o, const char *value)
{
	(void)o;
	return value == NULL ? 5 : 2;
}

void
outbound_status(struct outbound *o, struct strbuf *sb)
{
	strbuf_addf(sb, "messages=%lu\n", (unsigned long)o->put);
}

void
outbound_stats(struct outbound *o, struct strbuf *sb)
{
	strbuf_addf(sb, "looked_up=%lu\nlooked_up_now=%lu\n",
	    (unsigned long)o->asked, (unsigned long)o->asked_now);
}
