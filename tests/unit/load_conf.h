/* SPDX-License-Identifier: BSD-2-Clause */
/* load_conf - a configuration from a text, for tests of what uses one */
#ifndef POSTERN_TESTS_LOAD_CONF_H
#define POSTERN_TESTS_LOAD_CONF_H

#include "common/conf.h"
#include "common/log.h"

/* load_conf(text): the caller's, with conf_unref().  The test fails when there
 * is an error in it.  load_conf_at(path, text): the same through a file that
 * stays; path is a template of mkstemp(3). */
struct conf *load_conf(const char *text);
struct conf *load_conf_at(char *path, const char *text);

/* A log_sink that drops all. */
void log_nothing(enum log_level level, const char *line, void *arg);

#endif /* POSTERN_TESTS_LOAD_CONF_H */
