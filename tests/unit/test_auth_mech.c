/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/auth_mech.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DIGEST "b913a602c7eda7a495b4e6e7334d3890"

/* A message and the user in it, or what is wrong with it. */
struct row {
	const char *mech, *message, *user, *why;
};

static const struct row rows[] = {
	{ "CRAM-MD5", "tim " DIGEST, "tim", NULL },
	{ "CRAM-MD5", "tim tom@a.example " DIGEST, "tim tom@a.example", NULL },
	{ "CRAM-MD5", "tim  " DIGEST, NULL,
	    "blank at an end of the user name" },
	{ "CRAM-MD5", " " DIGEST, NULL, "empty user name" },
	{ "CRAM-MD5", DIGEST, NULL, "no digest" },
	{ "CRAM-MD5", "tim " DIGEST "0", NULL, "no digest" },
	{ "CRAM-MD5", "tim x913a602c7eda7a495b4e6e7334d3890", NULL,
	    "no digest" },
	{ "CRAM-MD5", "t\rm " DIGEST, NULL, "control character in user name" },
	{ "CRAM-MD5", "", NULL, "no digest" },

	{ "SCRAM-SHA-1", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", "user", NULL },
	{ "SCRAM-SHA-256", "y,,n=a=2Cb=3Dc=3D2C,r=x,e=1", "a,b=c=2C", NULL },
	{ "SCRAM-SHA-256", "n,a=ann,n=ann,r=x", "ann", NULL },
	{ "SCRAM-SHA-256", "n,a=a=2Cb,n=a=2Cb,r=x", "a,b", NULL },
	{ "SCRAM-SHA-256", "n,a=root,n=ann,r=x", NULL,
	    "another authorization identity" },
	{ "SCRAM-SHA-256", "n,a=an,n=ann,r=x", NULL,
	    "another authorization identity" },
	{ "SCRAM-SHA-256", "p=tls-unique,,n=user,r=x", NULL,
	    "channel binding cannot be relayed" },
	{ "SCRAM-SHA-256", "n,,m=ext,n=user,r=x", NULL,
	    "unknown mandatory extension" },
	{ "SCRAM-SHA-256", "n,,n=us=2cer,r=x", NULL,
	    "bad escape in user name" },
	{ "SCRAM-SHA-256", "n,,n=user=,r=x", NULL, "bad escape in user name" },
	{ "SCRAM-SHA-256", "n,,n=user", NULL, "no user name" },
	{ "SCRAM-SHA-256", "n,,r=x,n=user", NULL, "no user name" },
	{ "SCRAM-SHA-256", "n,,n=user,", NULL, "no nonce" },
	{ "SCRAM-SHA-256", "n,,n=user,r=", NULL, "no nonce" },
	{ "SCRAM-SHA-256", "n,,n=user,r=,x", NULL, "no nonce" },
	{ "SCRAM-SHA-256", "n,,n=,r=x", NULL, "empty user name" },
	{ "SCRAM-SHA-256", "n,x,n=user,r=x", NULL,
	    "bad authorization identity" },
	{ "SCRAM-SHA-256", "n,a=,n=user,r=x", NULL,
	    "bad authorization identity" },
	{ "SCRAM-SHA-256", "n,", NULL, "GS2 header without an end" },
	{ "SCRAM-SHA-256", "n=user,r=x", NULL, "no GS2 header" },
	{ "SCRAM-SHA-256", "", NULL, "no GS2 header" },

	{ "XOAUTH2",
	    "user=ann@a.example\1"
	    "auth=Bearer tok\1\1",
	    "ann@a.example", NULL },
	{ "XOAUTH2",
	    "user=ann\1"
	    "x=y\1"
	    "auth=Bearer tok\1\1",
	    "ann", NULL },
	{ "XOAUTH2", "user=ann\1x=y\1\1", NULL, "no token" },
	/* An upstream that takes the last one would let Eve in as Ann. */
	{ "XOAUTH2",
	    "user=ann\1"
	    "user=eve\1"
	    "auth=Bearer tok\1\1",
	    NULL, "a second user name" },
	{ "XOAUTH2",
	    "user=ann\1"
	    "auth=Bearer tok\1"
	    "USER=eve\1\1",
	    NULL, "a second user name" },
	{ "OAUTHBEARER",
	    "n,a=ann,\1"
	    "user=eve\1"
	    "auth=Bearer tok\1\1",
	    NULL, "a second user name" },
	{ "OAUTHBEARER",
	    "n,a=ann,\1"
	    "n,a=eve,\1"
	    "auth=Bearer tok\1\1",
	    NULL, "a second user name" },
	{ "XOAUTH2",
	    "user=ann\1"
	    "auth=Bearer tok\1"
	    "auth=Bearer other\1\1",
	    NULL, "a second token" },
	{ "XOAUTH2",
	    "user=ann\1"
	    "auth=Bearer tok\1",
	    NULL, "no token" },
	{ "XOAUTH2",
	    "user=ann\1"
	    "auth=Bearer tok\1\1x",
	    NULL, "no token" },
	{ "XOAUTH2", "auth=Bearer tok\1\1", NULL, "no user name" },
	{ "XOAUTH2", "user=ann", NULL, "no user name" },
	{ "XOAUTH2",
	    "user=\1"
	    "auth=Bearer tok\1\1",
	    NULL, "empty user name" },

	{ "OAUTHBEARER",
	    "n,a=ann@a.example,\1host=mx\1"
	    "auth=Bearer tok\1\1",
	    "ann@a.example", NULL },
	{ "OAUTHBEARER",
	    "n,,\1"
	    "auth=Bearer tok\1\1",
	    NULL, "empty user name" },
	{ "OAUTHBEARER", "n,a=ann,\1\1", NULL, "no token" },
	{ "OAUTHBEARER", "n,a=ann,auth=Bearer tok\1\1", NULL, "no token" },
	{ "OAUTHBEARER", "\1", NULL, "no GS2 header" },
	{ "OAUTHBEARER",
	    "p=tls-exporter,a=ann,\1"
	    "auth=Bearer tok\1\1",
	    NULL, "channel binding cannot be relayed" },

	{ "PLAIN", "x", NULL, "not a relayed mechanism" },
};

#define ROWS (sizeof rows / sizeof rows[0])

static void
test_user(void **state)
{
	struct login_name n;
	const char *why;
	size_t i;
	bool ok;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		ok = auth_mech_user(auth_mech_find(r->mech), r->message,
		    strlen(r->message), &n, &why);
		if (ok != (r->user != NULL))
			print_error("row %zu: %s\n", i, why != NULL ? why : "");
		assert_int_equal(ok, r->user != NULL);
		assert_string_equal(n.full, ok ? r->user : "");
		if (ok)
			assert_null(why);
		else
			assert_string_equal(why, r->why);
		assert_int_equal(auth_mech_user(auth_mech_find(r->mech),
				     r->message, strlen(r->message), &n, NULL),
		    ok);
	}
}

