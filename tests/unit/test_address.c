/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10
#define D62 A60 "aa"

struct good {
	const char *text;
	enum address_result result;
	const char *local, *domain, *path;
	bool utf8;
};

static const struct good goods[] = {
	{ "ann@example.org", ADDRESS_OK, "ann", "example.org",
	    "ann@example.org", false },
	{ "<ann@example.org>", ADDRESS_OK, "ann", "example.org",
	    "ann@example.org", false },
	{ "<Ann+tag@Example.ORG.>", ADDRESS_OK, "Ann+tag", "example.org",
	    "Ann+tag@Example.ORG.", false },
	{ "<>", ADDRESS_NULL, "", "", "", false },
	{ "<postmaster>", ADDRESS_NO_DOMAIN, "postmaster", "", "postmaster",
	    false },
	{ "root", ADDRESS_NO_DOMAIN, "root", "", "root", false },
	/* source routes, RFC 5321 appendix C */
	{ "<@a.example,@b.example:ann@example.org>", ADDRESS_OK, "ann",
	    "example.org", "ann@example.org", false },
	{ "@[192.0.2.1],@[IPv6:2001:db8::1]:ann@example.org", ADDRESS_OK, "ann",
	    "example.org", "ann@example.org", false },
	{ "<@a.example:\"x:y\"@example.org>", ADDRESS_OK, "\"x:y\"",
	    "example.org", "\"x:y\"@example.org", false },
	/* quoted local parts, byte for byte */
	{ "<\"a b\"@example.org>", ADDRESS_OK, "\"a b\"", "example.org",
	    "\"a b\"@example.org", false },
	{ "<\"a\\\"b\\\\>,<\"@example.org>", ADDRESS_OK, "\"a\\\"b\\\\>,<\"",
	    "example.org", "\"a\\\"b\\\\>,<\"@example.org", false },
	{ "\"@\"@example.org", ADDRESS_OK, "\"@\"", "example.org",
	    "\"@\"@example.org", false },
	{ "\"\"@example.org", ADDRESS_OK, "\"\"", "example.org",
	    "\"\"@example.org", false },
	/* every character of atext; dots as they are in use */
	{ "!#$%&'*+-/=?^_`{|}~@a.example", ADDRESS_OK, "!#$%&'*+-/=?^_`{|}~",
	    "a.example", "!#$%&'*+-/=?^_`{|}~@a.example", false },
	{ ".a..b.@a.example", ADDRESS_OK, ".a..b.", "a.example",
	    ".a..b.@a.example", false },
	{ "user%b.example@a.example", ADDRESS_OK, "user%b.example", "a.example",
	    "user%b.example@a.example", false },
	/* domains */
	{ "a@localhost", ADDRESS_OK, "a", "localhost", "a@localhost", false },
	{ "a@my_host.1-2.example", ADDRESS_OK, "a", "my_host.1-2.example",
	    "a@my_host.1-2.example", false },
	{ "a@[192.0.2.1]", ADDRESS_OK, "a", "[192.0.2.1]", "a@[192.0.2.1]",
	    false },
	{ "a@[IPv6:2001:DB8::1]", ADDRESS_OK, "a", "[ipv6:2001:db8::1]",
	    "a@[IPv6:2001:DB8::1]", false },
	{ "a@" A60 "aaa.example", ADDRESS_OK, "a", A60 "aaa.example",
	    "a@" A60 "aaa.example", false },
	/* UTF-8, RFC 6531 */
	{ "<j\xc3\xb6rg@b\xc3\xbc"
	  "cher.Example>",
	    ADDRESS_OK, "j\xc3\xb6rg",
	    "b\xc3\xbc"
	    "cher.example",
	    "j\xc3\xb6rg@b\xc3\xbc"
	    "cher.Example",
	    true },
	{ "\"\xe2\x82\xac \xf0\x9f\x93\xa7\"@a.example", ADDRESS_OK,
	    "\"\xe2\x82\xac \xf0\x9f\x93\xa7\"", "a.example",
	    "\"\xe2\x82\xac \xf0\x9f\x93\xa7\"@a.example", true },
	/* the route is gone, so nothing of it needs SMTPUTF8 */
	{ "<@b\xc3\xbc.example:a@a.example>", ADDRESS_OK, "a", "a.example",
	    "a@a.example", false },
	/* longer than 64 octets, as lists and SRS make them */
	{ A60 A60 "@a.example", ADDRESS_OK, A60 A60, "a.example",
	    A60 A60 "@a.example", false },
};

#define GOODS (sizeof(goods) / sizeof(goods[0]))

