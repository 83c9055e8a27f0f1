/* SPDX-License-Identifier: BSD-2-Clause */
/* The connection that a process keeps between two logins: used again where it
 * is good, and never a login put to the daemon twice. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "saslauth-plugin/authd_client.h"
#include "tests/plugin/login.h"

static const struct host_option options[] = {
	{ "postern_socket", "auth" },
	{ "postern_mechs", "PLAIN CRAM-MD5" },
	{ "postern_timeout", "5" },
	{ NULL, NULL },
};

static const struct fake_plan good = {
	.reply = { { .type = WIRE_GOOD, .user = "ann" } },
};

static struct host host;
static struct fake_authd fake;

static int
setup(void **state)
{
	(void)state;
	host_start(&host, options);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	login_end(&host, &fake);
	return 0;
}

static void
begin(const struct fake_plan *plan)
{
	login_begin(&host, &fake, plan);
}

/* As begin(), and what happens after each login. */
static void
begin_after(enum fake_after after)
{
	struct fake_plan plan = good;

	plan.after = after;
	begin(&plan);
}

/* Another client, and its login. */
static int
login(void)
{
	host_connect(&host, NULL);
	return host_plain(&host, "ann", "wonder");
}

/* The daemon has done what shows only with the next login. */
static void
await_shut(void)
{
	int ms;

	for (ms = host_patience(5000); ms > 0 && fake.shut == 0; ms--)
		(void)poll(NULL, 0, 1);
}

/* -- from login to login ----------------------------------------------- */

static void
test_used_again(void **state)
{
	struct fake_plan plan = good;
	int i;

	(void)state;
	begin(&good);
	for (i = 0; i < 3; i++)
		assert_int_equal(login(), SASL_OK);
	assert_int_equal(fake.connections, 1);
	assert_int_equal(fake.questions, 3);
	/* whatever the answer is */
	plan.reply[0] = (struct fake_reply){ .type = WIRE_BAD };
	begin(&plan);
	for (i = 0; i < 3; i++)
		assert_int_equal(login(), SASL_BADAUTH);
	assert_int_equal(fake.connections, 1);
	plan.reply[0] =
	    (struct fake_reply){ .type = WIRE_UNSURE, .reason = "later" };
	begin(&plan);
	for (i = 0; i < 3; i++)
		assert_int_equal(login(), SASL_UNAVAIL);
	assert_int_equal(fake.connections, 1);
	assert_int_equal(fake.questions, 3);
}

static void
test_dialogue(void **state)
{
	struct fake_plan plan = { .reply = {
				      { .type = WIRE_CHALLENGE, .data = "x" },
				      { .type = WIRE_GOOD, .user = "ann" },
				  } };
	int i;

	(void)state;
	begin(&plan);
	for (i = 0; i < 2; i++) {
		host_connect(&host, NULL);
		assert_int_equal(
		    host_auth(&host, "CRAM-MD5", NULL, 0), SASL_CONTINUE);
		assert_int_equal(host_step(&host, "ann x", 5), SASL_OK);
	}
	assert_int_equal(fake.connections, 1);
	assert_int_equal(fake.questions, 4);
	/* one that is given up in the middle takes its connection along */
	host_connect(&host, NULL);
	assert_int_equal(host_auth(&host, "CRAM-MD5", NULL, 0), SASL_CONTINUE);
	host_disconnect(&host);
	assert_true(fake_hung_up(&fake, 1, host_patience(5000)));
	host_connect(&host, NULL);
	assert_int_equal(host_auth(&host, "CRAM-MD5", NULL, 0), SASL_CONTINUE);
	assert_int_equal(fake.connections, 2);
}

