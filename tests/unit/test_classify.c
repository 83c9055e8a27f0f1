/* SPDX-License-Identifier: BSD-2-Clause */
/* What servers say when they refuse, in sentences of the same kind. */
#include "common/classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/classify.h"

struct line_case {
	const char *line;
	enum refusal want;
};

static void
check_lines(const struct line_case *c, size_t n)
{
	const char *why = NULL;
	size_t i = 0, wrong = 0;

	for (i = 0; i < n; i++) {
		enum refusal got = classify_line(c[i].line, NULL, &why);

		assert_non_null(why);
		if (got == c[i].want)
			continue;
		wrong++;
		print_error("%s: got %s (%s), want %s\n", c[i].line,
		    refusal_name(got), why, refusal_name(c[i].want));
	}
	assert_int_equal(wrong, 0);
}

#define CHECK_LINES(c) check_lines((c), sizeof(c) / sizeof((c)[0]))

static void
test_no_such_user(void **state)
{
	static const struct line_case lines[] = {
		{ "550 5.1.1 <ann@example.org>: Recipient address rejected: "
		  "User unknown in virtual mailbox table",
		    REFUSAL_NOUSER },
		{ "550 5.1.1 <spam@example.org>: User ann is unknown in "
		  "relay recipient table",
		    REFUSAL_NOUSER },
		{ "550 No user ann in this office", REFUSAL_NOUSER },
		{ "550 5.1.1 There's no mailbox of that name at Example",
		    REFUSAL_NOUSER },
		{ "550-5.1.1 The mailbox you tried to write to is | not known here",
		    REFUSAL_NOUSER },
		{ "550\tThe recipient could not be found", REFUSAL_NOUSER },
		{ "550 5.7.1 Sorry: no such account", REFUSAL_NOUSER },
		{ "553 the account ann does not exist (#5.1.1)",
		    REFUSAL_NOUSER },
		{ "554 5.0.0 <ann@example.org>... Recipient is not registered",
		    REFUSAL_NOUSER },
		{ "550 5.5.0 Mailbox unavailable", REFUSAL_NOUSER },
		{ "550 5.4.1 Recipient address rejected: Access denied. [x.example]",
		    REFUSAL_NOUSER },
		{ "551 ann is not a local user", REFUSAL_NOUSER },
		{ "550 5.1.6 ann@example.org has left us", REFUSAL_NOUSER },
		{ "550 5.1.1", REFUSAL_NOUSER },
		{ "550", REFUSAL_NOUSER },
		{ "550 5.1.1 Hello [192.0.2.7], that address is unknown",
		    REFUSAL_NOUSER },
		{ "550 Dieser Empf\xc3\xa4nger ist unbekannt", REFUSAL_NOUSER },
		{ "550 Ihre Nachricht: Benutzer existiert nicht",
		    REFUSAL_NOUSER },
		{ "550 L'utilisateur ann est inconnu", REFUSAL_NOUSER },
		{ "550 El buz\xc3\xb3n ann es desconocido", REFUSAL_NOUSER },
		{ "550 Indirizzo di ann inesistente", REFUSAL_NOUSER },
		{ "550 Endere\xc3\xa7o desconhecido", REFUSAL_NOUSER },
		{ "550 Taka skrzynka nie istnieje", REFUSAL_NOUSER },
	};

	(void)state;
	CHECK_LINES(lines);
}

static void
test_mailbox(void **state)
{
	static const struct line_case lines[] = {
		{ "552 5.2.2 Ann's mailbox is full", REFUSAL_MAILBOX },
		{ "550 5.1.1 The mailbox of ann has exceeded its quota",
		    REFUSAL_MAILBOX },
		{ "550 5.2.1 ann", REFUSAL_MAILBOX },
		{ "550 Larger than Ann wants it", REFUSAL_MAILBOX },
		{ "550 The account of ann was suspended", REFUSAL_MAILBOX },
		{ "550 5.2.1 Ann is receiving mail at too high a rate",
		    REFUSAL_MAILBOX },
		{ "552 5.3.4 A message of that length is not taken",
		    REFUSAL_MAILBOX },
		{ "554 Maximum size is 10 MB", REFUSAL_MAILBOX },
		{ "550 Das Postfach ist leider voll", REFUSAL_MAILBOX },
		{ "550 La bo\xc3\xaete de ann est pleine", REFUSAL_MAILBOX },
		{ "550 5.1.1 Mailbox not found or disabled", REFUSAL_MAILBOX },
	};

	(void)state;
	CHECK_LINES(lines);
}

