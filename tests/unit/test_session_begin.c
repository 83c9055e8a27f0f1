/* SPDX-License-Identifier: BSD-2-Clause */
/* Greeting and EHLO without waiting: this program is the upstream. */
#include "common/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "common/dial.h"
#include "common/log.h"
#include "common/transport.h"

#define HELLO "250-mx.example.org\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n"

static struct session_params params;
static struct session_begin *begun;
static struct session_begin_end end;
static struct session *open_one;
static int theirs;

static void
begin_with(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	theirs = pair[1];
	begun = session_begin(&params, transport_socket(pair[0]));
	assert_non_null(begun);
	assert_int_equal(session_begin_fd(begun), pair[0]);
}

static void
begin(enum conf_tls tls)
{
	memset(&params, 0, sizeof(params));
	(void)endpoint_parse("192.0.2.1:25", &params.endpoint, NULL);
	params.tls = tls;
	params.helo = "edge.example.org";
	params.own_name = "edge.example.org";
	begin_with();
}

static enum session_begun
step(const char *said)
{
	if (said != NULL)
		assert_int_equal(
		    write(theirs, said, strlen(said)), strlen(said));
	return session_begin_step(begun, &open_one, &end);
}

/* What the session has sent, and nothing else. */
static void
assert_heard(const char *line)
{
	char buf[256];
	ssize_t n = recv(theirs, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	assert_int_equal(n, strlen(line));
	assert_memory_equal(buf, line, (size_t)n);
}

static void
finish(void)
{
	session_begin_free(begun);
	begun = NULL;
	close(theirs);
}

static int told;

static void
tell(void *arg, char direction, const char *line)
{
	(void)arg;
	(void)direction;
	(void)line;
	told++;
}

/* What nobody will read is not said. */
static void
test_trace(void **state)
{
	enum log_level level;

	(void)state;
	for (level = LOG_LEVEL_INFO; level <= LOG_LEVEL_DEBUG; level++) {
		log_set_level(level);
		told = 0;
		begin(TLS_NONE);
		finish();
		params.trace = tell;
		params.trace_debug = true;
		begin_with();
		assert_int_equal(step("220 mx\r\n"), SESSION_BEGUN_WAITS);
		assert_int_equal(step(HELLO), SESSION_BEGUN_OPEN);
		session_free(open_one);
		finish();
		assert_int_equal(told > 0, level == LOG_LEVEL_DEBUG);
	}
	log_set_level(LOG_LEVEL_INFO);
}

/* In one piece, and octet by octet. */
static void
test_open(void **state)
{
	const char greeting[] = "220-mx.example.org\r\n220 hello\r\n";
	size_t i;

	(void)state;
	begin(TLS_NONE);
	assert_int_equal(session_begin_stage(begun), STAGE_CONNECT);
	assert_int_equal(step(NULL), SESSION_BEGUN_WAITS);
	for (i = 0; greeting[i] != '\0'; i++) {
		assert_int_equal(session_begin_stage(begun), STAGE_GREETING);
		assert_int_equal(write(theirs, &greeting[i], 1), 1);
		assert_int_equal(step(NULL), SESSION_BEGUN_WAITS);
	}
	assert_int_equal(session_begin_stage(begun), STAGE_EHLO);
	assert_heard("EHLO edge.example.org\r\n");
	assert_int_equal(step(HELLO), SESSION_BEGUN_OPEN);
	finish();
	assert_true(session_is_local(open_one));
	assert_int_equal(session_ehlo(open_one)->mechs, EHLO_MECH_PLAIN);
	assert_int_equal(session_commands(open_one), 1);
	assert_false(session_alive(open_one)); /* this test has hung up */
	session_free(open_one);
}

/* It is a session as any other. */
static void
test_goes_on(void **state)
{
	struct reply r;
	struct fault f;
	void *cookie;

	(void)state;
	begin(TLS_MAY);
	assert_int_equal(step("220 mx\r\n"), SESSION_BEGUN_WAITS);
	assert_heard("EHLO edge.example.org\r\n");
	assert_int_equal(step(HELLO), SESSION_BEGUN_OPEN);
	assert_int_equal(end.fault.origin, FAULT_NONE);
	assert_true(session_alive(open_one));
	assert_true(session_rset(open_one, NULL));
	assert_int_equal(session_pump(open_one, &r, &cookie, &f), SESSION_NONE);
	assert_heard("RSET\r\n");
	assert_false(session_leave(open_one)); /* its reply is due */
	assert_int_equal(write(theirs, "250 ok\r\n", 8), 8);
	assert_int_equal(
	    session_pump(open_one, &r, &cookie, &f), SESSION_REPLY);
	assert_true(session_leave(open_one));
	assert_heard("QUIT\r\n");
	session_free(open_one);
	finish();
}

static void
test_fails(void **state)
{
	static const struct {
		const char *greeting, *hello;
		enum outcome outcome;
		enum smtp_stage stage;
		enum fault_origin origin;
		int code;
	} cases[] = {
		{ "554 no\r\n", NULL, OUTCOME_PERM, STAGE_GREETING, FAULT_REPLY,
		    554 },
		{ "421 not now\r\n", NULL, OUTCOME_TEMP, STAGE_GREETING,
		    FAULT_REPLY, 421 },
		{ "250 what\r\n", NULL, OUTCOME_TEMP, STAGE_GREETING,
		    FAULT_PROTOCOL, 0 },
		{ "HTTP/1.1 400\r\n", NULL, OUTCOME_TEMP, STAGE_GREETING,
		    FAULT_PROTOCOL, 0 },
		{ "220 mx\r\n250 too early\r\n", NULL, OUTCOME_TEMP,
		    STAGE_GREETING, FAULT_PROTOCOL, 0 },
		{ "220 mx\r\n", "550 no\r\n", OUTCOME_PERM, STAGE_EHLO,
		    FAULT_REPLY, 550 },
		{ "220 mx\r\n", HELLO "250 more\r\n", OUTCOME_TEMP, STAGE_EHLO,
		    FAULT_PROTOCOL, 0 },
	};

	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(TLS_NONE);
		if (cases[i].hello != NULL)
			assert_int_equal(
			    step(cases[i].greeting), SESSION_BEGUN_WAITS);
		assert_int_equal(
		    step(cases[i].hello != NULL ? cases[i].hello
						: cases[i].greeting),
		    SESSION_BEGUN_FAILED);
		assert_null(open_one);
		assert_int_equal(end.outcome, cases[i].outcome);
		assert_int_equal(end.stage, cases[i].stage);
		assert_int_equal(end.fault.origin, cases[i].origin);
		if (cases[i].code != 0)
			assert_int_equal(end.fault.code, cases[i].code);
		finish();
	}

	begin(TLS_NONE);
	assert_int_equal(step(NULL), SESSION_BEGUN_WAITS);
	close(theirs);
	assert_int_equal(step(NULL), SESSION_BEGUN_FAILED);
	assert_int_equal(end.fault.origin, FAULT_CONNECTION);
	session_begin_free(begun);
}

