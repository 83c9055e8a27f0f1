/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_param - options in the structures of conf.h, by their rows
 *
 * What can be done with a field when all that is known is its row: set it
 * from the file, from its default or from another object, print it, free it.
 */
#ifndef POSTERN_COMMON_CONF_PARAM_H
#define POSTERN_COMMON_CONF_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/conf_table.h"
#include "common/conf_tree.h"

/*
 * conf_params_load(s, sec, params, obj, base): fill an object.
 *
 *   sec   its section; NULL is one without any option
 *   base  where an option that is not set comes from: an object of the same
 *         kind, or NULL for the defaults
 *
 * Returns 0, or -1 when memory is short.  Wrong values are told, and leave
 * the default.
 */
int conf_params_load(struct conf_source *s, cfg_t *sec,
    const struct conf_param *params, void *obj, const void *base);

/* conf_params_free(params, obj): free and zero what the fields own. */
void conf_params_free(const struct conf_param *params, void *obj);

/*
 * conf_param_print(fp, indent, param, obj): "name = value" as a line of the
 * file; secrets as "********".
 */
void conf_param_print(
    FILE *fp, int indent, const struct conf_param *param, const void *obj);

/* conf_print_string(fp, text): in quotes, with escapes. */
void conf_print_string(FILE *fp, const char *text);

/* conf_list_free(l): free the strings and zero the list. */
void conf_list_free(struct strlist *l);

/* conf_list_add(l, text): append a copy; false when memory is short. */
bool conf_list_add(struct strlist *l, const char *text);

#endif /* POSTERN_COMMON_CONF_PARAM_H */
