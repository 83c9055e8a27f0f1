/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/outbound_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/log.h"
#include "tests/unit/conf_case.h"

struct outbound *
outbound_case_new(const char *conf)
{
	struct outbound *o;
	struct conf_case k;
	char why[256];

	conf_case_text(&k, conf);
	if (k.c == NULL)
		fail_msg("%s", strbuf_str(&k.said));
	o = outbound_new(k.c, why, sizeof(why));
	if (o == NULL)
		fail_msg("%s", why);
	conf_case_release(&k);
	return o;
}

bool
outbound_case_reload(struct outbound *o, const char *conf, char *why)
{
	struct conf_case k;
	bool ok;

	conf_case_text(&k, conf);
	if (k.c == NULL)
		fail_msg("%s", strbuf_str(&k.said));
	ok = outbound_reload(o, k.c, why, 256);
	conf_case_release(&k);
	return ok;
}

void
outbound_case_is(const struct outbound_answer *a, enum outbound_verdict want,
    const char *text)
{
	char got[2048];

	if (a->verdict != want)
		fail_msg("%s (%s), want %s %s",
		    outbound_verdict_name(a->verdict), a->reason,
		    outbound_verdict_name(want), text);
	if (want == OUTBOUND_GIVEN) {
		(void)snprintf(got, sizeof(got), "%s:%s", a->user,
		    secret_bytes(&a->pass, NULL));
		assert_string_equal(got, text);
		assert_string_not_equal(a->login_scope, "");
		return;
	}
	if (strstr(a->reason, text) == NULL)
		fail_msg("reason \"%s\", want \"%s\"", a->reason, text);
	assert_string_equal(a->user, "");
	assert_int_equal(a->pass.len, 0);
}

static void
sink(enum log_level level, const char *line, void *arg)
{
	const char *delay = strstr(line, "delay=");
	struct strbuf *sb = arg;

	strbuf_addf(sb, "%s ", log_level_name(level));
	if (delay != NULL) {
		strbuf_addf(sb, "%.*sdelay=*", (int)(delay - line), line);
		line = delay + strcspn(delay, " ");
	}
	strbuf_addf(sb, "%s\n", line);
}

void
outbound_case_log(struct strbuf *sb)
{
	log_set_level(sb != NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	log_set_sink(sb != NULL ? sink : NULL, sb);
}
