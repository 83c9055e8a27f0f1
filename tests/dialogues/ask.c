/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask - open a session with an upstream, put one question, print the answers
 *
 * For the dialogues: prints one line per fact on stdout, the redacted trace
 * on stderr.  Exit status 0 whatever came; 2 for bad usage.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/dial.h"
#include "common/number.h"
#include "common/secret.h"
#include "common/session.h"
#include "common/tls.h"
#include "common/transport.h"

struct question {
	struct session_params sp;
	struct session_client client;
	struct conf_upstream up;
	struct secret pass;
	struct endpoint place; /* where to dial, if not to sp.endpoint */
	struct address sender;
	char **rcpts; /* NULL at the end */
	int64_t limit_ms;
	long times; /* sessions, one after the other */
	bool trace;
	bool leave_idle; /* look whether the session lives, then go */
};

/* A transport that hides its socket, so that the session takes the endpoint's
 * name for what it is: far away. */
struct distant {
	struct transport base;
	struct transport *inner;
};

static ssize_t
distant_read(struct transport *t, void *buf, size_t len, struct fault *f)
{
	struct distant *d = (struct distant *)t;
	ssize_t n = d->inner->ops->read(d->inner, buf, len, f);

	t->events = d->inner->events;
	return n;
}

static ssize_t
distant_write(struct transport *t, const void *buf, size_t len, struct fault *f)
{
	struct distant *d = (struct distant *)t;
	ssize_t n = d->inner->ops->write(d->inner, buf, len, f);

	t->events = d->inner->events;
	return n;
}

static bool
distant_poll(const struct transport *t, struct deadline d)
{
	const struct distant *far = (const struct distant *)t;

	far->inner->events = t->events;
	return transport_poll(far->inner, d);
}

static void
distant_free(struct transport *t)
{
	transport_free(((struct distant *)t)->inner);
	free(t);
}

static const struct transport_ops distant_ops = {
	.read = distant_read,
	.write = distant_write,
	.free = distant_free,
	.poll = distant_poll,
};

static enum outcome
dial_place(void *arg, const struct endpoint *e, unsigned int port,
    struct deadline d, struct transport **out, struct fault *f)
{
	const struct question *q = arg;
	struct distant *far;
	enum outcome oc = dial_connect(&q->place, port, d, out, f);

	(void)e;
	if (oc != OUTCOME_OK)
		return oc;
	far = calloc(1, sizeof(*far));
	if (far == NULL) {
		transport_free(*out);
		*out = NULL;
		fault_set(f, FAULT_LOCAL, "out of memory");
		return OUTCOME_TEMP;
	}
	far->base.ops = &distant_ops;
	far->base.fd = -1;
	far->inner = *out;
	*out = &far->base;
	return OUTCOME_OK;
}

static void
trace(void *arg, char direction, const char *line)
{
	(void)arg;
	(void)fprintf(stderr, "%c %s\n", direction, line);
}

static void
print_fault(const char *what, const struct fault *f)
{
	(void)printf("%s %s", what, fault_origin_name(f->origin));
	if (f->code != 0)
		(void)printf(" %d", f->code);
	if (f->esc[0] != '\0')
		(void)printf(" %s", f->esc);
	(void)printf(": %s\n", f->text);
}

static void
print_reply(const char *to, const struct reply *r)
{
	char line[REPLY_TEXT_MAX];

	(void)reply_first_line(r, line, sizeof(line));
	(void)printf("%s: %d %s\n", to, r->code, line);
}

static void
print_open(const struct session *s)
{
	const struct tls_info *t = session_tls(s);
	const struct ehlo *e = session_ehlo(s);

	(void)printf("open ok%s%s%s%s%s%s%s\n",
	    session_is_lmtp(s) ? " lmtp" : "", t->active ? " tls" : "",
	    t->verified ? " verified" : "", t->resumed ? " resumed" : "",
	    e->keywords & EHLO_PIPELINING ? " pipelining" : "",
	    e->keywords & EHLO_SMTPUTF8 ? " smtputf8" : "",
	    e->keywords & EHLO_8BITMIME ? " 8bitmime" : "");
}

