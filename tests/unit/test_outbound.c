/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions of MTAs and their answers, out of the configuration alone. */
#include "common/outbound.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/outbound_case.h"

#define U(user, pass)                                                        \
 " outbound_smtp_auth_user = \"" user "\" outbound_smtp_auth_pass = \"" pass \
 "\" "

static const char two_relays[] = "binding \"a\" { nexthops = {\"[relay.a]:587\"}" U(
    "ua",
    "s3cret-a") " outbound_smtp_auth_type = LOGIN\n"
		" sender \"ann@example.org\" {" U("ann",
		    "s3cret-ann") "}\n"
				  " sender \"@example.org\" {" U("at",
				      "s3cret-at") "}\n"
						   "}\n"
						   "binding \"colon\" { nexthops = {\"relay.c\"}" U(
						       "u:c",
						       "s3cret-c") "}\n"
								   "binding \"latin\" { nexthops = {\"relay.l\"}" U(
								       "u",
								       "s3cret\\xe9") "}\n"
										      "binding \"utf\" { nexthops = {\"relay.u\"}" U(
											  "u\303\251",
											  "s3cret\303\251") "}\n"
													    "domain \"d.example\" {" U(
														"ud",
														"s3cret-d") "}\n";

static const struct row {
	const char *binding, *key;
	enum outbound_verdict want;
	const char *text; /* "user:pass", or what the reason has in it */
} rows[] = {
	{ "a", "relay.a", OUTBOUND_NONE, "nothing is configured" },
	{ "a", "[relay.a]:587", OUTBOUND_GIVEN, "ua:s3cret-a" },
	{ "a", "[RELAY.a.]:submission", OUTBOUND_GIVEN, "ua:s3cret-a" },
	{ "a", "d.example", OUTBOUND_GIVEN, "ud:s3cret-d" },
	{ "default", "d.example", OUTBOUND_GIVEN, "ud:s3cret-d" },
	{ "default", "[relay.a]:587", OUTBOUND_NONE, "nothing is configured" },
	{ "a", "ann@example.org", OUTBOUND_GIVEN, "ann:s3cret-ann" },
	{ "a", "Bob@Example.org", OUTBOUND_GIVEN, "at:s3cret-at" },
	{ "a", "b ob@example.org", OUTBOUND_GIVEN, "at:s3cret-at" },
	{ "a", "b\303\266b@example.org", OUTBOUND_GIVEN, "at:s3cret-at" },
	{ "a", "b\366b@example.org", OUTBOUND_GIVEN, "at:s3cret-at" },
	{ "a", "@example.org", OUTBOUND_GIVEN, "at:s3cret-at" },
	{ "a", "[x]@example.org", OUTBOUND_GIVEN, "at:s3cret-at" },
	{ "a", "[relay.a]:587@example.org", OUTBOUND_GIVEN, "at:s3cret-at" },
	{ "default", "ann@example.org", OUTBOUND_NONE, "nothing" },
	/* What nobody can have named is not waited for. */
	{ "a", "x@b\303\274cher.example", OUTBOUND_NONE, "nothing" },
	{ "a", "b\303\274cher.example", OUTBOUND_NONE, "neither" },
	{ "a", "b\374cher.example", OUTBOUND_NONE, "neither" },
	{ "a", "unix:/run/lmtp", OUTBOUND_NONE, "neither" },
	{ "a", "relay a", OUTBOUND_NONE, "neither" },
	{ "a", "[relay.a]:99999", OUTBOUND_NONE, "neither" },
	{ "a", "[ann@example.org]", OUTBOUND_NONE, "nothing" },
	{ "a", "foo@", OUTBOUND_NONE, "neither" },
	{ "a", "@", OUTBOUND_NONE, "neither" },
	{ "a", "*", OUTBOUND_NONE, "neither" },
	/* Nonsense. */
	{ "a", "", OUTBOUND_DEFER, "the key is empty" },
	{ "a", "relay.a\n", OUTBOUND_DEFER, "control" },
	{ "a", "ann@example.org\r\nx", OUTBOUND_DEFER, "control" },
	{ "a", "\177", OUTBOUND_DEFER, "control" },
	/* No such binding, be the key what it may. */
	{ "b", "relay.a", OUTBOUND_DEFER, "no binding \"b\"" },
	{ "A", "[relay.a]:587", OUTBOUND_DEFER, "no binding \"A\"" },
	{ "", "relay.a", OUTBOUND_DEFER, "no binding \"\"" },
	{ "x\n\303", "unix:/x", OUTBOUND_DEFER, "no binding" },
	/* The form has no room. */
	{ "colon", "relay.c", OUTBOUND_DEFER, "':'" },
	{ "latin", "relay.l", OUTBOUND_DEFER, "not UTF-8" },
	{ "utf", "relay.u", OUTBOUND_GIVEN, "u\303\251:s3cret\303\251" },
};

