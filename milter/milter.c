/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/conf_holder.h"
#include "common/errtext.h"
#include "common/local_socket.h"
#include "common/log.h"
#include "common/verify.h"
#include "milter/answer.h"
#include "milter/carry.h"
#include "milter/context_log.h"
#include "milter/fronts.h"
#include "milter/milter.h"
#include "milter/msession.h"
#include "milter/negotiate.h"
#include "milter/tag.h"
#include "milter/variables.h"

static const struct milter_setup *setup;
static char listening[512]; /* the MTA's socket */

/* Callbacks that use `setup`, and whether no more may begin: libmilter's
 * threads go on when smfi_main() has returned. */
static atomic_uint using;
static atomic_bool stopping;

static void
setup_leave(void)
{
	atomic_fetch_sub(&using, 1);
}

static bool
setup_enter(void)
{
	atomic_fetch_add(&using, 1);
	if (!atomic_load(&stopping))
		return true;
	setup_leave();
	return false;
}

/* In place of a session, before there is one: the plain service has been
 * negotiated.  With `answering' the MTA waits for us at HELO and MAIL:
 * libmilter says nothing of its own accord there. */
static char quiet, answering;

static struct msession *
session_of(SMFICTX *ctx)
{
	void *priv = smfi_getpriv(ctx);

	return priv == &quiet || priv == &answering ? NULL : priv;
}

static bool
set_no_session(SMFICTX *ctx, bool answers)
{
	return smfi_setpriv(ctx, answers ? &answering : &quiet) == MI_SUCCESS;
}

/* Does the MTA wait for us, as negotiated? */
static bool
is_answering(SMFICTX *ctx)
{
	const struct msession *s = session_of(ctx);

	return s != NULL ? s->answering : smfi_getpriv(ctx) == &answering;
}

/* The reply to HELO and MAIL. */
static sfsistat
noted(SMFICTX *ctx)
{
	return is_answering(ctx) ? SMFIS_CONTINUE : SMFIS_NOREPLY;
}

/* Headers are asked for only where some are added.  Then the session begins
 * here: what has been negotiated holds for it, whatever a reload brings before
 * its client is known, and MTAs keep back what needs no reply until RCPT.
 * False: no memory. */
static bool
open_tags(SMFICTX *ctx, struct conf *conf, bool answers)
{
	struct msession *s = msession_new(NULL, NULL, conf);

	if (s == NULL)
		return false;
	s->answering = answers;
	if ((s->tags = tagger_new(conf, true)) != NULL &&
	    smfi_setpriv(ctx, s) == MI_SUCCESS)
		return true;
	tagger_free(s->tags);
	msession_free(s);
	return false;
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
    unsigned long f3, unsigned long *pf0, unsigned long *pf1,
    unsigned long *pf2, unsigned long *pf3)
{
	/* While we stop, too: its recipients will be deferred. */
	bool entered = setup_enter(), ok = true, answers;
	struct conf *conf = entered ? conf_holder_get(setup->conf) : NULL;

	(void)f2;
	(void)f3;
	*pf2 = *pf3 = 0;
	*pf0 = f0;
	*pf1 = f1;
	negotiate(ctx, conf, pf0, pf1);
	answers = (*pf1 & SMFIP_NR_MAIL) == 0;
	if (conf != NULL && tag_wanted(conf))
		ok = open_tags(ctx, conf, answers);
	else
		ok = set_no_session(ctx, answers);
	conf_unref(conf);
	if (entered)
		setup_leave();
	if (ok)
		return SMFIS_CONTINUE;
	log_error("out of memory for a client");
	return SMFIS_REJECT; /* of the milter; F=T, tempfail */
}

static const char *
get_macro(void *arg, const char *name)
{
	char copy[32]; /* libmilter wants text that is not const */

	snprintf(copy, sizeof(copy), "%s", name);
	return smfi_getsymval(arg, copy);
}

static void
session_end(struct msession *s)
{
	if (s != NULL)
		tagger_free(s->tags);
	msession_free(s);
}

/* From the session of the negotiation.  Without any negotiation the MTA has
 * begun anew (SMFIC_QUIT_NC), and nobody knows what it is prepared for. */
static bool
take_tags(SMFICTX *ctx, struct msession *s, struct conf *conf)
{
	struct msession *opened = session_of(ctx);

	if (opened != NULL) {
		s->tags = opened->tags;
		opened->tags = NULL;
	} else if (smfi_getpriv(ctx) == NULL && tag_wanted(conf)) {
		s->tags = tagger_new(conf, false);
		return s->tags != NULL;
	}
	return true;
}

static sfsistat
on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *sa)
{
	struct msession *opened = session_of(ctx), *s = NULL;
	struct macros macros = { get_macro, ctx };
	bool answers = is_answering(ctx), anew = smfi_getpriv(ctx) == NULL;
	struct conf *conf;

	if (setup_enter()) {
		conf = conf_holder_get(setup->conf);
		if (anew) /* as it would be negotiated now */
			answers = negotiate_waits(conf);
		s = msession_new(name, sa, conf);
		if (s == NULL || !take_tags(ctx, s, conf) ||
		    smfi_setpriv(ctx, s) != MI_SUCCESS) {
			log_error("out of memory for a client");
			session_end(s);
			s = NULL;
		} else {
			s->answering = answers;
			s->variables = negotiate_variables(conf);
			variables_connect(s, conf, &macros);
		}
		conf_unref(conf);
		setup_leave();
	}
	if (s == NULL) /* its recipients will be deferred */
		(void)set_no_session(ctx, answers);
	session_end(opened);
	return SMFIS_NOREPLY;
}