/* Each of these, passed on as "no such user", would lose good mail. */
static void
test_refused_us(void **state)
{
	static const struct line_case lines[] = {
		{ "550 5.1.1 Sender address rejected: user unknown",
		    REFUSAL_US },
		{ "550 Sender verify failed: 550 no such user here",
		    REFUSAL_US },
		{ "550 5.1.0 the account in MAIL FROM does not exist",
		    REFUSAL_US },
		{ "550 5.1.1 Too many unknown recipients", REFUSAL_US },
		{ "550 5.1.1 user unknown: address harvest suspected",
		    REFUSAL_US },
		{ "550 5.7.1 Relaying to <ann@example.org> is denied",
		    REFUSAL_US },
		{ "553 ann's domain is not in my rcpthosts", REFUSAL_US },
		{ "550 Your address is not known to our DNS", REFUSAL_US },
		{ "550 No PTR record found for address 192.0.2.7", REFUSAL_US },
		{ "550 192.0.2.7 not found in our directory", REFUSAL_US },
		{ "550 Invalid HELO: host not found", REFUSAL_US },
		{ "550 Unknown host", REFUSAL_US },
		{ "550 5.1.8 Domain of the address does not exist",
		    REFUSAL_US },
		{ "554 Mail server not found in the table of friends",
		    REFUSAL_US },
		{ "550 The remote address is unknown", REFUSAL_US },
		{ "550 Reply address is invalid", REFUSAL_US },
		{ "550 Unknown user or password", REFUSAL_US },
		{ "550 The user accepts no mail from strangers", REFUSAL_US },
		{ "550 You are not a known user", REFUSAL_US },
		{ "550 Recipient refuses to hear of it", REFUSAL_US },
		{ "550 5.7.1 Recipient address rejected: Access denied",
		    REFUSAL_US },
		{ "550 5.1.1 <ann@example.org>: listed by dnsbl.example",
		    REFUSAL_US },
		{ "550 Policy: no such thing", REFUSAL_US },
		{ "550 Not today", REFUSAL_US },
		{ "550 Give a fully qualified address", REFUSAL_US },
		{ "550 El emisor no existe", REFUSAL_US },
		{ "550 5.7.1", REFUSAL_US },
		{ "550 5.3.0 Server out of order", REFUSAL_US },
		{ "530 5.1.1 Not like this", REFUSAL_US },
		{ "550 5.1.1 ann (said: 5.7.1)", REFUSAL_US },
		{ "503 Bad sequence", REFUSAL_US }, { "599 what", REFUSAL_US },
		{ "550 Absender nicht gefunden", REFUSAL_US },
		{ "550 L'adresse de l'exp\xc3\xa9"
		  "diteur n'existe pas",
		    REFUSAL_US },
		{ "550 \xe5\x8f\x91\xe4\xbb\xb6\xe4\xba\xba"
		  "\xe4\xb8\x8d\xe5\xad\x98\xe5\x9c\xa8",
		    REFUSAL_US }, /* Chinese: the sender does not exist */
	};

	(void)state;
	CHECK_LINES(lines);
}

static void
test_other_codes(void **state)
{
	static const struct line_case lines[] = {
		{ "450 5.1.1 User ann unknown", REFUSAL_TEMPORARY },
		{ "421 4.2.2 Mailbox full", REFUSAL_TEMPORARY },
		{ "250 2.1.5 Ok", REFUSAL_ACCEPTED },
		{ "251 User not local; will forward", REFUSAL_ACCEPTED },
		{ "354 go on", REFUSAL_TEMPORARY },
		{ "", REFUSAL_TEMPORARY },
		{ "55", REFUSAL_TEMPORARY },
		{ "5500 no user ann", REFUSAL_TEMPORARY },
		{ "no user ann", REFUSAL_TEMPORARY },
		{ "650 no user ann", REFUSAL_TEMPORARY },
	};

	(void)state;
	CHECK_LINES(lines);
}

