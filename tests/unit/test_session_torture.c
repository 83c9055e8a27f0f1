/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every step of a session goes wrong in every way, under every policy.  What
 * must hold: no crash, no endless loop, no answer given to the wrong question,
 * no permanent failure out of a temporary one, no password in clear.
 */
#include "common/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/secret.h"
#include "common/transport.h"
#include "tests/unit/certs.h"
#include "tests/unit/fake_transport.h"

#define PASSWORD        "Sesame4711"
#define PASSWORD_BASE64 "U2VzYW1lNDcxMQ=="
#define PLAIN_BASE64    "AGFubgBTZXNhbWU0NzEx"

struct policy {
	const char *name;
	enum conf_tls tls;
	const char *auth; /* mechanism, or NULL */
	enum conf_xclient xclient;
	bool no_starttls;
	bool pipelining;
	bool lmtp;
	bool near; /* the endpoint is this machine */
};

static const struct policy policies[] = {
	{ .name = "none", .tls = TLS_NONE },
	{ .name = "none pipelining", .tls = TLS_NONE, .pipelining = true },
	{ .name = "lmtp", .tls = TLS_NONE, .pipelining = true, .lmtp = true },
	{ .name = "xclient", .xclient = XCLIENT_REQUIRED },
	{ .name = "may without", .tls = TLS_MAY, .no_starttls = true },
	{ .name = "may", .tls = TLS_MAY, .pipelining = true },
	{ .name = "may auth", .tls = TLS_MAY, .auth = "PLAIN" },
	{ .name = "encrypt", .tls = TLS_ENCRYPT, .pipelining = true },
	{ .name = "verify", .tls = TLS_VERIFY },
	{ .name = "verify near without",
	    .tls = TLS_VERIFY,
	    .no_starttls = true,
	    .near = true,
	    .auth = "PLAIN" },
	{ .name = "verify plain",
	    .tls = TLS_VERIFY,
	    .auth = "PLAIN",
	    .pipelining = true },
	{ .name = "verify login xclient",
	    .tls = TLS_VERIFY,
	    .auth = "LOGIN",
	    .xclient = XCLIENT_IFAVAILABLE },
	{ .name = "implicit", .tls = TLS_IMPLICIT, .auth = "LOGIN" },
	{ .name = "near login", .auth = "LOGIN", .near = true },
};

#define N_POLICIES (sizeof(policies) / sizeof(policies[0]))

/* The upstream */

struct upstream {
	const struct policy *p;
	int challenges; /* of AUTH, still to be answered */
	bool secret_in_clear;
};

static void
say_keywords(struct fake *f, const struct upstream *u)
{
	fake_say(f, "250-mx.example.org\r\n");
	if (u->p->pipelining)
		fake_say(f, "250-PIPELINING\r\n");
	if (!u->p->no_starttls && !fake_is_tls(f))
		fake_say(f, "250-STARTTLS\r\n");
	if (u->p->xclient != XCLIENT_NO)
		fake_say(f, "250-XCLIENT NAME ADDR\r\n");
	fake_say(f, "250-AUTH PLAIN LOGIN\r\n250 HELP\r\n");
}

static void
answer_challenge(struct fake *f, struct upstream *u, const char *line)
{
	if (--u->challenges > 0)
		fake_say(f, "334 UGFzc3dvcmQ6\r\n");
	else if (strcmp(line, PASSWORD_BASE64) == 0)
		fake_say(f, "235 2.7.0 ok\r\n");
	else
		fake_say(f, "535 5.7.8 bad\r\n");
}

