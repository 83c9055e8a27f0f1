/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exchange_rig - a session with a scripted upstream, for tests of AUTH
 *
 * The upstream answers the lines that come after EHLO with the replies of a
 * script, in order.  One test at a time: there is one fixture.
 */
#ifndef POSTERN_TESTS_EXCHANGE_RIG_H
#define POSTERN_TESTS_EXCHANGE_RIG_H

#include <stddef.h>

#include "common/exchange.h"
#include "common/session.h"
#include "tests/unit/fake_transport.h"

#define SCRIPT_MAX 6

/* A reply that is NULL is none; one that ends without CRLF is followed by the
 * end of the connection. */
struct script {
	const char *mechs;
	const char *reply[SCRIPT_MAX];
	size_t n; /* lines that came */
	char lines[SCRIPT_MAX][12400];
	char trace[65536];
	size_t trace_len;
};

struct fixture {
	struct script sc;
	struct fake *fake;
	struct session *s;
	struct exchange x;
};

extern struct fixture fx;

/* OPEN(mechs, reply, ...): greet an upstream that offers these mechanisms. */
#define OPEN(mechs, ...) \
 open_it(mechs, (const char *const[SCRIPT_MAX]){ __VA_ARGS__ })
void open_it(const char *mechs, const char *const *replies);
void close_it(void);

enum exchange_event login(
    const char *user, const char *password, const char *type);
enum exchange_event start(const char *mech, const char *initial);
enum exchange_event step(const char *text);

/* So many lines came; the first and the last of them. */
void assert_lines(size_t n, const char *first, const char *last);

/* Neither the password nor its base64 has been traced. */
void assert_no_secret(void);

/* The dialogue broke, and the session with it. */
void assert_dead(enum fault_origin origin);

#endif /* POSTERN_TESTS_EXCHANGE_RIG_H */