/* The cookies of a conversation are the names that the answers get. */
static char mail_name[] = "MAIL";
static char rset_name[] = "RSET";
static char quit_name[] = "QUIT";

/* Everything at once, as far as the upstream lets it. */
static bool
queue_all(struct session *s, struct question *q)
{
	struct address a;
	bool utf8 = q->sender.utf8;
	bool sent = true;
	char **p;

	for (p = q->rcpts; p != NULL && *p != NULL; p++) {
		if (address_parse(*p, strlen(*p), &a, NULL) != ADDRESS_BAD)
			utf8 = utf8 || a.utf8;
	}
	if (!session_mail(s, &q->sender, utf8, mail_name)) {
		(void)printf("MAIL: not sent\n");
		return false;
	}
	for (p = q->rcpts; p != NULL && *p != NULL; p++) {
		if (address_parse(*p, strlen(*p), &a, NULL) == ADDRESS_BAD ||
		    !session_rcpt(s, &a, *p)) {
			(void)printf("%s: not sent\n", *p);
			sent = false;
		}
	}
	return session_rset(s, rset_name) && session_quit(s, quit_name) && sent;
}

static void
converse(struct session *s, struct deadline d)
{
	static struct reply r;
	struct fault f;
	struct pollfd pfd;
	void *cookie;

	while (session_outstanding(s) > 0) {
		switch (session_pump(s, &r, &cookie, &f)) {
		case SESSION_REPLY:
			print_reply(cookie, &r);
			continue;
		case SESSION_DEAD:
			print_fault("dead", &f);
			return;
		case SESSION_NONE:
			break;
		}
		pfd.fd = session_fd(s);
		pfd.events = session_events(s);
		/* Without a descriptor there is only trying again. */
		(void)poll(&pfd, pfd.fd == -1 ? 0 : 1,
		    pfd.fd == -1 ? 2 : deadline_left_poll(d));
		if (deadline_passed(d)) {
			(void)printf("timed out\n");
			return;
		}
	}
}

static void
ask(struct question *q)
{
	struct session *s = NULL;
	struct deadline d = deadline_in(q->limit_ms);
	struct fault f;
	enum smtp_stage stage;
	enum outcome oc;
	char what[64];

	oc = session_open(&q->sp, d, &s, &f, &stage);
	if (oc != OUTCOME_OK) {
		(void)snprintf(what, sizeof(what), "open %s %s",
		    outcome_name(oc), stage_name(stage));
		print_fault(what, &f);
		return;
	}
	print_open(s);
	if (q->leave_idle) {
		(void)poll(NULL, 0, 300);
		(void)printf("%s\n", session_alive(s) ? "alive" : "not alive");
	} else {
		(void)queue_all(s, q);
		converse(s, d);
	}
	session_free(s);
}

static int
word_index(const char *word, const char *const *words)
{
	int i;

	for (i = 0; words[i] != NULL; i++) {
		if (strcmp(word, words[i]) == 0)
			return i;
	}
	(void)fprintf(stderr, "ask: %s: not known\n", word);
	exit(2);
}

static void
parse_place(const char *text, struct endpoint *out)
{
	const char *why;

	if (!endpoint_parse(text, out, &why)) {
		(void)fprintf(stderr, "ask: %s: %s\n", text, why);
		exit(2);
	}
}

static long long
parse_number(const char *text)
{
	long long n;

	if (!number_parse(text, 0, 1000000, &n)) {
		(void)fprintf(stderr, "ask: %s: not a number\n", text);
		exit(2);
	}
	return n;
}

