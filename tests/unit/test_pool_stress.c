/* SPDX-License-Identifier: BSD-2-Clause */
/* Many logins while connections break, the upstream fails now and then and
 * the configuration changes: nothing hangs, nothing is lost or counted twice. */
#include "common/pool.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/pool_rig.h"

#define TAKERS 32
#define ROUNDS 40
#define MORE   "warm_sessions = 6 max_sessions = 12 idle_timeout = \"500ms\""

static void
trouble(struct pool_rig *rig, int round)
{
	switch (round % 6) {
	case 0:
	case 3:
		mini_drop(rig->up);
		break;
	case 1:
		/* Not for so long that the breaker would open. */
		mini_set_fail(rig->up, MINI_EHLO, MINI_451);
		(void)poll(NULL, 0, 1);
		mini_set_fail(rig->up, MINI_NONE, MINI_CLOSE);
		break;
	case 4:
		/* Takers go on with the route that they have. */
		pool_renew(rig->pool);
		pool_warm(rig->pool, rig->route, 0);
		break;
	default:
		break;
	}
}

static void
test_stress(void **state)
{
	static const enum pool_fate fates[] = { POOL_CLOSE, POOL_REUSE,
		POOL_UNUSED, POOL_CLOSE };
	const struct mini_params mp = { .auth = true, .xclient = true };
	struct taker takers[TAKERS];
	struct taker how = { .rounds = ROUNDS, .wait_ms = 20000 };
	struct pool_rig rig;
	struct pool_stats st;
	struct pool_lease *l;
	int i, good = 0;

	(void)state;
	rig_open(&rig, &mp, MORE);
	pool_warm(rig.pool, rig.route, 0);
	how.rig = &rig;
	for (i = 0; i < TAKERS; i++) {
		how.fate = fates[i % 4];
		takers_start(&takers[i], 1, &how);
	}
	for (i = 0; i < 30; i++) {
		(void)poll(NULL, 0, 10);
		trouble(&rig, i);
		/* The upstream itself may know of a lost one later. */
		stats(&rig, &st);
		assert_true(
		    st.idle + st.in_use + st.opening + st.closing <= 12);
	}
	for (i = 0; i < TAKERS; i++)
		good += takers_join(&takers[i], 1);
	assert_true(good > 0);
	stats(&rig, &st);
	assert_int_equal(st.waiting, 0);
	WAIT_FOR((stats(&rig, &st), st.in_use + st.opening + st.closing == 0));

	/* And it works, now as before: the breaker may have to close first. */
	rig_conf(&rig, MORE);
	pool_renew(rig.pool);
	pool_warm(rig.pool, rig.route, 0);
	WAIT_FOR((stats(&rig, &st), st.idle == 6));
	l = must_take(&rig);
	assert_true(lease_login(l));
	pool_give(l, POOL_CLOSE);
	rig_close(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
