/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "milter/carry.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/conf.h"
#include "common/context_names.h"
#include "common/control.h"
#include "common/log.h"
#include "common/outbound.h"
#include "common/strbuf.h"
#include "common/xtext.h"
#include "milter/tag.h"

/* In the order of enum carry_name. */
static const struct {
	const char *variable;
	const char *word; /* in the request to postern-authd */
	size_t max;       /* octets */
} names[CARRY_NAMES] = {
	{ "outbound_smtp_auth_user", "user", OUTBOUND_USER_MAX },
	{ "outbound_smtp_auth_pass", "pass", OUTBOUND_PASS_MAX },
	{ "outbound_smtp_auth_type", "type", 5 },
	{ "outbound_smtp_auth_key", "key", OUTBOUND_KEY_MAX },
	{ TAG_BINDING_VARIABLE, "binding", TAG_BINDING_MAX },
};

/* "outbound put ID" and all of them, as xtext. */
#define REQUEST_MAX \
 (OUTBOUND_QUEUE_MAX + 128 + CARRY_NAMES * XTEXT_ROOM(CONTEXT_VALUE_MAX))

struct request {
	char text[REQUEST_MAX];
	size_t len;
	bool ok;
};

static bool
peer_sets(const struct conf_peer *peer, const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < peer->context.n; i++)
		if (strncmp(peer->context.v[i], name, len) == 0 &&
		    peer->context.v[i][len] == '=')
			return true;
	return context_name_allowed(
	    name, peer->setcontext_names.v, peer->setcontext_names.n);
}

bool
carry_wanted(const struct conf *conf)
{
	size_t i, n;

	for (i = 0; i < conf->n_peers; i++)
		for (n = 0; n < CARRY_NAMES; n++)
			if ((n != CARRY_BINDING ||
				conf->credential.message_credentials) &&
			    peer_sets(&conf->peers[i], names[n].variable))
				return true;
	return false;
}

/* NULL when it is not set, or unset. */
static const char *
value_of(const struct context *connection, const struct context *message,
    enum carry_name n)
{
	const char *value = context_get(message, names[n].variable);

	if (value == NULL)
		value = context_get(connection, names[n].variable);
	if (value == NULL || value[0] == '\0' ||
	    strcasecmp(value, "false") == 0)
		return NULL;
	return value;
}

bool
carry_read(struct carry *c, const struct context *connection,
    const struct context *message)
{
	const char *found[CARRY_NAMES];
	bool any = false;
	size_t n;

	for (n = 0; n < CARRY_NAMES; n++) {
		found[n] = value_of(connection, message, (enum carry_name)n);
		any = any || found[n] != NULL;
	}
	for (n = 0; any && n < CARRY_NAMES; n++)
		snprintf(c->values[n], sizeof(c->values[n]), "%s",
		    found[n] != NULL ? found[n] : "");
	return any;
}

void
carry_release(struct carry *c)
{
	explicit_bzero(c, sizeof(*c));
}

