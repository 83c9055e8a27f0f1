/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbound - what the MTA logs in with at the next hop
 *
 * message -> scopes (credential.h) -> query -> answer, and the log line
 * "outbound:".
 *
 * Three answers.  given: user and password, both of one scope.  none: nothing
 * is configured for that delivery; the MTA sends without AUTH.  defer: a
 * credential is due and cannot be had now (the data source is down, its row
 * is incomplete, the message's was lost, there is no such binding), or the
 * question is none; the mail waits.
 *
 * Of one key (Postfix) it has to be found out what it is.  One with an '@',
 * which no next hop has, is a sender, "@example.org" too, of any octets:
 * Postfix asks in lower case and without the quotes of a local part, so
 * blanks, brackets and UTF-8 are nothing strange.  All else is a next hop, or something that is
 * none, such as "unix:/path" or a name in UTF-8.  That, and a sender that
 * nobody has named, is "none" and not "defer": no credential can be due to
 * what no scope can match, and mail there would wait for ever.  Nonsense is
 * what no MTA asks: an empty key, control characters, more than
 * OUTBOUND_KEY_MAX octets (RFC 5321 has 256 for a path, 255 for a domain).
 *
 * A question with all that is known (Sendmail), but for the port, is deferred
 * when another port would make another answer.
 *
 * The query's parameters: :key, of the narrowest scope; :sender, as
 * credential_sender() makes it; :binding, "default" without; :nexthop as it
 * was asked for, in lower case; :host, the same without brackets and port;
 * :domain, the same where it is a name and no address.  What is not known is
 * empty.
 *
 * What its row is worth: columns user, pass, type (in this order when they
 * have other names; type may be missing, NULL or empty: inherited).  No
 * row: the next scope.  NULL or empty user or password, an unknown type, more
 * than one row: defer, with a warning.
 *
 * Any thread.
 */
#ifndef POSTERN_COMMON_OUTBOUND_H
#define POSTERN_COMMON_OUTBOUND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/credential.h"
#include "common/credential_check.h"
#include "common/secret.h"

struct outbound;
struct strbuf;

#define OUTBOUND_KEY_MAX   1024 /* octets of a key of the MTA's */
#define OUTBOUND_QUEUE_MAX 64   /* octets of a queue id */

/* outbound_new(conf, why, len), outbound_reload(o, conf, why, len): as
 * auth_new() and auth_reload() (auth.h), for postern-authd.  Passwords from
 * files have been read with the configuration; one that could not be read
 * fails this. */
struct outbound *outbound_new(struct conf *conf, char *why, size_t len);
bool outbound_reload(
    struct outbound *o, struct conf *conf, char *why, size_t len);

/* outbound_new_lenient(conf, why, len): the same for a program that answers
 * by hand.  A password that could not be read makes its own answers defer;
 * what messages brought to postern-authd is not known. */
struct outbound *outbound_new_lenient(struct conf *conf, char *why, size_t len);
void outbound_free(struct outbound *o); /* NULL does nothing */

/* outbound_check(conf, why, len): is the configuration one for outbound_new()?
 * Opens nothing that lasts, makes no file: for -n, and for root. */
bool outbound_check(struct conf *conf, char *why, size_t len);

/*
 * A question.  Of a map that is asked with one key (Postfix) it is either
 * `key', of which it is found out whether it is a sender or a next hop; or,
 * with key NULL, what is known of the delivery.
 */
struct outbound_question {
	const char *binding;  /* or CREDENTIAL_DEFAULT; any octets */
	const char *key;      /* NUL-terminated octets, without NUL within */
	const char *queue_id; /* NULL, as the next two: not known */
	const char *sender;
	const char *nexthop;
	/* The answer's form has no room for a ':' in the user name, nor for
	 * what is not UTF-8, which Postfix writes into its log. */
	bool no_colon;
	/* Whether there is one, not to log in with it: what is given is then
	 * no more than a debug line, and not counted. */
	bool only_whether;
	/* Gets a line for each step; then warnings are not held back.  NULL:
	 * nobody asks. */
	struct strbuf *explain;
};

enum outbound_verdict {
	OUTBOUND_DEFER = 0,
	OUTBOUND_GIVEN,
	OUTBOUND_NONE,
};

/* outbound_verdict_name(v): "given", "none", "defer". */
const char *outbound_verdict_name(enum outbound_verdict v);

struct outbound_answer {
	enum outbound_verdict verdict;
	char user[OUTBOUND_USER_MAX + 1];
	struct secret pass; /* outbound_answer_release() wipes it */
	int type;           /* OUTBOUND_PLAIN, OUTBOUND_LOGIN; -1: any */
	/* Where they are from; "query" and "message" are scopes, too. */
	char login_scope[CREDENTIAL_SCOPE_MAX];
	char type_scope[CREDENTIAL_SCOPE_MAX];
	char key_scope[CREDENTIAL_SCOPE_MAX];
	bool asked;      /* the query was put, or is remembered */
	bool cached;     /* its row is from memory */
	bool stale;      /* and past its time, for the source is down */
	char reason[96]; /* of defer and none, for the MTA's log and ours */
};

void outbound_answer_release(struct outbound_answer *a);

/*
 * outbound_ask(o, q, d, now, out): answer, and log it.
 *
 *   d    limit for the data source, whose own timeout counts, too
 *   now  do not wait: whatever would have to be waited for is not done
 *
 * Always fills *out and returns true; but with `now' it returns false, and
 * nothing has been logged or counted, when a thread that may wait has to ask
 * again without it.
 */
bool outbound_ask(struct outbound *o, const struct outbound_question *q,
    struct deadline d, bool now, struct outbound_answer *out);

/*
 * Credentials that a message brings with it: held in memory until `life' has
 * gone by, known to have been there (by name, in the state directory) after
 * that memory is lost.  A question with their queue id is answered by them
 * before any scope, unless they name a binding with nexthops and go elsewhere;
 * when they are lost: defer.
 */
struct outbound_message {
	const char *queue_id;
	const char *user; /* NULL with pass NULL: not of the message */
	const struct secret *pass;
	int type;        /* -1: not said */
	const char *key; /* NULL: not said */
	const char
	    *binding; /* NULL: not said; else instead of the question's */
};

/* outbound_put(o, m, why, len): from now on, and after a restart.  False with
 * a message when it cannot be kept: then the message must not be taken. */
bool outbound_put(struct outbound *o, const struct outbound_message *m,
    char *why, size_t len);

/* outbound_drop(o, value): forget the answers of data sources to questions
 * with that value; NULL: all.  Returns how many. */
size_t outbound_drop(struct outbound *o, const char *value);

/* outbound_status(o, sb), outbound_stats(o, sb): as auth_status(). */
void outbound_status(struct outbound *o, struct strbuf *sb);
void outbound_stats(struct outbound *o, struct strbuf *sb);

#endif /* POSTERN_COMMON_OUTBOUND_H */
