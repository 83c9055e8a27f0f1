/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_table - the rows of params.h as data
 *
 * One description per section of the file: the options with their places in
 * the structures of conf.h, and the sections that may stand inside.  All of
 * it is constant; any thread.
 */
#ifndef POSTERN_COMMON_CONF_TABLE_H
#define POSTERN_COMMON_CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum conf_kind {
	CONF_KIND_BOOL,
	CONF_KIND_INT,
	CONF_KIND_DURATION,
	CONF_KIND_STRING,
	CONF_KIND_SECRET,
	CONF_KIND_LIST,
	CONF_KIND_ENUM,
};

struct conf_param {
	enum conf_kind kind;
	const char *name; /* NULL ends an array */
	const char *dflt; /* NULL: unset */
	long long min;
	long long max;
	const char *words;
	const char *help;
	size_t offset; /* of the field in the section's object */
};

struct conf_section {
	const char *name;
	bool titled; /* and then any number of them */
	const struct conf_param *params;
	const struct conf_section *const *inner; /* ends with NULL; or NULL */
};

extern const struct conf_section conf_section_root; /* struct conf */

/* The options of an object, for each kind of object.  The offsets of
 * outbound_smtp_auth are those of struct conf. */
extern const struct conf_param conf_params_global[];
extern const struct conf_param conf_params_datasource[];
extern const struct conf_param conf_params_rcptto[];
extern const struct conf_param conf_params_auth[];
extern const struct conf_param conf_params_outbound[];
extern const struct conf_param conf_params_credential[];
extern const struct conf_param conf_params_binding[];
extern const struct conf_param conf_params_peer[];
extern const struct conf_param conf_params_milter[];
extern const struct conf_param conf_params_authd[];
extern const struct conf_param conf_params_front[];
extern const struct conf_param conf_params_tag[];

#endif /* POSTERN_COMMON_CONF_TABLE_H */
