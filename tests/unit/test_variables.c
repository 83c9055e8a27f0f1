/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/variables.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/conf.h"
#include "milter/msession.h"
#include "tests/unit/conf_case.h"

#define NONE "-" /* of a variable: unset */

/* NAME, VALUE, ..., NULL */
static const char *
from_list(void *arg, const char *name)
{
	const char **v = arg;

	for (; *v != NULL; v += 2)
		if (strcmp(v[0], name) == 0)
			return v[1];
	return NULL;
}

static struct conf_case conf;

static int
setup(void **state)
{
	(void)state;
	conf_case_text(&conf, "relay_hosts = {\"192.0.2.7\"}\n");
	return conf.c == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	conf_case_release(&conf);
	return 0;
}

static struct msession *
session(const char *ip)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct msession *s;

	assert_int_equal(inet_pton(AF_INET, ip, &in.sin_addr), 1);
	s = msession_new("client.test", (const void *)&in, conf.c);
	assert_non_null(s);
	s->variables = true;
	return s;
}

static void
is(const struct context *c, const char *name, const char *want)
{
	const char *got = context_get(c, name);

	assert_string_equal(got != NULL ? got : NONE, want);
	if (got != NULL)
		assert_string_equal(context_origin(c, name), ORIGIN_MTA);
}

