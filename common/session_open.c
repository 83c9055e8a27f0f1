/* SPDX-License-Identifier: BSD-2-Clause */
/* From nothing to a greeted session: connection, greeting, EHLO. */
#include "common/session.h"

#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/dial.h"
#include "common/session_state.h"
#include "common/transport.h"

struct deadline
opening_deadline(const struct opening *o)
{
	if (o->p->reply_ms <= 0)
		return o->d;
	return deadline_sooner(o->d, deadline_in(o->p->reply_ms));
}

enum outcome
opening_ask(struct opening *o, const char *line, const char *shown)
{
	const struct session_line l = { line, strlen(line), shown };

	return session_command(o->s, &l, opening_deadline(o), &o->reply, o->f);
}

enum outcome
opening_refused(struct opening *o, const char *what)
{
	if (o->reply.code < 400) {
		fault_set(o->f, FAULT_PROTOCOL, "%d is no reply to %s",
		    o->reply.code, what);
		session_die(o->s, o->f);
		return OUTCOME_TEMP;
	}
	session_reply_fault(&o->reply, o->f);
	return o->reply.code < 500 ? OUTCOME_TEMP : OUTCOME_PERM;
}

/* Connection */

static bool
is_local(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)ss;
	const unsigned char *v4;

	switch (ss->ss_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(sin->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	case AF_INET6:
		v4 = &sin6->sin6_addr.s6_addr[12];
		return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr) ||
		    (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr) &&
			v4[0] == IN_LOOPBACKNET);
	default:
		return false;
	}
}

/* The peer of the socket; of a script nobody knows but the endpoint. */
bool
opening_connected(struct opening *o)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	bool known = o->s->t->fd != -1 &&
	    getpeername(o->s->t->fd, (struct sockaddr *)&ss, &len) == 0;

	o->s->local =
	    known ? is_local(&ss) : endpoint_is_loopback(&o->p->endpoint);
	if (known || o->s->t->fd == -1)
		session_remark(o->s, "connected to %s", o->key);
	return known;
}

static enum outcome
default_dial(void *arg, const struct endpoint *e, unsigned int port,
    struct deadline d, struct transport **out, struct fault *f)
{
	(void)arg;
	return dial_connect(e, port, d, out, f);
}

static enum outcome
open_connection(struct opening *o)
{
	const struct session_params *p = o->p;
	session_dial *dial = p->dial != NULL ? p->dial : default_dial;
	struct deadline d = o->d;
	enum outcome oc;

	if (p->connect_ms > 0)
		d = deadline_sooner(d, deadline_in(p->connect_ms));
	oc = dial(p->dial_arg, &p->endpoint, p->port, d, &o->s->t, o->f);
	if (oc != OUTCOME_OK)
		return oc;
	(void)opening_connected(o);
	if (p->tls != TLS_IMPLICIT)
		return OUTCOME_OK;
	return opening_handshake(o, true);
}

/* Greeting and EHLO */

#define HELLO_MAX 300

/* RFC 5321 section 6.3 finds loops late, by counting Received lines; an
 * upstream that has our own name is found before anything is asked. */
static enum outcome
check_own_name(struct opening *o, const char *domain)
{
	const char *own = o->p->own_name;
	size_t len = strlen(domain);

	if (own == NULL || own[0] == '\0' || o->s->local || o->s->lmtp)
		return OUTCOME_OK;
	if (len > 0 && domain[len - 1] == '.')
		len--;
	if (strlen(own) != len || strncasecmp(own, domain, len) != 0)
		return OUTCOME_OK;
	fault_set(o->f, FAULT_LOCAL, "loop: %s greets as %s, which is us",
	    o->key, own);
	return OUTCOME_PERM;
}

bool
opening_expect_greeting(struct opening *o)
{
	session_state_set(o->s, SESSION_AT_GREETING);
	if (session_expect(o->s))
		return true;
	fault_set(o->f, FAULT_LOCAL, "out of memory");
	return false;
}

