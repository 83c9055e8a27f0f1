/* SPDX-License-Identifier: BSD-2-Clause */
/* The plug-in is a guest: what it does to the process that it runs in. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/plugin/fake_authd.h"
#include "tests/plugin/host.h"

static const struct host_option options[] = {
	{ "postern_socket", "auth" },
	{ "postern_mechs", "PLAIN LOGIN CRAM-MD5 XOAUTH2" },
	{ NULL, NULL },
};

static struct host host;
static struct fake_authd fake;

static int
entries(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

static int
teardown(void **state)
{
	(void)state;
	host_stop(&host);
	fake_stop(&fake);
	return 0;
}

/*
 * Sendmail initialises in the daemon and forks per connection, Postfix
 * initialises and enters its chroot: at init nothing is opened and no thread
 * begun, and each child logs in for itself.
 */
static void
test_fork(void **state)
{
	static const struct fake_plan plan = {
		.reply = { { .type = WIRE_GOOD, .user = "ann" } },
	};
	int files, tasks, i, status;
	pid_t child[4];

	(void)state;
	files = entries("/proc/self/fd");
	tasks = entries("/proc/self/task");
	/* the daemon need not run yet */
	host_start(&host, options);
	assert_int_equal(entries("/proc/self/fd"), files);
	assert_int_equal(entries("/proc/self/task"), tasks);
	fake_listen(&fake, "auth", 5);
	for (i = 0; i < 4; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] == 0) {
			host_connect(&host, NULL);
			_exit(host_plain(&host, "ann", "wonder") == SASL_OK
				? 0
				: 1);
		}
	}
	fake_serve(&fake, &plan);
	for (i = 0; i < 4; i++) {
		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(fake.connections, 4);
}

