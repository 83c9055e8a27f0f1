/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct good {
	const char *text;
	struct endpoint want;
	const char *written;
	bool loopback;
};

#define INET(lmtp, host, port, literal)    \
 {                                         \
  lmtp, ENDPOINT_INET, host, port, literal \
 }

static const struct good goods[] = {
	{ "mx1.example.org", INET(false, "mx1.example.org", 0, false),
	    "mx1.example.org", false },
	{ "MX1.Example.ORG.:25", INET(false, "mx1.example.org", 25, false),
	    "mx1.example.org:25", false },
	{ "mail_store:65535", INET(false, "mail_store", 65535, false),
	    "mail_store:65535", false },
	{ "192.0.2.1", INET(false, "192.0.2.1", 0, true), "192.0.2.1", false },
	{ "192.0.2.1:2525", INET(false, "192.0.2.1", 2525, true),
	    "192.0.2.1:2525", false },
	{ "[192.0.2.1]:25", INET(false, "192.0.2.1", 25, true), "192.0.2.1:25",
	    false },
	{ "[mx1.example.org]:25", INET(false, "mx1.example.org", 25, false),
	    "mx1.example.org:25", false },
	{ "[2001:db8::1]:25", INET(false, "2001:db8::1", 25, true),
	    "[2001:db8::1]:25", false },
	{ "[2001:DB8:0:0::1]", INET(false, "2001:db8::1", 0, true),
	    "[2001:db8::1]", false },
	{ "2001:db8::1", INET(false, "2001:db8::1", 0, true), "[2001:db8::1]",
	    false },
	{ "::1", INET(false, "::1", 0, true), "[::1]", true },
	{ "lmtp:mailstore:24", INET(true, "mailstore", 24, false),
	    "lmtp:mailstore:24", false },
	{ "LMTP:[::1]:24", INET(true, "::1", 24, true), "lmtp:[::1]:24", true },
	{ "lmtp:2001:db8::1", INET(true, "2001:db8::1", 0, true),
	    "lmtp:[2001:db8::1]", false },
	{ "unix:/run/lmtp.sock",
	    { false, ENDPOINT_UNIX, "/run/lmtp.sock", 0, false },
	    "unix:/run/lmtp.sock", true },
	{ "lmtp:unix:/run/a:b", { true, ENDPOINT_UNIX, "/run/a:b", 0, false },
	    "lmtp:unix:/run/a:b", true },
	{ "[lmtp]:25", INET(false, "lmtp", 25, false), "[lmtp]:25", false },
	{ "lmtp", INET(false, "lmtp", 0, false), "[lmtp]", false },
	{ "[unix]", INET(false, "unix", 0, false), "[unix]", false },
	{ L63 ".example:1", INET(false, L63 ".example", 1, false),
	    L63 ".example:1", false },
	{ "localhost", INET(false, "localhost", 0, false), "localhost", true },
	{ "LOCALHOST:25", INET(false, "localhost", 25, false), "localhost:25",
	    true },
	{ "127.0.0.1", INET(false, "127.0.0.1", 0, true), "127.0.0.1", true },
	{ "127.255.255.254:25", INET(false, "127.255.255.254", 25, true),
	    "127.255.255.254:25", true },
	{ "::ffff:127.0.0.1", INET(false, "::ffff:127.0.0.1", 0, true),
	    "[::ffff:127.0.0.1]", true },
	/* these may be anywhere */
	{ "mx.localhost", INET(false, "mx.localhost", 0, false), "mx.localhost",
	    false },
	{ "localhost.example.org",
	    INET(false, "localhost.example.org", 0, false),
	    "localhost.example.org", false },
	{ "128.0.0.1", INET(false, "128.0.0.1", 0, true), "128.0.0.1", false },
	{ "::", INET(false, "::", 0, true), "[::]", false },
	{ "::ffff:192.0.2.1", INET(false, "::ffff:192.0.2.1", 0, true),
	    "[::ffff:192.0.2.1]", false },
};

#define GOODS (sizeof(goods) / sizeof(goods[0]))

