/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ds_lines.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

struct line {
	uint32_t key, key_len; /* offset and length in data */
	uint32_t value, value_len;
};

struct ds_lines {
	atomic_uint refs;
	char *data;
	struct line *lines; /* by key, then as in the file */
	size_t n;
	size_t room;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *
find_bad_octets(const char *p, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t n = utf8_sequence(p + i, len - i);

		if (n == 0)
			return "octets that are not UTF-8";
		if (p[i] == '\r')
			return "a carriage return: lines end with a newline";
		if (!utf8_printable(p + i, n) && p[i] != '\t')
			return "a control character";
		i += n;
	}
	return NULL;
}

/* Takes one line apart; *take says whether it holds anything. */
static const char *
line_parse(const char *p, size_t len, struct line *l, bool *take)
{
	size_t begin = 0, end = len, key_end;
	const char *wrong;

	*take = false;
	if (len > DS_LINES_LINE_MAX)
		return "longer than 4096 octets";
	wrong = find_bad_octets(p, len);
	if (wrong != NULL)
		return wrong;
	while (begin < end && is_blank(p[begin]))
		begin++;
	while (begin < end && is_blank(p[end - 1]))
		end--;
	if (begin == end || p[begin] == '#')
		return NULL;
	key_end = begin;
	while (key_end < end && !is_blank(p[key_end]))
		key_end++;
	if (key_end == end)
		return "a key without a value";
	l->key = (uint32_t)begin;
	l->key_len = (uint32_t)(key_end - begin);
	while (is_blank(p[key_end]))
		key_end++;
	l->value = (uint32_t)key_end;
	l->value_len = (uint32_t)(end - key_end);
	*take = true;
	return NULL;
}

static bool
line_add(struct ds_lines *l, struct line line, uint32_t offset)
{
	if (l->n == l->room) {
		size_t room = l->room * 2 + 64;
		struct line *v = reallocarray(l->lines, room, sizeof *v);

		if (v == NULL)
			return false;
		l->lines = v;
		l->room = room;
	}
	line.key += offset;
	line.value += offset;
	l->lines[l->n++] = line;
	return true;
}

static int
compare_keys(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	return c != 0 ? c : (a_len > b_len) - (a_len < b_len);
}

static int
compare_lines(const void *va, const void *vb, void *data)
{
	const struct line *a = va, *b = vb;
	const char *d = data;
	int c = compare_keys(d + a->key, a->key_len, d + b->key, b->key_len);

	/* The place in the file decides: qsort alone would mix them up. */
	return c != 0 ? c : (a->key > b->key) - (a->key < b->key);
}

static enum outcome
read_lines(struct ds_lines *l, const char *name, size_t len, struct fault *f)
{
	size_t at = 0, number = 0;

	while (at < len) {
		const char *p = l->data + at;
		const char *end = memchr(p, '\n', len - at);
		size_t n = end != NULL ? (size_t)(end - p) : len - at;
		const char *wrong;
		struct line line;
		bool take;

		number++;
		wrong = line_parse(p, n, &line, &take);
		if (wrong != NULL) {
			fault_set(
			    f, FAULT_LOCAL, "%s:%zu: %s", name, number, wrong);
			return OUTCOME_PERM;
		}
		if (take && !line_add(l, line, (uint32_t)at)) {
			fault_set(f, FAULT_LOCAL, "%s: no memory", name);
			return OUTCOME_TEMP;
		}
		at += n + 1;
	}
	if (l->n > 0)
		qsort_r(
		    l->lines, l->n, sizeof *l->lines, compare_lines, l->data);
	return OUTCOME_OK;
}

enum outcome
ds_lines_new(const char *name, char *data, size_t len, struct ds_lines **out,
    struct fault *f)
{
	struct ds_lines *l;
	enum outcome oc;

	*out = NULL;
	if (len > DS_LINES_FILE_MAX) {
		fault_set(f, FAULT_LOCAL, "%s: larger than 64 MiB", name);
		return OUTCOME_PERM;
	}
	l = calloc(1, sizeof *l);
	if (l == NULL) {
		fault_set(f, FAULT_LOCAL, "%s: no memory", name);
		return OUTCOME_TEMP;
	}
	atomic_init(&l->refs, 1);
	l->data = data;
	oc = read_lines(l, name, len, f);
	if (oc != OUTCOME_OK) {
		l->data = NULL; /* the caller's still */
		ds_lines_unref(l);
		return oc;
	}
	*out = l;
	return OUTCOME_OK;
}

struct ds_lines *
ds_lines_ref(struct ds_lines *l)
{
	(void)atomic_fetch_add(&l->refs, 1);
	return l;
}

void
ds_lines_unref(struct ds_lines *l)
{
	if (l == NULL || atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	free(l->data);
	free(l->lines);
	free(l);
}

size_t
ds_lines_count(const struct ds_lines *l)
{
	return l->n;
}

size_t
ds_lines_find(const struct ds_lines *l, const char *key)
{
	size_t low = 0, high = l->n, key_len = strlen(key);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct line *m = &l->lines[mid];

		if (compare_keys(l->data + m->key, m->key_len, key, key_len) <
		    0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool
ds_lines_value(const struct ds_lines *l, size_t i, const char *key,
    struct ds_line_value *v)
{
	const struct line *m;

	if (i >= l->n)
		return false;
	m = &l->lines[i];
	if (compare_keys(l->data + m->key, m->key_len, key, strlen(key)) != 0)
		return false;
	v->data = l->data + m->value;
	v->len = m->value_len;
	return true;
}
