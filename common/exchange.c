/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's side of AUTH: responses out, challenges in (RFC 4954). */
#include "common/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/session.h"
#include "common/session_state.h"

/* An initial response is sent with AUTH only when the line keeps to RFC 5321
 * section 4.5.3.1.4; some servers refuse longer ones. */
#define AUTH_INITIAL_MAX 512
/* RFC 4422 section 3.1. */
#define MECH_NAME_MAX    20
#define VERB_MAX         (sizeof("AUTH  ") + MECH_NAME_MAX)
#define HIDDEN           "********"

static size_t
base64_len(size_t octets)
{
	return (octets + 2) / 3 * 4;
}

/* Does it fit, with CRLF? */
static bool
response_fits(const struct secret *response)
{
	size_t len;

	(void)secret_bytes(response, &len);
	return base64_len(len) + 2 <= SESSION_LINE_MAX;
}

/* It ends without a reply, before anything was said. */
static enum exchange_event
not_begun(struct exchange *x, enum fault_origin origin, const char *what)
{
	fault_set(&x->fault, origin, "%s", what);
	return x->event = EXCHANGE_BROKEN;
}

/* It ends without a reply, and nobody knows what the upstream expects. */
static enum exchange_event
broken_off(struct exchange *x, enum fault_origin origin, const char *what)
{
	fault_set(&x->fault, origin, "%s", what);
	session_die(x->session, &x->fault);
	return x->event = EXCHANGE_BROKEN;
}

/* Octets behind the reply: the reply stands when they say that the session
 * ends, which servers do after one refusal too many. */
static bool
is_farewell(const struct session *s)
{
	return s->rx_len - s->rx_pos >= 3 &&
	    memcmp(s->rx + s->rx_pos, "421", 3) == 0;
}

/* The dialogue has ended with a reply: a session that was ready before is so
 * again. */
static enum exchange_event
ended(struct exchange *x)
{
	struct session *s = x->session;
	struct fault f;

	if (is_farewell(s)) {
		fault_set(&f, FAULT_CONNECTION, "closed after AUTH");
		session_die(s, &f);
	} else if (session_quiet(s, "reply to AUTH", &x->fault) != OUTCOME_OK) {
		return x->event = EXCHANGE_BROKEN;
	} else if (x->was_ready) {
		session_state_set(s, SESSION_AT_READY);
	}
	return x->event = EXCHANGE_REPLY;
}

/* A reply has come: look at its code only. */
static enum exchange_event
replied(struct exchange *x)
{
	if (x->reply.code != 334)
		return ended(x);
	if (x->reply.lines != 1)
		return broken_off(
		    x, FAULT_PROTOCOL, "challenge of several lines");
	if (session_quiet(x->session, "challenge", &x->fault) != OUTCOME_OK)
		return x->event = EXCHANGE_BROKEN;
	x->challenged = true;
	return x->event = EXCHANGE_CHALLENGE;
}

/* Send a line. */
static enum exchange_event
ask(struct exchange *x, const struct session_line *l, struct deadline d)
{
	x->final = false;
	if (session_command(x->session, l, d, &x->reply, &x->fault) !=
	    OUTCOME_OK)
		return x->event = EXCHANGE_BROKEN;
	return replied(x);
}

/* A line with a response in it. */
struct response {
	struct session_line l;
	char shown[VERB_MAX + sizeof(HIDDEN)];
	char *line; /* secret; NULL: no memory */
};

/* `verb`, which is "" or ends in a space, and a response that fits. */
static bool
compose(struct response *r, const char *verb, const struct secret *response)
{
	size_t vlen = strlen(verb), n;
	const char *octets = secret_bytes(response, &n);

	r->l.len = vlen + base64_len(n);
	if ((r->line = calloc(1, r->l.len + 1)) == NULL)
		return false;
	(void)snprintf(r->shown, sizeof(r->shown), "%s" HIDDEN, verb);
	memcpy(r->line, verb, vlen);
	(void)EVP_EncodeBlock((unsigned char *)r->line + vlen,
	    (const unsigned char *)octets, (int)n);
	r->l.line = r->line;
	r->l.shown = r->shown;
	return true;
}

static void
response_release(struct response *r)
{
	if (r->line != NULL)
		explicit_bzero(r->line, r->l.len);
	free(r->line);
}

static enum exchange_event
respond(struct exchange *x, const char *verb, const struct secret *response,
    struct deadline d)
{
	unsigned long before = session_commands(x->session);
	struct response r;

	if (!compose(&r, verb, response))
		return broken_off(x, FAULT_LOCAL, "out of memory");
	(void)ask(x, &r.l, d);
	if (session_commands(x->session) != before)
		x->sent = true;
	response_release(&r);
	x->final = x->event == EXCHANGE_REPLY;
	return x->event;
}

