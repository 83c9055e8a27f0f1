/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/sendmail_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char buf[OUTBOUND_KEY_MAX + 1];

static struct sendmail_key
parse(const char *text)
{
	struct sendmail_key k;
	const char *why = NULL;

	(void)snprintf(buf, sizeof(buf), "%s", text);
	assert_true(sendmail_key_is(buf));
	if (!sendmail_key_parse(buf, &k, &why))
		fail_msg("%s: %s", text, why);
	assert_null(why);
	return k;
}

static void
same(const char *got, const char *want)
{
	if (want == NULL)
		assert_null(got);
	else {
		assert_non_null(got);
		assert_string_equal(got, want);
	}
}

static void
test_delivery(void **state)
{
	static const struct {
		const char *key;
		bool due;
		const char *id, *message, *to, *hop, *sender;
	} rows[] = {
		{ "authinfo:id:A1;msg:A1;to:mx.test;hop:b.test;from:a@c.test",
		    false, "A1", "A1", "mx.test", "b.test", "a@c.test" },
		{ "AuthInfo:due:id:A1;msg:;to:[::1];hop:;from:a@c.test", true,
		    "A1", "A1", "[::1]", NULL, "a@c.test" },
		/* split from another */
		{ "authinfo:id:A2;msg:A1;to:m.test;hop:M.Test;from:a@c.test",
		    false, "A2", "A1", "m.test", NULL, "a@c.test" },
		/* a bounce of another */
		{ "authinfo:id:A2;msg:A1;to:m.test;hop:;from:MAILER-DAEMON",
		    false, "A2", "A2", "m.test", NULL, NULL },
		{ "authinfo:id:A2;msg:A1;to:m.test;hop:;from:", false, "A2",
		    "A2", "m.test", NULL, NULL },
		/* quotes are off */
		{ "authinfo:id:A1;msg:A1;to:m.test;hop:;from:a;to:x@y b@c.test",
		    false, "A1", "A1", "m.test", NULL, "a;to:x@y b@c.test" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sendmail_key k = parse(rows[i].key);

		assert_int_equal(k.due, rows[i].due);
		same(k.id, rows[i].id);
		same(k.message, rows[i].message);
		same(k.to, rows[i].to);
		same(k.hop, rows[i].hop);
		same(k.sender, rows[i].sender);
	}
}

static void
test_host(void **state)
{
	struct sendmail_key k;

	(void)state;
	k = parse("authinfo:mx.test");
	assert_false(k.due);
	same(k.id, NULL);
	same(k.message, NULL);
	same(k.to, "mx.test");
	same(k.hop, NULL);
	same(k.sender, NULL);
	assert_false(sendmail_key_is("ann@example.org"));
	assert_false(sendmail_key_is("authinfo"));
	assert_false(sendmail_key_is(""));
}

static void
test_bad(void **state)
{
	static const struct {
		const char *key, *why;
	} rows[] = {
		{ "authinfo:", "no server" },
		{ "authinfo:due:", "not id:" },
		{ "authinfo:due:mx.test", "not id:" },
		{ "authinfo:id:A1", "not id:" },
		{ "authinfo:id:A1;msg:A1;to:m.test;hop:;from", "not id:" },
		{ "authinfo:id:A1;to:m.test;msg:;hop:;from:", "not id:" },
		{ "authinfo:id:A1;msg:A1;to:m.test;hop:", "not id:" },
		{ "authinfo:id:;msg:;to:m.test;hop:;from:", "queue id" },
		{ "authinfo:id:A/1;msg:;to:m.test;hop:;from:", "queue id" },
		{ "authinfo:id:A1;msg:..;to:m.test;hop:;from:", "queue id" },
		{ "authinfo:id:A1;msg:A1;to:;hop:;from:", "no server" },
		{ "authinfo:id:A1;msg:;to:m\rtest;hop:;from:", "control" },
		{ "authinfo:m\ntest", "control" },
		{ "authinfo:m\x7ftest", "control" },
		/* a host that goes on as a key would */
		{ "authinfo:id:A1;msg:;to:m;hop:;from:x@y;hop:;from:a@c.test",
		    "twice" },
		{ "authinfo:id:A1;msg:;to:m;hop:b;from:x@y;from:a@c.test",
		    "twice" },
	};

	char id[OUTBOUND_QUEUE_MAX + 2], key[256];

	(void)state;
	memset(id, 'A', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	(void)snprintf(
	    key, sizeof(key), "authinfo:id:%s;msg:;to:m;hop:;from:", id);
	for (size_t i = 0; i <= sizeof(rows) / sizeof(rows[0]); i++) {
		bool last = i == sizeof(rows) / sizeof(rows[0]);
		struct sendmail_key k;
		const char *why = NULL;

		(void)snprintf(
		    buf, sizeof(buf), "%s", last ? key : rows[i].key);
		assert_true(sendmail_key_is(buf));
		assert_false(sendmail_key_parse(buf, &k, &why));
		assert_non_null(why);
		assert_non_null(strstr(why, last ? "queue id" : rows[i].why));
	}
}

static void
test_ask(void **state)
{
	struct outbound_question q = { .binding = "a", .key = buf };
	struct sendmail_key k =
	    parse("authinfo:id:A1;msg:A1;to:mx.test;hop:b.test;from:a@c.test");

	(void)state;
	sendmail_key_ask(&k, false, &q);
	same(q.binding, "a");
	assert_null(q.key);
	same(q.queue_id, "A1");
	same(q.sender, "a@c.test");
	same(q.nexthop, "mx.test");
	assert_false(q.no_colon);
	assert_false(q.only_whether);
	sendmail_key_ask(&k, true, &q);
	same(q.nexthop, "b.test");
	k = parse("authinfo:due:id:A1;msg:;to:mx.test;hop:;from:");
	sendmail_key_ask(&k, false, &q);
	assert_true(q.only_whether);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delivery),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
