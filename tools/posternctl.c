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

struct command {
	const char *name;
	int (*run)(const struct ctl *, int, char **);
};

static int command_explain(const struct ctl *ctl, int argc, char **argv);

static const struct command commands[] = {
	{ "rcpt", command_rcpt },
	{ "auth", command_auth },
	{ "outbound", command_outbound },
	{ "explain", command_explain },
	{ "recipe", command_recipe },
	{ "cache", command_cache },
	{ "classify", command_classify },
	{ "status", command_status },
	{ "stats", command_status },
	{ "reload", command_status },
	{ NULL, NULL },
};

static const struct command explanations[] = {
	{ "rcpt", command_explain_rcpt },
	{ "auth", command_explain_auth },
	{ "outbound", command_explain_outbound },
	{ NULL, NULL },
};

static void
usage(FILE *fp)
{
	fputs("usage: posternctl [-c FILE] rcpt [-f MAILFROM] "
	      "[-H HOST[:PORT]] [-t SECONDS] RECIPIENT...\n"
	      "       posternctl [-c FILE] auth [-H HOST[:PORT]] [-m MECH] "
	      "[-t SECONDS] USER\n"
	      "       posternctl [-c FILE] outbound [-b BINDING] [-s SENDER] "
	      "NEXTHOP\n"
	      "       posternctl [-c FILE] explain rcpt [-f MAILFROM] "
	      "[-H HOST[:PORT]] [-t SECONDS] RECIPIENT\n"
	      "       posternctl [-c FILE] explain auth [-H HOST[:PORT]] "
	      "[-m MECH] [-t SECONDS] USER\n"
	      "       posternctl [-c FILE] explain outbound [-b BINDING] "
	      "[-s SENDER] NEXTHOP\n"
	      "       posternctl [-c FILE] recipe [-q QUEUE_DIRECTORY] "
	      "main.cf|master.cf|\n"
	      "                  auth.pcre|binding.pcre|binding_hide.pcre|"
	      "transport|\n"
	      "                  sendmail.mc\n"
	      "       posternctl [-c FILE] [-d DAEMON] cache show "
	      "[ADDRESS|@DOMAIN]\n"
	      "       posternctl [-c FILE] [-d DAEMON] cache drop "
	      "ADDRESS|USER|@DOMAIN\n"
	      "       posternctl [-c FILE] [-d DAEMON] cache flush\n"
	      "       posternctl [-c FILE] [-d DAEMON] status|stats|reload\n"
	      "       posternctl classify\n"
	      "       posternctl -V\n"
	      "DAEMON is milter or authd\n",
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

/* The command of that name, or NULL. */
static const struct command *
find(const struct command *c, const char *name)
{
	while (c->name != NULL && strcmp(c->name, name) != 0)
		c++;
	return c->name != NULL ? c : NULL;
}

static int
command_explain(const struct ctl *ctl, int argc, char **argv)
{
	const struct command *c = argc > 1 ? find(explanations, argv[1]) : NULL;

	return c != NULL ? c->run(ctl, argc - 1, argv + 1) : command_usage();
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
	const struct command *command;
	int c;

	/* A '+' keeps the options behind the command for the command. */
	while ((c = getopt(argc, argv, "+c:d:Vh")) != -1) {
		switch (c) {
		case 'c':
			ctl.conf_file = optarg;
			ctl.conf_given = true;
			break;
		case 'd':
			ctl.daemon = optarg;
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
	command = argc > 0 ? find(commands, argv[0]) : NULL;
	if (command != NULL)
		return printed(command->run(&ctl, argc, argv));
	if (argc > 0)
		fprintf(stderr, "posternctl: no such command: %s\n", argv[0]);
	return command_usage();
}
