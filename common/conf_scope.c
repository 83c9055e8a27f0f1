/* SPDX-License-Identifier: BSD-2-Clause */
/* The scopes: domain, binding, binding_group, sender, outbound_smtp_auth. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "common/conf_check.h"
#include "common/conf_load.h"
#include "common/credential_check.h"

void
conf_secret_at(struct conf_load *l, struct conf_place at, const char *name)
{
	struct conf_file *file = &l->s->files[at.file];

	if (!file->bytes.world_readable || file->told)
		return;
	file->told = true;
	conf_warn(l->s, at,
	    "%s: everybody on this machine can read this file (chmod o-r)",
	    name);
}

/* Is there any way to a host for a domain, besides its own? */
static bool
has_global_route(const struct conf *c, const char *name)
{
	size_t i;

	if (c->rcptto.up.query != NULL)
		return true;
	for (i = 0; i < c->rcptto.domains.n; i++)
		if (strcmp(c->rcptto.domains.v[i], "*") == 0 ||
		    strcmp(c->rcptto.domains.v[i], name) == 0)
			return c->rcptto.up.host.n > 0;
	return false;
}

static void
check_routes(struct conf_load *l, cfg_t *rcptto, cfg_t *auth,
    const struct conf_domain *d)
{
	const struct conf *c = l->c;

	if (rcptto != NULL && !d->has_rcptto && !has_global_route(c, d->name))
		conf_tell(l->s, conf_tree_place(l->s, rcptto),
		    "domain \"%.80s\": smtp_rcptto_proxy has no host, and no "
		    "global one applies",
		    d->name);
	if (auth != NULL && !d->has_auth && c->auth.up.host.n == 0 &&
	    c->auth.up.query == NULL)
		conf_tell(l->s, conf_tree_place(l->s, auth),
		    "domain \"%.80s\": smtp_auth_proxy has no host, and there "
		    "is no global one",
		    d->name);
}

static int
load_domain(struct conf_load *l, cfg_t *sec, struct conf_domain *d)
{
	cfg_t *rcptto = conf_section_only(l, sec, "smtp_rcptto_proxy");
	cfg_t *auth = conf_section_only(l, sec, "smtp_auth_proxy");
	char name[ADDRESS_DOMAIN_MAX + 1];
	const char *why;

	if (!conf_check_domain(cfg_title(sec), name, sizeof(name), &why)) {
		conf_tell(l->s, conf_tree_place(l->s, sec),
		    "domain \"%.80s\": %s", cfg_title(sec), why);
		name[0] = '\0';
	}
	d->name = strdup(name);
	if (d->name == NULL ||
	    conf_load_rcptto(l, rcptto, &d->rcptto, &l->c->rcptto) != 0 ||
	    conf_load_auth(l, auth, &d->auth, &l->c->auth) != 0 ||
	    conf_params_load(
		l->s, sec, conf_params_outbound, &d->outbound, NULL) != 0)
		return -1;
	d->rcptto_given = rcptto != NULL;
	d->auth_given = auth != NULL;
	d->has_rcptto = d->rcptto.up.host.n > 0;
	d->has_auth = d->auth.up.host.n > 0;
	if (name[0] != '\0')
		check_routes(l, rcptto, auth, d);
	conf_warn_no_nexthop(l, sec, d->name, &d->outbound);
	return conf_check_outbound(l, sec, &d->outbound);
}

/* Every name that the global section wants asked about has some host. */
static void
check_global_domains(struct conf_load *l)
{
	const struct conf_rcptto *r = &l->c->rcptto;
	cfg_t *sec;
	const struct conf_domain *d;
	size_t i;

	if (r->up.host.n > 0 || r->up.query != NULL || r->domains.n == 0)
		return;
	sec = cfg_getnsec(l->tree, "smtp_rcptto_proxy", 0);
	for (i = 0; i < r->domains.n; i++) {
		d = conf_domain_find(l->c, r->domains.v[i]);
		if (d == NULL || !d->has_rcptto)
			conf_tell(l->s,
			    conf_item_place(l, sec, "domains", &r->domains, i),
			    "domains: there is no host to ask about "
			    "\"%.80s\"",
			    r->domains.v[i]);
	}
}

