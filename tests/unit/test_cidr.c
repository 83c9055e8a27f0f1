/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/cidr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

static const struct {
	const char *text;
	int family;
	unsigned int prefix;
	const char *written;
} goods[] = {
	{ "192.0.2.0/24", AF_INET, 24, "192.0.2.0/24" },
	{ "192.0.2.1", AF_INET, 32, "192.0.2.1/32" },
	{ "192.0.2.128/25", AF_INET, 25, "192.0.2.128/25" },
	{ "0.0.0.0/0", AF_INET, 0, "0.0.0.0/0" },
	{ "127.0.0.0/8", AF_INET, 8, "127.0.0.0/8" },
	{ "::1", AF_INET6, 128, "::1/128" },
	{ "::/0", AF_INET6, 0, "::/0" },
	{ "2001:DB8::/32", AF_INET6, 32, "2001:db8::/32" },
	{ "2001:db8:8000::/33", AF_INET6, 33, "2001:db8:8000::/33" },
	{ "::ffff:192.0.2.0/120", AF_INET, 24, "192.0.2.0/24" },
	{ "::ffff:192.0.2.1", AF_INET, 32, "192.0.2.1/32" },
	{ "::ffff:0:0/96", AF_INET, 0, "0.0.0.0/0" },
};

#define GOODS (sizeof(goods) / sizeof(goods[0]))

static void
test_good(void **state)
{
	char buf[CIDR_TEXT_MAX];
	struct cidr c;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < GOODS; i++) {
		memset(&c, 0xff, sizeof(c));
		if (!cidr_parse(goods[i].text, &c, &why))
			fail_msg("%s: refused: %s", goods[i].text, why);
		assert_null(why);
		assert_int_equal(c.family, goods[i].family);
		assert_int_equal(cidr_prefix_len(&c), goods[i].prefix);
		assert_string_equal(
		    cidr_format(&c, buf, sizeof(buf)), goods[i].written);
	}
	assert_string_equal(cidr_format(&c, buf, 9), "");
}

static void
test_bad(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "not an IP address" },
		{ "/", "not an IP address" },
		{ "/24", "not an IP address" },
		{ "host/24", "not an IP address" },
		{ "192.0.2/24", "not an IP address" },
		{ "192.0.2.256", "not an IP address" },
		{ " 192.0.2.1", "not an IP address" },
		{ "192.0.2.1 ", "not an IP address" },
		{ "[::1]", "not an IP address" },
		{ "2001:db8:::/32", "not an IP address" },
		{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
		    "not an IP address" },
		{ "192.0.2.0/", "prefix is not a number from 0 to 32" },
		{ "192.0.2.0/33", "prefix is not a number from 0 to 32" },
		{ "192.0.2.0/-1", "prefix is not a number from 0 to 32" },
		{ "0.0.0.0/-0", "prefix is not a number from 0 to 32" },
		{ "192.0.2.0/24x", "prefix is not a number from 0 to 32" },
		{ "192.0.2.0/24/24", "prefix is not a number from 0 to 32" },
		{ "192.0.2.0/255.255.255.0",
		    "prefix is not a number from 0 to 32" },
		{ "::1/129", "prefix is not a number from 0 to 128" },
		{ "192.0.2.1/24", "bits are set behind the prefix" },
		{ "192.0.2.0/22", "bits are set behind the prefix" },
		{ "0.0.0.1/0", "bits are set behind the prefix" },
		{ "192.0.2.1/31", "bits are set behind the prefix" },
		{ "2001:db8::1/64", "bits are set behind the prefix" },
		{ "2001:db8::/28", "bits are set behind the prefix" },
		{ "::ffff:192.0.2.0/24", "bits are set behind the prefix" },
	};
	static const struct cidr none;
	struct cidr c;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&c, 0xff, sizeof(c));
		if (cidr_parse(rows[i].text, &c, &why))
			fail_msg("%s: taken", rows[i].text);
		assert_string_equal(why, rows[i].why);
		assert_memory_equal(&c, &none, sizeof(c));
	}
	assert_false(cidr_parse("x", &c, NULL));
	assert_false(cidr_match_text(&c, "0.0.0.0"));
	assert_false(cidr_match_text(&c, "::"));
}

/* Cut anywhere: refused with a reason, or still a network that reads back. */
static void
test_truncations(void **state)
{
	char text[64], buf[CIDR_TEXT_MAX];
	struct cidr c, again;
	const char *why;
	size_t i, n;

	(void)state;
	for (i = 0; i < GOODS; i++) {
		for (n = 0; n < strlen(goods[i].text); n++) {
			memcpy(text, goods[i].text, n);
			text[n] = '\0';
			if (!cidr_parse(text, &c, &why)) {
				assert_non_null(why);
				continue;
			}
			(void)cidr_format(&c, buf, sizeof(buf));
			assert_true(cidr_parse(buf, &again, NULL));
			assert_memory_equal(&c, &again, sizeof(c));
		}
	}
}

static bool
match_sockaddr(const struct cidr *c, const char *addr)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sin = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, addr, &sin.sin_addr) == 1)
		return cidr_match(c, (const struct sockaddr *)&sin);
	assert_int_equal(inet_pton(AF_INET6, addr, &sin6.sin6_addr), 1);
	return cidr_match(c, (const struct sockaddr *)&sin6);
}

static void
test_match(void **state)
{
	static const struct {
		const char *network, *addr;
		bool want;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.0", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/24", "192.0.1.255", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.7", true },
		{ "192.0.2.0/24", "::192.0.2.7", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "0.0.0.0/0", "255.1.2.3", true },
		{ "0.0.0.0/0", "::1", false },
		{ "0.0.0.0/0", "::ffff:192.0.2.1", true },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", false },
		{ "::/0", "::ffff:192.0.2.1", false },
		{ "::1", "::1", true },
		{ "::1", "::2", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "::ffff:192.0.2.0/120", "192.0.2.9", true },
		{ "::ffff:0:0/96", "192.0.2.9", true },
	};
	struct cidr c;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(cidr_parse(rows[i].network, &c, NULL));
		if (match_sockaddr(&c, rows[i].addr) != rows[i].want ||
		    cidr_match_text(&c, rows[i].addr) != rows[i].want)
			fail_msg("%s in %s: want %d", rows[i].addr,
			    rows[i].network, rows[i].want);
		(void)snprintf(text, sizeof(text), "IPV6:%s", rows[i].addr);
		assert_int_equal(cidr_match_text(&c, text), rows[i].want);
	}
}

static void
test_match_nothing(void **state)
{
	static const char *const rows[] = { "", "unknown", "localhost",
		"192.0.2.0/24", "192.0.2.1 ", "IPv6:", "[192.0.2.1]" };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct cidr all4, all6;
	size_t i;

	(void)state;
	assert_true(cidr_parse("0.0.0.0/0", &all4, NULL));
	assert_true(cidr_parse("::/0", &all6, NULL));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(cidr_match_text(&all4, rows[i]));
		assert_false(cidr_match_text(&all6, rows[i]));
	}
	assert_false(cidr_match(&all4, NULL));
	assert_false(cidr_match(&all4, (const struct sockaddr *)&un));
	assert_false(cidr_match(&all6, (const struct sockaddr *)&un));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_match_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