static const struct {
	const char *text;
	size_t len; /* 0: strlen */
	const char *why;
} bads[] = {
	{ "", 0, "empty" },
	{ "<", 0, "< without >" },
	{ "<a@b", 0, "< without >" },
	{ "a@b>", 0, "character not allowed in a domain" },
	{ "<<a@b>>", 0, NULL },
	{ "<a@b> ", 0, "< without >" },
	{ " a@b", 0, NULL },
	{ "<a@b>SIZE=1", 0, NULL },
	{ "<a@b><c@d>", 0, NULL },
	{ "@", 0, "empty local part" },
	{ "@a.example", 0, "empty local part" },
	{ "a@", 0, "empty domain" },
	{ "a@.", 0, "empty label in the domain" },
	{ "a@b..", 0, "empty label in the domain" },
	{ "a@.b", 0, "empty label in the domain" },
	{ "a@b..c", 0, "empty label in the domain" },
	{ "a@b@c", 0, NULL },
	{ "a b@c", 0, "character not allowed in an unquoted local part" },
	{ "a@b c", 0, NULL },
	{ "a\\ b@c", 0, NULL },
	{ "a,b@c", 0, NULL },
	{ "a:b@c", 0, NULL },
	{ "a(x)@c", 0, NULL },
	{ "a\"b\"@c", 0, NULL },
	{ "a@-b", 0, "label begins or ends with a hyphen" },
	{ "a@b-.c", 0, "label begins or ends with a hyphen" },
	{ "a@b/c", 0, NULL },
	{ "a@" D62 "aa.example", 0, "label longer than 63 octets" },
	{ "a@" D62 "." D62 "." D62 "." D62 ".abcd", 0,
	    "domain longer than 255 octets" },
	{ A60 A60 A60 A60 A60 "@abcdefghi.example.xy", 0,
	    "longer than 320 octets" },
	{ "\"a@b", 0, "quoted local part without its end" },
	{ "\"a\\\"@b", 0, "quoted local part without its end" },
	{ "\"a\\", 0, NULL },
	{ "\"a\"b@c", 0, "text after a quoted local part" },
	{ "\"a\".b@c", 0, "text after a quoted local part" },
	{ "\"a\\\xc3\xb6\"@c", 0, NULL },
	/* what would end or split a command */
	{ "a@b\r\nRCPT TO:<c@d>", 0, "control character" },
	{ "\"a\r\n\"@b", 0, "control character" },
	{ "\"a\tb\"@c", 0, "control character" },
	{ "a\0b@c", 5, "control character" },
	{ "a@b\0", 4, "control character" },
	{ "<a@b>\n", 0, "control character" },
	{ "a\x7f@b", 0, "control character" },
	{ "a\xc2\x85@b", 0, "control character" },
	{ "a\xe2\x80\xa8@b", 0, "control character" },
	/* not UTF-8 */
	{ "j\xf6rg@b", 0, "not UTF-8" },
	{ "a@b\xc3", 0, "not UTF-8" },
	{ "a\xc0\xaf@b", 0, "not UTF-8" },
	{ "a\xed\xa0\x80@b", 0, "not UTF-8" },
	/* literals */
	{ "a@[]", 0, NULL },
	{ "a@[", 0, NULL },
	{ "a@[192.0.2.1", 0, NULL },
	{ "a@[192.0.2.1].", 0, NULL },
	{ "a@[192.0.2.1]x", 0, NULL },
	{ "a@[192.0.2.256]", 0, NULL },
	{ "a@[192.0.2]", 0, NULL },
	{ "a@[2001:db8::1]", 0, NULL },
	{ "a@[IPv6:]", 0, NULL },
	{ "a@[IPv6:192.0.2.1]", 0, NULL },
	{ "a@[IPv6:2001:db8::1::]", 0, NULL },
	{ "a@[tag:x>]", 0, NULL },
	/* source routes */
	{ "<@a:>", 0, NULL },
	{ "<@a:postmaster>", 0, "source route without a domain" },
	{ "<@a,b:c@d>", 0, "malformed source route" },
	{ "<@a,@:c@d>", 0, "empty domain" },
	{ "<@:c@d>", 0, "empty domain" },
	{ "<@a b:c@d>", 0, NULL },
	{ "<@a,:c@d>", 0, "malformed source route" },
	{ "<@[192.0.2.1:c@d>", 0, NULL },
	{ "<@a:@b:c@d>", 0, NULL },
};

#define BADS (sizeof(bads) / sizeof(bads[0]))

/* Parse a block of exactly len octets, so that reading on is noticed. */
static enum address_result
parse(const char *text, size_t len, struct address *out, const char **why)
{
	char *copy = malloc(len > 0 ? len : 1);
	enum address_result got;

	assert_non_null(copy);
	memcpy(copy, text, len);
	memset(out, 0xff, sizeof(*out));
	got = address_parse(copy, len, out, why);
	free(copy);
	return got;
}

