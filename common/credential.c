/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/credential.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/credential_index.h"
#include "common/ds_text.h"
#include "common/strbuf.h"

struct credentials {
	struct conf *conf;
	struct credential_index index;
	bool query;           /* there is one */
	bool query_by_place;  /* :host, :nexthop or :domain is in it */
	bool query_by_sender; /* :sender is */
};

/* One choice while it is made. */
struct choice {
	const struct credentials *c;
	const struct credential_where *where;
	struct credential_pick *out;
	struct strbuf *explain;
	size_t binding, group; /* owners, or CREDENTIAL_GLOBAL for none */
	char sender[CREDENTIAL_SENDER_MAX + 1]; /* "": not known */
	bool key_given; /* key is of a scope that may send there */
	bool type_goes; /* its type counts, be the next hop unknown */
};

/* -- the snapshot ----------------------------------------------------- */

static void
note_query(struct credentials *c, const char *text)
{
	static const struct {
		const char *name;
		bool place;
	} known[] = { { "host", true }, { "nexthop", true }, { "domain", true },
		{ "sender", false } };
	struct ds_name name;
	size_t i;

	c->query = true;
	while (ds_text_next(&text, &name)) {
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			if (strlen(known[i].name) != name.len ||
			    memcmp(known[i].name, name.at, name.len) != 0)
				continue;
			if (known[i].place)
				c->query_by_place = true;
			else
				c->query_by_sender = true;
		}
	}
}

struct credentials *
credentials_new(struct conf *conf)
{
	struct credentials *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->conf = conf_ref(conf);
	if (!credential_index_init(&c->index, conf)) {
		credentials_free(c);
		return NULL;
	}
	if (conf->credential.ds_cache != NULL && conf->credential.query != NULL)
		note_query(c, conf->credential.query);
	return c;
}

void
credentials_free(struct credentials *c)
{
	if (c == NULL)
		return;
	credential_index_release(&c->index);
	conf_unref(c->conf);
	free(c);
}

/* -- words ------------------------------------------------------------ */

/* `sender "ann@example.org" of binding "a"'; name NULL: the owner itself. */
static void
label(const struct choice *p, char *out, const char *kind, const char *name,
    size_t owner)
{
	const struct credential_owner *o = &p->c->index.owners[owner];
	bool group = owner == p->group;
	int n = 0;

	out[0] = '\0';
	if (name != NULL)
		n = snprintf(
		    out, CREDENTIAL_SCOPE_MAX, "%s \"%.80s\"", kind, name);
	if (n < 0 || (name != NULL && o->binding == NULL))
		return;
	if (o->binding == NULL)
		(void)snprintf(out, CREDENTIAL_SCOPE_MAX, "outbound_smtp_auth");
	else
		(void)snprintf(out + n, CREDENTIAL_SCOPE_MAX - (size_t)n,
		    "%s%s \"%.64s\"", name != NULL ? " of " : "",
		    group ? "binding_group" : "binding", o->binding->name);
}

