/* SPDX-License-Identifier: BSD-2-Clause */
/* posternctl recipe: the lines that go into the MTA's files. */
#include "config.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/conf.h"
#include "tools/command.h"
#include "tools/recipe.h"

int
command_recipe(const struct ctl *ctl, int argc, char **argv)
{
	const char *queue = "/var/spool/postfix";
	struct recipe_plan plan;
	struct conf *conf;
	bool known;
	int c, rc;

	optind = 1;
	while ((c = getopt(argc, argv, "+q:")) != -1) {
		if (c != 'q')
			return command_usage();
		queue = optarg;
	}
	if (argc != optind + 1)
		return command_usage();
	rc = ctl_conf(ctl, NULL, &conf);
	if (rc != 0)
		return rc;
	if (!recipe_plan_init(&plan, conf, queue)) {
		conf_unref(conf);
		return EX_CONFIG;
	}
	known = recipe_print(&plan, argv[optind], stdout);
	recipe_plan_release(&plan);
	conf_unref(conf);
	if (known)
		return EX_OK;
	fprintf(stderr, "posternctl: no recipe for %s\n", argv[optind]);
	return command_usage();
}
