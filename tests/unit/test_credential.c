/* SPDX-License-Identifier: BSD-2-Clause */
/* Which credential belongs to a delivery: every scope and every guard. */
#include "common/credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "common/secret.h"
#include "common/strbuf.h"
#include "tests/unit/conf_case.h"

#define U(user)                                                                \
 " outbound_smtp_auth_user = \"" user "\" outbound_smtp_auth_pass = \"p-" user \
 "\" "
#define T(type) " outbound_smtp_auth_type = " type " "
#define K(key)  " outbound_smtp_auth_key = \"" key "\" "
#define OFF                                                           \
 " outbound_smtp_auth_user = false outbound_smtp_auth_pass = false\n" \
 " outbound_smtp_auth_type = false outbound_smtp_auth_key = false "

/*
 * A group with all there is; a binding in it that has all there is, one that
 * has its group's next hops and nothing else; one outside without any next
 * hop; one outside with one.
 */
static const char whole
    [] = "binding_group \"g\" {\n"
	 " nexthops = {\"relay.g\", \"shared.example:587\"}\n" U("g") T("LOGIN")
	     K("kg") "\n"
		     " domain \"dg.example\" {" U(
			 "g-dg") "}\n"
				 " domain \"d.example\" {" U("g-d") T(
				     "PLAIN") "}\n"
					      " sender \"ann@example.org\" {" U(
						  "g-ann") "}\n"
							   " sender \"@example.org\" {" U("g-at") "}\n"
												  " sender \"bob@example.org\" {" U("g-bob") "}\n"
																	     " binding \"a\" { nexthops = {\"relay.a\", \"[192.0.2.1]:25\", "
																	     "\"[2001:db8::1]\"}\n" U("a") T("PLAIN") K("ka") "\n"
																							      "  domain \"d.example\" {" U("a-d") "}\n"
																												  "  domain \"typed.example\" {" T("LOGIN") "}\n"
																																	    "  sender \"ann@example.org\" {" U(
																																		"a-ann") K("k-ann") "}\n"
																																				    "  sender \"@sub.example.org\" {" U(
																																					"a-at") "}\n"
																																						" }\n"
																																						" binding \"child\" { }\n"
																																						" binding \"off\" {" OFF "}\n"
																																						"}\n"
																																						"binding \"bare\" {" U(
																																						    "bare") "}\n"
																																							    "binding \"b\" { nexthops = {\"relay.b\"}" T("LOGIN") "\n"
																																														  " sender \"\\\"an n\\\"@example.org\" {" U(
																																														      "b-an-n") "}\n"
																																																" sender \"off@example.org\" {" OFF
																																																"}\n"
																																																"}\n"
																																																"domain \"d.example\" {" U("d") "}\n"
																																																				"domain \"DG.Example.\" {" U(
																																																				    "dg") T("LOGIN") "}\n"
																																																						     "domain \"[192.0.2.9]\" {" U(
																																																							 "lit") "}\n"
																																																								"sender \"carl@example.org\" {" U("carl") "}\n"
																																																													  "sender \"@example.org\" {" U(
																																																													      "at")
																																																													      T("PLAIN") "}\n"
																																																															 "outbound_smtp_auth { nexthops = {\"relay.global\"}" U("global") T(
																																																															     "PLAIN")
																																																															     K("kglobal") "}\n";

