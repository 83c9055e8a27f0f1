/* SPDX-License-Identifier: BSD-2-Clause */
/* The control socket from both sides, and who misbehaves on it. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/control.h"
#include "common/local_socket.h"
#include "common/log.h"

/* A request has so many milliseconds here instead of 10 s. */
#define REQUEST_MS 1500
#define ANSWER_MAX 16384

struct deadline __real_deadline_in(int64_t ms);
struct deadline __wrap_deadline_in(int64_t ms);

struct deadline
__wrap_deadline_in(int64_t ms)
{
	return __real_deadline_in(ms == 10000 ? REQUEST_MS : ms);
}

static struct {
	char dir[32], path[64];
	struct control *control;
} rig;

/* say WORD...: each on a line; fail TEXT: an error; big: a megabyte. */
static bool
serve(void *arg, char *const *words, size_t n, FILE *out, char *why, size_t len)
{
	assert_ptr_equal(arg, &rig);
	if (strcmp(words[0], "say") == 0) {
		for (size_t i = 1; i < n; i++)
			fprintf(out, " %zu:%s\n", i, words[i]);
		return true;
	}
	if (strcmp(words[0], "big") == 0) {
		for (int i = 0; i < 100000; i++)
			fprintf(out, " line %05d\n", i);
		return true;
	}
	snprintf(why, len, "no: %s", n > 1 ? words[1] : "nothing");
	return false;
}

static int
setup(void **state)
{
	char why[256];
	int fd;

	(void)state;
	snprintf(rig.dir, sizeof(rig.dir), "/tmp/postern-ctl-XXXXXX");
	assert_non_null(mkdtemp(rig.dir));
	snprintf(rig.path, sizeof(rig.path), "%s/ctl", rig.dir);
	fd = control_open(rig.path, why, sizeof(why));
	assert_true(fd >= 0);
	rig.control = control_start(fd, serve, &rig);
	assert_non_null(rig.control);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	control_stop(rig.control);
	(void)unlink(rig.path);
	return rmdir(rig.dir);
}

/* What control_ask() gives: the lines of the answer, then the error. */
static int
asked(const char *request, char got[ANSWER_MAX])
{
	char *text = NULL, why[512];
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);
	int rc;

	assert_non_null(fp);
	rc = control_ask(rig.path, request, fp, why, sizeof(why));
	fclose(fp);
	assert_true(len + strlen(why) < ANSWER_MAX);
	snprintf(got, ANSWER_MAX, "%s%s", text, why);
	free(text);
	return rc;
}

static void
test_answers(void **state)
{
	char got[ANSWER_MAX], line[CONTROL_LINE_MAX + 1];

	(void)state;
	assert_int_equal(asked("say a bb ccc", got), 0);
	assert_string_equal(got, "1:a\n2:bb\n3:ccc\n");
	assert_int_equal(asked("say", got), 0);
	assert_string_equal(got, "");
	assert_int_equal(asked("say  two   spaces ", got), 0);
	assert_string_equal(got, "1:two\n2:spaces\n");
	assert_int_equal(asked("fail text", got), 1);
	assert_string_equal(got, "no: text");
	assert_int_equal(asked("", got), 1);
	assert_string_equal(got, "empty request");
	assert_int_equal(asked("   ", got), 1);
	assert_string_equal(got, "empty request");
	assert_int_equal(asked("say a\nsay b", got), -1);
	assert_string_equal(got, "not a request of one line");
	memset(line, 'x', sizeof(line));
	line[CONTROL_LINE_MAX - 1] = '\0';
	assert_int_equal(asked(line, got), -1);
	assert_string_equal(got, "not a request of one line");
	line[CONTROL_LINE_MAX - 2] = '\0';
	assert_int_equal(asked(line, got), 1);
	assert_string_equal(got, "no: nothing");
}

static void
test_big_answer(void **state)
{
	char *text = NULL, why[512];
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);

	(void)state;
	assert_non_null(fp);
	assert_int_equal(control_ask(rig.path, "big", fp, why, sizeof(why)), 0);
	fclose(fp);
	assert_int_equal(len, 100000 * sizeof("line 00000"));
	free(text);
}

static int
dial(void)
{
	char why[256];
	int fd = local_connect(rig.path, why, sizeof(why));

	assert_true(fd >= 0);
	return fd;
}

