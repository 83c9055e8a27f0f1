/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/load_conf.h"

void
log_nothing(enum log_level level, const char *line, void *arg)
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
		(void)fprintf(stderr, "%s\n", line);
}

struct conf *
load_conf_at(char *path, const char *text)
{
	struct conf *c = NULL;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(conf_load(path, say, NULL, &c), 0);
	return c;
}

struct conf *
load_conf(const char *text)
{
	char path[] = "/tmp/postern-test-XXXXXX";
	struct conf *c = load_conf_at(path, text);

	unlink(path);
	return c;
}
