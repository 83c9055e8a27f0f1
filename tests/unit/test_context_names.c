/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/context_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const reserved[] = { "auth_name", "auth_", "auth_x", "tls",
	"tls_cipher", "tlsx", "client_ip", "ehlo_string", "mailfrom_domain",
	"rcptto_string", "outbound_smtp_auth_pass", "outbound_x",
	"__bypass_smtp_rcptto_proxy", "__bypass_x", "binding", "can_relay",
	"smtp_rcptto_proxy_result", "connection_message_count",
	"connection_rcpt_count", "message_rcpt_count" };
static const char *const free_names[] = { "tenant", "auth", "Auth_name",
	"bindings", "can_relay2", "x_auth_name", "_bypass", "xtls", "message" };

static void
test_reserved(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(reserved); i++) {
		assert_true(context_name_reserved(reserved[i]));
		assert_false(context_name_allowed(reserved[i], NULL, 0));
	}
	for (size_t i = 0; i < COUNT(free_names); i++) {
		assert_false(context_name_reserved(free_names[i]));
		assert_true(context_name_allowed(free_names[i], NULL, 0));
	}
}

/* As the options may be written; it would have no effect. */
static void
test_mistaken(void **state)
{
	static const char *const yes[] = { "Outbound_SMTP_AUTH_Pass",
		"outbound_SMTP_auth_pass", "OUTBOUND_X", "Binding" };

	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++) {
		assert_true(context_name_mistaken(yes[i]));
		assert_false(context_name_allowed(yes[i], NULL, 0));
	}
	for (size_t i = 0; i < COUNT(reserved); i++)
		assert_false(context_name_mistaken(reserved[i]));
	for (size_t i = 0; i < COUNT(free_names); i++)
		assert_false(context_name_mistaken(free_names[i]));
}

static void
test_patterns(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool want;
	} cases[] = {
		{ "tenant", "tenant", true },
		{ "tenant", "tenants", false },
		{ "tenant", "tenan", false },
		{ "tenant", "Tenant", false },
		{ "campaign_*", "campaign_a", true },
		{ "campaign_*", "campaign_", true },
		{ "campaign_*", "campaign", false },
		{ "*", "anything", true },
		{ "*", "auth_user", false },
		{ "*", "binding", false },
		{ "a*", "auth_user", false },
		{ "a*", "another", true },
		{ "auth*", "auth_user", false },
		{ "auth_*", "auth_user", true },
		{ "auth_u*", "auth_user", true },
		{ "auth_user", "auth_user", true },
		{ "auth_user", "auth_name", false },
		{ "t*", "tls", false },
		{ "tls*", "tls", true },
		{ "tls*", "tls_cipher", true },
		{ "b*", "binding", false },
		{ "binding", "binding", true },
		{ "binding*", "binding", true },
		{ "__bypass_smtp_rcptto_proxy", "__bypass_smtp_rcptto_proxy",
		    true },
		{ "__*", "__bypass_smtp_rcptto_proxy", false },
		{ "__bypass_*", "__bypass_smtp_rcptto_proxy", true },
		{ "outbound_*", "outbound_smtp_auth_pass", true },
		{ "outbound_*", "Outbound_SMTP_AUTH_Pass", false },
		{ "Outbound_*", "Outbound_SMTP_AUTH_Pass", false },
		{ "outbound_*", "outbound_SMTP_auth_pass", false },
		{ "Binding", "Binding", false },
	};

	char *patterns[2];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		patterns[0] = (char *)(uintptr_t)cases[i].pattern;
		patterns[1] = patterns[0];
		assert_int_equal(
		    context_name_allowed(cases[i].name, patterns, 1),
		    cases[i].want);
		assert_int_equal(
		    context_name_allowed(cases[i].name, patterns, 2),
		    cases[i].want);
	}
}

static void
test_secrets(void **state)
{
	static const char *const yes[] = { "outbound_smtp_auth_pass", "pass",
		"Password", "x.password", "my-secret", "db_PASS" };
	static const char *const no[] = { "__bypass", "bypass", "compass",
		"pass_count", "auth_user", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++)
		assert_true(context_name_secret(yes[i]));
	for (size_t i = 0; i < COUNT(no); i++)
		assert_false(context_name_secret(no[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_mistaken),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
