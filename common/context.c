/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct context_entry {
	char *name;
	char *value;
	char origin[CONTEXT_ORIGIN_MAX + 1];
};

static struct context_entry *
find(const struct context *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->count; i++) {
		if (strcmp(c->entries[i].name, name) == 0)
			return &c->entries[i];
	}
	return NULL;
}

/* Any value may be a secret. */
static void
value_free(char *value)
{
	if (value != NULL)
		explicit_bzero(value, strlen(value));
	free(value);
}

static void
entry_release(struct context_entry *e)
{
	free(e->name);
	value_free(e->value);
	memset(e, 0, sizeof(*e));
}

void
context_init(struct context *c)
{
	c->entries = NULL;
	c->count = 0;
}

void
context_release(struct context *c)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		entry_release(&c->entries[i]);
	free(c->entries);
	context_init(c);
}

void
context_clear(struct context *c)
{
	context_release(c);
}

bool
context_name_ok(const char *name)
{
	size_t len = strspn(name,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_.-");

	return len > 0 && len <= CONTEXT_NAME_MAX && name[len] == '\0';
}

static const char *
check_value(const char *value)
{
	size_t i;

	for (i = 0; value[i] != '\0'; i++) {
		unsigned char u = (unsigned char)value[i];

		if (i == CONTEXT_VALUE_MAX)
			return "value longer than 1024 octets";
		if (u < 32 || u == 127)
			return "control character in the value";
	}
	return NULL;
}

/* Put a new name at the end; takes value. */
static const char *
append(struct context *c, const char *name, char *value, const char *origin)
{
	struct context_entry *entries, e = { .value = value };

	if (c->count == CONTEXT_NAMES_MAX)
		return "more than 128 names";
	(void)snprintf(
	    e.origin, sizeof(e.origin), "%.*s", CONTEXT_ORIGIN_MAX, origin);
	if ((e.name = strdup(name)) == NULL)
		return "out of memory";
	entries = reallocarray(c->entries, c->count + 1, sizeof(*entries));
	if (entries == NULL) {
		free(e.name);
		return "out of memory";
	}
	entries[c->count++] = e;
	c->entries = entries;
	return NULL;
}

/* Takes value; origin may be the very text that is written over. */
static void
replace(struct context_entry *e, char *value, const char *origin)
{
	char copy[CONTEXT_ORIGIN_MAX + 1];

	(void)snprintf(copy, sizeof(copy), "%.*s", CONTEXT_ORIGIN_MAX, origin);
	memcpy(e->origin, copy, sizeof(copy));
	value_free(e->value);
	e->value = value;
}

bool
context_set(struct context *c, const char *name, const char *value,
    const char *origin, const char **why)
{
	struct context_entry *e;
	const char *reason;
	char *copy = NULL;

	if (origin == NULL)
		origin = "";
	reason = context_name_ok(name)
	    ? check_value(value)
	    : "name is not 1 to 64 of letters, digits, _ . -";
	if (reason == NULL && (copy = strdup(value)) == NULL)
		reason = "out of memory";
	if (reason == NULL && (e = find(c, name)) != NULL)
		replace(e, copy, origin);
	else if (reason == NULL)
		reason = append(c, name, copy, origin);
	if (reason != NULL)
		value_free(copy);
	if (why != NULL)
		*why = reason;
	return reason == NULL;
}

bool
context_copy(struct context *to, const struct context *from)
{
	size_t i;

	for (i = 0; i < from->count; i++) {
		const struct context_entry *e = &from->entries[i];

		if (!context_set(to, e->name, e->value, e->origin, NULL))
			return false;
	}
	return true;
}

const char *
context_get(const struct context *c, const char *name)
{
	const struct context_entry *e = find(c, name);

	return e != NULL ? e->value : NULL;
}

const char *
context_origin(const struct context *c, const char *name)
{
	const struct context_entry *e = find(c, name);

	return e != NULL ? e->origin : NULL;
}

bool
context_unset(struct context *c, const char *name)
{
	struct context_entry *e = find(c, name);
	size_t i;

	if (e == NULL)
		return false;
	i = (size_t)(e - c->entries);
	entry_release(e);
	memmove(e, e + 1, (c->count - i - 1) * sizeof(*e));
	c->count--;
	return true;
}

bool
context_foreach(const struct context *c, context_fn *fn, void *arg)
{
	size_t i;

	for (i = 0; i < c->count; i++) {
		const struct context_entry *e = &c->entries[i];

		if (!fn(e->name, e->value, e->origin, arg))
			return false;
	}
	return true;
}
