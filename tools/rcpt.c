/* SPDX-License-Identifier: BSD-2-Clause */
/* posternctl rcpt, explain rcpt: ask as the daemon would, without it. */
#include "config.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/control.h"
#include "common/dial.h"
#include "common/probe.h"
#include "common/verify.h"
#include "tools/command.h"
#include "tools/print.h"

struct asking {
	struct override o;
	bool explain;
	atomic_bool told; /* the verdict was printed */
	struct conf *conf;
	struct verifier *verifier;
};

static bool
options(struct asking *a, int *argc, char ***argv)
{
	int c;

	optind = 1;
	while ((c = getopt(*argc, *argv, "+f:H:t:")) != -1) {
		switch (c) {
		case 'f':
			a->o.mailfrom = optarg;
			break;
		case 'H':
			a->o.host = optarg;
			break;
		case 't':
			a->o.seconds = optarg;
			break;
		default:
			return false;
		}
	}
	*argc -= optind;
	*argv += optind;
	return *argc > 0;
}

static void
trace(void *arg, char direction, const char *line)
{
	const struct asking *a = arg;

	/* The session's end, on the prober's thread, concerns nobody. */
	if (!atomic_load(&a->told))
		printf("  %c %s\n", direction, line);
}

static bool
start(struct asking *a)
{
	struct prober_params pp = { .trace = a->explain ? trace : NULL,
		.trace_arg = a };
	char why[512];

	if (dial_global_init() != 0)
		return false;
	a->verifier = verifier_new(a->conf, &pp, why, sizeof(why));
	if (a->verifier == NULL)
		fprintf(stderr, "posternctl: %s\n", why);
	return a->verifier != NULL;
}

/* What the running daemon remembers, if there is one. */
static void
explain_daemon(const struct asking *a, const char *rcpt)
{
	const char *from = a->o.mailfrom != NULL ? a->o.mailfrom : "<>";
	char request[CONTROL_LINE_MAX], why[512];
	int rc;

	printf("the daemon:\n");
	fflush(stdout);
	if (strpbrk(rcpt, " \n") != NULL || strpbrk(from, " \n") != NULL) {
		printf("  not asked about an address with spaces\n");
		return;
	}
	snprintf(request, sizeof(request), "explain rcpt %s %s",
	    from[0] != '\0' ? from : "<>", rcpt);
	rc = control_ask(a->conf->milter.control + sizeof("unix:") - 1, request,
	    stdout, why, sizeof(why));
	if (rc != 0)
		printf("  %s\n", why);
}

static void
request(const struct asking *a, const char *rcpt, struct verify_request *rq)
{
	memset(rq, 0, sizeof(*rq));
	rq->direct = true;
	verify_request_set(rq,
	    a->o.mailfrom != NULL && a->o.mailfrom[0] != '\0' ? a->o.mailfrom
							      : "<>",
	    rcpt);
	/* With xclient the upstream is told of a client; there is none but
	 * this machine. */
	snprintf(rq->client.addr, sizeof(rq->client.addr), "127.0.0.1");
	snprintf(
	    rq->client.helo, sizeof(rq->client.helo), "%s", a->conf->hostname);
	snprintf(rq->client.proto, sizeof(rq->client.proto), "ESMTP");
}

static int
ask_one(struct asking *a, const char *rcpt)
{
	struct verify_request rq;
	struct verify_result r;
	struct result shown;

	request(a, rcpt, &rq);
	if (a->explain) {
		verify_explain(a->verifier, &rq, stdout);
		explain_daemon(a, rcpt);
		printf("dialogue:\n");
	}
	verify_rcpt(a->verifier, &rq, &r);
	atomic_store(&a->told, true);
	shown = (struct result){ .name = rcpt,
		.verdict = r.would,
		.code = r.answer.code,
		.esc = r.answer.esc,
		.text = r.answer.text,
		.reason = r.answer.reason };
	print_reason(&shown, a->explain);
	return print_result(&shown);
}

/* A deferral outweighs a rejection: who asks has to ask again. */
static int
ask_all(struct asking *a, int argc, char **argv)
{
	int rc = EX_OK, one;

	for (int i = 0; i < argc; i++) {
		one = ask_one(a, argv[i]);
		if (one == EX_TEMPFAIL || rc == EX_OK)
			rc = one;
		fflush(stdout);
	}
	return rc;
}

static int
run(const struct ctl *ctl, struct asking *a, int argc, char **argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int rc = ctl_conf(ctl, &a->o, &a->conf);

	if (rc != 0)
		return rc;
	(void)sigaction(SIGPIPE, &ignore, NULL);
	rc = start(a) ? ask_all(a, argc, argv) : EX_UNAVAILABLE;
	verifier_free(a->verifier);
	conf_unref(a->conf);
	dial_global_cleanup();
	return rc;
}

int
command_rcpt(const struct ctl *ctl, int argc, char **argv)
{
	struct asking a = { .explain = false };

	if (!options(&a, &argc, &argv))
		return command_usage();
	return run(ctl, &a, argc, argv);
}

int
command_explain_rcpt(const struct ctl *ctl, int argc, char **argv)
{
	struct asking a = { .explain = true };

	if (!options(&a, &argc, &argv) || argc != 1)
		return command_usage();
	return run(ctl, &a, argc, argv);
}
