/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/fronts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "milter/msession.h"
#include "tests/unit/conf_case.h"

#define A "0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210"

static struct {
	struct conf_case conf;
	struct fronts *f;
	char why[256];
	int64_t later; /* the clock runs ahead by so much */
	struct strbuf log;
} rig;

int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);

int64_t
__wrap_clock_ms(void)
{
	return __real_clock_ms() + rig.later;
}

static void
gather(enum log_level level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	strbuf_addf(&rig.log, "%s\n", line);
}

static int
setup(void **state)
{
	(void)state;
	memset(&rig, 0, sizeof(rig));
	strbuf_init(&rig.log, 65536);
	log_set_sink(gather, NULL);
	conf_case_text(&rig.conf,
	    "peer \"198.51.100.0/24\" { context = {\"tenant=acme\", \"n=1\"} "
	    " smtp_extensions = {\"XCLIENT\", \"XREMOTEIP\", \"XSETCONTEXT\","
	    " \"XDUMPCONTEXT\", \"ALWAYS-ALLOW\"} }\n"
	    "peer \"198.51.100.7\" { smtp_extensions = {\"XSETCONTEXT\"}"
	    " setcontext_names = {\"campaign_*\", \"binding\"} }\n"
	    "peer \"198.51.100.8\" { smtp_extensions = "
	    "{\"ALWAYS-ALLOW\"} }\n"
	    "peer \"203.0.113.0/24\" { context = {\"tenant=else\"} }\n");
	rig.f = fronts_new();
	return rig.conf.c == NULL || rig.f == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	strbuf_release(&rig.log);
	fronts_free(rig.f);
	conf_case_release(&rig.conf);
	return 0;
}

/* The milter session of a client; "" is a local one. */
static struct msession *
session(const char *ip)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	const struct sockaddr *sa = NULL;
	struct msession *s;

	if (inet_pton(AF_INET, ip, &in.sin_addr) == 1)
		sa = (const void *)&in;
	else if (inet_pton(AF_INET6, ip, &in6.sin6_addr) == 1)
		sa = (const void *)&in6;
	s = msession_new("client.test", sa, rig.conf.c);
	assert_non_null(s);
	s->variables = true;
	return s;
}

static void
session_end(struct msession *s)
{
	fronts_gone(rig.f, s);
	msession_free(s);
}

static bool
begin(const char *token, const char *real, bool xclient)
{
	struct front_params p = {
		.token = token, .real = real, .xclient = xclient
	};

	return fronts_begin(rig.f, rig.conf.c, &p, rig.why, sizeof(rig.why));
}

static bool
move(const char *token, const char *new, const char *seen, const char *login)
{
	struct front_params p = {
		.token = new, .seen = seen, .login = login, .by = "XREMOTEIP"
	};

	return fronts_move(
	    rig.f, rig.conf.c, token, &p, rig.why, sizeof(rig.why));
}

static bool
tied(const char *token)
{
	return fronts_tied(rig.f, token, rig.why, sizeof(rig.why));
}

static void
tie(const char *command, struct msession *s)
{
	fronts_tie(rig.f, rig.conf.c, command, s);
}

static bool
set(const char *token, const char *words)
{
	char copy[256], *v[16], *rest = copy, *w;
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", words);
	while ((w = strsep(&rest, " ")) != NULL)
		v[n++] = w;
	return fronts_set(
	    rig.f, rig.conf.c, token, v, n, rig.why, sizeof(rig.why));
}

static bool
dump(struct strbuf *out)
{
	struct front_dump d = { .conf = rig.conf.c, .token = A };

	return fronts_dump(rig.f, &d, out, rig.why, sizeof(rig.why));
}

static const char *
value(const struct msession *s, const char *name)
{
	return context_get(&s->connection, name);
}

static void
count(size_t want_tied, size_t want_pending)
{
	size_t n, m;

	fronts_count(rig.f, &n, &m);
	assert_int_equal(n, want_tied);
	assert_int_equal(m, want_pending);
}

