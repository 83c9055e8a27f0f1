/* SPDX-License-Identifier: BSD-2-Clause */
/* What a configuration comes to: defaults, scopes, examples, the print. */
#include "common/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/classify_rules.h"
#include "common/secret.h"
#include "tests/unit/conf_case.h"

/* Load what must load, and hand over its snapshot. */
static struct conf *
load(const char *text)
{
	struct conf_case k;
	struct conf *c;

	conf_case_text(&k, text);
	if (k.c == NULL)
		fail_msg("of\n%s\nwas said\n%s", text, strbuf_str(&k.said));
	c = conf_ref(k.c);
	conf_case_release(&k);
	return c;
}

static void
test_defaults(void **state)
{
	struct conf *c = load("");

	(void)state;
	assert_non_null(c->hostname);
	assert_string_equal(c->user, "postern");
	assert_int_equal(c->relay_hosts.n, 2);
	assert_true(conf_is_relay_host(c, "127.3.2.1"));
	assert_true(conf_is_relay_host(c, "::1"));
	assert_true(conf_is_relay_host(c, "IPv6:::1"));
	assert_false(conf_is_relay_host(c, "192.0.2.1"));
	assert_false(conf_is_relay_host(c, "nonsense"));
	assert_int_equal(c->log_target, LOG_TARGET_SYSLOG);
	assert_int_equal(c->rcptto.up.timeout, 20000);
	assert_int_equal(c->rcptto.up.tls, TLS_MAY);
	assert_int_equal(c->rcptto.up.max_sessions, 4);
	assert_int_equal(c->rcptto.positive_life, 86400000);
	assert_int_equal(c->rcptto.batch, 20);
	assert_string_equal(c->rcptto.mailfrom, "");
	assert_null(c->rcptto.up.query);
	assert_null(c->rcptto.rules);
	assert_true(c->rcptto.skip_authenticated);
	assert_int_equal(c->auth.up.tls, TLS_VERIFY);
	assert_int_equal(c->auth.up.max_sessions, 20);
	assert_int_equal(c->auth.warm_sessions, 4);
	assert_int_equal(c->auth.mechanisms.n, 2);
	assert_string_equal(c->auth.canon, "none");
	assert_int_equal(c->auth.shield_failures, 3);
	assert_int_equal(c->auth.client_failures, 10);
	assert_int_equal(c->auth.client_window, 600000);
	assert_int_equal(c->outbound.outbound_smtp_auth_type, -1);
	assert_null(c->outbound.outbound_smtp_auth_user);
	assert_string_equal(c->milter.control, "unix:/run/postern/milter.ctl");
	assert_int_equal(c->front.timeout, 300000);
	conf_unref(c);
}

static void
test_values(void **state)
{
	struct conf *c = load("HOSTNAME = edge.example.org // a word\n"
			      "relay_hosts = {}  /* empty is not unset */\n"
			      "smtp_rcptto_proxy {\n"
			      " host = {'a', \"[2001:db8::1]:25\",} # a comma\n"
			      " domains = Example.COM.\n"
			      " timeout = 500ms positive_life = 7d\n"
			      " mailfrom = Original mode = OBSERVE\n"
			      " skip_authenticated = off tls = \"implicit\"\n"
			      " reply_class = {\"554 = refused_us\"}\n"
			      "}\n"
			      "milter { socket = \"inet:8893@127.0.0.1\" }\n");

	(void)state;
	assert_string_equal(c->hostname, "edge.example.org");
	assert_int_equal(c->relay_hosts.n, 0);
	assert_false(conf_is_relay_host(c, "127.0.0.1"));
	assert_int_equal(c->rcptto.up.host.n, 2);
	assert_string_equal(c->rcptto.up.host.v[1], "[2001:db8::1]:25");
	assert_string_equal(c->rcptto.domains.v[0], "example.com");
	assert_int_equal(c->rcptto.up.timeout, 500);
	assert_int_equal(c->rcptto.positive_life, 7 * 86400000LL);
	assert_string_equal(c->rcptto.mailfrom, "original");
	assert_int_equal(c->rcptto.mode, MODE_OBSERVE);
	assert_false(c->rcptto.skip_authenticated);
	assert_int_equal(c->rcptto.up.tls, TLS_IMPLICIT);
	assert_non_null(c->rcptto.rules);
	conf_unref(c);
}

