/* SPDX-License-Identifier: BSD-2-Clause */
/* postern-front(8): one session, begun by spawn(8), inetd or systemd. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/daemon.h"
#include "common/endpoint.h"
#include "common/log.h"
#include "front/dialogue.h"
#include "front/front.h"
#include "front/opening.h"
#include "front/registry.h"
#include "front/starttls.h"

/* An XDUMPCONTEXT of all that can be set, each octet encoded. */
#define OWN_MAX (1024UL * 1024)

static int
check(struct conf *conf, char *why, size_t len)
{
	struct server_tls *tls = NULL;
	struct endpoint e;

	if (!endpoint_parse(conf->front.next, &e, NULL) ||
	    !endpoint_is_loopback(&e)) {
		(void)snprintf(why, len,
		    "front: next \"%.200s\" is not on this machine",
		    conf->front.next);
		return -1;
	}
	if (!server_tls_new(conf, &tls, why, len))
		return -1;
	server_tls_free(tls);
	return 0;
}

/* Configuration errors have nobody to go to but the log, with a client.
 * Warnings go there when a daemon starts: that will do, a line for each
 * session would be too many. */
static void
say(void *arg, bool error, const char *line)
{
	(void)arg;
	if (!error)
		return;
	syslog(LOG_MAIL | LOG_ERR, "%s", line);
	(void)fprintf(stderr, "%s\n", line);
}

static bool
same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	    x.st_ino == y.st_ino;
}

/* spawn(8) gives the client as all of 0, 1 and 2: nothing but SMTP may reach
 * it.  Returns its descriptor, or -1 when there is no client. */
static int
take_client(void)
{
	struct stat st;
	int null, fd;

	if (fstat(STDIN_FILENO, &st) != 0 || !S_ISSOCK(st.st_mode))
		return -1;
	if ((fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)) < 0 ||
	    (null = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
		exit(EX_OSERR);
	if (same_file(STDERR_FILENO, fd))
		(void)dup2(null, STDERR_FILENO);
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	close(null);
	return fd;
}

/* Before there is a dialogue. */
static void
turn_away(int fd)
{
	static const char reply[] = FRONT_NO_SERVICE "\r\n";

	(void)send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(fd, SHUT_WR);
}

static struct conf *
load(const struct daemon_args *args, int client)
{
	struct conf *conf = NULL;
	char why[512];

	if (client < 0) {
		conf = daemon_conf(args, check); /* -n ends there */
		conf_unref(conf);
		(void)fprintf(stderr,
		    "postern-front: no client: it is begun by spawn(8), "
		    "inetd or systemd\n");
		exit(EX_USAGE);
	}
	openlog("postern-front", LOG_PID | LOG_NDELAY, LOG_MAIL);
	if (conf_load(args->conf_file, say, NULL, &conf) == 0) {
		if (check(conf, why, sizeof(why)) == 0)
			return conf;
		say(NULL, true, why);
	}
	turn_away(client);
	exit(EX_CONFIG);
}

static bool
front_init(struct front *f, struct conf *conf, int client)
{
	char why[512];

	memset(f, 0, sizeof(*f));
	f->conf = conf;
	f->next.fd = -1;
	strbuf_init(&f->own, OWN_MAX);
	if (!channel_init(&f->client, client) || !buffer_init(&f->up) ||
	    !buffer_init(&f->down))
		return false;
	return server_tls_new(conf, &f->tls, why, sizeof(why));
}

static void
front_release(struct front *f)
{
	channel_release(&f->client);
	channel_release(&f->next);
	server_tls_free(f->tls);
	buffer_release(&f->up);
	buffer_release(&f->down);
	strbuf_release(&f->own);
}

static void
serve(struct front *f)
{
	char why[512];

	if (!opening_peer(f, f->client.fd)) {
		log_error("the client is not on a TCP connection");
		turn_away(f->client.fd);
	} else if (!opening_do(f, why, sizeof(why))) {
		log_warning("%s: turned away: %s", f->real, why);
		turn_away(f->client.fd);
	} else {
		dialogue_run(f);
	}
	/* The MTA's session first: the milter's ends with it. */
	channel_release(&f->next);
	if (f->token[0] != '\0')
		(void)registry_ask(f, "end", f->token);
}

int
main(int argc, char **argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct daemon_args args;
	struct front front;
	struct conf *conf;
	int client;

	daemon_fds();
	client = take_client();
	daemon_args(argc, argv, &args);
	if (args.check)
		client = -1;

	/* -n ends here. */
	conf = load(&args, client);
	daemon_log("postern-front", conf, &args);
	daemon_limits();
	(void)sigaction(SIGPIPE, &ignore, NULL);

	if (front_init(&front, conf, client)) {
		serve(&front);
	} else {
		log_error("out of memory");
		turn_away(client);
	}
	front_release(&front);
	conf_unref(conf);
	return EX_OK;
}
