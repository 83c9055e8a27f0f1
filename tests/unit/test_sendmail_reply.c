/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/sendmail_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct sendmail_key plain = { .to = "mx.test" },
				 whole = { .to = "mx.test", .id = "A1" },
				 due = { .to = "mx.test",
					 .id = "A1",
					 .due = true };

static struct outbound_answer
answer(const char *user, const void *pass, size_t len, int type)
{
	struct outbound_answer a = { .verdict = OUTBOUND_GIVEN, .type = type };

	(void)snprintf(a.user, sizeof(a.user), "%s", user);
	assert_true(secret_set(&a.pass, pass, len));
	return a;
}

static void
say(const struct sendmail_key *k, const struct outbound_answer *a,
    const char *word, const char *text)
{
	char out[SENDMAIL_REPLY_MAX];
	const char *fault = "not set";

	assert_string_equal(sendmail_reply(k, a, out, &fault), word);
	assert_string_equal(out, text);
	assert_null(fault);
}

static void
test_given(void **state)
{
	struct outbound_answer a =
	    answer("ann", "p \"\\\xff", 5, OUTBOUND_PLAIN);

	(void)state;
	say(&plain, &a, "OK", "\"U=YW5u\" \"P=cCAiXP8=\" \"M:PLAIN\"");
	say(&whole, &a, "OK", "A1 \"U=YW5u\" \"P=cCAiXP8=\" \"M:PLAIN\"");
	say(&due, &a, "OK", "A1 due");
	a.type = OUTBOUND_LOGIN;
	say(&plain, &a, "OK", "\"U=YW5u\" \"P=cCAiXP8=\" \"M:LOGIN\"");
	a.type = -1;
	say(&plain, &a, "OK", "\"U=YW5u\" \"P=cCAiXP8=\" \"M:PLAIN LOGIN\"");
	secret_release(&a.pass);
}

static void
test_not_given(void **state)
{
	struct outbound_answer a = { .verdict = OUTBOUND_NONE };

	(void)state;
	say(&plain, &a, "NOTFOUND", "");
	say(&whole, &a, "OK", "A1 none");
	say(&due, &a, "OK", "A1 none");
	a.verdict = OUTBOUND_DEFER;
	(void)snprintf(a.reason, sizeof(a.reason), "the database is down");
	say(&plain, &a, "TEMP", "the database is down");
	say(&whole, &a, "TEMP", "the database is down");
	say(&due, &a, "TEMP", "the database is down");
}

/* The longest is as long as Sendmail has been seen to take it, and the reply
 * is whole. */
static void
test_longest(void **state)
{
	char name[SENDMAIL_CREDENTIAL_MAX + 1], id[OUTBOUND_QUEUE_MAX + 1];
	struct sendmail_key k = { .to = "mx.test", .id = id };
	struct outbound_answer a;
	char out[SENDMAIL_REPLY_MAX];
	const char *fault;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(id, 'I', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	a = answer(name, name, sizeof(name) - 1, -1);
	assert_string_equal(sendmail_reply(&k, &a, out, &fault), "OK");
	assert_null(fault);
	assert_int_equal(strlen(out),
	    strlen(id) + strlen(" \"U=\" \"P=\" \"M:PLAIN LOGIN\"") + 2 * 252);
	secret_release(&a.pass);
}

static void
test_unfit(void **state)
{
	static const struct {
		size_t user, pass;
		bool nul;
		const char *fault;
	} rows[] = {
		{ SENDMAIL_CREDENTIAL_MAX + 1, 3, false, "user name" },
		{ 3, SENDMAIL_CREDENTIAL_MAX + 1, false, "password" },
		{ 3, 3, true, "NUL" },
		{ 0, 3, false, "empty" },
		{ 3, 0, false, "empty" },
	};
	const struct sendmail_key *keys[] = { &plain, &whole, &due };
	char user[256], pass[256], out[SENDMAIL_REPLY_MAX];

	(void)state;
	for (size_t i = 0; i < 3 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct outbound_answer a;
		const char *fault = NULL;

		memset(user, 'u', sizeof(user));
		memset(pass, rows[i / 3].nul ? '\0' : 'p', sizeof(pass));
		user[rows[i / 3].user] = '\0';
		a = answer(user, pass, rows[i / 3].pass, OUTBOUND_PLAIN);
		assert_string_equal(
		    sendmail_reply(keys[i % 3], &a, out, &fault), "TEMP");
		assert_non_null(fault);
		assert_non_null(strstr(fault, rows[i / 3].fault));
		assert_string_equal(out, fault);
		secret_release(&a.pass);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_not_given),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_unfit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
