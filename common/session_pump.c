/* SPDX-License-Identifier: BSD-2-Clause */
/* The pipeline: octets out, octets in, replies to the commands they answer. */
#include "common/session.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/session_state.h"
#include "common/transport.h"

/* Longest piece of a line in the trace. */
#define TRACE_LINE_MAX 1024

/* Instead of the text behind a reply code. */
#define TRACE_HIDDEN " ********"

static void
trace_line(struct session *s, char direction, const char *line, size_t len)
{
	char buf[TRACE_LINE_MAX];
	size_t i;

	if (!session_traced(s))
		return;
	if (len >= sizeof(buf))
		len = sizeof(buf) - 1;
	for (i = 0; i < len; i++)
		buf[i] = (unsigned char)line[i] < 32 || line[i] == 127
		    ? '?'
		    : line[i];
	buf[len] = '\0';
	s->trace(s->trace_arg, direction, buf);
}

/* There are upstreams that repeat what they were told, in a refusal. */
static void
trace_reply(struct session *s, const char *line, size_t len)
{
	char buf[3 + sizeof(TRACE_HIDDEN)];

	if (s->oldest == NULL || s->oldest->shown == NULL || len < 3) {
		trace_line(s, '<', line, len);
		return;
	}
	memcpy(buf, line, 3);
	memcpy(buf + 3, TRACE_HIDDEN, sizeof(TRACE_HIDDEN));
	trace_line(s, '<', buf, strlen(buf));
}

static void
die(struct session *s, enum fault_origin origin, const char *what)
{
	struct fault f;

	fault_set(&f, origin, "%s", what);
	session_die(s, &f);
}

/* Out */

static bool
in_flight(const struct session *s)
{
	return s->oldest != NULL && s->oldest != s->waiting;
}

/* May the waiting command, or the rest of it, go out now? */
static bool
may_send(const struct session *s)
{
	const struct command *c = s->waiting;

	if (c == NULL || s->tx_broken)
		return false;
	if (c->moved > 0 || !in_flight(s))
		return true;
	/* A lone command in flight is the only one there. */
	return (s->ehlo.keywords & EHLO_PIPELINING) != 0 && !c->alone &&
	    !s->oldest->alone;
}

/* Copy what may be sent and fits into tx. */
static void
fill_tx(struct session *s)
{
	struct command *c;
	size_t n, room;

	if (s->tx_pos > 0) {
		memmove(s->tx, s->tx + s->tx_pos, s->tx_len - s->tx_pos);
		s->tx_len -= s->tx_pos;
		s->tx_pos = 0;
	}
	while (s->tx_len < sizeof(s->tx) && may_send(s)) {
		c = s->waiting;
		room = sizeof(s->tx) - s->tx_len;
		n = c->len - c->moved;
		if (n > room)
			n = room;
		if (c->moved == 0) {
			s->commands++;
			s->unsent--;
			trace_line(s, '>',
			    c->shown != NULL ? c->shown : c->line,
			    c->shown != NULL ? strlen(c->shown) : c->len - 2);
		}
		memcpy(s->tx + s->tx_len, c->line + c->moved, n);
		s->tx_len += n;
		s->moved += n;
		c->moved += n;
		if (c->shown != NULL)
			s->tx_secret = true;
		if (c->moved < c->len)
			break;
		c->end = s->moved;
		s->waiting = c->next;
	}
}

/* Write until nothing is left or the transport has had enough.  A failure is
 * kept for later: replies may have come before it. */
static void
flush(struct session *s)
{
	ssize_t n;

	while (s->tx_pos < s->tx_len || may_send(s)) {
		if (may_send(s))
			fill_tx(s);
		n = s->t->ops->write(s->t, s->tx + s->tx_pos,
		    s->tx_len - s->tx_pos, &s->tx_fault);
		if (n == TRANSPORT_WAIT) {
			s->tx_events = s->t->events;
			return;
		}
		if (n <= 0) {
			if (n == 0)
				fault_set(&s->tx_fault, FAULT_CONNECTION,
				    "lost connection: nothing can be sent");
			s->tx_broken = true;
			s->tx_pos = s->tx_len;
		} else {
			s->tx_pos += (size_t)n;
			s->written += (uint64_t)n;
		}
		if (s->tx_pos == s->tx_len && s->tx_secret) {
			explicit_bzero(s->tx, sizeof(s->tx));
			s->tx_secret = false;
		}
		if (s->tx_broken)
			return;
	}
}

/* In */

/* Has the oldest command been sent whole? */
static bool
expecting(const struct session *s)
{
	return in_flight(s) && s->oldest->end <= s->written;
}

/* Take the next line out of rx.  False: there is none yet, or the session
 * has died. */
static bool
take_line(struct session *s, const char **line, size_t *len)
{
	const char *begin = s->rx + s->rx_pos;
	const char *lf =
	    memchr(s->rx + s->rx_seen, '\n', s->rx_len - s->rx_seen);

	if (lf == NULL) {
		s->rx_seen = s->rx_len;
		if (s->rx_len - s->rx_pos > REPLY_LINE_MAX + 1)
			die(s, FAULT_PROTOCOL, "reply line too long");
		return false;
	}
	if (lf == begin || lf[-1] != '\r') {
		die(s, FAULT_PROTOCOL, "reply line without CR LF");
		return false;
	}
	*line = begin;
	*len = (size_t)(lf - begin) - 1;
	s->rx_pos = s->rx_seen = (size_t)(lf - s->rx) + 1;
	trace_reply(s, *line, *len);
	return true;
}

