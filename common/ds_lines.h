/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ds_lines - a file of "key value" lines, in memory
 *
 *	# a comment, or an empty line
 *	example.com    mx1.internal:25
 *	example.com    mx2.internal
 *
 * A key has no blanks; the value is the rest of the line.  A key may come
 * several times: its values keep their order.  Octets are taken as they are,
 * capitals and small letters being different; control characters but the tab
 * and what is not UTF-8 are refused, and so is a key without a value.
 * Immutable once loaded: any thread.
 */
#ifndef POSTERN_COMMON_DS_LINES_H
#define POSTERN_COMMON_DS_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/outcome.h"

#define DS_LINES_FILE_MAX 67108864 /* octets */
#define DS_LINES_LINE_MAX 4096     /* without the newline */

struct ds_lines;

struct ds_line_value {
	const char *data; /* not terminated */
	size_t len;
};

/*
 * ds_lines_new(name, data, len, out, f): read len octets.
 *
 *   name  of the file, for messages
 *   data  taken on success, to be freed with *out; came from malloc()
 *
 * Returns OUTCOME_OK; OUTCOME_PERM with *f "NAME:LINE: what is wrong";
 * OUTCOME_TEMP when memory is short.
 */
enum outcome ds_lines_new(const char *name, char *data, size_t len,
    struct ds_lines **out, struct fault *f);

struct ds_lines *ds_lines_ref(struct ds_lines *l);
void ds_lines_unref(struct ds_lines *l); /* NULL does nothing */

size_t ds_lines_count(const struct ds_lines *l);

/*
 * ds_lines_find(l, key): where the lines of that key begin, for
 * ds_lines_value().
 */
size_t ds_lines_find(const struct ds_lines *l, const char *key);

/*
 * ds_lines_value(l, i, key, v): the value of line i if its key is that one,
 * else false.  Beyond the lines too.
 */
bool ds_lines_value(const struct ds_lines *l, size_t i, const char *key,
    struct ds_line_value *v);

#endif /* POSTERN_COMMON_DS_LINES_H */
