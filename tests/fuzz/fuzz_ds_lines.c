/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Octets into ds_lines_new(): what it takes must give back every key with
 * all of its values in the file's order; what it refuses has a reason.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/ds_lines.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

/* The key that a line begins with, as a string; NULL when it has none. */
static char *
key_of(const char *line, size_t len)
{
	size_t begin = 0, end;

	while (begin < len && (line[begin] == ' ' || line[begin] == '\t'))
		begin++;
	if (begin == len || line[begin] == '#')
		return NULL;
	for (end = begin; end < len; end++) {
		if (line[end] == ' ' || line[end] == '\t')
			break;
	}
	return strndup(line + begin, end - begin);
}

/* Walks through the lines as they stand in the file: each must be among the
 * values of its key, behind the one that was found before it. */
static size_t
check_lines(const struct ds_lines *l, const char *data, size_t size)
{
	const char *p = data, *end = data + size, *before;
	struct ds_line_value v;
	size_t n = 0, i;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl != NULL ? nl : end) - p);
		char *key = key_of(p, len);

		if (key != NULL) {
			bool found = false;

			before = NULL;
			i = ds_lines_find(l, key);
			for (; ds_lines_value(l, i, key, &v); i++) {
				must(v.len > 0 && v.data > before);
				before = v.data;
				found = found ||
				    (v.data > p && v.data + v.len <= p + len);
			}
			must(found);
			n++;
		}
		free(key);
		p += len + 1;
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);
	struct ds_lines *l = NULL;
	struct fault f;

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	fault_clear(&f);
	if (ds_lines_new("t", copy, size, &l, &f) == OUTCOME_OK) {
		must(f.text[0] == '\0');
		/* The walk is quadratic in lines of one key. */
		if (size < 20000)
			must(check_lines(l, copy, size) == ds_lines_count(l));
		ds_lines_unref(l);
	} else {
		must(l == NULL && f.text[0] != '\0');
		free(copy);
	}
	return 0;
}
