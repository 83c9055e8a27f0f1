/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/classify_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The words of text, joined by one space each. */
static void
check_words(const char *text, const char *want)
{
	struct classify_words w;
	char got[512] = "";
	size_t i = 0, o = 0;

	classify_words_split(&w, text, strlen(text));
	for (i = 0; i < w.n; i++)
		o += (size_t)snprintf(got + o, sizeof(got) - o, "%s%s",
		    i > 0 ? " " : "", w.text + w.at[i]);
	assert_string_equal(got, want);
}

static void
test_split(void **state)
{
	(void)state;
	check_words("", "");
	check_words("User UNKNOWN", "user unknown");
	check_words("doesn't, don\xe2\x80\x99t", "doesnt dont");
	check_words("a. b.c | d; e", "a . b c . d . e");
	check_words("no! ... | no", "no . no");
	check_words("<ann@example.org>: ann=x@example.org, x", "@ @ x");
	check_words("<ann>... <a.example> <http://b>", "@ . a example http b");
	check_words("from [192.0.2.7]: 192.0.2.7.", "from # # .");
	check_words("192.0.2.7.example 1.2.3 1.2.3.4.5",
	    "192 0 2 7 example 1 2 3 1 2 3 4 5");
	check_words("Bo\xc3\xaete Empf\xc3\x84nger \xc5\xbc\xc3\x9f",
	    "boite empfanger zs");
	check_words("\xe7\x94\xa8 x\xc3", "\xe7\x94\xa8 x\xc3");
	check_words("<<a@b", "@");
}

static bool
matches(const char *text, const char *phrase)
{
	struct classify_words w;

	classify_words_split(&w, text, strlen(text));
	return classify_words_match(&w, phrase);
}

static void
test_match(void **state)
{
	(void)state;
	assert_true(matches("this User is here", "user is"));
	assert_false(matches("this user", "user is"));
	assert_false(matches("superuser is", "user is"));
	assert_true(matches("users are", "user* are"));
	assert_false(matches("superusers are", "user* are"));
	assert_true(matches("superusers are", "*user* are"));
	assert_true(matches("mail box", "user|mail box|house"));
	assert_false(matches("mai box", "user|mail box|house"));
	assert_false(matches("mailx box", "user|mail box|house"));
	assert_true(matches("a d", "a .. d"));
	assert_true(matches("a b b b d", "a .. d"));
	assert_false(matches("a b b b b d", "a .. d"));
	assert_true(matches("a b b b b b b d", "a ... d"));
	assert_false(matches("a b b b b b b b d", "a ... d"));
	assert_false(matches("a. d", "a .. d"));
	assert_true(matches("a a x d", "a x d"));
	assert_true(matches("x <q@example> y", "x @ y"));
	assert_false(matches("", "a"));
}

static void
test_blank(void **state)
{
	struct classify_words w;
	const char text[] = "our relay recipient table, a relay";

	(void)state;
	classify_words_split(&w, text, strlen(text));
	classify_words_blank(&w, "our", "relay", "recipient*");
	assert_false(classify_words_match(&w, "relay recipient"));
	assert_true(classify_words_match(&w, "our .. recipient"));
	assert_true(classify_words_match(&w, "a relay"));
	classify_words_blank(&w, "", "relay", "");
	assert_false(classify_words_match(&w, "relay"));
}

/* The widest text: every octet a sentence, every octet an address. */
static void
test_full(void **state)
{
	static char text[3 * CLASSIFY_TEXT_MAX];
	static const char *const units[] = { "|", "a|", "@", "a ", "@|", "<",
		"x" };
	struct classify_words w;
	size_t i, u = 0;

	(void)state;
	for (u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		for (i = 0; i < sizeof(text); i++)
			text[i] = units[u][i % strlen(units[u])];
		classify_words_split(&w, text, sizeof(text));
		assert_true(w.n <= CLASSIFY_TEXT_MAX);
		assert_false(classify_words_match(&w, "b"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_blank),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