static const char *
macro(const struct carry_message *m, const char *name)
{
	const char *value = m->macros.get(m->macros.arg, name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

enum carry_mta
carry_mta(const struct carry_message *m)
{
	const char *version = macro(m, "v"), *id;

	if (version == NULL)
		return CARRY_UNSURE;
	if (strncasecmp(version, "Postfix", strlen("Postfix")) == 0)
		return CARRY_POSTFIX;
	if (strncmp(version, "8.", 2) != 0 || macro(m, "{opMode}") == NULL)
		return CARRY_UNSURE;
	id = macro(m, "i");
	return id != NULL && m->id != NULL && strcmp(id, m->id) == 0
	    ? CARRY_SENDMAIL
	    : CARRY_UNSURE;
}

static bool
has(const struct carry *c, enum carry_name n)
{
	return c->values[n][0] != '\0';
}

static bool
has_credentials(const struct carry *c)
{
	return has(c, CARRY_USER) || has(c, CARRY_PASS) || has(c, CARRY_TYPE) ||
	    has(c, CARRY_KEY);
}

/* What is wrong with them, or NULL. */
static const char *
fault(const struct carry *c)
{
	size_t n;
	int type;

	if (has(c, CARRY_USER) && !has(c, CARRY_PASS))
		return "outbound_smtp_auth_user without "
		       "outbound_smtp_auth_pass";
	if (has(c, CARRY_PASS) && !has(c, CARRY_USER))
		return "outbound_smtp_auth_pass without "
		       "outbound_smtp_auth_user";
	if (!credential_type_parse(c->values[CARRY_TYPE], &type))
		return "outbound_smtp_auth_type is neither PLAIN nor LOGIN";
	if (!tag_binding_ok(c->values[CARRY_BINDING]))
		return "the binding is not a word";
	for (n = 0; n < CARRY_NAMES; n++)
		if (strlen(c->values[n]) > names[n].max)
			return n == CARRY_USER
			    ? "outbound_smtp_auth_user is too long"
			    : "a value is too long";
	return NULL;
}

/* One word of a queue id, as Sendmail makes them. */
static bool
id_ok(const char *id)
{
	size_t len = strspn(id,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789");

	return len > 0 && len <= OUTBOUND_QUEUE_MAX && id[len] == '\0';
}

static void
request_begin(struct request *r, const char *id)
{
	r->len =
	    (size_t)snprintf(r->text, sizeof(r->text), "outbound put %s", id);
	r->ok = true;
}

static void
request_add(struct request *r, const char *word, const char *value)
{
	size_t left = sizeof(r->text) - r->len;
	int n = snprintf(r->text + r->len, left, " %s=", word);

	r->ok = r->ok && n > 0 && (size_t)n < left;
	if (!r->ok)
		return;
	r->len += (size_t)n;
	left -= (size_t)n;
	r->ok = xtext_encode(value, strlen(value), r->text + r->len, left);
	r->len += strlen(r->text + r->len);
}

/* To postern-authd.  False with a message. */
static bool
put(const struct carry *c, const struct conf *conf, const char *id, char *why,
    size_t len)
{
	const char *path = conf->authd.control + sizeof("unix:") - 1;
	struct request r;
	bool ok;
	size_t n;

	request_begin(&r, id);
	for (n = 0; n < CARRY_NAMES; n++)
		if (c->values[n][0] != '\0')
			request_add(&r, names[n].word, c->values[n]);
	ok = r.ok;
	if (!ok)
		snprintf(why, len, "the request is too long");
	else
		ok = control_ask_within(
			 path, r.text, CARRY_WAIT_S, NULL, why, len) == 0;
	explicit_bzero(&r, sizeof(r));
	return ok;
}

/* "reason: outbound_smtp_auth_user, outbound_smtp_auth_pass" */
static void
name_them(const struct carry *c, const char *reason, char *why, size_t len)
{
	const char *between = ": ";
	struct strbuf text;
	size_t n;

	strbuf_init(&text, len - 1);
	strbuf_adds(&text, reason);
	for (n = 0; n < CARRY_BINDING; n++) {
		if (!has(c, (enum carry_name)n))
			continue;
		strbuf_addf(&text, "%s%s", between, names[n].variable);
		between = ", ";
	}
	snprintf(why, len, "%s", strbuf_str(&text));
	strbuf_release(&text);
}

/* Why they cannot be carried to any MTA, or not to this one. */
static const char *
obstacle(const struct conf *conf, enum carry_mta mta)
{
	if (mta == CARRY_POSTFIX)
		return "Postfix cannot be told of one message's";
	if (!conf->credential.message_credentials)
		return "message_credentials is off";
	if (mta == CARRY_UNSURE)
		return "the MTA is not known to be Sendmail";
	return NULL;
}

static bool
tell(const struct carry *c, const struct carry_message *m, const char *why)
{
	const char *id = macro(m, "i");
	struct log_line l;

	log_line_begin(&l, "outbound");
	if (id != NULL)
		log_line_add(&l, "id", "%s", id);
	log_line_add(
	    &l, "client", "%s", m->client[0] != '\0' ? m->client : "unknown");
	log_line_add(&l, "from", "%s", m->sender != NULL ? m->sender : "");
	if (has(c, CARRY_BINDING))
		log_line_add(&l, "binding", "%s", c->values[CARRY_BINDING]);
	if (has(c, CARRY_USER))
		log_line_add(&l, "user", "%s", c->values[CARRY_USER]);
	if (has(c, CARRY_TYPE))
		log_line_add(&l, "type", "%s", c->values[CARRY_TYPE]);
	log_line_add(&l, "verdict", "%s", why == NULL ? "kept" : "defer");
	if (why != NULL)
		log_line_add(&l, "reason", "%s", why);
	log_line_emit(&l, why == NULL ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING);
	return why == NULL;
}

bool
carry_end(const struct carry *c, const struct conf *conf,
    const struct carry_message *m)
{
	enum carry_mta mta = carry_mta(m);
	const char *id = macro(m, "i"), *no = obstacle(conf, mta);
	char why[512];

	/* A binding alone has its header, wherever that is read. */
	if (!has_credentials(c) &&
	    (mta == CARRY_POSTFIX || !conf->credential.message_credentials))
		return true;
	if (no != NULL) {
		name_them(c, no, why, sizeof(why));
		return tell(c, m, why);
	}
	if ((no = fault(c)) != NULL)
		return tell(c, m, no);
	if (!id_ok(id))
		return tell(c, m, "not a queue id of Sendmail's");
	if (!put(c, conf, id, why, sizeof(why)))
		return tell(c, m, why);
	return tell(c, m, NULL);
}
