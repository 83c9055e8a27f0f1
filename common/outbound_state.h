/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbound_state - what outbound*.c share
 *
 * Internal to them.  A struct outbound_setup is what a question needs of the
 * configuration; a reload puts another in place, and the last question that
 * has a reference frees the old one.
 */
#ifndef POSTERN_COMMON_OUTBOUND_STATE_H
#define POSTERN_COMMON_OUTBOUND_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/datasource.h"
#include "common/log.h"
#include "common/outbound.h"
#include "common/outbound_messages.h"

/* :key :sender :domain :binding :host :nexthop */
#define OUTBOUND_PARAMS 6
extern const char *const outbound_params[]; /* and NULL */

struct outbound_setup {
	atomic_uint refs;
	struct conf *conf;
	struct credentials *credentials;
	struct datasource *source; /* NULL: there is no query */
	bool wants[OUTBOUND_PARAMS];
};

/* outbound_setup_new(conf, why, len): with one reference.  NULL with a
 * message. */
struct outbound_setup *outbound_setup_new(
    struct conf *conf, char *why, size_t len);
void outbound_setup_unref(struct outbound_setup *s); /* NULL does nothing */

/* outbound_setup_get(o, messages): what is in force, with a reference, and the
 * store, or NULL. */
struct outbound_setup *outbound_setup_get(
    struct outbound *o, struct outbound_messages **messages);

/* outbound_nonsense(text): what no MTA asks: what is wrong with it, as words
 * that follow its name, or NULL. */
const char *outbound_nonsense(const char *text);

/* outbound_conf_fault(c): why a password could not be read, the first one's;
 * NULL when all were.  Borrowed. */
const char *outbound_conf_fault(const struct conf *c);

/* Warnings, each limited for itself. */
enum outbound_worry {
	OUTBOUND_WORRY_BINDING,  /* there is none of that name */
	OUTBOUND_WORRY_QUESTION, /* it is none */
	OUTBOUND_WORRY_SOURCE,   /* the data source cannot be asked */
	OUTBOUND_WORRY_ROW,      /* what it says is no credential */
	OUTBOUND_WORRY_FORM,     /* the answer has no room for it */
	OUTBOUND_WORRY_FILE,     /* the password's file */
	OUTBOUND_WORRY_LOST,     /* what a message brought is gone */
	OUTBOUND_WORRY_MEMORY,
	OUTBOUND_WORRIES,
};

struct outbound {
	pthread_mutex_t lock; /* guards both pointers */
	struct outbound_setup *setup;
	struct outbound_messages *messages; /* NULL: none; stays once set */
	atomic_ulong given, none, deferred, asked, remembered;
	struct log_limit worries[OUTBOUND_WORRIES];
};

/* One question while it is answered. */
struct outbound_try {
	struct outbound *o;
	const struct outbound_setup *setup;
	const struct outbound_question *q;
	struct deadline deadline;
	bool now; /* outbound_ask() */
	int64_t begin_us;
	const char *binding;
	const char *sender;  /* NULL: not known */
	const char *nexthop; /* NULL: not known; else to is it, when it is */
	struct nexthop to;
	bool known;     /* to is set */
	bool elsewhere; /* there is a next hop that no scope can name */
	struct outbound_messages *messages; /* NULL: none */
	struct outbound_held held;          /* what the message brought */
	bool has_held;
	struct credential_pick pick;
	enum outbound_worry worry;   /* of a defer */
	char detail[FAULT_TEXT_MAX]; /* for our log alone; "" */
	struct outbound_answer *out;
};

/* outbound_defer(t, worry, fmt, ...): the answer is defer, for that reason. */
void outbound_defer(struct outbound_try *t, enum outbound_worry worry,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* outbound_say(t, fmt, ...): a line for whoever wants an explanation. */
void outbound_say(const struct outbound_try *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* outbound_give(t, user, pass, scope): the answer is given, if user and
 * password are fit for it. */
void outbound_give(struct outbound_try *t, const char *user,
    const struct secret *pass, const char *scope);

/* outbound_query(t): put the query.  True with t->out filled in, or not yet
 * (verdict none) when it has no row.  False: it would have to be waited
 * for. */
bool outbound_query(struct outbound_try *t);

/* outbound_log(t): the line "outbound:". */
void outbound_log(struct outbound_try *t);

#endif /* POSTERN_COMMON_OUTBOUND_STATE_H */
