/* SPDX-License-Identifier: BSD-2-Clause */
#include "upstream_reply.h"

#include <string.h>
#include <strings.h>

#define UNKNOWN "unknown"

#define EHLO_TEXT              \
 "250-bench.example.net\r\n"   \
 "250-PIPELINING\r\n"          \
 "250-ENHANCEDSTATUSCODES\r\n" \
 "250-8BITMIME\r\n"            \
 "250-AUTH PLAIN LOGIN\r\n"

static const char ehlo_text[] = EHLO_TEXT "250 SMTPUTF8\r\n";
static const char ehlo_xclient[] =
    EHLO_TEXT "250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN\r\n"
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
    const struct rules *r, struct counters *c)
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
	    (r->known != NULL && !begins(open, left, r->known))) {
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

/* The dialogue has all it wants. */
static struct answer
auth_end(struct transaction *tr, bool right, const struct rules *r,
    struct counters *c)
{
	size_t len = strlen(tr->user);

	tr->auth = AUTH_NONE;
	if (!right || begins(tr->user, len, UNKNOWN) ||
	    (r->known != NULL && !begins(tr->user, len, r->known))) {
		c->denied++;
		return (struct answer){
			.text = "535 5.7.8 not these credentials\r\n",
			.refusal = true
		};
	}
	c->logins++;
	tr->logged_in = true;
	return (struct answer){ .text = "235 2.7.0 welcome\r\n" };
}

/* A response of the dialogue, or the initial one. */
static struct answer
auth_response(struct transaction *tr, const char *line, size_t len,
    const struct rules *r, struct counters *c)
{
	char given[LOGIN_USER_MAX + 16], password[LOGIN_USER_MAX + 16];
	bool right = false, whole = false;

	if (tr->auth == AUTH_PLAIN) {
		whole = login_parse(line, len, tr->user, &right);
	} else if (tr->auth == AUTH_USER) {
		if (login_decode(line, len, tr->user, sizeof(tr->user)) > 0) {
			tr->auth = AUTH_PASSWORD;
			return (
			    struct answer){ .text = "334 UGFzc3dvcmQ6\r\n" };
		}
	} else {
		whole = login_decode(line, len, given, sizeof(given)) > 0;
		login_password(tr->user, password, sizeof(password));
		right = whole && strcmp(given, password) == 0;
	}
	if (whole)
		return auth_end(tr, right, r, c);
	tr->auth = AUTH_NONE;
	return (struct answer){ .text = "501 5.5.2 not a response\r\n" };
}

static struct answer
answer_auth(struct transaction *tr, const char *line, size_t len,
    const struct rules *r, struct counters *c)
{
	static const char plain[] = "AUTH PLAIN", login[] = "AUTH LOGIN";
	const size_t n = sizeof(plain) - 1;

	c->auth++;
	if (!tr->greeted || tr->logged_in || tr->mail)
		return (struct answer){ .text = "503 5.5.1 not now\r\n" };
	if (verb_is(line, len, plain)) {
		tr->auth = AUTH_PLAIN;
		if (len > n + 1)
			return auth_response(
			    tr, line + n + 1, len - n - 1, r, c);
		return (struct answer){ .text = "334 \r\n" };
	}
	if (verb_is(line, len, login)) {
		tr->auth = AUTH_USER;
		if (len > n + 1)
			return auth_response(
			    tr, line + n + 1, len - n - 1, r, c);
		return (struct answer){ .text = "334 VXNlcm5hbWU6\r\n" };
	}
	return (struct answer){ .text = "504 5.5.4 no such mechanism\r\n" };
}

/* What Postfix does: a new session begins, on the same connection; HELO stands
 * for an EHLO. */
static struct answer
answer_xclient(struct transaction *tr, const char *line, size_t len,
    const struct rules *r, struct counters *c)
{
	static const char helo[] = " HELO=";

	c->xclient++;
	if (!r->xclient)
		return (struct answer){ .text = "550 5.7.0 not you\r\n" };
	if (tr->mail)
		return (struct answer){ .text = "503 5.5.1 not now\r\n" };
	memset(tr, 0, sizeof(*tr));
	tr->greeted = memmem(line, len, helo, sizeof(helo) - 1) != NULL;
	return (struct answer){ .text = "220 bench.example.net ESMTP\r\n" };
}

static struct answer
answer_ehlo(struct transaction *tr, const struct rules *r, struct counters *c)
{
	c->ehlo++;
	tr->greeted = true;
	tr->mail = false;
	tr->recipients = 0;
	return (struct answer){ .text = r->xclient ? ehlo_xclient : ehlo_text };
}

/* RSET, and the end of a message: the session itself goes on. */
static void
forget_message(struct transaction *tr)
{
	tr->mail = tr->in_data = false;
	tr->recipients = 0;
}

struct answer
upstream_reply(struct transaction *tr, const char *line, size_t len,
    const struct rules *r, struct counters *c)
{
	if (tr->in_data) {
		if (len != 1 || line[0] != '.')
			return (struct answer){ .text = NULL };
		forget_message(tr);
		c->messages++;
		return (struct answer){ .text = "250 2.0.0 queued\r\n" };
	}
	if (tr->auth != AUTH_NONE)
		return auth_response(tr, line, len, r, c);
	c->commands++;
	if (verb_is(line, len, "RCPT"))
		return answer_rcpt(tr, line, len, r, c);
	if (verb_is(line, len, "AUTH"))
		return answer_auth(tr, line, len, r, c);
	if (verb_is(line, len, "XCLIENT"))
		return answer_xclient(tr, line, len, r, c);
	if (verb_is(line, len, "MAIL"))
		return answer_mail(tr, c);
	if (verb_is(line, len, "DATA"))
		return answer_data(tr, c);
	if (verb_is(line, len, "RSET")) {
		c->rset++;
		forget_message(tr);
		return (struct answer){ .text = "250 2.0.0 ok\r\n" };
	}
	if (verb_is(line, len, "EHLO") || verb_is(line, len, "LHLO") ||
	    verb_is(line, len, "HELO"))
		return answer_ehlo(tr, r, c);
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