static const struct row {
	const char *binding, *sender, *to;
	enum credential_said said;
	const char *user, *scope; /* NULL: none */
	int type;
	const char *key;
} rows[] = {
	/* The binding, its group and the global one, each to its own next
	 * hops. */
	{ "a", NULL, "relay.a", CREDENTIAL_GIVEN, "a", "binding \"a\"",
	    OUTBOUND_PLAIN, "ka" },
	{ "a", NULL, "[RELAY.A.]:587", CREDENTIAL_GIVEN, "a", "binding \"a\"",
	    OUTBOUND_PLAIN, "ka" },
	{ "a", NULL, "[IPv6:2001:DB8:0::1]:25", CREDENTIAL_GIVEN, "a",
	    "binding \"a\"", OUTBOUND_PLAIN, "ka" },
	{ "a", NULL, "[192.0.2.1]:25", CREDENTIAL_GIVEN, "a", "binding \"a\"",
	    OUTBOUND_PLAIN, "ka" },
	{ "a", NULL, "192.0.2.1", CREDENTIAL_NONE, NULL, NULL, -1, NULL },
	{ "a", NULL, "[192.0.2.1]:587", CREDENTIAL_NONE, NULL, NULL, -1, NULL },
	{ "a", NULL, "relay.g", CREDENTIAL_GIVEN, "g", "binding_group \"g\"",
	    OUTBOUND_LOGIN, "kg" },
	{ "a", NULL, "shared.example", CREDENTIAL_NONE, NULL, NULL, -1, NULL },
	{ "a", NULL, "shared.example:submission", CREDENTIAL_GIVEN, "g",
	    "binding_group \"g\"", OUTBOUND_LOGIN, "kg" },
	{ "a", NULL, "relay.global", CREDENTIAL_GIVEN, "global",
	    "outbound_smtp_auth", OUTBOUND_PLAIN, "kglobal" },
	{ "a", NULL, "relay.b", CREDENTIAL_NONE, NULL, NULL, -1, NULL },
	{ "a", NULL, "x.relay.a", CREDENTIAL_NONE, NULL, NULL, -1, NULL },
	{ "default", NULL, "relay.global", CREDENTIAL_GIVEN, "global",
	    "outbound_smtp_auth", OUTBOUND_PLAIN, "kglobal" },
	{ "default", NULL, "relay.a", CREDENTIAL_NONE, NULL, NULL, -1, NULL },
	/* Without next hops of its own a binding has its group's. */
	{ "child", NULL, "relay.g", CREDENTIAL_GIVEN, "g",
	    "binding_group \"g\"", OUTBOUND_LOGIN, "kg" },
	{ "off", NULL, "relay.g", CREDENTIAL_GIVEN, "g", "binding_group \"g\"",
	    OUTBOUND_LOGIN, "kg" },
	/* Without any, nothing goes anywhere. */
	{ "bare", NULL, "relay.a", CREDENTIAL_NONE, NULL, NULL, -1, NULL },
	/* A type alone does not make a login, and is of its own place. */
	{ "b", NULL, "relay.b", CREDENTIAL_NONE, NULL, NULL, OUTBOUND_LOGIN,
	    NULL },
	/* The next hop's domain, before any binding's own; each of user and
	 * type for itself. */
	{ "a", NULL, "d.example:25", CREDENTIAL_GIVEN, "a-d",
	    "domain \"d.example\" of binding \"a\"", OUTBOUND_PLAIN, NULL },
	{ "child", NULL, "D.example", CREDENTIAL_GIVEN, "g-d",
	    "domain \"d.example\" of binding_group \"g\"", OUTBOUND_PLAIN,
	    NULL },
	{ "default", NULL, "[d.example]:587", CREDENTIAL_GIVEN, "d",
	    "domain \"d.example\"", -1, NULL },
	{ "b", NULL, "d.example", CREDENTIAL_GIVEN, "d", "domain \"d.example\"",
	    -1, NULL },
	{ "a", NULL, "dg.example", CREDENTIAL_GIVEN, "g-dg",
	    "domain \"dg.example\" of binding_group \"g\"", OUTBOUND_LOGIN,
	    NULL },
	{ "a", NULL, "typed.example", CREDENTIAL_NONE, NULL, NULL,
	    OUTBOUND_LOGIN, NULL },
	{ "default", NULL, "[192.0.2.9]:25", CREDENTIAL_GIVEN, "lit",
	    "domain \"192.0.2.9\"", -1, NULL },
	{ "default", NULL, "sub.d.example", CREDENTIAL_NONE, NULL, NULL, -1,
	    NULL },
	/* By sender alone: the binding's, its group's, the global one. */
	{ "a", "Ann@Example.ORG", NULL, CREDENTIAL_GIVEN, "a-ann",
	    "sender \"ann@example.org\" of binding \"a\"", OUTBOUND_PLAIN,
	    "k-ann" },
	{ "child", "ann@example.org.", NULL, CREDENTIAL_GIVEN, "g-ann",
	    "sender \"ann@example.org\" of binding_group \"g\"", OUTBOUND_PLAIN,
	    NULL },
	{ "a", "carl@example.org", NULL, CREDENTIAL_GIVEN, "carl",
	    "sender \"carl@example.org\"", OUTBOUND_PLAIN, NULL },
	{ "b", "carl@example.org", NULL, CREDENTIAL_GIVEN, "carl",
	    "sender \"carl@example.org\"", OUTBOUND_PLAIN, NULL },
	{ "a", "x@example.org", NULL, CREDENTIAL_GIVEN, "g-at",
	    "sender \"@example.org\" of binding_group \"g\"", OUTBOUND_PLAIN,
	    NULL },
	{ "b", "x@example.org", NULL, CREDENTIAL_GIVEN, "at",
	    "sender \"@example.org\"", OUTBOUND_PLAIN, NULL },
	{ "b", "@EXAMPLE.org", NULL, CREDENTIAL_GIVEN, "at",
	    "sender \"@example.org\"", OUTBOUND_PLAIN, NULL },
	{ "a", "x@sub.example.org", NULL, CREDENTIAL_GIVEN, "a-at",
	    "sender \"@sub.example.org\" of binding \"a\"", OUTBOUND_PLAIN,
	    NULL },
	{ "b", "x@sub.example.org", NULL, CREDENTIAL_NONE, NULL, NULL, -1,
	    NULL },
	{ "b", "an n@example.org", NULL, CREDENTIAL_GIVEN, "b-an-n",
	    "sender \"an n@example.org\" of binding \"b\"", OUTBOUND_PLAIN,
	    NULL },
	{ "b", "\"An N\"@example.org", NULL, CREDENTIAL_GIVEN, "b-an-n",
	    "sender \"an n@example.org\" of binding \"b\"", OUTBOUND_PLAIN,
	    NULL },
	/* What is unset leaves it to the next. */
	{ "b", "off@example.org", NULL, CREDENTIAL_GIVEN, "at",
	    "sender \"@example.org\"", OUTBOUND_PLAIN, NULL },
	/* Only under a binding with next hops. */
	{ "default", "ann@example.org", NULL, CREDENTIAL_NONE, NULL, NULL, -1,
	    NULL },
	{ "default", "carl@example.org", "relay.global", CREDENTIAL_GIVEN,
	    "global", "outbound_smtp_auth", OUTBOUND_PLAIN, "kglobal" },
	{ "bare", "carl@example.org", NULL, CREDENTIAL_NONE, NULL, NULL, -1,
	    NULL },
	/* Nothing but a sender's goes where nobody says it goes. */
	{ "a", "x@elsewhere.example", NULL, CREDENTIAL_NONE, NULL, NULL, -1,
	    NULL },
	{ "a", "example.org", NULL, CREDENTIAL_NONE, NULL, NULL, -1, NULL },
	/* Both are known: the sender's, to the binding's next hops alone. */
	{ "a", "ann@example.org", "relay.a", CREDENTIAL_GIVEN, "a-ann",
	    "sender \"ann@example.org\" of binding \"a\"", OUTBOUND_PLAIN,
	    "k-ann" },
	{ "a", "ann@example.org", "relay.g", CREDENTIAL_GIVEN, "g",
	    "binding_group \"g\"", OUTBOUND_LOGIN, "kg" },
	{ "child", "ann@example.org", "relay.g", CREDENTIAL_GIVEN, "g-ann",
	    "sender \"ann@example.org\" of binding_group \"g\"", OUTBOUND_PLAIN,
	    "kg" },
	{ "a", "ann@example.org", "d.example", CREDENTIAL_GIVEN, "a-d",
	    "domain \"d.example\" of binding \"a\"", OUTBOUND_PLAIN, NULL },
	{ "a", "ann@example.org", "relay.evil", CREDENTIAL_NONE, NULL, NULL, -1,
	    NULL },
	/* Names of bindings are exact; a group's is none. */
	{ "A", NULL, "relay.a", CREDENTIAL_NO_BINDING, NULL, NULL, -1, NULL },
	{ "g", NULL, "relay.g", CREDENTIAL_NO_BINDING, NULL, NULL, -1, NULL },
	{ "", NULL, "relay.g", CREDENTIAL_NO_BINDING, NULL, NULL, -1, NULL },
	{ "DEFAULT", NULL, "relay.global", CREDENTIAL_NO_BINDING, NULL, NULL,
	    -1, NULL },
};