/* What another has to do: STARTTLS, HELO. */
static void
test_blocks(void **state)
{
	(void)state;
	begin(TLS_MAY);
	assert_int_equal(step("220 mx\r\n"), SESSION_BEGUN_WAITS);
	assert_int_equal(
	    step("250-mx\r\n250 STARTTLS\r\n"), SESSION_BEGUN_BLOCKS);
	finish();
	begin(TLS_NONE);
	assert_int_equal(step("220 mx\r\n"), SESSION_BEGUN_WAITS);
	assert_int_equal(step("502 what\r\n"), SESSION_BEGUN_BLOCKS);
	finish();
	/* Not offered, and on this machine. */
	begin(TLS_VERIFY);
	assert_int_equal(step("220 mx\r\n"), SESSION_BEGUN_WAITS);
	assert_int_equal(step(HELLO), SESSION_BEGUN_OPEN);
	session_free(open_one);
	finish();
}

static void
test_not_so(void **state)
{
	int pair[2];

	(void)state;
	begin(TLS_NONE);
	finish();
	params.tls = TLS_IMPLICIT;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_null(session_begin(&params, transport_socket(pair[0])));
	close(pair[1]);
	params.tls = TLS_NONE;
	params.helo = "two words";
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_null(session_begin(&params, transport_socket(pair[0])));
	close(pair[1]);
}

