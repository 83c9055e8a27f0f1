/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands: formatting them, and putting them into the queue. */
#include "common/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/esc.h"
#include "common/session_state.h"

/* What the trace gets, or NULL for the line itself.  Whoever forgets to hide an
 * initial response must not find it in the log. */
static const char *
shown_line(const struct session_line *l)
{
	if (l->shown != NULL)
		return l->shown;
	if (l->len < 5 || strncasecmp(l->line, "AUTH ", 5) != 0 ||
	    memchr(l->line + 5, ' ', l->len - 5) == NULL)
		return NULL;
	return "AUTH ********";
}

static bool
is_line(const struct session *s, const char *line, size_t len)
{
	return (len > 0 || s->state == SESSION_AT_AUTH) &&
	    len <= SESSION_LINE_MAX && memchr(line, '\r', len) == NULL &&
	    memchr(line, '\n', len) == NULL && memchr(line, '\0', len) == NULL;
}

static struct command *
command_new(const struct session_line *l, bool alone, void *cookie)
{
	const char *shown = shown_line(l);
	struct command *c = calloc(1, sizeof(*c) + l->len + 3);

	if (c == NULL)
		return NULL;
	if (shown != NULL && (c->shown = strdup(shown)) == NULL) {
		free(c);
		return NULL;
	}
	memcpy(c->line, l->line, l->len);
	memcpy(c->line + l->len, "\r\n", 3);
	c->len = l->len + 2;
	c->alone = alone;
	c->cookie = cookie;
	return c;
}

static void
append(struct session *s, struct command *c)
{
	if (s->newest != NULL)
		s->newest->next = c;
	else
		s->oldest = c;
	s->newest = c;
	s->outstanding++;
}

bool
session_queue(
    struct session *s, const struct session_line *l, bool alone, void *cookie)
{
	struct command *c;

	if (s->state == SESSION_AT_DEAD || s->closing ||
	    !is_line(s, l->line, l->len))
		return false;
	c = command_new(l, alone, cookie);
	if (c == NULL)
		return false;
	append(s, c);
	s->unsent++;
	if (s->waiting == NULL)
		s->waiting = c;
	return true;
}

bool
session_expect(struct session *s)
{
	struct command *c = calloc(1, sizeof(*c) + 1);

	if (c == NULL)
		return false;
	c->alone = true;
	append(s, c);
	return true;
}

bool
session_line(struct session *s, const char *line, size_t len, const char *shown,
    void *cookie)
{
	const struct session_line l = { line, len, shown };

	return session_queue(s, &l, true, cookie);
}

/* address_parse() lets nothing of this through; an address that was put
 * together by other hands must not end the command early. */
static bool
is_path(const struct address *a)
{
	size_t i;

	if (a->path_len == 0 || a->path_len > ADDRESS_MAX)
		return a->null && a->path_len == 0;
	for (i = 0; i < a->path_len; i++) {
		if ((unsigned char)a->path[i] < 32 || a->path[i] == 127)
			return false;
	}
	return a->path[i] == '\0';
}

/* Nothing but the address and two constants: cannot be too long. */
static bool
queue_path(struct session *s, const char *verb, const struct address *a,
    const char *parameters, void *cookie)
{
	char buf[ADDRESS_MAX + 64];
	struct session_line l = { .line = buf };
	int n;

	if (!is_path(a))
		return false;
	n = snprintf(buf, sizeof(buf), "%s:<%s>%s", verb, a->path, parameters);
	if (n < 0 || (size_t)n >= sizeof(buf))
		return false;
	l.len = (size_t)n;
	return session_queue(s, &l, false, cookie);
}

/* BODY says something about a message; a probe has none, so it stays away
 * but with SMTPUTF8, where RFC 6531 section 3.6 has the two go together. */
bool
session_mail(struct session *s, const struct address *sender, bool smtputf8,
    void *cookie)
{
	const char *parameters = "";

	if (smtputf8 || sender->utf8) {
		if ((s->ehlo.keywords & EHLO_SMTPUTF8) == 0)
			return false;
		parameters = (s->ehlo.keywords & EHLO_8BITMIME) != 0
		    ? " SMTPUTF8 BODY=8BITMIME"
		    : " SMTPUTF8";
	}
	if (!queue_path(s, "MAIL FROM", sender, parameters, cookie))
		return false;
	s->mail_utf8 = parameters[0] != '\0';
	return true;
}

bool
session_rcpt(struct session *s, const struct address *rcpt, void *cookie)
{
	if (rcpt->null || (rcpt->utf8 && !s->mail_utf8))
		return false;
	return queue_path(s, "RCPT TO", rcpt, "", cookie);
}

bool
session_rset(struct session *s, void *cookie)
{
	const struct session_line l = { "RSET", 4, NULL };

	return session_queue(s, &l, false, cookie);
}

bool
session_quit(struct session *s, void *cookie)
{
	return session_line(s, "QUIT", 4, NULL, cookie);
}

void
session_reply_fault(const struct reply *r, struct fault *f)
{
	char text[FAULT_TEXT_MAX], status[ESC_TEXT_MAX];
	struct esc esc;
	size_t skip = esc_parse(r->text, r->code, &esc);
	char *p;

	(void)snprintf(text, sizeof(text), "%s", r->text + skip);
	for (p = text; *p != '\0'; p++) {
		if (*p == '\n')
			*p = ' ';
	}
	fault_set_reply(
	    f, r->code, esc_format(&esc, status, sizeof(status)), text);
}
