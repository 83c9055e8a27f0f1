/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/shield_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

const struct shield_limits limits = {
	.failures = 3,
	.window_ms = 30 * MINUTE,
	.client_failures = 10,
	.client_window_ms = 10 * MINUTE,
};

struct shield *
make(size_t max)
{
	struct shield *s = shield_new(max, max);

	assert_non_null(s);
	return s;
}

struct shield_visit
visit(const char *account, const char *client)
{
	return (struct shield_visit){
		.route = "global", .account = account, .client = client
	};
}

enum shield_answer
attempt(
    struct shield *s, struct shield_visit v, enum shield_end end, int64_t now)
{
	enum shield_answer a = shield_enter(s, &v, &limits, now);

	if (a == SHIELD_PASS)
		shield_leave(s, &v, end, now);
	return a;
}

enum shield_answer
guess(struct shield *s, const char *account, const char *client, int64_t now)
{
	return attempt(s, visit(account, client), SHIELD_BAD, now);
}

enum shield_answer
ask(struct shield *s, const char *account, const char *client, int64_t now)
{
	return attempt(s, visit(account, client), SHIELD_UNSURE, now);
}
