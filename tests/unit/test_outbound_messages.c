/* SPDX-License-Identifier: BSD-2-Clause */
/* What messages bring with them: answered before any scope, and known after
 * it was lost. */
#include "common/outbound_messages.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/outbound_case.h"

static char state_dir[64];
static int state_synced, names_synced;

/* In place of the C library's: which directories have been written? */
int
fsync(int fd)
{
	char link[64], path[128];
	size_t len = strlen(state_dir);
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n > 0) {
		path[n] = '\0';
		state_synced += strcmp(path, state_dir) == 0;
		names_synced += strncmp(path, state_dir, len) == 0 &&
		    strcmp(path + len, "/outbound") == 0;
	}
	return (int)syscall(SYS_fsync, fd);
}

static int
set_up(void **state)
{
	(void)state;
	(void)snprintf(
	    state_dir, sizeof(state_dir), "/tmp/test_outbound.XXXXXX");
	return mkdtemp(state_dir) == NULL;
}

static int
rm(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

static int
tear_down(void **state)
{
	(void)state;
	return nftw(state_dir, rm, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *
conf_text(const char *options)
{
	static char text[2048];

	(void)snprintf(text, sizeof(text),
	    "authd { state_directory = \"%s\" }\n"
	    "binding \"a\" { nexthops = relay.a\n"
	    " outbound_smtp_auth_user = ua outbound_smtp_auth_pass = pa\n"
	    " outbound_smtp_auth_type = LOGIN }\n"
	    "binding \"b\" { nexthops = relay.a outbound_smtp_auth_user = ub\n"
	    " outbound_smtp_auth_pass = pb }\n"
	    "outbound_smtp_auth { %s }\n",
	    state_dir, options);
	return text;
}

#define ON "message_credentials = true "

static bool
put_it(struct outbound *o, const char *id, const char *user, const char *pass,
    const char *binding)
{
	struct outbound_message m = {
		.queue_id = id, .user = user, .type = -1, .binding = binding
	};
	struct secret secret = { NULL, 0 };
	char why[256] = "";
	bool ok;

	if (pass != NULL) {
		assert_true(secret_set(&secret, pass, strlen(pass)));
		m.pass = &secret;
	}
	ok = outbound_put(o, &m, why, sizeof(why));
	if (!ok) {
		print_message("%s: %s\n", id, why);
		assert_string_not_equal(why, "");
	}
	if (pass != NULL && strlen(pass) > 3)
		assert_null(strstr(why, pass));
	secret_release(&secret);
	return ok;
}

static void
expect(struct outbound *o, const char *id, enum outbound_verdict want,
    const char *text)
{
	const struct outbound_question q = {
		.binding = "a", .queue_id = id, .nexthop = "relay.a"
	};
	struct outbound_answer a;

	assert_true(outbound_ask(o, &q, deadline_in(1000), true, &a));
	outbound_case_is(&a, want, text);
	outbound_answer_release(&a);
}

static size_t
markers(void)
{
	char path[128];
	struct dirent *d;
	size_t n = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/outbound", state_dir);
	dir = opendir(path);
	assert_non_null(dir);
	while ((d = readdir(dir)) != NULL)
		n += d->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}

static void
held(void **state)
{
	struct outbound *o = outbound_case_new(conf_text(ON));
	const struct outbound_question key = { .binding = "a",
		.key = "relay.a" };
	struct outbound_answer a;
	char path[128];
	struct stat st;

	(void)state;
	assert_true(put_it(o, "Q1", "mine", "p-mine", NULL));
	assert_true(put_it(o, "Q2", NULL, NULL, "b"));
	expect(o, "Q1", OUTBOUND_GIVEN, "mine:p-mine");
	expect(o, "Q2", OUTBOUND_GIVEN, "ub:pb");
	expect(o, "Q3", OUTBOUND_GIVEN, "ua:pa");
	expect(o, "../Q1", OUTBOUND_GIVEN, "ua:pa");
	/* Another time: what it says now. */
	assert_true(put_it(o, "Q1", "new", "p-new", NULL));
	expect(o, "Q1", OUTBOUND_GIVEN, "new:p-new");
	/* Postfix's question has no queue id. */
	assert_true(outbound_ask(o, &key, deadline_in(1000), true, &a));
	outbound_case_is(&a, OUTBOUND_GIVEN, "ua:pa");
	outbound_answer_release(&a);
	assert_int_equal(markers(), 2);
	(void)snprintf(path, sizeof(path), "%s/outbound", state_dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	(void)snprintf(path, sizeof(path), "%s/outbound/Q1", state_dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 0);
	outbound_free(o);
}

/* A name would not survive without the directories that lead to it. */
static void
synced(void **state)
{
	struct outbound *o;

	(void)state;
	state_synced = names_synced = 0;
	o = outbound_case_new(conf_text(ON));
	assert_int_equal(state_synced, 1);
	assert_true(put_it(o, "Q1", "mine", "p-mine", NULL));
	assert_int_equal(names_synced, 1);
	outbound_free(o);
}

/* One that has chosen a binding, too, goes where that may send. */
static void
elsewhere(void **state)
{
	static const struct {
		const char *id, *nexthop;
		enum outbound_verdict want;
		const char *text;
	} cases[] = {
		{ "Q1", "relay.a", OUTBOUND_GIVEN, "mine:p-mine" },
		{ "Q1", "relay.x", OUTBOUND_NONE, "nothing" },
		{ "Q1", "b\303\274cher.example", OUTBOUND_NONE, "neither" },
		{ "Q1", NULL, OUTBOUND_GIVEN, "mine:p-mine" },
		{ "Q2", "relay.x", OUTBOUND_GIVEN, "any:p-any" },
	};
	struct outbound *o = outbound_case_new(conf_text(ON));
	struct outbound_answer a;
	size_t i;

	(void)state;
	assert_true(put_it(o, "Q1", "mine", "p-mine", "b"));
	assert_true(put_it(o, "Q2", "any", "p-any", NULL));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct outbound_question q = { .binding = "a",
			.queue_id = cases[i].id,
			.nexthop = cases[i].nexthop };

		print_message("%zu\n", i);
		assert_true(outbound_ask(o, &q, deadline_in(1000), true, &a));
		outbound_case_is(&a, cases[i].want, cases[i].text);
		outbound_answer_release(&a);
	}
	outbound_free(o);
}

/* Each of its own: type and key are inherited, or not. */
static void
parts(void **state)
{
	struct outbound *o = outbound_case_new(conf_text(ON));
	struct secret pass = { NULL, 0 };
	struct outbound_message m = {
		.queue_id = "T", .user = "u", .type = -1
	};
	const struct outbound_question q = {
		.binding = "a", .queue_id = "T", .nexthop = "relay.a"
	};
	struct outbound_answer a;
	char why[256];

	(void)state;
	assert_true(secret_set(&pass, "p", 1));
	m.pass = &pass;
	assert_true(outbound_put(o, &m, why, sizeof(why)));
	assert_true(outbound_ask(o, &q, deadline_in(1000), true, &a));
	outbound_case_is(&a, OUTBOUND_GIVEN, "u:p");
	assert_string_equal(a.login_scope, "message");
	assert_int_equal(a.type, OUTBOUND_LOGIN);
	assert_string_equal(a.type_scope, "binding \"a\"");
	outbound_answer_release(&a);
	m.type = OUTBOUND_PLAIN;
	m.key = "k";
	assert_true(outbound_put(o, &m, why, sizeof(why)));
	assert_true(outbound_ask(o, &q, deadline_in(1000), true, &a));
	assert_int_equal(a.type, OUTBOUND_PLAIN);
	assert_string_equal(a.type_scope, "message");
	assert_string_equal(a.key_scope, "message");
	outbound_answer_release(&a);
	m.user = NULL;
	m.pass = NULL;
	assert_true(outbound_put(o, &m, why, sizeof(why)));
	assert_true(outbound_ask(o, &q, deadline_in(1000), true, &a));
	outbound_case_is(&a, OUTBOUND_GIVEN, "ua:pa");
	assert_int_equal(a.type, OUTBOUND_PLAIN);
	outbound_answer_release(&a);
	secret_release(&pass);
	outbound_free(o);
}

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void
refused(void **state)
{
	static const char *const ids[] = { "", "a/b", "..", ".", "a.b", "a b",
		"a\n", "\303\244", X64 "x" };
	struct outbound *o = outbound_case_new(conf_text(ON));
	struct outbound_message m = { .queue_id = "Q", .type = -1 };
	char why[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		assert_false(put_it(o, ids[i], "u", "p", NULL));
	assert_true(put_it(o, X64, "u", "p", NULL));
	assert_false(put_it(o, "Q", "u", NULL, NULL));
	assert_false(put_it(o, "Q", NULL, "p", NULL));
	assert_false(put_it(o, "Q", NULL, NULL, NULL));
	assert_false(put_it(o, "Q", "", "p", NULL));
	assert_false(put_it(o, "Q", "u", "", NULL));
	assert_false(put_it(o, "Q", "u\r\nQUIT", "p", NULL));
	assert_false(put_it(o, "Q", "u", "p\r\nQUIT", NULL));
	assert_false(put_it(o, "Q", NULL, NULL, "nowhere"));
	assert_false(put_it(o, "Q", NULL, NULL, "default\n"));
	m.type = 2;
	assert_false(outbound_put(o, &m, why, sizeof(why)));
	m.type = -2;
	assert_false(outbound_put(o, &m, why, sizeof(why)));
	m.type = -1;
	m.key = "";
	assert_false(outbound_put(o, &m, why, sizeof(why)));
	assert_int_equal(markers(), 1);
	expect(o, "Q", OUTBOUND_GIVEN, "ua:pa");
	outbound_free(o);
}

/* A restart: what is lost is not answered by a wider scope. */
static void
lost(void **state)
{
	struct outbound *o = outbound_case_new(conf_text(ON));
	struct strbuf sb;

	(void)state;
	assert_true(put_it(o, "Q1", "mine", "p-mine", NULL));
	outbound_free(o);
	o = outbound_case_new(conf_text(ON));
	expect(o, "Q1", OUTBOUND_DEFER, "were lost");
	expect(o, "Q2", OUTBOUND_GIVEN, "ua:pa");
	strbuf_init(&sb, 65536);
	outbound_status(o, &sb);
	assert_non_null(strstr(strbuf_str(&sb), "outbound_messages_lost=1\n"));
	/* It comes again. */
	assert_true(put_it(o, "Q1", "mine", "p-mine", NULL));
	expect(o, "Q1", OUTBOUND_GIVEN, "mine:p-mine");
	strbuf_reset(&sb);
	outbound_status(o, &sb);
	assert_non_null(strstr(strbuf_str(&sb),
	    "outbound_messages_held=1\noutbound_messages_lost=0\n"));
	strbuf_release(&sb);
	outbound_free(o);
	/* Even when there are to be no more of them. */
	o = outbound_case_new(conf_text(""));
	expect(o, "Q1", OUTBOUND_DEFER, "were lost");
	assert_false(put_it(o, "Q2", "u", "p", NULL));
	outbound_free(o);
}

/* Killed at any time after put has said yes. */
static void
killed(void **state)
{
	struct outbound *o;
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		o = outbound_case_new(conf_text(ON));
		if (!put_it(o, "K1", "mine", "p-mine", NULL))
			_exit(1);
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	o = outbound_case_new(conf_text(ON));
	expect(o, "K1", OUTBOUND_DEFER, "were lost");
	outbound_free(o);
}

static void
full(void **state)
{
	struct outbound *o = outbound_case_new(conf_text(ON "message_max = 2"));

	(void)state;
	assert_true(put_it(o, "Q1", "u1", "p1", NULL));
	assert_true(put_it(o, "Q2", "u2", "p2", NULL));
	assert_false(put_it(o, "Q3", "u3", "p3", NULL));
	assert_true(put_it(o, "Q2", "u4", "p4", NULL));
	expect(o, "Q1", OUTBOUND_GIVEN, "u1:p1");
	expect(o, "Q2", OUTBOUND_GIVEN, "u4:p4");
	expect(o, "Q3", OUTBOUND_GIVEN, "ua:pa");
	assert_int_equal(markers(), 2);
	outbound_free(o);
	/* Those that are lost count, too. */
	o = outbound_case_new(conf_text(ON "message_max = 2"));
	assert_false(put_it(o, "Q3", "u3", "p3", NULL));
	outbound_free(o);
}

/* When its life is over it is forgotten, in memory and on disk, though nobody
 * asks. */
static void
over(void **state)
{
	struct outbound *o =
	    outbound_case_new(conf_text(ON "message_life = 1s"));
	int i;

	(void)state;
	assert_true(put_it(o, "Q1", "mine", "p-mine", NULL));
	expect(o, "Q1", OUTBOUND_GIVEN, "mine:p-mine");
	for (i = 0; i < 200 && markers() > 0; i++)
		(void)usleep(50000);
	assert_int_equal(markers(), 0);
	expect(o, "Q1", OUTBOUND_GIVEN, "ua:pa");
	/* And when nobody was there to forget it. */
	assert_true(put_it(o, "Q2", "mine", "p-mine", NULL));
	outbound_free(o);
	assert_int_equal(markers(), 1);
	(void)usleep(1100000);
	o = outbound_case_new(conf_text(ON "message_life = 1s"));
	assert_int_equal(markers(), 0);
	expect(o, "Q2", OUTBOUND_GIVEN, "ua:pa");
	outbound_free(o);
}

static void
reloaded(void **state)
{
	struct outbound *o = outbound_case_new(conf_text(""));
	char why[256];

	(void)state;
	assert_false(put_it(o, "Q1", "mine", "p-mine", NULL));
	assert_true(outbound_case_reload(o, conf_text(ON), why));
	assert_true(put_it(o, "Q1", "mine", "p-mine", NULL));
	assert_true(
	    outbound_case_reload(o, conf_text(ON "message_max = 1"), why));
	expect(o, "Q1", OUTBOUND_GIVEN, "mine:p-mine");
	assert_false(put_it(o, "Q2", "mine", "p-mine", NULL));
	assert_true(outbound_case_reload(o, conf_text(""), why));
	expect(o, "Q1", OUTBOUND_GIVEN, "mine:p-mine");
	outbound_free(o);
}

/* What is no directory of ours is none. */
static void
directory(void **state)
{
	struct outbound *o = outbound_case_new(conf_text(""));
	char path[128], why[256];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/outbound", state_dir);
	assert_int_equal(symlink("/tmp", path), 0);
	assert_false(outbound_case_reload(o, conf_text(ON), why));
	assert_ptr_equal(strstr(why, "authd.state_directory: "), why);
	assert_non_null(strstr(why, "/outbound: "));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 0777), 0);
	assert_false(outbound_case_reload(o, conf_text(ON), why));
	assert_non_null(strstr(why, "alone"));
	assert_false(put_it(o, "Q1", "u", "p", NULL));
	assert_int_equal(chmod(path, 0700), 0);
	assert_true(outbound_case_reload(o, conf_text(ON), why));
	assert_int_equal(rmdir(path), 0);
	/* It went away: then nothing can be kept. */
	assert_false(put_it(o, "Q1", "u", "p", NULL));
	expect(o, "Q1", OUTBOUND_GIVEN, "ua:pa");
	outbound_free(o);
}

/* Things in the directory that are not ours are let be. */
static void
strangers(void **state)
{
	char path[160];
	struct outbound *o = outbound_case_new(conf_text(ON));

	(void)state;
	outbound_free(o);
	(void)snprintf(path, sizeof(path), "%s/outbound/a.b", state_dir);
	assert_int_equal(close(creat(path, 0600)), 0);
	(void)snprintf(path, sizeof(path), "%s/outbound/DIR", state_dir);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/outbound/LINK", state_dir);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	o = outbound_case_new(conf_text(ON));
	expect(o, "DIR", OUTBOUND_GIVEN, "ua:pa");
	expect(o, "LINK", OUTBOUND_GIVEN, "ua:pa");
	assert_false(put_it(o, "LINK", "u", "p", NULL));
	assert_false(put_it(o, "DIR", "u", "p", NULL));
	assert_int_equal(markers(), 3);
	outbound_free(o);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(held),
		TEST(synced),
		TEST(elsewhere),
		TEST(parts),
		TEST(refused),
		TEST(lost),
		TEST(killed),
		TEST(full),
		TEST(over),
		TEST(reloaded),
		TEST(directory),
		TEST(strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
