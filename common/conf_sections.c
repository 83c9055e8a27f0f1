/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections that stand for themselves, and the top level. */
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>

#include "common/conf_check.h"
#include "common/conf_hostname.h"
#include "common/conf_load.h"
#include "common/conf_suggest.h"
#include "common/context.h"
#include "common/context_names.h"
#include "common/endpoint.h"

#define EXTENSIONS "XCLIENT|XREMOTEIP|XSETCONTEXT|XDUMPCONTEXT|ALWAYS-ALLOW"

static int
load_relay_nets(struct conf_load *l)
{
	struct conf *c = l->c;
	const char *why;
	size_t i;

	c->relay_nets = calloc(c->relay_hosts.n + 1, sizeof(*c->relay_nets));
	if (c->relay_nets == NULL)
		return -1;
	for (i = 0; i < c->relay_hosts.n; i++) {
		if (cidr_parse(c->relay_hosts.v[i],
			&c->relay_nets[c->n_relay_nets], &why))
			c->n_relay_nets++;
		else
			conf_tell(l->s,
			    conf_item_place(
				l, l->tree, "relay_hosts", &c->relay_hosts, i),
			    "relay_hosts: \"%.60s\": %s", c->relay_hosts.v[i],
			    why);
	}
	return 0;
}

int
conf_load_global(struct conf_load *l)
{
	struct conf *c = l->c;
	const char *why;
	size_t i;

	if (conf_params_load(l->s, l->tree, conf_params_global, c, NULL) != 0)
		return -1;
	if (c->hostname == NULL)
		c->hostname = conf_hostname();
	else if (!conf_check_ehlo(c->hostname, &why))
		conf_tell(l->s, conf_set_at(l, l->tree, "hostname"),
		    "hostname: \"%.80s\": %s", c->hostname, why);
	if (c->hostname == NULL)
		return -1;
	if (!conf_check_account(c->user, &why))
		conf_tell(l->s, conf_set_at(l, l->tree, "user"),
		    "user: \"%.60s\": %s", c->user, why);
	for (i = 0; i < c->allow_users.n; i++)
		if (!conf_check_account(c->allow_users.v[i], &why))
			conf_tell(l->s,
			    conf_item_place(
				l, l->tree, "allow_users", &c->allow_users, i),
			    "allow_users: \"%.60s\": %s", c->allow_users.v[i],
			    why);
	return load_relay_nets(l);
}

static void
check_uri(
    struct conf_load *l, cfg_t *sec, const struct conf_datasource *d, size_t i)
{
	static const char drivers[] = "sqlite|file|pgsql|mysql|ldap";
	const char *uri = d->uri.v[i];
	const char *rest = strchr(uri, ':');
	struct conf_place at = conf_item_place(l, sec, "uri", &d->uri, i);
	struct conf_suggest near;
	char name[16], best[CONF_SUGGEST_MAX + 1];
	const char *p = drivers;
	size_t len = rest != NULL ? (size_t)(rest - uri) : 0;

	if (rest == NULL || len >= sizeof(name)) {
		conf_tell(l->s, at,
		    "uri: \"%.60s\" is not of the form driver:rest", uri);
		return;
	}
	for (; *p != '\0'; p += strcspn(p, "|") + (strchr(p, '|') != NULL))
		if (strcspn(p, "|") == len && strncmp(p, uri, len) == 0)
			break;
	if (*p == '\0') {
		memcpy(name, uri, len);
		name[len] = '\0';
		conf_suggest_init(&near, name);
		conf_suggest_words(&near, drivers, best, sizeof(best));
		if (near.best != NULL)
			conf_tell(l->s, at,
			    "uri: unknown driver \"%s\": did you mean \"%s\"?",
			    name, near.best);
		else
			conf_tell(l->s, at,
			    "uri: unknown driver \"%s\"; there are %s", name,
			    drivers);
	} else if (rest[1] == '\0') {
		conf_tell(l->s, at, "uri: \"%s\" and nothing behind it", uri);
	} else if ((strncmp(uri, "sqlite:", 7) == 0 ||
		       strncmp(uri, "file:", 5) == 0) &&
	    rest[1] != '/') {
		conf_tell(l->s, at, "uri: \"%.80s\" is not an absolute path",
		    rest + 1);
	}
}

