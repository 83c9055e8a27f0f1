/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/address.h"
#include "common/conf.h"
#include "common/endpoint.h"
#include "common/number.h"
#include "tools/command.h"

/* Used when only a host is given: nothing but asking it. */
static const char made_up[] =
    "smtp_rcptto_proxy { domains = {\"*\"} host = {\"127.0.0.1\"} }\n"
    "smtp_auth_proxy { host = {\"127.0.0.1\"}\n"
    " mechanisms = {\"PLAIN\", \"LOGIN\", \"XOAUTH2\", \"OAUTHBEARER\",\n"
    "  \"CRAM-MD5\", \"SCRAM-SHA-1\", \"SCRAM-SHA-256\"} }\n";

static void
say(void *arg, bool error, const char *line)
{
	(void)arg;
	fprintf(stderr, "posternctl: %s%s\n", error ? "" : "warning: ", line);
}

static int
load_made_up(struct conf **out)
{
	size_t len = sizeof(made_up) - 1;
	int fd = memfd_create("postern.conf", MFD_CLOEXEC), rc = -1;
	char path[64];

	if (fd < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, made_up, len) == (ssize_t)len)
		rc = conf_load(path, say, NULL, out);
	close(fd);
	return rc;
}

static bool
set_string(char **where, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return false;
	free(*where);
	*where = copy;
	return true;
}

static void
clear_list(struct strlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

static bool
set_list(struct strlist *l, const char *text)
{
	clear_list(l);
	if ((l->v = calloc(1, sizeof(*l->v))) == NULL ||
	    (l->v[0] = strdup(text)) == NULL)
		return false;
	l->n = 1;
	return true;
}

static bool
endpoint_ok(const char *host, struct endpoint *e)
{
	const char *why = NULL;

	if (endpoint_parse(host, e, &why))
		return true;
	fprintf(stderr, "posternctl: -H %s: %s\n", host, why);
	return false;
}

/* No other route is to be found than the one to this host. */
static bool
route_to(struct conf_upstream *up, const char *host)
{
	free(up->ds_cache);
	free(up->query);
	up->ds_cache = up->query = NULL;
	return set_list(&up->host, host);
}

static bool
rcptto_host(struct conf *c, const char *host)
{
	struct endpoint e;

	if (!endpoint_ok(host, &e))
		return false;
	for (size_t i = 0; i < c->n_domains; i++) {
		c->domains[i].has_rcptto = false;
		clear_list(&c->domains[i].rcptto.up.host);
	}
	return route_to(&c->rcptto.up, host) &&
	    set_list(&c->rcptto.domains, "*");
}

/* What the configuration may say of its own hosts alone (conf.h). */
static void
no_may(struct conf_upstream *up, const struct endpoint *e)
{
	if (up->tls == TLS_MAY && !endpoint_is_loopback(e))
		up->tls = TLS_VERIFY;
}

static bool
auth_host(struct conf *c, const char *host)
{
	struct endpoint e;

	if (!endpoint_ok(host, &e))
		return false;
	if (e.lmtp) {
		fprintf(stderr,
		    "posternctl: -H %s: there are no logins in LMTP\n", host);
		return false;
	}
	no_may(&c->auth.up, &e);
	for (size_t i = 0; i < c->n_domains; i++) {
		c->domains[i].has_auth = false;
		clear_list(&c->domains[i].auth.up.host);
		no_may(&c->domains[i].auth.up, &e);
	}
	return route_to(&c->auth.up, host);
}

static bool
override_rcptto(
    struct conf_rcptto *r, const struct override *o, int64_t timeout)
{
	if (timeout > 0)
		r->up.timeout = timeout;
	return o->mailfrom == NULL || set_string(&r->mailfrom, o->mailfrom);
}

/* One login takes one session; who waits wants no others. */
static void
override_auth(struct conf_auth *a, int64_t timeout)
{
	if (timeout > 0)
		a->up.timeout = timeout;
	a->warm_sessions = 0;
}

bool
ctl_address(char option, const char *text, struct address *out)
{
	const char *why = NULL;

	switch (address_parse(text, strlen(text), out, &why)) {
	case ADDRESS_OK:
	case ADDRESS_NULL:
		return true;
	case ADDRESS_NO_DOMAIN:
		why = "no domain";
		break;
	case ADDRESS_BAD:
		break;
	}
	fprintf(stderr, "posternctl: -%c %s: %s\n", option, text, why);
	return false;
}

/* "", <> or an address; the word `original` has no meaning here. */
static bool
mailfrom_ok(const char *text)
{
	struct address a;

	return text[0] == '\0' || ctl_address('f', text, &a);
}

static bool
override_all(struct conf *c, const struct override *o)
{
	int64_t ms = 0;

	if (o->mailfrom != NULL && !mailfrom_ok(o->mailfrom))
		return false;
	if (o->seconds != NULL &&
	    (!duration_parse(o->seconds, &ms) || ms < 100 || ms > 3600000)) {
		fprintf(stderr,
		    "posternctl: -t %s: not a time from 100ms to "
		    "1h\n",
		    o->seconds);
		return false;
	}
	if (o->host != NULL &&
	    !(o->auth ? auth_host(c, o->host) : rcptto_host(c, o->host)))
		return false;
	override_auth(&c->auth, ms);
	for (size_t i = 0; i < c->n_domains; i++)
		override_auth(&c->domains[i].auth, ms);
	if (!override_rcptto(&c->rcptto, o, ms))
		return false;
	for (size_t i = 0; i < c->n_domains; i++)
		if (!override_rcptto(&c->domains[i].rcptto, o, ms))
			return false;
	return true;
}

int
ctl_conf(const struct ctl *ctl, const struct override *o, struct conf **out)
{
	int rc;

	*out = NULL;
	if (o != NULL && o->host != NULL && !ctl->conf_given &&
	    access(ctl->conf_file, F_OK) != 0)
		rc = load_made_up(out);
	else
		rc = conf_load(ctl->conf_file, say, NULL, out);
	if (rc != 0)
		return EX_CONFIG;
	if (o != NULL && !override_all(*out, o)) {
		conf_unref(*out);
		*out = NULL;
		return EX_USAGE;
	}
	return 0;
}