static void
test_one_session(void **state)
{
	struct msession *s = session("198.51.100.1");

	(void)state;
	assert_false(tied(A));
	assert_true(begin(A, "198.51.100.1;4711", true));
	assert_false(begin(A, "198.51.100.1;4711", true));
	assert_string_equal(rig.why, "501 5.5.4 this token is in use");
	assert_false(tied(A));
	assert_string_equal(rig.why, "421 4.3.2 no such session");
	assert_false(set(A, "a=1"));
	count(0, 1);
	tie("XPOSTERN-" A, s);
	assert_true(tied(A));
	assert_false(s->no_xclient);
	count(1, 0);

	assert_true(set(A, "a=1 b=x+20y tenant=other"));
	assert_string_equal(value(s, "a"), "1");
	assert_string_equal(value(s, "b"), "x y");
	assert_string_equal(value(s, "tenant"), "other");
	assert_string_equal(context_origin(&s->connection, "a"), ORIGIN_CLIENT);
	assert_non_null(strstr(strbuf_str(&rig.log),
	    "extension: command=XSETCONTEXT client=198.51.100.1 "
	    "real=198.51.100.1 name=tenant value=other was=acme by=peer\n"));
	assert_true(
	    fronts_hello(rig.f, A, "EHLO  there x", rig.why, sizeof(rig.why)));
	assert_string_equal(value(s, "ehlo_domain"), "there");
	assert_string_equal(value(s, "ehlo_string"), "EHLO  there x");

	session_end(s);
	count(0, 0);
	assert_false(tied(A));
	fronts_end(rig.f, A);
}

/* Whoever types a token learns nothing and gets nothing. */
static void
test_tokens(void **state)
{
	static const char *const bad[] = { "", "XPOSTERN-", "XPOSTERN-" B, A,
		"XPOSTERN " A, "XPOSTERN-" A "0", "XPOSTERN-" A " x",
		"XPOSTERN-0123456789abcdef0123456789abcde",
		"XPOSTERN-0123456789abcdef0123456789abcdeg", "XDUMPCONTEXT" };
	struct msession *s = session("198.51.100.1");
	struct msession *other = session("198.51.100.1");

	(void)state;
	assert_true(begin(A, "198.51.100.1;1", true));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tie(bad[i], s);
		assert_false(s->tied);
	}
	tie("xpostern-0123456789ABCDEF0123456789abcdef \r\n", s);
	assert_true(s->tied);
	/* once */
	tie("XPOSTERN-" A, other);
	assert_false(other->tied);
	assert_true(tied(A));
	/* and no second one for the same session */
	assert_true(begin(B, "198.51.100.1;1", true));
	tie("XPOSTERN-" B, s);
	assert_false(tied(B));
	count(1, 0);
	session_end(other);
	session_end(s);
}

