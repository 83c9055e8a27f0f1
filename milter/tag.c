/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "milter/tag.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/conf.h"
#include "common/context.h"
#include "common/context_names.h"
#include "common/header_value.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "milter/auth_results.h"

/* More than CONTEXT_VALUE_MAX octets can become. */
#define VALUE_MAX (8 * CONTEXT_VALUE_MAX)

struct header {
	const char *name; /* the configuration's */
	const char *variable;
	unsigned int copies; /* that came in */
	struct strbuf value; /* empty: none is added */
};

struct tagger {
	struct conf *conf;
	bool negotiated;
	const char *trouble; /* why this message cannot pass, or NULL */
	unsigned int copies; /* of all that are to be removed */
	struct header *headers;
	size_t n_headers;
	struct header *binding; /* the one of them for bindings, or NULL */
	bool routed;            /* a recipient of this message has a route */
	bool unsure;            /* of one it is not known */
	/* Authentication-Results that came in: how many in all, and which of
	 * them, counted from 1, are to be removed. */
	unsigned int results;
	unsigned int *forged;
	size_t n_forged, room;
};

static bool
has_binding(const struct conf_peer *peer)
{
	static const char set[] = TAG_BINDING_VARIABLE "=";
	size_t i;

	for (i = 0; i < peer->context.n; i++)
		if (strncmp(peer->context.v[i], set, sizeof(set) - 1) == 0)
			return true;
	return context_name_allowed(TAG_BINDING_VARIABLE,
	    peer->setcontext_names.v, peer->setcontext_names.n);
}

bool
tag_binding_wanted(const struct conf *conf)
{
	size_t i;

	if (conf->n_bindings > 0 || conf->n_groups > 0)
		return true;
	for (i = 0; i < conf->n_peers; i++)
		if (has_binding(&conf->peers[i]))
			return true;
	return false;
}

bool
tag_wanted(const struct conf *conf)
{
	return conf->n_tags > 0 || conf->authentication_results ||
	    tag_binding_wanted(conf);
}

struct tagger *
tagger_new(struct conf *conf, bool negotiated)
{
	struct tagger *t = calloc(1, sizeof(*t));
	struct header *h;
	size_t i;

	if (t == NULL)
		return NULL;
	t->conf = conf_ref(conf);
	t->negotiated = negotiated;
	t->headers = calloc(conf->n_tags + 1, sizeof(*t->headers));
	if (t->headers == NULL) {
		tagger_free(t);
		return NULL;
	}
	for (i = 0; i < conf->n_tags; i++) {
		h = &t->headers[t->n_headers++];
		h->name = conf->tags[i].name;
		h->variable = conf->tags[i].variable;
	}
	if (tag_binding_wanted(conf)) {
		h = &t->headers[t->n_headers++];
		h->name = TAG_BINDING_HEADER;
		h->variable = TAG_BINDING_VARIABLE;
		t->binding = h;
	}
	for (i = 0; i < t->n_headers; i++)
		strbuf_init(&t->headers[i].value, VALUE_MAX);
	return t;
}

/* Gives memory back, too: most connections are idle. */
void
tagger_reset(struct tagger *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < t->n_headers; i++) {
		t->headers[i].copies = 0;
		strbuf_release(&t->headers[i].value);
	}
	free(t->forged);
	t->forged = NULL;
	t->n_forged = t->room = 0;
	t->results = t->copies = 0;
	t->trouble = NULL;
	t->routed = t->unsure = false;
}

void
tagger_free(struct tagger *t)
{
	if (t == NULL)
		return;
	tagger_reset(t);
	free(t->headers);
	conf_unref(t->conf);
	free(t);
}

bool
tagger_wants_routes(const struct tagger *t)
{
	return t != NULL && t->binding != NULL;
}

void
tagger_rcpt(struct tagger *t, enum verify_route route)
{
	if (route == VERIFY_ROUTE_FOUND)
		t->routed = true;
	else if (route == VERIFY_ROUTE_UNKNOWN)
		t->unsure = true;
}

