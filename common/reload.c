/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf_holder.h"
#include "common/daemon.h"
#include "common/log.h"
#include "common/strbuf.h"

/* Of sockets, as text. */
#define LIST_MAX 65536

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

/* Without memory for it an option is not watched. */
void
reload_string(struct reload *r, const char *name, const char *value)
{
	size_t i = r->n_started++;
	char line[128];

	if (value == NULL)
		value = "";
	if (i >= RELOAD_OPTIONS_MAX)
		return;
	if (r->starting) {
		r->started[i] = strdup(value);
		return;
	}
	if (r->started[i] == NULL || strcmp(r->started[i], value) == 0)
		return;
	snprintf(line, sizeof(line), "%s changes only with a restart", name);
	reload_tell(r, line);
}

/* No value has a line break in it. */
void
reload_list(struct reload *r, const char *name, const struct strlist *value)
{
	struct strbuf sb;
	size_t i;

	strbuf_init(&sb, LIST_MAX);
	for (i = 0; i < value->n; i++)
		strbuf_addf(&sb, "%s\n", value->v[i]);
	reload_string(r, name, sb.data);
	strbuf_release(&sb);
}

void
reload_number(struct reload *r, const char *name, long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", value);
	reload_string(r, name, text);
}

static void
compare(struct reload *r, const struct conf *conf)
{
	r->n_started = 0;
	reload_string(r, "user", conf->user);
	reload_number(r, "log_target", conf->log_target);
	r->compare(r, conf);
}

static void
take_into_force(struct reload *r, struct conf *fresh)
{
	compare(r, fresh);
	conf_holder_set(r->holder, fresh);
	daemon_log_level(fresh);
	log_info("configuration read anew from %s", r->conf_file);
}

static bool
reload_file(struct reload *r, char *why, size_t len)
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
	struct conf *conf = conf_holder_get(r->holder);

	pthread_mutex_lock(&r->lock);
	r->starting = true;
	compare(r, conf);
	r->starting = false;
	r->open = true;
	pthread_mutex_unlock(&r->lock);
	conf_unref(conf);
}

void
reload_close(struct reload *r)
{
	size_t i;

	pthread_mutex_lock(&r->lock);
	r->open = false;
	for (i = 0; i < RELOAD_OPTIONS_MAX; i++) {
		free(r->started[i]);
		r->started[i] = NULL;
	}
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
