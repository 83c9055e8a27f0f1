/* SPDX-License-Identifier: BSD-2-Clause */
/* postern-authd(8): logins, put to the servers behind; credentials, given to
 * the MTA for the servers beyond. */
#include "config.h"

#include <malloc.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/auth.h"
#include "common/conf.h"
#include "common/conf_holder.h"
#include "common/control.h"
#include "common/daemon.h"
#include "common/dial.h"
#include "common/log.h"
#include "common/outbound.h"
#include "common/reload.h"
#include "common/route.h"
#include "saslauth-plugin/authd_commands.h"
#include "saslauth-plugin/authd_listen.h"
#include "saslauth-plugin/authd_roles.h"
#include "saslauth-plugin/authd_serve.h"
#include "saslauth-plugin/peers.h"

/* How long logins that are under way may take when we stop; and then, when
 * they have been told to end. */
#define DRAIN_MS 5000
#define HURRY_MS 2000

/* There are many threads, each of which would have an arena of its own. */
#define ARENAS 4
/* And bins of small chunks are gone through for each session, which is a large
 * one: M_MXFAST. */

/* What stands before the path of each socket. */
#define SCHEME_LEN (sizeof("unix:") - 1)

/* Routes, data sources and credentials are looked at too, by -n and before we
 * go into the background. */
static int
check(struct conf *conf, char *why, size_t len)
{
	bool logins = authd_has_logins(conf);
	bool outbound = authd_has_outbound(conf);
	struct router *r;

	if (!logins && !outbound) {
		snprintf(why, len,
		    "smtp_auth_proxy: neither host nor query, and no domain "
		    "with a host: there is nobody to ask; nor is there any "
		    "outbound_smtp_auth option or binding");
		return -1;
	}
	if (logins) {
		if ((r = router_new(conf, ROUTE_FOR_AUTH, why, len)) == NULL)
			return -1;
		router_free(r);
	}
	return outbound && !outbound_check(conf, why, len) ? -1 : 0;
}

/* Else the next daemon, if it is never root, could not tell whether somebody
 * listens there. */
static void
give(const struct strlist *names, const char *user)
{
	char why[512];
	size_t i;

	for (i = 0; i < names->n; i++)
		if (daemon_give(
			names->v[i] + SCHEME_LEN, user, why, sizeof(why)) != 0)
			daemon_fail("socket", why);
}

/* What root may have to open. */
static int
open_sockets(const struct conf *conf, struct peers **peers,
    struct authd_sockets *sockets)
{
	const char *control = conf->authd.control + SCHEME_LEN;
	char why[512];
	int fd;

	if ((*peers = peers_new(conf, why, sizeof(why))) == NULL)
		daemon_fail("accounts", why);
	if (authd_listen(conf, *peers, sockets, why, sizeof(why)) != 0)
		daemon_fail("socket", why);
	if (authd_has_logins(conf)) {
		give(&conf->authd.socket, conf->user);
		give(&conf->authd.saslauthd_socket, conf->user);
	}
	if (authd_has_outbound(conf))
		give(&conf->authd.socketmap_socket, conf->user);
	if ((fd = control_open(control, why, sizeof(why))) < 0 ||
	    daemon_give(control, conf->user, why, sizeof(why)) != 0)
		daemon_fail("control socket", why);
	return fd;
}

/* False when logins are still under way. */
static bool
drain(const struct authd *authd)
{
	bool done = server_stop(authd->server, DRAIN_MS);

	if (authd->auth != NULL)
		auth_stop(authd->auth);
	return done || server_hurry(authd->server, HURRY_MS);
}

static void
start(struct authd *authd, struct conf *conf,
    const struct authd_sockets *sockets, struct peers *peers)
{
	const struct pool_params pp = { .trace = daemon_trace,
		.trace_debug = true };
	char why[512];

	if (daemon_signals() != 0 || dial_global_init() != 0 ||
	    (authd->conf = conf_holder_new(conf)) == NULL)
		daemon_fail("start", "out of memory or threads");
	if ((authd_has_logins(conf) &&
		(authd->auth = auth_new(conf, &pp, why, sizeof(why))) ==
		    NULL) ||
	    (authd_has_outbound(conf) &&
		(authd->outbound = outbound_new(conf, why, sizeof(why))) ==
		    NULL) ||
	    (authd->server = server_new(authd->auth, authd->outbound, sockets,
		 peers, why, sizeof(why))) == NULL)
		daemon_fail("start", why);
}

int
main(int argc, char **argv)
{
	struct authd authd = { 0 };
	struct authd_sockets sockets = { 0 };
	struct daemon_args args;
	struct authd_commands commands = AUTHD_COMMANDS_INIT(args.conf_file);
	struct control *control;
	struct peers *peers;
	struct conf *conf;
	char why[512];
	int control_fd;

	(void)mallopt(M_ARENA_MAX, ARENAS);
	(void)mallopt(M_MXFAST, 0);
	daemon_fds();
	daemon_args(argc, argv, &args);

	/* -n ends here. */
	conf = daemon_conf(&args, check);
	if (!args.foreground)
		daemon_detach();
	daemon_log("postern-authd", conf, &args);
	daemon_limits();

	/* Sockets first, since their places may be root's. */
	control_fd = open_sockets(conf, &peers, &sockets);
	if (daemon_drop(conf->user, why, sizeof(why)) != 0)
		daemon_fail("privileges", why);

	/* What needs threads or files of the user's own. */
	start(&authd, conf, &sockets, peers);
	log_info("%s: serving %zu sockets", PACKAGE_STRING, sockets.n);
	authd_commands_open(&commands, &authd); /* conf may be gone from here */
	if ((control = control_start(
		 control_fd, authd_commands_serve, &commands)) == NULL)
		daemon_fail("control socket", "out of memory or threads");
	daemon_ready();
	(void)daemon_wait(reload_signal, &commands.reload, true);

	/* Whoever waits gets an answer. */
	daemon_stopping();
	authd_commands_close(&commands);
	if (!drain(&authd)) {
		log_warning("stopped while logins were under way");
		_exit(EX_OK);
	}
	control_stop(control);
	server_free(authd.server);
	auth_free(authd.auth);
	outbound_free(authd.outbound);
	conf_holder_free(authd.conf);
	dial_global_cleanup();
	log_info("stopped");
	return EX_OK;
}
