/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/extensions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "common/xsetcontext.h"
#include "front/commands.h"
#include "front/front.h"
#include "front/identity.h"
#include "front/registry.h"
#include "front/requests.h"
#include "front/starttls.h"

/* smtpd(8) cuts a line at 2048 octets, without a word. */
#define XCLIENT_LINE_MAX 2000

/* What a request on the control socket has room for. */
#define PAIRS_MAX 1024

/* For a client whose answer is not read. */
#define HANDSHAKE_MS 60000

#define IN_TRANSACTION "503 5.5.1 Error: mail transaction in progress"
#define NOT_ALLOWED    "550 5.7.1 Insufficient authorization"
#define BAD_CHARACTERS "501 5.5.2 Error: bad character in command"

/* In the words of the milter's own lines: client is whom it passes for, was
 * whom it did before, or NULL. */
static void
log_command(const struct front *f, const char *name, int code, const char *was,
    const char *reason)
{
	struct log_line l;

	log_line_begin(&l, "extension");
	log_line_add(&l, "command", "%s", name);
	log_line_add(&l, "client", "%s", f->seen);
	log_line_add(&l, "real", "%s", f->real);
	if (was != NULL)
		log_line_add(&l, "was", "%s", was);
	if (f->login[0] != '\0')
		log_line_add(&l, "user", "%s", f->login);
	log_line_add(&l, "code", "%d", code);
	if (reason[0] != '\0')
		log_line_add(&l, "reason", "%s", reason);
	log_line_emit(&l, LOG_LEVEL_INFO);
}

/* A reply with its line in the log. */
static void
answer(struct front *f, const char *name, const char *reply, const char *what)
{
	int code =
	    (reply[0] - '0') * 100 + (reply[1] - '0') * 10 + (reply[2] - '0');

	log_command(f, name, code, NULL, what);
	front_say(f, reply);
}

/* "550 5.7.1 text": the milter may choose the words of a refusal. */
static bool
is_reply(const char *s)
{
	return (s[0] == '4' || s[0] == '5') && s[1] >= '0' && s[1] <= '9' &&
	    s[2] >= '0' && s[2] <= '9' && s[3] == ' ' && s[4] == s[0] &&
	    s[5] == '.';
}

static void
gone(struct front *f)
{
	front_doom(f, FRONT_NO_SERVICE);
}

static void
refused(struct front *f, const char *name, const char *why)
{
	char reply[512];
	size_t i;

	(void)snprintf(reply, sizeof(reply), "%s%.400s",
	    is_reply(why) ? "" : "550 5.7.1 ", why);
	for (i = 0; reply[i] != '\0'; i++)
		if (reply[i] < ' ' || reply[i] > '~')
			reply[i] = '?';
	if (strncmp(reply, "421 ", 4) == 0)
		gone(f);
	else
		answer(f, name, reply, "");
}

static void
do_xsetcontext(struct front *f, const struct command *c)
{
	static const char name[] = "XSETCONTEXT";
	char why[512], bad[CONTEXT_NAME_MAX + 1];
	const char *reason;
	size_t pairs;

	pairs = xsetcontext_check(c->args, c->args_len, bad, &reason);
	if (pairs == 0) {
		(void)snprintf(why, sizeof(why), "501 5.5.4 %s%s%s", bad,
		    bad[0] != '\0' ? ": " : "", reason);
		refused(f, name, why);
		return;
	}
	if (pairs > PAIRS_MAX) {
		answer(f, name, "552 5.3.4 Too many pairs", "");
		return;
	}
	switch (registry_set(f, c, why, sizeof(why))) {
	case REGISTRY_OK:
		f->extended = true;
		answer(f, name, "250 2.0.0 Ok", "");
		break;
	case REGISTRY_REFUSED:
		refused(f, name, why);
		break;
	case REGISTRY_GONE:
	default:
		gone(f);
		break;
	}
}

static void
say_lines(struct front *f, char *lines)
{
	char *line, *p;

	while ((line = strsep(&lines, "\n")) != NULL) {
		if (*line == '\0')
			continue;
		for (p = line; *p != '\0'; p++)
			if (*p < ' ' || *p > '~')
				*p = '?';
		(void)strbuf_adds(&f->own, "250-");
		(void)strbuf_adds(&f->own, line);
		(void)strbuf_adds(&f->own, "\r\n");
	}
}

static void
do_xdumpcontext(struct front *f, const struct command *c)
{
	static const char name[] = "XDUMPCONTEXT";
	char why[512], *lines = NULL;

	if (c->args_len > 0) {
		answer(f, name, "501 5.5.4 Syntax: XDUMPCONTEXT", "");
		return;
	}
	switch (registry_dump(f, &lines, why, sizeof(why))) {
	case REGISTRY_OK:
		say_lines(f, lines);
		answer(f, name, "250 XDUMPCONTEXT complete", "");
		break;
	case REGISTRY_REFUSED:
		refused(f, name, why);
		break;
	case REGISTRY_GONE:
	default:
		gone(f);
		break;
	}
	free(lines);
}

