/* SPDX-License-Identifier: BSD-2-Clause */
/* XCLIENT: telling the upstream who the client is. */
#include "common/session.h"

#include <stdio.h>
#include <string.h>

#include "common/session_state.h"
#include "common/strbuf.h"
#include "common/transport.h"
#include "common/xtext.h"

/* Postfix cuts a line at 2048 octets. */
#define XCLIENT_LINE_MAX 2000
#define UNAVAILABLE      "[UNAVAILABLE]"

static const struct session_client nobody;

static bool
add_attribute(
    struct strbuf *sb, const char *name, const char *prefix, const char *value)
{
	char buf[XTEXT_ROOM(sizeof(nobody.name))];

	if (value[0] == '\0')
		return strbuf_addf(sb, " %s=" UNAVAILABLE, name);
	return xtext_encode(value, strlen(value), buf, sizeof(buf)) &&
	    strbuf_addf(sb, " %s=%s%s", name, prefix, buf);
}

static bool
add_address(struct strbuf *sb, const char *name, const char *addr)
{
	return add_attribute(
	    sb, name, strchr(addr, ':') != NULL ? "IPV6:" : "", addr);
}

/* Only what the upstream announced.  ADDR without NAME would leave it with
 * our own name and the client's address. */
static bool
format_xclient(
    const struct session_client *c, unsigned int takes, struct strbuf *sb)
{
	(void)strbuf_adds(sb, "XCLIENT");
	if (takes & EHLO_XCLIENT_NAME)
		(void)add_attribute(sb, "NAME", "", c->name);
	if (takes & EHLO_XCLIENT_ADDR)
		(void)add_address(sb, "ADDR", c->addr);
	if (takes & EHLO_XCLIENT_PORT)
		(void)add_attribute(sb, "PORT", "", c->port);
	if (takes & EHLO_XCLIENT_HELO)
		(void)add_attribute(sb, "HELO", "", c->helo);
	if (takes & EHLO_XCLIENT_PROTO)
		(void)add_attribute(
		    sb, "PROTO", "", c->proto[0] != '\0' ? c->proto : "SMTP");
	if (takes & EHLO_XCLIENT_DESTADDR)
		(void)add_address(sb, "DESTADDR", c->destaddr);
	return strbuf_ok(sb);
}

static enum outcome
tell_client(struct opening *o)
{
	const struct session_client *c = o->p->client;
	struct strbuf sb;
	enum outcome oc = OUTCOME_PERM;

	strbuf_init(&sb, XCLIENT_LINE_MAX);
	if (format_xclient(c != NULL ? c : &nobody, o->s->ehlo.xclient, &sb))
		oc = opening_ask(o, strbuf_str(&sb), NULL);
	else
		fault_set(o->f, FAULT_LOCAL, "XCLIENT line too long");
	strbuf_release(&sb);
	return oc;
}

/* The session is a new one now, and so are the keywords. */
static enum outcome
xclient_ehlo(struct opening *o)
{
	enum outcome oc = session_quiet(o->s, "reply to XCLIENT", o->f);

	return oc == OUTCOME_OK ? opening_ehlo(o) : oc;
}

enum outcome
opening_xclient(struct opening *o)
{
	enum conf_xclient want = o->p->xclient;
	struct session *s = o->s;
	enum outcome oc;

	if (want == XCLIENT_NO)
		return OUTCOME_OK;
	if ((s->ehlo.xclient & EHLO_XCLIENT_ADDR) == 0) {
		if (want == XCLIENT_IFAVAILABLE)
			return OUTCOME_OK;
		fault_set(o->f, FAULT_FEATURE, "%s does not offer XCLIENT ADDR",
		    o->key);
		return OUTCOME_PERM;
	}
	session_state_set(s, SESSION_AT_XCLIENT);
	oc = tell_client(o);
	if (oc != OUTCOME_OK)
		return oc;
	if (o->reply.code != 220) {
		oc = opening_refused(o, "XCLIENT");
		if (want == XCLIENT_IFAVAILABLE &&
		    s->state != SESSION_AT_DEAD &&
		    !reply_is_closing(&o->reply)) {
			session_remark(s, "XCLIENT refused: going on without");
			return OUTCOME_OK;
		}
		return oc;
	}
	return xclient_ehlo(o);
}