static struct credentials *
make(const char *text)
{
	struct credentials *c;
	struct conf_case k;

	conf_case_text(&k, text);
	if (k.c == NULL)
		fail_msg("%s", strbuf_str(&k.said));
	c = credentials_new(k.c);
	assert_non_null(c);
	conf_case_release(&k);
	return c;
}

static void
pick(const struct credentials *c, const struct row *r,
    struct credential_pick *out, struct strbuf *sb)
{
	struct credential_where where = { .binding = r->binding,
		.sender = r->sender };
	struct nexthop to;

	if (r->to != NULL) {
		assert_true(nexthop_parse(r->to, strlen(r->to), &to, NULL));
		where.to = &to;
	}
	credential_pick(c, &where, out, sb);
}

static void
check_login(const struct row *r, const struct credential_pick *p)
{
	char pass[64];

	if (r->user == NULL) {
		assert_null(p->login);
		assert_string_equal(p->login_scope, "");
		return;
	}
	assert_non_null(p->login);
	(void)snprintf(pass, sizeof(pass), "p-%s", r->user);
	assert_string_equal(p->login->outbound_smtp_auth_user, r->user);
	assert_string_equal(
	    secret_bytes(p->login->outbound_smtp_auth_pass, NULL), pass);
	assert_string_equal(p->login_scope, r->scope);
}

