/* SPDX-License-Identifier: BSD-2-Clause */
/* What a front asks of a session that is tied. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/context_names.h"
#include "common/context_print.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "common/xsetcontext.h"
#include "common/xtext.h"
#include "milter/fronts_state.h"

/* Names that one client may have set, so that what we know has room too. */
#define SET_MAX 64

/* One request to set values, and where it goes. */
struct setting {
	struct context connection; /* of the session, as it will be */
	struct context own;        /* of the front, as it will be */
	char real[MSESSION_ADDR_MAX], seen[MSESSION_ADDR_MAX];
	char *const *words;
	size_t n;
	const struct conf_peer *peer; /* NULL: tls and tls_* alone */
	char *why;
	size_t len;
};

static bool
name_allowed(const struct setting *t, const char *name)
{
	if (t->peer == NULL)
		return strcmp(name, "tls") == 0 ||
		    strncmp(name, "tls_", 4) == 0;
	return context_name_allowed(
	    name, t->peer->setcontext_names.v, t->peer->setcontext_names.n);
}

static bool
pair_read(
    const struct setting *t, const char *word, struct xsetcontext_pair *pair)
{
	size_t len = strlen(word);
	const char *why;

	if (xsetcontext_next(&word, &len, pair, &why) == XSETCONTEXT_PAIR)
		return true;
	if (why == NULL)
		why = "no name=value";
	snprintf(t->why, t->len, "501 5.5.4 %s%s%s", pair->name,
	    pair->name[0] != '\0' ? ": " : "", why);
	return false;
}

static bool
pair_apply(struct setting *t, const struct xsetcontext_pair *pair)
{
	const char *origin = t->peer != NULL ? ORIGIN_CLIENT : ORIGIN_FRONT;
	const char *why = NULL;

	if (!name_allowed(t, pair->name)) {
		snprintf(t->why, t->len, "550 5.7.1 %s may not be set here",
		    pair->name);
		return false;
	}
	if (context_set(&t->own, pair->name, pair->value, origin, &why) &&
	    t->own.count > SET_MAX)
		why = "too many names";
	if (why == NULL)
		(void)context_set(
		    &t->connection, pair->name, pair->value, origin, &why);
	if (why == NULL)
		return true;
	snprintf(t->why, t->len, "452 4.5.3 %s: %s", pair->name, why);
	return false;
}

/* Into copies, which take the place of what was there when all went well; the
 * copies then hold what was. */
static bool
setting_apply(
    struct setting *t, struct context *connection, struct context *own)
{
	struct xsetcontext_pair pair;
	struct context old;
	bool ok = true;
	size_t i;

	if (!context_copy(&t->connection, connection) ||
	    !context_copy(&t->own, own)) {
		snprintf(t->why, t->len, "451 4.3.0 out of memory");
		return false;
	}
	for (i = 0; i < t->n && ok; i++)
		ok = pair_read(t, t->words[i], &pair) && pair_apply(t, &pair);
	explicit_bzero(&pair, sizeof(pair));
	if (!ok)
		return false;
	old = *connection;
	*connection = t->connection;
	t->connection = old;
	old = *own;
	*own = t->own;
	t->own = old;
	return true;
}

/* One line for each value, with what it replaces. */
static void
setting_log(const struct setting *t)
{
	struct xsetcontext_pair pair;
	const char *old;
	struct log_line l;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (!pair_read(t, t->words[i], &pair))
			break;
		log_line_begin(&l, "extension");
		log_line_add(&l, "command", "XSETCONTEXT");
		log_line_add(&l, "client", "%s", t->seen);
		log_line_add(&l, "real", "%s", t->real);
		log_line_add(&l, "name", "%s", pair.name);
		log_line_add(&l, "value", "%s",
		    context_name_secret(pair.name) ? CONTEXT_MASK : pair.value);
		old = context_get(&t->connection, pair.name);
		if (old != NULL) {
			log_line_add(&l, "was", "%s",
			    context_name_secret(pair.name) ? CONTEXT_MASK
							   : old);
			log_line_add(&l, "by", "%s",
			    context_origin(&t->connection, pair.name));
		}
		log_line_emit(&l, LOG_LEVEL_INFO);
	}
	explicit_bzero(&pair, sizeof(pair));
}

static void
setting_release(struct setting *t)
{
	context_release(&t->connection);
	context_release(&t->own);
}

bool
fronts_set(struct fronts *f, const struct conf *conf, const char *token,
    char *const *words, size_t n, char *why, size_t len)
{
	struct setting t = { .words = words, .n = n, .why = why, .len = len };
	struct front *fr;
	bool ok = false;

	pthread_mutex_lock(&f->lock);
	fr = fronts_find_tied(f, token, why, len);
	if (fr != NULL && front_may(conf, fr, "XSETCONTEXT", why, len)) {
		t.peer = conf_peer_find(conf, fr->real);
		memcpy(t.real, fr->real, sizeof(t.real));
		memcpy(t.seen, fr->seen, sizeof(t.seen));
		pthread_mutex_lock(&fr->s->lock);
		ok = setting_apply(&t, &fr->s->connection, &fr->set);
		pthread_mutex_unlock(&fr->s->lock);
	}
	pthread_mutex_unlock(&f->lock);
	if (ok)
		setting_log(&t);
	setting_release(&t);
	return ok;
}

