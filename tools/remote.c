/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that a running daemon answers. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/control.h"
#include "tools/command.h"

/* One of the two daemons. */
struct remote {
	const char *name; /* for -d, and before its lines */
	const char *path; /* of its control socket */
	bool prefix;      /* its lines are told from the other's */
	bool wanted;
};

enum {
	MILTER,
	AUTHD,
	REMOTES
};

/* A line of the answer, its own daemon's name before it where both may have
 * been asked: what reads the milter's lines knows no others. */
static void
print_answer(const struct remote *r, const char *program, FILE *to, char *text)
{
	char *line;

	while (text != NULL && (line = strsep(&text, "\n")) != NULL)
		if (line[0] != '\0')
			fprintf(to, "%s%s%s%s\n", program,
			    r->prefix ? r->name : "", r->prefix ? ": " : "",
			    line);
}

/* Returns the exit status. */
static int
ask(const struct remote *r, const char *request)
{
	char why[512] = "out of memory", *text = NULL;
	size_t size = 0;
	FILE *fp = open_memstream(&text, &size);
	int rc = -1;

	if (fp != NULL) {
		rc = control_ask(r->path, request, fp, why, sizeof(why));
		fclose(fp);
	}
	/* A reload has nothing to say but warnings. */
	if (strcmp(request, "reload") == 0)
		print_answer(r, "posternctl: warning: ", stderr, text);
	else
		print_answer(r, "", stdout, text);
	free(text);
	if (rc == 0)
		return EX_OK;
	fprintf(stderr, "posternctl: %s%s%s\n", r->prefix ? r->name : "",
	    r->prefix ? ": " : "", why);
	return rc > 0 ? 1 : EX_UNAVAILABLE;
}

/* Where no daemon has ever been there is nobody to ask. */
static bool
is_there(const struct remote *r)
{
	return access(r->path, F_OK) == 0 || errno != ENOENT;
}

/* With -d that one; without, those that are there. */
static void
choose(const struct ctl *ctl, struct remote *r)
{
	bool any = false;
	size_t i;

	for (i = 0; i < REMOTES; i++) {
		if (ctl->daemon != NULL)
			r[i].wanted = strcmp(ctl->daemon, r[i].name) == 0;
		else
			r[i].wanted = r[i].wanted && is_there(&r[i]);
		any = any || r[i].wanted;
	}
	/* Its complaint is the one that is known. */
	if (!any)
		r[MILTER].wanted = true;
}

/* The worst of the answers counts. */
static int
ask_wanted(const struct ctl *ctl, const char *request, bool milter, bool authd)
{
	struct conf *conf = NULL;
	int rc = ctl_conf(ctl, NULL, &conf), one;

	if (rc != 0)
		return rc;
	struct remote r[REMOTES] = {
		[MILTER] = { .name = "milter",
		    .path = conf->milter.control + sizeof("unix:") - 1,
		    .wanted = milter },
		[AUTHD] = { .name = "authd",
		    .path = conf->authd.control + sizeof("unix:") - 1,
		    .prefix = ctl->daemon == NULL,
		    .wanted = authd },
	};
	choose(ctl, r);
	for (size_t i = 0; i < REMOTES; i++) {
		one = r[i].wanted ? ask(&r[i], request) : EX_OK;
		if (one > rc)
			rc = one;
	}
	conf_unref(conf);
	return rc;
}

static bool
daemon_ok(const struct ctl *ctl)
{
	if (ctl->daemon == NULL || strcmp(ctl->daemon, "milter") == 0 ||
	    strcmp(ctl->daemon, "authd") == 0)
		return true;
	fprintf(stderr, "posternctl: -d %s: neither milter nor authd\n",
	    ctl->daemon);
	return false;
}

int
command_status(const struct ctl *ctl, int argc, char **argv)
{
	if (argc != 1)
		return command_usage();
	return daemon_ok(ctl) ? ask_wanted(ctl, argv[0], true, true) : EX_USAGE;
}

/*
 * Addresses of recipients are the milter's, and its domains; names of users
 * are authd's, and may look like addresses.
 */
static int
ask_about(const struct ctl *ctl, const char *verb, const char *what)
{
	char request[CONTROL_LINE_MAX];

	if (what != NULL && strpbrk(what, " \n") != NULL) {
		fprintf(stderr, "posternctl: %s: neither ADDRESS nor @DOMAIN\n",
		    what);
		return EX_USAGE;
	}
	snprintf(request, sizeof(request), "cache %s%s%s", verb,
	    what != NULL ? " " : "", what != NULL ? what : "");
	/* What is remembered of logins is hashed: there is nothing to show. */
	if (strcmp(verb, "show") == 0)
		return ask_wanted(ctl, request, true, false);
	return ask_wanted(ctl, request,
	    what == NULL || strchr(what, '@') != NULL,
	    what == NULL || what[0] != '@');
}

int
command_cache(const struct ctl *ctl, int argc, char **argv)
{
	if (argc < 2 || argc > 3)
		return command_usage();
	if (!daemon_ok(ctl))
		return EX_USAGE;
	if (strcmp(argv[1], "show") == 0 ||
	    (strcmp(argv[1], "drop") == 0 && argc == 3) ||
	    (strcmp(argv[1], "flush") == 0 && argc == 2))
		return ask_about(ctl, argv[1], argc == 3 ? argv[2] : NULL);
	return command_usage();
}