/* How a child ends that logs in: 1 for "refused", 2 for "cannot tell". */
static int
child_end(const struct host_option *wanted, const char *application)
{
	pid_t child;
	int status, code;

	host_start_as(&host, wanted, application);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		host_connect(&host, NULL);
		code = host_plain(&host, "ann", "wonder");
		_exit(code == SASL_BADAUTH ? 1 : code == SASL_UNAVAIL ? 2 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	host_stop(&host);
	return WEXITSTATUS(status);
}

/* postern_unsure: the child of Sendmail ends, nothing else does. */
static void
test_disconnect(void **state)
{
	static const struct host_option hang_up[] = {
		{ "postern_socket", "auth" },
		{ "postern_unsure", "disconnect" },
		{ NULL, NULL },
	};
	static const struct host_option reply[] = {
		{ "postern_socket", "auth" },
		{ "postern_unsure", "answer" },
		{ NULL, NULL },
	};
	static const struct host_option odd[] = {
		{ "postern_socket", "auth" },
		{ "postern_unsure", "perhaps" },
		{ NULL, NULL },
	};
	static const struct fake_plan bad = {
		.reply = { { .type = WIRE_BAD } },
	};

	(void)state;
	/* nobody listens */
	assert_int_equal(child_end(hang_up, "Sendmail"), EX_TEMPFAIL);
	assert_int_equal(child_end(hang_up, "smtpd"), 2);
	assert_int_equal(child_end(reply, "Sendmail"), 2);
	assert_int_equal(child_end(options, "Sendmail"), 2);
	assert_int_equal(child_end(odd, "smtpd"), 2);
	assert_int_equal(child_end(odd, "Sendmail"), EX_TEMPFAIL);
	/* the process that initialised serves others, too */
	host_start_as(&host, hang_up, "Sendmail");
	host_connect(&host, NULL);
	assert_int_equal(host_plain(&host, "ann", "wonder"), SASL_UNAVAIL);
	host_stop(&host);
	/* a refusal is said */
	fake_listen(&fake, "auth", 5);
	fake_serve(&fake, &bad);
	assert_int_equal(child_end(hang_up, "Sendmail"), 1);
}

/* -- memory ------------------------------------------------------------ */

/* gcc says it one way, clang the other. */
#ifndef __has_feature
# define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||       \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
# define SANITIZED true
#else
# define SANITIZED false
#endif

#define MARK     "marked by nobody else"
#define MARK_LEN (sizeof(MARK) - 1)

/* The secret is never written down in this program: only its inverse is. */
static void
make_secret(char *out)
{
	static const char mark[] = MARK;
	size_t i;

	for (i = 0; i < MARK_LEN; i++)
		out[i] = (char)(mark[i] ^ 0x55);
}

static int
count_in(const unsigned char *p, size_t len)
{
	static const char mark[] = MARK;
	size_t i, k;
	int n = 0;

	for (i = 0; i + MARK_LEN <= len; i++) {
		for (k = 0; k < MARK_LEN; k++)
			if (p[i + k] != (unsigned char)(mark[k] ^ 0x55))
				break;
		if (k == MARK_LEN)
			n++;
	}
	return n;
}

/* How often the secret stands in this process's writable memory. */
static int
count_secret(void)
{
	static unsigned char page[65536 + MARK_LEN];
	FILE *maps = fopen("/proc/self/maps", "r");
	FILE *mem = fopen("/proc/self/mem", "r");
	unsigned long from, to;
	char line[512], *end;
	int n = 0;

	assert_non_null(maps);
	assert_non_null(mem);
	(void)setvbuf(mem, NULL, _IONBF, 0);
	while (fgets(line, sizeof(line), maps) != NULL) {
		from = strtoul(line, &end, 16);
		to = strtoul(end + 1, &end, 16);
		if (strncmp(end, " rw", 3) != 0)
			continue;
		for (; from < to; from += 65536) {
			size_t got;

			if (fseek(mem, (long)from, SEEK_SET) != 0)
				break;
			got = fread(page, 1, sizeof(page), mem);
			if ((unsigned char *)from < page + sizeof(page) &&
			    (unsigned char *)from + got > page)
				continue;
			n += count_in(page, got);
			explicit_bzero(page, sizeof(page));
		}
	}
	(void)fclose(maps);
	(void)fclose(mem);
	return n;
}

/* One login by that mechanism; what the test itself held is wiped. */
static int
login(const char *mech)
{
	char in[5 + MARK_LEN] = { '\0', 'a', 'n', 'n', '\0' };
	int code;

	host_connect(&host, NULL);
	make_secret(in + 5);
	if (strcmp(mech, "LOGIN") == 0) {
		code = host_auth(&host, mech, "ann", 3);
		if (code == SASL_CONTINUE)
			code = host_step(&host, in + 5, MARK_LEN);
	} else {
		code = host_auth(&host, mech, in, sizeof(in));
	}
	explicit_bzero(in, sizeof(in));
	return code;
}

static void
test_memory(void **state)
{
	static const char *const mechs[] = { "PLAIN", "LOGIN", "XOAUTH2" };
	static const struct fake_plan plans[] = {
		{ .reply = { { .type = WIRE_GOOD, .user = "ann" } } },
		{ .reply = { { .type = WIRE_BAD } } },
		{ .reply = { { .type = WIRE_UNSURE, .reason = "x" } } },
		{ .manner = FAKE_SLAM },
	};
	char *held;
	size_t i, k;
	int n;

	(void)state;
	if (SANITIZED)
		skip(); /* their memory is too large to look through */
	host_start(&host, options);
	/* it can be found: this test can fail */
	held = malloc(MARK_LEN);
	assert_non_null(held);
	make_secret(held);
	assert_int_equal(count_secret(), 1);
	explicit_bzero(held, MARK_LEN);
	free(held);
	assert_int_equal(count_secret(), 0);
	for (i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		for (k = 0; k < 3; k++) {
			fake_listen(&fake, "auth", 5);
			fake_serve(&fake, &plans[i]);
			(void)login(mechs[k]);
			fake_stop(&fake);
			fake_wipe(&fake);
			host_disconnect(&host);
			n = count_secret();
			if (n != 0)
				fail_msg(
				    "plan %zu, %s: %d left", i, mechs[k], n);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_fork, teardown),
		cmocka_unit_test_teardown(test_disconnect, teardown),
		cmocka_unit_test_teardown(test_memory, teardown),
	};

	return cmocka_run_group_tests(tests, host_begin, host_end);
}
