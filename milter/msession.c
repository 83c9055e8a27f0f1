/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/log.h"
#include "milter/msession.h"

#define BYPASS "__bypass_smtp_rcptto_proxy"

static void
address_text(struct msession *s, const struct sockaddr *sa)
{
	if (sa == NULL)
		return;
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)sa;

		inet_ntop(AF_INET, &in->sin_addr, s->addr, sizeof(s->addr));
		s->port = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)sa;
		struct in_addr v4;

		s->port = ntohs(in6->sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			memcpy(&v4, &in6->sin6_addr.s6_addr[12], sizeof(v4));
			inet_ntop(AF_INET, &v4, s->addr, sizeof(s->addr));
		} else {
			inet_ntop(AF_INET6, &in6->sin6_addr, s->addr,
			    sizeof(s->addr));
		}
	}
}

/* context = {"name=value"} of the client's `peer` section. */
static void
peer_context(struct msession *s, const struct conf *conf)
{
	const struct conf_peer *peer = conf_peer_find(conf, s->addr);

	if (peer == NULL)
		return;
	for (size_t i = 0; i < peer->context.n; i++) {
		const char *pair = peer->context.v[i], *why = NULL;
		const char *eq = strchr(pair, '=');
		char name[CONTEXT_NAME_MAX + 1];

		if (eq == NULL || (size_t)(eq - pair) >= sizeof(name))
			continue; /* refused when the file was read */
		snprintf(name, sizeof(name), "%.*s", (int)(eq - pair), pair);
		if (!context_set(&s->connection, name, eq + 1, "peer", &why))
			log_warning("client %s: context %s not set: %s",
			    s->addr, name, why);
	}
}

static bool
replace(char **where, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return false;
	free(*where);
	*where = copy;
	return true;
}

struct msession *
msession_new(
    const char *name, const struct sockaddr *sa, const struct conf *conf)
{
	struct msession *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	context_init(&s->connection);
	context_init(&s->message);
	address_text(s, sa);
	/* An address in brackets is the MTA's way to say: no name. */
	if (name != NULL && name[0] != '[' && !replace(&s->client_name, name)) {
		msession_free(s);
		return NULL;
	}
	if (s->addr[0] != '\0')
		peer_context(s, conf);
	return s;
}

void
msession_free(struct msession *s)
{
	if (s == NULL)
		return;
	msession_reset(s);
	context_release(&s->connection);
	free(s->client_name);
	free(s->helo);
	free(s);
}

bool
msession_helo(struct msession *s, const char *helo)
{
	return replace(&s->helo, helo);
}

bool
msession_mail(
    struct msession *s, const char *sender, const char *auth, const char *id)
{
	msession_reset(s);
	s->authenticated =
	    auth != NULL && auth[0] != '\0' && strcmp(auth, "anonymous") != 0;
	if (id != NULL && !replace(&s->id, id))
		return false;
	return replace(&s->sender, sender);
}

void
msession_reset(struct msession *s)
{
	context_release(&s->message);
	free(s->sender);
	free(s->id);
	s->sender = s->id = NULL;
}

bool
msession_bypass(const struct msession *s)
{
	const char *m = context_get(&s->message, BYPASS);
	const char *c = context_get(&s->connection, BYPASS);

	return (m != NULL && strcmp(m, "true") == 0) ||
	    (c != NULL && strcmp(c, "true") == 0);
}

void
msession_client(const struct msession *s, struct session_client *out)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->addr, sizeof(out->addr), "%s", s->addr);
	if (s->port != 0)
		snprintf(out->port, sizeof(out->port), "%hu", s->port);
	if (s->client_name != NULL)
		snprintf(out->name, sizeof(out->name), "%s", s->client_name);
	if (s->helo != NULL)
		snprintf(out->helo, sizeof(out->helo), "%s", s->helo);
	snprintf(out->proto, sizeof(out->proto), "ESMTP");
}
