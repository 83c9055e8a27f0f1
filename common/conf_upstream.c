/* SPDX-License-Identifier: BSD-2-Clause */
/* smtp_rcptto_proxy, of the file or of a domain, and what it has in common
 * with smtp_auth_proxy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "common/conf_check.h"
#include "common/conf_load.h"
#include "common/endpoint.h"

/* Postfix waits 30 s for a milter's answer (milter_command_timeout): ours
 * must be there before. */
#define RCPTTO_TIMEOUT_MAX_MS 25000

/* In a domain these have no meaning: routes are found by domain first. */
static const char *const global_only[] = { "ds_cache", "query", "domains",
	"cache_size" };

static void
check_domain_scope(
    struct conf_load *l, cfg_t *sec, const struct conf_param *params)
{
	size_t i;

	for (i = 0; i < sizeof(global_only) / sizeof(global_only[0]); i++)
		if (conf_tree_has(sec, params, global_only[i]))
			conf_tell(l->s, conf_set_at(l, sec, global_only[i]),
			    "%s belongs into the global %s, not into that of a "
			    "domain",
			    global_only[i], sec->name);
}

static bool
filled(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static void
check_tls(struct conf_load *l, cfg_t *sec, const struct conf_param *params,
    const struct conf_upstream *up, bool in_domain)
{
	static const char *const needs_tls[] = { "tls_ca_file", "tls_ca_path",
		"tls_cert_file", "tls_verify_name" };
	const struct conf_value *v;
	char name[ADDRESS_DOMAIN_MAX + 1];
	const char *why;
	size_t i;

	conf_own_path(l, sec, "tls_ca_file", up->tls_ca_file);
	conf_own_path(l, sec, "tls_ca_path", up->tls_ca_path);
	conf_own_path(l, sec, "tls_cert_file", up->tls_cert_file);
	conf_own_path(l, sec, "tls_key_file", up->tls_key_file);
	conf_cert_pair(l, sec, up->tls_cert_file, up->tls_key_file);
	if (filled(up->tls_verify_name) &&
	    !conf_check_domain(up->tls_verify_name, name, sizeof(name), &why))
		conf_tell(l->s, conf_set_at(l, sec, "tls_verify_name"),
		    "tls_verify_name: \"%.80s\": %s", up->tls_verify_name, why);
	/* A domain may do without the TLS that the others need. */
	if (in_domain || up->tls != TLS_NONE)
		return;
	for (i = 0; i < sizeof(needs_tls) / sizeof(needs_tls[0]); i++) {
		v = conf_tree_value(sec, needs_tls[i], 0);
		if (v != NULL && v->text[0] != '\0' &&
		    conf_tree_has(sec, params, needs_tls[i]))
			conf_tell(l->s, v->at, "%s contradicts tls = \"none\"",
			    needs_tls[i]);
	}
}

static void
check_hosts(struct conf_load *l, cfg_t *sec, const struct strlist *host)
{
	struct endpoint a, b;
	size_t i, j;

	conf_list_endpoints(l, sec, "host", host);
	if (conf_tree_count(sec, "host") == 0)
		return;
	if (host->n > CONF_HOSTS_MAX)
		conf_tell(l->s,
		    conf_item_place(l, sec, "host", host, CONF_HOSTS_MAX),
		    "host: more than %d of them", CONF_HOSTS_MAX);
	for (i = 1; i < host->n; i++)
		for (j = 0; j < i; j++)
			if (endpoint_parse(host->v[i], &a, NULL) &&
			    endpoint_parse(host->v[j], &b, NULL) &&
			    endpoint_equal(&a, &b))
				conf_tell(l->s,
				    conf_item_place(l, sec, "host", host, i),
				    "host: \"%.80s\" is there twice",
				    host->v[i]);
}

void
conf_check_upstream(struct conf_load *l, cfg_t *sec,
    const struct conf_param *params, struct conf_upstream *up, bool in_domain)
{
	check_hosts(l, sec, &up->host);
	check_tls(l, sec, params, up, in_domain);
	if (in_domain)
		check_domain_scope(l, sec, params);
}

void
conf_limit_timeout(struct conf_load *l, cfg_t *sec, int64_t *timeout,
    int64_t most, const char *who)
{
	if (*timeout <= most)
		return;
	conf_warn(l->s, conf_set_at(l, sec, "timeout"),
	    "timeout: %lld s is more than %s waits: lowered to %lld s",
	    (long long)*timeout / 1000, who, (long long)most / 1000);
	*timeout = most;
}

/* Lower case, no final dot, none twice, "*" alone for all. */
static int
check_domains(struct conf_load *l, cfg_t *sec, struct strlist *domains)
{
	struct conf_named *named;
	char name[ADDRESS_DOMAIN_MAX + 1];
	const char *why;
	size_t i, n = 0;

	named = calloc(domains->n + 1, sizeof(*named));
	if (named == NULL)
		return -1;
	for (i = 0; i < domains->n; i++) {
		named[n].at = conf_item_place(l, sec, "domains", domains, i);
		if (strcmp(domains->v[i], "*") != 0) {
			if (!conf_check_domain(
				domains->v[i], name, sizeof(name), &why)) {
				conf_tell(l->s, named[n].at,
				    "domains: \"%.80s\": %s", domains->v[i],
				    why);
				continue;
			}
			free(domains->v[i]);
			domains->v[i] = strdup(name);
			if (domains->v[i] == NULL) {
				domains->v[i] = domains->v[--domains->n];
				free(named);
				return -1;
			}
		} else if (domains->n > 1) {
			conf_warn(l->s, named[n].at,
			    "domains: \"*\" makes the other names superfluous");
		}
		named[n++].name = domains->v[i];
	}
	conf_unique(l, "domains:", named, n);
	free(named);
	return 0;
}

static int
check_mailfrom(struct conf_load *l, cfg_t *sec, char **mailfrom)
{
	struct conf_place at = conf_set_at(l, sec, "mailfrom");
	enum address_result result;
	struct address a;
	const char *why = NULL;
	char *text = NULL;

	if (*mailfrom == NULL || **mailfrom == '\0' ||
	    conf_tree_count(sec, "mailfrom") == 0)
		return 0;
	if (strcasecmp(*mailfrom, "original") == 0) {
		text = strdup("original");
	} else {
		result = address_parse(*mailfrom, strlen(*mailfrom), &a, &why);
		if (result == ADDRESS_NULL || result == ADDRESS_OK) {
			text = strdup(a.path);
		} else {
			conf_tell(l->s, at,
			    "mailfrom: \"%.80s\" is neither \"\", \"original\" "
			    "nor an address%s%s",
			    *mailfrom, why != NULL ? ": " : "",
			    why != NULL ? why : "");
			return 0;
		}
	}
	free(*mailfrom);
	*mailfrom = text;
	return text != NULL ? 0 : -1;
}

static void
check_rcptto_limits(
    struct conf_load *l, cfg_t *sec, struct conf_rcptto *r, bool in_domain)
{
	const struct conf_param *params = conf_params_rcptto;

	conf_limit_timeout(
	    l, sec, &r->up.timeout, RCPTTO_TIMEOUT_MAX_MS, "the MTA");
	if (r->on_down == ON_DOWN_LEARNED) {
		conf_tell(l->s, conf_set_at(l, sec, "on_down"),
		    "on_down: \"learned\" is not available yet; there are "
		    "defer and accept");
		r->on_down = ON_DOWN_DEFER;
	}
	if (r->batch >= r->up.max_commands &&
	    (conf_tree_has(sec, params, "batch") ||
		conf_tree_has(sec, params, "max_commands")))
		conf_tell(l->s, conf_set_at(l, sec, "batch"),
		    "batch: %ld recipients do not fit into the %ld of "
		    "max_commands",
		    r->batch, r->up.max_commands);
	if (r->helo == HELO_REPLAY && r->up.xclient != XCLIENT_NO)
		conf_tell(l->s, conf_set_at(l, sec, "helo"),
		    "helo = \"replay\" contradicts xclient: XCLIENT tells the "
		    "client's name by itself");
	if (in_domain)
		return;
	if (r->domains.n == 0 && r->up.host.n > 0 && r->up.query == NULL)
		conf_warn(l->s, conf_set_at(l, sec, "host"),
		    "host: asked about no domain: name them in domains, or "
		    "say \"*\"");
}

int
conf_load_rcptto(struct conf_load *l, cfg_t *sec, struct conf_rcptto *r,
    const struct conf_rcptto *base)
{
	struct conf_rcptto from;

	memset(&from, 0, sizeof(from));
	if (base != NULL) {
		/* A copy that owns nothing. */
		from = *base;
		from.up.host = (struct strlist){ NULL, 0 };
		from.domains = (struct strlist){ NULL, 0 };
		from.up.ds_cache = from.up.query = NULL;
	}
	if (conf_params_load(l->s, sec, conf_params_rcptto, r,
		base != NULL ? &from : NULL) != 0)
		return -1;
	if (sec == NULL)
		return conf_check_reply_class(l, sec, r);
	conf_check_upstream(l, sec, conf_params_rcptto, &r->up, base != NULL);
	if (base == NULL)
		conf_check_query(l, sec, &r->up.ds_cache, &r->up.query,
		    "domain|localpart|rcptto", r->up.host.n > 0);
	check_rcptto_limits(l, sec, r, base != NULL);
	if (base == NULL && check_domains(l, sec, &r->domains) != 0)
		return -1;
	if (check_mailfrom(l, sec, &r->mailfrom) != 0)
		return -1;
	return conf_check_reply_class(l, sec, r);
}

void
conf_rcptto_free(struct conf_rcptto *r)
{
	conf_params_free(conf_params_rcptto, r);
	conf_free_reply_class(r);
}
