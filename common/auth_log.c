/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>

#include "common/auth_attempt.h"

#define WORRY_MS 60000

/* Without a route, because there is no saying which: the global options. */
static bool
is_wanted(const struct auth_attempt *t)
{
	const struct conf_auth *o =
	    t->route != NULL ? t->route->auth : &t->setup->conf->auth;

	return o->log_authentication && log_enabled(LOG_LEVEL_INFO);
}

/* Keys in the order of what a script needs most; what is empty is left
 * out. */
void
auth_log(const struct auth_attempt *t)
{
	const struct auth_answer *r = &t->answer;
	struct log_line l;
	int64_t delay_ms;

	if (!is_wanted(t))
		return;
	log_line_begin(&l, "auth");
	if (t->client.addr[0] != '\0')
		log_line_text(&l, "client", t->client.addr);
	if (t->shown[0] != '\0')
		log_line_add(&l, "user", "<%s>", t->shown);
	if (t->mech[0] != '\0')
		log_line_text(&l, "mech", t->mech);
	if (r->upstream[0] != '\0')
		log_line_text(&l, "upstream", r->upstream);
	if (t->memorable)
		log_line_text(&l, "cache", r->cached ? "hit" : "miss");
	if (r->code != 0)
		log_line_add(&l, "code", "%d", r->code);
	if (r->esc[0] != '\0')
		log_line_text(&l, "dsn", r->esc);
	log_line_text(&l, "verdict", verdict_name(r->verdict));
	delay_ms = (clock_us() - t->begin_us + 500) / 1000;
	log_line_add(&l, "delay", "%d.%03d", (int)(delay_ms / 1000),
	    (int)(delay_ms % 1000));
	if (r->reason[0] != '\0')
		log_line_text(&l, "reason", r->reason);
	if (r->text[0] != '\0')
		log_line_text(&l, "text", r->text);
	log_line_emit(&l, LOG_LEVEL_INFO);
}

void
auth_worry(struct auth_attempt *t, enum auth_worry w, const char *fmt, ...)
{
	struct log_limit *limit = &t->a->worries[w];
	char text[FAULT_TEXT_MAX];
	struct log_line l;
	unsigned int more;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	attempt_explain(t, "warning: %s", text);
	if (t->direct || log_limited(limit, WORRY_MS))
		return;
	more = log_limit_left_out(limit);
	log_line_begin(&l, "auth");
	if (t->shown[0] != '\0')
		log_line_add(&l, "user", "<%s>", t->shown);
	log_line_text(&l, "reason", text);
	if (more > 0)
		log_line_add(&l, "left_out", "%u", more);
	log_line_emit(&l, LOG_LEVEL_WARNING);
}
