/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/context.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define A16  "aaaaaaaaaaaaaaaa"
#define A64  A16 A16 A16 A16
#define PASS "hush4321 and more"

/* Blocks given back with the password still in them. */
static int left_behind;

void __real_free(void *p);
void __wrap_free(void *p);

void
__wrap_free(void *p)
{
	if (p != NULL &&
	    memmem(p, malloc_usable_size(p), PASS, strlen(PASS)) != NULL)
		left_behind++;
	__real_free(p);
}

/* Write "name=value/origin " for each, to compare with. */
static bool
dump(const char *name, const char *value, const char *origin, void *arg)
{
	char *out = arg;
	size_t len = strlen(out);

	(void)snprintf(out + len, 512 - len, "%s=%s/%s ", name, value, origin);
	return strcmp(name, "stop") != 0;
}

static void
check_dump(const struct context *c, bool all, const char *want)
{
	char got[512] = "";

	assert_int_equal(context_foreach(c, dump, got), all);
	assert_string_equal(got, want);
}

static void
test_set_get_unset(void **state)
{
	struct context c;
	const char *why = "x";

	(void)state;
	context_init(&c);
	check_dump(&c, true, "");
	assert_null(context_get(&c, "tenant"));
	assert_null(context_origin(&c, "tenant"));
	assert_true(context_set(&c, "tenant", "acme", "peer", &why));
	assert_null(why);
	assert_true(context_set(&c, "b", "", NULL, NULL));
	assert_true(context_set(&c, "c", "3", "script", NULL));
	check_dump(&c, true, "tenant=acme/peer b=/ c=3/script ");
	/* a value set again keeps its place; names differ by case */
	assert_true(context_set(&c, "tenant", "other", "client", NULL));
	assert_true(context_set(&c, "Tenant", "third", "client", NULL));
	check_dump(&c, true,
	    "tenant=other/client b=/ c=3/script Tenant=third/client ");
	assert_string_equal(context_get(&c, "tenant"), "other");
	assert_string_equal(context_origin(&c, "tenant"), "client");
	assert_true(context_unset(&c, "b"));
	assert_false(context_unset(&c, "b"));
	assert_true(context_unset(&c, "Tenant"));
	check_dump(&c, true, "tenant=other/client c=3/script ");
	context_clear(&c);
	check_dump(&c, true, "");
	assert_true(context_set(&c, "again", "1", "x", NULL));
	context_release(&c);
	context_release(&c);
	assert_int_equal(c.count, 0);
}

static void
test_foreach_stops(void **state)
{
	struct context c;

	(void)state;
	context_init(&c);
	assert_true(context_set(&c, "a", "1", "o", NULL));
	assert_true(context_set(&c, "stop", "2", "o", NULL));
	assert_true(context_set(&c, "b", "3", "o", NULL));
	check_dump(&c, false, "a=1/o stop=2/o ");
	context_release(&c);
}

static void
test_bad_names_and_values(void **state)
{
	static const char *const names[] = { "", "a b", "a=b", "a:b", "a\n",
		"a*", "\xc3\xb6", "[x]", "a/b", A64 "a" };
	static const char *const values[] = { "a\r\nX-Forged: 1", "\n", "a\tb",
		"\x7f", "\x01" };
	struct context c;
	const char *why;
	size_t i;

	(void)state;
	context_init(&c);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_false(context_name_ok(names[i]));
		why = NULL;
		if (context_set(&c, names[i], "v", "o", &why))
			fail_msg("name '%s': taken", names[i]);
		assert_non_null(why);
	}
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		why = NULL;
		if (context_set(&c, "n", values[i], "o", &why))
			fail_msg("value '%s': taken", values[i]);
		assert_string_equal(why, "control character in the value");
	}
	assert_int_equal(c.count, 0);
	assert_true(context_name_ok("__bypass_smtp_rcptto_proxy"));
	assert_true(context_name_ok("a-b.C_9"));
	context_release(&c);
}

static void
test_bounds(void **state)
{
	char name[CONTEXT_NAME_MAX + 2], value[CONTEXT_VALUE_MAX + 2];
	struct context c;
	const char *why;
	int i;

	(void)state;
	context_init(&c);
	memset(name, 'n', sizeof(name));
	memset(value, 'v', sizeof(value));
	name[CONTEXT_NAME_MAX] = '\0';
	value[CONTEXT_VALUE_MAX] = '\0';
	/* a long origin is cut */
	assert_true(context_set(&c, name, value, value, NULL));
	assert_string_equal(context_get(&c, name), value);
	assert_int_equal(strlen(context_origin(&c, name)), CONTEXT_ORIGIN_MAX);
	value[CONTEXT_VALUE_MAX] = 'v';
	value[CONTEXT_VALUE_MAX + 1] = '\0';
	assert_false(context_set(&c, name, value, "o", &why));
	assert_string_equal(why, "value longer than 1024 octets");
	/* what was there stays */
	assert_int_equal(strlen(context_get(&c, name)), CONTEXT_VALUE_MAX);

	for (i = 1; i < CONTEXT_NAMES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_true(context_set(&c, name, "v", "o", NULL));
	}
	assert_false(context_set(&c, "one_more", "v", "o", &why));
	assert_string_equal(why, "more than 128 names");
	assert_true(context_set(&c, "n1", "new", "o", NULL));
	assert_true(context_unset(&c, "n1"));
	assert_true(context_set(&c, "one_more", "v", "o", NULL));
	context_release(&c);
}

/* Values are copied from one name to another, and onto themselves. */
static void
test_arguments_from_inside(void **state)
{
	struct context c;

	(void)state;
	context_init(&c);
	assert_true(context_set(&c, "a", "value", "origin", NULL));
	assert_true(context_set(
	    &c, "a", context_get(&c, "a"), context_origin(&c, "a"), NULL));
	assert_true(context_set(
	    &c, "b", context_get(&c, "a"), context_origin(&c, "a"), NULL));
	assert_true(context_set(&c, "a", context_get(&c, "a") + 2,
	    context_origin(&c, "a") + 2, NULL));
	check_dump(&c, true, "a=lue/igin b=value/origin ");
	context_release(&c);
}

/* Whichever way a value goes, none of it is left in memory. */
static void
test_wiped(void **state)
{
	struct context c, d;
	char *block;

	(void)state;
	context_init(&c);
	context_init(&d);
	left_behind = 0;
	assert_non_null(block = strdup(PASS));
	free(block);
	assert_int_equal(left_behind, 1); /* would be seen */

	left_behind = 0;
	assert_true(context_set(&c, "pass", PASS, "o", NULL));
	assert_true(context_copy(&d, &c));
	assert_true(context_set(&c, "pass", "other", "o", NULL));
	assert_true(context_unset(&d, "pass"));
	assert_true(context_set(&c, "pass", PASS, "o", NULL));
	context_clear(&c);
	assert_true(context_set(&c, "pass", PASS, "o", NULL));
	context_release(&c);
	assert_false(context_set(&c, "bad name", PASS, "o", NULL));
	for (int i = 0; i < CONTEXT_NAMES_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d", i);
		assert_true(context_set(&c, name, "v", "o", NULL));
	}
	assert_false(context_set(&c, "pass", PASS, "o", NULL));
	context_release(&c);
	context_release(&d);
	assert_int_equal(left_behind, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_get_unset),
		cmocka_unit_test(test_foreach_stops),
		cmocka_unit_test(test_bad_names_and_values),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_arguments_from_inside),
		cmocka_unit_test(test_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
