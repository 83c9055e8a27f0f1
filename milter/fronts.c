/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/cidr.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/number.h"
#include "milter/fronts_state.h"

struct fronts *
fronts_new(void)
{
	struct fronts *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	pthread_mutex_init(&f->lock, NULL);
	TAILQ_INIT(&f->waiting);
	return f;
}

static bool
token_ok(const char *token)
{
	return strspn(token, "0123456789abcdef") == FRONT_TOKEN_LEN &&
	    token[FRONT_TOKEN_LEN] == '\0';
}

/* Tokens are random, their first digits too. */
static size_t
bucket(const char *token)
{
	char first[3] = { token[0], token[1], '\0' };

	return strtoul(first, NULL, 16) % FRONTS_BUCKETS;
}

struct front *
fronts_find(struct fronts *f, const char *token)
{
	struct front *fr;

	if (!token_ok(token))
		return NULL;
	LIST_FOREACH(fr, &f->buckets[bucket(token)], entry) {
		if (strcmp(fr->token, token) == 0)
			return fr;
	}
	return NULL;
}

struct front *
fronts_find_tied(struct fronts *f, const char *token, char *why, size_t len)
{
	struct front *fr = fronts_find(f, token);

	if (fr != NULL && fr->s != NULL)
		return fr;
	snprintf(why, len, "421 4.3.2 no such session");
	return NULL;
}

static void
front_free(struct front *fr)
{
	context_release(&fr->set);
	context_release(&fr->tls);
	free(fr->login);
	free(fr->hello);
	free(fr);
}

void
fronts_remove(struct fronts *f, struct front *fr)
{
	LIST_REMOVE(fr, entry);
	if (fr->s != NULL) {
		fr->s->front = NULL;
		f->n_tied--;
	} else {
		TAILQ_REMOVE(&f->waiting, fr, wait);
		f->n_waiting--;
	}
	front_free(fr);
}

