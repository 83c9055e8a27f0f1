/* SPDX-License-Identifier: BSD-2-Clause */
/* What configurations say about credentials for mail that goes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/credential_check.h"
#include "common/route.h"
#include "common/secret.h"
#include "common/setup.h"
#include "tests/unit/conf_case.h"

#define LOGIN \
 " outbound_smtp_auth_user = u outbound_smtp_auth_pass = p-hunter2 "
#define FROM(file) \
 " outbound_smtp_auth_user = u outbound_smtp_auth_pass = \"file:" file "\" "

static const char *
pass_of(const struct conf_outbound *o)
{
	return secret_bytes(o->outbound_smtp_auth_pass, NULL);
}

/* The two domains of the seeds, as they stand. */
static void
two_domains(void **state)
{
	const struct conf_domain *d;
	struct conf_case k;

	(void)state;
	conf_case_data(&k, "seed-outbound.conf");
	if (k.c == NULL)
		fail_msg("%s", strbuf_str(&k.said));
	/* As readable as the tree is. */
	assert_int_equal(k.errors, 0);
	assert_true(k.warnings <= 1);
	assert_int_equal(k.c->n_domains, 2);
	d = conf_domain_find(k.c, "messagesystems.com");
	assert_non_null(d);
	assert_string_equal(d->outbound.outbound_smtp_auth_user, "msys");
	assert_string_equal(pass_of(&d->outbound), "msys");
	assert_int_equal(d->outbound.outbound_smtp_auth_type, OUTBOUND_LOGIN);
	assert_string_equal(d->outbound.outbound_smtp_auth_key, "somestring");
	d = conf_domain_find(k.c, "sparkpost.com");
	assert_non_null(d);
	assert_string_equal(d->outbound.outbound_smtp_auth_user, "sparkpost");
	assert_string_equal(pass_of(&d->outbound), "sparkpost");
	assert_int_equal(d->outbound.outbound_smtp_auth_type, OUTBOUND_PLAIN);
	assert_string_equal(
	    d->outbound.outbound_smtp_auth_key, "someotherstring");
	conf_case_release(&k);
}

static void
defaults(void **state)
{
	struct conf_case k;

	(void)state;
	conf_case_text(&k, "");
	assert_non_null(k.c);
	assert_false(k.c->credential.message_credentials);
	assert_int_equal(k.c->credential.message_life, 7LL * 86400000);
	assert_int_equal(k.c->credential.message_max, 100000);
	assert_string_equal(k.c->authd.state_directory, "/var/lib/postern");
	conf_case_release(&k);
	conf_case_text(&k,
	    "outbound_smtp_auth { message_credentials = true message_life = 1s "
	    "message_max = 1 }\nauthd { state_directory = \"/s\" }\n");
	assert_non_null(k.c);
	assert_true(k.c->credential.message_credentials);
	assert_int_equal(k.c->credential.message_life, 1000);
	assert_int_equal(k.c->credential.message_max, 1);
	assert_string_equal(k.c->authd.state_directory, "/s");
	conf_case_release(&k);
}

/* Domains inside a binding and a group, as outside. */
static void
nested(void **state)
{
	const struct conf_binding *b, *group;
	struct conf_case k;

	(void)state;
	conf_case_text(&k,
	    "binding_group \"g\" { nexthops = {\"r\", \"[r2.]:submission\"}\n"
	    " domain \"D.example.\" {" LOGIN "}\n"
	    " binding \"a\" { domain \"d.example\" {"
	    " outbound_smtp_auth_type = LOGIN } } }\n");
	assert_string_equal(strbuf_str(&k.said), "");
	b = conf_binding_find(k.c, "a", &group);
	assert_non_null(b);
	assert_non_null(group);
	assert_int_equal(b->n_domains, 1);
	assert_string_equal(b->domains[0].name, "d.example");
	assert_int_equal(group->n_domains, 1);
	assert_string_equal(group->domains[0].name, "d.example");
	assert_string_equal(pass_of(&group->domains[0].outbound), "p-hunter2");
	conf_case_release(&k);
}

/* -- refused, and warned about -------------------------------------------- */

#define X64  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X256 X64 X64 X64 X64

