/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>

#include "common/conf.h"
#include "milter/carry.h"
#include "milter/negotiate.h"
#include "milter/tag.h"
#include "milter/variables.h"

/* Steps that nothing here needs; each saves the MTA a round of writing. */
#define STEPS_UNWANTED \
 (SMFIP_NOBODY | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NODATA | SMFIP_NOUNKNOWN)
/* Steps that are told and need no answer.  To an MTA that wants one all the
 * same, libmilter gives it. */
#define STEPS_SILENT (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL)

/* Somebody may speak through postern-front: tokens come as commands that the
 * MTA does not know, and XDUMPCONTEXT must find what the commands before it
 * have set, so the MTA has to wait until we have seen them. */
bool
negotiate_waits(const struct conf *conf)
{
	size_t i;

	for (i = 0; conf != NULL && i < conf->n_peers; i++)
		if (conf->peers[i].smtp_extensions.n > 0)
			return true;
	return false;
}

bool
negotiate_variables(const struct conf *conf)
{
	return negotiate_waits(conf) || tag_wanted(conf);
}

/* libmilter wants text that is not const. */
static void
ask(SMFICTX *ctx, int stage, const char *names)
{
	char text[256];

	snprintf(text, sizeof(text), "%s", names);
	(void)smfi_setsymlist(ctx, stage, text);
}

/* The short lists spare main.cf any setting and the MTA any look-up: an empty
 * one asks for nothing. */
static void
ask_macros(SMFICTX *ctx, const struct conf *conf)
{
	bool all = conf != NULL && negotiate_variables(conf);
	bool peers = conf != NULL && conf->n_peers > 0;
	char mail[128];

	ask(ctx, SMFIM_CONNECT, all ? VARIABLES_MACROS_CONNECT : "");
	ask(ctx, SMFIM_HELO, all ? VARIABLES_MACROS_HELO : "");
	snprintf(mail, sizeof(mail), "i %s%s",
	    all ? VARIABLES_MACROS_MAIL : "{auth_authen}",
	    conf != NULL && carry_wanted(conf) ? " " CARRY_MACROS_MAIL : "");
	ask(ctx, SMFIM_ENVFROM, mail);
	ask(ctx, SMFIM_ENVRCPT, "");
	/* For the line about the contexts of a message. */
	ask(ctx, SMFIM_EOM, all || peers ? "i" : "");
}

void
negotiate(SMFICTX *ctx, const struct conf *conf, unsigned long *actions,
    unsigned long *steps)
{
	unsigned long wanted = STEPS_UNWANTED | STEPS_SILENT;
	bool tags = conf != NULL && tag_wanted(conf);

	if (tags) {
		wanted &= (unsigned long)~SMFIP_NOHDRS;
		wanted |= SMFIP_NR_HDR;
	}
	if (negotiate_waits(conf))
		wanted &= (unsigned long)~(
		    SMFIP_NOUNKNOWN | SMFIP_NR_HELO | SMFIP_NR_MAIL);
	*actions &= tags ? TAG_ACTIONS : 0;
	*steps &= wanted;
	ask_macros(ctx, conf);
}
