/* SPDX-License-Identifier: BSD-2-Clause */
/* The query of outbound_smtp_auth, and what its row is worth. */
#include <stdio.h>
#include <string.h>

#include "common/outbound_state.h"

enum param {
	PARAM_KEY,
	PARAM_SENDER,
	PARAM_DOMAIN,
	PARAM_BINDING,
	PARAM_HOST,
	PARAM_NEXTHOP,
};

const char *const outbound_params[OUTBOUND_PARAMS + 1] = {
	[PARAM_KEY] = "key",
	[PARAM_SENDER] = "sender",
	[PARAM_DOMAIN] = "domain",
	[PARAM_BINDING] = "binding",
	[PARAM_HOST] = "host",
	[PARAM_NEXTHOP] = "nexthop",
	NULL,
};

/* -- the question ----------------------------------------------------- */

struct values {
	char sender[CREDENTIAL_SENDER_MAX + 1];
	char nexthop[OUTBOUND_KEY_MAX + 1];
};

static const char *
value_of(const struct outbound_try *t, enum param p, const struct values *v)
{
	switch (p) {
	case PARAM_KEY:
		return t->pick.key != NULL ? t->pick.key : "";
	case PARAM_SENDER:
		return v->sender;
	case PARAM_DOMAIN:
		return t->known && !t->to.literal ? t->to.host : "";
	case PARAM_BINDING:
		return t->binding;
	case PARAM_HOST:
		return t->to.host;
	case PARAM_NEXTHOP:
	default:
		return v->nexthop;
	}
}

static void
fill_values(const struct outbound_try *t, struct values *v)
{
	size_t i;

	memset(v, 0, sizeof(*v));
	if (t->sender != NULL)
		(void)credential_sender(t->sender, v->sender);
	for (i = 0; t->nexthop != NULL && i < OUTBOUND_KEY_MAX &&
	     t->nexthop[i] != '\0';
	     i++)
		v->nexthop[i] = t->nexthop[i] >= 'A' && t->nexthop[i] <= 'Z'
		    ? (char)(t->nexthop[i] - 'A' + 'a')
		    : t->nexthop[i];
}

/* OUTCOME_OK with rows; false when it would have to be waited for. */
static bool
ask(const struct outbound_try *t, struct ds_result *r, enum outcome *oc,
    struct fault *f)
{
	const struct conf_credential *c = &t->setup->conf->credential;
	struct ds_param params[OUTBOUND_PARAMS];
	struct ds_query q = { c->query, params, 0, t->deadline };
	struct values v;
	int i;

	fill_values(t, &v);
	for (i = 0; i < OUTBOUND_PARAMS; i++) {
		if (!t->setup->wants[i])
			continue;
		params[q.n_params].name = outbound_params[i];
		params[q.n_params++].value = value_of(t, (enum param)i, &v);
	}
	*oc = OUTCOME_OK;
	if (datasource_peek(t->setup->source, &q, r))
		return true;
	if (t->now)
		return false;
	*oc = datasource_query(t->setup->source, &q, r, f);
	return true;
}

/* -- the answer ------------------------------------------------------- */

struct columns {
	size_t user, pass, type;
	bool typed;
};

/* By name; or by place, unless a name says that this is not the order. */
static bool
find_columns(const struct ds_rows *rows, struct columns *c)
{
	bool user = ds_rows_find(rows, "user", &c->user);
	bool pass = ds_rows_find(rows, "pass", &c->pass);

	c->typed = ds_rows_find(rows, "type", &c->type);
	if (user && pass)
		return true;
	if (ds_rows_columns(rows) < 2 || (user && c->user != 0) ||
	    (pass && c->pass != 1) || (c->typed && c->type != 2))
		return false;
	c->user = 0;
	c->pass = 1;
	c->type = 2;
	c->typed = ds_rows_columns(rows) > 2;
	return true;
}

static void
take_type(struct outbound_try *t, int type)
{
	if (type < 0)
		return;
	t->out->type = type;
	memcpy(t->out->type_scope, "query", sizeof("query"));
}

/* Does a scope narrower than the query say the type? */
static bool
typed_before(const struct outbound_try *t)
{
	return t->pick.type >= 0 && !t->pick.type_is_global;
}

static void
take_row(struct outbound_try *t, const struct ds_rows *rows)
{
	const char *source = datasource_name(t->setup->source);
	const char *user, *pass, *wrong;
	struct secret secret;
	struct columns c;
	int type;

	if (ds_rows_count(rows) > 1) {
		outbound_defer(t, OUTBOUND_WORRY_ROW,
		    "datasource %.32s: more than one row", source);
		return;
	}
	if (!find_columns(rows, &c)) {
		outbound_defer(t, OUTBOUND_WORRY_ROW,
		    "datasource %.32s: the columns are not user, pass, type",
		    source);
		return;
	}
	user = ds_rows_cell(rows, 0, c.user);
	pass = ds_rows_cell(rows, 0, c.pass);
	if (user == NULL || pass == NULL) {
		outbound_defer(t, OUTBOUND_WORRY_ROW,
		    "datasource %.32s: the %s is NULL", source,
		    user == NULL ? "user name" : "password");
		return;
	}
	if (!credential_type_parse(
		c.typed ? ds_rows_cell(rows, 0, c.type) : NULL, &type)) {
		outbound_defer(t, OUTBOUND_WORRY_ROW,
		    "datasource %.32s: the type is neither PLAIN nor LOGIN",
		    source);
		return;
	}
	wrong = credential_user_wrong(user);
	if (wrong != NULL) {
		outbound_defer(t, OUTBOUND_WORRY_ROW,
		    "datasource %.32s: the user name %s", source, wrong);
		return;
	}
	wrong = credential_pass_wrong(pass, strlen(pass));
	if (wrong != NULL) {
		outbound_defer(t, OUTBOUND_WORRY_ROW,
		    "datasource %.32s: the password %s", source, wrong);
		return;
	}
	secret_init(&secret);
	if (!secret_set(&secret, pass, strlen(pass))) {
		outbound_defer(t, OUTBOUND_WORRY_MEMORY, "out of memory");
		return;
	}
	outbound_give(t, user, &secret, "query");
	secret_release(&secret);
	if (!typed_before(t))
		take_type(t, type);
}

static void
explain_key(const struct outbound_try *t)
{
	if (t->pick.key == NULL)
		outbound_say(t, "query: asked without a key");
	else
		outbound_say(
		    t, "query: asked with the key of %s", t->pick.key_scope);
}

bool
outbound_query(struct outbound_try *t)
{
	const char *source = datasource_name(t->setup->source);
	struct ds_result r = { NULL, false, false };
	enum outcome oc;
	struct fault f;

	fault_clear(&f);
	if (!ask(t, &r, &oc, &f))
		return false;
	explain_key(t);
	t->out->asked = true;
	t->out->cached = r.cached;
	t->out->stale = r.stale;
	if (oc != OUTCOME_OK) {
		(void)snprintf(t->detail, sizeof(t->detail), "%s", f.text);
		outbound_defer(t, OUTBOUND_WORRY_SOURCE, "datasource %.32s: %s",
		    source,
		    oc == OUTCOME_TEMP ? "cannot be asked now"
				       : "cannot be asked this way");
	} else if (ds_rows_count(r.rows) == 0) {
		outbound_say(t, "query: no row%s", r.cached ? " (cached)" : "");
	} else {
		take_row(t, r.rows);
	}
	ds_rows_unref(r.rows);
	return true;
}
