/* SPDX-License-Identifier: BSD-2-Clause */
/* posternctl outbound, explain outbound: what the MTA would be given, from
 * the configuration and its data source, without the daemon. */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/address.h"
#include "common/conf.h"
#include "common/credential_check.h"
#include "common/log.h"
#include "common/nexthop.h"
#include "common/outbound.h"
#include "common/strbuf.h"
#include "common/verdict.h"
#include "tools/command.h"
#include "tools/print.h"

#define STEPS_MAX 65536

/* Nobody waits but us: the data source's own timeout is the limit. */
#define LOOKUP_MS 3600000

struct inquiry {
	const char *binding;
	const char *nexthop;
	bool explain;
	bool has_sender;
	struct address sender;
	struct conf *conf;
	struct outbound *o;
	struct strbuf steps;
};

/* One of Postfix's look-ups in a map. */
struct lookup {
	const char *what;
	const char *key;
};

#define LOOKUPS_MAX 3

/* -- the question -------------------------------------------------------- */

/* The null sender has no look-up; anything but an address would be taken
 * for a next hop. */
static bool
set_sender(struct inquiry *q, const char *text)
{
	if (!ctl_address('s', text, &q->sender))
		return false;
	q->has_sender = !q->sender.null;
	return true;
}

/* Returns 0, or 64 after a message. */
static int
options(struct inquiry *q, int argc, char **argv)
{
	int c;

	q->binding = CREDENTIAL_DEFAULT;
	optind = 1;
	while ((c = getopt(argc, argv, "+b:s:")) != -1) {
		switch (c) {
		case 'b':
			q->binding = optarg;
			break;
		case 's':
			if (!set_sender(q, optarg))
				return EX_USAGE;
			break;
		default:
			return command_usage();
		}
	}
	if (argc != optind + 1)
		return command_usage();
	q->nexthop = argv[optind];
	if (q->nexthop[0] == '\0')
		return command_usage();
	/* It would be taken for a sender. */
	if (strchr(q->nexthop, '@') == NULL)
		return EX_OK;
	fprintf(stderr, "posternctl: %s: an address; -s names the sender\n",
	    q->nexthop);
	return EX_USAGE;
}

/* -- the answer ---------------------------------------------------------- */

/* " user=... type=... scope=...", quoted as in the log. */
static void
describe(const struct outbound_answer *a, struct log_line *l)
{
	const char *type = credential_type_name(a->type);

	log_line_begin(l, "");
	log_line_add(l, "user", "%s", a->user);
	log_line_add(l, "type", "%s", type[0] != '\0' ? type : "any");
	log_line_add(l, "scope", "%s", a->login_scope);
}

static enum verdict
verdict(const struct outbound_answer *a)
{
	switch (a->verdict) {
	case OUTBOUND_GIVEN:
		return VERDICT_ACCEPT;
	case OUTBOUND_NONE:
		return VERDICT_REJECT;
	case OUTBOUND_DEFER:
		break;
	}
	return VERDICT_DEFER;
}

static int
result(const struct inquiry *q, const struct outbound_answer *a)
{
	const char *text = a->reason;
	struct log_line l;

	if (a->verdict == OUTBOUND_GIVEN) {
		describe(a, &l);
		text = l.text + sizeof(": ") - 1;
	}
	return print_text(q->nexthop, verdict(a), text);
}

static void
show_steps(struct strbuf *steps)
{
	char *save = NULL;

	if (steps->data != NULL)
		for (char *line = strtok_r(steps->data, "\n", &save);
		     line != NULL; line = strtok_r(NULL, "\n", &save))
			printf("  %s\n", line);
	if (!strbuf_ok(steps))
		printf("  ...\n");
	strbuf_reset(steps);
}

/* -- asking -------------------------------------------------------------- */

