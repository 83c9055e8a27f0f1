/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_serve - what the plug-in asks (wire.h), put to auth.h
 *
 * A login is WIRE_CHECK and its answer; or WIRE_START, and WIRE_STEP after
 * each WIRE_CHALLENGE, until the answer is final.  Then the connection stays
 * for the next one.  Anything else, and anything out of turn, ends it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "common/wire.h"
#include "saslauth-plugin/serve.h"

#define MECH_MAX    32
#define SERVICE_MAX 64
#define REALM_MAX   255
#define CLIENT_MAX  64

/* Longer than the plug-in keeps a connection (authd_kept.h): it would send a
 * login to one that we are about to close. */
#define STAYS_MS (5L * 60 * 1000)

/* The items that are text. */
struct texts {
	char mech[MECH_MAX + 1];
	char service[SERVICE_MAX + 1];
	char realm[REALM_MAX + 1];
	char client[CLIENT_MAX + 1];
};

static enum serve_seen
wire_look(const unsigned char *buf, size_t len, const char **why)
{
	long whole = wire_frame(buf, len, why);

	if (whole < 0)
		return SERVE_BAD;
	if (whole == 0 || len < (size_t)whole)
		return SERVE_PART;
	if (len == (size_t)whole)
		return SERVE_WHOLE;
	*why = "more than one frame at once";
	return SERVE_BAD;
}

static bool
text(const struct wire_item *i, char *out, size_t size)
{
	return serve_text(i->data, i->len, out, size);
}

static bool
texts_read(const struct wire_message *m, struct texts *t)
{
	return text(&m->item[WIRE_MECH], t->mech, sizeof(t->mech)) &&
	    text(&m->item[WIRE_SERVICE], t->service, sizeof(t->service)) &&
	    text(&m->item[WIRE_REALM], t->realm, sizeof(t->realm)) &&
	    text(&m->item[WIRE_CLIENT], t->client, sizeof(t->client));
}

static void
item_set(
    struct wire_message *m, enum wire_tag tag, const void *data, size_t len)
{
	m->item[tag].data = data;
	m->item[tag].len = len;
}

/* Without memory there is no reply, which is no answer to a login either. */
static void
reply(struct serve_call *c, const struct wire_message *m)
{
	size_t size = WIRE_HEADER;

	for (int i = 1; i < WIRE_TAGS; i++)
		if (m->item[i].data != NULL)
			size += 3 + m->item[i].len;
	if ((c->reply = malloc(size)) == NULL)
		return;
	if ((c->reply_len = wire_format(m, c->reply, size)) == 0) {
		free(c->reply);
		c->reply = NULL;
	}
}

static void
wire_refuse(struct serve_call *c, const char *reason)
{
	struct wire_message m = { .type = WIRE_UNSURE };

	item_set(&m, WIRE_REASON, reason, strlen(reason));
	reply(c, &m);
}

static void
answer_final(struct serve_call *c, const struct auth_answer *a)
{
	struct wire_message m = { .type = WIRE_UNSURE };

	if (a->verdict == VERDICT_ACCEPT)
		m.type = WIRE_GOOD;
	else if (a->verdict == VERDICT_REJECT)
		m.type = WIRE_BAD;
	else
		item_set(&m, WIRE_REASON, a->reason, strlen(a->reason));
	if (a->user[0] != '\0')
		item_set(&m, WIRE_USER, a->user, strlen(a->user));
	c->hold_ms = a->hold_ms;
	reply(c, &m);
	c->more = c->reply != NULL;
}

static void
answer_challenge(struct serve_call *c, const struct secret *challenge)
{
	struct wire_message m = { .type = WIRE_CHALLENGE };
	size_t len;
	const char *octets = secret_bytes(challenge, &len);

	item_set(&m, WIRE_DATA, octets, len);
	reply(c, &m);
	c->more = c->reply != NULL;
}

static void
check(struct serve_call *c, const struct wire_message *m,
    const struct auth_asker *who, const char *mech)
{
	const struct wire_item *pass = &m->item[WIRE_PASS];
	struct secret secret = { 0 };
	struct auth_login login = {
		.mech = mech,
		.user = (const char *)m->item[WIRE_USER].data,
		.user_len = m->item[WIRE_USER].len,
		.pass = &secret,
	};

	if (!secret_set(&secret, pass->data, pass->len)) {
		wire_refuse(c, "out of memory");
		return;
	}
	serve_check(c, &wire_protocol, who, &login);
	secret_release(&secret);
}

/* What auth.h has said in a dialogue. */
static void
answer_step(struct serve_call *c, bool goes_on, const struct secret *challenge,
    const struct auth_answer *a)
{
	if (goes_on) {
		answer_challenge(c, challenge);
		return;
	}
	auth_end(*c->dialogue);
	*c->dialogue = NULL;
	answer_final(c, a);
}

static void
start(struct serve_call *c, const struct wire_message *m,
    const struct auth_asker *who, const char *mech)
{
	const struct wire_item *data = &m->item[WIRE_DATA];
	struct secret initial = { 0 }, challenge = { 0 };
	struct auth_dialogue *x = NULL;
	struct auth_answer a = { 0 };
	bool goes_on;

	if (data->data != NULL &&
	    !secret_set(&initial, data->data, data->len)) {
		wire_refuse(c, "out of memory");
		return;
	}
	goes_on = auth_begin(c->auth, who, mech,
	    data->data != NULL ? &initial : NULL, c->until, &x, &challenge, &a);
	*c->dialogue = x;
	answer_step(c, goes_on, &challenge, &a);
	secret_release(&initial);
	secret_release(&challenge);
}

static void
step(struct serve_call *c, const struct wire_message *m)
{
	const struct wire_item *data = &m->item[WIRE_DATA];
	struct secret response = { 0 }, challenge = { 0 };
	struct auth_answer a = { 0 };
	bool goes_on;

	if (!secret_set(&response, data->data, data->len)) {
		wire_refuse(c, "out of memory");
		return;
	}
	goes_on = auth_step(*c->dialogue, &response, &challenge, &a);
	answer_step(c, goes_on, &challenge, &a);
	secret_release(&response);
	secret_release(&challenge);
}

static void
wire_answer(struct serve_call *c)
{
	struct texts t = { 0 };
	struct auth_asker who = {
		.service = t.service, .realm = t.realm, .client = t.client
	};
	struct wire_message m;
	bool first = *c->dialogue == NULL;

	if (!wire_parse(c->request, c->len, &m, &c->fault))
		return;
	if (!texts_read(&m, &t))
		c->fault = "an item that is too long or holds a NUL";
	else if (m.type == WIRE_CHECK && first)
		check(c, &m, &who, t.mech);
	else if (c->quick != NULL)
		c->slow = true;
	else if (m.type == WIRE_START && first)
		start(c, &m, &who, t.mech);
	else if (m.type == WIRE_STEP && !first)
		step(c, &m);
	else
		c->fault = "a message out of turn";
}

static void
wire_end(void *dialogue)
{
	auth_end(dialogue);
}

const struct serve_protocol wire_protocol = {
	.name = "plug-in",
	.requests = "logins",
	.max = WIRE_MAX,
	.idle_ms = STAYS_MS,
	.look = wire_look,
	.answer = wire_answer,
	.say = answer_final,
	.refuse = wire_refuse,
	.end = wire_end,
};