/* false, where it is no truth, and += */
static void
test_unset_and_append(void **state)
{
	struct conf *c = load("hostname = false\nuser = FALSE\n"
			      "relay_hosts += {\"192.0.2.0/24\"}\n"
			      "allow_users = false\n"
			      "authentication_results = false\n"
			      "smtp_rcptto_proxy { timeout = false "
			      "tls = false host = false }\n"
			      "outbound_smtp_auth {\n"
			      " outbound_smtp_auth_user = false\n"
			      " outbound_smtp_auth_pass = \"false\"\n"
			      " outbound_smtp_auth_type = false }\n");

	(void)state;
	assert_non_null(c->hostname);
	assert_string_not_equal(c->hostname, "false");
	assert_string_equal(c->user, "postern");
	assert_int_equal(c->relay_hosts.n, 3);
	assert_true(conf_is_relay_host(c, "127.0.0.1"));
	assert_true(conf_is_relay_host(c, "192.0.2.200"));
	assert_int_equal(c->allow_users.n, 0);
	assert_int_equal(c->rcptto.up.timeout, 20000);
	assert_int_equal(c->rcptto.up.tls, TLS_MAY);
	assert_int_equal(c->rcptto.up.host.n, 0);
	assert_null(c->outbound.outbound_smtp_auth_user);
	assert_null(c->outbound.outbound_smtp_auth_pass);
	assert_int_equal(c->outbound.outbound_smtp_auth_type, -1);
	conf_unref(c);
}

static void
test_domain_scope(void **state)
{
	struct conf *c = load(
	    "smtp_rcptto_proxy { host = {\"g\"} domains = {\"c.example\"}\n"
	    " timeout = 7 mode = observe tls_ca_file = \"/ca\"\n"
	    " reply_class = {\"554 = refused_us\"} batch = 9 }\n"
	    "smtp_auth_proxy { host = \"s:587\" canon = lower }\n"
	    "domain \"B.example.\" { smtp_rcptto_proxy {\n"
	    "  host = {\"m1\", \"m2:2525\"} timeout = 60 batch = false }\n"
	    " outbound_smtp_auth_user = u outbound_smtp_auth_pass = p }\n"
	    "domain \"a.example\" { smtp_auth_proxy { timeout = 3 } }\n"
	    "domain \"c.example\" { smtp_rcptto_proxy { mode = enforce } }\n"
	    "outbound_smtp_auth { outbound_smtp_auth_user = gu\n"
	    " outbound_smtp_auth_pass = gp nexthops = {\"r\"} }\n");
	const struct conf_domain *b = conf_domain_find(c, "b.example");
	const struct conf_domain *a = conf_domain_find(c, "a.example");
	const struct conf_domain *d = conf_domain_find(c, "c.example");

	(void)state;
	assert_null(conf_domain_find(c, "d.example"));
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(d);
	assert_ptr_equal(a, &c->domains[0]);
	assert_true(b->has_rcptto);
	assert_false(b->has_auth);
	assert_int_equal(b->rcptto.up.host.n, 2);
	assert_int_equal(b->rcptto.up.timeout, 25000); /* lowered */
	assert_int_equal(b->rcptto.batch, 9);
	assert_int_equal(b->rcptto.mode, MODE_OBSERVE);
	assert_string_equal(b->rcptto.up.tls_ca_file, "/ca");
	assert_int_equal(b->rcptto.domains.n, 0);
	assert_non_null(b->rcptto.rules);
	assert_ptr_not_equal(b->rcptto.rules, c->rcptto.rules);
	assert_string_equal(b->outbound.outbound_smtp_auth_user, "u");
	/* A scope without a credential does not get another's. */
	assert_null(a->outbound.outbound_smtp_auth_user);
	assert_string_equal(c->outbound.outbound_smtp_auth_user, "gu");
	assert_false(a->has_auth);
	assert_true(a->auth_given);
	assert_int_equal(a->auth.up.timeout, 3000);
	assert_string_equal(a->auth.canon, "lower");
	assert_int_equal(a->auth.up.host.n, 0);
	assert_int_equal(a->rcptto.up.timeout, 7000);
	assert_false(d->has_rcptto);
	assert_true(d->rcptto_given);
	assert_int_equal(d->rcptto.mode, MODE_ENFORCE);
	conf_unref(c);
}

