/* SPDX-License-Identifier: BSD-2-Clause */
/* smtp_auth_proxy, of the file or of a domain. */
#include <string.h>

#include "common/conf_load.h"
#include "common/endpoint.h"
#include "common/login_name.h"

#define MECHANISMS                                      \
 "PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|CRAM-MD5|SCRAM-SHA-1" \
 "|SCRAM-SHA-256"

/*
 * A password goes in clear only where nobody can listen.  `may' cannot
 * promise that: who stands between takes STARTTLS out of the answer to EHLO.
 * `none' off loopback is somebody's express wish.
 *
 * A domain without hosts of its own has the global ones, under its own tls.
 */
static void
check_clear(struct conf_load *l, cfg_t *sec, const struct conf_auth *a,
    const struct conf_auth *base)
{
	bool own = a->up.host.n > 0 || base == NULL;
	const struct strlist *hosts = own ? &a->up.host : &base->up.host;
	bool may = a->up.tls == TLS_MAY;
	struct endpoint e;
	size_t i;

	if ((!may && a->up.tls != TLS_NONE) ||
	    (!own && a->up.tls == base->up.tls))
		return;
	for (i = 0; i < hosts->n; i++) {
		if (!endpoint_parse(hosts->v[i], &e, NULL) ||
		    endpoint_is_loopback(&e))
			continue;
		if (may)
			conf_tell(l->s, conf_set_at(l, sec, "tls"),
			    "tls: \"may\" lets anybody on the way to %.80s "
			    "read passwords: use encrypt, verify or implicit",
			    hosts->v[i]);
		else
			conf_warn(l->s, conf_set_at(l, sec, "tls"),
			    "tls: passwords travel in clear to %.80s",
			    hosts->v[i]);
	}
}

static void
check_lmtp(struct conf_load *l, cfg_t *sec, const struct strlist *host)
{
	struct endpoint e;
	size_t i;

	for (i = 0; i < host->n; i++)
		if (endpoint_parse(host->v[i], &e, NULL) && e.lmtp)
			conf_tell(l->s,
			    conf_item_place(l, sec, "host", host, i),
			    "host: \"%.80s\": there are no logins in LMTP",
			    host->v[i]);
}

static void
check_mechanisms(struct conf_load *l, cfg_t *sec, struct conf_auth *a,
    const struct strlist *global_host)
{
	size_t i;

	conf_list_words(l, sec, "mechanisms", &a->mechanisms, MECHANISMS);
	if (a->mechanisms.n == 0)
		conf_tell(l->s, conf_set_at(l, sec, "mechanisms"),
		    "mechanisms: at least one is needed");
	for (i = 0; i < a->mechanisms.n; i++)
		if (strcmp(a->mechanisms.v[i], "CRAM-MD5") == 0 &&
		    global_host->n == 0 &&
		    conf_tree_count(sec, "mechanisms") > 0)
			conf_warn(l->s,
			    conf_item_place(
				l, sec, "mechanisms", &a->mechanisms, i),
			    "mechanisms: CRAM-MD5 begins before the user is "
			    "known, with the global host, and there is none");
}

static void
check_warm(struct conf_load *l, cfg_t *sec, struct conf_auth *a)
{
	if (a->warm_sessions <= a->up.max_sessions)
		return;
	if (conf_tree_has(sec, conf_params_auth, "warm_sessions"))
		conf_tell(l->s, conf_set_at(l, sec, "warm_sessions"),
		    "warm_sessions: %ld is more than the %ld of "
		    "max_sessions",
		    a->warm_sessions, a->up.max_sessions);
	a->warm_sessions = a->up.max_sessions;
}

static void
check_canon(struct conf_load *l, cfg_t *sec, const struct conf_auth *a)
{
	const char *why = "";

	if (!login_name_canon_ok(a->canon, &why))
		conf_tell(l->s, conf_set_at(l, sec, "canon"),
		    "canon: \"%.80s\": %s", a->canon, why);
}

int
conf_load_auth(struct conf_load *l, cfg_t *sec, struct conf_auth *a,
    const struct conf_auth *base)
{
	struct conf_auth from;

	memset(&from, 0, sizeof(from));
	if (base != NULL) {
		/* A copy that owns nothing. */
		from = *base;
		from.up.host = (struct strlist){ NULL, 0 };
		from.up.ds_cache = from.up.query = NULL;
	}
	if (conf_params_load(l->s, sec, conf_params_auth, a,
		base != NULL ? &from : NULL) != 0)
		return -1;
	if (sec == NULL)
		return 0;
	conf_check_upstream(l, sec, conf_params_auth, &a->up, base != NULL);
	conf_limit_timeout(l, sec, &a->up.timeout, CONF_AUTH_TIMEOUT_MAX_MS,
	    "the SASL plug-in");
	if (base == NULL)
		conf_check_query(l, sec, &a->up.ds_cache, &a->up.query,
		    "username|localpart|domain", a->up.host.n > 0);
	check_lmtp(l, sec, &a->up.host);
	check_clear(l, sec, a, base);
	check_mechanisms(
	    l, sec, a, base != NULL ? &base->up.host : &a->up.host);
	check_warm(l, sec, a);
	check_canon(l, sec, a);
	return 0;
}

void
conf_auth_free(struct conf_auth *a)
{
	conf_params_free(conf_params_auth, a);
}
