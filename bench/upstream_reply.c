/* SPDX-License-Identifier: BSD-2-Clause */
#include "upstream_reply.h"

#include <string.h>
#include <strings.h>

#define UNKNOWN "unknown"

static const char ehlo_text[] = "250-bench.example.net\r\n"
				"250-PIPELINING\r\n"
				"250-ENHANCEDSTATUSCODES\r\n"
				"250-8BITMIME\r\n"
				"250 SMTPUTF8\r\n";

static bool
verb_is(const char *line, size_t len, const char *verb)
{
	size_t n = strlen(verb);

	return len >= n && strncasecmp(line, verb, n) == 0 &&
	    (len == n || line[n] == ' ' || line[n] == ':');
}

static bool
begins(const char *text, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && memcmp(text, prefix, n) == 0;
}

static struct answer
answer_rcpt(struct transaction *tr, const char *line, size_t len,
    const char *known, struct counters *c)
{
	const char *open = memchr(line, '<', len);
	size_t left;

	c->rcpt++;
	if (!tr->mail)
		return (struct answer){ .text = "503 5.5.1 MAIL first\r\n" };
	if (open == NULL)
		return (struct answer){ .text = "501 5.5.4 syntax\r\n" };
	open++;
	left = len - (size_t)(open - line);
	if (begins(open, left, UNKNOWN) ||
	    (known != NULL && !begins(open, left, known))) {
		c->refused++;
		return (struct answer){ .text = "550 5.1.1 no such user\r\n",
			.refusal = true };
	}
	c->accepted++;
	tr->recipients++;
	return (struct answer){ .text = "250 2.1.5 ok\r\n" };
}

static struct answer
answer_mail(struct transaction *tr, struct counters *c)
{
	c->mail++;
	if (tr->mail)
		return (struct answer){ .text = "503 5.5.1 nested MAIL\r\n" };
	tr->mail = true;
	return (struct answer){ .text = "250 2.1.0 ok\r\n" };
}

static struct answer
answer_data(struct transaction *tr, struct counters *c)
{
	c->data++;
	if (tr->recipients == 0)
		return (struct answer){ .text = "554 5.5.1 no recipients\r\n" };
	tr->in_data = true;
	return (struct answer){ .text = "354 go ahead\r\n" };
}

struct answer
upstream_reply(struct transaction *tr, const char *line, size_t len,
    const char *known, struct counters *c)
{
	if (tr->in_data) {
		if (len != 1 || line[0] != '.')
			return (struct answer){ .text = NULL };
		memset(tr, 0, sizeof(*tr));
		c->messages++;
		return (struct answer){ .text = "250 2.0.0 queued\r\n" };
	}
	c->commands++;
	if (verb_is(line, len, "RCPT"))
		return answer_rcpt(tr, line, len, known, c);
	if (verb_is(line, len, "MAIL"))
		return answer_mail(tr, c);
	if (verb_is(line, len, "DATA"))
		return answer_data(tr, c);
	if (verb_is(line, len, "RSET")) {
		c->rset++;
		memset(tr, 0, sizeof(*tr));
		return (struct answer){ .text = "250 2.0.0 ok\r\n" };
	}
	if (verb_is(line, len, "EHLO") || verb_is(line, len, "LHLO") ||
	    verb_is(line, len, "HELO")) {
		c->ehlo++;
		memset(tr, 0, sizeof(*tr));
		return (struct answer){ .text = ehlo_text };
	}
	if (verb_is(line, len, "NOOP")) {
		c->noop++;
		return (struct answer){ .text = "250 2.0.0 ok\r\n" };
	}
	if (verb_is(line, len, "QUIT")) {
		c->quit++;
		return (struct answer){ .text = "221 2.0.0 bye\r\n",
			.closes = true };
	}
	c->other++;
	return (struct answer){ .text = "500 5.5.2 not known\r\n" };
}
