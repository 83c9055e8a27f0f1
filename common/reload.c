/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/reload.h"

#include <stdio.h>
#include <string.h>

#include "common/conf_holder.h"
#include "common/daemon.h"
#include "common/log.h"

struct first_error {
	char *why;
	size_t len;
	bool set;
};

static void
say_first(void *arg, bool error, const char *line)
{
	struct first_error *f = arg;

	if (error)
		log_error("%s", line);
	else
		log_warning("%s", line);
	if (error && !f->set) {
		snprintf(f->why, f->len, "%s", line);
		f->set = true;
	}
}

/* A few short lines: they are in the buffer of the stream, and nobody waits
 * here until they are read. */
void
reload_tell(const struct reload *r, const char *line)
{
	log_warning("reload: %s", line);
	if (r->told != NULL)
		fprintf(r->told, " %s\n", line);
}

void
reload_warn(const struct reload *r, const char *name, bool differs)
{
	char line[128];

	if (!differs)
		return;
	snprintf(line, sizeof(line), "%s changes only with a restart", name);
	reload_tell(r, line);
}

bool
reload_differs(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) != 0;
}

bool
reload_differ(const struct strlist *a, const struct strlist *b)
{
	if (a->n != b->n)
		return true;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return true;
	return false;
}

static void
take_into_force(const struct reload *r, struct conf *fresh)
{
	struct conf *old = conf_holder_get(r->holder);

	reload_warn(r, "user", reload_differs(old->user, fresh->user));
	reload_warn(r, "log_target", old->log_target != fresh->log_target);
	r->compare(r, old, fresh);
	conf_unref(old);
	conf_holder_set(r->holder, fresh);
	daemon_log_level(fresh);
	log_info("configuration read anew from %s", r->conf_file);
}

static bool
reload_file(const struct reload *r, char *why, size_t len)
{
	struct first_error first = { .why = why, .len = len };
	struct conf *conf = NULL;
	bool ok;

	if (conf_load(r->conf_file, say_first, &first, &conf) != 0)
		return false;
	ok = r->apply(r->arg, conf, why, len);
	if (ok)
		take_into_force(r, conf);
	conf_unref(conf);
	return ok;
}

void
reload_open(struct reload *r)
{
	pthread_mutex_lock(&r->lock);
	r->open = true;
	pthread_mutex_unlock(&r->lock);
}

void
reload_close(struct reload *r)
{
	pthread_mutex_lock(&r->lock);
	r->open = false;
	pthread_mutex_unlock(&r->lock);
}

/* A signal may come before everything is there, or when it is going; and of
 * two at once the one that read the file first must not have the last word. */
bool
reload_now(struct reload *r, FILE *told, char *why, size_t len)
{
	bool ok = false;

	pthread_mutex_lock(&r->lock);
	r->told = told;
	if (r->open)
		ok = reload_file(r, why, len);
	else
		snprintf(why, len, "the daemon is starting or stopping");
	r->told = NULL;
	pthread_mutex_unlock(&r->lock);
	if (!ok)
		log_error("reload: %s; the old configuration stays", why);
	return ok;
}

void
reload_signal(void *r)
{
	char why[512] = "";

	daemon_reloading();
	(void)reload_now(r, NULL, why, sizeof(why));
	daemon_ready();
}
