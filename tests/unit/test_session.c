/* SPDX-License-Identifier: BSD-2-Clause */
/* What a session takes and refuses, and how its pipeline runs. */
#include "common/session.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/secret.h"
#include "common/transport.h"
#include "tests/unit/fake_transport.h"

#define LINES_MAX 64

/* An upstream that takes down what it gets, and answers MAIL and RCPT only
 * when told to. */
struct notes {
	const char *ehlo; /* what it offers, whole lines */
	bool silent;
	char lines[LINES_MAX][512];
	size_t n;
	char trace[65536];
	size_t trace_len;
};

static void
take_note(struct fake *f, void *arg, const char *line)
{
	struct notes *n = arg;

	assert_true(n->n < LINES_MAX);
	(void)snprintf(n->lines[n->n++], sizeof(n->lines[0]), "%.500s", line);
	if (strncmp(line, "EHLO ", 5) == 0)
		fake_say(f, n->ehlo);
	else if (n->silent)
		return;
	else if (strncmp(line, "AUTH ", 5) == 0)
		fake_say(f, "235 2.7.0 ok\r\n");
	else if (strcmp(line, "NOOP") == 0)
		fake_say(f, "250 2.0.0 noop\r\n");
	else
		fake_say(f, "250 ok\r\n");
}

static void
trace(void *arg, char direction, const char *line)
{
	struct notes *n = arg;
	int len = snprintf(n->trace + n->trace_len,
	    sizeof(n->trace) - n->trace_len, "%c %s\n", direction, line);

	assert_true(len > 0);
	n->trace_len += (size_t)len;
	assert_true(n->trace_len < sizeof(n->trace));
}

struct fixture {
	struct notes notes;
	struct fake *fake;
	struct session *s;
	struct session_params sp;
};

static void
open_with(struct fixture *fx, const char *ehlo)
{
	struct fake_params fp = {
		.line = take_note,
		.arg = &fx->notes,
		.greeting = "220 mx.example.org\r\n",
	};
	struct fault f;

	memset(&fx->notes, 0, sizeof(fx->notes));
	fx->notes.ehlo = ehlo;
	fx->fake = fake_new(&fp);
	fx->sp.helo = "edge.example.org";
	fx->sp.dial = fake_dial;
	fx->sp.dial_arg = fx->fake;
	fx->sp.trace = trace;
	fx->sp.trace_arg = &fx->notes;
	if (fx->sp.endpoint.host[0] == '\0')
		assert_true(endpoint_parse(
		    "mx.example.org:25", &fx->sp.endpoint, NULL));
	if (session_open(&fx->sp, deadline_in(5000), &fx->s, &f, NULL) !=
	    OUTCOME_OK)
		fail_msg("%s", f.text);
}

static void
close_it(struct fixture *fx)
{
	session_free(fx->s);
	fake_free(fx->fake);
}

static struct address
address(const char *text)
{
	struct address a;

	assert_int_not_equal(
	    address_parse(text, strlen(text), &a, NULL), ADDRESS_BAD);
	return a;
}

static enum session_event
pump(struct fixture *fx, int *code, void **cookie)
{
	struct reply r;
	struct fault f;
	enum session_event ev = session_pump(fx->s, &r, cookie, &f);

	*code = ev == SESSION_REPLY ? r.code : 0;
	return ev;
}

#define PIPE "250-mx.example.org\r\n250 PIPELINING\r\n"
#define BARE "250 mx.example.org\r\n"
#define ALL                                                 \
 "250-mx.example.org\r\n250-PIPELINING\r\n250-8BITMIME\r\n" \
 "250-AUTH PLAIN LOGIN\r\n250 SMTPUTF8\r\n"

/* A batch is one write; the cookies come back in order. */
static void
test_batch(void **state)
{
	static struct fixture fx;
	struct address null = address("<>"), ann = address("ann@example.org");
	char cookies[20];
	void *cookie;
	unsigned int writes;
	int code;
	size_t i;

	(void)state;
	open_with(&fx, PIPE);
	writes = fake_writes(fx.fake);
	assert_true(session_mail(fx.s, &null, false, &cookies[0]));
	for (i = 1; i < 20; i++)
		assert_true(session_rcpt(fx.s, &ann, &cookies[i]));
	assert_int_equal(session_outstanding(fx.s), 20);
	assert_int_equal(session_unsent(fx.s), 20);
	assert_true((session_events(fx.s) & POLLOUT) != 0);
	/* Out they go; their replies are waited for. */
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_NONE);
	assert_int_equal(session_outstanding(fx.s), 20);
	assert_int_equal(session_unsent(fx.s), 0);
	for (i = 0; i < 20; i++) {
		assert_int_equal(pump(&fx, &code, &cookie), SESSION_REPLY);
		assert_int_equal(code, 250);
		assert_ptr_equal(cookie, &cookies[i]);
	}
	assert_int_equal(fake_writes(fx.fake) - writes, 1);
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_NONE);
	assert_int_equal(session_outstanding(fx.s), 0);
	assert_int_equal(session_events(fx.s), POLLIN);
	assert_int_equal(session_commands(fx.s), 21);
	close_it(&fx);
}

