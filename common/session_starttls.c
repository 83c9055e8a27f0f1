/* SPDX-License-Identifier: BSD-2-Clause */
/* STARTTLS (RFC 3207) and what the policy makes of it. */
#include "common/session.h"

#include <poll.h>
#include <string.h>

#include "common/session_state.h"
#include "common/transport.h"

static const char *
expected_name(const struct session_params *p)
{
	if (p->tls_verify_name != NULL && p->tls_verify_name[0] != '\0')
		return p->tls_verify_name;
	return p->endpoint.kind == ENDPOINT_INET ? p->endpoint.host : "";
}

enum outcome
opening_handshake(struct opening *o, bool verify)
{
	struct session *s = o->s;
	struct tls_start_params tp = {
		.key = o->key,
		.name = expected_name(o->p),
		.verify = verify,
		.deadline = opening_deadline(o),
	};
	enum outcome oc;

	session_state_set(s, SESSION_AT_STARTTLS);
	oc = tls_start(o->p->tls_client, &tp, &s->t, &s->tls, o->f);
	if (oc != OUTCOME_OK) {
		o->tls_failed = true;
		session_die(s, o->f);
		return oc;
	}
	s->rx_events = POLLIN;
	session_remark(s, "%s %s, certificate %s%s", s->tls.protocol,
	    s->tls.cipher, s->tls.verified ? "holds" : "not verified",
	    s->tls.resumed ? ", resumed" : "");
	return OUTCOME_OK;
}

/* STARTTLS is not there: may the session do without? */
static enum outcome
do_without(struct opening *o)
{
	if (o->p->tls == TLS_NONE || o->p->tls == TLS_MAY || o->s->local)
		return OUTCOME_OK;
	fault_set(o->f, FAULT_FEATURE, "%s does not offer STARTTLS", o->key);
	return OUTCOME_PERM;
}

enum outcome
opening_starttls(struct opening *o)
{
	struct session *s = o->s;
	enum conf_tls tls = o->p->tls;
	enum outcome oc;

	if (tls == TLS_NONE || tls == TLS_IMPLICIT || o->plain)
		return OUTCOME_OK;
	if ((s->ehlo.keywords & EHLO_STARTTLS) == 0)
		return do_without(o);
	/* A Unix socket has no name that a certificate could be held to. */
	if (tls == TLS_VERIFY && expected_name(o->p)[0] == '\0' && s->local) {
		session_remark(s, "no name to verify: going on without TLS");
		return OUTCOME_OK;
	}
	session_state_set(s, SESSION_AT_STARTTLS);
	oc = opening_ask(o, "STARTTLS", NULL);
	if (oc != OUTCOME_OK)
		return oc;
	if (o->reply.code != 220) {
		oc = opening_refused(o, "STARTTLS");
		if (tls == TLS_MAY && !reply_is_closing(&o->reply) &&
		    s->state != SESSION_AT_DEAD) {
			session_remark(
			    s, "STARTTLS refused: going on in clear");
			return OUTCOME_OK;
		}
		return oc;
	}
	/* CVE-2011-0411 and its kin: octets that came in clear behind the
	 * reply would later be read as if they had come under TLS. */
	oc = session_quiet(o->s, "reply to STARTTLS", o->f);
	if (oc == OUTCOME_OK)
		oc = opening_handshake(o, tls == TLS_VERIFY);
	if (oc == OUTCOME_OK)
		oc = opening_ehlo(o);
	return oc;
}
