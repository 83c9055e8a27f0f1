/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that come too early or too late. */
#include "milter/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/conf.h"
#include "common/conf_holder.h"
#include "common/log.h"
#include "common/probe.h"
#include "common/verify.h"
#include "milter/milter.h"
#include "tests/unit/load_conf.h"

#define TEXT "hostname = \"edge.test\"\n"

/* A signal may come while there is nothing yet to reload, or no more. */
static void
test_reload_only_while_open(void **state)
{
	char path[] = "/tmp/postern-test-XXXXXX", why[512] = "";
	struct milter_setup setup = { 0 };
	struct commands c = COMMANDS_INIT(path);
	struct prober_params pp = { 0 };
	struct conf *conf = load_conf_at(path, TEXT);

	(void)state;
	log_set_sink(log_nothing, NULL);
	assert_false(reload_now(&c.reload, NULL, why, sizeof(why)));
	assert_string_not_equal(why, "");
	setup.conf = conf_holder_new(conf);
	setup.verifier = verifier_new(conf, &pp, why, sizeof(why));
	assert_non_null(setup.conf);
	assert_non_null(setup.verifier);
	commands_open(&c, &setup);
	assert_true(reload_now(&c.reload, NULL, why, sizeof(why)));
	commands_close(&c);
	verifier_free(setup.verifier);
	conf_holder_free(setup.conf);
	assert_false(reload_now(&c.reload, NULL, why, sizeof(why)));
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reload_only_while_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
