/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/ds_fixture.h"

static void
test_file(void **state)
{
	struct datasource *ds;
	struct datasource_stats stats;

	(void)state;
	write_file(text_file, "a.example mx1:25\na.example mx2\n");
	ds = open_uri("file", text_file);
	assert_int_equal(ask(ds, ":domain", "a.example"), OUTCOME_OK);
	assert_string_equal(said, "mx1:25 mx2");
	assert_int_equal(ask(ds, " :localpart\n", "a.example"), OUTCOME_OK);
	assert_string_equal(said, "");
	expect(ds, "SELECT host FROM r WHERE d = :domain", "a", OUTCOME_PERM,
	    "is one parameter, such as \":domain\"");
	expect(ds, ":domain:localpart", "a", OUTCOME_PERM, "is one parameter");
	expect(ds, ":", "a", OUTCOME_PERM, "is one parameter");
	expect(ds, "", "a", OUTCOME_PERM, "is one parameter");
	expect(ds, ":user", "a", OUTCOME_PERM, "no parameter :user");
	datasource_stats(ds, &stats);
	assert_int_equal(stats.entries, 0);
	datasource_free(ds);
}

static void
test_file_changes(void **state)
{
	struct datasource *ds;
	char moved[sizeof text_file + 4];

	(void)state;
	write_file(text_file, "a.example one\n");
	ds = open_uri("file", text_file);
	assert_int_equal(ask(ds, ":domain", "a.example"), OUTCOME_OK);
	assert_string_equal(said, "one");
	/* Another size; then another file of the same size. */
	write_file(text_file, "a.example second\n");
	assert_int_equal(ask(ds, ":domain", "a.example"), OUTCOME_OK);
	assert_string_equal(said, "second");
	(void)snprintf(moved, sizeof moved, "%s.new", text_file);
	write_file(moved, "a.example third!\n");
	assert_int_equal(rename(moved, text_file), 0);
	assert_int_equal(ask(ds, ":domain", "a.example"), OUTCOME_OK);
	assert_string_equal(said, "third!");
	/* A bad one is not taken, and is told once. */
	write_file(text_file, "a.example x\nb.example\n");
	logged[0] = '\0';
	assert_int_equal(ask(ds, ":domain", "a.example"), OUTCOME_OK);
	assert_int_equal(ask(ds, ":domain", "a.example"), OUTCOME_OK);
	assert_string_equal(said, "third!");
	assert_non_null(strstr(logged,
	    "/routes:2: a key without a value; what was read before stays in "
	    "use\n"));
	assert_ptr_equal(
	    strstr(logged, "a key without"), strrchr(logged, ':') + 2);
	/* Nor one that has gone. */
	assert_int_equal(unlink(text_file), 0);
	assert_int_equal(ask(ds, ":domain", "a.example"), OUTCOME_OK);
	assert_string_equal(said, "third!");
	assert_non_null(strstr(logged, "No such file or directory"));
	write_file(text_file, "a.example fourth\n");
	assert_int_equal(ask(ds, ":domain", "a.example"), OUTCOME_OK);
	assert_string_equal(said, "fourth");
	datasource_free(ds);
}

static void
test_file_missing_at_first(void **state)
{
	struct datasource *ds;

	(void)state;
	ds = open_uri("file", text_file);
	assert_non_null(strstr(logged, "No such file or directory"));
	assert_int_equal(ask(ds, ":domain", "a.example"), OUTCOME_TEMP);
	assert_non_null(strstr(said, "No such file or directory"));
	write_file(text_file, "a.example here\n");
	ahead_ms = 20000;
	assert_int_equal(ask(ds, ":domain", "a.example"), OUTCOME_OK);
	assert_string_equal(said, "here");
	datasource_free(ds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file),
		TEST(test_file_changes),
		TEST(test_file_missing_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