/* What a domain may say of logins, and has from the global section. */
static void
test_auth_scope(void **state)
{
	struct conf *c = load(
	    "smtp_auth_proxy { host = {\"127.0.0.1:587\"} tls = may\n"
	    " canon = \":localpart@:realm\" client_failures = 0\n"
	    " client_window = 1m shield_failures = 1000\n"
	    " mechanisms = {\"plain\", \"scram-sha-256\"} }\n"
	    "domain \"a.example\" { smtp_auth_proxy { canon = false\n"
	    "  client_failures = 5 timeout = 26 } }\n"
	    "domain \"b.example\" { smtp_auth_proxy { host = \"h:587\"\n"
	    "  tls = encrypt canon = localpart mechanisms = XOAUTH2 } }\n");
	const struct conf_auth *a = &conf_domain_find(c, "a.example")->auth;
	const struct conf_auth *b = &conf_domain_find(c, "b.example")->auth;

	(void)state;
	assert_int_equal(c->auth.up.tls, TLS_MAY);
	assert_string_equal(c->auth.canon, ":localpart@:realm");
	assert_string_equal(c->auth.mechanisms.v[1], "SCRAM-SHA-256");
	assert_int_equal(c->auth.shield_failures, 1000);
	assert_int_equal(c->auth.client_failures, 0);
	assert_int_equal(c->auth.client_window, 60000);
	assert_string_equal(a->canon, ":localpart@:realm");
	assert_int_equal(a->client_failures, 5);
	assert_int_equal(a->client_window, 60000);
	assert_int_equal(a->up.timeout, CONF_AUTH_TIMEOUT_MAX_MS);
	assert_int_equal(a->up.tls, TLS_MAY);
	assert_int_equal(a->mechanisms.n, 2);
	assert_string_equal(b->canon, "localpart");
	assert_int_equal(b->up.tls, TLS_ENCRYPT);
	assert_int_equal(b->mechanisms.n, 1);
	assert_int_equal(b->shield_failures, 1000);
	conf_unref(c);
}

static void
test_bindings_and_peers(void **state)
{
	struct conf *c = load(
	    "binding_group \"g\" { nexthops = {\"r1\"}\n"
	    " domain \"X.example\" { outbound_smtp_auth_user = u\n"
	    "  outbound_smtp_auth_pass = p }\n"
	    " binding \"a\" { sender \"@Y.example\" {\n"
	    "   outbound_smtp_auth_user = u2 outbound_smtp_auth_pass = p2 } }\n"
	    "}\n"
	    "binding \"b\" { nexthops = {\"[r2]:587\"} }\n"
	    "sender \"ann@y.example\" { outbound_smtp_auth_type = PLAIN }\n"
	    "peer \"10.0.0.0/8\" { context = \"t=1\" }\n"
	    "peer \"10.1.0.0/16\" { context = {\"t=2\", \"u=\"}\n"
	    " smtp_extensions = {\"xclient\", \"Always-Allow\"} }\n"
	    "peer \"0.0.0.0/0\" { context = \"t=3\" }\n"
	    "peer \"2001:db8::/32\" { smtp_extensions = XSETCONTEXT\n"
	    " setcontext_names = {\"tenant\", \"campaign_*\"} }\n");
	const struct conf_binding *group;
	const struct conf_binding *a = conf_binding_find(c, "a", &group);
	size_t len;

	(void)state;
	assert_non_null(a);
	assert_string_equal(group->name, "g");
	assert_string_equal(a->senders[0].name, "@y.example");
	assert_string_equal(group->domains[0].name, "x.example");
	assert_string_equal(
	    secret_bytes(
		group->domains[0].outbound.outbound_smtp_auth_pass, &len),
	    "p");
	assert_non_null(conf_binding_find(c, "b", &group));
	assert_null(group);
	assert_null(conf_binding_find(c, "c", &group));
	assert_string_equal(c->senders[0].name, "ann@y.example");
	assert_int_equal(
	    c->senders[0].outbound.outbound_smtp_auth_type, OUTBOUND_PLAIN);
	assert_string_equal(conf_peer_find(c, "10.1.2.3")->smtp_extensions.v[1],
	    "ALWAYS-ALLOW");
	assert_string_equal(conf_peer_find(c, "10.2.2.3")->context.v[0], "t=1");
	assert_string_equal(
	    conf_peer_find(c, "192.0.2.3")->context.v[0], "t=3");
	assert_int_equal(
	    conf_peer_find(c, "IPv6:2001:db8::5")->setcontext_names.n, 2);
	assert_null(conf_peer_find(c, "2001:db9::5"));
	conf_unref(c);
}