/* An answer that makes no sense: whose would the next one be? */
static void
test_nonsense(void **state)
{
	struct fake_plan plan = { .reply = {
				      { .type = WIRE_GOOD, .user = "bob" } } };

	(void)state;
	begin(&plan);
	assert_int_equal(login(), SASL_UNAVAIL);
	assert_true(fake_hung_up(&fake, 1, host_patience(5000)));
	assert_int_equal(login(), SASL_UNAVAIL);
	assert_int_equal(fake.connections, 2);
	plan.reply[0] =
	    (struct fake_reply){ .type = WIRE_CHALLENGE, .data = "x" };
	begin(&plan);
	assert_int_equal(login(), SASL_UNAVAIL);
	assert_true(fake_hung_up(&fake, 1, host_patience(5000)));
	/* octets behind an answer */
	plan.reply[0] =
	    (struct fake_reply){ .raw = "PA\1\101\0\0\0\0P", .raw_len = 9 };
	begin(&plan);
	assert_int_equal(login(), SASL_UNAVAIL);
	assert_true(fake_hung_up(&fake, 1, host_patience(5000)));
}

static void
test_last(void **state)
{
	(void)state;
	begin(&good);
	assert_int_equal(login(), SASL_OK);
	host_disconnect(&host);
	assert_false(fake_hung_up(&fake, 1, 50));
	host_stop(&host);
	assert_true(fake_hung_up(&fake, 1, host_patience(5000)));
	host_start(&host, options);
}

/* -- a daemon that has gone -------------------------------------------- */

static void
test_restarted(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		begin(&good); /* another daemon each time */
		assert_int_equal(login(), SASL_OK);
		assert_int_equal(fake.connections, 1);
		assert_int_equal(fake.questions, 1);
	}
	fake_stop(&fake);
	assert_int_equal(login(), SASL_UNAVAIL);
	assert_non_null(strstr(host.log, "auth: Connection refused"));
	begin(&good);
	assert_int_equal(login(), SASL_OK);
}

/* One that closes after each answer. */
static void
test_leaves(void **state)
{
	int i;

	(void)state;
	begin_after(FAKE_LEAVE);
	for (i = 0; i < 6; i++)
		assert_int_equal(login(), SASL_OK);
	assert_int_equal(fake.connections, 6);
	assert_int_equal(fake.questions, 6);
}

/* It closes when the question is on its way and has not been read, or nothing
 * can be sent: nobody has been asked, so somebody is now. */
static void
test_unread(void **state)
{
	static const enum fake_after after[] = { FAKE_RESET, FAKE_SHUT };

	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		begin_after(after[i]);
		assert_int_equal(login(), SASL_OK);
		if (after[i] == FAKE_SHUT)
			await_shut();
		assert_int_equal(login(), SASL_OK);
		assert_int_equal(fake.connections, 2);
		assert_int_equal(fake.questions, 2);
		assert_string_equal(host.log, "");
	}
}

/* It has read the question: perhaps the upstream has been asked. */
static void
test_read(void **state)
{
	(void)state;
	begin_after(FAKE_MUTE);
	assert_int_equal(login(), SASL_OK);
	assert_int_equal(login(), SASL_UNAVAIL);
	assert_non_null(strstr(host.log, "closed without an answer"));
	assert_int_equal(fake.connections, 1);
	assert_int_equal(fake.questions, 2);
	assert_int_equal(login(), SASL_OK);
	assert_int_equal(fake.connections, 2);
}

/* In a dialogue there is no second attempt at all. */
static void
test_unread_step(void **state)
{
	static const struct fake_plan begun = {
		.reply = { { .raw = "PA\1\103\0\0\0\4\7\0\1x",
		    .raw_len = 12 } },
		.after = FAKE_RESET,
	};

	(void)state;
	begin(&begun);
	assert_int_equal(host_auth(&host, "CRAM-MD5", NULL, 0), SASL_CONTINUE);
	assert_int_equal(host_step(&host, "ann x", 5), SASL_UNAVAIL);
	assert_int_equal(fake.connections, 1);
}

/* What recv() gives, and errno, where the peer has closed after it has read so
 * many of four octets. */