int
conf_load_datasources(struct conf_load *l)
{
	size_t n = conf_tree_count(l->tree, "datasource");
	struct conf_datasource *d;
	cfg_t *sec;
	size_t i, j;

	l->c->datasources = calloc(n + 1, sizeof(*d));
	if (l->c->datasources == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		sec = cfg_getnsec(l->tree, "datasource", (unsigned int)i);
		d = &l->c->datasources[l->c->n_datasources++];
		d->name = strdup(cfg_title(sec));
		if (d->name == NULL ||
		    conf_params_load(
			l->s, sec, conf_params_datasource, d, NULL) != 0)
			return -1;
		if (d->name[0] == '\0')
			conf_tell(l->s, conf_tree_place(l->s, sec),
			    "datasource: the name is empty");
		if (d->uri.n == 0)
			conf_tell(l->s, conf_tree_place(l->s, sec),
			    "datasource \"%.60s\": uri is missing", d->name);
		for (j = 0; j < d->uri.n; j++)
			check_uri(l, sec, d, j);
	}
	return 0;
}

/* The widest network that may use extensions: 10.0.0.0/8 and fd00::/8 are
 * somebody's own, what is wider is the Internet or a half of it. */
#define TRUST_BITS 8

static void
check_peer(struct conf_load *l, cfg_t *sec, struct conf_peer *p)
{
	struct context scratch;
	char name[CONTEXT_NAME_MAX + 2];
	struct conf_place at;
	const char *why;
	char *equals;
	size_t i, len;
	bool setcontext = false, secret;

	conf_list_words(
	    l, sec, "smtp_extensions", &p->smtp_extensions, EXTENSIONS);
	for (i = 0; i < p->smtp_extensions.n; i++)
		if (strcmp(p->smtp_extensions.v[i], "XSETCONTEXT") == 0)
			setcontext = true;
	if (p->smtp_extensions.n > 0 && cidr_prefix_len(&p->net) < TRUST_BITS)
		conf_tell(l->s, conf_set_at(l, sec, "smtp_extensions"),
		    "smtp_extensions: not for everybody: they let a client "
		    "pass for another; name networks of /%d or smaller",
		    TRUST_BITS);
	if (p->setcontext_names.n > 0 && !setcontext)
		conf_tell(l->s, conf_set_at(l, sec, "setcontext_names"),
		    "setcontext_names without XSETCONTEXT in smtp_extensions");
	for (i = 0; i < p->setcontext_names.n; i++) {
		len = strlen(p->setcontext_names.v[i]);
		if (len > CONTEXT_NAME_MAX)
			len = CONTEXT_NAME_MAX + 1;
		memcpy(name, p->setcontext_names.v[i], len);
		if (len > 0 && name[len - 1] == '*')
			len--;
		name[len] = '\0';
		if (len > 0 && !context_name_ok(name))
			conf_tell(l->s,
			    conf_item_place(l, sec, "setcontext_names",
				&p->setcontext_names, i),
			    "setcontext_names: \"%.70s\" is neither a name nor "
			    "the beginning of one with \"*\"",
			    p->setcontext_names.v[i]);
	}
	context_init(&scratch);
	for (i = 0; i < p->context.n; i++) {
		at = conf_item_place(l, sec, "context", &p->context, i);
		equals = strchr(p->context.v[i], '=');
		if (equals == NULL) {
			conf_tell(l->s, at,
			    "context: \"%.70s\" is not of the form name=value",
			    p->context.v[i]);
			continue;
		}
		secret = context_pair_secret(p->context.v[i]);
		*equals = '\0';
		if (context_name_mistaken(p->context.v[i]))
			conf_tell(l->s, at,
			    "context: \"%.70s\" means nothing: this name is "
			    "written in lower case",
			    p->context.v[i]);
		else if (context_get(&scratch, p->context.v[i]) != NULL)
			conf_tell(l->s, at, "context: %s is set twice",
			    p->context.v[i]);
		else if (!context_set(&scratch, p->context.v[i], equals + 1,
			     "peer", &why))
			conf_tell(l->s, at, "context: \"%.70s\": %s",
			    p->context.v[i], why);
		else if (secret)
			conf_secret_at(l, at, p->context.v[i]);
		*equals = '=';
	}
	context_release(&scratch);
}

