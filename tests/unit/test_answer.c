/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNKNOWN "Recipient address rejected: user unknown"
#define MAILBOX "Recipient address rejected: mailbox unavailable"
#define LATER   "Recipient address cannot be verified now, try again later"

static const struct {
	enum verdict verdict;
	struct answer a;
	const char *want;
} cases[] = {
	/* the upstream's own refusal: its code and its status */
	{ VERDICT_REJECT,
	    { .kind = REFUSAL_NOUSER,
		.origin = ANSWER_PROBED,
		.code = 550,
		.esc = "5.1.1" },
	    "550 5.1.1 " UNKNOWN },
	{ VERDICT_REJECT,
	    { .kind = REFUSAL_NOUSER,
		.origin = ANSWER_PROBED,
		.code = 551,
		.esc = "5.1.6" },
	    "551 5.1.6 " UNKNOWN },
	{ VERDICT_REJECT,
	    { .kind = REFUSAL_NOUSER,
		.origin = ANSWER_PROBED,
		.code = 550,
		.esc = "5.4.1" },
	    "550 5.4.1 " UNKNOWN },
	{ VERDICT_REJECT,
	    { .kind = REFUSAL_NOUSER,
		.origin = ANSWER_PROBED,
		.code = 553,
		.esc = "" },
	    "553 5.1.1 " UNKNOWN },
	{ VERDICT_REJECT,
	    { .kind = REFUSAL_MAILBOX,
		.origin = ANSWER_PROBED,
		.code = 552,
		.esc = "5.2.2" },
	    "552 5.2.2 " MAILBOX },
	{ VERDICT_REJECT,
	    { .kind = REFUSAL_MAILBOX,
		.origin = ANSWER_PROBED,
		.code = 552,
		.esc = "" },
	    "552 5.2.2 " MAILBOX },
	{ VERDICT_REJECT,
	    { .kind = REFUSAL_MAILBOX,
		.origin = ANSWER_PROBED,
		.code = 550,
		.esc = "" },
	    "550 5.2.1 " MAILBOX },
	/* 521 would end the client's session at the edge, too */
	{ VERDICT_REJECT,
	    { .kind = REFUSAL_NOUSER,
		.origin = ANSWER_PROBED,
		.code = 521,
		.esc = "5.1.1" },
	    "550 5.1.1 " UNKNOWN },
	/* a status or a code of another class never makes a reject soft */
	{ VERDICT_REJECT,
	    { .kind = REFUSAL_NOUSER,
		.origin = ANSWER_PROBED,
		.code = 550,
		.esc = "4.1.1" },
	    "550 5.1.1 " UNKNOWN },
	{ VERDICT_REJECT,
	    { .kind = REFUSAL_NOUSER,
		.origin = ANSWER_PROBED,
		.code = 450,
		.esc = "5.1.1" },
	    "550 5.1.1 " UNKNOWN },
	{ VERDICT_REJECT, { .kind = REFUSAL_NOUSER }, "550 5.1.1 " UNKNOWN },

	/* everything else: 451, and a status of class 4 */
	{ VERDICT_DEFER,
	    { .kind = REFUSAL_TEMPORARY,
		.origin = ANSWER_PROBED,
		.code = 450,
		.esc = "4.2.0" },
	    "451 4.2.0 " LATER },
	{ VERDICT_DEFER,
	    { .kind = REFUSAL_TEMPORARY,
		.origin = ANSWER_PROBED,
		.code = 421,
		.esc = "" },
	    "451 4.3.0 " LATER },
	{ VERDICT_DEFER,
	    { .kind = REFUSAL_US,
		.origin = ANSWER_PROBED,
		.code = 550,
		.esc = "5.7.1" },
	    "451 4.3.0 " LATER },
	{ VERDICT_DEFER, { .origin = ANSWER_DOWN, .code = 421, .esc = "4.3.2" },
	    "451 4.4.1 " LATER },
	{ VERDICT_DEFER, { .origin = ANSWER_LOOP }, "451 4.4.6 " LATER },
	{ VERDICT_DEFER, { .origin = ANSWER_LOCAL }, "451 4.3.0 " LATER },
	{ VERDICT_DEFER, { .origin = ANSWER_CATCHALL }, "451 4.3.0 " LATER },
	{ VERDICT_DEFER, { .origin = ANSWER_ON_DOWN }, "451 4.3.0 " LATER },
};

static void
test_replies(void **state)
{
	struct answer_reply reply;
	char got[ANSWER_REPLY_MAX + 32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verify_result r = {
			.verdict = cases[i].verdict,
			.answer = cases[i].a,
		};

		/* names of what is behind, here and there */
		snprintf(r.answer.text, sizeof(r.answer.text),
		    "store1.inside.test says no");
		snprintf(r.answer.upstream, sizeof(r.answer.upstream),
		    "store1.inside.test:25");
		snprintf(r.answer.reason, sizeof(r.answer.reason),
		    "store1.inside.test");
		answer_reply(&r, &reply);
		snprintf(got, sizeof(got), "%s %s %s", reply.code, reply.esc,
		    reply.text);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg(
			    "case %zu: got %s, want %s", i, got, cases[i].want);
	}
}

static const char *
revealed(enum answer_origin origin, const char *text)
{
	static struct answer_reply reply;
	struct verify_result r = {
		.verdict = VERDICT_REJECT,
		.reveal = true,
		.answer = { .kind = REFUSAL_NOUSER, .origin = origin },
	};

	snprintf(r.answer.text, sizeof(r.answer.text), "%s", text);
	answer_reply(&r, &reply);
	return reply.text;
}

static void
test_revealed(void **state)
{
	(void)state;
	assert_string_equal(revealed(ANSWER_PROBED, "nobody of that name"),
	    "nobody of that name");
	assert_string_equal(revealed(ANSWER_PROBED, ""), UNKNOWN);
	/* what is ours says too much of the inside */
	assert_string_equal(revealed(ANSWER_DOWN, "host x: refused"), UNKNOWN);
	assert_string_equal(revealed(ANSWER_LOCAL, "table users"), UNKNOWN);
}

/* What smfi_setreply() does not take, or eats. */
static void
test_text_is_fit(void **state)
{
	char text[ANSWER_TEXT_MAX], octets[3] = "x";
	const char *got;
	size_t percents = 0;

	(void)state;
	assert_string_equal(
	    revealed(ANSWER_PROBED, "100% %s %"), "100%% %%s %%");
	assert_string_equal(revealed(ANSWER_PROBED, "a\nb\n"), "a b ");
	for (int c = 1; c < 256; c++) {
		octets[1] = (char)c;
		got = revealed(ANSWER_PROBED, octets);
		assert_int_equal(got[0], 'x');
		if (c == '%')
			assert_string_equal(got, "x%%");
		else if (c == '\n')
			assert_string_equal(got, "x ");
		else if (c < 32 || c > 126)
			assert_string_equal(got, "x?");
		else
			assert_string_equal(got, octets);
	}
	/* the longest, all doubled: cut between two pairs, not within one */
	memset(text, '%', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	got = revealed(ANSWER_PROBED, text);
	assert_true(strlen(got) < ANSWER_REPLY_MAX);
	assert_true(strlen(got) > ANSWER_REPLY_MAX / 2);
	while (got[percents] == '%')
		percents++;
	assert_int_equal(got[percents], '\0');
	assert_int_equal(percents % 2, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_revealed),
		cmocka_unit_test(test_text_is_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
