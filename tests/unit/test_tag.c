/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/tag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/conf.h"
#include "common/context.h"
#include "common/strbuf.h"
#include "milter/auth_results.h"
#include "tests/unit/conf_case.h"

/* In place of libmilter: writes down what it is told, and fails when told
 * to. */
static struct {
	char done[20000];
	size_t len;
	int calls;
	int fail_at; /* the call that fails, from 1 on; 0: none */
	const char *authen, *type;
	char reply[200];
} mta;

static int
note(const char *what, const char *name, int index, const char *value)
{
	if (++mta.calls == mta.fail_at)
		return MI_FAILURE;
	mta.len +=
	    (size_t)snprintf(mta.done + mta.len, sizeof(mta.done) - mta.len,
		"%s %s %d %s|", what, name, index, value != NULL ? value : "");
	assert_true(mta.len < sizeof(mta.done));
	return MI_SUCCESS;
}

int
smfi_addheader(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx;
	return note("add", name, 0, value);
}

int
smfi_insheader(SMFICTX *ctx, int index, char *name, char *value)
{
	(void)ctx;
	return note("insert", name, index, value);
}

int
smfi_chgheader(SMFICTX *ctx, char *name, int index, char *value)
{
	(void)ctx;
	return note("change", name, index, value);
}

char *
smfi_getsymval(SMFICTX *ctx, char *name)
{
	static char texts[2][64];
	bool authen = strcmp(name, "{auth_authen}") == 0;

	(void)ctx;
	if (strcmp(name, "i") == 0)
		return NULL;
	snprintf(texts[authen], sizeof(texts[0]), "%s",
	    authen ? mta.authen : mta.type);
	return texts[authen];
}

int
smfi_setreply(SMFICTX *ctx, char *code, char *esc, char *text)
{
	(void)ctx;
	snprintf(mta.reply, sizeof(mta.reply), "%s %s %s", code, esc, text);
	return MI_SUCCESS;
}

struct rig {
	struct conf_case conf;
	struct tagger *t;
	struct context connection, message;
};

static struct rig
rig(const char *conf, bool negotiated)
{
	struct rig r;

	memset(&mta, 0, sizeof(mta));
	mta.authen = mta.type = "";
	conf_case_text(&r.conf, conf);
	assert_non_null(r.conf.c);
	context_init(&r.connection);
	context_init(&r.message);
	r.t = tagger_new(r.conf.c, negotiated);
	assert_non_null(r.t);
	return r;
}

static void
release(struct rig *r)
{
	tagger_free(r->t);
	context_release(&r->connection);
	context_release(&r->message);
	conf_case_release(&r->conf);
}

static void
set(struct context *c, const char *name, const char *value)
{
	assert_true(context_set(c, name, value, "test", NULL));
}

/* The end of a message: the answer, and what was done for it. */
static void
check_end(struct rig *r, sfsistat want, const char *done)
{
	mta.len = 0;
	mta.done[0] = mta.reply[0] = '\0';
	tagger_read(r->t, &r->connection, &r->message);
	assert_int_equal(tagger_end(r->t, NULL, "192.0.2.9"), want);
	assert_string_equal(mta.done, done);
	tagger_reset(r->t);
}

#define MAY_SET "peer \"192.0.2.1\" { smtp_extensions = {\"XSETCONTEXT\"} "

static void
test_wanted(void **state)
{
	static const struct {
		const char *conf;
		bool want;
	} cases[] = {
		{ "", false },
		{ "tag \"X-A\" { variable = a }", true },
		{ "authentication_results = true", true },
		{ "binding \"a\" { }", true },
		{ "binding_group \"g\" { }", true },
		{ "peer \"192.0.2.1\" { context = {\"tenant=a\"} }", false },
		{ "peer \"192.0.2.1\" { context = {\"bindings=a\"} }", false },
		{ "peer \"192.0.2.1\" { context = {\"binding=a\"} }", true },
		{ MAY_SET "setcontext_names = {\"tenant\"} }", false },
		{ MAY_SET "setcontext_names = {\"binding\"} }", true },
		{ MAY_SET "setcontext_names = {\"binding*\"} }", true },
		{ MAY_SET "setcontext_names = {\"*\"} }", false },
		{ MAY_SET "}", false },
	};
	struct conf_case conf;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		conf_case_text(&conf, cases[i].conf);
		assert_string_equal(strbuf_str(&conf.said), "");
		assert_int_equal(tag_wanted(conf.c), cases[i].want);
		conf_case_release(&conf);
	}
}

