/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/plugin/login.h"

void
login_begin(struct host *h, struct fake_authd *f, const struct fake_plan *plan)
{
	fake_stop(f);
	fake_listen(f, "auth", 5);
	fake_serve(f, plan);
	host_connect(h, NULL);
	h->log[0] = '\0';
}

void
login_end(struct host *h, struct fake_authd *f)
{
	assert_null(strstr(h->log, "wonder"));
	assert_int_equal(h->stock_checks, 0);
	host_stop(h);
	fake_stop(f);
	(void)unlink("auth");
}