static void
test_bad_requests(void **state)
{
	static const struct {
		const char *token, *real, *why;
	} cases[] = {
		{ "", "192.0.2.1;1", "501 5.5.4 a token has 32 of 0-9 a-f" },
		{ "XYZ", "192.0.2.1;1", "501 5.5.4 a token has 32 of 0-9 a-f" },
		{ A "0", "192.0.2.1;1", "501 5.5.4 a token has 32 of 0-9 a-f" },
		{ A, "192.0.2.1",
		    "501 5.5.4 real=192.0.2.1: not ADDRESS;PORT" },
		{ A, "192.0.2.0/24;1",
		    "501 5.5.4 real=192.0.2.0/24;1: not ADDRESS;PORT" },
		{ A, "x;1", "501 5.5.4 real=x;1: not ADDRESS;PORT" },
		{ A, "192.0.2.1;65536",
		    "501 5.5.4 real=192.0.2.1;65536: not ADDRESS;PORT" },
		{ A, ";1", "501 5.5.4 real=;1: not ADDRESS;PORT" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(begin(cases[i].token, cases[i].real, true));
		assert_string_equal(rig.why, cases[i].why);
	}
	count(0, 0);
}

/* A token that arrives from elsewhere is spent. */
static void
test_other_client(void **state)
{
	struct msession *wrong = session("127.0.0.1");
	struct msession *right = session("198.51.100.1");

	(void)state;
	assert_true(begin(A, "198.51.100.1;1", true));
	tie("XPOSTERN-" A, wrong);
	assert_false(wrong->tied);
	tie("XPOSTERN-" A, right);
	assert_false(right->tied);
	count(0, 0);
	assert_non_null(strstr(strbuf_str(&rig.log),
	    "token of a front session refused: "
	    "client 127.0.0.1: the MTA tells of "
	    "another client\n"));
	/* a mapped address is the same client */
	assert_true(begin(B, "::ffff:198.51.100.1;1", true));
	tie("XPOSTERN-" B, right);
	assert_true(right->tied);
	session_end(wrong);
	session_end(right);
}

static void
test_expiry(void **state)
{
	struct msession *s = session("198.51.100.1");
	char token[FRONT_TOKEN_LEN + 1];
	int i;

	(void)state;
	assert_true(begin(A, "198.51.100.1;1", true));
	rig.later = FRONTS_PENDING_MS;
	tie("XPOSTERN-" A, s);
	assert_false(s->tied);
	count(0, 0);
	for (i = 0; i < FRONTS_PENDING_MAX; i++) {
		snprintf(token, sizeof(token), "%032x", (unsigned)i);
		assert_true(begin(token, "198.51.100.1;1", true));
	}
	assert_false(begin(A, "198.51.100.1;1", true));
	assert_string_equal(rig.why, "421 4.3.2 too many sessions begin");
	count(0, FRONTS_PENDING_MAX);
	rig.later *= 2;
	assert_true(begin(A, "198.51.100.1;1", true));
	count(0, 1);
	session_end(s);
}

/* XCLIENT ends one milter session and begins another. */
static void
test_move(void **state)
{
	struct msession *old = session("198.51.100.1");
	struct msession *s = session("203.0.113.9");

	(void)state;
	assert_true(begin(A, "198.51.100.1;1", true));
	assert_false(move(A, B, "203.0.113.9", NULL));
	tie("XPOSTERN-" A, old);
	assert_true(set(A, "tenant=mine a=1"));
	assert_true(
	    fronts_hello(rig.f, A, "EHLO there", rig.why, sizeof(rig.why)));
	old->counts.rcpts = 7;
	old->counts.message_rcpts = 3;
	assert_false(move(A, B, "nonsense", NULL));
	assert_string_equal(rig.why, "501 5.5.4 seen=nonsense: not an address");
	assert_true(move(A, B, "203.0.113.9", "ann"));
	assert_true(tied(A));
	session_end(old);
	assert_false(tied(A));
	assert_false(tied(B));
	strbuf_reset(&rig.log);
	tie("XPOSTERN-" B, s);
	assert_true(tied(B));
	assert_string_equal(strbuf_str(&rig.log),
	    "extension: command=XREMOTEIP client=203.0.113.9 "
	    "real=198.51.100.1 was=198.51.100.1 user=ann\n");
	assert_string_equal(value(s, "tenant"), "mine");
	assert_string_equal(value(s, "a"), "1");
	assert_string_equal(value(s, "ehlo_string"), "EHLO there");
	/* the peer section was another one's */
	assert_null(value(s, "n"));
	assert_int_equal(s->counts.rcpts, 7);
	assert_int_equal(s->counts.message_rcpts, 0);
	assert_string_equal(s->real, "198.51.100.1");
	/* the right is the real client's still */
	assert_true(set(B, "b=2"));
	session_end(s);
}

static void
test_rights(void **state)
{
	struct msession *s = session("198.51.100.7");
	struct msession *none = session("192.0.2.9");
	struct front_params p = {
		.token = A, .real = "198.51.100.8;1", .xclient = true
	};
	struct strbuf out;

	(void)state;
	strbuf_init(&out, 4096);
	assert_true(begin(A, "198.51.100.7;1", true));
	tie("XPOSTERN-" A, s);
	assert_true(set(A, "campaign_a=1 binding=x"));
	assert_false(set(A, "campaign_b=1 tenant=mine"));
	assert_string_equal(rig.why, "550 5.7.1 tenant may not be set here");
	assert_null(value(s, "campaign_b"));
	assert_false(dump(&out));
	assert_string_equal(
	    rig.why, "550 5.7.1 XDUMPCONTEXT is not for 198.51.100.7");
	assert_false(move(A, B, "192.0.2.1", NULL));
	assert_string_equal(
	    rig.why, "550 5.7.1 198.51.100.7 may not pass for another");
	session_end(s);

	/* a client without any right has a session and nothing else */
	assert_true(begin(A, "192.0.2.9;1", true));
	tie("XPOSTERN-" A, none);
	assert_true(tied(A));
	assert_false(set(A, "a=1"));
	assert_string_equal(
	    rig.why, "550 5.7.1 XSETCONTEXT is not for 192.0.2.9");
	session_end(none);

	/* ALWAYS-ALLOW is for `anonymous` alone */
	p.login = "anonymous";
	assert_true(
	    fronts_begin(rig.f, rig.conf.c, &p, rig.why, sizeof(rig.why)));
	fronts_end(rig.f, A);
	p.login = "root";
	assert_false(
	    fronts_begin(rig.f, rig.conf.c, &p, rig.why, sizeof(rig.why)));
	p.login = "anonymous";
	p.real = "192.0.2.9;1";
	assert_false(
	    fronts_begin(rig.f, rig.conf.c, &p, rig.why, sizeof(rig.why)));
	p.login = NULL;
	p.seen = "198.51.100.1";
	assert_false(
	    fronts_begin(rig.f, rig.conf.c, &p, rig.why, sizeof(rig.why)));
	count(0, 0);
	strbuf_release(&out);
}

/* All of it or nothing. */
static void
test_set_whole(void **state)
{
	struct msession *s = session("198.51.100.1");
	char words[16];

	(void)state;
	assert_true(begin(A, "198.51.100.1;1", true));
	tie("XPOSTERN-" A, s);
	assert_true(set(A, "a=1"));
	assert_false(set(A, "a=2 b=3 c"));
	assert_string_equal(rig.why, "501 5.5.4 not of the form name=value");
	assert_false(set(A, "a=2 c=+0A"));
	assert_string_equal(
	    rig.why, "501 5.5.4 c: control character in the value");
	assert_false(set(A, "a=2 auth_user=root"));
	assert_string_equal(rig.why, "550 5.7.1 auth_user may not be set here");
	assert_string_equal(value(s, "a"), "1");
	assert_null(value(s, "b"));
	for (int i = 1; i < 64; i++) {
		snprintf(words, sizeof(words), "n%d=1", i);
		assert_true(set(A, words));
	}
	assert_false(set(A, "one_more=1"));
	assert_string_equal(rig.why, "452 4.5.3 one_more: too many names");
	assert_true(set(A, "n1=2 a=3 a=4"));
	assert_string_equal(value(s, "a"), "4");
	/* what we know has room still, and does not undo what was set */
	msession_set(s, &s->connection, "auth_user", "ann", ORIGIN_MTA);
	assert_string_equal(value(s, "auth_user"), "ann");
	msession_set(s, &s->connection, "a", "5", ORIGIN_MTA);
	assert_string_equal(value(s, "a"), "4");
	session_end(s);
}

static void
test_secrets(void **state)
{
	struct msession *s = session("198.51.100.1");
	struct strbuf out;

	(void)state;
	strbuf_init(&out, 65536);
	assert_true(begin(A, "198.51.100.1;1", true));
	tie("XPOSTERN-" A, s);
	assert_true(set(A, "db_pass=sesame"));
	assert_true(set(A, "db_pass=sesame2"));
	assert_null(strstr(strbuf_str(&rig.log), "sesame"));
	assert_true(dump(&out));
	assert_null(strstr(strbuf_str(&out), "sesame"));
	assert_non_null(strstr(strbuf_str(&out), "db_pass ********\n"));
	strbuf_release(&out);
	session_end(s);
}

/* Where the MTA takes the front for a local client. */
static void
test_without_xclient(void **state)
{
	struct msession *s = session("127.0.0.1");
	struct msession *far = session("192.0.2.9");

	(void)state;
	assert_true(begin(A, "198.51.100.1;4711", false));
	tie("XPOSTERN-" A, far);
	assert_false(far->tied);
	assert_true(begin(A, "198.51.100.1;4711", false));
	tie("XPOSTERN-" A, s);
	assert_true(s->tied && s->no_xclient);
	assert_string_equal(s->addr, "198.51.100.1");
	assert_int_equal(s->port, 4711);
	assert_null(s->client_name);
	assert_string_equal(value(s, "client_ip"), "198.51.100.1");
	assert_string_equal(value(s, "tenant"), "acme");
	assert_true(set(A, "n=mine"));
	assert_false(move(A, B, "203.0.113.9", NULL));
	assert_string_equal(rig.why, "503 5.5.1 the MTA has no XCLIENT");

	assert_false(fronts_seen(
	    rig.f, rig.conf.c, A, "nonsense", rig.why, sizeof(rig.why)));
	assert_true(fronts_seen(
	    rig.f, rig.conf.c, A, "203.0.113.9", rig.why, sizeof(rig.why)));
	assert_string_equal(s->addr, "203.0.113.9");
	assert_int_equal(s->port, 0);
	assert_string_equal(value(s, "tenant"), "else");
	assert_string_equal(value(s, "n"), "mine");
	assert_non_null(strstr(strbuf_str(&rig.log),
	    "extension: command=XREMOTEIP client=203.0.113.9 "
	    "real=198.51.100.1 was=198.51.100.1\n"));
	session_end(s);
	session_end(far);
}

static void
test_tls(void **state)
{
	struct msession *s = session("198.51.100.1");
	char tls[] = "tls=true", cipher[] = "tls_cipher=X", user[] = "a=1";
	char *const good[] = { tls, cipher }, *const bad[] = { tls, user };

	(void)state;
	assert_true(begin(A, "198.51.100.1;1", true));
	tie("XPOSTERN-" A, s);
	assert_false(fronts_tls(rig.f, A, bad, 2, rig.why, sizeof(rig.why)));
	assert_null(value(s, "tls"));
	assert_true(fronts_tls(rig.f, A, good, 2, rig.why, sizeof(rig.why)));
	assert_string_equal(value(s, "tls_cipher"), "X");
	assert_string_equal(
	    context_origin(&s->connection, "tls"), ORIGIN_FRONT);
	session_end(s);
}

/* The front is told to go, the milter session stays. */
static void
test_end(void **state)
{
	struct msession *s = session("198.51.100.1");

	(void)state;
	assert_true(begin(A, "198.51.100.1;1", true));
	tie("XPOSTERN-" A, s);
	assert_true(set(A, "a=1"));
	fronts_end(rig.f, A);
	assert_false(tied(A));
	assert_string_equal(value(s, "a"), "1");
	count(0, 0);
	session_end(s);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_one_session),
		CASE(test_tokens),
		CASE(test_bad_requests),
		CASE(test_other_client),
		CASE(test_expiry),
		CASE(test_move),
		CASE(test_rights),
		CASE(test_set_whole),
		CASE(test_secrets),
		CASE(test_without_xclient),
		CASE(test_tls),
		CASE(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