bool
fronts_tls(struct fronts *f, const char *token, char *const *words, size_t n,
    char *why, size_t len)
{
	struct setting t = { .words = words, .n = n, .why = why, .len = len };
	struct front *fr;
	bool ok = false;

	pthread_mutex_lock(&f->lock);
	if ((fr = fronts_find_tied(f, token, why, len)) != NULL) {
		pthread_mutex_lock(&fr->s->lock);
		ok = setting_apply(&t, &fr->s->connection, &fr->tls);
		pthread_mutex_unlock(&fr->s->lock);
	}
	pthread_mutex_unlock(&f->lock);
	setting_release(&t);
	return ok;
}

/* EHLO and its argument; what is no line of a command is no hello. */
static bool
hello_ok(const char *line, char *why, size_t len)
{
	size_t i;

	for (i = 0; line[i] != '\0'; i++)
		if ((unsigned char)line[i] < 32 || line[i] == 127 ||
		    i == FRONT_HELLO_MAX)
			break;
	if (i > 0 && line[i] == '\0')
		return true;
	snprintf(why, len, "501 5.5.4 not the line of a command");
	return false;
}

bool
fronts_hello(struct fronts *f, const char *token, const char *line, char *why,
    size_t len)
{
	char *copy = hello_ok(line, why, len) ? strdup(line) : NULL;
	struct front *fr;
	bool ok = false;

	pthread_mutex_lock(&f->lock);
	if (copy != NULL &&
	    (fr = fronts_find_tied(f, token, why, len)) != NULL) {
		free(fr->hello);
		fr->hello = copy;
		copy = NULL;
		pthread_mutex_lock(&fr->s->lock);
		ok = front_apply_hello(fr, fr->s);
		pthread_mutex_unlock(&fr->s->lock);
		if (!ok)
			snprintf(why, len, "451 4.3.0 out of memory");
	}
	pthread_mutex_unlock(&f->lock);
	free(copy);
	return ok;
}

bool
fronts_seen(struct fronts *f, const struct conf *conf, const char *token,
    const char *seen, char *why, size_t len)
{
	struct front_account account;
	struct front *fr;
	bool ok = false;

	pthread_mutex_lock(&f->lock);
	fr = fronts_find_tied(f, token, why, len);
	if (fr != NULL && fr->xclient)
		snprintf(why, len, "503 5.5.1 the MTA has XCLIENT");
	else if (fr != NULL && front_may(conf, fr, "XREMOTEIP", why, len)) {
		memcpy(fr->was, fr->seen, sizeof(fr->was));
		snprintf(fr->by, sizeof(fr->by), "XREMOTEIP");
		ok = front_address(seen, fr->seen);
		if (!ok)
			snprintf(why, len, "501 5.5.4 not an address");
	}
	if (ok) {
		pthread_mutex_lock(&fr->s->lock);
		ok = front_apply_client(fr, conf, fr->s);
		pthread_mutex_unlock(&fr->s->lock);
		if (!ok)
			snprintf(why, len, "451 4.3.0 out of memory");
		front_account(&account, fr);
	}
	pthread_mutex_unlock(&f->lock);
	if (ok)
		front_account_log(&account);
	return ok;
}

bool
fronts_user(struct fronts *f, const char *token, struct strbuf *out, char *why,
    size_t len)
{
	char text[XTEXT_ROOM(FRONT_LOGIN_MAX)];
	const char *user;
	struct front *fr;
	bool ok;

	pthread_mutex_lock(&f->lock);
	fr = fronts_find_tied(f, token, why, len);
	ok = fr != NULL;
	if (ok) {
		pthread_mutex_lock(&fr->s->lock);
		user = fr->s->user != NULL ? fr->s->user : "";
		ok = xtext_encode(user, strlen(user), text, sizeof(text)) &&
		    strbuf_adds(out, text);
		pthread_mutex_unlock(&fr->s->lock);
		if (!ok)
			snprintf(why, len, "550 5.7.1 no such login");
	}
	pthread_mutex_unlock(&f->lock);
	return ok;
}

bool
fronts_dump(struct fronts *f, const struct front_dump *d, struct strbuf *out,
    char *why, size_t len)
{
	struct front *fr;
	bool ok = false;

	pthread_mutex_lock(&f->lock);
	fr = fronts_find_tied(f, d->token, why, len);
	if (fr != NULL && front_may(d->conf, fr, "XDUMPCONTEXT", why, len)) {
		pthread_mutex_lock(&fr->s->lock);
		ok = context_print(&fr->s->connection, "connection", out) &&
		    (d->idle || context_print(&fr->s->message, "message", out));
		pthread_mutex_unlock(&fr->s->lock);
		if (!ok)
			snprintf(why, len, "451 4.3.0 out of memory");
	}
	pthread_mutex_unlock(&f->lock);
	return ok;
}