/* Obsolete mail has blanks before the colon, which are not of the name. */
static bool
is_called(const char *name, const char *want)
{
	size_t len = strlen(name);

	while (len > 0 && (name[len - 1] == ' ' || name[len - 1] == '\t'))
		len--;
	return strlen(want) == len && strncasecmp(name, want, len) == 0;
}

static void
note_results(struct tagger *t, const char *value)
{
	unsigned int *more;
	size_t room;

	t->results++;
	if (auth_results_whose(value, t->conf->hostname) == AUTH_RESULTS_OTHERS)
		return;
	t->copies++;
	if (t->copies > TAG_COPIES_MAX)
		return;
	if (t->n_forged == t->room) {
		room = t->room > 0 ? 2 * t->room : 4;
		more = reallocarray(t->forged, room, sizeof(*more));
		if (more == NULL) {
			t->trouble = "out of memory";
			return;
		}
		t->forged = more;
		t->room = room;
	}
	t->forged[t->n_forged++] = t->results;
}

void
tagger_header(struct tagger *t, const char *name, const char *value)
{
	size_t i;

	if (t->conf->authentication_results && is_called(name, AUTH_RESULTS)) {
		note_results(t, value);
		return;
	}
	for (i = 0; i < t->n_headers; i++)
		if (is_called(name, t->headers[i].name)) {
			t->headers[i].copies++;
			t->copies++;
			return;
		}
}