/* A batch beyond the send buffer goes out all the same. */
static void
test_long_batch(void **state)
{
	static struct fixture fx;
	struct address null = address("<>");
	char text[300];
	struct address a;
	void *cookie;
	int code, i;

	(void)state;
	memset(text, 'a', 250);
	memcpy(text + 250, "@example.org", 13);
	a = address(text);
	open_with(&fx, PIPE);
	fx.notes.silent = true;
	assert_true(session_mail(fx.s, &null, false, NULL));
	for (i = 0; i < 50; i++)
		assert_true(session_rcpt(fx.s, &a, NULL));
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_NONE);
	assert_int_equal(fx.notes.n, 52);
	for (i = 0; i < 51; i++)
		fake_say(fx.fake, "250 ok\r\n");
	for (i = 0; i < 51; i++)
		assert_int_equal(pump(&fx, &code, &cookie), SESSION_REPLY);
	assert_true(session_alive(fx.s));
	close_it(&fx);
}

/* Without PIPELINING there is one command in flight. */
static void
test_one_at_a_time(void **state)
{
	static struct fixture fx;
	struct address null = address("<>"), ann = address("ann@example.org");
	void *cookie;
	int code;

	(void)state;
	open_with(&fx, BARE);
	fx.notes.silent = true;
	assert_true(session_mail(fx.s, &null, false, NULL));
	assert_true(session_rcpt(fx.s, &ann, NULL));
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_NONE);
	assert_int_equal(fx.notes.n, 2);
	assert_string_equal(fx.notes.lines[1], "MAIL FROM:<>");
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_NONE);
	assert_int_equal(fx.notes.n, 2);
	fake_say(fx.fake, "250 ok\r\n");
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_REPLY);
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_NONE);
	assert_string_equal(fx.notes.lines[2], "RCPT TO:<ann@example.org>");
	assert_int_equal(session_outstanding(fx.s), 1);
	close_it(&fx);
}

/* A line of a dialogue, and QUIT, have nobody beside them. */
static void
test_alone(void **state)
{
	static struct fixture fx;
	struct address null = address("<>"), ann = address("ann@example.org");
	void *cookie;
	int code;

	(void)state;
	open_with(&fx, PIPE);
	fx.notes.silent = true;
	assert_true(session_mail(fx.s, &null, false, NULL));
	assert_true(session_line(fx.s, "NOOP", 4, NULL, NULL));
	assert_true(session_rcpt(fx.s, &ann, NULL));
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_NONE);
	assert_int_equal(fx.notes.n, 2);
	fake_say(fx.fake, "250 ok\r\n");
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_REPLY);
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_NONE);
	assert_int_equal(fx.notes.n, 3);
	assert_string_equal(fx.notes.lines[2], "NOOP");
	fake_say(fx.fake, "250 ok\r\n");
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_REPLY);
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_NONE);
	assert_int_equal(fx.notes.n, 4);
	close_it(&fx);
}

/* Nothing may have come when a batch begins. */
static void
test_silence_before_batch(void **state)
{
	static struct fixture fx;
	struct address null = address("<>");
	struct reply r;
	struct fault f;
	void *cookie;

	(void)state;
	open_with(&fx, PIPE);
	fake_say(fx.fake, "250 early\r\n");
	assert_true(session_mail(fx.s, &null, false, NULL));
	assert_int_equal(session_pump(fx.s, &r, &cookie, &f), SESSION_DEAD);
	assert_int_equal(f.origin, FAULT_PROTOCOL);
	assert_int_equal(fx.notes.n, 1);
	assert_false(session_mail(fx.s, &null, false, NULL));
	close_it(&fx);
}