/* The more specific first; the rest is for an order that is always the
 * same. */
static int
by_network(const void *va, const void *vb)
{
	const struct conf_peer *a = va;
	const struct conf_peer *b = vb;

	if (a->net.family != b->net.family)
		return a->net.family == AF_INET ? -1 : 1;
	if (a->net.prefix != b->net.prefix)
		return a->net.prefix > b->net.prefix ? -1 : 1;
	return memcmp(a->net.addr, b->net.addr, sizeof(a->net.addr));
}

int
conf_load_peers(struct conf_load *l)
{
	size_t n = conf_tree_count(l->tree, "peer");
	struct conf_named *named;
	struct conf_peer *p;
	const char *why;
	char(*text)[CIDR_TEXT_MAX];
	cfg_t *sec;
	size_t i;
	int rc = -1;

	named = calloc(n + 1, sizeof(*named));
	text = calloc(n + 1, sizeof(*text));
	l->c->peers = calloc(n + 1, sizeof(*p));
	if (named == NULL || text == NULL || l->c->peers == NULL)
		goto done;
	for (i = 0; i < n; i++) {
		sec = cfg_getnsec(l->tree, "peer", (unsigned int)i);
		p = &l->c->peers[l->c->n_peers++];
		named[i].at = conf_tree_place(l->s, sec);
		if (!cidr_parse(cfg_title(sec), &p->net, &why))
			conf_tell(l->s, named[i].at, "peer \"%.60s\": %s",
			    cfg_title(sec), why);
		/* Without a network there is nothing to compare. */
		named[i].name = cidr_format(&p->net, text[i], sizeof(text[i]));
		if (p->net.family == 0)
			named[i].name = cfg_title(sec);
		if (conf_params_load(l->s, sec, conf_params_peer, p, NULL) != 0)
			goto done;
		if (p->net.family != 0)
			check_peer(l, sec, p);
	}
	conf_unique(l, "peer", named, n);
	qsort(l->c->peers, l->c->n_peers, sizeof(*p), by_network);
	rc = 0;
done:
	free(named);
	free(text);
	return rc;
}

int
conf_load_tags(struct conf_load *l)
{
	size_t n = conf_tree_count(l->tree, "tag");
	struct conf_place at;
	struct conf_tag *t;
	const char *why;
	cfg_t *sec;
	size_t i;

	l->c->tags = calloc(n + 1, sizeof(*t));
	if (l->c->tags == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		sec = cfg_getnsec(l->tree, "tag", (unsigned int)i);
		at = conf_tree_place(l->s, sec);
		t = &l->c->tags[l->c->n_tags++];
		t->name = strdup(cfg_title(sec));
		if (t->name == NULL ||
		    conf_params_load(l->s, sec, conf_params_tag, t, NULL) != 0)
			return -1;
		if (!conf_check_header(t->name, &why))
			conf_tell(l->s, at, "tag \"%.70s\": %s", t->name, why);
		if (t->variable == NULL)
			conf_tell(l->s, at,
			    "tag \"%.70s\": variable is missing", t->name);
		else if (!context_name_ok(t->variable))
			conf_tell(l->s, conf_set_at(l, sec, "variable"),
			    "variable: \"%.70s\" is not the name of a context "
			    "variable",
			    t->variable);
		else if (context_name_secret(t->variable))
			conf_tell(l->s, conf_set_at(l, sec, "variable"),
			    "variable: a password does not go into a header");
	}
	return 0;
}
