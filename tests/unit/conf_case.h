/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_case - loading configurations from memory, for the tests of conf
 */
#ifndef POSTERN_TESTS_UNIT_CONF_CASE_H
#define POSTERN_TESTS_UNIT_CONF_CASE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/conf.h"
#include "common/strbuf.h"

struct conf_case_file {
	const char *name;
	const char *text;
	size_t len; /* 0: strlen(text) */
	bool world_readable;
};

struct conf_case {
	struct conf *c;     /* NULL when loading failed */
	struct strbuf said; /* "error: LINE\n" and "warning: LINE\n" */
	unsigned int errors;
	unsigned int warnings;
};

/* Load files[0], which may include the others; n files. */
void conf_case_load(
    struct conf_case *k, const struct conf_case_file *files, size_t n);

/* Load one file "t.conf" with this text. */
void conf_case_text(struct conf_case *k, const char *text);

/* Load a file of tests/data/conf, readable by its owner alone or by all. */
void conf_case_data(struct conf_case *k, const char *name);

void conf_case_release(struct conf_case *k);

/* A conf_say that gathers into a struct conf_case. */
void conf_case_say(void *arg, bool error, const char *line);

/* The effective configuration as text; the caller frees. */
char *conf_case_print(const struct conf *c);

#endif /* POSTERN_TESTS_UNIT_CONF_CASE_H */
