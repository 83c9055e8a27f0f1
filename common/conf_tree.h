/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_tree - libconfuse's part of reading the configuration
 *
 * Builds libconfuse's option lists from conf_table.h, lets it parse the text
 * of a conf_source, and gives the values back with their places.  libconfuse
 * has one scanner for the whole process: a lock lets in one thread at a time.
 */
#ifndef POSTERN_COMMON_CONF_TREE_H
#define POSTERN_COMMON_CONF_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include <confuse.h>

#include "common/conf_source.h"
#include "common/conf_table.h"

/*
 * conf_tree_parse(s, out): parse s->text by conf_section_root.
 *
 *   out  the tree, for conf_tree_free(); NULL on failure.  Its values are
 *        borrowed from s, which must outlive it.
 *
 * Returns 0, or -1 after an error has been told.
 */
int conf_tree_parse(struct conf_source *s, cfg_t **out);
void conf_tree_free(cfg_t *tree); /* NULL does nothing */

/* Of a section that is NULL the following say that nothing is set. */

/* conf_tree_count(sec, name): values of an option, or sections of a name. */
size_t conf_tree_count(cfg_t *sec, const char *name);

/* conf_tree_value(sec, name, i): one value of an option; NULL beyond them. */
const struct conf_value *conf_tree_value(
    cfg_t *sec, const char *name, size_t i);

/* conf_tree_is_set(sec, name): was it given a value, or an empty list?
 * `false` is none, unless the option is a BOOL. */
bool conf_tree_is_set(cfg_t *sec, const struct conf_param *param);

/* conf_tree_has(sec, params, name): the same, by name. */
bool conf_tree_has(
    cfg_t *sec, const struct conf_param *params, const char *name);

/* Where a section begins, and where an option is set: its first value, or
 * the section when it has none. */
struct conf_place conf_tree_place(const struct conf_source *s, cfg_t *sec);
struct conf_place conf_tree_option_place(
    const struct conf_source *s, cfg_t *sec, const char *name);

#endif /* POSTERN_COMMON_CONF_TREE_H */