static void
leave_ready(struct exchange *x)
{
	x->was_ready = x->session->state == SESSION_AT_READY;
	if (x->was_ready)
		session_state_set(x->session, SESSION_AT_AUTH);
}

/* May it go with AUTH?  vlen: what stands before it. */
static bool
goes_along(size_t vlen, const struct secret *initial)
{
	size_t len;

	(void)secret_bytes(initial, &len);
	return len > 0 && vlen + base64_len(len) + 2 <= AUTH_INITIAL_MAX;
}

/* AUTH and what goes with it; the name has been looked at. */
static enum exchange_event
begin(struct exchange *x, const char *mech, const struct secret *initial,
    struct deadline d)
{
	char verb[VERB_MAX];
	struct session_line l = { .line = verb, .shown = verb };
	size_t len = 0;

	leave_ready(x);
	l.len = (size_t)snprintf(verb, sizeof(verb), "AUTH %s ", mech);
	if (initial != NULL)
		(void)secret_bytes(initial, &len);
	if (initial != NULL && goes_along(l.len, initial))
		return respond(x, verb, initial, d);
	if (initial != NULL && len == 0) {
		verb[l.len++] = '=';
		verb[l.len] = '\0';
		x->sent = true;
		(void)ask(x, &l, d);
		x->final = x->event == EXCHANGE_REPLY;
		return x->event;
	}
	verb[--l.len] = '\0';
	if (ask(x, &l, d) == EXCHANGE_CHALLENGE && initial != NULL)
		return respond(x, "", initial, d);
	return x->event;
}

/* Challenges */