static void
keys(void **state)
{
	struct outbound *o = outbound_case_new(two_relays);
	struct outbound_answer a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct outbound_question q = { .binding = rows[i].binding,
			.key = rows[i].key,
			.no_colon = true };

		print_message("%s %s\n", rows[i].binding, rows[i].key);
		assert_true(outbound_ask(o, &q, deadline_in(1000), true, &a));
		outbound_case_is(&a, rows[i].want, rows[i].text);
		outbound_answer_release(&a);
	}
	outbound_free(o);
	outbound_free(NULL);
}

static void
long_keys(void **state)
{
	struct outbound *o = outbound_case_new(two_relays);
	char key[OUTBOUND_KEY_MAX + 2];
	struct outbound_question q = { .binding = "a", .key = key };
	struct outbound_answer a;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		memset(key, 'a', sizeof(key) - 1);
		key[sizeof(key) - 1] = '\0';
		if (i == 1)
			memcpy(key + 700, "@", 1);
		assert_true(outbound_ask(o, &q, deadline_in(1000), true, &a));
		outbound_case_is(&a, OUTBOUND_DEFER, "longer than 1024");
		key[sizeof(key) - 2] = '\0';
		assert_true(outbound_ask(o, &q, deadline_in(1000), true, &a));
		outbound_case_is(&a, OUTBOUND_NONE, i == 1 ? "nothing" : "nei");
	}
	outbound_free(o);
}

/* What is known of a delivery, all at once. */
static void
deliveries(void **state)
{
	static const struct {
		const char *sender, *nexthop;
		enum outbound_verdict want;
		const char *text;
	} cases[] = {
		{ "ann@example.org", "[relay.a]:587", OUTBOUND_GIVEN,
		    "ann:s3cret-ann" },
		/* Sendmail does not say a port; that is no reason to send
		 * without a login. */
		{ "ann@example.org", "relay.a", OUTBOUND_DEFER, "port" },
		{ NULL, "relay.a", OUTBOUND_DEFER, "port" },
		{ "ann@example.org", "relay.a:25", OUTBOUND_NONE, "nothing" },
		{ "ann@example.org", "relay.x", OUTBOUND_NONE, "nothing" },
		{ "x@y", "[relay.a]:587", OUTBOUND_GIVEN, "ua:s3cret-a" },
		{ "", "[relay.a]:587", OUTBOUND_GIVEN, "ua:s3cret-a" },
		{ "<>", "[relay.a]:587", OUTBOUND_GIVEN, "ua:s3cret-a" },
		{ NULL, "[relay.a]:587", OUTBOUND_GIVEN, "ua:s3cret-a" },
		{ "ann@example.org", NULL, OUTBOUND_GIVEN, "ann:s3cret-ann" },
		{ "ann@example.org", "unix:/x", OUTBOUND_NONE, "neither" },
		{ "ann@example.org", "", OUTBOUND_DEFER, "next hop is empty" },
		{ "an\001n@x", "relay.a", OUTBOUND_DEFER, "the sender has" },
		{ NULL, NULL, OUTBOUND_DEFER, "neither a sender" },
		{ "<>", NULL, OUTBOUND_DEFER, "neither a sender" },
	};
	struct outbound *o = outbound_case_new(two_relays);
	struct outbound_answer a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct outbound_question q = { .binding = "a",
			.sender = cases[i].sender,
			.nexthop = cases[i].nexthop };

		print_message("%zu\n", i);
		assert_true(outbound_ask(o, &q, deadline_in(1000), true, &a));
		outbound_case_is(&a, cases[i].want, cases[i].text);
		outbound_answer_release(&a);
	}
	outbound_free(o);
}