/* On a session that is open */

/* Begin something on a ready session. */
static enum outcome
again(struct opening *o)
{
	if (o->s->state == SESSION_AT_READY && o->s->outstanding == 0 &&
	    !o->s->closing)
		return OUTCOME_OK;
	fault_set(o->f, FAULT_LOCAL, "session is not ready for XCLIENT");
	return OUTCOME_TEMP;
}

/* It is ready again, or dead: what the upstream now holds it for is known
 * only after success. */
static enum outcome
again_done(struct opening *o, enum outcome oc)
{
	if (oc == OUTCOME_OK) {
		fault_clear(o->f); /* of what was passed over */
		session_state_set(o->s, SESSION_AT_READY);
	} else {
		session_die(o->s, o->f);
	}
	return oc;
}

enum outcome
session_tell_client(struct session *s, const struct session_again *a,
    struct deadline d, struct fault *f)
{
	struct fault scratch = { .origin = FAULT_NONE };
	const struct session_params p = {
		.helo = a->helo,
		.xclient = a->xclient,
		.client = a->client,
	};
	struct opening o = {
		.p = &p, .s = s, .d = d, .f = f != NULL ? f : &scratch
	};
	enum outcome oc;

	(void)snprintf(o.key, sizeof(o.key), "%.200s", s->ehlo.domain);
	oc = again(&o);
	if (oc == OUTCOME_OK)
		oc = opening_xclient(&o);
	return again_done(&o, oc);
}

/* HELO and PROTO of XCLIENT stand for the EHLO that would be due after it. */
bool
session_can_reset_login(const struct session *s)
{
	const unsigned int all =
	    EHLO_XCLIENT_LOGIN | EHLO_XCLIENT_HELO | EHLO_XCLIENT_PROTO;

	return (s->ehlo.xclient & all) == all;
}

static enum outcome
say_reset(struct opening *o)
{
	const char *name = o->p->helo;
	char helo[XTEXT_ROOM(EHLO_DOMAIN_MAX)], line[sizeof(helo) + 64];
	int n;

	session_state_set(o->s, SESSION_AT_XCLIENT);
	session_looked(o->s);
	if (xtext_encode(name, strlen(name), helo, sizeof(helo))) {
		n = snprintf(line, sizeof(line),
		    "XCLIENT LOGIN=" UNAVAILABLE " HELO=%s PROTO=ESMTP", helo);
		if (session_line(o->s, line, (size_t)n, NULL, NULL))
			return OUTCOME_OK;
	}
	fault_set(o->f, FAULT_LOCAL, "command cannot be sent");
	return OUTCOME_TEMP;
}

bool
session_reset_begin(struct session *s, const char *helo, struct fault *f)
{
	const struct session_params p = { .helo = helo };
	struct opening o = { .p = &p, .s = s, .f = f };
	enum outcome oc = again(&o);
	void *cookie;

	if (oc == OUTCOME_OK && !session_can_reset_login(s)) {
		fault_set(f, FAULT_FEATURE,
		    "does not offer XCLIENT LOGIN, HELO and PROTO");
		oc = OUTCOME_PERM;
	}
	if (oc == OUTCOME_OK)
		oc = say_reset(&o);
	if (oc != OUTCOME_OK) {
		session_die(s, f);
		return false;
	}
	/* Its reply takes a round trip at least. */
	return session_pump(s, &o.reply, &cookie, f) == SESSION_NONE;
}

bool
session_reset_step(struct session *s, enum outcome *oc, struct fault *f)
{
	struct opening o = { .s = s, .f = f };
	void *cookie;

	switch (session_pump(s, &o.reply, &cookie, f)) {
	case SESSION_NONE:
		return false;
	case SESSION_DEAD:
		*oc = OUTCOME_TEMP;
		return true;
	case SESSION_REPLY:
		break;
	}
	if (o.reply.code == 220)
		*oc = session_quiet(s, "reply to XCLIENT", f);
	else
		*oc = opening_refused(&o, "XCLIENT");
	if (*oc == OUTCOME_OK)
		session_looked(s);
	(void)again_done(&o, *oc);
	return true;
}

void
session_reset_late(struct session *s, struct fault *f)
{
	session_late(s, f);
}
