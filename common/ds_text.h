/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ds_text - the named parameters in the text of a query
 *
 * A parameter is a colon and a name, ":domain", outside of quotes and
 * comments: 'a:b', "a:b", `a:b`, -- a:b and C's comments hold none, and
 * neither does PostgreSQL's "x::int".  Pure.
 */
#ifndef POSTERN_COMMON_DS_TEXT_H
#define POSTERN_COMMON_DS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct ds_name {
	const char *at; /* behind the colon; not terminated */
	size_t len;
};

/*
 * ds_text_next(text, name): the next parameter.
 *
 *   text  where to begin; moved behind the parameter
 *   name  set on success
 *
 * Returns false at the end.
 */
bool ds_text_next(const char **text, struct ds_name *name);

/*
 * ds_text_check(text, allowed, name): is every parameter one of allowed, a
 * list of names that ends in NULL?  If not, *name is the first that is none.
 */
bool ds_text_check(
    const char *text, const char *const *allowed, struct ds_name *name);

#endif /* POSTERN_COMMON_DS_TEXT_H */