static void
refused(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "binding \"a\" { nexthops = \"unix:/run/x\" }",
		    "nexthops: \"unix:/run/x\": " },
		{ "binding \"a\" { nexthops = \"lmtp:r:24\" }",
		    "nexthops: \"lmtp:r:24\": " },
		{ "binding_group \"a\" { nexthops = {\"r\", \"r:0\"} }",
		    "nexthops: \"r:0\": port" },
		{ "outbound_smtp_auth { nexthops = \"r:http\" }",
		    "nexthops: \"r:http\": port" },
		{ "outbound_smtp_auth { nexthops = \"*\" }",
		    "nexthops: \"*\"" },
		{ "binding \"default\" { }",
		    "binding \"default\": this is the name" },
		{ "binding \"False\" { }", "binding \"False\": no message" },
		{ "peer \"192.0.2.1\" { context = "
		  "\"Outbound_SMTP_AUTH_User=x\" }",
		    "\"Outbound_SMTP_AUTH_User\" means nothing" },
		{ "peer \"192.0.2.1\" { context = \"Binding=x\" }",
		    "\"Binding\" means nothing" },
		{ "binding \"a\" { }\nbinding \"A\" { }", "duplicate title" },
		{ "binding \"a\" { nexthops = r\n"
		  "sender \"ann@x.y\" { }\nsender \"\\\"ANN\\\"@x.y\" { } }",
		    "t.conf:3: sender \"ann@x.y\" is there twice" },
		{ "domain \"d.e\" { outbound_smtp_auth_user = u }",
		    "without an outbound_smtp_auth_pass" },
		{ "domain \"d.e\" { outbound_smtp_auth_pass = u }",
		    "without an outbound_smtp_auth_user" },
		{ "domain \"d.e\" { outbound_smtp_auth_user = \"\" "
		  "outbound_smtp_auth_pass = p }",
		    "outbound_smtp_auth_user is empty" },
		{ "domain \"d.e\" { outbound_smtp_auth_user = u "
		  "outbound_smtp_auth_pass = \"\" }",
		    "outbound_smtp_auth_pass is empty" },
		{ "domain \"d.e\" { outbound_smtp_auth_user = \"" X256 "\" "
		  "outbound_smtp_auth_pass = p }",
		    "outbound_smtp_auth_user is longer than 255" },
		{ "domain \"d.e\" { outbound_smtp_auth_user = u "
		  "outbound_smtp_auth_pass = \"" X256 X256 X256 X256 "x\" }",
		    "outbound_smtp_auth_pass is longer than 1024" },
		{ "domain \"d.e\" { outbound_smtp_auth_user = \"u\\r\\nQUIT\" "
		  "outbound_smtp_auth_pass = p }",
		    "outbound_smtp_auth_user: a value with octet 0x0d" },
		{ "domain \"d.e\" { outbound_smtp_auth_user = u "
		  "outbound_smtp_auth_pass = \"hunter2\\n\" }",
		    "outbound_smtp_auth_pass: a value with octet 0x0a" },
		{ "domain \"d.e\" { outbound_smtp_auth_user = u "
		  "outbound_smtp_auth_pass = \"file:hunter2\" }",
		    "outbound_smtp_auth_pass: file: needs an absolute path" },
		{ "domain \"d.e\" { outbound_smtp_auth_user = u "
		  "outbound_smtp_auth_pass = \"file:\" }",
		    "outbound_smtp_auth_pass: file: needs an absolute path" },
		{ "outbound_smtp_auth { message_max = 0 }", "message_max: " },
		{ "outbound_smtp_auth { message_life = 0 }", "message_life: " },
		{ "authd { state_directory = \"x\" }",
		    "state_directory: \"x\" is not an absolute path" },
		{ "datasource \"f\" { uri = \"file:/f\" }\n"
		  "outbound_smtp_auth { ds_cache = f query = \":key\" }",
		    "datasource \"f\" is a file" },
		{ "datasource \"s\" { uri = \"sqlite:/f\" }\n"
		  "outbound_smtp_auth { ds_cache = s query = \"SELECT "
		  ":username\" }",
		    "unknown parameter \":username\"" },
	};
	struct conf_case k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		conf_case_text(&k, cases[i].text);
		if (k.c != NULL)
			fail_msg("taken: %s", cases[i].text);
		if (strstr(strbuf_str(&k.said), cases[i].said) == NULL)
			fail_msg("want %s, got %s", cases[i].said,
			    strbuf_str(&k.said));
		assert_null(strstr(strbuf_str(&k.said), "hunter2"));
		conf_case_release(&k);
	}
}