/* Something came although nothing was asked.  A 421 says why. */
static void
die_unasked(struct session *s)
{
	struct fault f;
	const char *line;
	size_t len;

	reply_init(&s->reply);
	while (take_line(s, &line, &len)) {
		if (reply_line(&s->reply, line, len) == REPLY_MORE)
			continue;
		if (reply_is_closing(&s->reply)) {
			session_reply_fault(&s->reply, &f);
			session_die(s, &f);
			return;
		}
		break;
	}
	die(s, FAULT_PROTOCOL, "reply that was not asked for");
}

/* One whole reply out of what is in rx? */
static bool
take_reply(struct session *s)
{
	const char *line;
	size_t len;

	while (s->rx_pos < s->rx_len) {
		if (!expecting(s)) {
			die_unasked(s);
			return false;
		}
		if (!take_line(s, &line, &len))
			return false;
		switch (reply_line(&s->reply, line, len)) {
		case REPLY_MORE:
			break;
		case REPLY_DONE:
			return true;
		case REPLY_BAD:
			die(s, FAULT_PROTOCOL, "not an SMTP reply");
			return false;
		}
	}
	return false;
}

/* Read once.  Returns false when there is nothing more for now, or the
 * session has died. */
static bool
fill_rx(struct session *s)
{
	struct fault f;
	ssize_t n;

	if (s->rx_pos > 0) {
		memmove(s->rx, s->rx + s->rx_pos, s->rx_len - s->rx_pos);
		s->rx_len -= s->rx_pos;
		s->rx_seen -= s->rx_pos;
		s->rx_pos = 0;
	}
	fault_clear(&f);
	n = s->t->ops->read(
	    s->t, s->rx + s->rx_len, sizeof(s->rx) - s->rx_len, &f);
	s->rx_short = false;
	if (n > 0) {
		/* A record of TLS, or a line of a script, says nothing of what
		 * is behind it. */
		s->rx_short = !s->tls.active && s->t->fd != -1 &&
		    (size_t)n < sizeof(s->rx) - s->rx_len;
		s->rx_len += (size_t)n;
		return true;
	}
	if (n == TRANSPORT_WAIT) {
		s->rx_events = s->t->events;
		if (s->tx_broken)
			session_die(s, &s->tx_fault);
		return false;
	}
	if (n == TRANSPORT_EOF)
		fault_set(&f, FAULT_CONNECTION,
		    "lost connection: closed by the upstream");
	session_die(s, &f);
	return false;
}

short
session_events(const struct session *s)
{
	short events = s->rx_events;

	if (s->tx_pos < s->tx_len)
		events |= s->tx_events;
	else if (may_send(s))
		events |= POLLOUT;
	return events;
}

static enum session_event
hand_out(struct session *s, struct reply *r, void **cookie)
{
	*r = s->reply;
	*cookie = s->oldest->cookie;
	session_command_done(s);
	reply_init(&s->reply);
	if (reply_is_closing(r)) {
		session_reply_fault(r, &s->fault);
		s->closing = true;
	}
	return SESSION_REPLY;
}

enum session_event
session_pump(struct session *s, struct reply *r, void **cookie, struct fault *f)
{
	struct fault closing;
	bool fresh;

	*cookie = NULL;
	fault_clear(f);
	if (s->closing && s->state != SESSION_AT_DEAD) {
		closing = s->fault;
		session_die(s, &closing);
	}
	while (s->state != SESSION_AT_DEAD) {
		if (take_reply(s))
			return hand_out(s, r, cookie);
		if (s->state == SESSION_AT_DEAD)
			break;
		/* Before a new batch nothing may have come: else replies and
		 * commands would not belong together from there on. */
		fresh = !in_flight(s);
		if (fresh && !s->rx_empty && fill_rx(s))
			continue;
		if (fresh && (s->state == SESSION_AT_DEAD || !may_send(s)))
			break;
		s->rx_empty = false;
		flush(s);
		/* Its first reply takes a round trip at least. */
		if ((fresh && !s->tx_broken) || !fill_rx(s))
			break;
	}
	if (s->state != SESSION_AT_DEAD)
		return SESSION_NONE;
	if (f != NULL)
		*f = s->fault;
	return SESSION_DEAD;
}

/* Its reply is of no interest: no command is waited for. */
bool
session_leave(struct session *s)
{
	static const char quit[] = "QUIT\r\n";
	struct fault f;

	if (s->state == SESSION_AT_DEAD || s->closing || s->outstanding != 0 ||
	    s->tx_pos < s->tx_len)
		return false;
	trace_line(s, '>', quit, sizeof(quit) - 3);
	s->commands++;
	return s->t->ops->write(s->t, quit, sizeof(quit) - 1, &f) ==
	    (ssize_t)sizeof(quit) - 1;
}

void
session_looked(struct session *s)
{
	s->rx_empty = s->rx_short && s->rx_pos == s->rx_len;
}

bool
session_alive(struct session *s)
{
	if (s->state != SESSION_AT_READY || s->outstanding != 0 || s->closing)
		return false;
	if (s->rx_pos < s->rx_len || fill_rx(s))
		die_unasked(s);
	s->rx_empty = s->state == SESSION_AT_READY;
	return s->rx_empty;
}