/* Away from RCPT nobody speaks of the recipient. */
static void
test_stages(void **state)
{
	static const enum smtp_stage stages[] = { STAGE_CONNECT, STAGE_GREETING,
		STAGE_EHLO, STAGE_STARTTLS, STAGE_XCLIENT, STAGE_AUTH,
		STAGE_MAIL, STAGE_DATA, STAGE_RSET, STAGE_QUIT };

	const char *why = NULL;
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		assert_int_equal(classify_reply(stages[i], 550, "5.1.1",
				     "User unknown", NULL, &why),
		    REFUSAL_US);
		assert_string_equal(why, "stage");
		assert_int_equal(classify_reply(stages[i], 552, "5.2.2",
				     "Mailbox full", NULL, NULL),
		    REFUSAL_US);
		assert_int_equal(
		    classify_reply(stages[i], 451, "", "", NULL, NULL),
		    REFUSAL_TEMPORARY);
		assert_string_not_equal(stage_name(stages[i]), "?");
	}
	assert_string_equal(stage_name(STAGE_RCPT), "rcpt");
	assert_string_equal(stage_name((enum smtp_stage)99), "?");
}

/* A row may be anywhere in a long text, and text beyond the limit is not
 * read. */
static void
test_long_text(void **state)
{
	char text[8192];
	size_t i = 0;

	(void)state;
	for (i = 0; i + 2 < sizeof(text); i += 2) {
		text[i] = 'q';
		text[i + 1] = ' ';
	}
	text[sizeof(text) - 2] = text[sizeof(text) - 1] = '\0';
	memcpy(text + 1000, " user unknown ", 14);
	assert_int_equal(classify_reply(STAGE_RCPT, 550, "", text, NULL, NULL),
	    REFUSAL_NOUSER);
	memcpy(text + 2000, " relaying ", 10);
	assert_int_equal(
	    classify_reply(STAGE_RCPT, 550, "", text, NULL, NULL), REFUSAL_US);
	memset(text + 1000, 'q', 14);
	memset(text + 2000, 'q', 10);
	memcpy(text + 4000, " user unknown ", 14);
	assert_int_equal(
	    classify_reply(STAGE_RCPT, 550, "", text, NULL, NULL), REFUSAL_US);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(refusal_name(REFUSAL_TEMPORARY), "temporary");
	assert_string_equal(refusal_name(REFUSAL_ACCEPTED), "accepted");
	assert_string_equal(refusal_name(REFUSAL_NOUSER), "nouser");
	assert_string_equal(refusal_name(REFUSAL_MAILBOX), "mailbox");
	assert_string_equal(refusal_name(REFUSAL_US), "refused_us");
	assert_int_equal(REFUSAL_TEMPORARY, 0);
}

static void
test_stream(void **state)
{
	char given[] = "550 5.1.1 No such user\r\n\n250 fine\n"
		       "554\t\tnot from there\nhello";
	char *got = NULL;
	size_t len = 0;
	FILE *in = fmemopen(given, strlen(given), "r");
	FILE *out = open_memstream(&got, &len);

	(void)state;
	assert_non_null(in);
	assert_non_null(out);
	assert_true(classify_stream(in, out, NULL));
	assert_int_equal(fclose(out), 0);
	assert_string_equal(got,
	    "nouser\t550 5.1.1 No such user\n"
	    "accepted\t250 fine\n"
	    "refused_us\t554\t\tnot from there\n"
	    "temporary\thello\n");
	(void)fclose(in);
	free(got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_such_user),
		cmocka_unit_test(test_mailbox),
		cmocka_unit_test(test_refused_us),
		cmocka_unit_test(test_other_codes),
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
