/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * login_upstream - a mini_upstream on which users log in
 *
 * PLAIN and LOGIN: a password that begins with "good" is right.  CRAM-MD5:
 * a digest that begins with "900d".  SCRAM: a proof that begins with "good";
 * a wrong one is told in 334 "e=invalid-proof" when `tell` is set.  XOAUTH2: a
 * token that begins with "good"; a wrong one is told in a 334 of JSON.
 * XCLIENT is taken where it is among the keywords, and ends a login when it
 * says LOGIN.
 */
#ifndef POSTERN_TESTS_LOGIN_UPSTREAM_H
#define POSTERN_TESTS_LOGIN_UPSTREAM_H

#include "tests/unit/mini_upstream.h"

struct login_upstream;

struct login_params {
	const char *mechs;   /* "PLAIN LOGIN"; NULL: no AUTH */
	const char *xclient; /* "NAME ADDR"; NULL: no XCLIENT */
	const char *begin;   /* reply to AUTH itself, "close"; NULL: as usual */
	/* Reply to the last response, instead of looking at it: "close",
	 * "hang", "echo" and "repeat" (535 that says it again, as it was
	 * sent and decoded), or a line; NULL: as usual. */
	const char *reply;
	/* Instead of a reply to the first XCLIENT: "close", "hang"; NULL. */
	const char *announced;
	bool wants_ehlo; /* after XCLIENT, whatever that says */
	bool tell;
	int delay; /* of the last reply, milliseconds */
	enum mini_stage fail;
	enum mini_how how;
};

struct login_counts {
	int connections, auths, responses, aborts, quits;
	char xclient[256]; /* the last one */
	char user[256];    /* who tried to log in last */
};

struct login_upstream *login_start(const struct login_params *p);
void login_stop(struct login_upstream *u); /* NULL does nothing */
int login_port(const struct login_upstream *u);
void login_count(struct login_upstream *u, struct login_counts *out);
void login_set_reply(struct login_upstream *u, const char *reply);

#endif /* POSTERN_TESTS_LOGIN_UPSTREAM_H */