/* One row a login: macros, and what becomes of them. */
static void
test_auth(void **state)
{
	static const struct {
		const char *ip, *macros[5];
		const char *name, *user, *status, *relay;
	} cases[] = {
		{ "192.0.2.1", { NULL }, NONE, NONE, NONE, NONE },
		{ "192.0.2.7", { NULL }, NONE, NONE, NONE, "true" },
		{ "192.0.2.1",
		    { "{auth_type}", "PLAIN", "{auth_authen}", "ann", NULL },
		    "PLAIN", "ann", "pass", "true" },
		{ "192.0.2.1", { "{auth_type}", "", "{auth_authen}", "", NULL },
		    NONE, NONE, NONE, NONE },
		/* without a user nobody has logged in */
		{ "192.0.2.1", { "{auth_type}", "PLAIN", NULL }, NONE, NONE,
		    NONE, NONE },
		{ "192.0.2.1",
		    { "{auth_type}", "XCLIENT", "{auth_authen}", "anonymous",
			NULL },
		    "XCLIENT", "anonymous", "pass", "true" },
		{ "192.0.2.1", { "{auth_authen}", "a\r\nb", NULL }, NONE,
		    "a??b", "pass", "true" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct macros m = { from_list,
			(void *)(uintptr_t)cases[i].macros };
		struct msession *at_connect = session(cases[i].ip);
		struct msession *at_mail = session(cases[i].ip);
		const struct msession *both[] = { at_connect, at_mail };

		variables_connect(at_connect, conf.c, &m);
		variables_mail(at_mail, conf.c, "<>", &m);
		for (size_t j = 0; j < 2; j++) {
			const struct context *c = &both[j]->connection;

			is(c, "auth_name", cases[i].name);
			is(c, "auth_user", cases[i].user);
			is(c, "auth_status", cases[i].status);
			is(c, "can_relay", cases[i].relay);
		}
		is(&at_connect->connection, "client_ip", cases[i].ip);
		is(&at_connect->connection, "client_name", "client.test");
		msession_free(at_connect);
		msession_free(at_mail);
	}
}

static void
test_tls(void **state)
{
	static const struct {
		const char *macros[15];
		const char *tls, *cipher, *algbits, *usebits, *subject,
		    *verified;
	} cases[] = {
		{ { NULL }, NONE, NONE, NONE, NONE, NONE, NONE },
		/* Sendmail without TLS */
		{ { "{verify}", "NONE", NULL }, NONE, NONE, NONE, NONE, NONE,
		    NONE },
		/* Postfix: no certificate, a verified one */
		{ { "{tls_version}", "TLSv1.3", "{cipher}", "AES",
		      "{cipher_bits}", "256", NULL },
		    "true", "AES", NONE, "256", NONE, NONE },
		{ { "{tls_version}", "TLSv1.3", "{cipher}", "AES",
		      "{cipher_bits}", "256", "{cert_subject}", "ann",
		      "{cert_issuer}", "ca", NULL },
		    "true", "AES", NONE, "256", "ann", "yes" },
		/* Sendmail: one that did not verify, one that did */
		{ { "{tls_version}", "TLSv1.2", "{cipher}", "AES",
		      "{cipher_bits}", "128", "{alg_bits}", "256",
		      "{cert_subject}", "ann", "{verify}", "FAIL", NULL },
		    "true", "AES", "256", "128", "ann", NONE },
		{ { "{tls_version}", "TLSv1.2", "{cipher}", "AES", "{alg_bits}",
		      "256", "{cert_subject}", "ann", "{verify}", "OK", NULL },
		    "true", "AES", "256", NONE, "ann", "yes" },
		/* what is left of another session is not this one's */
		{ { "{cert_subject}", "ann", "{verify}", "OK", NULL }, NONE,
		    NONE, NONE, NONE, NONE, NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct macros m = { from_list,
			(void *)(uintptr_t)cases[i].macros };
		struct msession *s = session("192.0.2.1");

		variables_helo(s, conf.c, "there", &m);
		is(&s->connection, "ehlo_domain", "there");
		is(&s->connection, "tls", cases[i].tls);
		is(&s->connection, "tls_cipher", cases[i].cipher);
		is(&s->connection, "tls_cipher_algbits", cases[i].algbits);
		is(&s->connection, "tls_cipher_usebits", cases[i].usebits);
		is(&s->connection, "tls_client_cert_subject", cases[i].subject);
		is(&s->connection, "tls_client_verified", cases[i].verified);
		msession_free(s);
	}
}

static void
test_addresses(void **state)
{
	static const struct {
		const char *path, *string, *local, *domain;
	} cases[] = {
		{ "<Ann@Client.test>", "Ann@Client.test", "Ann",
		    "client.test" },
		{ "ann@client.test", "ann@client.test", "ann", "client.test" },
		{ "<>", "", NONE, NONE },
		{ "<postmaster>", "postmaster", "postmaster", NONE },
		{ "<a@b@c>", "<a@b@c>", NONE, NONE },
		{ "<a\rb>", "<a?b>", NONE, NONE },
	};

	static const char *none[] = { NULL };
	struct macros m = { from_list, none };
	struct msession *s = session("192.0.2.1");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		variables_mail(s, conf.c, cases[i].path, &m);
		is(&s->message, "mailfrom_string", cases[i].string);
		is(&s->message, "mailfrom_localpart", cases[i].local);
		is(&s->message, "mailfrom_domain", cases[i].domain);
		variables_rcpt(s, cases[i].path);
		is(&s->message, "rcptto_string", cases[i].string);
		is(&s->message, "rcptto_localpart", cases[i].local);
		is(&s->message, "rcptto_domain", cases[i].domain);
	}
	msession_free(s);
}

static void
test_counts(void **state)
{
	static const char *none[] = { NULL };
	struct macros m = { from_list, none };
	struct msession *s = session("192.0.2.1");

	(void)state;
	is(&s->connection, "connection_message_count", NONE);
	for (int i = 0; i < 2; i++) {
		assert_true(msession_mail(s, "<>", NULL, NULL));
		variables_mail(s, conf.c, "<>", &m);
		is(&s->connection, "message_rcpt_count", "0");
		variables_rcpt(s, "<a@b>");
		variables_rcpt(s, "<a@b>");
		variables_result(s, "pass");
		assert_string_equal(
		    context_get(&s->message, "smtp_rcptto_proxy_result"),
		    "pass");
	}
	is(&s->connection, "connection_message_count", "2");
	is(&s->connection, "connection_rcpt_count", "4");
	is(&s->connection, "message_rcpt_count", "2");
	msession_reset(s);
	assert_int_equal(s->message.count, 0);
	msession_free(s);
}

/* Nobody wants them: nothing is set. */
static void
test_unwanted(void **state)
{
	static const char *macros[] = { "{auth_authen}", "ann", "{tls_version}",
		"TLSv1.3", NULL };
	struct macros m = { from_list, macros };
	struct msession *s = session("192.0.2.7");

	(void)state;
	s->variables = false;
	variables_connect(s, conf.c, &m);
	variables_helo(s, conf.c, "there", &m);
	variables_mail(s, conf.c, "<ann@client.test>", &m);
	variables_rcpt(s, "<ann@client.test>");
	variables_result(s, "pass");
	assert_int_equal(s->connection.count, 0);
	assert_int_equal(s->message.count, 0);
	msession_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_auth),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_unwanted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
