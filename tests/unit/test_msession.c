/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/msession.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/conf.h"
#include "tests/unit/conf_case.h"

static struct conf_case conf;

static int
setup(void **state)
{
	(void)state;
	conf_case_text(&conf,
	    "peer \"198.51.100.0/24\" { context = {\"tenant=acme\", "
	    "\"__bypass_smtp_rcptto_proxy=true\", \"note=a=b\"} }\n"
	    "peer \"198.51.100.7\" { context = {\"tenant=else\"} }\n"
	    "peer \"2001:db8::/32\" { context = {\"tenant=six\"} }\n");
	return conf.c == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	conf_case_release(&conf);
	return 0;
}

/* A session of a client with that numeric address. */
static struct msession *
from(const char *name, const char *ip)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const struct sockaddr *sa = NULL;
	struct msession *s;

	in.sin_port = in6.sin6_port = htons(4711);
	if (inet_pton(AF_INET, ip, &in.sin_addr) == 1)
		sa = (const void *)&in;
	else if (inet_pton(AF_INET6, ip, &in6.sin6_addr) == 1)
		sa = (const void *)&in6;
	s = msession_new(name, sa, conf.c);
	assert_non_null(s);
	return s;
}

static void
test_client(void **state)
{
	static const struct {
		const char *name, *ip, *want_name, *want_addr, *want_port;
	} cases[] = {
		{ "mx.client.test", "192.0.2.9", "mx.client.test", "192.0.2.9",
		    "4711" },
		{ "[192.0.2.9]", "192.0.2.9", "", "192.0.2.9", "4711" },
		{ NULL, "192.0.2.9", "", "192.0.2.9", "4711" },
		{ "six.test", "2001:db8::0:9", "six.test", "2001:db8::9",
		    "4711" },
		{ "four.test", "::ffff:192.0.2.9", "four.test", "192.0.2.9",
		    "4711" },
		{ "localhost", "none", "localhost", "", "" },
	};
	struct session_client client;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct msession *s = from(cases[i].name, cases[i].ip);

		assert_true(msession_helo(s, "first.test"));
		assert_true(msession_helo(s, "helo.test"));
		msession_client(s, &client);
		assert_string_equal(client.name, cases[i].want_name);
		assert_string_equal(client.addr, cases[i].want_addr);
		assert_string_equal(client.port, cases[i].want_port);
		assert_string_equal(client.helo, "helo.test");
		assert_string_equal(client.proto, "ESMTP");
		msession_free(s);
	}
	msession_free(NULL);
}

/* What does not fit upstream is cut, not overrun. */
static void
test_long_texts(void **state)
{
	struct session_client client;
	char text[5000];
	struct msession *s;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	s = from(text, "192.0.2.9");
	assert_true(msession_helo(s, text));
	msession_client(s, &client);
	assert_int_equal(strlen(client.name), sizeof(client.name) - 1);
	assert_int_equal(strlen(client.helo), sizeof(client.helo) - 1);
	assert_true(msession_mail(s, text, text, text));
	assert_string_equal(s->sender, text);
	msession_free(s);
}

static void
test_messages(void **state)
{
	struct msession *s = from("client.test", "192.0.2.9");

	(void)state;
	assert_null(s->sender);
	assert_true(msession_mail(s, "<ann@client.test>", "ann", "QID1"));
	assert_true(s->authenticated);
	assert_string_equal(s->sender, "<ann@client.test>");
	assert_string_equal(s->id, "QID1");
	assert_true(context_set(&s->message, "x", "1", "test", NULL));

	/* the next one begins with nothing of it */
	assert_true(msession_mail(s, "<>", NULL, NULL));
	assert_false(s->authenticated);
	assert_string_equal(s->sender, "<>");
	assert_null(s->id);
	assert_null(context_get(&s->message, "x"));

	msession_reset(s);
	assert_null(s->sender);
	msession_reset(s);
	msession_free(s);
}

static void
test_authenticated(void **state)
{
	static const struct {
		const char *auth;
		bool want;
	} cases[] = {
		{ "ann", true },
		{ "", false },
		{ NULL, false },
		{ "anonymous", false },
		{ "anonymous@example.org", true },
	};
	struct msession *s = from("client.test", "192.0.2.9");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(msession_mail(s, "<>", cases[i].auth, NULL));
		assert_int_equal(s->authenticated, cases[i].want);
	}
	msession_free(s);
}

static void
test_peer_context(void **state)
{
	static const struct {
		const char *ip, *tenant;
		bool bypass;
	} cases[] = {
		{ "198.51.100.8", "acme", true },
		{ "::ffff:198.51.100.8", "acme", true },
		{ "198.51.100.7", "else", false },
		{ "2001:db8::1", "six", false },
		{ "192.0.2.9", NULL, false },
		{ "none", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct msession *s = from("client.test", cases[i].ip);
		const char *tenant = context_get(&s->connection, "tenant");

		if (cases[i].tenant == NULL)
			assert_null(tenant);
		else
			assert_string_equal(tenant, cases[i].tenant);
		assert_int_equal(msession_bypass(s), cases[i].bypass);
		if (cases[i].bypass)
			assert_string_equal(
			    context_get(&s->connection, "note"), "a=b");
		/* it stays for the connection */
		assert_true(msession_mail(s, "<>", NULL, NULL));
		msession_reset(s);
		assert_int_equal(msession_bypass(s), cases[i].bypass);
		msession_free(s);
	}
}

static void
test_bypass_by_message(void **state)
{
	static const char name[] = "__bypass_smtp_rcptto_proxy";
	struct msession *s = from("client.test", "192.0.2.9");

	(void)state;
	assert_true(msession_mail(s, "<>", NULL, NULL));
	assert_true(context_set(&s->message, name, "yes", "test", NULL));
	assert_false(msession_bypass(s));
	assert_true(context_set(&s->message, name, "true", "test", NULL));
	assert_true(msession_bypass(s));
	assert_true(msession_mail(s, "<>", NULL, NULL));
	assert_false(msession_bypass(s));
	msession_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_authenticated),
		cmocka_unit_test(test_peer_context),
		cmocka_unit_test(test_bypass_by_message),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
