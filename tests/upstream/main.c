/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scripted - an SMTP or LMTP upstream that follows a script
 *
 * Format of the script: README.md in this directory.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "script.h"
#include "serve.h"
#include "tlsctx.h"
#include "transcript.h"

enum {
	EXIT_OK = 0,
	EXIT_MISMATCH = 1,
	EXIT_TROUBLE = 2,
	SECS_MAX = 3600
};

struct options {
	const char *script;
	const char *path;
	const char *certs;
	unsigned int secs;
	int quiet;
	int check_only;
};

static int
usage(void)
{
	(void)fputs(
	    "usage: scripted [-nq] [-u SOCKET] [-C CERTDIR] [-t SECONDS] "
	    "SCRIPT\n",
	    stderr);
	return EXIT_TROUBLE;
}

static int
options_parse(struct options *o, int argc, char **argv)
{
	unsigned long secs;
	char *end;
	int c;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): no threads yet */
	while ((c = getopt(argc, argv, "nqu:C:t:")) != -1) {
		switch (c) {
		case 'n':
			o->check_only = 1;
			break;
		case 'q':
			o->quiet = 1;
			break;
		case 'u':
			o->path = optarg;
			break;
		case 'C':
			o->certs = optarg;
			break;
		case 't':
			secs = strtoul(optarg, &end, 10);
			if (*end != '\0' || secs == 0 || secs > SECS_MAX)
				return -1;
			o->secs = (unsigned int)secs;
			break;
		default:
			return -1;
		}
	}
	if (optind + 1 != argc)
		return -1;
	o->script = argv[optind];
	return 0;
}

/* SIGTERM and SIGINT become readable; threads inherit the mask. */
static int
signals_open(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int
main(int argc, char **argv)
{
	struct options o = { .certs = ".", .secs = 60 };
	struct script script = { 0 };
	struct serve_params sp = { .listen_fd = -1, .signal_fd = -1 };
	int rc = EXIT_TROUBLE;

	if (options_parse(&o, argc, argv) != 0)
		return usage();
	if (script_load(&script, o.script) != 0)
		goto done;
	if (o.check_only) {
		rc = EXIT_OK;
		goto done;
	}
	sp.script = &script;
	sp.secs = o.secs;
	sp.transcript = transcript_new();
	sp.certs = tlsctx_store_new(o.certs);
	sp.signal_fd = signals_open();
	if (sp.transcript == NULL || sp.certs == NULL || sp.signal_fd < 0) {
		warn("starting");
		goto done;
	}
	if ((sp.listen_fd = serve_listen(o.path)) < 0)
		goto done;
	if (serve_run(&sp) == 0)
		rc = transcript_mismatches(sp.transcript) == 0 ? EXIT_OK
							       : EXIT_MISMATCH;
	if (!o.quiet)
		transcript_print(sp.transcript, stdout);
	if (o.path != NULL)
		(void)unlink(o.path);
done:
	if (sp.listen_fd >= 0)
		close(sp.listen_fd);
	if (sp.signal_fd >= 0)
		close(sp.signal_fd);
	tlsctx_store_free(sp.certs);
	transcript_free(sp.transcript);
	script_release(&script);
	return rc;
}