static void
warned(void **state)
{
	static const struct {
		const char *text, *said; /* NULL: nothing */
	} cases[] = {
		{ "binding \"a\" {" LOGIN "}", "given to nobody" },
		{ "binding_group \"a\" {" LOGIN "}", "given to nobody" },
		{ "outbound_smtp_auth {" LOGIN "}", "given to nobody" },
		{ "binding_group \"g\" { binding \"a\" {" LOGIN "} }",
		    "given to nobody" },
		{ "binding_group \"g\" { nexthops = r binding \"a\" {" LOGIN
		  "} }",
		    NULL },
		{ "binding \"a\" { nexthops = r" LOGIN "}", NULL },
		{ "outbound_smtp_auth { nexthops = {\"r\", \"R.\", \"[r]\"}" LOGIN
		  "}",
		    NULL },
		{ "binding \"a\" { outbound_smtp_auth_key = k }", NULL },
		{ "domain \"d.e\" {" LOGIN "}", NULL },
		{ "domain \"b\303\274cher.example\" {" LOGIN "}",
		    "no next hop has such a name" },
		{ "binding \"a\" { domain \"b\303\274cher.example\" {" LOGIN
		  "} }",
		    "no next hop has such a name" },
		{ "domain \"b\303\274cher.example\" { }", NULL },
		{ "domain \"d.e\" { outbound_smtp_auth_user = \"u:v\" "
		  "outbound_smtp_auth_pass = p }",
		    "Postfix cannot be given it" },
		{ "domain \"d.e\" { outbound_smtp_auth_user = u "
		  "outbound_smtp_auth_pass = \"p\\xe9\" }",
		    "outbound_smtp_auth_pass is not UTF-8: Postfix" },
		{ "domain \"d.e\" { outbound_smtp_auth_user = \"u\\xe9\" "
		  "outbound_smtp_auth_pass = p }",
		    "outbound_smtp_auth_user is not UTF-8: Postfix" },
		{ "domain \"d.e\" { outbound_smtp_auth_user = \"" X64 X64 X64
		  "\" outbound_smtp_auth_pass = \"" X256 X256 X256 X256 "\" }",
		    NULL },
	};
	struct conf_case k;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		conf_case_text(&k, cases[i].text);
		if (k.c == NULL)
			fail_msg("%s: %s", cases[i].text, strbuf_str(&k.said));
		if (cases[i].said == NULL)
			assert_string_equal(strbuf_str(&k.said), "");
		else if (k.warnings != 1 ||
		    strstr(strbuf_str(&k.said), cases[i].said) == NULL)
			fail_msg("%s: want %s, got %s", cases[i].text,
			    cases[i].said, strbuf_str(&k.said));
		conf_case_release(&k);
	}
}

/* -- a password in a file of its own -------------------------------------- */

static void
from_file(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *pass, *fault;
	} cases[] = {
		{ "s3cret\n", 0, "s3cret", NULL },
		{ "s3cret", 0, "s3cret", NULL },
		{ "s3cret\r\n", 0, "s3cret", NULL },
		{ " s3 cret\t\nsecond line\n", 0, " s3 cret\t", NULL },
		{ "file:/secret\n", 0, "file:/secret", NULL },
		{ "s3cret\n\0", 8, "s3cret", NULL },
		{ X256 X256 X256 X256 "\n", 0, X256 X256 X256 X256, NULL },
		{ "\ns3cret\n", 0, "", "/secret: its first line is empty" },
		{ "\r\n", 0, "", "/secret: its first line is empty" },
		{ X256 X256 X256 X256 "x", 0, "",
		    "/secret: its first line is longer than 1024 octets" },
		{ "s3\0cret\n", 8, "",
		    "/secret: its first line has a NUL octet or a line end" },
		{ "s3\rcret\n", 0, "",
		    "/secret: its first line has a NUL octet or a line end" },
		{ NULL, 0, "", "/secret: No such file or directory" },
	};
	struct conf_case_file files[2] = {
		{ "/c", "binding \"a\" { nexthops = r" FROM("/secret") "}", 0,
		    true },
	};
	const struct conf_outbound *o;
	struct conf_case k;
	char *printed;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&files[1], 0, sizeof(files[1]));
		files[1].name = "/secret";
		files[1].text = cases[i].text;
		files[1].len = cases[i].len;
		conf_case_load(&k, files, cases[i].text != NULL ? 2 : 1);
		assert_string_equal(strbuf_str(&k.said), "");
		assert_non_null(k.c);
		o = &k.c->bindings[0].outbound;
		assert_string_equal(o->outbound_smtp_auth_user, "u");
		assert_string_equal(pass_of(o), cases[i].pass);
		if (cases[i].fault == NULL)
			assert_null(o->pass_fault);
		else
			assert_string_equal(o->pass_fault, cases[i].fault);
		printed = conf_case_print(k.c);
		assert_null(strstr(printed, "s3"));
		assert_non_null(
		    strstr(printed, "outbound_smtp_auth_pass = \"********\""));
		free(printed);
		conf_case_release(&k);
	}
}

