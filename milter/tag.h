/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tag - the headers that the milter adds, and forged copies of them
 *
 * From context variables: one for each `tag` section, and X-Postern-Binding
 * for the variable `binding` where bindings are in use.  From the MTA's word
 * about the login: Authentication-Results.  Whatever copies of these came in
 * with the message are removed, whether one is added or not.
 *
 * X-Postern-Binding is left out when a recipient has a route: Postfix would
 * redirect that one as well, away from the server that was asked about it.
 *
 * A struct tagger belongs to one connection of the MTA's and keeps the
 * configuration that was in effect at its negotiation: which steps and
 * actions were asked for there decides what can be done later.
 */
#ifndef POSTERN_MILTER_TAG_H
#define POSTERN_MILTER_TAG_H

#include <stdbool.h>

#include <libmilter/mfapi.h>

#include "common/verify.h"

struct conf;
struct context;
struct tagger;

/* The milter_header_checks of Postfix turn it into a transport. */
#define TAG_BINDING_HEADER   "X-Postern-Binding"
#define TAG_BINDING_VARIABLE "binding"
#define TAG_BINDING_MAX      64

/* A message with more forged copies than this is refused: each takes the MTA
 * a search through all headers. */
#define TAG_COPIES_MAX 500

/* What it needs of the MTA, beside being told of headers. */
#define TAG_ACTIONS (SMFIF_ADDHDRS | SMFIF_CHGHDRS)

/* tag_binding_wanted(conf): is there a binding, or a peer that has or may set
 * one? */
bool tag_binding_wanted(const struct conf *conf);

/* tag_binding_ok(value): a word that can name a transport, or "". */
bool tag_binding_ok(const char *value);

/* tag_wanted(conf): is there any header to add or to remove? */
bool tag_wanted(const struct conf *conf);

/*
 * tagger_new(conf, negotiated): for one connection; keeps a reference.
 *
 *   negotiated  the MTA has been asked for headers and TAG_ACTIONS; if not,
 *               its messages are deferred
 *
 * Returns NULL without memory.
 */
struct tagger *tagger_new(struct conf *conf, bool negotiated);
void tagger_free(struct tagger *t); /* NULL does nothing */

/* tagger_reset(t): a message begins, or is over.  NULL does nothing. */
void tagger_reset(struct tagger *t);

/* tagger_wants_routes(t): does it have to be told of recipients?  NULL: no. */
bool tagger_wants_routes(const struct tagger *t);

/* tagger_rcpt(t, route): a recipient was accepted, and has that. */
void tagger_rcpt(struct tagger *t, enum verify_route route);

/*
 * tagger_header(t, name, value): the message has this header; told of all, in
 * their order.  Lack of memory shows at the end.
 */
void tagger_header(struct tagger *t, const char *name, const char *value);

/*
 * tagger_read(t, connection, message): take the values to be shown from the
 * contexts, of which the message's comes first.  Does not keep them.
 */
void tagger_read(struct tagger *t, const struct context *connection,
    const struct context *message);

/*
 * tagger_end(t, ctx, client): at the end of the message, remove and add.
 *
 *   client  the client's address, for the log
 *
 * Returns SMFIS_CONTINUE when all of it has been done; SMFIS_TEMPFAIL (451)
 * when not, so that no message passes with a forged header; SMFIS_REJECT
 * (550) for too many copies.
 */
sfsistat tagger_end(struct tagger *t, SMFICTX *ctx, const char *client);

#endif /* POSTERN_MILTER_TAG_H */
