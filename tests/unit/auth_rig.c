/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/auth_rig.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/dial.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "tests/unit/conf_case.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static struct strbuf lines, copy;

const struct auth_asker usual_asker = { "smtp", "", "192.0.2.9;49152", false,
	NULL };

static void
sink(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	pthread_mutex_lock(&log_lock);
	strbuf_addf(&lines, "%s: %s\n", log_level_name(level), line);
	pthread_mutex_unlock(&log_lock);
}

static void
trace(void *arg, char direction, const char *line)
{
	(void)arg;
	log_debug("dialogue: %c %s", direction, line);
}

int
auth_rig_setup(void **state)
{
	(void)state;
	strbuf_init(&lines, 4 << 20);
	strbuf_init(&copy, 4 << 20);
	log_set_sink(sink, NULL);
	log_set_level(LOG_LEVEL_DEBUG);
	return dial_global_init();
}

const char *
logged(void)
{
	/* The pool's threads go on. */
	pthread_mutex_lock(&log_lock);
	strbuf_reset(&copy);
	strbuf_add(&copy, lines.data, lines.len);
	pthread_mutex_unlock(&log_lock);
	return strbuf_str(&copy);
}

void
logged_forget(void)
{
	pthread_mutex_lock(&log_lock);
	strbuf_reset(&lines);
	pthread_mutex_unlock(&log_lock);
}

int
logged_times(const char *what)
{
	const char *p = logged();
	int n = 0;

	for (; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static void
load(const struct auth_rig *r, const char *more, struct conf_case *k)
{
	struct strbuf sb;

	strbuf_init(&sb, 65536);
	strbuf_addf(&sb,
	    "hostname = \"edge.test\"\nsmtp_auth_proxy { host = {%s} %s ",
	    r->hosts, strncmp(more, "tls", 3) == 0 ? "" : "tls = none");
	for (; *more != '\0'; more++) {
		if (strncmp(more, "HOST", 4) == 0 && more[4] != '\0') {
			strbuf_addf(&sb, "\"127.0.0.1:%d\"",
			    login_port(r->up[more[4] - '0']));
			more += 4;
		} else {
			strbuf_addch(&sb, *more);
		}
	}
	strbuf_adds(&sb, " }\n");
	conf_case_text(k, strbuf_str(&sb));
	if (k->c == NULL)
		print_error("%s\n%s", strbuf_str(&sb), strbuf_str(&k->said));
	assert_non_null(k->c);
	strbuf_release(&sb);
}

static void
start(struct auth_rig *r, const char *more)
{
	const struct pool_params pp = { .trace = trace };
	struct conf_case k;
	char why[500];

	load(r, more, &k);
	logged_forget();
	r->a = auth_new(k.c, &pp, why, sizeof(why));
	if (r->a == NULL)
		print_error("%s\n", why);
	assert_non_null(r->a);
	conf_case_release(&k);
}

void
auth_rig_one(struct auth_rig *r, const struct login_params *p, const char *more)
{
	memset(r, 0, sizeof(*r));
	r->up[0] = login_start(p);
	(void)snprintf(r->hosts, sizeof(r->hosts), "\"127.0.0.1:%d\"",
	    login_port(r->up[0]));
	start(r, more);
}

void
auth_rig_two(struct auth_rig *r, const struct login_params *a,
    const struct login_params *b, const char *more)
{
	memset(r, 0, sizeof(*r));
	r->up[0] = login_start(a);
	r->up[1] = login_start(b);
	(void)snprintf(r->hosts, sizeof(r->hosts),
	    "\"127.0.0.1:%d\", \"127.0.0.1:%d\"", login_port(r->up[0]),
	    login_port(r->up[1]));
	start(r, more);
}

void
auth_rig_stop(struct auth_rig *r)
{
	auth_stop(r->a);
	auth_free(r->a);
	login_stop(r->up[0]);
	login_stop(r->up[1]);
}

bool
auth_rig_reload(struct auth_rig *r, const char *more)
{
	struct conf_case k;
	char why[500];
	bool ok;

	load(r, more, &k);
	ok = auth_reload(r->a, k.c, why, sizeof(why));
	conf_case_release(&k);
	return ok;
}

const struct auth_answer *
check_as(const struct auth_rig *r, const struct auth_asker *who,
    const char *user, const char *pass)
{
	static struct auth_answer out;
	struct secret s = { NULL, 0 };
	const struct auth_login l = { "PLAIN", user, strlen(user), &s };

	assert_true(secret_set(&s, pass, strlen(pass)));
	memset(&out, 0xa5, sizeof(out));
	auth_check(r->a, who, &l, deadline_in(20000), &out);
	secret_release(&s);
	return &out;
}

const struct auth_answer *
check(const struct auth_rig *r, const char *user, const char *pass)
{
	return check_as(r, &usual_asker, user, pass);
}

static void
take_challenge(struct dialogue *d, struct secret *challenge)
{
	size_t len;
	const char *octets = secret_bytes(challenge, &len);

	assert_true(len < sizeof(d->challenge));
	memset(d->challenge, 0, sizeof(d->challenge));
	memcpy(d->challenge, octets, len);
	secret_release(challenge);
}

void
dialogue_begin(struct dialogue *d, const struct auth_rig *r, const char *mech,
    const char *initial)
{
	struct secret first = { NULL, 0 }, challenge;

	memset(d, 0, sizeof(*d));
	if (initial != NULL)
		assert_true(secret_set(&first, initial, strlen(initial)));
	d->more = auth_begin(r->a, &usual_asker, mech,
	    initial != NULL ? &first : NULL, deadline_in(20000), &d->x,
	    &challenge, &d->out);
	secret_release(&first);
	take_challenge(d, &challenge);
}

void
dialogue_step(struct dialogue *d, const char *response)
{
	struct secret s = { NULL, 0 }, challenge;

	assert_true(secret_set(&s, response, strlen(response)));
	d->more = auth_step(d->x, &s, &challenge, &d->out);
	secret_release(&s);
	take_challenge(d, &challenge);
}

void
dialogue_end(struct dialogue *d)
{
	auth_end(d->x);
	d->x = NULL;
}

int
auths(const struct auth_rig *r, int i)
{
	struct login_counts n;

	login_count(r->up[i], &n);
	return n.auths;
}