static void
answer(struct fake *f, void *arg, const char *line)
{
	struct upstream *u = arg;

	if (!fake_is_tls(f) &&
	    (strstr(line, PASSWORD_BASE64) != NULL ||
		strstr(line, PLAIN_BASE64) != NULL))
		u->secret_in_clear = true;
	if (u->challenges > 0)
		answer_challenge(f, u, line);
	else if (strncmp(line, u->p->lmtp ? "LHLO " : "EHLO ", 5) == 0)
		say_keywords(f, u);
	else if (strcmp(line, "STARTTLS") == 0) {
		fake_say(f, "220 2.0.0 go\r\n");
		fake_starttls(f);
	} else if (strncmp(line, "XCLIENT ", 8) == 0)
		fake_say(f, "220 mx.example.org\r\n");
	else if (strcmp(line, "AUTH PLAIN " PLAIN_BASE64) == 0)
		fake_say(f, "235 2.7.0 ok\r\n");
	else if (strcmp(line, "AUTH LOGIN") == 0) {
		u->challenges = 2;
		fake_say(f, "334 VXNlcm5hbWU6\r\n");
	} else if (strcmp(line, "MAIL FROM:<>") == 0)
		fake_say(f, "250 2.1.0 MAIL\r\n");
	else if (strcmp(line, "RCPT TO:<ann@example.org>") == 0)
		fake_say(f, "250 2.1.5 ann\r\n");
	else if (strcmp(line, "RCPT TO:<bob@example.org>") == 0)
		fake_say(f, "550-5.1.1 bob\r\n550 5.1.1 bob\r\n");
	else if (strcmp(line, "RSET") == 0)
		fake_say(f, "250 2.0.0 RSET\r\n");
	else if (strcmp(line, "QUIT") == 0) {
		fake_say(f, "221 2.0.0 QUIT\r\n");
		fake_close(f);
	} else
		fake_say(f, "500 5.5.1 what\r\n");
}

/* The client */

struct setup {
	struct cert ca, good;
	SSL_CTX *server;
	char ca_file[64];
};

struct run {
	const struct setup *su;
	struct upstream u;
	struct fake *f;
	struct secret pass;
	enum outcome oc;
	struct fault fault;
	enum smtp_stage stage;
	struct tls_info tls;
	int replies;
	bool clean; /* all was answered, and the session lives */
	/* Steps until the last answer, and until it was seen to live; what
	 * comes then is a farewell that nobody waits for. */
	unsigned int answered, seen;
	bool leaked;
};

static void
check_trace(void *arg, char direction, const char *line)
{
	struct run *r = arg;

	(void)direction;
	if (strstr(line, PASSWORD) != NULL ||
	    strstr(line, PASSWORD_BASE64) != NULL ||
	    strstr(line, PLAIN_BASE64) != NULL)
		r->leaked = true;
}

/* Each reply has the name of its question in it. */
static bool
right_answer(const struct reply *r, const char *cookie)
{
	return strstr(r->text, cookie) != NULL;
}

static void
converse(struct run *r, struct session *s, bool may_mismatch)
{
	static char names[][5] = { "MAIL", "ann", "bob", "RSET" };
	struct address null, ann, bob;
	struct reply reply;
	struct fault f;
	void *cookie;
	int loops = 0;

	(void)address_parse("<>", 2, &null, NULL);
	(void)address_parse("ann@example.org", 15, &ann, NULL);
	(void)address_parse("bob@example.org", 15, &bob, NULL);
	if (!session_mail(s, &null, false, names[0]) ||
	    !session_rcpt(s, &ann, names[1]) ||
	    !session_rcpt(s, &bob, names[2]) || !session_rset(s, names[3]))
		return;
	while (session_outstanding(s) > 0) {
		assert_true(++loops < 1000);
		switch (session_pump(s, &reply, &cookie, &f)) {
		case SESSION_REPLY:
			assert_ptr_equal(cookie, names[r->replies]);
			if (!may_mismatch)
				assert_true(right_answer(&reply, cookie));
			r->replies++;
			break;
		case SESSION_DEAD:
			assert_int_not_equal(f.origin, FAULT_NONE);
			assert_int_not_equal(f.origin, FAULT_REPLY);
			return;
		case SESSION_NONE:
			/* What would be a wait is none here: either it goes
			 * on, or it never will. */
			if (loops > 900)
				return;
			break;
		}
	}
	r->answered = fake_steps(r->f);
	r->clean = session_alive(s);
	r->seen = fake_steps(r->f);
}

