/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/identity.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/conf.h"
#include "common/log.h"
#include "common/reply.h"
#include "common/strbuf.h"
#include "common/xtext.h"
#include "front/ehlo_edit.h"
#include "front/front.h"
#include "front/link.h"
#include "front/registry.h"

/* What an MTA may take for one answer of these; it may look names up. */
#define ANSWER_MS 30000

void
identity_line(
    struct strbuf *sb, const char *seen, unsigned int port, const char *login)
{
	char buf[XTEXT_ROOM(COMMAND_LOGIN_MAX)];

	(void)strbuf_addf(sb, "XCLIENT NAME=[UNAVAILABLE] ADDR=%s%s",
	    strchr(seen, ':') != NULL ? "IPV6:" : "", seen);
	if (port != 0)
		(void)strbuf_addf(sb, " PORT=%u", port);
	else
		(void)strbuf_adds(sb, " PORT=[UNAVAILABLE]");
	if (login[0] == '\0')
		return;
	if (xtext_encode(login, strlen(login), buf, sizeof(buf)))
		(void)strbuf_addf(sb, " LOGIN=%s", buf);
	else
		sb->failed = true;
}

bool
identity_tie(struct front *f, const char *token, struct deadline d, char *why,
    size_t len)
{
	char line[sizeof("XPOSTERN-") + FRONT_TOKEN_SIZE];
	struct reply r;

	/* It is unknown to the MTA; what it answers says nothing. */
	(void)snprintf(line, sizeof(line), "XPOSTERN-%s", token);
	if (!link_ask(f, line, d, &r, NULL) || reply_is_closing(&r)) {
		(void)snprintf(why, len, "the MTA has closed");
		return false;
	}
	switch (registry_ask(f, "claimed", token)) {
	case REGISTRY_OK:
		(void)snprintf(f->token, sizeof(f->token), "%s", token);
		return true;
	case REGISTRY_REFUSED:
		(void)snprintf(why, len,
		    "the MTA did not tell postern-milter of this session");
		return false;
	case REGISTRY_GONE:
	default:
		(void)snprintf(why, len, "postern-milter does not answer");
		return false;
	}
}

static void
lost(const struct front *f, const char *why)
{
	struct log_line l;

	log_line_begin(&l, "extension");
	log_line_add(&l, "client", "%s", f->seen);
	log_line_add(&l, "real", "%s", f->real);
	log_line_add(&l, "verdict", "close");
	log_line_add(&l, "reason", "%s", why);
	log_line_emit(&l, LOG_LEVEL_WARNING);
}

/* Announced to the milter before the MTA is told. */
static enum identity_result
announce(struct front *f, const char *token, const struct command_xclient *x,
    struct strbuf *answer)
{
	const struct registry_move m = {
		.token = token,
		.seen = x->addr,
		.login = x->login,
		.by = x->by,
	};
	char why[256];

	switch (registry_move(f, &m, why, sizeof(why))) {
	case REGISTRY_OK:
		return IDENTITY_SET;
	case REGISTRY_REFUSED:
		log_warning("milter: %s", why);
		(void)strbuf_adds(
		    answer, "550 5.7.1 Insufficient authorization\r\n");
		return IDENTITY_REFUSED;
	case REGISTRY_GONE:
	default:
		return IDENTITY_LOST;
	}
}

enum identity_result
identity_change(struct front *f, const char *line,
    const struct command_xclient *x, struct strbuf *answer)
{
	struct deadline d = deadline_in(ANSWER_MS);
	char token[FRONT_TOKEN_SIZE], why[256];
	enum identity_result result;
	struct reply r;

	if (!registry_token(token))
		return IDENTITY_LOST;
	if ((result = announce(f, token, x, answer)) != IDENTITY_SET)
		return result;
	if (!link_ask(f, line, d, &r, answer) || reply_is_closing(&r)) {
		lost(f, "no answer to XCLIENT");
		return IDENTITY_LOST;
	}
	if (r.code != 220) {
		(void)registry_ask(f, "end", token);
		return IDENTITY_REFUSED;
	}
	if (!identity_tie(f, token, d, why, sizeof(why))) {
		lost(f, why);
		return IDENTITY_LOST;
	}
	if (x->addr[0] != '\0')
		(void)snprintf(f->seen, sizeof(f->seen), "%s", x->addr);
	(void)snprintf(f->login, sizeof(f->login), "%s", x->login);
	f->in_transaction = false;
	f->chunking = false;
	return IDENTITY_SET;
}

