/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever strangers type, a log line says what it was meant to say: it is
 * one line, and it reads back, by the rules that log.h gives to those who
 * write scripts, as the pairs that were put into it.
 */
#include "common/log.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/utf8.h"

#define PAIRS 8
#define LINE  ((size_t)2 * LOG_LINE_MAX)

struct pairs {
	size_t count;
	char keys[PAIRS][16];
	char values[PAIRS][LINE];
};

/* Takes the value at p, returns what is behind it, or NULL. */
static const char *
read_value(const char *p, char *out)
{
	bool quoted = *p == '"';

	for (p += quoted; *p != '\0' && *p != (quoted ? '"' : ' '); p++) {
		if (quoted && *p == '\\')
			p++;
		else if (!quoted && strchr("=\"", *p) != NULL)
			return NULL;
		if (*p == '\0')
			return NULL;
		*out++ = *p;
	}
	*out = '\0';
	if (!quoted)
		return p;
	return *p == '"' ? p + 1 : NULL;
}

/* Reads a line as a script would that knows log.h and nothing else. */
static bool
read_line(const char *line, const char *word, struct pairs *out)
{
	size_t len = strlen(word);
	const char *p = line + len + 1;

	out->count = 0;
	if (strncmp(line, word, len) != 0 || line[len] != ':')
		return false;
	while (p != NULL && *p != '\0') {
		char *key = out->keys[out->count];
		size_t n = 0;

		if (*p++ != ' ' || out->count == PAIRS)
			return false;
		for (; islower((unsigned char)*p) && n < 15; p++)
			key[n++] = *p;
		key[n] = '\0';
		if (n == 0 || *p++ != '=')
			return false;
		p = read_value(p, out->values[out->count]);
		out->count++;
	}
	return p != NULL;
}

/* One line, of a bounded length, in UTF-8, nothing in it that moves a
 * cursor. */
static void
check_clean(const char *line)
{
	size_t i = 0, n, len = strlen(line);

	assert_in_range(len, 1, LOG_LINE_MAX);
	for (; i < len; i += n) {
		n = utf8_sequence(line + i, len - i);
		if (n == 0 || !utf8_printable(line + i, n))
			fail_msg("octet %zu of \"%s\"", i, line);
	}
}

static void
take(enum log_level level, const char *line, void *arg)
{
	(void)level;
	(void)snprintf(arg, LINE, "%s", line);
}

static int
teardown(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	return 0;
}

/* The line of a login in which three values come from outside, read back. */
static void
check_login(const char *user, const char *upstream, const char *text)
{
	static const char *const keys[] = { "client", "user", "upstream",
		"verdict", "text" };
	const char *values[] = { "192.0.2.1", user, upstream, "defer", text };
	char line[LINE] = "", want[LOG_VALUE_MAX + 1];
	static struct pairs got;
	struct log_line l;

	log_set_sink(take, line);
	log_line_begin(&l, "auth");
	for (size_t i = 0; i < 5; i++)
		log_line_add(&l, keys[i], "%s", values[i]);
	log_line_emit(&l, LOG_LEVEL_INFO);
	check_clean(line);
	if (!read_line(line, "auth", &got))
		fail_msg("cannot be read: %s", line);
	/* What does not fit is left out, from the end. */
	assert_in_range(got.count, 2, 5);
	for (size_t i = 0; i < got.count; i++) {
		(void)snprintf(want, sizeof want, "%s", values[i]);
		utf8_clean(want, strlen(want));
		if (strcmp(got.keys[i], keys[i]) != 0 ||
		    strcmp(got.values[i], want) != 0)
			fail_msg("pair %zu of %s", i, line);
	}
}