/* A reply to a command that is still on its way out answers nothing. */
static void
test_reply_before_command(void **state)
{
	static struct fixture fx;
	struct address null = address("<>"), ann = address("ann@example.org");
	struct reply r;
	struct fault f;
	void *cookie;
	int code;

	(void)state;
	open_with(&fx, PIPE);
	fx.notes.silent = true;
	assert_true(session_mail(fx.s, &null, false, NULL));
	assert_true(session_rcpt(fx.s, &ann, NULL));
	/* MAIL and half of RCPT. */
	fake_take(fx.fake, 20);
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_NONE);
	assert_int_equal(fx.notes.n, 2);
	assert_int_equal(session_events(fx.s), POLLIN | POLLOUT);
	fake_say(fx.fake, "250 MAIL\r\n250 RCPT\r\n");
	assert_int_equal(pump(&fx, &code, &cookie), SESSION_REPLY);
	assert_int_equal(session_pump(fx.s, &r, &cookie, &f), SESSION_DEAD);
	assert_int_equal(f.origin, FAULT_PROTOCOL);
	close_it(&fx);
}

/* What could not be written goes out when it can. */
static void
test_slow_writes(void **state)
{
	static struct fixture fx;
	struct address null = address("<>"), ann = address("ann@example.org");
	void *cookie;
	int code, replies = 0;
	size_t i;

	(void)state;
	open_with(&fx, PIPE);
	assert_true(session_mail(fx.s, &null, false, NULL));
	for (i = 0; i < 3; i++)
		assert_true(session_rcpt(fx.s, &ann, NULL));
	for (i = 0; i < 20; i++) {
		fake_take(fx.fake, 7);
		while (pump(&fx, &code, &cookie) == SESSION_REPLY)
			replies++;
	}
	assert_int_equal(replies, 4);
	assert_string_equal(fx.notes.lines[4], "RCPT TO:<ann@example.org>");
	assert_true(session_alive(fx.s));
	close_it(&fx);
}

static void
test_421_unasked(void **state)
{
	static struct fixture fx;
	struct reply r;
	struct fault f;
	void *cookie;

	(void)state;
	open_with(&fx, PIPE);
	fake_say(fx.fake, "421-4.3.2 going\r\n421 4.3.2 down\r\n");
	assert_int_equal(session_pump(fx.s, &r, &cookie, &f), SESSION_DEAD);
	assert_int_equal(f.origin, FAULT_REPLY);
	assert_int_equal(f.code, 421);
	assert_string_equal(f.esc, "4.3.2");
	close_it(&fx);
}

/* What must not get into a command. */
static void
test_refused(void **state)
{
	static struct fixture fx;
	struct address zero = { 0 }, forged = address("ann@example.org");
	struct address null = address("<>");
	struct address utf8 = address("\xc3\xa4nn@example.org");
	static char endless[20000];

	(void)state;
	open_with(&fx, PIPE);
	assert_false(session_mail(fx.s, &zero, false, NULL));
	assert_false(session_rcpt(fx.s, &zero, NULL));
	assert_false(session_rcpt(fx.s, &null, NULL));
	assert_false(session_mail(fx.s, &utf8, false, NULL));
	assert_false(session_mail(fx.s, &null, true, NULL));
	assert_false(session_rcpt(fx.s, &utf8, NULL));
	forged.path[3] = '\r';
	assert_false(session_rcpt(fx.s, &forged, NULL));
	forged.path[3] = '\0';
	assert_false(session_rcpt(fx.s, &forged, NULL));
	assert_false(session_line(fx.s, "NOOP\r\nRSET", 10, NULL, NULL));
	assert_false(session_line(fx.s, "NOOP\nRSET", 9, NULL, NULL));
	assert_false(session_line(fx.s, "NOOP\0", 5, NULL, NULL));
	assert_false(session_line(fx.s, "", 0, NULL, NULL));
	memset(endless, 'x', sizeof(endless));
	assert_false(session_line(fx.s, endless, sizeof(endless), NULL, NULL));
	assert_int_equal(session_outstanding(fx.s), 0);
	assert_true(session_alive(fx.s));
	assert_int_equal(fx.notes.n, 1);
	close_it(&fx);
}

