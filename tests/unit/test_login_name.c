/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/login_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct login_name
parse(const char *text)
{
	struct login_name n;
	const char *why = "not set";

	assert_true(login_name_parse(text, strlen(text), &n, &why));
	assert_null(why);
	return n;
}

static void
test_parts(void **state)
{
	static const struct {
		const char *text, *local, *domain;
	} rows[] = {
		{ "ann", "ann", "" },
		{ "ann@example.org", "ann", "example.org" },
		{ "Ann@EXAMPLE.Org.", "Ann", "example.org" },
		{ "a@b@c.example", "a@b", "c.example" },
		{ "ann@", "ann", "" },
		{ "@example.org", "", "example.org" },
		{ "@", "", "" },
		{ "ann@.", "ann", "." },
		{ "j\xc3\xb6rg ann@\xc3\x96.example", "j\xc3\xb6rg ann",
		    "\xc3\x96.example" },
	};
	struct login_name n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		n = parse(rows[i].text);
		assert_string_equal(n.full, rows[i].text);
		assert_string_equal(n.local, rows[i].local);
		assert_string_equal(n.domain, rows[i].domain);
	}
}

static void
test_bad(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *why;
	} rows[] = {
		{ "", 0, "empty user name" },
		{ "a\0b", 3, "control character in user name" },
		{ "ann\r", 4, "control character in user name" },
		{ "ann\nbob", 7, "control character in user name" },
		{ "\x7f", 1, "control character in user name" },
		{ "\t", 1, "control character in user name" },
		{ " ", 1, "blank at an end of the user name" },
		{ " ann", 4, "blank at an end of the user name" },
		{ "ann ", 4, "blank at an end of the user name" },
	};
	static const struct login_name none;
	char text[LOGIN_NAME_OCTETS + 1];
	struct login_name n;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_false(
		    login_name_parse(rows[i].text, rows[i].len, &n, &why));
		assert_string_equal(why, rows[i].why);
		assert_memory_equal(&n, &none, sizeof n);
		assert_false(
		    login_name_parse(rows[i].text, rows[i].len, &n, NULL));
	}
	memset(text, 'x', sizeof text);
	assert_true(login_name_parse(text, LOGIN_NAME_OCTETS, &n, NULL));
	assert_int_equal(strlen(n.full), LOGIN_NAME_OCTETS);
	assert_int_equal(strlen(n.local), LOGIN_NAME_OCTETS);
	assert_false(login_name_parse(text, LOGIN_NAME_OCTETS + 1, &n, &why));
	assert_string_equal(why, "user name too long");
}

static void
test_canon(void **state)
{
	static const struct {
		const char *text, *canon, *realm, *want;
	} rows[] = {
		{ "Ann@Example.ORG", "none", "r", "Ann@Example.ORG" },
		{ "Ann@Example.ORG", "NONE", "", "Ann@Example.ORG" },
		{ "Ann@Example.ORG", "lower", "", "ann@example.org" },
		{ "\xc3\x84nn", "lower", "", "\xc3\x84nn" },
		{ "Ann@Example.ORG", "localpart", "", "Ann" },
		{ "Ann", "localpart", "", "Ann" },
		{ "Ann@Example.ORG", ":localpart+:domain", "",
		    "Ann+example.org" },
		{ "Ann", ":localpart@:realm", "example.net",
		    "Ann@example.net" },
		{ "Ann@x", "cn=:username,o=:domain:", "", "cn=Ann@x,o=x:" },
		{ "Ann", "::username:", "", ":Ann:" },
		{ "a:domain", ":username", "", "a:domain" },
		/* nothing is left, or what there is cannot be sent */
		{ "@example.org", "localpart", "", NULL },
		{ "Ann", ":domain", "", NULL },
		{ "Ann", ":username:realm", "a\nb", NULL },
		{ "Ann", ":user", "", NULL },
		{ "Ann", ":localpart@:realm", "", NULL },
	};

	char out[LOGIN_NAME_OCTETS + 1];
	struct login_name n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		n = parse(rows[i].text);
		assert_int_equal(login_name_canon(&n, rows[i].canon,
				     rows[i].realm, out, sizeof out),
		    rows[i].want != NULL);
		assert_string_equal(
		    out, rows[i].want != NULL ? rows[i].want : "");
	}
}

static void
test_canon_room(void **state)
{
	struct login_name n = parse("ann@example.org");
	char out[16];

	(void)state;
	assert_true(login_name_canon(&n, "none", "", out, 16));
	assert_string_equal(out, "ann@example.org");
	assert_false(login_name_canon(&n, "none", "", out, 15));
	assert_string_equal(out, "");
	assert_false(login_name_canon(&n, "localpart", "", out, 3));
	assert_false(login_name_canon(&n, "localpart", "", out, 0));
	assert_true(login_name_canon(&n, "localpart", "", out, 4));
}

static void
test_canon_ok(void **state)
{
	static const char *const good[] = { "none", "Lower", "localpart",
		":username", ":localpart@:realm", "x:localpart", "::username" };
	static const char *const bad[] = { "", "upper", ":", ":user", ":domain",
		":realm@:domain", ":username:pass", ":username\r\n",
		":localparts" };
	char longest[LOGIN_NAME_OCTETS + 2];
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(login_name_canon_ok(good[i], &why));
		assert_null(why);
	}
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		assert_false(login_name_canon_ok(bad[i], &why));
		assert_non_null(why);
		assert_false(login_name_canon_ok(bad[i], NULL));
	}
	memset(longest, '-', sizeof longest);
	memcpy(longest, ":username", 9);
	longest[LOGIN_NAME_OCTETS + 1] = '\0';
	assert_false(login_name_canon_ok(longest, &why));
	assert_string_equal(why, "too long");
	longest[LOGIN_NAME_OCTETS] = '\0';
	assert_true(login_name_canon_ok(longest, &why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_canon),
		cmocka_unit_test(test_canon_room),
		cmocka_unit_test(test_canon_ok),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
