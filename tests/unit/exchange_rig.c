/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/exchange_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
play(struct fake *f, void *arg, const char *line)
{
	struct script *sc = arg;
	const char *reply;
	char ehlo[256];
	size_t len;

	if (strncmp(line, "EHLO ", 5) == 0) {
		(void)snprintf(ehlo, sizeof(ehlo),
		    "250-mx\r\n250-AUTH %s\r\n250 SIZE\r\n", sc->mechs);
		fake_say(f, ehlo);
		return;
	}
	assert_true(sc->n < SCRIPT_MAX);
	reply = sc->reply[sc->n];
	(void)snprintf(sc->lines[sc->n++], sizeof(sc->lines[0]), "%s", line);
	if (reply == NULL)
		return;
	len = strlen(reply);
	fake_say(f, reply);
	if (len < 2 || reply[len - 1] != '\n')
		fake_close(f);
}

static void
trace(void *arg, char direction, const char *line)
{
	struct script *sc = arg;
	int len = snprintf(sc->trace + sc->trace_len,
	    sizeof(sc->trace) - sc->trace_len, "%c %s\n", direction, line);

	assert_true(len > 0);
	sc->trace_len += (size_t)len;
	assert_true(sc->trace_len < sizeof(sc->trace));
}

struct fixture fx;

void
open_it(const char *mechs, const char *const *replies)
{
	struct fake_params fp = {
		.line = play,
		.arg = &fx.sc,
		.greeting = "220 mx.example.org\r\n",
	};
	struct session_params sp = {
		.helo = "edge.example.org",
		.dial = fake_dial,
		.trace = trace,
		.trace_arg = &fx.sc,
	};
	struct fault f;

	memset(&fx, 0, sizeof(fx));
	fx.sc.mechs = mechs;
	memcpy(fx.sc.reply, replies, sizeof(fx.sc.reply));
	fx.fake = fake_new(&fp);
	sp.dial_arg = fx.fake;
	assert_true(endpoint_parse("127.0.0.1:25", &sp.endpoint, NULL));
	if (session_open(&sp, deadline_in(5000), &fx.s, &f, NULL) != OUTCOME_OK)
		fail_msg("%s", f.text);
}

void
close_it(void)
{
	exchange_release(&fx.x);
	session_free(fx.s);
	fake_free(fx.fake);
}

static struct secret
secret(const char *text)
{
	struct secret s = { NULL, 0 };

	assert_true(secret_set(&s, text, strlen(text)));
	return s;
}

enum exchange_event
login(const char *user, const char *password, const char *type)
{
	struct secret pass = secret(password);
	struct exchange_login l = { user, &pass, type };
	enum exchange_event ev =
	    exchange_password(&fx.x, fx.s, &l, deadline_in(1000));

	secret_release(&pass);
	return ev;
}

enum exchange_event
start(const char *mech, const char *initial)
{
	struct secret first = secret(initial != NULL ? initial : "");
	enum exchange_event ev = exchange_start(&fx.x, fx.s, mech,
	    initial != NULL ? &first : NULL, deadline_in(1000));

	secret_release(&first);
	return ev;
}

enum exchange_event
step(const char *text)
{
	struct secret response = secret(text);
	enum exchange_event ev =
	    exchange_step(&fx.x, &response, deadline_in(1000));

	secret_release(&response);
	return ev;
}

void
assert_lines(size_t n, const char *first, const char *last)
{
	assert_int_equal(fx.sc.n, n);
	assert_string_equal(fx.sc.lines[0], first);
	assert_string_equal(fx.sc.lines[n - 1], last);
}

/* Neither the password nor its base64 has been traced. */
void
assert_no_secret(void)
{
	assert_null(strstr(fx.sc.trace, "Sesame"));
	assert_null(strstr(fx.sc.trace, "U2VzYW1l"));
	assert_null(strstr(fx.sc.trace, "AGFubg"));
}

void
assert_dead(enum fault_origin origin)
{
	assert_int_equal(fx.x.event, EXCHANGE_BROKEN);
	assert_int_equal(fx.x.fault.origin, origin);
	assert_true(fx.x.fault.text[0] != '\0');
	assert_false(fx.x.final);
	assert_false(session_alive(fx.s));
}