static void
test_queries(void **state)
{
	struct conf *c = load(
	    "datasource \"d\" { uri = {\"sqlite:/d.db\"} }\n"
	    "datasource \"p\" { uri = \"pgsql:host=db\" no_cache = true }\n"
	    "smtp_auth_proxy { ds_cache = d query = \"SELECT host FROM t\n"
	    " WHERE u = :username AND ':x' <> d -- :y\n"
	    " AND d = :domain /* :z */;\" }\n"
	    "smtp_rcptto_proxy { ds_cache = p\n"
	    " query = \"SELECT h::text FROM t WHERE a ILIKE :rcptto\" }\n"
	    "datasource \"l\" { uri = \"ldap://ldap.example.org\" }\n"
	    "outbound_smtp_auth { ds_cache = l query = "
	    "\"(&(cn:dn:=a)(o:1.2:=b)(mail=:sender))\" }\n");

	(void)state;
	assert_non_null(strstr(c->auth.up.query, ":username"));
	assert_non_null(c->rcptto.up.query);
	assert_string_equal(c->credential.ds_cache, "l");
	assert_true(conf_datasource_find(c, "p")->no_cache);
	assert_int_equal(conf_datasource_find(c, "d")->cache_life, 3600000);
	assert_null(conf_datasource_find(c, "D"));
	conf_unref(c);
	c = load("datasource \"f\" { uri = \"file:/map\" }\n"
		 "smtp_auth_proxy { ds_cache = f query = \":domain\" }\n");
	assert_string_equal(c->auth.up.query, ":domain");
	conf_unref(c);
}

/* The environment does not enter, and escapes mean what they mean in C. */
static void
test_strings(void **state)
{
	struct conf *c;
	const char *pass;
	size_t len;

	(void)state;
	setenv("HOME", "/nowhere", 1);
	c = load("outbound_smtp_auth { outbound_smtp_auth_user = \"${HOME}\"\n"
		 " outbound_smtp_auth_pass = \"a\\x42\\103\\\"\\\\\\$#'\\\n"
		 "z${HOME}\"\n"
		 " outbound_smtp_auth_key = 'a\\\\b\\'c\\d' }\n");
	assert_string_equal(c->outbound.outbound_smtp_auth_user, "${HOME}");
	pass = secret_bytes(c->outbound.outbound_smtp_auth_pass, &len);
	assert_string_equal(pass, "aBC\"\\$#'z${HOME}");
	assert_string_equal(c->outbound.outbound_smtp_auth_key, "a\\b'c\\d");
	conf_unref(c);
}

static void
wanted(const struct conf_case *k, const char *text)
{
	if (strstr(strbuf_str(&k->said), text) == NULL)
		fail_msg("wanted %s in\n%s", text, strbuf_str(&k->said));
}