static void
test_names(void **state)
{
	static const char *const names[] = {
		"",
		" ",
		"=",
		"\"",
		"\\",
		"\\\"",
		"\" verdict=accept",
		"\\\" verdict=accept",
		"\\\\\" verdict=accept",
		"x verdict=accept",
		"x verdict=accept x=\"",
		"x\tverdict=accept",
		"x\nauth: client=198.51.100.7 verdict=accept",
		"x\r\nauth: client=198.51.100.7 verdict=accept",
		"x\u2028auth: client=198.51.100.7",
		"x\u2029auth: client=198.51.100.7",
		"x\302\205auth: client=198.51.100.7",
		"x\u00a0verdict=accept",
		"x\x1b[2K\x1b[1Gauth: verdict=accept",
		"x\2332K",
		"x\x7f\x08\x0b\x0c",
		"\xc3",
		"\xe2\x80",
		"\xff\xfe",
		"\xc0\xa0verdict=accept", /* an overlong space */
		"\xc0\xa2",               /* an overlong quote */
		"\xed\xa0\x80",           /* a surrogate */
		"%s%s%n",
		"<ann@example.org>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		check_login(names[i], "mx1:25", "no");
		check_login("ann", "mx1:25", names[i]);
		check_login(names[i], names[i], names[i]);
	}
}

/* Values of every length around the bounds, all of one octet each. */
static void
test_lengths(void **state)
{
	static const char octets[] = "x\"\\ =\n\xc3\xff";
	char value[LOG_LINE_MAX + 10];

	(void)state;
	for (size_t k = 0; k < sizeof octets - 1; k++) {
		for (size_t n = 0; n < sizeof value; n++) {
			memset(value, octets[k], n);
			value[n] = '\0';
			check_login(value, "mx1:25", "text");
			check_login("ann", value, value);
			check_login(value, value, "x");
		}
	}
}

/* A sequence of several octets that is cut in the middle. */
static void
test_cut_sequences(void **state)
{
	char value[LOG_VALUE_MAX + 10];

	(void)state;
	for (size_t n = LOG_VALUE_MAX - 5; n < LOG_VALUE_MAX + 2; n++) {
		memset(value, 'x', n);
		memcpy(value + n, "\xf0\x9f\x93\xab", 5);
		check_login(value, "mx1:25", value);
		value[0] = ' ';
		check_login(value, "mx1:25", value);
	}
}

static uint64_t
next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void
random_value(uint64_t *seed, char *out, size_t size)
{
	static const char *const bits[] = { " ", "=", "\"", "\\", "\n", "\r",
		"\x01", "x", "auth:", " client=198.51.100.7", " verdict=accept",
		"\u00a0", "\u2028", "\xc2\x85", "\xc3", "\xa9", "\x80", "<",
		">", "%s" };
	size_t parts = next_random(seed) % 40, used = 0;

	while (parts-- > 0) {
		const char *bit =
		    bits[next_random(seed) % (sizeof bits / sizeof bits[0])];
		size_t len = strlen(bit);

		if (len >= size - used)
			break;
		memcpy(out + used, bit, len);
		used += len;
	}
	out[used] = '\0';
}

static void
test_random(void **state)
{
	char a[LOG_LINE_MAX], b[LOG_LINE_MAX], c[LOG_LINE_MAX];
	uint64_t seed = 20261120;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		random_value(&seed, a, sizeof a);
		random_value(&seed, b, sizeof b);
		random_value(&seed, c, sizeof c);
		check_login(a, b, c);
	}
}

/* A sentence begins as it was written, and stays one line. */
static void
test_sentences(void **state)
{
	char line[LINE], value[LOG_LINE_MAX];
	uint64_t seed = 4711;

	(void)state;
	log_set_sink(take, line);
	for (int i = 0; i < 20000; i++) {
		random_value(&seed, value, sizeof value);
		log_warning("route: to=<%s>: cannot tell", value);
		check_clean(line);
		assert_int_equal(strncmp(line, "route: to=<", 11), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_names, teardown),
		cmocka_unit_test_teardown(test_lengths, teardown),
		cmocka_unit_test_teardown(test_cut_sequences, teardown),
		cmocka_unit_test_teardown(test_random, teardown),
		cmocka_unit_test_teardown(test_sentences, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