static void
test_good(void **state)
{
	struct address a;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < GOODS; i++) {
		const struct good *g = &goods[i];
		enum address_result got =
		    parse(g->text, strlen(g->text), &a, &why);

		if (got != g->result)
			fail_msg("%s: got %d (%s), want %d", g->text, (int)got,
			    why != NULL ? why : "-", (int)g->result);
		assert_null(why);
		assert_string_equal(a.local, g->local);
		assert_int_equal(a.local_len, strlen(g->local));
		assert_string_equal(a.domain, g->domain);
		assert_string_equal(a.path, g->path);
		assert_int_equal(a.path_len, strlen(g->path));
		assert_int_equal(a.utf8, g->utf8);
		assert_int_equal(a.null, g->result == ADDRESS_NULL);
	}
}

static void
test_bad(void **state)
{
	static const struct address none;
	struct address a;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < BADS; i++) {
		size_t len =
		    bads[i].len != 0 ? bads[i].len : strlen(bads[i].text);

		if (parse(bads[i].text, len, &a, &why) != ADDRESS_BAD)
			fail_msg("%s: taken as %s", bads[i].text, a.path);
		assert_non_null(why);
		if (bads[i].why != NULL && strcmp(bads[i].why, why) != 0)
			fail_msg("%s: got \"%s\", want \"%s\"", bads[i].text,
			    why, bads[i].why);
		assert_memory_equal(&a, &none, sizeof(a));
	}
	assert_int_equal(address_parse("", 0, &a, NULL), ADDRESS_BAD);
}

/* No octet below 32 and no 127, wherever it stands, in whatever form. */
static void
test_no_control_anywhere(void **state)
{
	static const char *const forms[] = { "ann@example.org",
		"<\"a b\"@example.org>", "<@a.example:ann@[192.0.2.1]>" };
	struct address a;
	char text[64];
	size_t i, at;
	int c;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		for (at = 0; at < strlen(forms[i]); at++) {
			for (c = 0; c < 32; c++) {
				memcpy(text, forms[i], strlen(forms[i]));
				text[at] = (char)(c == 31 ? 127 : c);
				assert_int_equal(
				    parse(text, strlen(forms[i]), &a, NULL),
				    ADDRESS_BAD);
			}
		}
	}
}

/* Cut anywhere: refused, or an address that is a beginning of the whole. */
static void
test_truncations(void **state)
{
	static const struct address none;
	struct address a;
	const char *why;
	size_t i, n;

	(void)state;
	for (i = 0; i < GOODS; i++) {
		const char *text = goods[i].text;

		for (n = 0; n < strlen(text); n++) {
			enum address_result got = parse(text, n, &a, &why);

			assert_int_equal(got == ADDRESS_BAD, why != NULL);
			if (text[0] == '<' && got != ADDRESS_BAD)
				fail_msg("%.*s: taken", (int)n, text);
			if (got == ADDRESS_BAD)
				assert_memory_equal(&a, &none, sizeof(a));
			else
				assert_true(a.path_len <= n &&
				    memcmp(a.path, text + n - a.path_len,
					a.path_len) == 0);
		}
	}
}

static void
test_longest(void **state)
{
	char text[ADDRESS_MAX + 2];
	struct address a;

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(parse(text, ADDRESS_MAX, &a, NULL), ADDRESS_NO_DOMAIN);
	assert_int_equal(a.local_len, ADDRESS_LOCAL_MAX);
	assert_int_equal(parse(text, ADDRESS_MAX + 1, &a, NULL), ADDRESS_BAD);
	memcpy(text + ADDRESS_MAX - 10, "@a.example", 10);
	assert_int_equal(parse(text, ADDRESS_MAX, &a, NULL), ADDRESS_OK);
	assert_int_equal(a.path_len, ADDRESS_MAX);
	assert_int_equal(a.local_len, ADDRESS_MAX - 10);
}

static void
test_local_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool want;
	} rows[] = {
		{ "ann@a", "ann@b", true },
		{ "\"ann\"@a", "ann@a", true },
		{ "\"a\\nn\"@a", "ann@a", true },
		{ "\"a\\\"b\"@a", "\"a\\\"b\"@b", true },
		{ "\"\"@a", "\"\"@a", true },
		{ "\"\\\\\"@a", "\"\\\\\"@a", true },
		{ "<>", "<>", true },
		{ "Ann@a", "ann@a", false },
		{ "ann@a", "anna@a", false },
		{ "anna@a", "ann@a", false },
		{ "\"a b\"@a", "ab@a", false },
		{ "\"\"@a", "a@a", false },
		{ "\"a\\\\\"@a", "a@a", false },
	};
	struct address a, b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(address_parse(rows[i].a, strlen(rows[i].a), &a,
				NULL) != ADDRESS_BAD);
		assert_true(address_parse(rows[i].b, strlen(rows[i].b), &b,
				NULL) != ADDRESS_BAD);
		if (address_local_equal(&a, &b) != rows[i].want)
			fail_msg("%s and %s: want %d", rows[i].a, rows[i].b,
			    rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_no_control_anywhere),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_local_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
