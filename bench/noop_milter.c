/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_noop_milter - the least a milter can do with RCPT
 *
 *   bench_noop_milter [--lean] inet:PORT@127.0.0.1 | unix:PATH
 *
 * The floor that postern-milter is compared with: it has callbacks for MAIL
 * and RCPT only, so libmilter negotiates all other events away, and says
 * "continue" to both.  With --lean it asks for no macros either and needs
 * no reply to MAIL (SMFIP_NR_MAIL).
 */
#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <libmilter/mfapi.h>

#include "net.h"

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	(void)ctx;
	(void)argv;
	return SMFIS_CONTINUE;
}

static sfsistat
on_mail_silent(SMFICTX *ctx, char **argv)
{
	(void)ctx;
	(void)argv;
	return SMFIS_NOREPLY;
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	(void)ctx;
	(void)argv;
	return SMFIS_CONTINUE;
}

static sfsistat
/* NOLINTNEXTLINE(readability-function-size): libmilter says how many */
on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
    unsigned long f3, unsigned long *pf0, unsigned long *pf1,
    unsigned long *pf2, unsigned long *pf3)
{
	char none[] = "";
	const unsigned long want = SMFIP_NOCONNECT | SMFIP_NOHELO |
	    SMFIP_NODATA | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY |
	    SMFIP_NOUNKNOWN | SMFIP_NR_MAIL;

	(void)f0;
	(void)f2;
	(void)f3;
	(void)smfi_setsymlist(ctx, SMFIM_ENVFROM, none);
	(void)smfi_setsymlist(ctx, SMFIM_ENVRCPT, none);
	*pf0 = 0;
	*pf1 = f1 & want;
	*pf2 = 0;
	*pf3 = 0;
	return SMFIS_CONTINUE;
}

int
main(int argc, char **argv)
{
	bool lean = argc == 3 && strcmp(argv[1], "--lean") == 0;
	struct smfiDesc desc = { 0 };
	char name[] = "bench_noop_milter";

	if (argc != 2 && !lean)
		errx(EX_USAGE, "usage: bench_noop_milter [--lean] SOCKET");
	desc.xxfi_name = name;
	desc.xxfi_version = SMFI_VERSION;
	desc.xxfi_envfrom = lean ? on_mail_silent : on_mail;
	desc.xxfi_envrcpt = on_rcpt;
	desc.xxfi_negotiate = lean ? on_negotiate : NULL;
	net_raise_files();
	if (smfi_register(desc) != MI_SUCCESS ||
	    smfi_setconn(argv[argc - 1]) != MI_SUCCESS ||
	    smfi_opensocket(1) != MI_SUCCESS)
		errx(EX_UNAVAILABLE, "%s: cannot listen", argv[argc - 1]);
	return smfi_main() == MI_SUCCESS ? 0 : EX_SOFTWARE;
}
