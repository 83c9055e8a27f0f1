/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/conf.h"
#include "milter/msession.h"
#include "milter/variables.h"

/* What strangers write may be no value of a context: it is made one. */
static void
set_text(
    struct msession *s, struct context *c, const char *name, const char *text)
{
	char value[CONTEXT_VALUE_MAX + 1];
	size_t i;

	snprintf(value, sizeof(value), "%s", text);
	for (i = 0; value[i] != '\0'; i++)
		if ((unsigned char)value[i] < 32 || value[i] == 127)
			value[i] = '?';
	msession_set(s, c, name, value, ORIGIN_MTA);
}

static const char *
macro(const struct macros *m, const char *name)
{
	const char *value = m->get(m->arg, name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

static void
set_macro(struct msession *s, const char *name, const struct macros *m,
    const char *from)
{
	const char *value = macro(m, from);

	if (value != NULL)
		set_text(s, &s->connection, name, value);
}

static void
set_count(struct msession *s, const char *name, unsigned long n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lu", n);
	msession_set(s, &s->connection, name, text, ORIGIN_MTA);
}

/* Whether the MTA relays for this client: as far as we are told.  Of a front
 * session whose MTA takes everybody for itself we refuse relaying. */
static void
set_auth(struct msession *s, const struct conf *conf, const struct macros *m)
{
	const char *user = macro(m, "{auth_authen}");
	char *copy = user != NULL ? strdup(user) : NULL;

	if (copy != NULL) {
		pthread_mutex_lock(&s->lock);
		free(s->user);
		s->user = copy;
		pthread_mutex_unlock(&s->lock);
	}
	if (user != NULL) {
		set_macro(s, "auth_name", m, "{auth_type}");
		set_macro(s, "auth_user", m, "{auth_authen}");
		msession_set(
		    s, &s->connection, "auth_status", "pass", ORIGIN_MTA);
	}
	if (user != NULL ||
	    (!s->no_xclient && s->addr[0] != '\0' &&
		conf_is_relay_host(conf, s->addr)))
		msession_set(
		    s, &s->connection, "can_relay", "true", ORIGIN_MTA);
}

void
variables_connect(
    struct msession *s, const struct conf *conf, const struct macros *m)
{
	if (!s->variables)
		return;
	if (s->addr[0] != '\0')
		set_text(s, &s->connection, "client_ip", s->addr);
	if (s->client_name != NULL)
		set_text(s, &s->connection, "client_name", s->client_name);
	set_auth(s, conf, m);
}

/* Postfix tells of a certificate only when it has verified it, Sendmail
 * always, and then how that went. */
static void
set_tls(struct msession *s, const struct macros *m)
{
	const char *verify = macro(m, "{verify}");
	bool verified = verify != NULL ? strcmp(verify, "OK") == 0
				       : macro(m, "{cert_subject}") != NULL;

	if (macro(m, "{tls_version}") == NULL)
		return;
	msession_set(s, &s->connection, "tls", "true", ORIGIN_MTA);
	set_macro(s, "tls_cipher", m, "{cipher}");
	set_macro(s, "tls_cipher_algbits", m, "{alg_bits}");
	set_macro(s, "tls_cipher_usebits", m, "{cipher_bits}");
	set_macro(s, "tls_client_cert_subject", m, "{cert_subject}");
	set_macro(s, "tls_client_cert_issuer", m, "{cert_issuer}");
	if (verified)
		msession_set(s, &s->connection, "tls_client_verified", "yes",
		    ORIGIN_MTA);
}

void
variables_helo(struct msession *s, const struct conf *conf, const char *helo,
    const struct macros *m)
{
	if (!s->variables)
		return;
	set_text(s, &s->connection, "ehlo_domain", helo);
	set_tls(s, m);
	set_auth(s, conf, m); /* EHLO may be said again, behind AUTH */
}

/* NAME_string, NAME_localpart and NAME_domain. */
static void
set_address(struct msession *s, const char *which, const char *path)
{
	static const char *const parts[] = { "string", "localpart", "domain" };
	char name[CONTEXT_NAME_MAX + 1];
	const char *values[3] = { path, NULL, NULL };
	struct address a;
	size_t i;

	if (address_parse(path, strlen(path), &a, NULL) != ADDRESS_BAD) {
		values[0] = a.path;
		if (a.local[0] != '\0')
			values[1] = a.local;
		if (a.domain[0] != '\0')
			values[2] = a.domain;
	}
	for (i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s_%s", which, parts[i]);
		if (values[i] != NULL) {
			set_text(s, &s->message, name, values[i]);
			continue;
		}
		/* Of the recipient before it. */
		pthread_mutex_lock(&s->lock);
		(void)context_unset(&s->message, name);
		pthread_mutex_unlock(&s->lock);
	}
}

void
variables_mail(struct msession *s, const struct conf *conf, const char *path,
    const struct macros *m)
{
	if (!s->variables)
		return;
	set_auth(s, conf, m);
	pthread_mutex_lock(&s->lock);
	s->counts.messages++;
	pthread_mutex_unlock(&s->lock);
	set_count(s, "connection_message_count", s->counts.messages);
	set_count(s, "message_rcpt_count", 0);
	set_address(s, "mailfrom", path);
}

void
variables_rcpt(struct msession *s, const char *path)
{
	if (!s->variables)
		return;
	pthread_mutex_lock(&s->lock);
	s->counts.rcpts++;
	s->counts.message_rcpts++;
	pthread_mutex_unlock(&s->lock);
	set_count(s, "connection_rcpt_count", s->counts.rcpts);
	set_count(s, "message_rcpt_count", s->counts.message_rcpts);
	set_address(s, "rcptto", path);
}

void
variables_result(struct msession *s, const char *word)
{
	if (s->variables)
		msession_set(s, &s->message, "smtp_rcptto_proxy_result", word,
		    ORIGIN_MILTER);
}