/* Where room is, a colon is a letter like others. */
static void
colon(void **state)
{
	struct outbound *o = outbound_case_new(two_relays);
	const struct outbound_question q = { .binding = "colon",
		.nexthop = "relay.c" };
	struct outbound_answer a;

	(void)state;
	assert_true(outbound_ask(o, &q, deadline_in(1000), true, &a));
	outbound_case_is(&a, OUTBOUND_GIVEN, "u:c:s3cret-c");
	outbound_answer_release(&a);
	outbound_free(o);
}

/* The line, with every key in its place, and no password anywhere. */
static void
logged(void **state)
{
	struct outbound *o = outbound_case_new(two_relays);
	struct outbound_question q = { .binding = "a", .key = "[relay.a]:587" };
	struct outbound_answer a;
	struct strbuf sb;

	(void)state;
	strbuf_init(&sb, 65536);
	outbound_case_log(&sb);
	(void)outbound_ask(o, &q, deadline_in(1000), true, &a);
	outbound_answer_release(&a);
	q.key = "ann@example.org";
	(void)outbound_ask(o, &q, deadline_in(1000), true, &a);
	outbound_answer_release(&a);
	q.key = "nowhere.example";
	(void)outbound_ask(o, &q, deadline_in(1000), true, &a);
	q.binding = "no such";
	(void)outbound_ask(o, &q, deadline_in(1000), true, &a);
	(void)outbound_ask(o, &q, deadline_in(1000), true, &a);
	outbound_case_log(NULL);
	assert_string_equal(strbuf_str(&sb),
	    "info outbound: nexthop=[relay.a]:587 binding=a user=<ua> "
	    "type=LOGIN scope=\"binding \\\"a\\\"\" verdict=given delay=*\n"
	    "info outbound: from=<ann@example.org> binding=a user=<ann> "
	    "type=LOGIN scope=\"sender \\\"ann@example.org\\\" of binding \\\"a\\\"\" "
	    "verdict=given delay=*\n"
	    "debug outbound: nexthop=nowhere.example binding=a verdict=none "
	    "delay=* reason=\"nothing is configured for it\"\n"
	    "warning outbound: nexthop=nowhere.example binding=\"no such\" "
	    "verdict=defer delay=* reason=\"there is no binding \\\"no "
	    "such\\\"\"\n");
	strbuf_release(&sb);
	outbound_free(o);
}

static void
explained(void **state)
{
	struct outbound *o = outbound_case_new(two_relays);
	struct strbuf sb;
	const struct outbound_question q = { .binding = "a",
		.sender = "ann@example.org",
		.nexthop = "relay.x",
		.explain = &sb };
	struct outbound_answer a;

	(void)state;
	strbuf_init(&sb, 65536);
	(void)outbound_ask(o, &q, deadline_in(1000), true, &a);
	assert_string_equal(strbuf_str(&sb),
	    "sender \"ann@example.org\" of binding \"a\": passed over: the "
	    "binding's nexthops do not have this one\n"
	    "sender \"@example.org\" of binding \"a\": passed over: the "
	    "binding's nexthops do not have this one\n"
	    "binding \"a\": passed over: its nexthops do not have this one\n"
	    "outbound_smtp_auth: passed over: it has no nexthops\n"
	    "none: nothing is configured for it\n");
	strbuf_release(&sb);
	outbound_free(o);
}

static void
reload(void **state)
{
	struct outbound *o = outbound_case_new(two_relays);
	const struct outbound_question q = { .binding = "default",
		.key = "d.example" };
	struct outbound_answer a;
	struct strbuf sb;
	char why[256];

	(void)state;
	assert_true(outbound_case_reload(
	    o, "domain \"d.example\" {" U("new", "s3cret-n") "}", why));
	assert_true(outbound_ask(o, &q, deadline_in(1000), true, &a));
	outbound_case_is(&a, OUTBOUND_GIVEN, "new:s3cret-n");
	outbound_answer_release(&a);
	strbuf_init(&sb, 65536);
	outbound_stats(o, &sb);
	outbound_status(o, &sb);
	assert_non_null(strstr(strbuf_str(&sb), "outbound_given=1\n"));
	assert_int_equal(outbound_drop(o, NULL), 0);
	strbuf_release(&sb);
	outbound_free(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(long_keys),
		cmocka_unit_test(deliveries),
		cmocka_unit_test(colon),
		cmocka_unit_test(logged),
		cmocka_unit_test(explained),
		cmocka_unit_test(reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