static void
ask(struct inquiry *q, struct outbound_question *question,
    struct outbound_answer *out)
{
	question->binding = q->binding;
	question->explain = q->explain ? &q->steps : NULL;
	(void)outbound_ask(q->o, question, deadline_in(LOOKUP_MS), false, out);
	if (!q->explain)
		return;
	show_steps(&q->steps);
}

static size_t
lookups(const struct inquiry *q, const struct nexthop *hop,
    struct lookup out[LOOKUPS_MAX])
{
	size_t n = 0;

	if (q->has_sender)
		out[n++] = (struct lookup){ "sender", q->sender.path };
	if (hop->host[0] != '\0' && strcmp(hop->host, q->nexthop) != 0)
		out[n++] = (struct lookup){ "host", hop->host };
	out[n++] = (struct lookup){ "next hop", q->nexthop };
	return n;
}

/* smtp(8) takes the first answer that is not "not found". */
static void
ask_as_postfix(struct inquiry *q, struct outbound_answer *out)
{
	struct lookup all[LOOKUPS_MAX];
	struct outbound_question question;
	struct nexthop hop;
	size_t n, i;

	(void)nexthop_parse(q->nexthop, strlen(q->nexthop), &hop, NULL);
	n = lookups(q, &hop, all);
	for (i = 0; i < n; i++) {
		outbound_answer_release(out);
		if (q->explain)
			printf("Postfix asks map %s for %s %s:\n", q->binding,
			    all[i].what, all[i].key);
		question = (struct outbound_question){ .key = all[i].key,
			.no_colon = true };
		ask(q, &question, out);
		if (out->verdict != OUTBOUND_NONE)
			break;
	}
	for (i++; q->explain && i < n; i++)
		printf("Postfix does not ask for %s %s\n", all[i].what,
		    all[i].key);
}

/* Sender and next hop at once, which only Sendmail can tell. */
static void
ask_with_all(struct inquiry *q, const struct outbound_answer *postfix)
{
	struct outbound_question question = { .sender = q->sender.path,
		.nexthop = q->nexthop };
	struct outbound_answer a = { 0 };

	if (q->explain)
		printf("asked with sender and next hop at once:\n");
	ask(q, &question, &a);
	if (postfix->verdict == OUTBOUND_GIVEN && a.verdict != OUTBOUND_GIVEN)
		fprintf(stderr,
		    "posternctl: warning: what Postfix is given by its "
		    "look-up for the sender does not belong to %s: let the "
		    "transport of binding %s send to its nexthops alone\n",
		    q->nexthop, q->binding);
	outbound_answer_release(&a);
}

static int
ask_and_show(struct inquiry *q)
{
	struct outbound_answer a = { 0 };
	int rc;

	ask_as_postfix(q, &a);
	if (q->has_sender)
		ask_with_all(q, &a);
	rc = result(q, &a);
	outbound_answer_release(&a);
	return rc;
}

static int
run(const struct ctl *ctl, struct inquiry *q)
{
	char why[512] = "";
	int rc = ctl_conf(ctl, NULL, &q->conf);

	if (rc != 0)
		return rc;
	q->o = outbound_new(q->conf, why, sizeof(why));
	/* Such as a password in a file that cannot be read: mail waits. */
	rc = q->o != NULL ? ask_and_show(q)
			  : print_text(q->nexthop, VERDICT_DEFER, why);
	outbound_free(q->o);
	conf_unref(q->conf);
	return rc;
}

static int
command(const struct ctl *ctl, int argc, char **argv, bool explain)
{
	struct inquiry q = { .explain = explain };
	int rc;

	strbuf_init(&q.steps, STEPS_MAX);
	rc = options(&q, argc, argv);
	if (rc == 0)
		rc = run(ctl, &q);
	strbuf_release(&q.steps);
	return rc;
}

int
command_outbound(const struct ctl *ctl, int argc, char **argv)
{
	return command(ctl, argc, argv, false);
}

int
command_explain_outbound(const struct ctl *ctl, int argc, char **argv)
{
	return command(ctl, argc, argv, true);
}