static int
by_domain_name(const void *va, const void *vb)
{
	const struct conf_domain *a = va;
	const struct conf_domain *b = vb;

	return strcmp(a->name, b->name);
}

int
conf_load_domains(struct conf_load *l)
{
	size_t n = conf_tree_count(l->tree, "domain");
	struct conf_named *named = calloc(n + 1, sizeof(*named));
	struct conf *c = l->c;
	struct conf_domain *d;
	size_t i, n_named = 0;
	cfg_t *sec;
	int rc = -1;

	c->domains = calloc(n + 1, sizeof(*d));
	if (named == NULL || c->domains == NULL)
		goto done;
	for (i = 0; i < n; i++) {
		sec = cfg_getnsec(l->tree, "domain", (unsigned int)i);
		d = &c->domains[c->n_domains++];
		if (load_domain(l, sec, d) != 0)
			goto done;
		if (d->name[0] == '\0')
			continue;
		named[n_named].name = d->name;
		named[n_named++].at = conf_tree_place(l->s, sec);
	}
	conf_unique(l, "domain", named, n_named);
	qsort(c->domains, c->n_domains, sizeof(*d), by_domain_name);
	check_global_domains(l);
	rc = 0;
done:
	free(named);
	return rc;
}

/* "ann@example.org" or "@example.org", as it will be compared. */
static char *
sender_name(const char *text, const char **why)
{
	char name[ADDRESS_DOMAIN_MAX + 2];
	struct address a;

	if (text[0] == '@') {
		name[0] = '@';
		if (!conf_check_domain(
			text + 1, name + 1, sizeof(name) - 1, why))
			return NULL;
		return strdup(name);
	}
	*why = NULL;
	if (text[0] != '<' &&
	    address_parse(text, strlen(text), &a, why) == ADDRESS_OK)
		return strdup(a.path);
	if (*why == NULL)
		*why = "neither an address nor @domain";
	return NULL;
}

/* Two names of one sender are one: "ann"@x is ann@x. */
static char *
compared_by(const char *name, bool sender)
{
	char fold[CREDENTIAL_SENDER_MAX + 1];

	return strdup(sender && credential_sender(name, fold) ? fold : name);
}

static int
load_login(
    struct conf_load *l, cfg_t *sec, const char *what, struct conf_login *login)
{
	bool sender = strcmp(what, "sender") == 0;
	char name[ADDRESS_DOMAIN_MAX + 1];
	const char *why = NULL;

	if (sender)
		login->name = sender_name(cfg_title(sec), &why);
	else if (conf_check_domain(cfg_title(sec), name, sizeof(name), &why))
		login->name = strdup(name);
	if (login->name == NULL) {
		conf_tell(l->s, conf_tree_place(l->s, sec), "%s \"%.80s\": %s",
		    what, cfg_title(sec), why != NULL ? why : "out of memory");
		login->name = strdup(cfg_title(sec));
	}
	if (login->name == NULL ||
	    conf_params_load(
		l->s, sec, conf_params_outbound, &login->outbound, NULL) != 0 ||
	    conf_check_outbound(l, sec, &login->outbound) != 0)
		return -1;
	if (!sender)
		conf_warn_no_nexthop(l, sec, login->name, &login->outbound);
	return 0;
}

/* The sections of one name that hold a credential and nothing else. */
static int
load_logins(struct conf_load *l, cfg_t *in, const char *what,
    struct conf_login **out, size_t *n_out)
{
	size_t n = conf_tree_count(in, what);
	struct conf_named *named = calloc(n + 1, sizeof(*named));
	char **names = calloc(n + 1, sizeof(*names));
	bool sender = strcmp(what, "sender") == 0;
	struct conf_login *login;
	cfg_t *sec;
	size_t i;
	int rc = -1;

