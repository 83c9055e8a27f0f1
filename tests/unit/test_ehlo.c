/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ehlo.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/reply.h"

/* Gather a reply of the lines of text. */
static void
gather(struct reply *r, int code, const char *text)
{
	enum reply_state state = REPLY_MORE;

	reply_init(r);
	while (state == REPLY_MORE) {
		size_t len = strcspn(text, "\n");
		bool last = text[len] == '\0';
		char line[1024];

		assert_true(len + 4 <= sizeof(line));
		line[0] = (char)('0' + code / 100);
		line[1] = (char)('0' + code / 10 % 10);
		line[2] = (char)('0' + code % 10);
		line[3] = last ? ' ' : '-';
		memcpy(line + 4, text, len);
		state = reply_line(r, line, len + 4);
		text += len + !last;
	}
	assert_int_equal(state, REPLY_DONE);
}

static const struct {
	const char *text;
	struct ehlo want;
} rows[] = {
	{ "mx.example.org", { .domain = "mx.example.org" } },
	{ "mx.example.org Hello edge [192.0.2.1]\nPIPELINING",
	    { .domain = "mx.example.org", .keywords = EHLO_PIPELINING } },
	{ "mx\nPIPELINING\nSIZE 10240000\nSTARTTLS\n"
	  "AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 XOAUTH2 "
	  "OAUTHBEARER EXTERNAL\nENHANCEDSTATUSCODES\n8BITMIME\nSMTPUTF8\n"
	  "DSN\nCHUNKING\n"
	  "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT",
	    { 0x3ff, 0xff, 0xff, 10240000, "mx" } },
	/* any case, more spaces, unknown ones */
	{ "mx\npipelining\nStartTls\nauth  plain   GSSAPI login\n"
	  "xclient addr REVERSE_NAME",
	    { EHLO_PIPELINING | EHLO_STARTTLS | EHLO_AUTH | EHLO_XCLIENT,
		EHLO_MECH_PLAIN | EHLO_MECH_LOGIN, EHLO_XCLIENT_ADDR, 0,
		"mx" } },
	/* the old form, alone and beside the new one */
	{ "mx\nAUTH=LOGIN PLAIN",
	    { EHLO_AUTH, EHLO_MECH_PLAIN | EHLO_MECH_LOGIN, 0, 0, "mx" } },
	{ "mx\nauth=plain\nAUTH CRAM-MD5",
	    { EHLO_AUTH, EHLO_MECH_PLAIN | EHLO_MECH_CRAM_MD5, 0, 0, "mx" } },
	{ "mx\nAUTH= LOGIN", { EHLO_AUTH, EHLO_MECH_LOGIN, 0, 0, "mx" } },
	{ "mx\nAUTH", { .keywords = EHLO_AUTH, .domain = "mx" } },
	/* whole words only, and in their place */
	{ "mx\nXSTARTTLS\nSTARTTLSX\nSTARTTL\nSTARTTLS=1\nAUTHX PLAIN\n"
	  "AUTH-PLAIN\nNO STARTTLS\n PIPELINING\nX AUTH PLAIN",
	    { .domain = "mx" } },
	{ "mx\nAUTH PLAINX XPLAIN SCRAM-SHA-256-PLUS SCRAM-SHA",
	    { .keywords = EHLO_AUTH, .domain = "mx" } },
	{ "STARTTLS AUTH PLAIN", { .domain = "STARTTLS" } },
	/* sizes */
	{ "mx\nSIZE", { .keywords = EHLO_SIZE, .domain = "mx" } },
	{ "mx\nSIZE 0", { .keywords = EHLO_SIZE, .domain = "mx" } },
	{ "mx\nSIZE 12x", { .keywords = EHLO_SIZE, .domain = "mx" } },
	{ "mx\nSIZE -1", { .keywords = EHLO_SIZE, .domain = "mx" } },
	{ "mx\nSIZE 18446744073709551615",
	    { EHLO_SIZE, 0, 0, ULLONG_MAX, "mx" } },
	{ "mx\nSIZE 99999999999999999999",
	    { EHLO_SIZE, 0, 0, ULLONG_MAX, "mx" } },
	{ "", { .domain = "" } },
	{ "\nDSN", { .keywords = EHLO_DSN, .domain = "" } },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
check(const char *text, const struct ehlo *got, const struct ehlo *want)
{
	if (got->keywords != want->keywords || got->mechs != want->mechs ||
	    got->xclient != want->xclient || got->size != want->size ||
	    strcmp(got->domain, want->domain) != 0)
		fail_msg("%s: got %x %x %x %llu '%s'", text, got->keywords,
		    got->mechs, got->xclient, got->size, got->domain);
}

static void
test_rows(void **state)
{
	struct reply r;
	struct ehlo e;
	size_t i;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		gather(&r, 250, rows[i].text);
		memset(&e, 0xff, sizeof(e));
		assert_true(ehlo_parse(&r, &e));
		check(rows[i].text, &e, &rows[i].want);
	}
}

