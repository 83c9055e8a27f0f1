/* SPDX-License-Identifier: BSD-2-Clause */
/* No password, token or response in any line of the log, at any level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "common/strbuf.h"
#include "tests/unit/auth_rig.h"

#define MECHS                                                          \
 "bad_memory = 0 shield_failures = 0 client_failures = 0 mechanisms =" \
 " {\"PLAIN\", \"CRAM-MD5\", \"SCRAM-SHA-256\", \"XOAUTH2\"} "

#define GOOD "goodSesame-4711/open"
#define BAD  "badSesame-4711/open"

static struct strbuf explained;

static void
absent(const char *where, const char *what)
{
	const char *at = strstr(where, what);

	/* The line that it stands in. */
	while (at != NULL && at > where && at[-1] != '\n')
		at--;
	if (at != NULL)
		print_error("%s in: %.*s\n", what, (int)strcspn(at, "\n"), at);
	assert_null(at);
}

/* Neither as it is nor in base64, in whatever place of it. */
static void
assert_hidden(const char *secret)
{
	unsigned char coded[512], padded[300];
	size_t len = strlen(secret);

	absent(logged(), secret);
	absent(strbuf_str(&explained), secret);
	for (size_t shift = 0; shift < 3; shift++) {
		size_t n = shift + len - (shift + len) % 3;

		memset(padded, 0, sizeof(padded));
		memcpy(padded + shift, secret, len);
		(void)EVP_EncodeBlock(coded, padded, (int)n);
		/* What the octets in front have no part in. */
		absent(logged(), (const char *)coded + (shift > 0 ? 4 : 0));
		absent(strbuf_str(&explained),
		    (const char *)coded + (shift > 0 ? 4 : 0));
	}
}

static void
dialogue(const struct auth_rig *rig, const char *mech, const char *first,
    const char *second)
{
	struct dialogue d;

	dialogue_begin(&d, rig, mech, first);
	if (d.more && second != NULL)
		dialogue_step(&d, second);
	if (d.more)
		dialogue_step(&d, "");
	dialogue_end(&d);
}

/* Every mechanism, with whatever reply. */
static void
try_all(const char *mechs, const char *reply)
{
	struct login_params p = { .mechs = mechs, .reply = reply };
	struct auth_asker who = usual_asker;
	struct auth_rig rig;

	auth_rig_one(&rig, &p, MECHS);
	strbuf_init(&explained, 1 << 20);
	who.explain = &explained;
	(void)check_as(&rig, &who, "ann@a.example", GOOD);
	(void)check_as(&rig, &who, "ann@a.example", BAD);
	dialogue(&rig, "CRAM-MD5", NULL,
	    "ann@a.example 900d3ac5c5e6d1d1ef4a6d1cb1b1b1b1");
	dialogue(&rig, "SCRAM-SHA-256", "n,,n=ann@a.example,r=clientnonce",
	    "c=biws,r=clientnonceservernonce,p=" GOOD);
	dialogue(&rig, "XOAUTH2",
	    "user=ann@a.example\x01"
	    "auth=Bearer " GOOD "\x01\x01",
	    NULL);
	dialogue(&rig, "XOAUTH2",
	    "user=ann@a.example\x01"
	    "auth=Bearer " BAD "\x01\x01",
	    NULL);
	/* There was something to hide, and a place for it. */
	assert_true(logged_times("dialogue: > ") > 5);
	assert_true(
	    logged_times("********") > 0 || strstr(mechs, "PL") == NULL);
	assert_true(logged_times("auth: client=") >= 6);
	assert_non_null(strstr(strbuf_str(&explained), "verdict: "));
	assert_hidden(GOOD);
	assert_hidden(BAD);
	assert_hidden("900d3ac5c5e6d1d1ef4a6d1cb1b1b1b1");
	strbuf_release(&explained);
	auth_rig_stop(&rig);
}

static void
test_replies(void **state)
{
	static const char *const replies[] = { NULL, "echo", "repeat",
		"454 4.7.0 later", "504 5.5.4 no", "close", "334 bW9yZQ==" };

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		try_all("PLAIN CRAM-MD5 SCRAM-SHA-256 XOAUTH2", replies[i]);
		try_all("LOGIN CRAM-MD5 SCRAM-SHA-256 XOAUTH2", replies[i]);
	}
}

/* A reply is cut to what a log line holds; so is what it repeats. */
static void
test_cut(void **state)
{
	static const char *const replies[] = { "echo", "repeat" };
	char token[600], first[700], pass[600];

	(void)state;
	memset(token, 't', sizeof(token) - 1);
	memcpy(token, GOOD, strlen(GOOD));
	token[sizeof(token) - 1] = '\0';
	(void)snprintf(first, sizeof(first),
	    "user=ann@a.example\x01"
	    "auth=bearer %s\x01\x01",
	    token);
	memset(pass, 'p', sizeof(pass) - 1);
	memcpy(pass, BAD, strlen(BAD));
	pass[sizeof(pass) - 1] = '\0';
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		const struct login_params p = { .mechs = "PLAIN XOAUTH2",
			.reply = replies[i] };
		struct auth_rig rig;

		auth_rig_one(&rig, &p, MECHS);
		strbuf_init(&explained, 1 << 20);
		dialogue(&rig, "XOAUTH2", first, NULL);
		(void)check(&rig, "ann@a.example", pass);
		assert_true(logged_times("it repeats the credentials") > 0);
		assert_hidden(GOOD);
		assert_hidden(BAD);
		strbuf_release(&explained);
		auth_rig_stop(&rig);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, auth_rig_setup, NULL);
}