/* What is cut short is never read as a shorter name. */
static void
test_truncated(void **state)
{
	struct login_name n;
	size_t i, len;
	char *copy;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		if (r->user == NULL)
			continue;
		for (len = 0; len < strlen(r->message); len++) {
			copy = malloc(len + 1);
			assert_non_null(copy);
			memcpy(copy, r->message, len);
			if (auth_mech_user(
				auth_mech_find(r->mech), copy, len, &n, NULL))
				assert_string_equal(n.full, r->user);
			free(copy);
		}
	}
}

static void
test_long_names(void **state)
{
	char text[LOGIN_NAME_OCTETS * 3 + 20], name[LOGIN_NAME_OCTETS + 2];
	const struct auth_mech *m = auth_mech_find("SCRAM-SHA-1");
	struct login_name n;
	const char *why;
	size_t i;
	int len;

	(void)state;
	memset(name, 'x', sizeof name);
	name[LOGIN_NAME_OCTETS + 1] = '\0';
	len = snprintf(text, sizeof text, "n,,n=%s,r=x", name);
	assert_false(auth_mech_user(m, text, (size_t)len, &n, &why));
	assert_string_equal(why, "user name too long");
	len = snprintf(text, sizeof text, "n,,n=%s,r=x", name + 1);
	assert_true(auth_mech_user(m, text, (size_t)len, &n, &why));
	assert_string_equal(n.full, name + 1);
	/* three octets for each of the name's */
	memcpy(text, "n,,n=", 5);
	for (i = 0; i < LOGIN_NAME_OCTETS; i++)
		memcpy(text + 5 + 3 * i, "=2C", 3);
	memcpy(text + 5 + 3 * i, ",r=x", 4);
	assert_true(auth_mech_user(m, text, 5 + 3 * i + 4, &n, &why));
	assert_int_equal(strlen(n.full), LOGIN_NAME_OCTETS);
	assert_int_equal(strspn(n.full, ","), LOGIN_NAME_OCTETS);
}

static void
test_find(void **state)
{
	(void)state;
	assert_string_equal(auth_mech_find("cram-md5")->name, "CRAM-MD5");
	assert_true(auth_mech_find("CRAM-MD5")->server_first);
	assert_false(auth_mech_find("SCRAM-SHA-256")->server_first);
	assert_true(auth_mech_find("plain")->password);
	assert_true(auth_mech_find("Login")->password);
	assert_false(auth_mech_find("XOAUTH2")->password);
	assert_false(auth_mech_find("OAUTHBEARER")->password);
	assert_null(auth_mech_find("SCRAM-SHA-256-PLUS"));
	assert_null(auth_mech_find("DIGEST-MD5"));
	assert_null(auth_mech_find(""));
	assert_null(auth_mech_find("PLAI"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