static void
do_xremoteip(struct front *f, const struct command *c)
{
	static const char name[] = "XREMOTEIP";
	struct command_xclient x = { 0 };
	struct strbuf reply;
	char was[COMMAND_ADDRESS_MAX];

	if (f->in_transaction) {
		answer(f, name, IN_TRANSACTION, "");
		return;
	}
	if (!command_address(c->args, c->args_len, x.addr)) {
		answer(f, name, "501 5.5.4 Syntax: XREMOTEIP address", "");
		return;
	}
	strbuf_init(&reply, BUFFER_SIZE);
	memcpy(was, f->seen, sizeof(was));
	switch (identity_remote(f, x.addr, &reply)) {
	case IDENTITY_SET:
		f->extended = true;
		log_command(f, name, 250, was, "");
		front_say(f, "250 2.0.0 Ok");
		break;
	case IDENTITY_REFUSED:
		answer(f, name, NOT_ALLOWED, strbuf_str(&reply));
		break;
	case IDENTITY_LOST:
	default:
		gone(f);
		break;
	}
	strbuf_release(&reply);
}

static void
do_xclient(struct front *f, const struct command *c)
{
	static const char name[] = "XCLIENT";
	char line[XCLIENT_LINE_MAX + sizeof("XCLIENT ")], was[sizeof(f->seen)];
	struct command_xclient x;
	struct strbuf reply;

	if (f->in_transaction) {
		answer(f, name, IN_TRANSACTION, "");
		return;
	}
	if (c->args_len > XCLIENT_LINE_MAX || !command_xclient(c, &x)) {
		answer(f, name, "501 5.5.4 Syntax: XCLIENT attribute=value ...",
		    "");
		return;
	}
	memcpy(line, "XCLIENT ", 8);
	memcpy(line + 8, c->args, c->args_len);
	line[8 + c->args_len] = '\0';
	memcpy(was, f->seen, sizeof(was));
	strbuf_init(&reply, BUFFER_SIZE);
	switch (identity_change(f, line, &x, &reply)) {
	case IDENTITY_SET:
		/* As after a greeting. */
		f->extended = true;
		f->hello[0] = '\0';
		f->authenticated = false;
		log_command(f, name, 220, was, "");
		(void)strbuf_add(&f->own, strbuf_str(&reply), reply.len);
		break;
	case IDENTITY_REFUSED:
		log_command(f, name, 501, NULL, strbuf_str(&reply));
		(void)strbuf_add(&f->own, strbuf_str(&reply), reply.len);
		/* Postfix takes what stands before the wrong attribute. */
		if (x.n > 1 && strncmp(strbuf_str(&reply), "501", 3) == 0)
			gone(f);
		break;
	case IDENTITY_LOST:
	default:
		gone(f);
		break;
	}
	strbuf_release(&reply);
}

/* What the client said before is forgotten (RFC 3207 section 4.2).  What the
 * MTA and the milter know by then cannot be: no TLS behind that. */
static void
do_starttls(struct front *f, const struct command *c)
{
	static const char ready[] = "220 2.0.0 Ready to start TLS\r\n";
	char why[256];

	if (f->client.ssl != NULL) {
		front_say(f, "554 5.5.1 Error: TLS already active");
	} else if (f->in_transaction || f->authenticated) {
		front_say(f, IN_TRANSACTION);
	} else if (f->extended) {
		front_say(f, "503 5.5.1 Error: say STARTTLS first");
	} else if (c->args_len > 0) {
		front_say(f, "501 5.5.4 Syntax: STARTTLS");
	} else {
		/* Octets behind the command came without TLS: not looked at. */
		requests_discard(f);
		if (channel_write(&f->client, ready, sizeof(ready) - 1) !=
			(ssize_t)sizeof(ready) - 1 ||
		    !server_tls_start(f->tls, &f->client,
			deadline_in(HANDSHAKE_MS), why, sizeof(why))) {
			log_info("%s: %s", f->real,
			    f->client.failed ? why : "no room for a reply");
			f->client.failed = true;
			return;
		}
		f->hello[0] = '\0';
		f->must_greet = true;
		if (registry_tls(f, why, sizeof(why)) == REGISTRY_REFUSED)
			log_warning("milter: %s", why);
	}
}

bool
extensions_is_ours(const struct front *f, const struct command *c)
{
	switch ((int)c->kind) {
	case COMMAND_XSETCONTEXT:
		return (f->rights & FRONT_XSETCONTEXT) != 0;
	case COMMAND_XDUMPCONTEXT:
		return (f->rights & FRONT_XDUMPCONTEXT) != 0;
	case COMMAND_XREMOTEIP:
		return (f->rights & FRONT_XREMOTEIP) != 0;
	case COMMAND_XCLIENT:
		return (f->rights & FRONT_XCLIENT) != 0 &&
		    f->conf->front.xclient != CONF_FRONT_XCLIENT_NO;
	case COMMAND_STARTTLS:
		return f->tls != NULL;
	case COMMAND_MAIL:
	case COMMAND_AUTH:
		return f->must_greet;
	default:
		return false;
	}
}

void
extensions_do(struct front *f, const struct command *c, size_t len)
{
	/* The arguments stay where they are until something is read. */
	buffer_take(&f->up, len);
	if (!command_clean(c)) {
		front_say(f, BAD_CHARACTERS);
		return;
	}
	switch ((int)c->kind) {
	case COMMAND_XSETCONTEXT:
		do_xsetcontext(f, c);
		break;
	case COMMAND_XDUMPCONTEXT:
		do_xdumpcontext(f, c);
		break;
	case COMMAND_XREMOTEIP:
		do_xremoteip(f, c);
		break;
	case COMMAND_XCLIENT:
		do_xclient(f, c);
		break;
	case COMMAND_STARTTLS:
		do_starttls(f, c);
		break;
	default:
		front_say(f, "503 5.5.1 Error: send EHLO first");
		break;
	}
}
