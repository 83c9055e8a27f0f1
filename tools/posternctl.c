/* SPDX-License-Identifier: BSD-2-Clause */
/* posternctl(1): ask one question by hand, look into a running daemon. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "tools/classify.h"
#include "tools/command.h"

static const struct {
	const char *name;
	int (*run)(const struct ctl *, int, char **);
} commands[] = {
	{ "rcpt", command_rcpt },
	{ "explain", command_explain },
	{ "cache", command_cache },
	{ "classify", command_classify },
	{ "status", command_status },
	{ "stats", command_status },
	{ "reload", command_status },
};

static void
usage(FILE *fp)
{
	fputs("usage: posternctl [-c FILE] rcpt [-f MAILFROM] "
	      "[-H HOST[:PORT]] [-t SECONDS] RECIPIENT...\n"
	      "       posternctl [-c FILE] explain rcpt [-f MAILFROM] "
	      "[-H HOST[:PORT]] [-t SECONDS] RECIPIENT\n"
	      "       posternctl [-c FILE] cache show [ADDRESS|@DOMAIN]\n"
	      "       posternctl [-c FILE] cache drop ADDRESS|@DOMAIN\n"
	      "       posternctl [-c FILE] cache flush\n"
	      "       posternctl classify\n"
	      "       posternctl [-c FILE] status|stats|reload\n"
	      "       posternctl -V\n",
	    fp);
}

int
command_usage(void)
{
	usage(stderr);
	return EX_USAGE;
}

int
command_classify(const struct ctl *ctl, int argc, char **argv)
{
	(void)ctl;
	(void)argv;
	if (argc != 1)
		return command_usage();
	return classify_stream(stdin, stdout, NULL) ? EX_OK : EX_IOERR;
}

/* A status is worth nothing to a script that did not get the output. */
static int
printed(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "posternctl: cannot write the output\n");
	return EX_IOERR;
}

int
main(int argc, char **argv)
{
	struct ctl ctl = { .conf_file = POSTERN_SYSCONFDIR "/postern.conf" };
	int c;

	/* A '+' keeps the options behind the command for the command. */
	while ((c = getopt(argc, argv, "+c:Vh")) != -1) {
		switch (c) {
		case 'c':
			ctl.conf_file = optarg;
			ctl.conf_given = true;
			break;
		case 'V':
			printf("%s\n", PACKAGE_STRING);
			return EX_OK;
		case 'h':
			usage(stdout);
			return EX_OK;
		default:
			return command_usage();
		}
	}
	argc -= optind;
	argv += optind;
	log_set_level(LOG_LEVEL_ERROR);
	for (size_t i = 0; argc > 0 && i < sizeof(commands) / sizeof(*commands);
	     i++)
		if (strcmp(argv[0], commands[i].name) == 0)
			return printed(commands[i].run(&ctl, argc, argv));
	if (argc > 0)
		fprintf(stderr, "posternctl: no such command: %s\n", argv[0]);
	return command_usage();
}
