/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/memory_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

_Atomic int64_t ahead_ms;

int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);

int64_t
__wrap_clock_ms(void)
{
	return __real_clock_ms() + ahead_ms;
}

int
rewind_clock(void **state)
{
	(void)state;
	ahead_ms = 0;
	return 0;
}

struct auth_memory *
make(size_t max)
{
	struct auth_memory *m = auth_memory_new(max);

	assert_non_null(m);
	return m;
}

enum auth_memory_answer
begin_by(struct auth_memory *m, const char *route, const char *account,
    const char *pass, int64_t wait_ms, struct auth_claim **claim)
{
	struct secret s = { NULL, 0 };
	struct auth_pair p = { route, account, &s };
	enum auth_memory_answer answer;

	assert_true(secret_set(&s, pass, strlen(pass)));
	answer = auth_memory_begin(m, &p, deadline_in(wait_ms), claim);
	secret_release(&s);
	return answer;
}

enum auth_memory_answer
begin(struct auth_memory *m, const char *account, const char *pass,
    struct auth_claim **claim)
{
	return begin_by(m, "global", account, pass, 10000, claim);
}

void
told(struct auth_memory *m, const char *account, const char *pass,
    enum auth_end end, int64_t life_ms)
{
	struct auth_claim *c;

	assert_int_equal(begin(m, account, pass, &c), AUTH_MEMORY_ASK);
	assert_non_null(c);
	auth_claim_end(c, end, life_ms);
}

enum auth_memory_answer
look(struct auth_memory *m, const char *account, const char *pass)
{
	struct auth_claim *c;
	enum auth_memory_answer a = begin(m, account, pass, &c);

	assert_int_equal(c != NULL, a == AUTH_MEMORY_ASK);
	auth_claim_end(c, AUTH_END_UNSURE, 0);
	return a;
}

bool
known(struct auth_memory *m, const char *account, const char *pass)
{
	struct auth_claim *c;
	bool is;

	assert_int_equal(begin(m, account, pass, &c), AUTH_MEMORY_ASK);
	is = auth_claim_known(c);
	auth_claim_end(c, AUTH_END_UNSURE, 0);
	return is;
}