static void
test_late(void **state)
{
	(void)state;
	begin(TLS_NONE);
	/* The time to connect is over, and it is connected. */
	assert_int_equal(session_begin_late(begun, &end), SESSION_BEGUN_WAITS);
	assert_int_equal(session_begin_late(begun, &end), SESSION_BEGUN_FAILED);
	assert_int_equal(end.stage, STAGE_GREETING);
	assert_string_equal(end.fault.text, "timed out (greeting)");
	finish();
	begin(TLS_NONE);
	assert_int_equal(session_begin_late(begun, &end), SESSION_BEGUN_WAITS);
	assert_int_equal(step("220 mx\r\n"), SESSION_BEGUN_WAITS);
	assert_heard("EHLO edge.example.org\r\n");
	assert_int_equal(session_begin_late(begun, &end), SESSION_BEGUN_FAILED);
	assert_int_equal(end.outcome, OUTCOME_TEMP);
	assert_int_equal(end.stage, STAGE_EHLO);
	assert_string_equal(end.fault.text, "timed out (ehlo)");
	finish();
}

/* Straight to where a socket is connected to; and to where nobody is. */
static void
test_again(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	const struct endpoint e = { .kind = ENDPOINT_INET };
	socklen_t len = sizeof(sin);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int first = socket(AF_INET, SOCK_STREAM, 0);
	struct dial_where w = { .len = 0 };
	struct transport *t;
	struct pollfd pfd = { .events = POLLIN };

	(void)state;
	assert_false(dial_known(&w, 0));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&sin, &len), 0);
	dial_note(&w, &e, first); /* not connected */
	assert_false(dial_known(&w, 0));
	assert_int_equal(connect(first, (struct sockaddr *)&sin, len), 0);
	dial_note(&w, &e, first);
	close(first);
	close(accept(listener, NULL, NULL));
	assert_true(dial_known(&w, clock_ms()));
	assert_false(dial_known(&w, clock_ms() + DIAL_KNOWN_MS));

	begin(TLS_NONE);
	finish();
	t = dial_again(&w);
	assert_non_null(t);
	begun = session_begin(&params, t);
	theirs = accept(listener, NULL, NULL);
	assert_true(theirs >= 0);
	assert_int_equal(step("220 mx\r\n"), SESSION_BEGUN_WAITS);
	pfd.fd = session_begin_fd(begun);
	assert_true(poll(&pfd, 1, 0) >= 0);
	session_begin_free(begun);
	close(theirs);

	close(listener);
	t = dial_again(&w);
	if (t != NULL) {
		begun = session_begin(&params, t);
		pfd.fd = session_begin_fd(begun);
		assert_int_equal(poll(&pfd, 1, 5000), 1);
		assert_int_equal(session_begin_step(begun, &open_one, &end),
		    SESSION_BEGUN_BLOCKS);
		session_begin_free(begun);
	}
	dial_forget(&w);
	assert_false(dial_known(&w, 0));
}

static int
listen_at(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

/* A socket that was bound to another path than ours: back to the one that was
 * dialled, not to who is at that path now. */
static void
test_again_unix(void **state)
{
	char dir[] = "/tmp/postern-test-XXXXXX", ours[64], bound[64], text[96];
	struct dial_where w = { .len = 0 };
	struct endpoint e;
	struct transport *t;
	struct fault f;
	int right, wrong;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(ours, sizeof(ours), "%s/ours", dir);
	(void)snprintf(bound, sizeof(bound), "%s/bound", dir);
	right = listen_at(bound);
	assert_int_equal(rename(bound, ours), 0);
	wrong = listen_at(bound);
	(void)snprintf(text, sizeof(text), "unix:%s", ours);
	assert_true(endpoint_parse(text, &e, NULL));
	assert_int_equal(
	    dial_connect(&e, 0, deadline_in(5000), &t, &f), OUTCOME_OK);
	dial_note(&w, &e, t->fd);
	transport_free(t);
	close(accept(right, NULL, NULL));
	assert_true(dial_known(&w, clock_ms()));
	t = dial_again(&w);
	assert_non_null(t);
	assert_int_equal(fcntl(wrong, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(right, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(accept(wrong, NULL, NULL), -1);
	theirs = accept(right, NULL, NULL);
	assert_true(theirs >= 0);
	close(theirs);
	transport_free(t);
	close(right);
	close(wrong);
	unlink(ours);
	unlink(bound);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_trace),
		cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_fails),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_not_so),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_again_unix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