	*out = calloc(n + 1, sizeof(**out));
	if (named == NULL || names == NULL || *out == NULL)
		goto done;
	for (i = 0; i < n; i++) {
		sec = cfg_getnsec(in, what, (unsigned int)i);
		login = &(*out)[(*n_out)++];
		if (load_login(l, sec, what, login) != 0)
			goto done;
		names[i] = compared_by(login->name, sender);
		if (names[i] == NULL)
			goto done;
		named[i].name = names[i];
		named[i].at = conf_tree_place(l->s, sec);
	}
	conf_unique(l, what, named, n);
	rc = 0;
done:
	for (i = 0; names != NULL && i < n; i++)
		free(names[i]);
	free(names);
	free(named);
	return rc;
}

/* A look-up by sender names no next hop, so only nexthops keep the password
 * from going anywhere. */
static void
check_senders(struct conf_load *l, cfg_t *in, bool guarded)
{
	if (conf_tree_count(in, "sender") > 0 && !guarded)
		conf_tell(l->s,
		    conf_tree_place(l->s, cfg_getnsec(in, "sender", 0)),
		    "sender: only under a binding with nexthops");
}

static int load_bindings(struct conf_load *l, cfg_t *in, const char *what,
    bool guarded, struct conf_binding **out, size_t *n_out);

static int
load_binding(
    struct conf_load *l, cfg_t *sec, bool guarded, struct conf_binding *b)
{
	static const char octets[] = "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	size_t len;

	b->name = strdup(cfg_title(sec));
	if (b->name == NULL ||
	    conf_params_load(l->s, sec, conf_params_binding, b, NULL) != 0)
		return -1;
	len = strlen(b->name);
	if (len == 0 || len > 64 || strspn(b->name, octets) != len)
		conf_tell(l->s, conf_tree_place(l->s, sec),
		    "%s \"%.70s\": a name of up to 64 letters, digits, \"_\", "
		    "\"-\", \".\" is needed",
		    sec->name, b->name);
	if (strcmp(b->name, CREDENTIAL_DEFAULT) == 0)
		conf_tell(l->s, conf_tree_place(l->s, sec),
		    "%s \"%s\": this is the name of the map without a "
		    "binding",
		    sec->name, b->name);
	if (strcasecmp(b->name, "false") == 0)
		conf_tell(l->s, conf_tree_place(l->s, sec),
		    "%s \"%s\": no message can choose it: false unsets",
		    sec->name, b->name);
	conf_check_nexthops(l, sec, &b->nexthops);
	if (conf_check_outbound(l, sec, &b->outbound) != 0)
		return -1;
	guarded = guarded || b->nexthops.n > 0;
	conf_warn_unreachable(l, sec, &b->outbound, guarded);
	check_senders(l, sec, guarded);
	if (load_logins(l, sec, "domain", &b->domains, &b->n_domains) != 0 ||
	    load_logins(l, sec, "sender", &b->senders, &b->n_senders) != 0)
		return -1;
	if (strcmp(sec->name, "binding_group") != 0)
		return 0;
	return load_bindings(
	    l, sec, "binding", guarded, &b->bindings, &b->n_bindings);
}

static int
load_bindings(struct conf_load *l, cfg_t *in, const char *what, bool guarded,
    struct conf_binding **out, size_t *n_out)
{
	size_t n = conf_tree_count(in, what);
	size_t i;

	*out = calloc(n + 1, sizeof(**out));
	if (*out == NULL)
		return -1;
	for (i = 0; i < n; i++)
		if (load_binding(l, cfg_getnsec(in, what, (unsigned int)i),
			guarded, &(*out)[(*n_out)++]) != 0)
			return -1;
	return 0;
}

