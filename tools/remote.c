/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that a running daemon answers. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/conf.h"
#include "common/control.h"
#include "tools/command.h"

static int
ask_milter(const struct ctl *ctl, const char *request)
{
	struct conf *conf = NULL;
	char why[512];
	int rc = ctl_conf(ctl, NULL, &conf);

	if (rc != 0)
		return rc;
	rc = control_ask(conf->milter.control + sizeof("unix:") - 1, request,
	    stdout, why, sizeof(why));
	conf_unref(conf);
	if (rc == 0)
		return EX_OK;
	fprintf(stderr, "posternctl: %s\n", why);
	return rc > 0 ? 1 : EX_UNAVAILABLE;
}

int
command_status(const struct ctl *ctl, int argc, char **argv)
{
	if (argc != 1)
		return command_usage();
	return ask_milter(ctl, argv[0]);
}

int
command_cache(const struct ctl *ctl, int argc, char **argv)
{
	char request[CONTROL_LINE_MAX];

	if (argc < 2 || argc > 3)
		return command_usage();
	if (argc == 3 && strpbrk(argv[2], " \n") != NULL) {
		fprintf(stderr, "posternctl: %s: neither ADDRESS nor @DOMAIN\n",
		    argv[2]);
		return EX_USAGE;
	}
	if ((strcmp(argv[1], "show") == 0) ||
	    (strcmp(argv[1], "drop") == 0 && argc == 3) ||
	    (strcmp(argv[1], "flush") == 0 && argc == 2)) {
		snprintf(request, sizeof(request), "cache %s%s%s", argv[1],
		    argc == 3 ? " " : "", argc == 3 ? argv[2] : "");
		return ask_milter(ctl, request);
	}
	return command_usage();
}
