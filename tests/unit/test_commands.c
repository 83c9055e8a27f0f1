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

static void
quiet(enum log_level level, const char *line, void *arg)
{
	(void)level;
	(void)line;
	(void)arg;
}

static void
say(void *arg, bool error, const char *line)
{
	(void)arg;
	if (error)
		fprintf(stderr, "%s\n", line);
}

static struct conf *
load(char *path)
{
	static const char text[] = "hostname = \"edge.test\"\n";
	struct conf *c = NULL;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	assert_int_equal(conf_load(path, say, NULL, &c), 0);
	return c;
}

/* A signal may come while there is nothing yet to reload, or no more. */
static void
test_reload_only_while_open(void **state)
{
	char path[] = "/tmp/postern-test-XXXXXX", why[512] = "";
	struct milter_setup setup = { 0 };
	struct commands c = COMMANDS_INIT(path);
	struct prober_params pp = { 0 };
	struct conf *conf = load(path);

	(void)state;
	log_set_sink(quiet, NULL);
	assert_false(reload_now(&c.reload, why, sizeof(why)));
	assert_string_not_equal(why, "");
	setup.conf = conf_holder_new(conf);
	setup.verifier = verifier_new(conf, &pp, why, sizeof(why));
	assert_non_null(setup.conf);
	assert_non_null(setup.verifier);
	commands_open(&c, &setup);
	assert_true(reload_now(&c.reload, why, sizeof(why)));
	commands_close(&c);
	verifier_free(setup.verifier);
	conf_holder_free(setup.conf);
	assert_false(reload_now(&c.reload, why, sizeof(why)));
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