/* A binding is asked for by its name alone, wherever it stands. */
static int
check_binding_names(struct conf_load *l)
{
	size_t groups = conf_tree_count(l->tree, "binding_group");
	size_t n = conf_tree_count(l->tree, "binding");
	struct conf_named *named;
	size_t g, i, k = 0, most = n;
	cfg_t *group, *sec;

	for (g = 0; g < groups; g++)
		most += conf_tree_count(
		    cfg_getnsec(l->tree, "binding_group", (unsigned int)g),
		    "binding");
	named = calloc(most + 1, sizeof(*named));
	if (named == NULL)
		return -1;
	for (g = 0; g <= groups; g++) {
		group = g < groups
		    ? cfg_getnsec(l->tree, "binding_group", (unsigned int)g)
		    : l->tree;
		n = conf_tree_count(group, "binding");
		for (i = 0; i < n; i++) {
			sec = cfg_getnsec(group, "binding", (unsigned int)i);
			named[k].name = cfg_title(sec);
			named[k++].at = conf_tree_place(l->s, sec);
		}
	}
	conf_unique(l, "binding", named, k);
	free(named);
	return 0;
}

static bool
any_nexthops(const struct conf_binding *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (b[i].nexthops.n > 0 ||
		    any_nexthops(b[i].bindings, b[i].n_bindings))
			return true;
	return false;
}

int
conf_load_bindings(struct conf_load *l)
{
	struct conf *c = l->c;

	if (load_bindings(l, l->tree, "binding_group", false, &c->groups,
		&c->n_groups) != 0 ||
	    load_bindings(l, l->tree, "binding", false, &c->bindings,
		&c->n_bindings) != 0 ||
	    check_binding_names(l) != 0)
		return -1;
	check_senders(l, l->tree,
	    any_nexthops(c->groups, c->n_groups) ||
		any_nexthops(c->bindings, c->n_bindings));
	return load_logins(l, l->tree, "sender", &c->senders, &c->n_senders);
}

/* A line of a file has one value: no user and password. */
static void
check_no_file(struct conf_load *l, cfg_t *sec, const char *ds)
{
	const struct conf_datasource *d =
	    ds != NULL ? conf_datasource_find(l->c, ds) : NULL;
	size_t i;

	for (i = 0; d != NULL && i < d->uri.n; i++)
		if (strncmp(d->uri.v[i], "file:", 5) == 0)
			conf_tell(l->s, conf_set_at(l, sec, "ds_cache"),
			    "ds_cache: datasource \"%.60s\" is a file, which "
			    "yields a host, not user and password",
			    ds);
}

int
conf_load_credential(struct conf_load *l)
{
	cfg_t *sec = conf_section_only(l, l->tree, "outbound_smtp_auth");
	struct conf *c = l->c;

	if (conf_params_load(l->s, sec, conf_params_credential, c, NULL) != 0)
		return -1;
	if (sec == NULL)
		return 0;
	if (conf_check_outbound(l, sec, &c->outbound) != 0)
		return -1;
	conf_check_nexthops(l, sec, &c->credential.nexthops);
	conf_warn_unreachable(
	    l, sec, &c->outbound, c->credential.nexthops.n > 0);
	check_no_file(l, sec, c->credential.ds_cache);
	conf_check_query(l, sec, &c->credential.ds_cache, &c->credential.query,
	    "key|sender|domain|binding|host|nexthop", false);
	return 0;
}

void
conf_logins_free(struct conf_login *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(v[i].name);
		conf_params_free(conf_params_outbound, &v[i].outbound);
		conf_outbound_release(&v[i].outbound);
	}
	free(v);
}

void
conf_bindings_free(struct conf_binding *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		free(b[i].name);
		conf_params_free(conf_params_binding, &b[i]);
		conf_outbound_release(&b[i].outbound);
		conf_logins_free(b[i].domains, b[i].n_domains);
		conf_logins_free(b[i].senders, b[i].n_senders);
		conf_bindings_free(b[i].bindings, b[i].n_bindings);
	}
	free(b);
}
