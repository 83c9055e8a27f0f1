/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/context_names.h"
#include "common/context_print.h"
#include "common/log.h"
#include "milter/context_log.h"
#include "milter/msession.h"

/* Of the origins, as many are somebody's who has set something. */
#define SET 2

/* Of each value: the line is for many. */
#define VALUE_SHOWN 80

struct gathering {
	struct log_line *line;
	const char *origin; /* the one that is gathered now */
	unsigned n;
};

static bool
gather(const char *name, const char *value, const char *origin, void *arg)
{
	struct gathering *g = arg;

	if (strcmp(origin, g->origin) != 0)
		return true;
	log_line_add(g->line, origin, "%s=%.*s", name, VALUE_SHOWN,
	    context_name_secret(name) ? CONTEXT_MASK : value);
	g->n++;
	return true;
}

/* What is known anyway comes last and makes no line: much of it is in other
 * lines too. */
void
context_log(struct msession *s, const char *id)
{
	static const char *const origins[] = { ORIGIN_CLIENT, ORIGIN_PEER,
		ORIGIN_FRONT, ORIGIN_MTA, ORIGIN_MILTER };
	struct log_line l;
	struct gathering g = { .line = &l };
	size_t i;

	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	log_line_begin(&l, "context");
	if (id != NULL && id[0] != '\0')
		log_line_add(&l, "id", "%s", id);
	pthread_mutex_lock(&s->lock);
	log_line_add(
	    &l, "client", "%s", s->addr[0] != '\0' ? s->addr : "unknown");
	if (s->real[0] != '\0')
		log_line_add(&l, "real", "%s", s->real);
	for (i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
		if (i == SET && g.n == 0)
			break;
		g.origin = origins[i];
		(void)context_foreach(&s->message, gather, &g);
		(void)context_foreach(&s->connection, gather, &g);
	}
	pthread_mutex_unlock(&s->lock);
	if (g.n > 0)
		log_line_emit(&l, LOG_LEVEL_INFO);
}
