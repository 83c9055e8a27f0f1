/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/outbound_state.h"

/* While a data source is down every delivery asks. */
#define WORRY_MS 10000

static const char *
cache_word(const struct outbound_answer *a)
{
	if (a->stale)
		return "stale";
	return a->cached ? "hit" : "miss";
}

static enum log_level
level_of(const struct outbound_try *t)
{
	switch (t->out->verdict) {
	case OUTBOUND_GIVEN:
		return t->q->only_whether ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	case OUTBOUND_NONE:
		return LOG_LEVEL_DEBUG;
	case OUTBOUND_DEFER:
	default:
		return LOG_LEVEL_WARNING;
	}
}

/* Keys in the order of what a script needs most; what is empty is left out.
 * No password comes near this: out->pass is not read. */
void
outbound_log(struct outbound_try *t)
{
	const struct outbound_answer *a = t->out;
	enum log_level level = level_of(t);
	struct log_limit *limit = &t->o->worries[t->worry];
	unsigned int more = 0;
	struct log_line l;

	if (!log_enabled(level))
		return;
	if (a->verdict == OUTBOUND_DEFER && t->q->explain == NULL) {
		if (log_limited(limit, WORRY_MS))
			return;
		more = log_limit_left_out(limit);
	}
	log_line_begin(&l, "outbound");
	if (t->q->queue_id != NULL)
		log_line_add(&l, "id", "%s", t->q->queue_id);
	if (t->sender != NULL)
		log_line_add(&l, "from", "<%s>", t->sender);
	if (t->nexthop != NULL)
		log_line_add(&l, "nexthop", "%s", t->nexthop);
	log_line_add(&l, "binding", "%s", t->binding);
	if (a->user[0] != '\0')
		log_line_add(&l, "user", "<%s>", a->user);
	if (a->verdict == OUTBOUND_GIVEN && a->type >= 0)
		log_line_add(&l, "type", "%s", credential_type_name(a->type));
	if (a->login_scope[0] != '\0')
		log_line_add(&l, "scope", "%s", a->login_scope);
	if (a->asked)
		log_line_add(&l, "cache", "%s", cache_word(a));
	log_line_add(&l, "verdict", "%s", outbound_verdict_name(a->verdict));
	log_line_add(
	    &l, "delay", "%.3f", (double)(clock_us() - t->begin_us) / 1e6);
	if (a->reason[0] != '\0')
		log_line_add(&l, "reason", "%s", a->reason);
	if (t->detail[0] != '\0')
		log_line_add(&l, "detail", "%s", t->detail);
	if (more > 0)
		log_line_add(&l, "left_out", "%u", more);
	log_line_emit(&l, level);
}
