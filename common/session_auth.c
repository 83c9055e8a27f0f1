/* SPDX-License-Identifier: BSD-2-Clause */
/* AUTH PLAIN (RFC 4616) and LOGIN, as RFC 4954 frames them. */
#include "common/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/secret.h"
#include "common/session_state.h"

/* An initial response is sent with AUTH only when the line keeps to RFC 5321
 * section 4.5.3.1.4; some servers refuse longer ones. */
#define AUTH_INITIAL_MAX 512
/* Decoded octets whose base64 fits in a line. */
#define AUTH_OCTETS_MAX  ((size_t)SESSION_LINE_MAX / 4 * 3)
#define HIDDEN           "********"

/* Send `verb` and data in base64; verb is "" or ends in a space. */
static enum outcome
ask_base64(struct opening *o, const char *verb, const char *data, size_t len)
{
	size_t vlen = strlen(verb);
	size_t size = vlen + (len + 2) / 3 * 4 + 1;
	char shown[64];
	char *line = NULL;
	enum outcome oc = OUTCOME_TEMP;

	(void)snprintf(shown, sizeof(shown), "%s" HIDDEN, verb);
	if (len > AUTH_OCTETS_MAX || size > SESSION_LINE_MAX) {
		fault_set(o->f, FAULT_LOCAL, "credentials too long for AUTH");
		oc = OUTCOME_PERM;
		goto done;
	}
	line = calloc(1, size);
	if (line == NULL) {
		fault_set(o->f, FAULT_LOCAL, "out of memory");
		goto done;
	}
	memcpy(line, verb, vlen);
	(void)EVP_EncodeBlock((unsigned char *)line + vlen,
	    (const unsigned char *)data, (int)len);
	oc = opening_ask(o, line, shown);
done:
	if (line != NULL)
		explicit_bzero(line, size);
	free(line);
	return oc;
}

/* Was that the 334 that asks for more? */
static enum outcome
expect_challenge(struct opening *o)
{
	return o->reply.code == 334 ? OUTCOME_OK : opening_refused(o, "AUTH");
}

static enum outcome
auth_plain(struct opening *o, const char *user, const struct secret *pass)
{
	size_t ulen = strlen(user), plen, len;
	const char *p = secret_bytes(pass, &plen);
	char *msg = NULL;
	enum outcome oc = OUTCOME_TEMP;

	len = ulen + plen + 2;
	msg = calloc(1, len);
	if (msg == NULL) {
		fault_set(o->f, FAULT_LOCAL, "out of memory");
		goto done;
	}
	/* NUL authcid NUL password; the authzid is left to the server. */
	memcpy(msg + 1, user, ulen + 1);
	memcpy(msg + ulen + 2, p, plen);
	if (len <= (AUTH_INITIAL_MAX - 2 - strlen("AUTH PLAIN ")) / 4 * 3) {
		oc = ask_base64(o, "AUTH PLAIN ", msg, len);
		goto done;
	}
	oc = opening_ask(o, "AUTH PLAIN", NULL);
	if (oc == OUTCOME_OK)
		oc = expect_challenge(o);
	if (oc == OUTCOME_OK)
		oc = ask_base64(o, "", msg, len);
done:
	if (msg != NULL)
		explicit_bzero(msg, len);
	free(msg);
	return oc;
}

static enum outcome
auth_login(struct opening *o, const char *user, const struct secret *pass)
{
	size_t plen;
	const char *p = secret_bytes(pass, &plen);
	enum outcome oc;

	/* What the challenges say differs; their order does not. */
	oc = opening_ask(o, "AUTH LOGIN", NULL);
	if (oc == OUTCOME_OK)
		oc = expect_challenge(o);
	if (oc == OUTCOME_OK)
		oc = ask_base64(o, "", user, strlen(user));
	if (oc == OUTCOME_OK)
		oc = expect_challenge(o);
	if (oc == OUTCOME_OK)
		oc = ask_base64(o, "", p, plen);
	return oc;
}

/* The mechanism to use, or 0. */
static unsigned int
choose_mech(const struct session_params *p, unsigned int offered)
{
	unsigned int known = EHLO_MECH_PLAIN | EHLO_MECH_LOGIN;

	if (p->auth_type != NULL)
		return ehlo_mech(p->auth_type) & offered & known;
	if (offered & EHLO_MECH_PLAIN)
		return EHLO_MECH_PLAIN;
	return offered & EHLO_MECH_LOGIN;
}

static enum outcome
check_auth(const struct opening *o)
{
	const struct session_params *p = o->p;
	const struct session *s = o->s;
	const char *bytes;
	size_t len;

	if (!s->local && !(s->tls.active && s->tls.verified)) {
		fault_set(o->f, FAULT_FEATURE,
		    "AUTH to %s would not be under verified TLS", o->key);
		return OUTCOME_PERM;
	}
	if (p->auth_pass == NULL) {
		fault_set(o->f, FAULT_LOCAL, "AUTH without a password");
		return OUTCOME_PERM;
	}
	bytes = secret_bytes(p->auth_pass, &len);
	if (memchr(bytes, '\0', len) != NULL || len > AUTH_OCTETS_MAX) {
		fault_set(o->f, FAULT_LOCAL, "password not fit for AUTH");
		return OUTCOME_PERM;
	}
	if (choose_mech(p, s->ehlo.mechs) == 0) {
		fault_set(o->f, FAULT_FEATURE, "%s does not offer AUTH %s",
		    o->key,
		    p->auth_type != NULL ? p->auth_type : "PLAIN or LOGIN");
		return OUTCOME_PERM;
	}
	return OUTCOME_OK;
}

enum outcome
opening_auth(struct opening *o)
{
	const struct session_params *p = o->p;
	enum outcome oc;

	if (p->auth_user == NULL)
		return OUTCOME_OK;
	session_state_set(o->s, SESSION_AT_AUTH);
	oc = check_auth(o);
	if (oc != OUTCOME_OK)
		return oc;
	if (choose_mech(p, o->s->ehlo.mechs) == EHLO_MECH_PLAIN)
		oc = auth_plain(o, p->auth_user, p->auth_pass);
	else
		oc = auth_login(o, p->auth_user, p->auth_pass);
	if (oc != OUTCOME_OK)
		return oc;
	if (o->reply.code != 235)
		return opening_refused(o, "AUTH");
	return opening_quiet(o, "reply to AUTH");
}