static void
scopes(void **state)
{
	struct credentials *c = make(whole);
	struct credential_pick p;
	struct strbuf sb;
	size_t i;

	(void)state;
	strbuf_init(&sb, 65536);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		strbuf_reset(&sb);
		pick(c, r, &p, &sb);
		print_message("%s from %s to %s: %s\n", r->binding,
		    r->sender != NULL ? r->sender : "-",
		    r->to != NULL ? r->to : "-", p.login_scope);
		assert_int_equal(p.said, r->said);
		check_login(r, &p);
		assert_int_equal(p.type, r->type);
		assert_int_equal(p.type_scope[0] != '\0', r->type >= 0);
		if (r->key == NULL) {
			assert_null(p.key);
			assert_string_equal(p.key_scope, "");
		} else {
			assert_string_equal(p.key, r->key);
			assert_string_not_equal(p.key_scope, "");
		}
		assert_null(strstr(strbuf_str(&sb), "p-"));
		assert_true(strbuf_ok(&sb));
	}
	strbuf_release(&sb);
	credentials_free(c);
	credentials_free(NULL);
}

/* Whether the query is put, by what it asks by and where it is put. */
static const struct query_case {
	const char *query;
	const char *binding, *sender, *to;
	enum credential_said said;
	const char *user; /* of the login behind it */
	const char *key;
} queries[] = {
	/* By next hop: anywhere, once it is known; with any scope's key. */
	{ ":host", "default", NULL, "anywhere.example", CREDENTIAL_ASK, NULL,
	    "kglobal" },
	{ ":nexthop", "bare", NULL, "anywhere.example", CREDENTIAL_ASK, NULL,
	    "kbare" },
	{ ":domain", "a", NULL, "relay.global", CREDENTIAL_ASK, "global",
	    "ka" },
	{ ":host", "a", "x@example.org", NULL, CREDENTIAL_NONE, NULL, "ka" },
	{ ":sender || :host", "a", "x@example.org", NULL, CREDENTIAL_NONE, NULL,
	    "ka" },
	{ ":sender || :host", "a", "x@example.org", "any.example",
	    CREDENTIAL_ASK, NULL, "ka" },
	/* By key alone: where its scope may send. */
	{ ":key", "a", NULL, "relay.a", CREDENTIAL_ASK, NULL, "ka" },
	{ ":key", "a", NULL, "relay.global", CREDENTIAL_ASK, "global",
	    "kglobal" },
	{ ":key", "a", NULL, "any.example", CREDENTIAL_NONE, NULL, NULL },
	{ ":key", "bare", NULL, "any.example", CREDENTIAL_NONE, NULL, NULL },
	{ ":key", "a", "k@example.org", NULL, CREDENTIAL_ASK, NULL, "kk" },
	{ ":key", "a", "x@example.org", NULL, CREDENTIAL_NONE, NULL, NULL },
	{ ":key", "default", NULL, "keyed.example:25", CREDENTIAL_ASK, NULL,
	    "kd" },
	/* By sender: as a sender's own. */
	{ ":sender", "a", "x@example.org", NULL, CREDENTIAL_ASK, NULL, NULL },
	{ ":sender", "bare", "x@example.org", NULL, CREDENTIAL_NONE, NULL,
	    NULL },
	{ ":sender", "default", "x@example.org", NULL, CREDENTIAL_NONE, NULL,
	    NULL },
	{ ":sender", "a", "x@example.org", "relay.a", CREDENTIAL_ASK, NULL,
	    "ka" },
	{ ":sender", "a", "x@example.org", "any.example", CREDENTIAL_NONE, NULL,
	    NULL },
	/* By binding. */
	{ ":binding", "nokey", NULL, "relay.n", CREDENTIAL_ASK, NULL, NULL },
	{ ":binding", "nokey", NULL, "any.example", CREDENTIAL_NONE, NULL,
	    NULL },
	{ ":binding", "nokey", "x@example.org", NULL, CREDENTIAL_NONE, NULL,
	    NULL },
	{ "'x'", "default", NULL, "relay.global", CREDENTIAL_ASK, "global",
	    "kglobal" },
	{ "'x'", "default", NULL, "any.example", CREDENTIAL_NONE, NULL, NULL },
	/* A narrower scope has it: nobody is asked. */
	{ ":host", "a", "u@example.org", NULL, CREDENTIAL_GIVEN, "u", "ka" },
	{ ":host", "default", NULL, "login.example", CREDENTIAL_GIVEN, "l",
	    "kglobal" },
	{ ":host", "none", NULL, "login.example", CREDENTIAL_NO_BINDING, NULL,
	    NULL },
};

