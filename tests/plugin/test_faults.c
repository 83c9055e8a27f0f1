/* SPDX-License-Identifier: BSD-2-Clause */
/* A daemon that is away, hangs or talks nonsense: always "cannot tell", in
 * time, with a line in the log, and nothing is left behind. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "tests/plugin/login.h"

static const struct host_option options[] = {
	{ "postern_socket", "auth" },
	{ "postern_timeout", "2" },
	{ NULL, NULL },
};

static struct host host;
static struct fake_authd fake;

static int
open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* The fake has its end in this process, too, and closes it a little later. */
static void
assert_open_files(int expected)
{
	int64_t began = clock_ms();

	while (open_files() > expected)
		if (clock_ms() - began > host_patience(5000))
			fail_msg("%d descriptors instead of %d", open_files(),
			    expected);
}

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

/* One login that must end in SASL_UNAVAIL, with a line that says why. */
static void
cannot_tell(const char *why)
{
	int before = open_files(), code;

	host.log[0] = '\0';
	host_connect(&host, NULL);
	code = host_plain(&host, "ann", "wonder");
	if (code != SASL_UNAVAIL)
		fail_msg("%d instead of %d: %s", code, SASL_UNAVAIL, host.log);
	if (strstr(host.log, why) == NULL)
		fail_msg("'%s' is not in: %s", why, host.log);
	assert_string_equal(host_user(&host), "ann");
	assert_open_files(before);
}

static void
takes_its_time(const char *why)
{
	int64_t began = clock_ms(), took;

	cannot_tell(why);
	took = clock_ms() - began;
	if (took < 1950 || took > 2000 + host_patience(2000))
		fail_msg("%d ms", (int)took);
}

static void
test_missing(void **state)
{
	static const struct fake_plan good = {
		.reply = { { .type = WIRE_GOOD, .user = "ann" } },
	};

	(void)state;
	cannot_tell("auth: No such file or directory");
	/* a socket file without a daemon behind it */
	fake_listen(&fake, "auth", 5);
	fake_stop(&fake);
	cannot_tell("auth: Connection refused");
	/* and it is back: the next login works */
	begin(&good);
	assert_int_equal(host_plain(&host, "ann", "wonder"), SASL_OK);
}

static void
test_hung(void **state)
{
	static const struct fake_plan silent = { .manner = FAKE_SILENT };
	static const struct fake_plan deaf = { .manner = FAKE_DEAF };

	(void)state;
	begin(&silent);
	takes_its_time("no answer in time");
	assert_true(fake_hung_up(&fake, 1, host_patience(5000)));
	begin(&deaf);
	takes_its_time("no answer in time");
	assert_true(fake_hung_up(&fake, 1, host_patience(5000)));
	/* nobody even accepts */
	fake_stop(&fake);
	fake_listen(&fake, "auth", 5);
	takes_its_time("no answer in time");
}

static void
test_slam(void **state)
{
	static const struct fake_plan slam = { .manner = FAKE_SLAM };
	static const struct fake_plan silence = { .reply = { { .raw = "" } } };
	int i;

	(void)state;
	begin(&slam);
	/* the question may or may not have been sent by then */
	for (i = 0; i < 50; i++)
		cannot_tell("auth: ");
	begin(&silence);
	cannot_tell("closed without an answer");
}

static void
test_cut_answers(void **state)
{
	struct fake_plan plan = {
		.reply = { { .type = WIRE_GOOD, .user = "ann" } },
	};

	(void)state;
	for (plan.cut = 1; plan.cut < WIRE_HEADER + 3 + 3; plan.cut++) {
		begin(&plan);
		cannot_tell("closed without an answer");
	}
	begin(&plan);
	assert_int_equal(host_plain(&host, "ann", "wonder"), SASL_OK);
}

static void
test_garbage(void **state)
{
#define ROW(octets, why)          \
 {                                \
  octets, sizeof(octets) - 1, why \
 }

	static const struct {
		const char *raw;
		size_t len;
		const char *why;
	} rows[] = {
		ROW("OK\r\n\r\n\r\n\r\n", "not a frame"),
		ROW("\0\2OK\0\0\0\0", "not a frame"),
		ROW("PA\2\100\0\0\0\6\5\0\3ann", "another version"),
		ROW("PA\1\0\0\0\0\6\5\0\3ann", "unknown type"),
		ROW("PA\1\100\377\377\377\377\5\0\3ann", "too long"),
		ROW("PA\1\100\0\0\0\0", "an item is missing"),
		ROW("PA\1\100\0\0\0\6\5\0\4ann", "cut off"),
		ROW("PA\1\100\0\0\0\6\6\0\3ann", "missing"),
		ROW("PA\1\1\0\0\0\0", "missing"),
		ROW("PA\1\3\0\0\0\6\7\0\3ann", "a question for an answer"),
		ROW("PA\1\103\0\0\0\6\7\0\3ann", "a challenge where"),
		ROW("PA\1\100\0\0\0\6\5\0\3bob", "another user"),
		ROW("PA\1\100\0\0\0\7\5\0\4anna", "another user"),
		ROW("PA\1\100\0\0\0\5\5\0\2an", "another user"),
		ROW("PA\1\100\0\0\0\3\5\0\0", "another user"),
	};

#undef ROW
	struct fake_plan plan = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		plan.reply[0].raw = rows[i].raw;
		plan.reply[0].raw_len = rows[i].len;
		begin(&plan);
		cannot_tell(rows[i].why);
	}
	/* a frame that promises more than comes */
	plan.reply[0].raw = "PA\1\100\0\0\200\0\5\0\3ann";
	plan.reply[0].raw_len = 14;
	plan.octet_ms = 1;
	begin(&plan);
	cannot_tell("auth: ");
}

/* Octet by octet is an answer; so slowly that time is over is none. */
static void
test_slow(void **state)
{
	struct fake_plan plan = {
		.reply = { { .type = WIRE_GOOD, .user = "ann" } },
		.octet_ms = 2,
	};

	(void)state;
	begin(&plan);
	assert_int_equal(host_plain(&host, "ann", "wonder"), SASL_OK);
	plan.octet_ms = 400;
	begin(&plan);
	takes_its_time("no answer in time");
}

/* Connections until the backlog is full; returns how many. */
static int
fill_backlog(int *fd, int max)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = "auth" };
	int n;

	for (n = 0; n < max; n++) {
		fd[n] = socket(
		    AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		assert_true(fd[n] >= 0);
		if (connect(fd[n], (const struct sockaddr *)&sa, sizeof(sa)) !=
		    0) {
			(void)close(fd[n]);
			return n;
		}
	}
	fail_msg("the backlog never fills");
	return n;
}

static void
test_full_backlog(void **state)
{
	struct fake_plan plan = {
		.reply = { { .type = WIRE_GOOD, .user = "ann" } },
		.before_ms = 300,
	};
	int fd[16], n, i;

	(void)state;
	fake_listen(&fake, "auth", 1);
	n = fill_backlog(fd, 16);
	assert_true(n > 0);
	takes_its_time("too busy");
	/* those in front leave, and the daemon wakes up: there is room */
	for (i = 0; i < n; i++)
		(void)close(fd[i]);
	plan.before_ms = 100;
	fake_serve(&fake, &plan);
	host_connect(&host, NULL);
	assert_int_equal(host_plain(&host, "ann", "wonder"), SASL_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hung, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slam, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_cut_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_full_backlog, setup, teardown),
	};

	return cmocka_run_group_tests(tests, host_begin, host_end);
}