/* One whole life under a policy. */
static void
live(struct run *r, const struct policy *p, struct tls_client *tls,
    bool may_mismatch)
{
	static const struct session_client client = {
		.name = "cli.example.net",
		.addr = "2001:db8::1",
	};
	struct session_params sp = {
		.tls = p->tls,
		.tls_client = tls,
		.helo = "edge.example.org",
		.xclient = p->xclient,
		.client = &client,
		.auth_user = p->auth != NULL ? "ann" : NULL,
		.auth_pass = &r->pass,
		.auth_type = p->auth,
		.tls_verify_name = "mx.example.org",
		.own_name = "edge.example.org",
		.dial = fake_dial,
		.dial_arg = r->f,
		.trace = check_trace,
		.trace_arg = r,
	};
	struct session *s = NULL;
	const char *place = p->near ? "127.0.0.1" : "mx.example.org";

	assert_true(endpoint_parse(place, &sp.endpoint, NULL));
	sp.endpoint.lmtp = p->lmtp;
	r->u.challenges = 0;
	r->replies = 0;
	r->clean = false;
	r->oc = session_open(&sp, deadline_in(60000), &s, &r->fault, &r->stage);
	if (r->oc != OUTCOME_OK) {
		assert_null(s);
		return;
	}
	assert_non_null(s);
	r->tls = *session_tls(s);
	converse(r, s, may_mismatch);
	session_free(s);
}

static struct tls_client *
new_client(const struct setup *su)
{
	char ca_file[sizeof(su->ca_file)];
	struct conf_upstream up = { .tls_ca_file = ca_file };
	struct tls_client *c;
	char why[256];

	memcpy(ca_file, su->ca_file, sizeof(ca_file));
	c = tls_client_new(&up, why, sizeof(why));

	if (c == NULL)
		fail_msg("%s", why);
	return c;
}

static void
run_init(struct run *r, const struct setup *su, const struct policy *p)
{
	struct fake_params fp = {
		.line = answer,
		.arg = &r->u,
		.greeting = p->lmtp ? "220 mx.example.org LMTP\r\n"
				    : "220-mx.example.org\r\n220 ESMTP\r\n",
		.tls = su->server,
		.implicit = p->tls == TLS_IMPLICIT,
	};

	memset(r, 0, sizeof(*r));
	r->su = su;
	r->u.p = p;
	r->f = fake_new(&fp);
	assert_true(secret_set(&r->pass, PASSWORD, strlen(PASSWORD)));
}

static void
run_release(struct run *r)
{
	fake_free(r->f);
	secret_release(&r->pass);
}

/* What holds, whatever has happened. */
static void
check_always(const struct run *r)
{
	const struct policy *p = r->u.p;

	assert_false(r->leaked);
	if (!p->near)
		assert_false(r->u.secret_in_clear);
	if (r->oc != OUTCOME_OK) {
		assert_int_equal(r->oc, OUTCOME_TEMP);
		assert_int_not_equal(r->fault.origin, FAULT_NONE);
		assert_true(r->fault.text[0] != '\0');
		return;
	}
	if (p->tls == TLS_IMPLICIT || p->tls == TLS_VERIFY)
		assert_true(r->tls.verified || p->near);
	if (p->tls == TLS_ENCRYPT)
		assert_true(r->tls.active);
}

static void
check_fault(struct run *r, enum fake_fault kind, unsigned int n)
{
	const struct policy *p = r->u.p;

	check_always(r);
	if (!fake_failed(r->f))
		return;
	/* Only a second connection, in clear, can make up for it. */
	if (fake_dials(r->f) > 1)
		assert_true(p->tls == TLS_MAY && p->auth == NULL);
	else if (r->clean && n <= (kind == FAKE_HANG ? r->answered : r->seen))
		fail_msg("%s: fault %d at step %u went unseen", p->name,
		    (int)kind, n);
}

