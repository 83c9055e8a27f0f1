/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/log.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The last line that reached the sink, and how many did. */
struct seen {
	enum log_level level;
	char line[2 * LOG_LINE_MAX];
	_Atomic int count;
};

static void
keep(enum log_level level, const char *line, void *arg)
{
	struct seen *seen = arg;

	seen->level = level;
	(void)snprintf(seen->line, sizeof(seen->line), "%s", line);
	seen->count++;
}

static void
count(enum log_level level, const char *line, void *arg)
{
	struct seen *seen = arg;

	(void)level;
	if (strcmp(line, "line of a thread") == 0)
		seen->count++;
}

static int
teardown(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	log_set_level(LOG_LEVEL_INFO);
	return 0;
}

static void
test_levels(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	log_set_sink(keep, &seen);
	assert_true(log_enabled(LOG_LEVEL_INFO));
	assert_false(log_enabled(LOG_LEVEL_DEBUG));
	log_debug("hidden");
	assert_int_equal(seen.count, 0);
	log_info("verdict=%s", "defer");
	assert_string_equal(seen.line, "verdict=defer");
	assert_int_equal(seen.level, LOG_LEVEL_INFO);
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("hidden");
	assert_int_equal(seen.count, 1);
	log_error("now");
	assert_int_equal(seen.level, LOG_LEVEL_ERROR);
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("shown");
	log_warning("shown too");
	assert_int_equal(seen.count, 4);
}

static void
test_level_names(void **state)
{
	enum log_level l;
	enum log_level got = LOG_LEVEL_INFO;

	(void)state;
	for (l = LOG_LEVEL_ERROR; l <= LOG_LEVEL_DEBUG; l++) {
		assert_true(log_level_parse(log_level_name(l), &got));
		assert_int_equal(got, l);
	}
	assert_true(log_level_parse("Warning", &got));
	assert_int_equal(got, LOG_LEVEL_WARNING);
	assert_false(log_level_parse("", &got));
	assert_false(log_level_parse("warn", &got));
	assert_int_equal(got, LOG_LEVEL_WARNING);
}

/* One line in must be one line out. */
static void
test_lines_are_cleaned_and_bounded(void **state)
{
	struct seen seen = { 0 };
	char big[3 * LOG_LINE_MAX];

	(void)state;
	log_set_sink(keep, &seen);
	log_info("a\r\nforged: b\x1b%s", "\xff\xc3\xa4");
	assert_string_equal(seen.line, "a??forged: b??\xc3\xa4");
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	log_info("%s", big);
	assert_int_equal(strlen(seen.line), LOG_LINE_MAX);
}

static void
test_default_sink_is_stderr(void **state)
{
	char buf[256] = "";
	int fds[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
	log_set_sink(NULL, NULL);
	log_error("cannot open %s", "/x");
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	n = read(fds[0], buf, sizeof(buf) - 1);
	assert_true(n > 0);
	assert_string_equal(buf, "error: cannot open /x\n");
	(void)close(saved);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
test_line_values(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "<ann@example.org>", "w: k=<ann@example.org>" },
		{ "", "w: k=" },
		{ "no such user", "w: k=\"no such user\"" },
		{ "<a=b@c>", "w: k=\"<a=b@c>\"" },
		{ "say \"hi\\\"", "w: k=\"say \\\"hi\\\\\\\"\"" },
		{ "\"", "w: k=\"\\\"\"" },
		{ "back\\slash", "w: k=back\\slash" },
		{ "x\r\nverify: y", "w: k=\"x??verify: y\"" },
		{ "j\xc3\xb6rg\xff\x01", "w: k=j\xc3\xb6rg??" },
	};
	struct seen seen = { 0 };
	struct log_line l;
	size_t i;

	(void)state;
	log_set_sink(keep, &seen);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		log_line_begin(&l, "w");
		log_line_add(&l, "k", "%s", rows[i].value);
		log_line_emit(&l, LOG_LEVEL_INFO);
		assert_string_equal(seen.line, rows[i].want);
		log_line_begin(&l, "w");
		log_line_text(&l, "k", rows[i].value);
		assert_string_equal(l.text, rows[i].want);
	}
	log_line_begin(&l, "verify");
	log_line_add(&l, "to", "<%s>", "ann@example.org");
	log_line_add(&l, "code", "%d", 550);
	log_line_emit(&l, LOG_LEVEL_WARNING);
	assert_string_equal(seen.line, "verify: to=<ann@example.org> code=550");
	assert_int_equal(seen.level, LOG_LEVEL_WARNING);
}