bool
identity_hello(struct front *f)
{
	const struct ehlo_edit none = { 0 };
	struct strbuf raw, edited;
	struct reply r;
	bool ok;

	strbuf_init(&raw, BUFFER_SIZE);
	strbuf_init(&edited, BUFFER_SIZE);
	ok = link_ask(f, f->hello, deadline_in(ANSWER_MS), &r, &raw) &&
	    r.code == 250;
	if (ok && strncasecmp(f->hello, "EHLO", 4) == 0)
		ok = ehlo_edit(
		    strbuf_str(&raw), raw.len, &none, &edited, &f->chunking);
	if (!ok)
		lost(f, "the MTA refused the client's EHLO, said again");
	strbuf_release(&raw);
	strbuf_release(&edited);
	return ok;
}

/* An MTA without XCLIENT: the milter alone knows the address. */
static enum identity_result
remote_milter(struct front *f, const char *addr, struct strbuf *answer)
{
	char why[256];

	switch (registry_seen(f, addr, why, sizeof(why))) {
	case REGISTRY_OK:
		(void)snprintf(f->seen, sizeof(f->seen), "%s", addr);
		return IDENTITY_SET;
	case REGISTRY_REFUSED:
		(void)strbuf_adds(answer, why);
		return IDENTITY_REFUSED;
	case REGISTRY_GONE:
	default:
		return IDENTITY_LOST;
	}
}

/* AUTH was between the client and the MTA.  With EHLO said again the MTA tells
 * the milter of the login, and that tells us: in the MTA's own words, whatever
 * the mechanism. */
static enum identity_result
learn_login(struct front *f, struct strbuf *answer)
{
	char why[256];

	if (!f->authenticated || f->login[0] != '\0')
		return IDENTITY_SET;
	if (!identity_hello(f))
		return IDENTITY_LOST;
	switch (registry_user(f, f->login, why, sizeof(why))) {
	case REGISTRY_OK:
		if (f->login[0] != '\0')
			return IDENTITY_SET;
		(void)snprintf(why, sizeof(why),
		    "the MTA does not tell postern-milter of the login");
		break;
	case REGISTRY_REFUSED:
		break;
	case REGISTRY_GONE:
	default:
		return IDENTITY_LOST;
	}
	log_warning("%s: XREMOTEIP: %s", f->real, why);
	(void)strbuf_adds(answer, why);
	return IDENTITY_REFUSED;
}

enum identity_result
identity_remote(struct front *f, const char *addr, struct strbuf *answer)
{
	struct command_xclient x = { 0 };
	enum identity_result result;
	struct strbuf line;

	if (f->conf->front.xclient == CONF_FRONT_XCLIENT_NO)
		return remote_milter(f, addr, answer);
	if ((result = learn_login(f, answer)) != IDENTITY_SET)
		return result;
	x.by = "XREMOTEIP";
	(void)snprintf(x.addr, sizeof(x.addr), "%s", addr);
	(void)snprintf(x.login, sizeof(x.login), "%s", f->login);
	strbuf_init(&line, BUFFER_SIZE);
	identity_line(&line, addr, 0, f->login);
	result = strbuf_ok(&line)
	    ? identity_change(f, strbuf_str(&line), &x, answer)
	    : IDENTITY_REFUSED;
	strbuf_release(&line);
	if (result == IDENTITY_SET && f->hello[0] != '\0' && !identity_hello(f))
		return IDENTITY_LOST;
	return result;
}