static void
query(void **state)
{
	char text[2048];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		const struct query_case *q = &queries[i];
		const struct row r = {
			.binding = q->binding, .sender = q->sender, .to = q->to
		};
		struct credential_pick p;
		struct credentials *c;

		(void)snprintf(text, sizeof(text),
		    "datasource \"s\" { uri = \"sqlite:/nowhere\" }\n"
		    "binding \"a\" { nexthops = relay.a" K(
			"ka") "}\n"
			      "binding \"bare\" {" K(
				  "kbare") "}\n"
					   "binding \"nokey\" { nexthops = relay.n }\n"
					   "sender \"k@example.org\" {" K(
					       "kk") "}\n"
						     "sender \"u@example.org\" {" U(
							 "u") "}\n"
							      "domain \"login.example\" {" U(
								  "l") "}\n"
								       "domain \"keyed.example\" {" K(
									   "kd") "}\n"
										 "outbound_smtp_auth { nexthops = relay.global" U(
										     "global")
										     K("kglobal") "ds_cache = s query = \"SELECT a, b FROM t WHERE c = "
												  "%s\" }\n",
		    q->query);
		c = make(text);
		pick(c, &r, &p, NULL);
		print_message("%s: %s from %s to %s\n", q->query, q->binding,
		    q->sender != NULL ? q->sender : "-",
		    q->to != NULL ? q->to : "-");
		assert_int_equal(p.said, q->said);
		if (q->user == NULL)
			assert_null(p.login);
		else
			assert_string_equal(
			    p.login->outbound_smtp_auth_user, q->user);
		if (q->key == NULL)
			assert_null(p.key);
		else
			assert_string_equal(p.key, q->key);
		credentials_free(c);
	}
}