/* A shorter reply must never promise more than the whole one, but for a
 * SIZE that lost digits. */
static void
test_truncations(void **state)
{
	char text[1024];
	struct reply r;
	struct ehlo e;
	size_t i, n;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		const struct ehlo *whole = &rows[i].want;

		for (n = 0; n < strlen(rows[i].text); n++) {
			memcpy(text, rows[i].text, n);
			text[n] = '\0';
			gather(&r, 250, text);
			assert_true(ehlo_parse(&r, &e));
			/* "STARTTLSX" cut by one is STARTTLS: not a fault of
			 * the parser. */
			if (strstr(rows[i].text, "TLSX") != NULL ||
			    strstr(rows[i].text, "PLAINX") != NULL)
				continue;
			assert_int_equal(e.keywords & ~whole->keywords, 0);
			assert_int_equal(e.xclient & ~whole->xclient, 0);
			/* SCRAM-SHA-256 begins with no other known name. */
			assert_int_equal(e.mechs & ~whole->mechs, 0);
		}
	}
}

static void
test_only_250(void **state)
{
	static const int codes[] = { 220, 251, 354, 421, 500, 502, 550 };
	struct reply r;
	struct ehlo e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		gather(&r, codes[i], "mx\nSTARTTLS");
		memset(&e, 0xff, sizeof(e));
		assert_false(ehlo_parse(&r, &e));
		assert_int_equal(e.keywords, 0);
		assert_string_equal(e.domain, "");
	}
	/* nor one that is not whole */
	reply_init(&r);
	(void)reply_line(&r, "250-mx", 6);
	(void)reply_line(&r, "250-DSN", 7);
	assert_false(ehlo_parse(&r, &e));
}

/* "STARTTLSX", cut after "STARTTLS" for want of room, must not count. */
static void
test_cut_text(void **state)
{
	char line[REPLY_TEXT_MAX];
	struct reply r;
	struct ehlo e;

	(void)state;
	reply_init(&r);
	(void)reply_line(&r, "250-mx", 6);
	(void)reply_line(&r, "250-DSN", 7);
	memset(line, 'X', sizeof(line));
	memcpy(line, "250-", 4);
	/* leave room for a newline and eight octets */
	(void)reply_line(
	    &r, line, 4 + (REPLY_TEXT_MAX - 1 - 9) - (r.text_len + 1));
	assert_int_equal(reply_line(&r, "250 STARTTLSX", 13), REPLY_DONE);
	assert_true(r.cut);
	assert_string_equal(r.text + r.text_len - 9, "\nSTARTTLS");
	assert_true(ehlo_parse(&r, &e));
	assert_int_equal(e.keywords, EHLO_DSN);
}

static void
test_long_domain(void **state)
{
	char text[512];
	struct reply r;
	struct ehlo e;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[EHLO_DOMAIN_MAX + 1] = '\0';
	gather(&r, 250, text);
	assert_true(ehlo_parse(&r, &e));
	assert_string_equal(e.domain, "");
	text[EHLO_DOMAIN_MAX] = '\0';
	gather(&r, 250, text);
	assert_true(ehlo_parse(&r, &e));
	assert_int_equal(strlen(e.domain), EHLO_DOMAIN_MAX);
}

static void
test_mech_names(void **state)
{
	unsigned int bit;

	(void)state;
	for (bit = 1; bit <= EHLO_MECH_EXTERNAL; bit <<= 1) {
		assert_non_null(ehlo_mech_name(bit));
		assert_int_equal(ehlo_mech(ehlo_mech_name(bit)), bit);
	}
	assert_int_equal(ehlo_mech("scram-sha-256"), EHLO_MECH_SCRAM_SHA_256);
	assert_int_equal(ehlo_mech("SCRAM-SHA-256-PLUS"), 0);
	assert_int_equal(ehlo_mech(""), 0);
	assert_null(ehlo_mech_name(0));
	assert_null(ehlo_mech_name(EHLO_MECH_PLAIN | EHLO_MECH_LOGIN));
	assert_null(ehlo_mech_name(bit));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_only_250),
		cmocka_unit_test(test_cut_text),
		cmocka_unit_test(test_long_domain),
		cmocka_unit_test(test_mech_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