enum outcome
opening_greeting_reply(struct opening *o)
{
	char domain[EHLO_DOMAIN_MAX + 1];
	enum outcome oc;

	if (o->reply.code != 220)
		return opening_refused(o, "a connection");
	(void)reply_first_line(&o->reply, domain, sizeof(domain));
	domain[strcspn(domain, " ")] = '\0';
	oc = check_own_name(o, domain);
	return oc == OUTCOME_OK ? session_quiet(o->s, "greeting", o->f) : oc;
}

static enum outcome
open_greeting(struct opening *o)
{
	enum outcome oc;

	if (!opening_expect_greeting(o))
		return OUTCOME_TEMP;
	oc = session_wait(o->s, opening_deadline(o), &o->reply, o->f);
	return oc == OUTCOME_OK ? opening_greeting_reply(o) : oc;
}

/* HELO, for servers that know no EHLO.  They have no keywords, so it is of
 * use only when none is needed; and it is not asked for after a 4yz, which
 * says nothing about EHLO. */
static bool
may_helo(const struct opening *o)
{
	const struct session_params *p = o->p;

	return !o->s->lmtp && (o->reply.code == 500 || o->reply.code == 502) &&
	    (p->tls == TLS_NONE || p->tls == TLS_MAY || o->s->local) &&
	    p->xclient != XCLIENT_REQUIRED && p->auth_user == NULL;
}

static bool
hello(const struct opening *o, const char *verb, char line[HELLO_MAX])
{
	int n = snprintf(line, HELLO_MAX, "%s %s", verb, o->p->helo);

	if (n >= 0 && n < HELLO_MAX)
		return true;
	fault_set(o->f, FAULT_LOCAL, "EHLO name too long");
	return false;
}

static enum outcome
ask_hello(struct opening *o, const char *verb)
{
	char line[HELLO_MAX];

	return hello(o, verb, line) ? opening_ask(o, line, NULL) : OUTCOME_PERM;
}

/* What was known is forgotten. */
static const char *
enter_ehlo(struct session *s)
{
	session_state_set(s, SESSION_AT_EHLO);
	memset(&s->ehlo, 0, sizeof(s->ehlo));
	return s->lmtp ? "LHLO" : "EHLO";
}

/* Keywords. */
static enum outcome
ehlo_taken(struct opening *o)
{
	enum outcome oc = check_own_name(o, o->s->ehlo.domain);

	return oc == OUTCOME_OK ? session_quiet(o->s, "EHLO reply", o->f) : oc;
}

bool
opening_ehlo_send(struct opening *o)
{
	const char *verb = enter_ehlo(o->s);
	char line[HELLO_MAX];

	if (!hello(o, verb, line))
		return false;
	if (session_line(o->s, line, strlen(line), NULL, NULL))
		return true;
	fault_set(o->f, FAULT_LOCAL, "command cannot be sent");
	return false;
}

enum outcome
opening_ehlo_reply(struct opening *o)
{
	if (ehlo_parse(&o->reply, &o->s->ehlo))
		return ehlo_taken(o);
	return opening_refused(o, o->s->lmtp ? "LHLO" : "EHLO");
}

enum outcome
opening_ehlo(struct opening *o)
{
	const char *verb = enter_ehlo(o->s);
	enum outcome oc = ask_hello(o, verb);

	if (oc != OUTCOME_OK)
		return oc;
	if (ehlo_parse(&o->reply, &o->s->ehlo))
		return ehlo_taken(o);
	if (!may_helo(o))
		return opening_refused(o, verb);
	oc = ask_hello(o, "HELO");
	if (oc != OUTCOME_OK)
		return oc;
	if (o->reply.code != 250)
		return opening_refused(o, "HELO");
	return session_quiet(o->s, "HELO reply", o->f);
}

/* The whole */

/* The name may be what a client has said: it must be one word. */
static bool
is_word(const char *name)
{
	const char *p;

	for (p = name; *p != '\0'; p++) {
		if (*p < 33 || *p > 126)
			return false;
	}
	return p != name && p - name <= EHLO_DOMAIN_MAX;
}

