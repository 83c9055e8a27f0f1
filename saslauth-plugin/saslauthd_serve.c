/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * saslauthd_serve - saslauthd's protocol, one login a connection
 *
 * "OK" and "NO" are the two answers that it has.  The third is to hang up
 * without one, which clients take for a fault of the service.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "saslauth-plugin/saslauthd_frame.h"
#include "saslauth-plugin/serve.h"

#define SERVICE_MAX 64
#define REALM_MAX   255
#define CLIENT_MAX  64

static enum serve_seen
saslauthd_look(const unsigned char *buf, size_t len, const char **why)
{
	switch (saslauthd_parse(buf, len, NULL, why)) {
	case SASLAUTHD_MORE:
		return SERVE_PART;
	case SASLAUTHD_FOUR:
		return SERVE_PERHAPS;
	case SASLAUTHD_FIVE:
		return SERVE_WHOLE;
	case SASLAUTHD_BAD:
	default:
		return SERVE_BAD;
	}
}

/* Does the login end in '@' and the realm already? */
static bool
has_realm(const struct saslauthd_request *rq)
{
	const struct saslauthd_field *l = &rq->login, *r = &rq->realm;

	return l->len > r->len && l->data[l->len - r->len - 1] == '@' &&
	    memcmp(l->data + l->len - r->len, r->data, r->len) == 0;
}

/*
 * The name as the user gave it, and as the MTA knows it afterwards.  libsasl
 * has cut it at the last '@', also one that has two; an MTA with a realm of
 * its own means the same by it.  One that is too long is left for
 * auth_check() to refuse.
 */
static size_t
user_text(const struct saslauthd_request *rq, char *out, size_t size)
{
	size_t login = rq->login.len, realm = rq->realm.len;

	if (login > size)
		login = size;
	memcpy(out, rq->login.data, login);
	if (realm == 0 || has_realm(rq))
		return login;
	if (login + 1 + realm > size)
		realm = login < size ? size - login - 1 : 0;
	if (login < size)
		out[login++] = '@';
	memcpy(out + login, rq->realm.data, realm);
	return login + realm;
}

static void
say(struct serve_call *c, const char *word)
{
	size_t n = strlen(word);

	if ((c->reply = malloc(2 + n)) == NULL)
		return;
	c->reply[0] = 0;
	c->reply[1] = (unsigned char)n;
	memcpy(c->reply + 2, word, n);
	c->reply_len = 2 + n;
}

static void
saslauthd_say(struct serve_call *c, const struct auth_answer *a)
{
	c->hold_ms = a->hold_ms;
	if (a->verdict == VERDICT_ACCEPT)
		say(c, "OK");
	else if (a->verdict == VERDICT_REJECT)
		say(c, "NO");
}

static void
saslauthd_answer(struct serve_call *c)
{
	char service[SERVICE_MAX + 1], realm[REALM_MAX + 1];
	char client[CLIENT_MAX + 1], user[LOGIN_NAME_OCTETS + 2];
	struct auth_asker who = {
		.service = service, .realm = realm, .client = client
	};
	struct auth_login login = { .mech = "PLAIN", .user = user };
	struct secret pass = { 0 };
	struct saslauthd_request rq;

	if (saslauthd_parse(c->request, c->len, &rq, NULL) < SASLAUTHD_FOUR ||
	    !serve_text(
		rq.service.data, rq.service.len, service, sizeof(service)) ||
	    !serve_text(rq.realm.data, rq.realm.len, realm, sizeof(realm)) ||
	    !serve_text(
		rq.client.data, rq.client.len, client, sizeof(client))) {
		c->fault = "a field that is too long or holds a NUL";
		return;
	}
	/* Without memory: hang up. */
	if (!secret_set(&pass, rq.password.data, rq.password.len))
		return;
	login.user_len = user_text(&rq, user, sizeof(user));
	login.pass = &pass;
	serve_check(c, &saslauthd_protocol, &who, &login);
	secret_release(&pass);
}

static void
saslauthd_refuse(struct serve_call *c, const char *reason)
{
	(void)reason;
	c->reply = NULL;
}

const struct serve_protocol saslauthd_protocol = {
	.name = "saslauthd",
	.requests = "logins",
	.max = SASLAUTHD_REQUEST_MAX,
	.look = saslauthd_look,
	.answer = saslauthd_answer,
	.say = saslauthd_say,
	.refuse = saslauthd_refuse,
};
