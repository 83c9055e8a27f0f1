/* SPDX-License-Identifier: BSD-2-Clause */
/* What messages bring with them, before it is kept. */
#include <stdio.h>
#include <string.h>

#include "common/outbound_state.h"

const char *
outbound_nonsense(const char *text)
{
	size_t len = strnlen(text, OUTBOUND_KEY_MAX + 1), i;

	if (len == 0)
		return "is empty";
	if (len > OUTBOUND_KEY_MAX)
		return "is longer than 1024 octets";
	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 32 || text[i] == 127)
			return "has a control character";
	return NULL;
}

/* False with a message when it cannot be kept. */
static bool
is_fit(const struct outbound_message *m, char *why, size_t len)
{
	const char *of = "the message", *wrong = NULL, *octets;
	size_t n;

	if ((m->user == NULL) != (m->pass == NULL)) {
		wrong = "brings a user name or a password alone";
	} else if (m->user == NULL && m->type < 0 && m->key == NULL &&
	    m->binding == NULL) {
		wrong = "brings nothing";
	} else if (m->user != NULL) {
		of = "the user name";
		wrong = credential_user_wrong(m->user);
	}
	if (wrong == NULL && m->pass != NULL) {
		of = "the password";
		octets = secret_bytes(m->pass, &n);
		wrong = credential_pass_wrong(octets, n);
	}
	if (wrong == NULL && credential_type_name(m->type)[0] == '\0' &&
	    m->type != -1) {
		of = "the type";
		wrong = "is neither PLAIN nor LOGIN";
	}
	if (wrong == NULL && m->key != NULL) {
		of = "the key";
		wrong = outbound_nonsense(m->key);
	}
	if (wrong != NULL)
		(void)snprintf(why, len, "%s %s", of, wrong);
	return wrong == NULL;
}

static bool
is_there(
    const struct outbound_setup *s, const char *binding, char *why, size_t len)
{
	const struct credential_where where = { .binding = binding };
	struct credential_pick p;

	if (binding == NULL)
		return true;
	credential_pick(s->credentials, &where, &p, NULL);
	if (p.said != CREDENTIAL_NO_BINDING)
		return true;
	(void)snprintf(why, len, "there is no binding \"%.64s\"", binding);
	return false;
}

bool
outbound_put(
    struct outbound *o, const struct outbound_message *m, char *why, size_t len)
{
	struct outbound_messages *messages;
	struct outbound_setup *setup = outbound_setup_get(o, &messages);
	bool ok = false;

	if (!setup->conf->credential.message_credentials || messages == NULL)
		(void)snprintf(why, len, "message_credentials is off");
	else
		ok = is_fit(m, why, len) &&
		    is_there(setup, m->binding, why, len) &&
		    outbound_messages_put(messages, m, why, len);
	outbound_setup_unref(setup);
	return ok;
}
