/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/route_build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/ds_rows.h"
#include "common/number.h"
#include "common/siphash.h"
#include "common/strbuf.h"

#define ID_TEXT_MAX 262144

/* A cell as it is shown in a message, and no longer than that. */
#define SHOWN 80

struct row {
	const char *host, *port, *tls; /* the last two: NULL if not said */
};

const struct conf_upstream *
route_options_up(const struct route_options *o)
{
	return o->auth != NULL ? &o->auth->up : &o->rcptto->up;
}

struct route *
route_new(
    struct conf *conf, const struct route_options *o, enum route_origin origin)
{
	struct route *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	atomic_init(&r->refs, 1);
	r->origin = origin;
	r->options = o->rcptto;
	r->auth = o->auth;
	r->up = route_options_up(o);
	r->conf = conf_ref(conf);
	return r;
}

struct route *
route_ref(struct route *r)
{
	(void)atomic_fetch_add(&r->refs, 1);
	return r;
}

void
route_unref(struct route *r)
{
	if (r == NULL || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	conf_unref(r->conf);
	free(r);
}

static bool
parse_tls(const char *text, enum conf_tls *tls)
{
	static const char *const words[] = { "none", "may", "encrypt", "verify",
		"implicit" };

	static const enum conf_tls values[] = { TLS_NONE, TLS_MAY, TLS_ENCRYPT,
		TLS_VERIFY, TLS_IMPLICIT };

	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*tls = values[i];
			return true;
		}
	}
	return false;
}

/* How much protection is demanded; implicit TLS is verified too. */
static int
strength(enum conf_tls tls)
{
	switch (tls) {
	case TLS_NONE:
		return 0;
	case TLS_MAY:
		return 1;
	case TLS_ENCRYPT:
		return 2;
	case TLS_VERIFY:
	case TLS_IMPLICIT:
		break;
	}
	return 3;
}

static bool
set_port(struct endpoint *e, const char *text, long fallback, char *why)
{
	long long port = fallback;

	if (text != NULL && !number_parse(text, 1, 65535, &port)) {
		(void)snprintf(
		    why, ROUTE_WHY_MAX, "\"%.*s\" is no port", SHOWN, text);
		return false;
	}
	if (e->kind == ENDPOINT_UNIX)
		return true;
	if (text != NULL && e->port != 0 && e->port != port) {
		(void)snprintf(why, ROUTE_WHY_MAX,
		    "%s has port %u, and column port says %lld", e->host,
		    (unsigned)e->port, port);
		return false;
	}
	if (e->port == 0)
		e->port = (uint16_t)port;
	return true;
}

static bool
set_tls(struct route_host *h, const char *text, enum conf_tls floor, char *why)
{
	h->tls = floor;
	if (text == NULL)
		return true;
	if (!parse_tls(text, &h->tls)) {
		(void)snprintf(why, ROUTE_WHY_MAX,
		    "\"%.*s\" is none of none, may, encrypt, verify, implicit",
		    SHOWN, text);
		return false;
	}
	if (strength(h->tls) < strength(floor)) {
		(void)snprintf(why, ROUTE_WHY_MAX,
		    "%s: tls=%.*s would loosen what the section demands and "
		    "is not followed",
		    h->endpoint.host, SHOWN, text);
		h->tls = floor;
	}
	return true;
}

/* May passwords of users go there? */
static bool
check_login(const struct route_host *h, char *why)
{
	if (h->endpoint.lmtp)
		(void)snprintf(why, ROUTE_WHY_MAX,
		    "%s: there are no logins in LMTP", h->endpoint.host);
	else if (h->tls == TLS_MAY && !endpoint_is_loopback(&h->endpoint))
		(void)snprintf(why, ROUTE_WHY_MAX,
		    "%s: tls=may is not used for logins off this machine",
		    h->endpoint.host);
	else
		return true;
	return false;
}