static void
test_good(void **state)
{
	char buf[ENDPOINT_TEXT_MAX];
	struct endpoint e;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < GOODS; i++) {
		const struct good *g = &goods[i];

		memset(&e, 0xff, sizeof(e));
		if (!endpoint_parse(g->text, &e, &why))
			fail_msg("%s: refused: %s", g->text, why);
		assert_null(why);
		if (!endpoint_equal(&e, &g->want))
			fail_msg("%s: got %s port %u", g->text, e.host,
			    (unsigned)e.port);
		assert_string_equal(
		    endpoint_format(&e, buf, sizeof(buf)), g->written);
		assert_true(endpoint_parse(buf, &e, NULL));
		assert_true(endpoint_equal(&e, &g->want));
		if (endpoint_is_loopback(&e) != g->loopback)
			fail_msg("%s: loopback: want %d", g->text, g->loopback);
	}
}

static void
test_bad(void **state)
{
	static const char *const rows[] = { "", ":", ":25", "[", "[]", "[]:25",
		"[::1", "[::1]25", "[::1]:", "::1]", "[::1]:25x",
		"host:", "host:0", "host:65536", "host:-1", "host:+1",
		"host: 25", "host:25 ", "host:smtp", "host:25:25", " host",
		"host\n", "ho st", "host\xc3\xb6", "a..b", ".a", "-a", "a-",
		"a.-b", "a/b", "a@b", "user@host:25", L63 "a.example",
		"256.0.0.1", "1.2.3", "10.1", "0x7f000001", "0x7f.1:25",
		"1234:25", "[25]", "2001:db8:::1", "fe80::1%eth0",
		"[2001:db8::g]:25", "lmtp:", "lmtp::25", "lmtp:24",
		"lmtp:lmtp:", "unix:", "unix:run/x", "unix:/a b",
		"lmtp:unix:", "unix:25", "unix:@abstract", "smtp://host",
		"inet:25@localhost", L63 "." L63 "." L63 "." L63 ".aa" };
	static const struct endpoint none;
	struct endpoint e;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&e, 0xff, sizeof(e));
		why = NULL;
		if (endpoint_parse(rows[i], &e, &why))
			fail_msg("%s: taken as %s", rows[i], e.host);
		assert_non_null(why);
		assert_memory_equal(&e, &none, sizeof(e));
		assert_false(endpoint_parse(rows[i], &e, NULL));
	}
}

/* What is left of an endpoint, where it still is one, must be written so
 * that it reads the same. */
static void
test_truncations(void **state)
{
	char text[ENDPOINT_TEXT_MAX], buf[ENDPOINT_TEXT_MAX];
	struct endpoint e, again;
	const char *why;
	size_t i, n;

	(void)state;
	for (i = 0; i < GOODS; i++) {
		for (n = 0; n < strlen(goods[i].text); n++) {
			memcpy(text, goods[i].text, n);
			text[n] = '\0';
			if (!endpoint_parse(text, &e, &why)) {
				assert_non_null(why);
				continue;
			}
			(void)endpoint_format(&e, buf, sizeof(buf));
			assert_true(endpoint_parse(buf, &again, NULL));
			assert_true(endpoint_equal(&e, &again));
		}
	}
}

static void
test_unix_path_fits(void **state)
{
	char text[5 + ENDPOINT_PATH_MAX + 2] = "unix:/";
	struct endpoint e;
	const char *why;

	(void)state;
	memset(text + 6, 'p', ENDPOINT_PATH_MAX - 1);
	assert_true(endpoint_parse(text, &e, NULL));
	assert_int_equal(strlen(e.host), ENDPOINT_PATH_MAX);
	text[5 + ENDPOINT_PATH_MAX] = 'p';
	assert_false(endpoint_parse(text, &e, &why));
	assert_string_equal(why, "socket path longer than 107 octets");
}

static void
test_equal_and_room(void **state)
{
	static const char *const different[] = { "host", "host:25", "host:26",
		"lmtp:host:25", "unix:/host", "192.0.2.1", "::1" };
	struct endpoint a, b;
	char buf[8] = "xxxxxxx";
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(different) / sizeof(different[0]); i++) {
		assert_true(endpoint_parse(different[i], &a, NULL));
		for (k = 0; k < sizeof(different) / sizeof(different[0]); k++) {
			assert_true(endpoint_parse(different[k], &b, NULL));
			assert_int_equal(endpoint_equal(&a, &b), i == k);
		}
	}
	assert_true(endpoint_parse("host:25", &a, NULL));
	assert_string_equal(endpoint_format(&a, buf, 8), "host:25");
	assert_string_equal(endpoint_format(&a, buf, 7), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_unix_path_fits),
		cmocka_unit_test(test_equal_and_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