static ssize_t
left_after(size_t n_read, int fd[2])
{
	char buf[8];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(send(fd[0], "abcd", 4, MSG_NOSIGNAL), 4);
	if (n_read > 0)
		assert_int_equal(recv(fd[1], buf, n_read, 0), n_read);
	(void)close(fd[1]);
	return recv(fd[0], buf, sizeof(buf), 0);
}

/* What the above rests on, as Linux has it. */
static void
test_kernel(void **state)
{
	size_t n;
	int fd[2];

	(void)state;
	for (n = 0; n < 4; n++) {
		assert_int_equal(left_after(n, fd), -1);
		assert_int_equal(errno, ECONNRESET);
		(void)close(fd[0]);
	}
	assert_int_equal(left_after(4, fd), 0);
	/* closed before there was anything to read */
	assert_int_equal(send(fd[0], "abcd", 4, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	(void)close(fd[0]);
}

/* -- the process that it is a guest in --------------------------------- */

/* A child has a connection of its own, and its parent keeps what it has. */
static void
test_fork(void **state)
{
	int i, status, ends[2];
	pid_t child;
	char octet;

	(void)state;
	begin(&good);
	assert_int_equal(login(), SASL_OK);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(ends[1]);
		for (i = 0; i < 2; i++)
			if (login() != SASL_OK)
				_exit(1);
		/* keeps its own while the parent logs in */
		_exit(read(ends[0], &octet, 1) == 0 && login() == SASL_OK ? 0
									  : 2);
	}
	for (i = 0; i < host_patience(5000) && fake.questions < 3; i++)
		(void)poll(NULL, 0, 1);
	assert_int_equal(fake.questions, 3);
	assert_int_equal(fake.connections, 2);
	assert_int_equal(login(), SASL_OK);
	assert_int_equal(fake.connections, 2);
	(void)close(ends[1]);
	(void)close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(login(), SASL_OK);
	assert_int_equal(fake.connections, 2);
}

/* The number of the connection that the plug-in keeps. */
static int
kept_number(void)
{
	int fd, n = -1;

	for (fd = 3; fd < 64; fd++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);

		/* the fake's ends have a name, the plug-in's has none */
		if (getpeername(fd, (struct sockaddr *)&sa, &len) == 0 &&
		    len > sizeof(sa_family_t)) {
			assert_int_equal(n, -1);
			n = fd;
		}
	}
	assert_true(n >= 0);
	return n;
}

/* Somebody else's connection gets that number. */
static int
replace(int pair[2])
{
	int fd = kept_number();

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(dup2(pair[0], fd), fd);
	return fd;
}