/* Everything until the end, or until nothing has come for `ms`. */
static const char *
slurp(int fd, int ms)
{
	static char buf[1024];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t used = 0;

	while (used < sizeof(buf) - 1 && poll(&p, 1, ms) > 0) {
		ssize_t n = read(fd, buf + used, sizeof(buf) - 1 - used);

		if (n <= 0)
			break;
		used += (size_t)n;
	}
	buf[used] = '\0';
	return buf;
}

static void
send_all(int fd, const void *octets, size_t len)
{
	assert_int_equal(send(fd, octets, len, MSG_NOSIGNAL), len);
}

static void
test_garbage(void **state)
{
	static const struct {
		const char *octets;
		size_t len;
		const char *want;
	} cases[] = {
		{ "say a\0b\n", 8, "error: not a request of one line\n" },
		{ "\n", 1, "error: empty request\n" },
		{ "\x80\xff\x01 x\n", 6, "error: no: x\n" },
		{ "say a\nsay b\n", 12, " 1:a\nok\n" },
		{ "say a", 5, "error: not a request of one line\n" },
		{ "", 0, "error: not a request of one line\n" },
		{ "say 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", 46,
		    " 1:1\n 2:2\n 3:3\n 4:4\n 5:5\n 6:6\n 7:7\n 8:8\n"
		    " 9:9\n 10:10\n 11:11\n 12:12\n 13:13\n 14:14\n"
		    " 15:15\n 16:16\n 17:17\nok\n" },
	};

	char got[ANSWER_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = dial();

		send_all(fd, cases[i].octets, cases[i].len);
		shutdown(fd, SHUT_WR);
		assert_string_equal(slurp(fd, 30000), cases[i].want);
		close(fd);
	}
	assert_int_equal(asked("say still", got), 0);
}

/* Nothing is left out without a word. */
static void
test_many_words(void **state)
{
	char line[2 * CONTROL_WORDS_MAX + 8] = "say", got[ANSWER_MAX];
	size_t n;

	(void)state;
	for (n = 1; n < CONTROL_WORDS_MAX; n++)
		memcpy(line + 3 + 2 * (n - 1), " a", 2);
	assert_int_equal(asked(line, got), 0);
	memcpy(line + 3 + 2 * (n - 1), " a", 2);
	assert_int_equal(asked(line, got), 1);
	assert_string_equal(got, "too many words");
}

static void
test_line_without_end(void **state)
{
	char octets[4 * CONTROL_LINE_MAX];
	int fd = dial();

	(void)state;
	memset(octets, 'x', sizeof(octets));
	(void)send(fd, octets, sizeof(octets), MSG_NOSIGNAL);
	assert_string_equal(
	    slurp(fd, 30000), "error: not a request of one line\n");
	close(fd);
}

/* A letter now and then does not prolong the time. */
static void
test_slow_request(void **state)
{
	int64_t begin = clock_ms();
	struct pollfd p = { .events = POLLIN };

	(void)state;
	p.fd = dial();
	while (clock_ms() - begin < 20 * REQUEST_MS) {
		if (poll(&p, 1, REQUEST_MS / 5) > 0)
			break;
		(void)send(p.fd, "x", 1, MSG_NOSIGNAL);
	}
	assert_in_range(clock_ms() - begin, REQUEST_MS - 50, 20 * REQUEST_MS);
	assert_string_equal(
	    slurp(p.fd, 30000), "error: not a request of one line\n");
	close(p.fd);
}

/* Who says nothing holds others up, but not for good. */
static void
test_more_than_there_is_room_for(void **state)
{
	int fds[80];
	char got[ANSWER_MAX];

	(void)state;
	for (int i = 0; i < 80; i++)
		fds[i] = dial();
	assert_int_equal(asked("say late", got), 0);
	assert_string_equal(got, "1:late\n");
	for (int i = 0; i < 80; i++) {
		assert_string_equal(
		    slurp(fds[i], 30000), "error: not a request of one line\n");
		close(fds[i]);
	}
	/* those that leave make room at once */
	for (int i = 0; i < 68; i++)
		fds[i] = dial();
	for (int i = 0; i < 68; i++)
		close(fds[i]);
	assert_int_equal(asked("say soon", got), 0);
}

static void
test_stop_waits_for_no_idler(void **state)
{
	int fds[12];
	int64_t begin;

	(void)state;
	for (int i = 0; i < 12; i++)
		fds[i] = dial();
	(void)poll(NULL, 0, 50);
	begin = clock_ms();
	control_stop(rig.control);
	rig.control = NULL;
	assert_true(clock_ms() - begin < REQUEST_MS - 50);
	for (int i = 0; i < 12; i++)
		close(fds[i]);
}