static sfsistat
on_helo(SMFICTX *ctx, char *helo)
{
	struct macros macros = { get_macro, ctx };
	struct msession *s = session_of(ctx);
	struct conf *conf;

	if (s != NULL && !msession_helo(s, helo))
		log_error("out of memory for a client");
	if (s != NULL && s->variables && setup_enter()) {
		conf = conf_holder_get(setup->conf);
		variables_helo(s, conf, helo, &macros);
		conf_unref(conf);
		setup_leave();
	}
	return noted(ctx);
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	struct macros macros = { get_macro, ctx };
	struct msession *s = session_of(ctx);
	struct conf *conf;

	if (s != NULL)
		tagger_reset(s->tags);
	if (s != NULL &&
	    !msession_mail(s, argv[0], get_macro(ctx, "{auth_authen}"),
		get_macro(ctx, "i")))
		log_error("out of memory for a client");
	if (s != NULL && s->variables && setup_enter()) {
		conf = conf_holder_get(setup->conf);
		variables_mail(s, conf, argv[0], &macros);
		conf_unref(conf);
		setup_leave();
	}
	return noted(ctx);
}

static sfsistat
tell(SMFICTX *ctx, const struct verify_result *r)
{
	struct answer_reply reply;

	if (r->verdict == VERDICT_ACCEPT)
		return SMFIS_CONTINUE;
	answer_reply(r, &reply);
	if (smfi_setreply(ctx, reply.code, reply.esc, reply.text) !=
	    MI_SUCCESS) {
		log_error("the reply %s %s %s is not taken by libmilter",
		    reply.code, reply.esc, reply.text);
		return SMFIS_TEMPFAIL;
	}
	return r->verdict == VERDICT_REJECT ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	struct msession *s = session_of(ctx);
	struct verify_request rq = { 0 };
	struct verify_result result;

	if (s == NULL || s->sender == NULL)
		return SMFIS_TEMPFAIL; /* logged when it happened */
	variables_rcpt(s, argv[0]);
	verify_request_set(&rq, s->sender, argv[0]);
	rq.id = s->id;
	rq.authenticated = s->authenticated;
	rq.bypass = msession_bypass(s);
	rq.routed_only = s->no_xclient;
	rq.find_route = tagger_wants_routes(s->tags);
	msession_client(s, &rq.client);
	if (!setup_enter())
		return SMFIS_TEMPFAIL;
	verify_rcpt(setup->verifier, &rq, &result);
	setup_leave();
	variables_result(s, result.word);
	if (rq.find_route && result.verdict == VERDICT_ACCEPT)
		tagger_rcpt(s->tags, result.route);
	return tell(ctx, &result);
}

/* The token of a front session comes so.  Whatever it is, the MTA gives its
 * own answer: nobody learns anything from it. */
static sfsistat
on_unknown(SMFICTX *ctx, const char *command)
{
	struct msession *s = session_of(ctx);
	struct conf *conf;

	if (s == NULL || !setup_enter())
		return SMFIS_CONTINUE;
	conf = conf_holder_get(setup->conf);
	fronts_tie(setup->fronts, conf, command, s);
	conf_unref(conf);
	setup_leave();
	return SMFIS_CONTINUE;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct msession *s = session_of(ctx);

	if (s != NULL && s->tags != NULL)
		tagger_header(s->tags, name, value);
	return SMFIS_NOREPLY;
}

static void
message_over(struct msession *s)
{
	if (s == NULL)
		return;
	tagger_reset(s->tags);
	msession_reset(s);
}

static sfsistat
end_tags(SMFICTX *ctx, struct msession *s)
{
	struct session_client client;

	if (s->tags == NULL)
		return SMFIS_CONTINUE;
	msession_client(s, &client);
	pthread_mutex_lock(&s->lock);
	tagger_read(s->tags, &s->connection, &s->message);
	pthread_mutex_unlock(&s->lock);
	return tagger_end(s->tags, ctx, client.addr);
}

/* Credentials that the message brings with it. */
static sfsistat
end_carry(SMFICTX *ctx, struct msession *s)
{
	char code[] = "451", esc[] = "4.7.0";
	char text[] = "Message cannot be taken now, try again later";
	struct session_client client;
	struct carry_message m = { { get_macro, ctx }, s->id, s->sender,
		client.addr };
	struct carry carry;
	struct conf *conf;
	bool any, ok = false;

	pthread_mutex_lock(&s->lock);
	any = carry_read(&carry, &s->connection, &s->message);
	pthread_mutex_unlock(&s->lock);
	if (!any)
		return SMFIS_CONTINUE;
	msession_client(s, &client);
	if (setup_enter()) {
		conf = conf_holder_get(setup->conf);
		ok = carry_end(&carry, conf, &m);
		conf_unref(conf);
		setup_leave();
	}
	carry_release(&carry);
	if (ok)
		return SMFIS_CONTINUE;
	(void)smfi_setreply(ctx, code, esc, text);
	return SMFIS_TEMPFAIL;
}