/* SMTPUTF8 must have been said in MAIL before such a recipient comes. */
static void
test_smtputf8(void **state)
{
	static struct fixture fx;
	struct address null = address("<>");
	struct address utf8 = address("\xc3\xa4nn@example.org");
	struct address sender = address("\xc3\xb6@example.net");
	void *cookie;
	int code;

	(void)state;
	open_with(&fx, ALL);
	assert_true(session_mail(fx.s, &null, false, NULL));
	assert_false(session_rcpt(fx.s, &utf8, NULL));
	assert_true(session_mail(fx.s, &null, true, NULL));
	assert_true(session_rcpt(fx.s, &utf8, NULL));
	assert_true(session_mail(fx.s, &sender, false, NULL));
	assert_true(session_rcpt(fx.s, &utf8, NULL));
	while (pump(&fx, &code, &cookie) == SESSION_REPLY)
		continue;
	assert_string_equal(fx.notes.lines[1], "MAIL FROM:<>");
	assert_string_equal(
	    fx.notes.lines[2], "MAIL FROM:<> SMTPUTF8 BODY=8BITMIME");
	assert_string_equal(
	    fx.notes.lines[3], "RCPT TO:<\xc3\xa4nn@example.org>");
	assert_string_equal(fx.notes.lines[4],
	    "MAIL FROM:<\xc3\xb6@example.net> SMTPUTF8 BODY=8BITMIME");
	close_it(&fx);
}

/* A password is in the trace in no form, also when a caller forgets to say
 * what to show. */
static void
test_redaction(void **state)
{
	static struct fixture fx;
	struct secret pass = { 0 };
	struct reply r;
	struct fault f;
	struct session_line l = { "AUTH PLAIN AGFubgBTZXNhbWU0NzEx", 31, NULL };

	(void)state;
	assert_true(secret_set(&pass, "Sesame4711", 10));
	assert_true(endpoint_parse("127.0.0.1:25", &fx.sp.endpoint, NULL));
	fx.sp.auth_user = "ann";
	fx.sp.auth_pass = &pass;
	open_with(&fx, ALL);
	assert_string_equal(
	    fx.notes.lines[1], "AUTH PLAIN AGFubgBTZXNhbWU0NzEx");
	assert_int_equal(
	    session_command(fx.s, &l, deadline_in(1000), &r, &f), OUTCOME_OK);
	assert_non_null(strstr(fx.notes.trace, "> AUTH PLAIN ********\n"));
	assert_non_null(strstr(fx.notes.trace, "> AUTH ********\n"));
	assert_null(strstr(fx.notes.trace, "AGFubg"));
	assert_null(strstr(fx.notes.trace, "Sesame"));
	secret_release(&pass);
	close_it(&fx);
}

/* session_command() bounds its wait; a reply that is late has no session to
 * come to. */
static void
test_command_timeout(void **state)
{
	static struct fixture fx;
	const struct session_line l = { "NOOP", 4, NULL };
	struct reply r;
	struct fault f;

	(void)state;
	open_with(&fx, BARE);
	assert_int_equal(
	    session_command(fx.s, &l, deadline_in(1000), &r, &f), OUTCOME_OK);
	assert_int_equal(r.code, 250);
	fx.notes.silent = true;
	assert_int_equal(
	    session_command(fx.s, &l, deadline_in(1000), &r, &f), OUTCOME_TEMP);
	assert_int_equal(f.origin, FAULT_CONNECTION);
	fake_say(fx.fake, "250 late\r\n");
	assert_int_equal(
	    session_command(fx.s, &l, deadline_in(1000), &r, &f), OUTCOME_TEMP);
	assert_false(session_alive(fx.s));
	close_it(&fx);
}

static void
test_params(void **state)
{
	struct session_params sp = { .helo = "edge.example.org" };
	struct session *s = NULL;
	struct fault f;
	enum smtp_stage stage = STAGE_QUIT;
	const char *const bad[] = { "", "a b", "a\r\nRSET", "a\x7f", NULL };
	size_t i;

	(void)state;
	for (i = 0; bad[i] != NULL; i++) {
		sp.helo = bad[i];
		assert_int_equal(
		    session_open(&sp, deadline_in(100), &s, &f, &stage),
		    OUTCOME_PERM);
		assert_int_equal(f.origin, FAULT_LOCAL);
		assert_int_equal(stage, STAGE_CONNECT);
		assert_null(s);
	}
	sp.helo = "edge.example.org";
	sp.tls = TLS_MAY;
	assert_int_equal(
	    session_open(&sp, deadline_in(100), &s, &f, NULL), OUTCOME_PERM);
	session_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_long_batch),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_silence_before_batch),
		cmocka_unit_test(test_reply_before_command),
		cmocka_unit_test(test_slow_writes),
		cmocka_unit_test(test_421_unasked),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_smtputf8),
		cmocka_unit_test(test_redaction),
		cmocka_unit_test(test_command_timeout),
		cmocka_unit_test(test_params),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
