/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests in saslauthd's protocol, whole, in parts, and wrong. */
#include "saslauth-plugin/saslauthd_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The first four fields are so long. */
#define FOUR (2 + 3 + 2 + 6 + 2 + 4 + 2 + 11)

static const char five[] =
    "\0\003ann\0\006secret\0\004smtp\0\013example.org\0\016192.0.2.1;1025";

/* From memory of exactly that size, so that a sanitizer sees each octet read
 * too many. */
static enum saslauthd_state
parse(const char *text, size_t len, struct saslauthd_request *rq)
{
	unsigned char *exact = malloc(len > 0 ? len : 1);
	const char *why = NULL;
	enum saslauthd_state state;

	assert_non_null(exact);
	memcpy(exact, text, len);
	state = saslauthd_parse(exact, len, rq, &why);
	if (state == SASLAUTHD_BAD)
		assert_non_null(why);
	free(exact);
	return state;
}

static void
assert_field(const struct saslauthd_field *f, const char *want)
{
	assert_int_equal(f->len, strlen(want));
	assert_memory_equal(f->data, want, f->len);
}

static void
test_whole(void **state)
{
	struct saslauthd_request rq;
	const unsigned char *buf = (const unsigned char *)five;

	(void)state;
	assert_int_equal(saslauthd_parse(buf, FOUR, &rq, NULL), SASLAUTHD_FOUR);
	assert_field(&rq.login, "ann");
	assert_field(&rq.password, "secret");
	assert_field(&rq.service, "smtp");
	assert_field(&rq.realm, "example.org");
	assert_int_equal(rq.client.len, 0);
	assert_int_equal(
	    saslauthd_parse(buf, sizeof(five) - 1, &rq, NULL), SASLAUTHD_FIVE);
	assert_field(&rq.login, "ann");
	assert_field(&rq.client, "192.0.2.1;1025");
}

static void
test_parts(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(five) - 1; n++)
		assert_int_equal(parse(five, n, NULL),
		    n == FOUR ? SASLAUTHD_FOUR : SASLAUTHD_MORE);
	assert_int_equal(parse(five, sizeof(five), NULL), SASLAUTHD_BAD);
}

static void
test_empty_fields(void **state)
{
	static const char none[10] = { 0 };
	struct saslauthd_request rq;

	(void)state;
	assert_int_equal(parse(none, 6, NULL), SASLAUTHD_MORE);
	assert_int_equal(parse(none, 8, &rq), SASLAUTHD_FOUR);
	assert_int_equal(rq.login.len + rq.password.len + rq.realm.len, 0);
	assert_int_equal(parse(none, 9, NULL), SASLAUTHD_MORE);
	assert_int_equal(parse(none, 10, NULL), SASLAUTHD_FIVE);
}

/* A field that would make the request too long is bad before it has come. */
static void
test_long(void **state)
{
	static char buf[SASLAUTHD_REQUEST_MAX + 1];
	const size_t most = SASLAUTHD_REQUEST_MAX - 8;

	(void)state;
	memset(buf, 0, sizeof(buf));
	buf[0] = (char)(most >> 8);
	buf[1] = (char)(most & 0xff);
	assert_int_equal(
	    parse(buf, SASLAUTHD_REQUEST_MAX, NULL), SASLAUTHD_FOUR);
	assert_int_equal(
	    parse(buf, SASLAUTHD_REQUEST_MAX + 1, NULL), SASLAUTHD_BAD);
	buf[SASLAUTHD_REQUEST_MAX - 1] = 1;
	assert_int_equal(
	    parse(buf, SASLAUTHD_REQUEST_MAX, NULL), SASLAUTHD_BAD);
	assert_int_equal(parse("\037\376", 2, NULL), SASLAUTHD_MORE);
	assert_int_equal(parse("\037\377", 2, NULL), SASLAUTHD_BAD);
	assert_int_equal(parse("\377\377", 2, NULL), SASLAUTHD_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_empty_fields),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