static void
file_for_all(void **state)
{
	static const struct conf_case_file files[2] = {
		{ "/c", "\ndomain \"d.e\" {" FROM("/secret") "}", 0, true },
		{ "/secret", "s3cret\n", 0, true },
	};
	struct conf_case k;

	(void)state;
	conf_case_load(&k, files, 2);
	assert_non_null(k.c);
	assert_string_equal(strbuf_str(&k.said),
	    "warning: /c:2: outbound_smtp_auth_pass: everybody on this machine "
	    "can read /secret (chmod o-r)\n");
	conf_case_release(&k);
}

/* In every section that may have one. */
static void
faults(void **state)
{
	struct conf_case k;

	(void)state;
	conf_case_text(&k,
	    "binding_group \"g\" { nexthops = r" FROM("/1") " domain \"d.e\" {" FROM("/2") "} sender \"@x.y\" {" FROM(
		"/3") "} binding \"a\" {" FROM("/4") "} }\n"
						     "domain \"d.e\" {" FROM(
							 "/5") "}\n"
							       "sender \"@x.y\" {" FROM(
								   "/6") "}\n"
									 "outbound_smtp_auth { nexthops = r" FROM(
									     "/7") "}\n");
	assert_string_equal(strbuf_str(&k.said), "");
	assert_memory_equal(k.c->groups[0].outbound.pass_fault, "/1: ", 4);
	assert_memory_equal(
	    k.c->groups[0].domains[0].outbound.pass_fault, "/2: ", 4);
	assert_memory_equal(
	    k.c->groups[0].senders[0].outbound.pass_fault, "/3: ", 4);
	assert_memory_equal(
	    k.c->groups[0].bindings[0].outbound.pass_fault, "/4: ", 4);
	assert_memory_equal(k.c->domains[0].outbound.pass_fault, "/5: ", 4);
	assert_memory_equal(k.c->senders[0].outbound.pass_fault, "/6: ", 4);
	assert_memory_equal(k.c->outbound.pass_fault, "/7: ", 4);
	conf_case_release(&k);
}

/* A route that logs in with it is refused; one that does not is none of its
 * business. */
static void
routes(void **state)
{
	struct conf_case k;
	struct setup *s;
	char why[400];

	(void)state;
	conf_case_text(&k,
	    "domain \"d.e\" { smtp_rcptto_proxy { host = h }" FROM(
		"/nowhere") "}\n");
	assert_non_null(k.c);
	s = setup_new(k.c, ROUTE_FOR_RCPT, why, sizeof(why));
	assert_null(s);
	assert_non_null(strstr(why,
	    "outbound_smtp_auth_pass: /nowhere: No such file or directory"));
	s = setup_new(k.c, ROUTE_FOR_AUTH, why, sizeof(why));
	assert_non_null(s);
	setup_unref(s);
	conf_case_release(&k);
	conf_case_text(&k,
	    "domain \"d.e\" {" FROM(
		"/nowhere") "}\n"
			    "smtp_rcptto_proxy { host = h domains = \"*\" }\n");
	assert_non_null(k.c);
	s = setup_new(k.c, ROUTE_FOR_RCPT, why, sizeof(why));
	assert_non_null(s);
	setup_unref(s);
	conf_case_release(&k);
}

static void
words(void **state)
{
	int type;

	(void)state;
	assert_null(credential_user_wrong("u"));
	assert_null(credential_user_wrong("\303\274 b"));
	assert_non_null(credential_user_wrong(""));
	assert_non_null(credential_user_wrong("a\tb"));
	assert_non_null(credential_user_wrong("a\177"));
	assert_non_null(credential_pass_wrong("", 0));
	assert_null(credential_pass_wrong("\t", 1));
	assert_true(credential_type_parse("login", &type));
	assert_int_equal(type, OUTBOUND_LOGIN);
	assert_true(credential_type_parse("Plain", &type));
	assert_int_equal(type, OUTBOUND_PLAIN);
	assert_true(credential_type_parse("", &type));
	assert_int_equal(type, -1);
	assert_true(credential_type_parse(NULL, &type));
	assert_false(credential_type_parse("PLAINTEXT", &type));
	assert_false(credential_type_parse("CRAM-MD5", &type));
	assert_int_equal(type, -1);
	assert_string_equal(credential_type_name(OUTBOUND_LOGIN), "LOGIN");
	assert_string_equal(credential_type_name(-1), "");
	assert_string_equal(credential_type_name(7), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_domains),
		cmocka_unit_test(defaults),
		cmocka_unit_test(nested),
		cmocka_unit_test(refused),
		cmocka_unit_test(warned),
		cmocka_unit_test(from_file),
		cmocka_unit_test(file_for_all),
		cmocka_unit_test(faults),
		cmocka_unit_test(routes),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
