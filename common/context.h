/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * context - the named values of a connection or a message
 *
 * A dictionary with bounds, in the order in which names were first set.  Each
 * value remembers who set it.  Names are compared octet by octet.  Values are
 * wiped before their memory is given back.  Allocates; no I/O, no log.  Not thread-safe: belongs to one milter session or to one
 * front session.
 */
#ifndef POSTERN_COMMON_CONTEXT_H
#define POSTERN_COMMON_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#define CONTEXT_NAMES_MAX  128
#define CONTEXT_NAME_MAX   64
#define CONTEXT_VALUE_MAX  1024
#define CONTEXT_ORIGIN_MAX 32

struct context_entry;

struct context {
	struct context_entry *entries; /* owned; NULL while empty */
	size_t count;
};

/*
 * context_init(c): make *c empty.  Allocates nothing; a zeroed struct is the
 * same.
 */
void context_init(struct context *c);

/*
 * context_release(c): give the memory back.  *c is empty afterwards and may
 * be used again.
 */
void context_release(struct context *c);

/*
 * context_clear(c): forget all values; the same as context_release(), under
 * the name that says what is meant at the end of a transaction.
 */
void context_clear(struct context *c);

/*
 * context_copy(to, from): put all values of *from, with who set them, into
 * *to, in place of those that were there under the same names.  Returns
 * false, with some of them set, when *to has no room or there is no memory.
 */
bool context_copy(struct context *to, const struct context *from);

/*
 * context_set(c, name, value, origin, why): set a value, in place of one that
 * was there.
 *
 *   name    1 to CONTEXT_NAME_MAX of A-Z a-z 0-9 _ . -
 *   value   up to CONTEXT_VALUE_MAX octets, without control characters (so
 *           it fits into a header or a reply line)
 *   origin  a short word for who sets it, such as "peer"; cut at
 *           CONTEXT_ORIGIN_MAX; NULL is ""
 *   why     set to a constant text on failure, to NULL otherwise; may be NULL
 *
 * Copies; the arguments may point into *c.  Returns false, with *c as it was,
 * for a bad name or value, a name beyond CONTEXT_NAMES_MAX, or no memory.
 */
bool context_set(struct context *c, const char *name, const char *value,
    const char *origin, const char **why);

/*
 * context_get(c, name): the value, or NULL when unset.  Borrowed: valid until
 * *c next changes.
 */
const char *context_get(const struct context *c, const char *name);

/*
 * context_origin(c, name): who set the value, or NULL when unset.  Borrowed
 * as above.
 */
const char *context_origin(const struct context *c, const char *name);

/*
 * context_unset(c, name): forget one value.  Returns whether it was set.
 */
bool context_unset(struct context *c, const char *name);

/*
 * context_name_ok(name): may this be a name?
 */
bool context_name_ok(const char *name);

/*
 * context_foreach(c, fn, arg): call fn for each value, in the order in which
 * the names were first set, until it returns false.  fn must not change *c.
 * Returns false when fn did.
 */
typedef bool context_fn(
    const char *name, const char *value, const char *origin, void *arg);
bool context_foreach(const struct context *c, context_fn *fn, void *arg);

#endif /* POSTERN_COMMON_CONTEXT_H */
