/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/quick_rig.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/strbuf.h"

struct auth_answer quick_answer;

enum auth_quick_said
quick_try_as(const struct auth_rig *r, const struct auth_asker *who,
    const char *user, const char *pass, struct auth_quick **q)
{
	struct secret s = { NULL, 0 };
	const struct auth_login l = { "PLAIN", user, strlen(user), &s };
	enum auth_quick_said said;

	assert_true(secret_set(&s, pass, strlen(pass)));
	memset(&quick_answer, 0xa5, sizeof(quick_answer));
	said = auth_quick(r->a, who, &l, deadline_in(20000), q, &quick_answer);
	secret_release(&s);
	assert_true(*q != NULL || said != AUTH_QUICK_WAIT);
	assert_true(*q == NULL || said != AUTH_QUICK_SLOW);
	return said;
}

enum auth_quick_said
quick_try(const struct auth_rig *r, const char *user, const char *pass,
    struct auth_quick **q)
{
	return quick_try_as(r, &usual_asker, user, pass, q);
}

/* The first line of status and stats that begins so; its number. */
long
quick_figure(const struct auth_rig *r, const char *name)
{
	struct strbuf sb;
	const char *at;
	long n;

	strbuf_init(&sb, 65536);
	auth_status(r->a, &sb);
	auth_stats(r->a, &sb);
	at = strstr(strbuf_str(&sb), name);
	/* Of an upstream that nobody has asked for there is none. */
	n = at == NULL ? 0 : strtol(at + strlen(name), NULL, 10);
	strbuf_release(&sb);
	return n;
}

void
quick_warm(const struct auth_rig *r)
{
	struct deadline d = deadline_in(QUICK_PATIENCE_MS);

	while (quick_figure(r, " idle=") == 0) {
		assert_false(deadline_passed(d));
		(void)poll(NULL, 0, 5);
	}
}

void
quick_wait(const struct auth_quick *q)
{
	struct auth_quick_poll p;
	struct pollfd pfd;

	auth_quick_poll(q, &p);
	pfd = (struct pollfd){ .fd = p.fd, .events = p.events };
	assert_int_equal(poll(&pfd, 1, QUICK_PATIENCE_MS), 1);
}

/* To its end, as an event loop would. */
const struct auth_answer *
quick_go_on(struct auth_quick *q)
{
	memset(&quick_answer, 0xa5, sizeof(quick_answer));
	assert_non_null(q);
	do {
		quick_wait(q);
	} while (auth_quick_step(q, &quick_answer) == AUTH_QUICK_WAIT);
	return &quick_answer;
}

/* One that is put to the upstream. */
struct auth_quick *
quick_begin(const struct auth_rig *r, const char *user, const char *pass)
{
	struct auth_quick *q;

	quick_warm(r);
	assert_int_equal(quick_try(r, user, pass, &q), AUTH_QUICK_WAIT);
	return q;
}

/* The whole; a near upstream may have answered before it is polled for, and a
 * session that is to be used again may not be ready. */
const struct auth_answer *
quick_login(const struct auth_rig *r, const char *user, const char *pass)
{
	struct deadline d = deadline_in(QUICK_PATIENCE_MS);
	enum auth_quick_said said;
	struct auth_quick *q;

	while ((said = quick_try(r, user, pass, &q)) == AUTH_QUICK_SLOW) {
		if (deadline_passed(d))
			fail_msg("%s", "slow");
		(void)poll(NULL, 0, 5);
	}
	if (said == AUTH_QUICK_WAIT)
		return quick_go_on(q);
	assert_null(q);
	return &quick_answer;
}
