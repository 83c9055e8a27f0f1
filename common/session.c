/* SPDX-License-Identifier: BSD-2-Clause */
/* Life, state and what a session tells about itself. */
#include "common/session.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "common/log.h"
#include "common/session_state.h"
#include "common/transport.h"

static const struct {
	const char *name;
	enum smtp_stage stage;
} states[] = {
	[SESSION_AT_CONNECT] = { "connect", STAGE_CONNECT },
	[SESSION_AT_GREETING] = { "greeting", STAGE_GREETING },
	[SESSION_AT_EHLO] = { "ehlo", STAGE_EHLO },
	[SESSION_AT_STARTTLS] = { "starttls", STAGE_STARTTLS },
	[SESSION_AT_XCLIENT] = { "xclient", STAGE_XCLIENT },
	[SESSION_AT_AUTH] = { "auth", STAGE_AUTH },
	[SESSION_AT_READY] = { "ready", STAGE_MAIL },
	[SESSION_AT_DEAD] = { "dead", STAGE_MAIL },
};

bool
session_traced(const struct session *s)
{
	return s->trace != NULL &&
	    (!s->trace_debug || log_enabled(LOG_LEVEL_DEBUG));
}

void
session_remark(struct session *s, const char *fmt, ...)
{
	char buf[FAULT_TEXT_MAX + 64];
	va_list ap;
	int n;

	if (!session_traced(s))
		return;
	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n >= 0)
		s->trace(s->trace_arg, '*', buf);
}

void
session_state_set(struct session *s, enum session_state state)
{
	if (s->state == state)
		return;
	session_remark(
	    s, "state %s -> %s", states[s->state].name, states[state].name);
	s->state = state;
	if (state != SESSION_AT_DEAD)
		s->stage = states[state].stage;
}

void
session_die(struct session *s, const struct fault *f)
{
	if (s->state == SESSION_AT_DEAD)
		return;
	s->fault = *f;
	session_remark(s, "%s: %s", fault_origin_name(f->origin), f->text);
	session_state_set(s, SESSION_AT_DEAD);
}

static void
command_free(struct command *c)
{
	if (c->shown != NULL)
		explicit_bzero(c->line, c->len);
	free(c->shown);
	free(c);
}

void
session_command_done(struct session *s)
{
	struct command *c = s->oldest;

	s->oldest = c->next;
	if (s->oldest == NULL)
		s->newest = NULL;
	s->outstanding--;
	command_free(c);
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	while (s->oldest != NULL)
		session_command_done(s);
	transport_free(s->t);
	if (s->tx_secret)
		explicit_bzero(s->tx, sizeof(s->tx));
	free(s);
}

const struct ehlo *
session_ehlo(const struct session *s)
{
	return &s->ehlo;
}

const struct tls_info *
session_tls(const struct session *s)
{
	return &s->tls;
}

bool
session_is_lmtp(const struct session *s)
{
	return s->lmtp;
}

bool
session_is_local(const struct session *s)
{
	return s->local;
}

/* An address as text; IPv4 that comes wrapped into IPv6 is unwrapped. */
static void
address_text(const struct sockaddr_storage *ss, char *addr, size_t len,
    unsigned int *port)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)ss;
	const void *raw;
	int family = ss->ss_family;

	if (family == AF_INET) {
		raw = &sin->sin_addr;
		*port = ntohs(sin->sin_port);
	} else {
		raw = &sin6->sin6_addr;
		*port = ntohs(sin6->sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
			family = AF_INET;
			raw = &sin6->sin6_addr.s6_addr[12];
		}
	}
	if (inet_ntop(family, raw, addr, (socklen_t)len) == NULL) {
		addr[0] = '\0';
		*port = 0;
	}
}

void
session_local(
    const struct session *s, char *addr, size_t len, unsigned int *port)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t sslen = sizeof(ss);

	*port = 0;
	if (len == 0)
		return;
	addr[0] = '\0';
	if (s->t == NULL || s->t->fd == -1 ||
	    getsockname(s->t->fd, (struct sockaddr *)&ss, &sslen) != 0)
		return;
	if (ss.ss_family == AF_INET || ss.ss_family == AF_INET6)
		address_text(&ss, addr, len, port);
}

size_t
session_outstanding(const struct session *s)
{
	return s->outstanding;
}

size_t
session_unsent(const struct session *s)
{
	return s->unsent;
}

unsigned long
session_commands(const struct session *s)
{
	return s->commands;
}

int
session_fd(const struct session *s)
{
	return s->t != NULL ? s->t->fd : -1;
}

void
session_late(struct session *s, struct fault *f)
{
	fault_set(f, FAULT_CONNECTION, "timed out (%s)", states[s->state].name);
	session_die(s, f);
}

enum outcome
session_wait(
    struct session *s, struct deadline d, struct reply *r, struct fault *f)
{
	struct fault late;
	void *cookie;

	for (;;) {
		switch (session_pump(s, r, &cookie, f)) {
		case SESSION_REPLY:
			return OUTCOME_OK;
		case SESSION_DEAD:
			return OUTCOME_TEMP;
		case SESSION_NONE:
			break;
		}
		s->t->events = session_events(s);
		if (transport_poll(s->t, d))
			continue;
		session_late(s, &late);
	}
}

enum outcome
session_command(struct session *s, const struct session_line *l,
    struct deadline d, struct reply *r, struct fault *f)
{
	struct fault local;

	if (s->outstanding != 0)
		fault_set(&local, FAULT_LOCAL, "a command is outstanding");
	else if (session_queue(s, l, true, NULL))
		return session_wait(s, d, r, f);
	else
		fault_set(&local, FAULT_LOCAL, "command cannot be sent");
	session_die(s, &local);
	if (f != NULL)
		*f = s->fault;
	return OUTCOME_TEMP;
}

enum outcome
session_quiet(struct session *s, const char *when, struct fault *f)
{
	if (s->rx_pos == s->rx_len)
		return OUTCOME_OK;
	fault_set(f, FAULT_PROTOCOL, "bytes behind the %s", when);
	session_die(s, f);
	return OUTCOME_TEMP;
}