/* The examples of the products whose configuration Postern takes over. */
static void
test_examples(void **state)
{
	const struct conf_domain *d;
	struct conf_case k;
	size_t len;

	(void)state;
	conf_case_data(&k, "seed-auth.conf");
	assert_int_equal(k.errors, 0);
	assert_non_null(k.c);
	assert_string_equal(k.c->auth.up.host.v[0], "some.smtp.server");
	assert_int_equal(k.c->auth.up.timeout, 25000);
	wanted(&k, "seed-auth.conf:5: timeout: 60 s is more than the SASL");
	assert_null(k.c->auth.up.ds_cache);
	assert_null(k.c->auth.up.query);
	wanted(&k, "seed-auth.conf:9: ds_cache: there is no datasource");
	wanted(&k, "seed-auth.conf:10: query: not SQL (near \",\"");
	wanted(&k, "seed-auth.conf:13: Esmtp_Listener is passed over");
	wanted(&k, ":14: Esmtp_Listener: SMTP_Extensions is passed over: peer");
	wanted(&k, ":16: Esmtp_Listener: AuthLoginParameters is passed over");
	wanted(&k,
	    ":17: Esmtp_Listener: log_authentication is passed over: "
	    "smtp_auth_proxy { log_authentication");
	wanted(&k, ":18: Esmtp_Listener: uri is passed over: postern_socket");
	wanted(&k, ":21: Esmtp_Listener: Listen is passed over: the MTA's");
	conf_case_release(&k);

	conf_case_data(&k, "seed-outbound.conf");
	assert_int_equal(k.errors, 0);
	assert_non_null(k.c);
	assert_true(k.c->keep_message_dicts_in_memory);
	d = conf_domain_find(k.c, "messagesystems.com");
	assert_int_equal(d->outbound.outbound_smtp_auth_type, OUTBOUND_LOGIN);
	d = conf_domain_find(k.c, "sparkpost.com");
	assert_int_equal(d->outbound.outbound_smtp_auth_type, OUTBOUND_PLAIN);
	assert_string_equal(d->outbound.outbound_smtp_auth_user, "sparkpost");
	assert_string_equal(
	    secret_bytes(d->outbound.outbound_smtp_auth_pass, &len),
	    "sparkpost");
	assert_string_equal(
	    d->outbound.outbound_smtp_auth_key, "someotherstring");
	conf_case_release(&k);
}

/* What is printed loads, and prints the same; secrets stay out of it. */
static void
check_round_trip(const struct conf *c, const char *from)
{
	struct conf_case k;
	char *once = conf_case_print(c);
	char *twice;

	conf_case_text(&k, once);
	if (k.c == NULL)
		fail_msg("%s prints as\n%s\nof which is said\n%s", from, once,
		    strbuf_str(&k.said));
	twice = conf_case_print(k.c);
	assert_string_equal(once, twice);
	free(twice);
	free(once);
	conf_case_release(&k);
}

static void
test_round_trip(void **state)
{
	static const char *const files[] = { "full.conf", "seed-auth.conf",
		"seed-outbound.conf", "odd.conf" };
	struct conf_case k;
	struct conf *c = load("");
	char *text;
	size_t i;

	(void)state;
	check_round_trip(c, "nothing");
	conf_unref(c);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		conf_case_data(&k, files[i]);
		if (k.c == NULL)
			fail_msg("%s: %s", files[i], strbuf_str(&k.said));
		check_round_trip(k.c, files[i]);
		text = conf_case_print(k.c);
		assert_null(strstr(text, "hunter2"));
		assert_null(strstr(strbuf_str(&k.said), "hunter2"));
		free(text);
		conf_case_release(&k);
	}
}

/* A password for a context is shown no more than any other. */
static void
test_peer_password(void **state)
{
	struct conf_case k;
	char *text;

	(void)state;
	conf_case_text(&k,
	    "peer \"192.0.2.1\" { context = {\"outbound_smtp_auth_user=ann\", "
	    "\"outbound_smtp_auth_pass=hunter2=3\", \"pass=false\", "
	    "\"secret=\"} }\n");
	assert_non_null(k.c);
	assert_string_equal(
	    k.c->peers[0].context.v[1], "outbound_smtp_auth_pass=hunter2=3");
	text = conf_case_print(k.c);
	assert_non_null(strstr(text,
	    "context = {\"outbound_smtp_auth_user=ann\", "
	    "\"outbound_smtp_auth_pass=********\", \"pass=false\", "
	    "\"secret=\"}\n"));
	check_round_trip(k.c, "a password of a peer");
	free(text);
	conf_case_release(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_unset_and_append),
		cmocka_unit_test(test_domain_scope),
		cmocka_unit_test(test_auth_scope),
		cmocka_unit_test(test_bindings_and_peers),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_peer_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