void
fronts_free(struct fronts *f)
{
	struct front *fr;
	size_t i;

	if (f == NULL)
		return;
	/* Their milter sessions may be gone by now. */
	for (i = 0; i < FRONTS_BUCKETS; i++)
		while ((fr = LIST_FIRST(&f->buckets[i])) != NULL) {
			LIST_REMOVE(fr, entry);
			front_free(fr);
		}
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* Whoever has not come by now does not come. */
static void
sweep(struct fronts *f)
{
	struct front *fr;
	int64_t now = clock_ms();

	while ((fr = TAILQ_FIRST(&f->waiting)) != NULL && fr->expires_ms <= now)
		fronts_remove(f, fr);
}

bool
front_address(const char *text, char *out)
{
	char net[CIDR_TEXT_MAX];
	struct cidr c;
	size_t n;

	if (strchr(text, '/') != NULL || !cidr_parse(text, &c, NULL))
		return false;
	cidr_format(&c, net, sizeof(net));
	n = strcspn(net, "/");
	if (n >= MSESSION_ADDR_MAX)
		return false;
	memcpy(out, net, n);
	out[n] = '\0';
	return true;
}

/* "ADDRESS;PORT" */
static bool
put_real(struct front *fr, const char *text)
{
	const char *semicolon = strchr(text, ';');
	char addr[MSESSION_ADDR_MAX];
	long long port;

	if (semicolon == NULL || (size_t)(semicolon - text) >= sizeof(addr) ||
	    !number_parse(semicolon + 1, 0, 65535, &port))
		return false;
	snprintf(addr, sizeof(addr), "%.*s", (int)(semicolon - text), text);
	fr->port = (unsigned short)port;
	return front_address(addr, fr->real);
}

static bool
put_text(char **where, const char *text)
{
	if (text == NULL)
		return true;
	return (*where = strdup(text)) != NULL;
}

bool
front_may(const struct conf *conf, const struct front *fr,
    const char *extension, char *why, size_t len)
{
	if (conf_peer_may(conf_peer_find(conf, fr->real), extension))
		return true;
	snprintf(why, len, "550 5.7.1 %s is not for %s", extension, fr->real);
	return false;
}

/* May the real peer pass for another, or for another user? */
static bool
may_pass(const struct conf *conf, const struct front *fr,
    const struct front_params *p, char *why, size_t len)
{
	const struct conf_peer *peer = conf_peer_find(conf, fr->real);

	if (p->seen == NULL && p->login == NULL)
		return true;
	if (conf_peer_may(peer, "XCLIENT") || conf_peer_may(peer, "XREMOTEIP"))
		return true;
	if (p->seen == NULL && strcmp(p->login, "anonymous") == 0 &&
	    conf_peer_may(peer, "ALWAYS-ALLOW"))
		return true;
	snprintf(why, len, "550 5.7.1 %s may not pass for another", fr->real);
	return false;
}

/* A new one from p; from `old` what p does not say.  Returns new. */
static struct front *
front_new(const struct front_params *p, const struct front *old, char *why,
    size_t len)
{
	struct front *fr = calloc(1, sizeof(*fr));
	bool ok = fr != NULL;

	snprintf(why, len, "451 4.3.0 out of memory");
	if (!ok)
		return NULL;
	snprintf(fr->token, sizeof(fr->token), "%s", p->token);
	snprintf(fr->by, sizeof(fr->by), "%s", p->by != NULL ? p->by : "");
	fr->xclient = old != NULL ? old->xclient : p->xclient;
	if (old != NULL) {
		memcpy(fr->real, old->real, sizeof(fr->real));
		memcpy(fr->seen, old->seen, sizeof(fr->seen));
		memcpy(fr->was, old->seen, sizeof(fr->was));
		fr->port = old->port;
		fr->counts = old->s->counts;
		fr->counts.message_rcpts = 0;
		ok = context_copy(&fr->set, &old->set) &&
		    context_copy(&fr->tls, &old->tls) &&
		    put_text(&fr->hello, old->hello);
	} else if (!put_real(fr, p->real)) {
		snprintf(
		    why, len, "501 5.5.4 real=%s: not ADDRESS;PORT", p->real);
		ok = false;
	} else {
		memcpy(fr->seen, fr->real, sizeof(fr->seen));
	}
	if (ok && p->seen != NULL && !front_address(p->seen, fr->seen)) {
		snprintf(
		    why, len, "501 5.5.4 seen=%s: not an address", p->seen);
		ok = false;
	}
	if (ok && put_text(&fr->login, p->login))
		return fr;
	front_free(fr);
	return NULL;
}

/* Under the lock.  Takes fr, in any case. */
static bool
expect(struct fronts *f, struct front *fr, char *why, size_t len)
{
	if (fr == NULL)
		return false;
	if (fronts_find(f, fr->token) != NULL)
		snprintf(why, len, "501 5.5.4 this token is in use");
	else if (f->n_waiting >= FRONTS_PENDING_MAX)
		snprintf(why, len, "421 4.3.2 too many sessions begin");
	else if (f->n_waiting + f->n_tied >= FRONTS_MAX)
		snprintf(why, len, "421 4.3.2 too many sessions");
	else {
		fr->expires_ms = clock_ms() + FRONTS_PENDING_MS;
		LIST_INSERT_HEAD(&f->buckets[bucket(fr->token)], fr, entry);
		TAILQ_INSERT_TAIL(&f->waiting, fr, wait);
		f->n_waiting++;
		return true;
	}
	front_free(fr);
	return false;
}

static bool
params_ok(const struct front_params *p, char *why, size_t len)
{
	if (!token_ok(p->token))
		snprintf(why, len, "501 5.5.4 a token has %d of 0-9 a-f",
		    FRONT_TOKEN_LEN);
	else if (p->login != NULL && strlen(p->login) > FRONT_LOGIN_MAX)
		snprintf(why, len, "501 5.5.4 login: too long");
	else
		return true;
	return false;
}

bool
fronts_begin(struct fronts *f, const struct conf *conf,
    const struct front_params *p, char *why, size_t len)
{
	struct front *fr;
	bool ok;

	if (!params_ok(p, why, len) ||
	    (fr = front_new(p, NULL, why, len)) == NULL)
		return false;
	if (!may_pass(conf, fr, p, why, len)) {
		front_free(fr);
		return false;
	}
	pthread_mutex_lock(&f->lock);
	sweep(f);
	ok = expect(f, fr, why, len);
	pthread_mutex_unlock(&f->lock);
	return ok;
}

bool
fronts_move(struct fronts *f, const struct conf *conf, const char *token,
    const struct front_params *p, char *why, size_t len)
{
	struct front *old, *fr;
	bool ok = false;

	if (!params_ok(p, why, len))
		return false;
	pthread_mutex_lock(&f->lock);
	sweep(f);
	old = fronts_find_tied(f, token, why, len);
	if (old != NULL && !old->xclient)
		snprintf(why, len, "503 5.5.1 the MTA has no XCLIENT");
	else if (old != NULL && may_pass(conf, old, p, why, len)) {
		pthread_mutex_lock(&old->s->lock);
		fr = front_new(p, old, why, len);
		pthread_mutex_unlock(&old->s->lock);
		ok = expect(f, fr, why, len);
	}
	pthread_mutex_unlock(&f->lock);
	return ok;
}

void
fronts_gone(struct fronts *f, struct msession *s)
{
	if (!s->tied)
		return;
	pthread_mutex_lock(&f->lock);
	if (s->front != NULL)
		fronts_remove(f, s->front);
	pthread_mutex_unlock(&f->lock);
}

bool
fronts_tied(struct fronts *f, const char *token, char *why, size_t len)
{
	bool ok;

	pthread_mutex_lock(&f->lock);
	ok = fronts_find_tied(f, token, why, len) != NULL;
	pthread_mutex_unlock(&f->lock);
	return ok;
}

void
fronts_end(struct fronts *f, const char *token)
{
	struct front *fr;

	pthread_mutex_lock(&f->lock);
	if ((fr = fronts_find(f, token)) != NULL)
		fronts_remove(f, fr);
	pthread_mutex_unlock(&f->lock);
}

void
fronts_count(struct fronts *f, size_t *tied, size_t *pending)
{
	pthread_mutex_lock(&f->lock);
	sweep(f);
	*tied = f->n_tied;
	*pending = f->n_waiting;
	pthread_mutex_unlock(&f->lock);
}
