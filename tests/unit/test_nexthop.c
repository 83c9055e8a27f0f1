/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/nexthop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define L63  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L255 L63 "." L63 "." L63 "." L63

static const struct good {
	const char *text, *host;
	uint16_t port;
	bool literal;
} goods[] = {
	{ "relay.example.net", "relay.example.net", 0, false },
	{ "Relay.EXAMPLE.net.", "relay.example.net", 0, false },
	{ "[relay.example.net]", "relay.example.net", 0, false },
	{ "[Relay.Example.NET.]:587", "relay.example.net", 587, false },
	{ "relay.example.net:25", "relay.example.net", 25, false },
	{ "relay.example.net.:25", "relay.example.net", 25, false },
	{ "relay:submission", "relay", 587, false },
	{ "[relay]:Submission", "relay", 587, false },
	{ "relay:smtp", "relay", 25, false },
	{ "relay:smtps", "relay", 465, false },
	{ "relay:submissions", "relay", 465, false },
	{ "relay:1", "relay", 1, false },
	{ "relay:65535", "relay", 65535, false },
	{ "mail_store.example", "mail_store.example", 0, false },
	{ "192.0.2.1", "192.0.2.1", 0, true },
	{ "[192.0.2.1]", "192.0.2.1", 0, true },
	{ "[192.0.2.1]:2525", "192.0.2.1", 2525, true },
	{ "192.0.2.1:2525", "192.0.2.1", 2525, true },
	{ "2001:db8::1", "2001:db8::1", 0, true },
	{ "[2001:DB8:0:0::1]", "2001:db8::1", 0, true },
	{ "[2001:db8::1]:587", "2001:db8::1", 587, true },
	{ "[IPv6:2001:db8::1]", "2001:db8::1", 0, true },
	{ "[ipv6:2001:db8::1]:submission", "2001:db8::1", 587, true },
	{ "::ffff:192.0.2.1", "192.0.2.1", 0, true },
	{ "[IPv6:::ffff:c000:201]:25", "192.0.2.1", 25, true },
	{ "unix", "unix", 0, false },
	{ "[lmtp]:24", "lmtp", 24, false },
	{ L255, L255, 0, false },
	{ "[" L255 "]:65535", L255, 65535, false },
};

static void
parse_good(void **state)
{
	struct nexthop got, want;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
		memset(&got, 0xff, sizeof(got));
		if (!nexthop_parse(
			goods[i].text, strlen(goods[i].text), &got, &why))
			fail_msg("%s: refused: %s", goods[i].text, why);
		assert_null(why);
		memset(&want, 0, sizeof(want));
		memcpy(want.host, goods[i].host, strlen(goods[i].host));
		want.port = goods[i].port;
		want.literal = goods[i].literal;
		assert_string_equal(got.host, want.host);
		assert_memory_equal(got.host, want.host, sizeof(want.host));
		assert_int_equal(got.port, want.port);
		assert_int_equal(got.literal, want.literal);
	}
}

#define B(text)          \
 {                       \
  text, sizeof(text) - 1 \
 }

static const struct bad {
	const char *text;
	size_t len;
} bads[] = {
	B(""),
	B("."),
	B("[]"),
	B("[]:25"),
	B(":25"),
	B("[relay"),
	B("relay]"),
	B("[relay]25"),
	B("[relay]:"),
	B("[relay]x:25"),
	B("[[relay]]"),
	B("a[relay]"),
	B("relay:"),
	B("relay:0"),
	B("relay:65536"),
	B("relay:+25"),
	B("relay:025"),
	B("relay:25x"),
	B("relay: 25"),
	B("relay:http"),
	B("relay:25:25"),
	B("unix:/run/x"),
	B("UNIX:25"),
	B("lmtp:relay"),
	B("lmtp:unix:/run/x"),
	B("inet:relay:25"),
	B("relay example"),
	B(" relay"),
	B("relay "),
	B("rel\tay"),
	B("relay\n"),
	B("relay\r\n"),
	B("relay\0"),
	B("relay\0.example"),
	B("\0"),
	B("\0relay"),
	B("r\303\244lay.example"),
	B("re\177lay"),
	B("relay..example"),
	B(".relay"),
	B("relay.."),
	B("-relay"),
	B("relay-.example"),
	B(L63 "a"),
	B(L255 ".a"),
	B("a@b"),
	B("10.1"),
	B("0x7f000001"),
	B("192.0.2.256"),
	B("192.0.2.1."),
	B("2001:db8::g"),
	B("2001:db8::1]:25"),
	B("fe80::1%eth0"),
	B("[fe80::1%eth0]"),
	B("[IPv6:]"),
	B("[IPv6:192.0.2.1]"),
	B("[IPv6:relay]"),
	B("IPv6:2001:db8::1"),
	B("IPv6:relay"),
	B("[IPv6:IPv6:::1]"),
	B("!relay"),
	B("relay/x"),
	B("*.example"),
};

static void
parse_bad(void **state)
{
	static const struct nexthop none;
	struct nexthop got;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		memset(&got, 0xff, sizeof(got));
		why = NULL;
		if (nexthop_parse(bads[i].text, bads[i].len, &got, &why))
			fail_msg(
			    "\"%s\" was taken for %s", bads[i].text, got.host);
		assert_non_null(why);
		assert_memory_equal(&got, &none, sizeof(got));
		assert_false(
		    nexthop_parse(bads[i].text, bads[i].len, &got, NULL));
	}
}

/* No length but the given one counts. */
static void
parse_octets(void **state)
{
	struct nexthop got;
	char big[4096];

	(void)state;
	assert_true(nexthop_parse("relay:25", 5, &got, NULL));
	assert_string_equal(got.host, "relay");
	assert_int_equal(got.port, 0);
	assert_false(nexthop_parse(NULL, 0, &got, NULL));
	memset(big, 'a', sizeof(big));
	assert_false(nexthop_parse(big, sizeof(big), &got, NULL));
}

static void
covers(void **state)
{
	static const struct {
		const char *rule, *asked;
		bool want;
	} cases[] = {
		{ "relay", "relay", true },
		{ "relay", "[RELAY.]", true },
		{ "relay", "[relay]:587", true },
		{ "relay:587", "[relay]:587", true },
		{ "relay:submission", "[relay]:587", true },
		{ "relay:587", "relay", false },
		{ "relay:587", "relay:25", false },
		{ "relay", "relay.example", false },
		{ "example", "relay.example", false },
		{ "192.0.2.1", "[IPv6:::ffff:192.0.2.1]:25", true },
		{ "192.0.2.1", "192.0.2.10", false },
		{ "[2001:db8::1]:25", "[IPv6:2001:db8:0::1]:25", true },
	};
	struct nexthop rule, asked, none = { "", 0, false };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(nexthop_parse(
		    cases[i].rule, strlen(cases[i].rule), &rule, NULL));
		assert_true(nexthop_parse(
		    cases[i].asked, strlen(cases[i].asked), &asked, NULL));
		if (nexthop_covers(&rule, &asked) != cases[i].want)
			fail_msg("%s covers %s: want %d", cases[i].rule,
			    cases[i].asked, cases[i].want);
	}
	assert_false(nexthop_covers(&none, &none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_good),
		cmocka_unit_test(parse_bad),
		cmocka_unit_test(parse_octets),
		cmocka_unit_test(covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
