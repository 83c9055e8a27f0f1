/* SPDX-License-Identifier: BSD-2-Clause */
/* For posternctl. */
#include "common/outbound_state.h"
#include "common/strbuf.h"

size_t
outbound_drop(struct outbound *o, const char *value)
{
	struct outbound_messages *messages;
	struct outbound_setup *setup = outbound_setup_get(o, &messages);
	size_t n = 0;

	if (setup->source != NULL)
		n = value != NULL ? datasource_drop(setup->source, value)
				  : datasource_flush(setup->source);
	outbound_setup_unref(setup);
	return n;
}

void
outbound_status(struct outbound *o, struct strbuf *sb)
{
	struct outbound_messages *messages;
	struct outbound_setup *setup = outbound_setup_get(o, &messages);
	struct outbound_messages_stats held;
	struct datasource_stats s;

	if (setup->source != NULL) {
		datasource_stats(setup->source, &s);
		strbuf_addf(sb,
		    "outbound_datasource=%s entries=%zu dead=%zu queries=%lu "
		    "cached=%lu stale=%lu failed=%lu\n",
		    datasource_name(setup->source), s.entries, s.dead,
		    s.queries, s.cached, s.stale, s.failed);
	}
	if (messages != NULL) {
		outbound_messages_stats(messages, &held);
		strbuf_addf(sb,
		    "outbound_messages_held=%zu\noutbound_messages_lost=%zu\n",
		    held.held, held.lost);
	}
	outbound_setup_unref(setup);
}

void
outbound_stats(struct outbound *o, struct strbuf *sb)
{
	strbuf_addf(sb,
	    "outbound_given=%lu\noutbound_none=%lu\noutbound_deferred=%lu\n"
	    "outbound_asked=%lu\noutbound_cached=%lu\n",
	    atomic_load(&o->given), atomic_load(&o->none),
	    atomic_load(&o->deferred), atomic_load(&o->asked),
	    atomic_load(&o->remembered));
}