static void
test_contexts(void **state)
{
	struct rig r = rig("tag \"X-A\" { variable = a }\n"
			   "tag \"X-B\" { variable = b }",
	    true);

	(void)state;
	check_end(&r, SMFIS_CONTINUE, "");
	set(&r.connection, "a", "1");
	set(&r.message, "b", "two words");
	check_end(&r, SMFIS_CONTINUE, "add X-A 0 1|add X-B 0 two words|");
	/* the message's comes first, even when there is nothing in it */
	set(&r.message, "a", "2");
	check_end(&r, SMFIS_CONTINUE, "add X-A 0 2|add X-B 0 two words|");
	set(&r.message, "a", "");
	check_end(&r, SMFIS_CONTINUE, "add X-B 0 two words|");
	context_clear(&r.message);
	check_end(&r, SMFIS_CONTINUE, "add X-A 0 1|");
	release(&r);
}

static void
test_copies(void **state)
{
	static const char *const same[] = { "X-A", "x-a", "X-a ", "X-A \t" };
	static const char *const others[] = { "X-AA", "X-", "X", "",
		"X-A:", " X-A", AUTH_RESULTS };
	struct rig r = rig("tag \"X-A\" { variable = a }", true);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		tagger_header(r.t, same[i], "forged");
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		tagger_header(r.t, others[i], "edge.test");
	check_end(&r, SMFIS_CONTINUE,
	    "change X-A 4 |change X-A 3 |change X-A 2 |change X-A 1 |");
	/* of the next message there is nothing yet */
	check_end(&r, SMFIS_CONTINUE, "");
	tagger_header(r.t, "X-A", "forged");
	tagger_reset(r.t);
	check_end(&r, SMFIS_CONTINUE, "");
	release(&r);
}

static void
test_many(void **state)
{
	struct rig r = rig("authentication_results = true\n"
			   "hostname = edge.test\n"
			   "tag \"X-A\" { variable = a }",
	    true);
	int i;

	(void)state;
	for (i = 1; i <= TAG_COPIES_MAX + 1; i++) {
		tagger_header(r.t, AUTH_RESULTS, "edge.test; none");
		tagger_header(r.t, AUTH_RESULTS, "other.test; none");
	}
	check_end(&r, SMFIS_REJECT, "");
	assert_string_equal(mta.reply, "550 5.6.0 Too many copies of a header");
	for (i = 1; i < TAG_COPIES_MAX; i++)
		tagger_header(r.t, "X-A", "forged");
	tagger_header(r.t, AUTH_RESULTS, "edge.test; none");
	mta.calls = 0;
	tagger_read(r.t, &r.connection, &r.message);
	assert_int_equal(tagger_end(r.t, NULL, ""), SMFIS_CONTINUE);
	assert_int_equal(mta.calls, TAG_COPIES_MAX + 1);
	release(&r);
}

static void
test_results(void **state)
{
	struct rig r = rig("authentication_results = true\n"
			   "hostname = edge.test\n",
	    true);

	(void)state;
	check_end(&r, SMFIS_CONTINUE,
	    "insert Authentication-Results 0 edge.test; auth=none|");
	mta.authen = "anonymous";
	mta.type = "XCLIENT";
	check_end(&r, SMFIS_CONTINUE,
	    "insert Authentication-Results 0 edge.test; auth=none|");
	mta.authen = "ann";
	mta.type = "PLAIN";
	tagger_header(r.t, AUTH_RESULTS, "edge.test; auth=pass");
	tagger_header(r.t, AUTH_RESULTS, "other.test; auth=pass");
	tagger_header(r.t, "authentication-results", "(edge.test");
	check_end(&r, SMFIS_CONTINUE,
	    "change Authentication-Results 3 |"
	    "change Authentication-Results 1 |"
	    "insert Authentication-Results 0 edge.test; auth=pass (PLAIN)\n"
	    "\tsmtp.auth=ann|");
	release(&r);
}