static void
torture(const struct setup *su, const struct policy *p, enum fake_fault kind)
{
	struct run r;
	struct tls_client *tls;
	unsigned int n, steps;

	run_init(&r, su, p);
	tls = new_client(su);
	live(&r, p, tls, false);
	tls_client_unref(tls);
	if (r.oc != OUTCOME_OK || !r.clean)
		fail_msg("%s: %s", p->name, r.fault.text);
	check_always(&r);
	steps = fake_steps(r.f);
	for (n = 1; n <= steps; n++) {
		tls = new_client(su);
		fake_fail_at(r.f, n, kind);
		live(&r, p, tls, kind == FAKE_EARLY);
		check_fault(&r, kind, n);
		tls_client_unref(tls);
	}
	run_release(&r);
}

static void
torture_all(void **state, enum fake_fault kind)
{
	const struct setup *su = *state;
	size_t i;

	for (i = 0; i < N_POLICIES; i++)
		torture(su, &policies[i], kind);
}

static void
test_error(void **state)
{
	torture_all(state, FAKE_ERROR);
}

static void
test_eof(void **state)
{
	torture_all(state, FAKE_EOF);
}

static void
test_hang(void **state)
{
	torture_all(state, FAKE_HANG);
}

static void
test_garbage(void **state)
{
	torture_all(state, FAKE_GARBAGE);
}

static void
test_early(void **state)
{
	torture_all(state, FAKE_EARLY);
}

/* However the octets are cut, the dialogue is the same. */
static void
test_chunks(void **state)
{
	const struct setup *su = *state;
	size_t i, chunk;

	for (i = 0; i < N_POLICIES; i++) {
		for (chunk = 1; chunk <= 7; chunk += 2) {
			struct run r;
			struct tls_client *tls = new_client(su);

			run_init(&r, su, &policies[i]);
			fake_chunk(r.f, chunk);
			live(&r, &policies[i], tls, false);
			if (r.oc != OUTCOME_OK || !r.clean)
				fail_msg("%s, %zu: %s", policies[i].name, chunk,
				    r.fault.text);
			assert_int_equal(r.replies, 4);
			check_always(&r);
			run_release(&r);
			tls_client_unref(tls);
		}
	}
}

/* The second life resumes the first one's TLS session, torn or not. */
static void
test_resume_after_faults(void **state)
{
	const struct setup *su = *state;
	const struct policy *p = &policies[8];
	struct tls_client *tls = new_client(su);
	struct run r;
	unsigned int n;

	assert_string_equal(p->name, "verify");
	run_init(&r, su, p);
	live(&r, p, tls, false);
	assert_false(r.tls.resumed);
	for (n = 1; n < 60; n++) {
		fake_fail_at(r.f, n, FAKE_EOF);
		live(&r, p, tls, false);
		check_fault(&r, FAKE_EOF, n);
		fake_fail_at(r.f, 0, FAKE_EOF);
		live(&r, p, tls, false);
		assert_true(r.clean);
		live(&r, p, tls, false);
		assert_true(r.clean && r.tls.resumed);
	}
	run_release(&r);
	tls_client_unref(tls);
}

static int
setup(void **state)
{
	static struct setup su;
	struct cert_params ca = { "authority", NULL, NULL, -1, 10 };
	struct cert_params good = { "mx", "DNS:mx.example.org", &su.ca, -1,
		10 };
	int fd;

	cert_init(&su.ca, &ca);
	cert_init(&su.good, &good);
	su.server = cert_server(&su.good, NULL);
	(void)snprintf(
	    su.ca_file, sizeof(su.ca_file), "/tmp/postern-ca-XXXXXX");
	fd = mkstemp(su.ca_file);
	if (fd == -1)
		return -1;
	(void)close(fd);
	cert_write(&su.ca, su.ca_file, false);
	*state = &su;
	return 0;
}

static int
teardown(void **state)
{
	struct setup *su = *state;

	(void)unlink(su->ca_file);
	SSL_CTX_free(su->server);
	cert_release(&su->good);
	cert_release(&su->ca);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_eof),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_resume_after_faults),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