static bool
is_base64(const char *text, size_t len)
{
	size_t n = strspn(text,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789+/");

	if (len % 4 != 0 || len - n > 2)
		return false;
	return strspn(text + n, "=") == len - n;
}

/* Stricter than EVP_DecodeBlock(), which passes over spaces and does not tell
 * how much of its result is padding. */
static enum exchange_event
take_challenge(struct exchange *x)
{
	const char *text = x->reply.text;
	size_t len = x->reply.text_len;
	unsigned char raw[REPLY_TEXT_MAX];
	bool kept;
	int n;

	if (x->event != EXCHANGE_CHALLENGE)
		return x->event;
	if (x->reply.cut)
		return broken_off(x, FAULT_PROTOCOL, "challenge too long");
	if (!is_base64(text, len))
		return broken_off(x, FAULT_PROTOCOL, "challenge not in base64");
	n = EVP_DecodeBlock(raw, (const unsigned char *)text, (int)len);
	while (n > 0 && len > 0 && text[len - 1] == '=') {
		len--;
		n--;
	}
	kept = secret_set(&x->challenge, raw, n > 0 ? (size_t)n : 0);
	explicit_bzero(raw, sizeof(raw));
	return kept ? x->event : broken_off(x, FAULT_LOCAL, "out of memory");
}

/* Relay */

static bool
is_mech_name(const char *mech)
{
	size_t len = strspn(mech, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return len > 0 && len <= MECH_NAME_MAX && mech[len] == '\0';
}

enum exchange_event
exchange_start(struct exchange *x, struct session *s, const char *mech,
    const struct secret *initial, struct deadline d)
{
	x->session = s;
	if (!is_mech_name(mech))
		return not_begun(x, FAULT_LOCAL, "no mechanism's name");
	if (initial != NULL && !response_fits(initial))
		return not_begun(x, FAULT_LOCAL, "response too long for AUTH");
	(void)begin(x, mech, initial, d);
	return take_challenge(x);
}

enum exchange_event
exchange_step(
    struct exchange *x, const struct secret *response, struct deadline d)
{
	if (x->event != EXCHANGE_CHALLENGE)
		return broken_off(x, FAULT_LOCAL, "no challenge to answer");
	secret_release(&x->challenge);
	if (!response_fits(response))
		return broken_off(x, FAULT_LOCAL, "response too long for AUTH");
	(void)respond(x, "", response, d);
	return take_challenge(x);
}

enum exchange_event
exchange_abort(struct exchange *x, struct deadline d)
{
	const struct session_line l = { "*", 1, NULL };

	if (x->event != EXCHANGE_CHALLENGE)
		return broken_off(x, FAULT_LOCAL, "no challenge to answer");
	secret_release(&x->challenge);
	if (ask(x, &l, d) == EXCHANGE_BROKEN)
		return x->event;
	if (reply_is_closing(&x->reply)) {
		session_reply_fault(&x->reply, &x->fault);
		session_die(x->session, &x->fault);
		return x->event = EXCHANGE_BROKEN;
	}
	if (x->reply.code < 400)
		return broken_off(x, FAULT_PROTOCOL, "no reply to \"*\"");
	return x->event;
}

/* Passwords */

/* What the challenges of PLAIN and LOGIN say differs, and not all of it is
 * base64; their order does not differ. */
static enum exchange_event
password_end(struct exchange *x)
{
	if (x->event != EXCHANGE_CHALLENGE)
		return x->event;
	return broken_off(x, FAULT_PROTOCOL, "334 is no reply to AUTH");
}

/* NUL authcid NUL password; the authzid is left to the server. */
static bool
plain_message(struct secret *whole, const char *user, const struct secret *pass)
{
	size_t ulen = strlen(user), plen, len;
	const char *p = secret_bytes(pass, &plen);
	char *msg;
	bool ok;

	len = ulen + plen + 2;
	if ((msg = calloc(1, len)) == NULL)
		return false;
	memcpy(msg + 1, user, ulen);
	memcpy(msg + ulen + 2, p, plen);
	ok = secret_set(whole, msg, len);
	explicit_bzero(msg, len);
	free(msg);
	return ok;
}

static enum exchange_event
password_plain(struct exchange *x, const char *user, const struct secret *pass,
    struct deadline d)
{
	struct secret whole = { NULL, 0 };

	if (!plain_message(&whole, user, pass))
		return broken_off(x, FAULT_LOCAL, "out of memory");
	if (response_fits(&whole))
		(void)begin(x, "PLAIN", &whole, d);
	else
		(void)not_begun(
		    x, FAULT_LOCAL, "credentials too long for AUTH");
	secret_release(&whole);
	return password_end(x);
}

static enum exchange_event
password_login(struct exchange *x, const char *user, const struct secret *pass,
    struct deadline d)
{
	struct secret name = { NULL, 0 };

	if (!secret_set(&name, user, strlen(user)) || !response_fits(&name) ||
	    !response_fits(pass)) {
		secret_release(&name);
		return not_begun(
		    x, FAULT_LOCAL, "credentials too long for AUTH");
	}
	if (begin(x, "LOGIN", NULL, d) == EXCHANGE_CHALLENGE &&
	    respond(x, "", &name, d) == EXCHANGE_CHALLENGE)
		(void)respond(x, "", pass, d);
	else
		x->final = false; /* nobody has seen the password */
	secret_release(&name);
	return password_end(x);
}

/* The mechanism to use, or 0. */
static unsigned int
choose_mech(const char *type, unsigned int offered)
{
	if (type != NULL)
		return ehlo_mech(type) & offered &
		    (EHLO_MECH_PLAIN | EHLO_MECH_LOGIN);
	if (offered & EHLO_MECH_PLAIN)
		return EHLO_MECH_PLAIN;
	return offered & EHLO_MECH_LOGIN;
}

enum exchange_event
exchange_password(struct exchange *x, struct session *s,
    const struct exchange_login *l, struct deadline d)
{
	unsigned int mech = choose_mech(l->type, session_ehlo(s)->mechs);
	size_t len;
	const char *octets = secret_bytes(l->pass, &len);

	x->session = s;
	if (mech == 0) {
		fault_set(&x->fault, FAULT_FEATURE, "does not offer AUTH %s",
		    l->type != NULL ? l->type : "PLAIN or LOGIN");
		return x->event = EXCHANGE_BROKEN;
	}
	if (memchr(octets, '\0', len) != NULL)
		return not_begun(x, FAULT_LOCAL, "password not fit for AUTH");
	if (mech == EHLO_MECH_PLAIN)
		return password_plain(x, l->user, l->pass, d);
	return password_login(x, l->user, l->pass, d);
}

/* One line */

bool
exchange_line(struct exchange *x, struct session *s, const char *user,
    const struct secret *pass)
{
	static const char verb[] = "AUTH PLAIN ";
	struct secret whole = { NULL, 0 };
	struct response r = { .line = NULL };
	bool ok = false;

	if ((session_ehlo(s)->mechs & EHLO_MECH_PLAIN) == 0 ||
	    !plain_message(&whole, user, pass))
		return false;
	x->session = s;
	if (goes_along(sizeof(verb) - 1, &whole) && compose(&r, verb, &whole)) {
		leave_ready(x);
		x->before = session_commands(s);
		ok = session_queue(s, &r.l, true, NULL);
	}
	response_release(&r);
	secret_release(&whole);
	return ok;
}

bool
exchange_pump(struct exchange *x)
{
	void *cookie;
	enum session_event ev =
	    session_pump(x->session, &x->reply, &cookie, &x->fault);

	if (session_commands(x->session) != x->before)
		x->sent = true;
	if (ev == SESSION_NONE)
		return false;
	x->event = EXCHANGE_BROKEN;
	if (ev == SESSION_REPLY) {
		(void)replied(x);
		x->final = x->event == EXCHANGE_REPLY;
		(void)password_end(x);
	}
	return true;
}

void
exchange_late(struct exchange *x)
{
	session_late(x->session, &x->fault);
	x->event = EXCHANGE_BROKEN;
}

void
exchange_release(struct exchange *x)
{
	secret_release(&x->challenge);
	explicit_bzero(x, sizeof(*x));
}
