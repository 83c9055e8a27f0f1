/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ds_rows - what a data source has answered: rows of named columns
 *
 * Cells are text, or NULL as SQL knows it.  Filled by a driver, then never
 * changed again and shared by reference: any thread.  They may be passwords:
 * they are wiped with the last reference, and never logged.
 */
#ifndef POSTERN_COMMON_DS_ROWS_H
#define POSTERN_COMMON_DS_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#define DS_COLUMNS_MAX 32
#define DS_CELL_MAX    65536   /* octets */
#define DS_ROWS_OCTETS 4194304 /* all cells of one answer */

struct ds_rows;

/* One cell as a driver finds it. */
struct ds_cell {
	const char *data; /* NULL: SQL's NULL */
	size_t len;
};

/* ds_rows_new(names, n): no rows yet, of n columns.  Copies the names.  NULL
 * when n is 0 or over DS_COLUMNS_MAX, or memory is short. */
struct ds_rows *ds_rows_new(const char *const *names, size_t n);

/*
 * ds_rows_add(r, cells): append a row of as many cells as there are columns.
 * Copies.  Returns NULL, or what is wrong as a constant text, with *column
 * set: a cell too long, one with a NUL octet, too much in all, no memory.
 */
const char *ds_rows_add(
    struct ds_rows *r, const struct ds_cell *cells, size_t *column);

struct ds_rows *ds_rows_ref(struct ds_rows *r);
void ds_rows_unref(struct ds_rows *r); /* NULL does nothing */

size_t ds_rows_count(const struct ds_rows *r);
size_t ds_rows_columns(const struct ds_rows *r);

/* ds_rows_name(r, column): a column's name. */
const char *ds_rows_name(const struct ds_rows *r, size_t column);

/*
 * ds_rows_find(r, name, column): the column of that name, ASCII case being
 * the same.  False when there is none.
 */
bool ds_rows_find(const struct ds_rows *r, const char *name, size_t *column);

/* ds_rows_cell(r, row, column): a cell, or NULL for SQL's NULL.  Borrowed. */
const char *ds_rows_cell(const struct ds_rows *r, size_t row, size_t column);

#endif /* POSTERN_COMMON_DS_ROWS_H */
