/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/context_print.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/strbuf.h"

static void
test_lines(void **state)
{
	static const struct {
		const char *name, *value, *want;
	} cases[] = {
		{ "ehlo_string", "ehlo there", "[c] ehlo_string ehlo there\n" },
		{ "x", "", "[c] x \n" },
		{ "x", "ann+news@example.org", "[c] x ann+news@example.org\n" },
		{ "x", "a+be", "[c] x a+2Bbe\n" },
		{ "x", "a+b", "[c] x a+b\n" },
		{ "x", "a+", "[c] x a+2B\n" },
		{ "x", "a ", "[c] x a+20\n" },
		{ "x", " a=b", "[c] x  a=b\n" },
		{ "x", "\xc3\xb6", "[c] x +C3+B6\n" },
		{ "outbound_smtp_auth_pass", "open",
		    "[c] "
		    "outbound_smtp_auth_pass "
		    "********\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct context c = { 0 };
		struct strbuf out;

		strbuf_init(&out, 4096);
		assert_true(context_set(
		    &c, cases[i].name, cases[i].value, "test", NULL));
		assert_true(context_print(&c, "c", &out));
		assert_string_equal(strbuf_str(&out), cases[i].want);
		strbuf_release(&out);
		context_release(&c);
	}
}

/* As the page says: lines joined where they end in '+', and +HH undone. */
static void
read_back(const char *text, const char *begin, char *out)
{
	size_t skip = strlen(begin), n = 0;
	char joined[8192];

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		assert_true(strncmp(text, begin, skip) == 0);
		assert_true(len + strlen("250-\r\n") <= 512);
		text += skip;
		len -= skip;
		memcpy(joined + n, text, len);
		n += len;
		text += len + 1;
		if (*text != '\0') {
			assert_int_equal(joined[n - 1], '+');
			n--;
		}
	}
	joined[n] = '\0';
	for (const char *p = joined; *p != '\0'; p++) {
		if (p[0] == '+' && isxdigit((unsigned char)p[1]) &&
		    isxdigit((unsigned char)p[2])) {
			char hex[3] = { p[1], p[2], '\0' };

			*out++ = (char)strtoul(hex, NULL, 16);
			p += 2;
		} else {
			*out++ = *p;
		}
	}
	*out = '\0';
}

static void
test_read_back(void **state)
{
	static const char begin[] = "[message] "
				    "a2345678901234567890123456789012345678901"
				    "23456789012345678901234 ";
	static const char odd[] = "+ab \xff=\"\\";
	char name[CONTEXT_NAME_MAX + 1], value[CONTEXT_VALUE_MAX + 1];
	char got[CONTEXT_VALUE_MAX + 1];

	(void)state;
	snprintf(name, sizeof(name), "%.*s", CONTEXT_NAME_MAX,
	    strchr(begin, ' ') + 1);
	srand(4);
	for (int i = 0; i < 2000; i++) {
		size_t len = (size_t)rand() % (CONTEXT_VALUE_MAX + 1);
		struct context c = { 0 };
		struct strbuf out;

		for (size_t j = 0; j < len; j++)
			value[j] = odd[(size_t)rand() % (sizeof(odd) - 1)];
		value[len] = '\0';
		strbuf_init(&out, 16384);
		assert_true(context_set(&c, name, value, "test", NULL));
		assert_true(context_print(&c, "message", &out));
		read_back(strbuf_str(&out), begin, got);
		assert_string_equal(got, value);
		strbuf_release(&out);
		context_release(&c);
	}
}

static void
test_no_room(void **state)
{
	struct context c = { 0 };
	struct strbuf out;

	(void)state;
	strbuf_init(&out, 16);
	assert_true(context_set(&c, "name", "value", "test", NULL));
	assert_false(context_print(&c, "connection", &out));
	strbuf_release(&out);
	context_release(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