/* It is as it was: open, and nothing has been said there. */
static void
assert_not_touched(int fd, int pair[2])
{
	char octets[2];

	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(recv(pair[1], octets, 2, 0), 1);
	assert_int_equal(octets[0], 'x');
	(void)close(fd);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

/* The application closes what it does not know, and opens files. */
static void
test_closed_by_others(void **state)
{
	int fd, pair[2];

	(void)state;
	begin(&good);
	assert_int_equal(login(), SASL_OK);
	assert_int_equal(close(kept_number()), 0);
	assert_int_equal(login(), SASL_OK);
	assert_int_equal(fake.connections, 2);
	fd = replace(pair);
	assert_int_equal(login(), SASL_OK);
	assert_int_equal(fake.connections, 3);
	assert_not_touched(fd, pair);
	/* and when there is something to read there */
	fd = replace(pair);
	assert_int_equal(send(pair[1], "x", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(login(), SASL_OK);
	assert_int_equal(fake.connections, 4);
	assert_not_touched(fd, pair);
	/* or when the plug-in ends */
	fd = replace(pair);
	host_stop(&host);
	assert_not_touched(fd, pair);
	host_start(&host, options);
}

/* -- without libsasl --------------------------------------------------- */

static bool
ask(struct authd_kept *kept)
{
	struct wire_message question = { .type = WIRE_CHECK }, answer;
	struct authd_client c;
	bool ok;

	for (int tag = WIRE_MECH; tag <= WIRE_PASS; tag++)
		question.item[tag] =
		    (struct wire_item){ (const unsigned char *)"ann", 3 };
	authd_client_init(&c, "auth", kept, 10000);
	ok = authd_client_ask(&c, &question, &answer) &&
	    answer.type == WIRE_GOOD;
	if (ok)
		authd_client_keep(&c);
	authd_client_release(&c);
	return ok;
}

static void *
ask_thread(void *kept)
{
	return ask(kept) ? kept : NULL;
}

/* Each has a connection to itself; one of them is kept. */
static void
test_threads(void **state)
{
	struct fake_plan plan = good;
	struct authd_kept kept;
	pthread_t other;
	void *ok;

	(void)state;
	plan.octet_ms = 20;
	begin(&plan);
	authd_kept_init(&kept, AUTHD_KEPT_MS);
	assert_true(ask(&kept));
	assert_int_equal(fake.connections, 1);
	assert_int_equal(pthread_create(&other, NULL, ask_thread, &kept), 0);
	assert_true(ask(&kept));
	assert_int_equal(pthread_join(other, &ok), 0);
	assert_non_null(ok);
	assert_int_equal(fake.connections, 2);
	assert_true(fake_hung_up(&fake, 1, host_patience(5000)));
	assert_true(ask(&kept));
	assert_int_equal(fake.connections, 2);
	authd_kept_release(&kept);
	assert_true(fake_hung_up(&fake, 2, host_patience(5000)));
}

static void
test_too_old(void **state)
{
	struct authd_kept kept;

	(void)state;
	begin(&good);
	authd_kept_init(&kept, 200);
	assert_true(ask(&kept));
	assert_true(ask(&kept));
	assert_int_equal(fake.connections, 1);
	(void)poll(NULL, 0, 250);
	assert_int_equal(fake.hung_up, 0);
	assert_true(ask(&kept));
	assert_true(fake_hung_up(&fake, 1, host_patience(5000)));
	assert_int_equal(fake.connections, 2);
	authd_kept_release(&kept);
	authd_kept_release(&kept);
	assert_int_equal(authd_kept_take(&kept), -1);
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
test_one(void **state)
{
	struct authd_kept kept;
	int fd[2], more[2];

	(void)state;
	authd_kept_init(&kept, AUTHD_KEPT_MS);
	assert_int_equal(authd_kept_take(&kept), -1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, more), 0);
	authd_kept_put(&kept, fd[0]);
	assert_true(is_open(fd[0]));
	authd_kept_put(&kept, more[0]);
	assert_false(is_open(more[0]));
	(void)close(more[1]);
	assert_int_equal(authd_kept_take(&kept), fd[0]);
	assert_int_equal(authd_kept_take(&kept), -1);
	/* octets that nobody has asked for */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, more), 0);
	authd_kept_put(&kept, more[0]);
	assert_int_equal(send(more[1], "P", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(authd_kept_take(&kept), -1);
	assert_false(is_open(more[0]));
	(void)close(more[1]);
	/* closed by the other side */
	authd_kept_put(&kept, fd[0]);
	(void)close(fd[1]);
	assert_int_equal(authd_kept_take(&kept), -1);
	assert_false(is_open(fd[0]));
	authd_kept_release(&kept);
}

int
main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_used_again),
		CASE(test_dialogue),
		CASE(test_nonsense),
		CASE(test_last),
		CASE(test_restarted),
		CASE(test_leaves),
		CASE(test_unread),
		CASE(test_read),
		CASE(test_unread_step),
		cmocka_unit_test(test_kernel),
		CASE(test_fork),
		CASE(test_closed_by_others),
		CASE(test_threads),
		CASE(test_too_old),
		cmocka_unit_test(test_one),
	};

	return cmocka_run_group_tests(tests, host_begin, host_end);
}
