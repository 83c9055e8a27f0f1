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

/* Under the lock.  Logs nothing, so `why` is returned. */
static const char *
put(struct context *c, const char *name, const char *value, const char *origin)
{
	const char *before = context_origin(c, name), *why = NULL;

	if (before != NULL && strcmp(before, ORIGIN_CLIENT) == 0 &&
	    strcmp(origin, ORIGIN_CLIENT) != 0)
		return NULL;
	(void)context_set(c, name, value, origin, &why);
	return why;
}

/* One name at a time: a dictionary must not change while it is walked. */
static bool
from_peer(const char *name, const char *value, const char *origin, void *arg)
{
	(void)value;
	if (strcmp(origin, ORIGIN_PEER) != 0)
		return true;
	*(const char **)arg = name;
	return false;
}

bool
msession_peer(struct msession *s, const struct conf *conf)
{
	const struct conf_peer *peer = NULL;
	const char *old = NULL;
	bool ok = true;

	while (!context_foreach(&s->connection, from_peer, &old))
		(void)context_unset(&s->connection, old);
	if (s->addr[0] != '\0')
		peer = conf_peer_find(conf, s->addr);
	for (size_t i = 0; peer != NULL && i < peer->context.n; i++) {
		const char *pair = peer->context.v[i];
		const char *eq = strchr(pair, '=');
		char name[CONTEXT_NAME_MAX + 1];

		if (eq == NULL || (size_t)(eq - pair) >= sizeof(name))
			continue; /* refused when the file was read */
		snprintf(name, sizeof(name), "%.*s", (int)(eq - pair), pair);
		ok = put(&s->connection, name, eq + 1, ORIGIN_PEER) == NULL &&
		    ok;
	}
	return ok;
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
	pthread_mutex_init(&s->lock, NULL);
	context_init(&s->connection);
	context_init(&s->message);
	address_text(s, sa);
	/* An address in brackets is the MTA's way to say: no name. */
	if (name != NULL && name[0] != '[' && !replace(&s->client_name, name)) {
		msession_free(s);
		return NULL;
	}
	if (!msession_peer(s, conf))
		log_warning("client %s: not all of its peer section's context "
			    "could be set",
		    s->addr);
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
	free(s->user);
	free(s->helo);
	pthread_mutex_destroy(&s->lock);
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
	pthread_mutex_lock(&s->lock);
	context_release(&s->message);
	s->counts.message_rcpts = 0;
	pthread_mutex_unlock(&s->lock);
	free(s->sender);
	free(s->id);
	s->sender = s->id = NULL;
}

bool
msession_bypass(struct msession *s)
{
	const char *m, *c;
	bool yes;

	pthread_mutex_lock(&s->lock);
	m = context_get(&s->message, BYPASS);
	c = context_get(&s->connection, BYPASS);
	yes = (m != NULL && strcmp(m, "true") == 0) ||
	    (c != NULL && strcmp(c, "true") == 0);
	pthread_mutex_unlock(&s->lock);
	return yes;
}

void
msession_client(struct msession *s, struct session_client *out)
{
	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&s->lock);
	snprintf(out->addr, sizeof(out->addr), "%s", s->addr);
	if (s->port != 0)
		snprintf(out->port, sizeof(out->port), "%hu", s->port);
	if (s->client_name != NULL)
		snprintf(out->name, sizeof(out->name), "%s", s->client_name);
	pthread_mutex_unlock(&s->lock);
	if (s->helo != NULL)
		snprintf(out->helo, sizeof(out->helo), "%s", s->helo);
	snprintf(out->proto, sizeof(out->proto), "ESMTP");
}

void
msession_set(struct msession *s, struct context *c, const char *name,
    const char *value, const char *origin)
{
	const char *why;

	pthread_mutex_lock(&s->lock);
	why = put(c, name, value, origin);
	pthread_mutex_unlock(&s->lock);
	if (why != NULL)
		log_warning("context %s not set: %s", name, why);
}