static sfsistat
on_eom(SMFICTX *ctx)
{
	struct msession *s = session_of(ctx);
	sfsistat answer;

	if (s == NULL)
		return SMFIS_TEMPFAIL; /* logged when it happened */
	answer = end_tags(ctx, s);
	if (answer == SMFIS_CONTINUE)
		answer = end_carry(ctx, s);
	context_log(s, get_macro(ctx, "i"));
	message_over(s);
	return answer;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	message_over(session_of(ctx));
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct msession *s = session_of(ctx);

	if (s != NULL && setup_enter()) {
		fronts_gone(setup->fronts, s);
		setup_leave();
	}
	session_end(s);
	/* libmilter logs a warning of whatever is left here. */
	(void)smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

int
milter_register(const struct milter_setup *with, char *why, size_t len)
{
	static char name[] = "postern";
	struct smfiDesc desc = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = TAG_ACTIONS, /* what is used is negotiated */
		.xxfi_connect = on_connect,
		.xxfi_helo = on_helo,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_header,
		.xxfi_eom = on_eom,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_unknown = on_unknown,
		.xxfi_negotiate = on_negotiate,
	};

	setup = with;
	if (smfi_register(desc) != MI_SUCCESS) {
		snprintf(why, len, "libmilter does not take our callbacks");
		return -1;
	}
	return 0;
}

/* The socket belongs to its group, or to nobody else at all. */
static int
socket_mode(const char *path, const char *group, char *why, size_t len)
{
	char buf[4096];
	struct group gr, *found = NULL;

	if (group == NULL)
		return 0;
	if (getgrnam_r(group, &gr, buf, sizeof(buf), &found) != 0 ||
	    found == NULL) {
		snprintf(
		    why, len, "no such group: %s (option socket_group)", group);
		return -1;
	}
	return local_give(path, found->gr_gid, why, len);
}

/* inet:PORT@[2001:db8::1] is inet6:PORT@2001:db8::1 to libmilter.  Both are as
 * long as each other, brackets against the 6, or shorter. */
static void
libmilter_name(char *name, size_t len)
{
	char *open = strstr(name, "@["), *close = strchr(name, ']');
	size_t tail = strlen("inet");

	if (strncmp(name, "inet:", tail + 1) != 0 || open == NULL ||
	    close == NULL || strlen(name) + 1 >= len)
		return;
	*close = '\0';
	memmove(open + 1, open + 2, strlen(open + 2) + 1);
	memmove(name + tail + 1, name + tail, strlen(name + tail) + 1);
	name[tail] = '6';
}

int
milter_listen(const char *socket, const char *group, char *why, size_t len)
{
	char name[512];
	mode_t mask;
	int rc;

	snprintf(name, sizeof(name), "%s", socket);
	libmilter_name(name, sizeof(name));
	if (strncmp(socket, "unix:", 5) == 0 &&
	    local_make_room(socket + 5, why, len) != 0)
		return -1;
	if (smfi_setconn(name) != MI_SUCCESS) {
		snprintf(why, len, "%s: not a socket for libmilter", socket);
		return -1;
	}
	mask = umask(0177);
	/* Without removing what is there, which it would do unseen. */
	rc = smfi_opensocket(0);
	umask(mask);
	if (rc != MI_SUCCESS) {
		snprintf(
		    why, len, "%s: cannot listen there: %s", socket, ERRNO);
		return -1;
	}
	snprintf(listening, sizeof(listening), "%s", socket);
	if (strncmp(socket, "unix:", 5) == 0)
		return socket_mode(socket + 5, group, why, len);
	return 0;
}

int
milter_run(void)
{
	return smfi_main() == MI_SUCCESS ? 0 : -1;
}

/* How often libmilter is woken until it has ended. */
#define WAKE_MS 20

/* libmilter waits for a connection, and looks every five seconds whether it
 * is to end: here is one. */
static void
wake(void)
{
	char why[256];
	int fd;

	if (strncmp(listening, "unix:", 5) == 0 &&
	    (fd = local_connect(listening + 5, why, sizeof(why))) >= 0)
		close(fd);
}

void
milter_stop(pthread_t thread)
{
	struct timespec until;

	/* Not smfi_stop(), which must not be called while libmilter begins,
	 * and which waits until it has looked: it has a thread for that. */
	kill(getpid(), SIGTERM);
	do {
		wake();
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WAKE_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
	} while (pthread_timedjoin_np(thread, NULL, &until) == ETIMEDOUT);
}

bool
milter_drain(int64_t wait_ms)
{
	int64_t end = clock_ms() + wait_ms;

	atomic_store(&stopping, true);
	while (atomic_load(&using) > 0) {
		if (clock_ms() >= end)
			return false;
		(void)poll(NULL, 0, 10);
	}
	return true;
}
