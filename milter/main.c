/* SPDX-License-Identifier: BSD-2-Clause */
/* postern-milter(8): call-forward at RCPT TO, as a milter. */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/conf_holder.h"
#include "common/control.h"
#include "common/daemon.h"
#include "common/dial.h"
#include "common/log.h"
#include "common/probe.h"
#include "common/route.h"
#include "common/verify.h"
#include "milter/commands.h"
#include "milter/fronts.h"
#include "milter/milter.h"

/* How long answers that are on their way may take when we stop. */
#define DRAIN_MS 2000

/* Routes and data sources are looked at too, by -n and before we go into the
 * background. */
static int
check(struct conf *conf, char *why, size_t len)
{
	struct router *r = router_new(conf, ROUTE_FOR_RCPT, why, len);

	if (r == NULL)
		return -1;
	router_free(r);
	return 0;
}

/* libmilter's own loop; arg is for its outcome. */
static void *
serve(void *arg)
{
	*(int *)arg = milter_run();
	daemon_wake();
	return NULL;
}

/* What the callbacks work with; conf is held. */
static void
setup_open(
    struct milter_setup *s, struct conf *conf, const struct prober_params *pp)
{
	char why[512] = "out of memory";

	if ((s->conf = conf_holder_new(conf)) == NULL ||
	    (s->fronts = fronts_new()) == NULL ||
	    (s->verifier = verifier_new(conf, pp, why, sizeof(why))) == NULL)
		daemon_fail("start", why);
}

int
main(int argc, char **argv)
{
	struct prober_params pp = { .trace = daemon_trace,
		.trace_debug = true };
	struct milter_setup setup = { 0 };
	struct daemon_args args;
	struct commands commands = COMMANDS_INIT(args.conf_file);
	struct control *control;
	const char *control_path;
	struct conf *conf;
	pthread_t thread;
	char why[512];
	int control_fd, rc = -1;
	bool told;

	daemon_fds();
	daemon_args(argc, argv, &args);

	/* -n ends here. */
	conf = daemon_conf(&args, check);
	if (!args.foreground)
		daemon_detach();
	daemon_log("postern-milter", conf, &args);
	daemon_limits();

	/* Sockets first, since their places may be root's. */
	control_path = conf->milter.control + sizeof("unix:") - 1;
	if (milter_register(&setup, why, sizeof(why)) != 0 ||
	    milter_listen(conf->milter.socket, conf->milter.socket_group, why,
		sizeof(why)) != 0)
		daemon_fail("milter socket", why);
	/* The next daemon, if it is never root, has to find out whether
	 * somebody listens there. */
	if (strncmp(conf->milter.socket, "unix:", 5) == 0 &&
	    daemon_give(
		conf->milter.socket + 5, conf->user, why, sizeof(why)) != 0)
		daemon_fail("milter socket", why);
	/* postern-front, which asks there, is never root. */
	if ((control_fd = control_open(control_path, why, sizeof(why))) < 0 ||
	    daemon_give(control_path, conf->user, why, sizeof(why)) != 0)
		daemon_fail("control socket", why);
	if (daemon_drop(conf->user, why, sizeof(why)) != 0)
		daemon_fail("privileges", why);

	/* What needs threads or files of the user's own. */
	if (daemon_signals() != 0 || dial_global_init() != 0)
		daemon_fail("start", "out of memory or threads");
	setup_open(&setup, conf, &pp);
	log_info("%s: serving %s", PACKAGE_STRING, conf->milter.socket);
	commands_open(&commands, &setup); /* conf may be gone from here on */
	if ((control = control_start(control_fd, commands_serve, &commands)) ==
	    NULL)
		daemon_fail("control socket", "out of memory or threads");
	daemon_ready();
	/* Last, so that we wait for signals before libmilter does. */
	if (pthread_create(&thread, NULL, serve, &rc) != 0)
		daemon_fail("start", "out of memory or threads");
	told = daemon_wait(reload_signal, &commands.reload, false);

	/* libmilter, too, fails at times when it is told to stop. */
	daemon_stopping();
	milter_stop(thread);
	if (told)
		rc = 0;

	/* It has ended its sessions: nobody asks any more. */
	commands_close(&commands);
	control_stop(control);
	verifier_stop(setup.verifier);
	if (!milter_drain(DRAIN_MS)) {
		log_warning("stopped while clients were being answered");
		_exit(rc == 0 ? EX_OK : EX_UNAVAILABLE);
	}
	verifier_free(setup.verifier);
	fronts_free(setup.fronts);
	conf_holder_free(setup.conf);
	dial_global_cleanup();
	log_info("stopped");
	return rc == 0 ? EX_OK : EX_UNAVAILABLE;
}