/* For \w+ in the administrator's table and for the name of a transport. */
bool
tag_binding_ok(const char *value)
{
	size_t len = strspn(value,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_");

	return len <= TAG_BINDING_MAX && value[len] == '\0';
}

void
tagger_read(struct tagger *t, const struct context *connection,
    const struct context *message)
{
	struct header *h;
	const char *value;
	size_t i;

	for (i = 0; i < t->n_headers; i++) {
		h = &t->headers[i];
		strbuf_reset(&h->value);
		value = context_get(message, h->variable);
		if (value == NULL)
			value = context_get(connection, h->variable);
		if (value == NULL ||
		    (h == t->binding && strcasecmp(value, "false") == 0))
			continue;
		/* Sent by another way than was meant, it might be with
		 * nobody's credentials or somebody else's. */
		if (h == t->binding && !tag_binding_ok(value))
			t->trouble = "the binding is not a word";
		else if (!header_value_encode(
			     strlen(h->name) + 2, value, &h->value))
			t->trouble = "out of memory";
	}
}

/* libmilter wants text that is not const, and changes none of it. */
static char *
unconst(const char *text)
{
	union {
		const char *in;
		char *out;
	} u = { .in = text };

	return u.out;
}

static bool
take_off(SMFICTX *ctx, const char *name, unsigned int index)
{
	return smfi_chgheader(ctx, unconst(name), (int)index, NULL) ==
	    MI_SUCCESS;
}

static void
line_begin(
    struct log_line *line, SMFICTX *ctx, const char *client, const char *header)
{
	char i[] = "i";
	const char *id = smfi_getsymval(ctx, i);

	log_line_begin(line, "tag");
	if (id != NULL)
		log_line_add(line, "id", "%s", id);
	log_line_add(line, "client", "%s", client);
	log_line_add(line, "header", "%s", header);
}

static void
tell_removed(SMFICTX *ctx, const char *client, const char *name, size_t n)
{
	struct log_line line;

	line_begin(&line, ctx, client, name);
	log_line_add(&line, "removed", "%zu", n);
	log_line_emit(&line, LOG_LEVEL_INFO);
}

/* From the last one down: to Sendmail those that are gone still count, to
 * Postfix they do not. */
static bool
remove_copies(struct tagger *t, SMFICTX *ctx, const char *client)
{
	unsigned int n;
	size_t i;

	for (i = 0; i < t->n_headers; i++) {
		for (n = t->headers[i].copies; n > 0; n--)
			if (!take_off(ctx, t->headers[i].name, n))
				return false;
		if (t->headers[i].copies > 0)
			tell_removed(ctx, client, t->headers[i].name,
			    t->headers[i].copies);
	}
	for (i = t->n_forged; i > 0; i--)
		if (!take_off(ctx, AUTH_RESULTS, t->forged[i - 1]))
			return false;
	if (t->n_forged > 0)
		tell_removed(ctx, client, AUTH_RESULTS, t->n_forged);
	return true;
}

/* On top, where the reader can tell ours from those of servers before us
 * (RFC 8601 section 4). */
static const char *
add_results(struct tagger *t, SMFICTX *ctx)
{
	char authen[] = "{auth_authen}", type[] = "{auth_type}";
	const char *user = smfi_getsymval(ctx, authen);
	const char *why = NULL;
	struct strbuf value;

	if (user != NULL && (user[0] == '\0' || strcmp(user, "anonymous") == 0))
		user = NULL;
	strbuf_init(&value, VALUE_MAX);
	if (!auth_results_write(
		t->conf->hostname, user, smfi_getsymval(ctx, type), &value))
		why = "out of memory";
	else if (smfi_insheader(ctx, 0, unconst(AUTH_RESULTS), value.data) !=
	    MI_SUCCESS)
		why = "the MTA does not let us add a header";
	strbuf_release(&value);
	return why;
}

/* The line of a binding that this message does not get. */
static void
tell_left_out(const struct tagger *t, SMFICTX *ctx, const char *client)
{
	struct log_line line;

	line_begin(&line, ctx, client, t->binding->name);
	log_line_add(&line, "value", "%s", strbuf_str(&t->binding->value));
	log_line_add(&line, "added", "0");
	log_line_add(&line, "reason", "a recipient has a route");
	log_line_emit(&line, LOG_LEVEL_INFO);
}

/* FILTER takes all recipients along.  One with a route goes where we have
 * asked about it, and the others with it, by the ways they have. */
static const char *
settle_binding(struct tagger *t, SMFICTX *ctx, const char *client)
{
	if (t->binding == NULL || t->binding->value.len == 0)
		return NULL;
	if (t->routed) {
		tell_left_out(t, ctx, client);
		strbuf_reset(&t->binding->value);
	} else if (t->unsure)
		return "the route of a recipient is not known now";
	return NULL;
}

static const char *
change(struct tagger *t, SMFICTX *ctx, const char *client)
{
	const char *why;
	size_t i;

	if (!t->negotiated)
		return "the MTA has not negotiated anew";
	if (t->trouble != NULL)
		return t->trouble;
	if ((why = settle_binding(t, ctx, client)) != NULL)
		return why;
	if (!remove_copies(t, ctx, client))
		return "the MTA does not let us remove a header";
	for (i = 0; i < t->n_headers; i++)
		if (t->headers[i].value.len > 0 &&
		    smfi_addheader(ctx, unconst(t->headers[i].name),
			t->headers[i].value.data) != MI_SUCCESS)
			return "the MTA does not let us add a header";
	return t->conf->authentication_results ? add_results(t, ctx) : NULL;
}

/* If libmilter does not take the reply, it has one of its own. */
static void
set_reply(SMFICTX *ctx, const char *code, const char *esc, const char *text)
{
	(void)smfi_setreply(ctx, unconst(code), unconst(esc), unconst(text));
}

sfsistat
tagger_end(struct tagger *t, SMFICTX *ctx, const char *client)
{
	const char *why;

	if (t->copies > TAG_COPIES_MAX) {
		log_warning("client %s: message refused: %u headers that we "
			    "would have to remove",
		    client, t->copies);
		set_reply(ctx, "550", "5.6.0", "Too many copies of a header");
		return SMFIS_REJECT;
	}
	why = change(t, ctx, client);
	if (why == NULL)
		return SMFIS_CONTINUE;
	log_error(
	    "client %s: message deferred: headers not set: %s", client, why);
	set_reply(ctx, "451", "4.3.0", "Headers not set, try again later");
	return SMFIS_TEMPFAIL;
}
