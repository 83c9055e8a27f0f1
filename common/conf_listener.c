/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An Esmtp_Listener block is what configures the listener of another MTA.
 * Postern has none: the MTA beside it keeps its own.  The block is no
 * libconfuse syntax either ("( a b )", "[ a = b ]"), so it is passed over
 * token by token, and the reader is told where each of its lines went.
 */
#include <string.h>
#include <strings.h>

#include "common/conf_source.h"

static const struct {
	const char *name;
	const char *advice;
} advices[] = {
	{ "SMTP_Extensions",
	    "peer \"NETWORK\" { smtp_extensions = {...} } says who may use "
	    "XCLIENT, XREMOTEIP, XSETCONTEXT and XDUMPCONTEXT; AUTH is "
	    "offered by the MTA (main.cf: smtpd_sasl_auth_enable = yes)" },
	{ "AuthLoginParameters",
	    "the MTA asks the SASL plug-in; its options are in "
	    "smtp_auth_proxy" },
	{ "AuthPlainParameters",
	    "the MTA asks the SASL plug-in; its options are in "
	    "smtp_auth_proxy" },
	{ "log_authentication",
	    "smtp_auth_proxy { log_authentication = true }" },
	{ "uri",
	    "postern_socket in the MTA's SASL configuration (smtpd.conf, "
	    "Sendmail.conf) enables the plug-in" },
	{ "Listen",
	    "the MTA's own listener: master.cf of Postfix, DAEMON_OPTIONS of "
	    "Sendmail" },
};

static void
advise(struct conf_source *s, unsigned int file, const struct conf_token *name)
{
	struct conf_place at = { file, name->line };
	const char *advice = "the MTA's own (main.cf, master.cf, sendmail.mc)";
	size_t i;

	for (i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		if (strlen(advices[i].name) == name->len &&
		    strncasecmp(advices[i].name, name->text, name->len) == 0)
			advice = advices[i].advice;
	conf_warn(s, at, "Esmtp_Listener: %.*s is passed over: %s",
	    (int)(name->len < 64 ? name->len : 64), name->text, advice);
}

/* Behind the opening brace: up to its own closing one. */
static int
skip_block(struct conf_source *s, struct conf_lexer *lx, struct conf_place at)
{
	struct conf_token name, t;
	unsigned int depth = 1;

	memset(&name, 0, sizeof(name));
	while (depth > 0) {
		switch (conf_lexer_next(lx, &t)) {
		case CONF_TOKEN_WORD:
			name = t;
			continue;
		case CONF_TOKEN_STRING:
			continue; /* a title behind the name */
		case CONF_TOKEN_SIGN:
			break;
		case CONF_TOKEN_BAD:
			at.line = t.line;
			conf_tell(s, at, "Esmtp_Listener: %s", t.why);
			return -1;
		case CONF_TOKEN_END:
		default:
			conf_tell(
			    s, at, "Esmtp_Listener is not closed with \"}\"");
			return -1;
		}
		if (strchr("=+{", t.sign) != NULL && name.len > 0)
			advise(s, at.file, &name);
		if (t.sign == '{')
			depth++;
		else if (t.sign == '}')
			depth--;
		name.len = 0;
	}
	return 0;
}

int
conf_listener_skip(
    struct conf_source *s, struct conf_lexer *lx, struct conf_place at)
{
	struct conf_token t;
	int rc;

	lx->lenient = true;
	if (conf_lexer_next(lx, &t) == CONF_TOKEN_WORD ||
	    t.kind == CONF_TOKEN_STRING)
		conf_lexer_next(lx, &t); /* a title */
	if (t.kind != CONF_TOKEN_SIGN || t.sign != '{') {
		at.line = t.line;
		conf_tell(s, at, "Esmtp_Listener: \"{\" expected");
		return -1;
	}
	conf_warn(s, at,
	    "Esmtp_Listener is passed over: the listener is the MTA's; its "
	    "lines follow");
	rc = skip_block(s, lx, at);
	lx->lenient = false;
	return rc;
}
