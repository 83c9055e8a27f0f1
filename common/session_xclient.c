/* SPDX-License-Identifier: BSD-2-Clause */
/* XCLIENT: telling the upstream who the client is. */
#include "common/session.h"

#include <stdio.h>
#include <string.h>

#include "common/session_state.h"
#include "common/strbuf.h"
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
ask_xclient(struct opening *o)
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
	oc = ask_xclient(o);
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
	/* The session is a new one now, and so are the keywords. */
	oc = session_quiet(o->s, "reply to XCLIENT", o->f);
	return oc == OUTCOME_OK ? opening_ehlo(o) : oc;
}