/* A value must not push its closing quote, or half a key, off the end. */
static void
test_line_is_bounded(void **state)
{
	char big[2 * LOG_LINE_MAX];
	struct log_line l;
	size_t was;

	(void)state;
	memset(big, '"', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	log_line_begin(&l, "w");
	log_line_add(&l, "a", "%s", big);
	assert_int_equal(l.len, 2 + 3 + 2 * LOG_VALUE_MAX + 2);
	assert_int_equal(l.text[l.len - 1], '"');
	log_line_begin(&l, "w");
	log_line_text(&l, "a", big);
	assert_int_equal(l.len, 2 + 3 + 2 * LOG_VALUE_MAX + 2);
	assert_int_equal(l.text[l.len - 1], '"');
	was = l.len;
	log_line_add(&l, "b", "%s", big);
	assert_int_equal(l.len, was);
	log_line_add(&l, "c", "short");
	assert_int_equal(l.len, was);
	assert_int_equal(strlen(l.text), l.len);

	log_line_begin(&l, big);
	assert_int_equal(strlen(l.text), LOG_LINE_MAX);
	log_line_add(&l, "k", "v");
	assert_int_equal(strlen(l.text), LOG_LINE_MAX);
	log_line_begin(&l, "w");
	log_line_add(&l, big, "v");
	assert_string_equal(l.text, "w:");
	log_line_text(&l, "k", "v");
	assert_string_equal(l.text, "w:");
}

static void
test_limit(void **state)
{
	struct log_limit l = { 0 };

	(void)state;
	assert_false(log_limited(&l, 3600000));
	assert_true(log_limited(&l, 3600000));
	assert_true(log_limited(&l, 3600000));
	assert_int_equal(log_limit_left_out(&l), 2);
	assert_int_equal(log_limit_left_out(&l), 0);
	l.next_ms = 0; /* the hour is over */
	assert_false(log_limited(&l, 3600000));
	assert_true(log_limited(&l, 3600000));
}

#define THREADS 4
#define LINES   500

struct work {
	struct log_limit limit;
	struct seen seen;
	_Atomic int allowed;
};

static void *
hammer(void *arg)
{
	struct work *w = arg;
	int i;

	for (i = 0; i < LINES; i++) {
		log_info("line of a %s", "thread");
		if (!log_limited(&w->limit, 3600000))
			w->allowed++;
	}
	return NULL;
}

static void
test_threads(void **state)
{
	static struct work w;
	pthread_t threads[THREADS];
	int i;

	(void)state;
	log_set_sink(count, &w.seen);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, hammer, &w), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(w.seen.count, THREADS * LINES);
	assert_int_equal(w.allowed, 1);
	assert_int_equal(log_limit_left_out(&w.limit), THREADS * LINES - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_levels, teardown),
		cmocka_unit_test(test_level_names),
		cmocka_unit_test_teardown(
		    test_lines_are_cleaned_and_bounded, teardown),
		cmocka_unit_test_teardown(
		    test_default_sink_is_stderr, teardown),
		cmocka_unit_test_teardown(test_line_values, teardown),
		cmocka_unit_test(test_line_is_bounded),
		cmocka_unit_test(test_limit),
		cmocka_unit_test_teardown(test_threads, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