static bool
add(struct route *r, const struct row *row, char *why)
{
	struct route_host *h;
	const char *wrong = NULL;

	if (r->n_hosts == ROUTE_HOSTS_MAX)
		return true;
	h = &r->hosts[r->n_hosts];
	if (!endpoint_parse(row->host, &h->endpoint, &wrong)) {
		(void)snprintf(why, ROUTE_WHY_MAX, "\"%.*s\" is no host: %s",
		    SHOWN, row->host, wrong);
		return false;
	}
	if (!set_port(&h->endpoint, row->port, r->up->port, why) ||
	    !set_tls(h, row->tls, (enum conf_tls)r->up->tls, why) ||
	    (r->auth != NULL && !check_login(h, why)))
		return false;
	(void)endpoint_format(&h->endpoint, h->label, sizeof h->label);
	r->n_hosts++;
	return true;
}

bool
route_add_list(struct route *r, const struct strlist *hosts, char *why)
{
	size_t i;

	why[0] = '\0';
	for (i = 0; i < hosts->n; i++) {
		const struct row row = { hosts->v[i], NULL, NULL };

		if (!add(r, &row, why))
			return false;
	}
	return true;
}

/* An optional cell: NULL when it says nothing. */
static const char *
cell(const struct ds_rows *rows, size_t i, const char *name)
{
	const char *text = NULL;
	size_t column;

	if (ds_rows_find(rows, name, &column))
		text = ds_rows_cell(rows, i, column);
	return text != NULL && text[0] != '\0' ? text : NULL;
}

bool
route_add_rows(struct route *r, const struct ds_rows *rows, char *why)
{
	size_t i, host = 0;

	why[0] = '\0';
	if (!ds_rows_find(rows, "host", &host) && ds_rows_columns(rows) > 1) {
		(void)snprintf(why, ROUTE_WHY_MAX,
		    "several columns, and none is called host");
		return false;
	}
	for (i = 0; i < ds_rows_count(rows); i++) {
		const struct row row = { ds_rows_cell(rows, i, host),
			cell(rows, i, "port"), cell(rows, i, "tls") };

		if (row.host == NULL) {
			(void)snprintf(
			    why, ROUTE_WHY_MAX, "row %zu: host is NULL", i + 1);
			return false;
		}
		if (!add(r, &row, why))
			return false;
	}
	return true;
}

/* What the answers about recipients depend on. */
static void
mark_rcptto(const struct route *r, struct strbuf *text)
{
	const struct conf_rcptto *o = r->options;
	size_t i;

	strbuf_addf(
	    text, "|%d|%s|", o->helo, o->mailfrom != NULL ? o->mailfrom : "");
	/* Only where set: a mark that most routes do without. */
	if (r->auth_user != NULL)
		strbuf_addf(text, "login|%s|", r->auth_user);
	if (o->up.xclient != XCLIENT_NO)
		strbuf_addf(text, "xclient|%d|", o->up.xclient);
	for (i = 0; i < o->reply_class.n; i++)
		strbuf_add(
		    text, o->reply_class.v[i], strlen(o->reply_class.v[i]) + 1);
}

/* The id need not be secret, but has to be the same everywhere: a fixed key.
 * Each string goes in with its NUL. */
bool
route_finish(struct route *r)
{
	const struct siphash_key key = { 0, 0 };
	struct strbuf text;
	size_t i;
	bool ok;

	strbuf_init(&text, ID_TEXT_MAX);
	for (i = 0; i < r->n_hosts; i++)
		strbuf_add(
		    &text, r->hosts[i].label, strlen(r->hosts[i].label) + 1);
	if (r->auth != NULL)
		strbuf_adds(&text, "|auth|");
	else
		mark_rcptto(r, &text);
	ok = strbuf_ok(&text);
	if (ok)
		(void)snprintf(r->id, sizeof r->id, "%016" PRIx64,
		    siphash(&key, text.data, text.len));
	strbuf_release(&text);
	return ok;
}