static void
set_client(struct session_client *c, char *arg)
{
	char *value = strchr(arg, '=');

	const struct {
		const char *name;
		char *field;
		size_t size;
	} fields[] = {
		{ "name", c->name, sizeof(c->name) },
		{ "addr", c->addr, sizeof(c->addr) },
		{ "port", c->port, sizeof(c->port) },
		{ "helo", c->helo, sizeof(c->helo) },
		{ "proto", c->proto, sizeof(c->proto) },
		{ "destaddr", c->destaddr, sizeof(c->destaddr) },
	};

	size_t i;

	if (value != NULL)
		*value++ = '\0';
	for (i = 0; value != NULL && i < sizeof(fields) / sizeof(*fields);
	     i++) {
		if (strcmp(fields[i].name, arg) != 0)
			continue;
		(void)snprintf(fields[i].field, fields[i].size, "%s", value);
		return;
	}
	(void)fprintf(stderr, "ask: -X %s: not known\n", arg);
	exit(2);
}

static const char usage[] =
    "usage: ask [-iv] [-D PLACE] [-t TLS] [-C CA] [-K CERT] [-n NAME]\n"
    "    [-e HELO] [-x XCLIENT] [-X NAME=VALUE]... [-u USER -p PASS [-m MECH]]\n"
    "    [-o OWN] [-l MS] [-r MS] [-N TIMES] [-f SENDER] ENDPOINT RCPT...\n";

static const char *const tls_words[] = {
	"none",
	"may",
	"encrypt",
	"verify",
	"implicit",
	NULL,
};
static const char *const xclient_words[] = {
	"no",
	"ifavailable",
	"required",
	NULL,
};

static void
take_option(struct question *q, int opt)
{
	switch (opt) {
	case 'i':
		q->leave_idle = true;
		break;
	case 'v':
		q->sp.trace = trace;
		break;
	case 'D':
		parse_place(optarg, &q->place);
		q->sp.dial = dial_place;
		q->sp.dial_arg = q;
		break;
	case 't':
		q->sp.tls = (enum conf_tls)word_index(optarg, tls_words);
		break;
	case 'C':
		q->up.tls_ca_file = optarg;
		break;
	case 'K':
		q->up.tls_cert_file = optarg;
		break;
	case 'n':
		q->sp.tls_verify_name = optarg;
		break;
	case 'e':
		q->sp.helo = optarg;
		break;
	case 'x':
		q->sp.xclient =
		    (enum conf_xclient)word_index(optarg, xclient_words);
		break;
	case 'X':
		set_client(&q->client, optarg);
		break;
	case 'u':
		q->sp.auth_user = optarg;
		break;
	case 'p':
		if (!secret_set(&q->pass, optarg, strlen(optarg)))
			exit(2);
		q->sp.auth_pass = &q->pass;
		break;
	case 'm':
		q->sp.auth_type = optarg;
		break;
	case 'o':
		q->sp.own_name = optarg;
		break;
	case 'l':
		q->limit_ms = parse_number(optarg);
		break;
	case 'r':
		q->sp.reply_ms = parse_number(optarg);
		break;
	case 'N':
		q->times = (long)parse_number(optarg);
		break;
	case 'f':
		if (address_parse(optarg, strlen(optarg), &q->sender, NULL) ==
		    ADDRESS_BAD)
			exit(2);
		break;
	default:
		(void)fputs(usage, stderr);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	static struct question q = {
		.sp = { .port = 25, .helo = "edge.example.org" },
		.sender = { .null = true },
		.limit_ms = 10000,
		.times = 1,
	};
	char why[512];
	int opt;

	while ((opt = getopt(
		    argc, argv, "ivD:t:C:K:n:e:x:X:u:p:m:o:l:r:N:f:")) != -1)
		take_option(&q, opt);
	if (optind == argc) {
		(void)fputs(usage, stderr);
		return 2;
	}
	parse_place(argv[optind], &q.sp.endpoint);
	q.rcpts = argv + optind + 1;
	q.sp.client = &q.client;
	if (dial_global_init() != 0)
		return 2;
	if (q.sp.tls != TLS_NONE) {
		q.sp.tls_client = tls_client_new(&q.up, why, sizeof(why));
		if (q.sp.tls_client == NULL) {
			(void)fprintf(stderr, "ask: %s\n", why);
			return 2;
		}
	}
	for (; q.times > 0; q.times--)
		ask(&q);
	tls_client_unref(q.sp.tls_client);
	secret_release(&q.pass);
	dial_global_cleanup();
	return 0;
}
