/* SPDX-License-Identifier: BSD-2-Clause */
/* posternctl auth, explain auth: log in as the daemon would, without it. */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/auth.h"
#include "common/auth_mech.h"
#include "common/conf.h"
#include "common/dial.h"
#include "common/secret.h"
#include "common/strbuf.h"
#include "tools/command.h"
#include "tools/mech_client.h"
#include "tools/password.h"
#include "tools/print.h"

#define STEPS_MAX 65536

/* Nobody waits but us: option timeout, or -t, is the limit. */
#define LOGIN_MS 3600000

struct login {
	struct override o;
	const struct auth_mech *mech;
	const char *user;
	bool explain;
	struct secret pass;
	struct conf *conf;
	struct auth *auth;
	struct auth_asker who;
	struct strbuf steps;
	pthread_mutex_t lock;   /* sessions are opened on other threads */
	struct strbuf dialogue; /* guarded by lock */
};

static bool
find_mech(struct login *l, const char *name)
{
	l->mech = auth_mech_find(name);
	if (l->mech == NULL)
		fprintf(stderr,
		    "posternctl: -m %s: none of PLAIN, LOGIN, XOAUTH2, "
		    "OAUTHBEARER, CRAM-MD5, SCRAM-SHA-1, SCRAM-SHA-256\n",
		    name);
	return l->mech != NULL;
}

/* Returns 0, or 64 after a message. */
static int
options(struct login *l, int argc, char **argv)
{
	const char *mech = "PLAIN";
	int c;

	l->o.auth = true;
	optind = 1;
	while ((c = getopt(argc, argv, "+H:m:t:")) != -1) {
		switch (c) {
		case 'H':
			l->o.host = optarg;
			break;
		case 'm':
			mech = optarg;
			break;
		case 't':
			l->o.seconds = optarg;
			break;
		default:
			return command_usage();
		}
	}
	if (argc != optind + 1)
		return command_usage();
	l->user = argv[optind];
	return find_mech(l, mech) ? EX_OK : EX_USAGE;
}

static void
trace(void *arg, char direction, const char *line)
{
	struct login *l = arg;

	pthread_mutex_lock(&l->lock);
	strbuf_addf(&l->dialogue, "  %c %s\n", direction, line);
	pthread_mutex_unlock(&l->lock);
}

static bool
start(struct login *l)
{
	struct pool_params pp = { .trace = l->explain ? trace : NULL,
		.trace_arg = l };
	char why[512] = "libcurl cannot be started";

	if (dial_global_init() == 0)
		l->auth = auth_new(l->conf, &pp, why, sizeof(why));
	if (l->auth == NULL)
		fprintf(stderr, "posternctl: %s\n", why);
	return l->auth != NULL;
}

/* -- the login ----------------------------------------------------------- */

static void
check_password(struct login *l, struct auth_answer *out)
{
	const struct auth_login login = { .mech = l->mech->name,
		.user = l->user,
		.user_len = strlen(l->user),
		.pass = &l->pass };

	auth_check(l->auth, &l->who, &login, deadline_in(LOGIN_MS), out);
}

/* The client's own part has failed: nobody can tell. */
static void
give_up(struct auth_answer *out, const char *why)
{
	memset(out, 0, sizeof(*out));
	out->verdict = VERDICT_DEFER;
	snprintf(out->reason, sizeof(out->reason), "given up");
	snprintf(out->text, sizeof(out->text), "%s", why);
}

static void
relay(struct login *l, struct mech_client *client, struct auth_answer *out)
{
	struct secret challenge = { 0 }, response = { 0 };
	struct auth_dialogue *x = NULL;
	char why[256];
	bool more;

	more = auth_begin(l->auth, &l->who, l->mech->name,
	    mech_client_first(client), deadline_in(LOGIN_MS), &x, &challenge,
	    out);
	while (more) {
		if (!mech_client_next(
			client, &challenge, &response, why, sizeof(why))) {
			give_up(out, why);
			break;
		}
		secret_release(&challenge);
		more = auth_step(x, &response, &challenge, out);
	}
	if (out->verdict == VERDICT_ACCEPT && !mech_client_done(client))
		fprintf(stderr,
		    "posternctl: %s: the server has not proved that it knows "
		    "the password\n",
		    l->user);
	auth_end(x);
	secret_release(&challenge);
	secret_release(&response);
}

/* Returns false when this machine cannot do the mechanism. */
static bool
ask(struct login *l, struct auth_answer *out)
{
	struct mech_client *client;
	char why[256];

	if (l->mech->password) {
		check_password(l, out);
		return true;
	}
	client =
	    mech_client_new(l->mech->name, l->user, &l->pass, why, sizeof(why));
	if (client == NULL) {
		fprintf(stderr, "posternctl: -m %s: %s\n", l->mech->name, why);
		return false;
	}
	relay(l, client, out);
	mech_client_free(client);
	return true;
}

/* -- what is shown ------------------------------------------------------- */

static void
show_steps(struct login *l)
{
	fputs(strbuf_str(&l->steps), stdout);
	pthread_mutex_lock(&l->lock);
	if (l->dialogue.len > 0)
		printf("dialogue:\n%s", strbuf_str(&l->dialogue));
	pthread_mutex_unlock(&l->lock);
}

static int
ask_and_show(struct login *l)
{
	struct auth_answer answer = { 0 };
	struct result r = { .name = l->user };

	l->who = (struct auth_asker){ .service = "smtp",
		.realm = "",
		/* With xclient the upstream is told of a client; there is
		 * none but this machine. */
		.client = "127.0.0.1;0",
		.direct = true,
		.explain = l->explain ? &l->steps : NULL };
	if (!ask(l, &answer))
		return EX_UNAVAILABLE;
	if (l->explain)
		show_steps(l);
	r.verdict = answer.verdict;
	r.code = answer.code;
	r.esc = answer.esc;
	r.text = answer.text;
	r.reason = answer.reason;
	print_reason(&r, false); /* the steps end with it */
	return print_result(&r);
}

static int
run(const struct ctl *ctl, struct login *l)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	char why[256];
	int rc = ctl_conf(ctl, &l->o, &l->conf);

	if (rc != 0)
		return rc;
	(void)sigaction(SIGPIPE, &ignore, NULL);
	if (password_read(&l->pass, why, sizeof(why)) != 0) {
		fprintf(stderr, "posternctl: %s\n", why);
		rc = EX_USAGE;
	} else {
		rc = start(l) ? ask_and_show(l) : EX_UNAVAILABLE;
		if (l->auth != NULL)
			auth_stop(l->auth);
		auth_free(l->auth);
		dial_global_cleanup();
	}
	secret_release(&l->pass);
	conf_unref(l->conf);
	return rc;
}

static int
command(const struct ctl *ctl, int argc, char **argv, bool explain)
{
	struct login l = { .explain = explain,
		.lock = PTHREAD_MUTEX_INITIALIZER };
	int rc;

	strbuf_init(&l.steps, STEPS_MAX);
	strbuf_init(&l.dialogue, STEPS_MAX);
	rc = options(&l, argc, argv);
	if (rc == 0)
		rc = run(ctl, &l);
	strbuf_release(&l.steps);
	strbuf_release(&l.dialogue);
	return rc;
}

int
command_auth(const struct ctl *ctl, int argc, char **argv)
{
	return command(ctl, argc, argv, false);
}

int
command_explain_auth(const struct ctl *ctl, int argc, char **argv)
{
	return command(ctl, argc, argv, true);
}