static void explain(struct choice *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
explain(struct choice *p, const char *fmt, ...)
{
	char line[CREDENTIAL_SCOPE_MAX + 160];
	va_list ap;

	if (p->explain == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	strbuf_addf(p->explain, "%s\n", line);
}

static void
explain_passed(
    struct choice *p, const char *scope, const char *taken, const char *why_not)
{
	explain(p, "%s: passed over%s%s%s: %s", scope,
	    taken[0] != '\0' ? ", but for its" : "", taken,
	    strstr(taken, "key") != NULL ? " for the query" : "", why_not);
}

static void
explain_taken(struct choice *p, const char *scope,
    const struct conf_outbound *o, const char *taken)
{
	if (p->explain == NULL)
		return;
	if (taken[0] == '\0' && o->outbound_smtp_auth_user == NULL &&
	    o->outbound_smtp_auth_type < 0 && o->outbound_smtp_auth_key == NULL)
		explain(p, "%s: sets nothing", scope);
	else if (taken[0] == '\0')
		explain(p, "%s: what it sets has been set", scope);
	else
		explain(p, "%s: gives%s", scope, taken);
}

/* -- a scope ---------------------------------------------------------- */

static void
take_key(struct choice *p, const struct conf_outbound *o, const char *scope,
    bool may)
{
	struct credential_pick *out = p->out;

	out->key = o->outbound_smtp_auth_key;
	p->key_given = may;
	memcpy(out->key_scope, scope, sizeof(out->key_scope));
}

static bool
take_type(struct choice *p, const struct conf_outbound *o, const char *scope)
{
	struct credential_pick *out = p->out;

	if (out->type >= 0 || o->outbound_smtp_auth_type < 0)
		return false;
	out->type = o->outbound_smtp_auth_type;
	out->type_is_global = o == &p->c->conf->outbound;
	memcpy(out->type_scope, scope, sizeof(out->type_scope));
	return true;
}

/* What a scope has that no narrower one had.  why_not: it may not send
 * there. */
static void
consider(struct choice *p, const struct conf_outbound *o,
    const char scope[CREDENTIAL_SCOPE_MAX], const char *why_not)
{
	static const char *const types[] = { "PLAIN", "LOGIN" };
	struct credential_pick *out = p->out;
	char taken[64] = "";
	size_t n = 0;

	if (out->key == NULL && o->outbound_smtp_auth_key != NULL &&
	    (why_not == NULL || p->c->query_by_place)) {
		take_key(p, o, scope, why_not == NULL);
		n += (size_t)snprintf(taken + n, sizeof(taken) - n, " key");
	}
	if (why_not == NULL && out->login == NULL &&
	    o->outbound_smtp_auth_user != NULL) {
		out->login = o;
		memcpy(out->login_scope, scope, sizeof(out->login_scope));
		n += (size_t)snprintf(
		    taken + n, sizeof(taken) - n, " user and password");
	}
	if ((why_not == NULL || p->type_goes) && take_type(p, o, scope))
		(void)snprintf(taken + n, sizeof(taken) - n, " type");
	if (why_not != NULL)
		explain_passed(p, scope, taken, why_not);
	else
		explain_taken(p, scope, o, taken);
	if (strstr(taken, "type") != NULL && o->outbound_smtp_auth_type < 2)
		explain(
		    p, "%s: type %s", scope, types[o->outbound_smtp_auth_type]);
}

static void
consider_named(struct choice *p, size_t owner, enum credential_kind kind,
    const char *name, const char *why_not)
{
	const struct credential_entry *e =
	    credential_index_find(&p->c->index, owner, kind, name);
	char scope[CREDENTIAL_SCOPE_MAX];

	if (e == NULL)
		return;
	label(p, scope, kind == CREDENTIAL_SENDER ? "sender" : "domain", name,
	    owner);
	consider(p, e->outbound, scope, why_not);
}

/* The binding's, its group's and the global one of that name. */
static void
consider_three(struct choice *p, enum credential_kind kind, const char *name,
    const char *why_not)
{
	if (p->binding != CREDENTIAL_GLOBAL)
		consider_named(p, p->binding, kind, name, why_not);
	if (p->group != CREDENTIAL_GLOBAL)
		consider_named(p, p->group, kind, name, why_not);
	consider_named(p, CREDENTIAL_GLOBAL, kind, name, why_not);
}

static void
consider_owner(struct choice *p, size_t owner, bool may)
{
	const struct credential_owner *o = &p->c->index.owners[owner];
	char scope[CREDENTIAL_SCOPE_MAX];
	const char *why_not = NULL;

	label(p, scope, NULL, NULL, owner);
	if (p->where->to == NULL)
		why_not = "the next hop is not known";
	else if (!may && o->n_nexthops == 0 &&
	    (owner != p->binding || !p->out->has_nexthops))
		why_not = "it has no nexthops";
	else if (!may)
		why_not = "its nexthops do not have this one";
	/* A look-up by sender, for the one relay of the binding. */
	p->type_goes = p->where->to == NULL && p->out->login != NULL &&
	    owner != CREDENTIAL_GLOBAL;
	consider(p, o->outbound, scope, why_not);
	p->type_goes = false;
}

/* -- the order -------------------------------------------------------- */

static void
consider_senders(struct choice *p)
{
	const char *why_not = NULL;
	const char *at;

	if (p->sender[0] == '\0')
		return;
	if (p->binding == CREDENTIAL_GLOBAL)
		why_not = "no binding was asked for";
	else if (!p->out->has_nexthops)
		why_not = "the binding has no nexthops";
	else if (p->where->to != NULL && !p->out->may_binding)
		why_not = "the binding's nexthops do not have this one";
	at = strrchr(p->sender, '@');
	if (at != p->sender)
		consider_three(p, CREDENTIAL_SENDER, p->sender, why_not);
	if (at != NULL)
		consider_three(p, CREDENTIAL_SENDER, at, why_not);
}

/* May what the query answers go there?  NULL, or why not. */
static const char *
query_barred(const struct choice *p, bool may_global)
{
	const struct credentials *c = p->c;

	if (p->where->to == NULL && c->query_by_place)
		return "it is put when the next hop is known";
	if (c->query_by_place || p->key_given)
		return NULL;
	if (p->where->to != NULL)
		return p->out->may_binding || may_global
		    ? NULL
		    : "no nexthops have this one, and it does not ask by it";
	if (!c->query_by_sender)
		return "it does not ask by sender";
	return p->out->has_nexthops ? NULL : "the binding has no nexthops";
}

static bool
covers(const struct choice *p, size_t owner)
{
	return p->where->to != NULL &&
	    credential_index_covers(
		&p->c->index, owner, p->where->to, p->where->any_port);
}

static bool
find_owners(struct choice *p)
{
	const struct credential_index *x = &p->c->index;
	const struct credential_entry *e;

	p->binding = p->group = CREDENTIAL_GLOBAL;
	if (strcmp(p->where->binding, CREDENTIAL_DEFAULT) == 0)
		return true;
	e = credential_index_find(
	    x, CREDENTIAL_GLOBAL, CREDENTIAL_BINDING, p->where->binding);
	if (e == NULL)
		return false;
	p->binding = e->value;
	p->group = x->owners[p->binding].group;
	if (x->owners[p->binding].n_nexthops > 0) {
		p->out->has_nexthops = true;
		p->out->may_binding = covers(p, p->binding);
	} else if (p->group != CREDENTIAL_GLOBAL) {
		p->out->has_nexthops = x->owners[p->group].n_nexthops > 0;
		p->out->may_binding = covers(p, p->group);
	}
	return true;
}

static void
choose(struct choice *p)
{
	const struct credentials *c = p->c;
	const struct nexthop *to = p->where->to;
	struct credential_pick *out = p->out;
	const char *barred;
	bool may_global, ask;

	consider_senders(p);
	if (to != NULL)
		consider_three(p, CREDENTIAL_DOMAIN, to->host, NULL);
	if (p->binding != CREDENTIAL_GLOBAL)
		consider_owner(p, p->binding, p->out->may_binding);
	if (p->group != CREDENTIAL_GLOBAL)
		consider_owner(p, p->group, covers(p, p->group));
	may_global = covers(p, CREDENTIAL_GLOBAL);
	ask = c->query && out->login == NULL;
	consider_owner(p, CREDENTIAL_GLOBAL, may_global);
	barred = ask ? query_barred(p, may_global) : NULL;
	if (barred != NULL)
		explain(p, "query: passed over: %s", barred);
	if (ask && barred == NULL)
		out->said = CREDENTIAL_ASK;
	else if (out->login != NULL)
		out->said = CREDENTIAL_GIVEN;
	else
		out->said = CREDENTIAL_NONE;
}

void
credential_pick(const struct credentials *c,
    const struct credential_where *where, struct credential_pick *out,
    struct strbuf *lines)
{
	struct choice p = { .c = c, .where = where, .out = out };

	memset(out, 0, sizeof(*out));
	out->type = -1;
	p.explain = lines;
	if (!find_owners(&p)) {
		out->said = CREDENTIAL_NO_BINDING;
		explain(&p, "there is no binding of that name");
		return;
	}
	if (where->sender != NULL)
		(void)credential_sender(where->sender, p.sender);
	if (where->key != NULL) {
		out->key = where->key;
		(void)snprintf(
		    out->key_scope, sizeof(out->key_scope), "message");
	}
	choose(&p);
}
