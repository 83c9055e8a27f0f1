/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/carry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/conf.h"
#include "common/control.h"
#include "common/log.h"
#include "tests/unit/conf_case.h"

/* In place of postern-authd: its answer, and what it was told. */
static struct {
	int rc, asked;
	const char *why;
	char path[64], request[20000];
} authd;

int __wrap_control_ask_within(const char *path, const char *request,
    int seconds, FILE *out, char *why, size_t len);

int
__wrap_control_ask_within(const char *path, const char *request, int seconds,
    FILE *out, char *why, size_t len)
{
	assert_null(out);
	assert_in_range(seconds, 1, 10);
	assert_in_range(strlen(request), 1, CONTROL_LINE_MAX - 2);
	snprintf(authd.path, sizeof(authd.path), "%s", path);
	snprintf(authd.request, sizeof(authd.request), "%s", request);
	snprintf(why, len, "%s", authd.why != NULL ? authd.why : "");
	authd.asked++;
	return authd.rc;
}

static char logged[LOG_LINE_MAX + 1];

static void
sink(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	snprintf(logged, sizeof(logged), "%s: %s", log_level_name(level), line);
}

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

static void
set(struct context *c, const char *name, const char *value)
{
	assert_true(context_set(c, name, value, "test", NULL));
}

/* The message's context comes first, also when it unsets. */
static void
test_read(void **state)
{
	struct context connection, message;
	struct carry c;

	(void)state;
	context_init(&connection);
	context_init(&message);
	assert_false(carry_read(&c, &connection, &message));
	set(&connection, "outbound_smtp_auth_username", "x");
	set(&connection, "outbound_smtp_auth", "x");
	assert_false(carry_read(&c, &connection, &message));
	set(&connection, "outbound_smtp_auth_user", "ann");
	set(&connection, "outbound_smtp_auth_pass", "secret");
	set(&connection, "outbound_smtp_auth_type", "False");
	set(&message, "outbound_smtp_auth_key", "key");
	assert_true(carry_read(&c, &connection, &message));
	assert_string_equal(c.values[CARRY_USER], "ann");
	assert_string_equal(c.values[CARRY_PASS], "secret");
	assert_string_equal(c.values[CARRY_TYPE], "");
	assert_string_equal(c.values[CARRY_KEY], "key");
	assert_string_equal(c.values[CARRY_BINDING], "");
	carry_release(&c);
	for (size_t i = 0; i < sizeof(c); i++)
		assert_int_equal(((const char *)&c)[i], 0);

	set(&message, "outbound_smtp_auth_user", "false");
	set(&message, "outbound_smtp_auth_pass", "");
	set(&message, "outbound_smtp_auth_key", "FALSE");
	assert_false(carry_read(&c, &connection, &message));
	set(&message, "outbound_smtp_auth_user", "bob");
	assert_true(carry_read(&c, &connection, &message));
	assert_string_equal(c.values[CARRY_USER], "bob");
	assert_string_equal(c.values[CARRY_PASS], "");
	set(&message, "outbound_smtp_auth_user", "false");
	set(&connection, "binding", "a");
	assert_true(carry_read(&c, &connection, &message));
	assert_string_equal(c.values[CARRY_BINDING], "a");
	set(&message, "binding", "false");
	assert_false(carry_read(&c, &connection, &message));
	context_release(&connection);
	context_release(&message);
}

static void
test_mta(void **state)
{
	static const struct {
		const char *macros[9];
		const char *id;
		enum carry_mta mta;
	} cases[] = {
		{ { NULL }, "a1", CARRY_UNSURE },
		{ { "v", "Postfix 3.7.11" }, NULL, CARRY_POSTFIX },
		{ { "v", "Postfix" }, "a1", CARRY_POSTFIX },
		{ { "v", "Postfix", "{opMode}", "d", "i", "a1" }, "a1",
		    CARRY_POSTFIX },
		{ { "v", "8.17.1.9", "{opMode}", "d", "i", "a1" }, "a1",
		    CARRY_SENDMAIL },
		{ { "v", "8.17.1.9", "{opMode}", "d", "i", "a1" }, "a2",
		    CARRY_UNSURE },
		{ { "v", "8.17.1.9", "{opMode}", "d", "i", "a1" }, NULL,
		    CARRY_UNSURE },
		{ { "v", "8.17.1.9", "{opMode}", "d" }, "a1", CARRY_UNSURE },
		{ { "v", "8.17.1.9", "{opMode}", "", "i", "a1" }, "a1",
		    CARRY_UNSURE },
		{ { "v", "8.17.1.9", "i", "a1" }, "a1", CARRY_UNSURE },
		{ { "v", "8", "{opMode}", "d", "i", "a1" }, "a1",
		    CARRY_UNSURE },
		{ { "v", "", "{opMode}", "d", "i", "a1" }, "a1", CARRY_UNSURE },
		{ { "{opMode}", "d", "i", "a1" }, "a1", CARRY_UNSURE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct carry_message m = { .id = cases[i].id, .client = "" };
		const char *macros[9];

		memcpy(macros, cases[i].macros, sizeof(macros));
		m.macros = (struct macros){ from_list, macros };
		if (carry_mta(&m) != cases[i].mta)
			fail_msg("case %zu", i);
	}
}

/* All that postern-authd can be asked fits, and nothing is logged of it. */
static void
test_longest(void **state)
{
	static const char conf[] =
	    "outbound_smtp_auth { message_credentials = true }\n"
	    "authd { control = \"unix:/run/authd\" }\n";
	const char *macros[] = { "v", "8.17.1", "{opMode}", "d", "i", "a1",
		NULL };
	struct carry_message m = { { from_list, macros }, "a1", NULL, "" };
	struct conf_case k;
	struct carry c;

	(void)state;
	conf_case_text(&k, conf);
	assert_non_null(k.c);
	memset(&c, 0, sizeof(c));
	memset(c.values[CARRY_USER], '+', 255);
	memset(c.values[CARRY_PASS], '=', CONTEXT_VALUE_MAX);
	memset(c.values[CARRY_KEY], ' ', CONTEXT_VALUE_MAX);
	memset(c.values[CARRY_BINDING], 'b', 64);
	snprintf(c.values[CARRY_TYPE], sizeof(c.values[0]), "lOGIN");
	memset(&authd, 0, sizeof(authd));
	assert_true(carry_end(&c, k.c, &m));
	assert_string_equal(authd.path, "/run/authd");
	assert_int_equal(strlen(authd.request),
	    strlen("outbound put a1 user= pass= type=LOGIN key= binding=") +
		64 + (size_t)3 * (255 + 2 * CONTEXT_VALUE_MAX));
	assert_null(strstr(logged, "=="));
	assert_non_null(strstr(logged, "info: outbound: id=a1 client=unknown"));

	authd.rc = 1;
	authd.why = "no more room";
	assert_false(carry_end(&c, k.c, &m));
	assert_int_equal(authd.asked, 2);
	assert_non_null(strstr(logged, "warning: outbound: id=a1"));
	assert_null(strstr(logged, "=="));
	memset(c.values[CARRY_USER], 'u', 256);
	assert_false(carry_end(&c, k.c, &m));
	assert_non_null(strstr(logged, "outbound_smtp_auth_user is too long"));
	assert_int_equal(authd.asked, 2);
	conf_case_release(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_mta),
		cmocka_unit_test(test_longest),
	};

	log_set_sink(sink, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
