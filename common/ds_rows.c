/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ds_rows.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct ds_rows {
	atomic_uint refs;
	size_t columns;
	size_t rows;
	size_t room;   /* cells that there is memory for */
	size_t octets; /* in all cells */
	char *names[DS_COLUMNS_MAX];
	char **cells; /* rows * columns of them */
};

struct ds_rows *
ds_rows_new(const char *const *names, size_t n)
{
	struct ds_rows *r;
	size_t i;

	if (n == 0 || n > DS_COLUMNS_MAX)
		return NULL;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	atomic_init(&r->refs, 1);
	r->columns = n;
	for (i = 0; i < n; i++) {
		r->names[i] = strdup(names[i]);
		if (r->names[i] == NULL) {
			ds_rows_unref(r);
			return NULL;
		}
	}
	return r;
}

struct ds_rows *
ds_rows_ref(struct ds_rows *r)
{
	(void)atomic_fetch_add(&r->refs, 1);
	return r;
}

/* It may be a password. */
static void
cell_free(char *cell)
{
	if (cell != NULL)
		explicit_bzero(cell, strlen(cell));
	free(cell);
}

void
ds_rows_unref(struct ds_rows *r)
{
	size_t i;

	if (r == NULL || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	for (i = 0; i < r->columns; i++)
		free(r->names[i]);
	for (i = 0; i < r->rows * r->columns; i++)
		cell_free(r->cells[i]);
	free(r->cells);
	free(r);
}

/* Room for one more row. */
static bool
grow(struct ds_rows *r)
{
	size_t room = r->room * 2 + 4 * r->columns;
	char **cells;

	if (r->room - r->rows * r->columns >= r->columns)
		return true;
	cells = reallocarray(r->cells, room, sizeof *cells);
	if (cells == NULL)
		return false;
	r->cells = cells;
	r->room = room;
	return true;
}

static const char *
wrong_with(const struct ds_rows *r, const struct ds_cell *c)
{
	if (c->data == NULL)
		return NULL;
	if (c->len > DS_CELL_MAX)
		return "a value of more than 65536 octets";
	if (memchr(c->data, '\0', c->len) != NULL)
		return "a value with a NUL octet";
	if (c->len > DS_ROWS_OCTETS - r->octets)
		return "more than 4 MiB of values";
	return NULL;
}

const char *
ds_rows_add(struct ds_rows *r, const struct ds_cell *cells, size_t *column)
{
	const char *wrong = NULL;
	char **row;
	size_t i;

	*column = 0;
	if (!grow(r))
		return "no memory";
	row = r->cells + r->rows * r->columns;
	for (i = 0; i < r->columns && wrong == NULL; i++) {
		*column = i;
		row[i] = NULL;
		wrong = wrong_with(r, &cells[i]);
		if (wrong != NULL || cells[i].data == NULL)
			continue;
		row[i] = strndup(cells[i].data, cells[i].len);
		if (row[i] == NULL)
			wrong = "no memory";
		else
			r->octets += cells[i].len;
	}
	if (wrong != NULL) {
		while (i-- > 0)
			cell_free(row[i]);
		return wrong;
	}
	r->rows++;
	return NULL;
}

size_t
ds_rows_count(const struct ds_rows *r)
{
	return r->rows;
}

size_t
ds_rows_columns(const struct ds_rows *r)
{
	return r->columns;
}

const char *
ds_rows_name(const struct ds_rows *r, size_t column)
{
	return r->names[column];
}

bool
ds_rows_find(const struct ds_rows *r, const char *name, size_t *column)
{
	size_t i;

	for (i = 0; i < r->columns; i++) {
		if (strcasecmp(r->names[i], name) == 0) {
			*column = i;
			return true;
		}
	}
	return false;
}

const char *
ds_rows_cell(const struct ds_rows *r, size_t row, size_t column)
{
	return r->cells[row * r->columns + column];
}