static void
test_place(void **state)
{
	char why[256], file[64];
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(lstat(rig.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	/* somebody listens there */
	assert_int_equal(control_open(rig.path, why, sizeof(why)), -1);
	assert_non_null(strstr(why, "another daemon listens there"));
	assert_non_null(strstr(why, rig.path));

	/* nobody does any more */
	control_stop(rig.control);
	rig.control = NULL;
	assert_int_equal(
	    control_ask(rig.path, "say", NULL, why, sizeof(why)), -1);
	fd = control_open(rig.path, why, sizeof(why));
	assert_true(fd >= 0);
	close(fd);

	/* it is none of ours */
	snprintf(file, sizeof(file), "%s/file", rig.dir);
	fclose(fopen(file, "w"));
	assert_int_equal(control_open(file, why, sizeof(why)), -1);
	assert_non_null(strstr(why, "is no socket"));
	assert_int_equal(unlink(file), 0);
	assert_int_equal(symlink("/nonexistent", file), 0);
	assert_int_equal(control_open(file, why, sizeof(why)), -1);
	assert_int_equal(unlink(file), 0);

	assert_int_equal(control_open("", why, sizeof(why)), -1);
	memset(why, 'x', sizeof(why));
	why[200] = '\0';
	assert_int_equal(control_open(why, file, sizeof(file)), -1);
	assert_int_equal(
	    control_open("/nonexistent/ctl", why, sizeof(why)), -1);
	assert_non_null(strstr(why, "/nonexistent/ctl: "));
}

/* A daemon that hangs keeps its client no longer than that says. */
static void
test_limit(void **state)
{
	char why[256] = "", path[64];
	struct sockaddr_un sa;
	int fds[8], n = 0, fd;
	int64_t begin;

	(void)state;
	snprintf(path, sizeof(path), "%s/stuck", rig.dir);
	assert_true(local_address(&sa, path, why, sizeof(why)));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 0), 0);

	/* connected, and nobody answers */
	begin = clock_ms();
	assert_int_equal(
	    control_ask_within(path, "say", 1, NULL, why, sizeof(why)), -1);
	assert_in_range(clock_ms() - begin, 900, 8000);
	assert_string_equal(why, "the daemon does not answer");

	/* not even connected */
	while (n < 8 &&
	    (fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) >= 0 &&
	    connect(fds[n++], (struct sockaddr *)&sa, sizeof(sa)) == 0)
		;
	begin = clock_ms();
	assert_int_equal(
	    control_ask_within(path, "say", 1, NULL, why, sizeof(why)), -1);
	assert_in_range(clock_ms() - begin, 900, 8000);
	assert_non_null(strstr(why, path));
	while (n > 0)
		close(fds[--n]);
	close(fd);
	assert_int_equal(unlink(path), 0);
}

/* In a child: 0 when the daemon closes without a word. */
static int
ask_as_nobody(void)
{
	const struct passwd *pw = getpwnam("nobody");
	char buf[64];
	int fd;

	if (pw == NULL || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0)
		return 2;
	if ((fd = local_connect(rig.path, buf, sizeof(buf))) < 0)
		return 3;
	(void)send(fd, "say x\n", 6, MSG_NOSIGNAL);
	return slurp(fd, 30000)[0] == '\0' ? 0 : 4;
}

static atomic_int warnings;

static void
log_sink(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	if (level == LOG_LEVEL_WARNING &&
	    strstr(line, "is not listened to") != NULL)
		atomic_fetch_add(&warnings, 1);
}

static void
test_other_users(void **state)
{
	char got[ANSWER_MAX];
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	/* The mode alone keeps them out; this is the second door. */
	assert_int_equal(chmod(rig.dir, 0755), 0);
	assert_int_equal(chmod(rig.path, 0666), 0);
	log_set_sink(log_sink, NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(ask_as_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(atomic_load(&warnings), 1);
	assert_int_equal(asked("say root", got), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_answers),
		CASE(test_big_answer),
		CASE(test_garbage),
		CASE(test_many_words),
		CASE(test_line_without_end),
		CASE(test_slow_request),
		CASE(test_more_than_there_is_room_for),
		CASE(test_stop_waits_for_no_idler),
		CASE(test_limit),
		CASE(test_place),
		CASE(test_other_users),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as every daemon has it */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