static void
test_binding(void **state)
{
	static const char long_one[] =
	    "a23456789_123456789_123456789_123456789_123456789_123456789_"
	    "12345";
	static const char *const bad[] = { "a b", "a:25", "a-b", "\xc3\xab",
		long_one };
	struct rig r = rig("binding \"a\" { }", true);
	size_t i;

	(void)state;
	check_end(&r, SMFIS_CONTINUE, "");
	set(&r.connection, "binding", "Ab_9");
	check_end(&r, SMFIS_CONTINUE, "add X-Postern-Binding 0 Ab_9|");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set(&r.message, "binding", bad[i]);
		check_end(&r, SMFIS_TEMPFAIL, "");
		assert_memory_equal(mta.reply, "451 4.3.0 ", 10);
	}
	set(&r.message, "binding", "");
	tagger_header(r.t, "X-Postern-Binding", "forged");
	check_end(&r, SMFIS_CONTINUE, "change X-Postern-Binding 1 |");
	/* Unset, as the credentials that may come with it are. */
	set(&r.message, "binding", "False");
	check_end(&r, SMFIS_CONTINUE, "");
	release(&r);
}

/* FILTER redirects all recipients: with a route among them there is no header,
 * and when that is not known, no message. */
static void
test_binding_and_routes(void **state)
{
	static const struct {
		enum verify_route routes[3];
		int n;
		sfsistat answer;
		const char *done;
	} cases[] = {
		{ { 0 }, 0, SMFIS_CONTINUE, "add X-Postern-Binding 0 a|" },
		{ { VERIFY_ROUTE_NONE, VERIFY_ROUTE_NONE }, 2, SMFIS_CONTINUE,
		    "add X-Postern-Binding 0 a|" },
		{ { VERIFY_ROUTE_FOUND }, 1, SMFIS_CONTINUE, "" },
		{ { VERIFY_ROUTE_NONE, VERIFY_ROUTE_FOUND, VERIFY_ROUTE_NONE },
		    3, SMFIS_CONTINUE, "" },
		{ { VERIFY_ROUTE_NONE, VERIFY_ROUTE_UNKNOWN }, 2,
		    SMFIS_TEMPFAIL, "" },
		{ { VERIFY_ROUTE_UNKNOWN, VERIFY_ROUTE_FOUND }, 2,
		    SMFIS_CONTINUE, "" },
	};
	struct rig r = rig("binding \"a\" { }", true);
	struct rig other = rig("tag \"X-A\" { variable = a }", true);

	(void)state;
	assert_true(tagger_wants_routes(r.t));
	assert_false(tagger_wants_routes(other.t));
	assert_false(tagger_wants_routes(NULL));
	release(&other);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set(&r.connection, "binding", "a");
		for (int j = 0; j < cases[i].n; j++)
			tagger_rcpt(r.t, cases[i].routes[j]);
		check_end(&r, cases[i].answer, cases[i].done);
		/* nobody has chosen any: it does not matter */
		set(&r.connection, "binding", "");
		for (int j = 0; j < cases[i].n; j++)
			tagger_rcpt(r.t, cases[i].routes[j]);
		check_end(&r, SMFIS_CONTINUE, "");
	}
	/* forged ones go in any case */
	set(&r.connection, "binding", "a");
	tagger_rcpt(r.t, VERIFY_ROUTE_FOUND);
	tagger_header(r.t, "X-Postern-Binding", "forged");
	check_end(&r, SMFIS_CONTINUE, "change X-Postern-Binding 1 |");
	release(&r);
}

/* Whichever call fails, the message does not pass. */
static void
test_failures(void **state)
{
	struct rig r = rig("authentication_results = true\n"
			   "hostname = edge.test\n"
			   "tag \"X-A\" { variable = a }",
	    true);
	int i;

	(void)state;
	set(&r.connection, "a", "1");
	for (i = 1; i <= 6; i++) {
		tagger_header(r.t, "X-A", "forged");
		tagger_header(r.t, "X-A", "forged");
		tagger_header(r.t, AUTH_RESULTS, "edge.test; none");
		mta.calls = 0;
		mta.fail_at = i;
		tagger_read(r.t, &r.connection, &r.message);
		assert_int_equal(tagger_end(r.t, NULL, ""),
		    i < 6 ? SMFIS_TEMPFAIL : SMFIS_CONTINUE);
		tagger_reset(r.t);
	}
	assert_int_equal(mta.calls, 5);
	release(&r);

	r = rig("tag \"X-A\" { variable = a }", false);
	check_end(&r, SMFIS_TEMPFAIL, "");
	release(&r);
	tagger_free(NULL);
	tagger_reset(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_contexts),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_binding),
		cmocka_unit_test(test_binding_and_routes),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