/* What comes with the message is before any scope, and opens nothing. */
static void
message_key(void **state)
{
	static const char text[] =
	    "datasource \"s\" { uri = \"sqlite:/nowhere\" }\n"
	    "binding \"a\" { nexthops = relay.a" K(
		"ka") "}\n"
		      "outbound_smtp_auth { ds_cache = s\n"
		      " query = \"SELECT a, b FROM t WHERE c = :key\" }\n";
	struct credentials *c = make(text);
	struct credential_where where = { .binding = "a", .key = "mine" };
	struct credential_pick p;
	struct nexthop to;

	(void)state;
	assert_true(nexthop_parse("relay.a", 7, &to, NULL));
	where.to = &to;
	credential_pick(c, &where, &p, NULL);
	assert_int_equal(p.said, CREDENTIAL_ASK);
	assert_string_equal(p.key, "mine");
	assert_string_equal(p.key_scope, "message");
	assert_true(nexthop_parse("relay.x", 7, &to, NULL));
	credential_pick(c, &where, &p, NULL);
	assert_int_equal(p.said, CREDENTIAL_NONE);
	credentials_free(c);
}

static void
sender_forms(void **state)
{
	static const struct {
		const char *text, *want;
	} forms[] = {
		{ "Ann@Example.ORG", "ann@example.org" },
		{ "ann@example.org.", "ann@example.org" },
		{ "\"a b\"@c", "a b@c" },
		{ "a b@c", "a b@c" },
		{ "\"a\\\"b\"@c", "a\"b@c" },
		{ "\"a\"b\"@c", "\"a\"b\"@c" },
		{ "\"a@b\"@c", "a@b@c" },
		{ "\"a\\\"@c", "\"a\\\"@c" },
		{ "\"\"@c", "@c" },
		{ "@C.example", "@c.example" },
		{ "\303\204@c", "\303\204@c" },
		{ "foo@", NULL },
		{ "@", NULL },
		{ "foo", NULL },
		{ "", NULL },
	};

	char out[CREDENTIAL_SENDER_MAX + 1], big[CREDENTIAL_SENDER_MAX + 2];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		print_message("%s\n", forms[i].text);
		assert_int_equal(credential_sender(forms[i].text, out),
		    forms[i].want != NULL);
		assert_string_equal(
		    out, forms[i].want != NULL ? forms[i].want : "");
	}
	memset(big, 'a', sizeof(big) - 1);
	big[10] = '@';
	big[sizeof(big) - 1] = '\0';
	assert_false(credential_sender(big, out));
	big[sizeof(big) - 2] = '\0';
	assert_true(credential_sender(big, out));
}

/* Many are found as one is; and each is itself. */
static void
many(void **state)
{
	struct conf_case_file file = { "t.conf", NULL, 0, false };
	struct credentials *c;
	struct conf_case k;
	struct strbuf sb;
	size_t i;

	(void)state;
	strbuf_init(&sb, 1048576);
	strbuf_adds(&sb, "binding \"a\" { nexthops = {r0");
	for (i = 1; i < 5000; i++)
		strbuf_addf(&sb, ",r%zu", i);
	strbuf_adds(&sb, "} }\n");
	for (i = 0; i < 5000; i++)
		strbuf_addf(
		    &sb, "sender \"u%zu@x.y\" {" U("u%zu") "}\n", i, i, i);
	assert_true(strbuf_ok(&sb));
	file.text = strbuf_str(&sb);
	conf_case_load(&k, &file, 1);
	if (k.c == NULL)
		fail_msg("%.4000s", strbuf_str(&k.said));
	c = credentials_new(k.c);
	for (i = 0; i < 5000; i++) {
		char sender[32], to[32];
		struct row r = { .binding = "a", .sender = sender, .to = to };
		struct credential_pick p;

		(void)snprintf(sender, sizeof(sender), "U%zu@x.y", i);
		(void)snprintf(to, sizeof(to), "r%zu", 4999 - i);
		pick(c, &r, &p, NULL);
		assert_int_equal(p.said, CREDENTIAL_GIVEN);
		assert_int_equal(
		    strncasecmp(p.login->outbound_smtp_auth_user, sender,
			strlen(p.login->outbound_smtp_auth_user)),
		    0);
		(void)snprintf(to, sizeof(to), "r%zu", 5000 + i);
		pick(c, &r, &p, NULL);
		assert_int_equal(p.said, CREDENTIAL_NONE);
	}
	credentials_free(c);
	conf_case_release(&k);
	strbuf_release(&sb);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scopes),
		cmocka_unit_test(query),
		cmocka_unit_test(message_key),
		cmocka_unit_test(sender_forms),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