bool
opening_has_name(const struct session_params *p)
{
	return p->helo != NULL && is_word(p->helo);
}

static enum outcome
check_params(const struct session_params *p, struct fault *f)
{
	if (!opening_has_name(p)) {
		fault_set(f, FAULT_LOCAL, "no EHLO name: \"%s\"",
		    p->helo != NULL ? p->helo : "");
		return OUTCOME_PERM;
	}
	if (p->tls != TLS_NONE && p->tls_client == NULL) {
		fault_set(
		    f, FAULT_LOCAL, "no TLS client for tls other than none");
		return OUTCOME_PERM;
	}
	return OUTCOME_OK;
}

struct session *
session_new(const struct session_params *p)
{
	struct session *s = malloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	/* Of what comes and goes only what is there is looked at. */
	memset(s, 0, offsetof(struct session, tx));
	s->state = SESSION_AT_CONNECT;
	s->lmtp = p->endpoint.lmtp;
	s->rx_events = POLLIN;
	s->trace = p->trace;
	s->trace_arg = p->trace_arg;
	s->trace_debug = p->trace_debug;
	reply_init(&s->reply);
	return s;
}

static enum outcome
run_dialogue(struct opening *o)
{
	enum outcome oc = open_connection(o);

	if (oc == OUTCOME_OK)
		oc = open_greeting(o);
	if (oc == OUTCOME_OK)
		oc = opening_ehlo(o);
	if (oc == OUTCOME_OK)
		oc = opening_starttls(o);
	if (oc == OUTCOME_OK)
		oc = opening_xclient(o);
	if (oc == OUTCOME_OK)
		oc = opening_auth(o);
	return oc;
}

/* A farewell as far as it fits without waiting (RFC 5321 section 4.1.1.10);
 * the answer is of no interest. */
static void
take_leave(struct session *s)
{
	struct reply r;
	struct fault f;
	void *cookie;

	if (s->t != NULL && s->outstanding == 0 && session_quit(s, NULL))
		(void)session_pump(s, &r, &cookie, &f);
}

enum outcome
opening_end(struct opening *o, enum outcome oc, struct session **out,
    enum smtp_stage *stage)
{
	if (oc == OUTCOME_OK) {
		fault_clear(o->f); /* of what was passed over */
		session_state_set(o->s, SESSION_AT_READY);
		*stage = STAGE_MAIL;
		*out = o->s;
		return OUTCOME_OK;
	}
	*stage = o->s->stage;
	take_leave(o->s);
	session_free(o->s);
	return oc;
}

static enum outcome
open_once(struct opening *o, struct session **out, enum smtp_stage *stage)
{
	o->s = session_new(o->p);
	if (o->s == NULL) {
		fault_set(o->f, FAULT_LOCAL, "out of memory");
		*stage = STAGE_CONNECT;
		return OUTCOME_TEMP;
	}
	return opening_end(o, run_dialogue(o), out, stage);
}

enum outcome
session_open(const struct session_params *p, struct deadline d,
    struct session **out, struct fault *f, enum smtp_stage *stage)
{
	struct fault scratch = { .origin = FAULT_NONE };
	struct opening o = { .p = p, .d = d, .f = f != NULL ? f : &scratch };
	enum smtp_stage unused = STAGE_CONNECT;
	enum outcome oc;

	*out = NULL;
	if (stage == NULL)
		stage = &unused;
	*stage = STAGE_CONNECT;
	fault_clear(o.f);
	(void)endpoint_format(&p->endpoint, o.key, sizeof(o.key));
	oc = check_params(p, o.f);
	if (oc != OUTCOME_OK)
		return oc;
	oc = open_once(&o, out, stage);
	/* RFC 7435: what cannot be had is done without, where nothing was
	 * promised.  With AUTH something was. */
	if (oc != OUTCOME_OK && o.tls_failed && p->tls == TLS_MAY &&
	    p->auth_user == NULL && !deadline_passed(d)) {
		o.plain = true;
		oc = open_once(&o, out, stage);
	}
	return oc;
}
