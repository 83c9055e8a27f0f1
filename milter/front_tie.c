/* SPDX-License-Identifier: BSD-2-Clause */
/* How a milter session becomes the session of a front. */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cidr.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/log.h"
#include "milter/fronts_state.h"

/* The token of the command, in lower case.  Nothing may follow it. */
static bool
read_token(const char *command, char *token)
{
	size_t len = strlen(FRONT_COMMAND), i;

	if (strncasecmp(command, FRONT_COMMAND, len) != 0)
		return false;
	command += len;
	for (i = 0; i < FRONT_TOKEN_LEN; i++) {
		if (!isxdigit((unsigned char)command[i]))
			return false;
		token[i] = (char)tolower((unsigned char)command[i]);
	}
	token[i] = '\0';
	return command[i + strspn(command + i, " \t\r\n")] == '\0';
}

/* What the MTA takes for its own machine. */
static bool
is_local(const char *addr)
{
	static const char *const nets[] = { "127.0.0.0/8", "::1" };
	struct cidr c;
	size_t i;

	if (addr[0] == '\0')
		return true;
	for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (cidr_parse(nets[i], &c, NULL) && cidr_match_text(&c, addr))
			return true;
	return false;
}

/* With XCLIENT the MTA must speak of the very client; without, it can only
 * speak of its own machine, where the front is. */
static const char *
unfit(const struct front *fr, const struct msession *s)
{
	if (s->tied)
		return "its milter session has been tied before";
	if (fr->expires_ms <= clock_ms())
		return "it has expired";
	if (fr->xclient && strcmp(s->addr, fr->seen) != 0)
		return "the MTA tells of another client";
	if (!fr->xclient && !is_local(s->addr))
		return "the client is not the front";
	return NULL;
}

bool
front_apply_hello(const struct front *fr, struct msession *s)
{
	char domain[FRONT_HELLO_MAX + 1];
	const char *at = fr->hello;
	size_t n;

	if (at == NULL)
		return true;
	at += strcspn(at, " \t");
	at += strspn(at, " \t");
	n = strcspn(at, " \t");
	if (n >= sizeof(domain))
		return false;
	memcpy(domain, at, n);
	domain[n] = '\0';
	return (domain[0] == '\0' ||
		   context_set(&s->connection, "ehlo_domain", domain,
		       ORIGIN_FRONT, NULL)) &&
	    context_set(
		&s->connection, "ehlo_string", fr->hello, ORIGIN_FRONT, NULL);
}

/* Without XCLIENT nobody else says who this is. */
bool
front_apply_client(
    const struct front *fr, const struct conf *conf, struct msession *s)
{
	bool ok;

	memcpy(s->addr, fr->seen, sizeof(s->addr));
	s->port = strcmp(fr->seen, fr->real) == 0 ? fr->port : 0;
	free(s->client_name);
	s->client_name = NULL;
	ok = msession_peer(s, conf);
	if (!s->variables)
		return ok;
	/* What the MTA has said was about its own machine. */
	(void)context_unset(&s->connection, "client_name");
	(void)context_unset(&s->connection, "can_relay");
	ok = context_set(
		 &s->connection, "client_ip", s->addr, ORIGIN_FRONT, NULL) &&
	    ok;
	if (fr->login != NULL)
		ok = context_set(&s->connection, "auth_status", "pass",
			 ORIGIN_FRONT, NULL) &&
		    context_set(&s->connection, "auth_user", fr->login,
			ORIGIN_FRONT, NULL) &&
		    ok;
	return ok;
}

/* Returns false for want of memory or room. */
static bool
apply(const struct front *fr, const struct conf *conf, struct msession *s)
{
	bool ok = true;

	s->no_xclient = !fr->xclient; /* for good, and read without the lock */
	pthread_mutex_lock(&s->lock);
	memcpy(s->real, fr->real, sizeof(s->real));
	s->counts = fr->counts;
	if (!fr->xclient)
		ok = front_apply_client(fr, conf, s);
	/* What the client has set last, since it counts before all. */
	ok = front_apply_hello(fr, s) &&
	    context_copy(&s->connection, &fr->tls) &&
	    context_copy(&s->connection, &fr->set) && ok;
	pthread_mutex_unlock(&s->lock);
	return ok;
}

void
front_account(struct front_account *a, const struct front *fr)
{
	memset(a, 0, sizeof(*a));
	memcpy(a->by, fr->by, sizeof(a->by));
	memcpy(a->real, fr->real, sizeof(a->real));
	memcpy(a->seen, fr->seen, sizeof(a->seen));
	memcpy(a->was, fr->was[0] != '\0' ? fr->was : fr->real, sizeof(a->was));
	if (fr->login != NULL)
		snprintf(a->login, sizeof(a->login), "%s", fr->login);
}

/* If anybody passes for another. */
void
front_account_log(const struct front_account *a)
{
	struct log_line l;

	if (strcmp(a->seen, a->was) == 0 && a->login[0] == '\0')
		return;
	log_line_begin(&l, "extension");
	if (a->by[0] != '\0')
		log_line_add(&l, "command", "%s", a->by);
	log_line_add(&l, "client", "%s", a->seen);
	log_line_add(&l, "real", "%s", a->real);
	if (strcmp(a->seen, a->was) != 0)
		log_line_add(&l, "was", "%s", a->was);
	if (a->login[0] != '\0')
		log_line_add(&l, "user", "%s", a->login);
	log_line_emit(&l, LOG_LEVEL_INFO);
}

void
fronts_tie(struct fronts *f, const struct conf *conf, const char *command,
    struct msession *s)
{
	char token[FRONT_TOKEN_LEN + 1];
	const char *why = "nobody has registered it";
	char addr[MSESSION_ADDR_MAX];
	struct front_account account;
	struct front *fr;

	if (!read_token(command, token))
		return;
	pthread_mutex_lock(&f->lock);
	memcpy(addr, s->addr, sizeof(addr)); /* it changes under this lock */
	fr = fronts_find(f, token);
	if (fr != NULL && fr->s == NULL) {
		why = unfit(fr, s);
		if (why == NULL && !apply(fr, conf, s))
			why = "no memory, or no room in its context";
		if (why == NULL) {
			front_account(&account, fr);
			TAILQ_REMOVE(&f->waiting, fr, wait);
			f->n_waiting--;
			f->n_tied++;
			fr->s = s;
			s->front = fr;
			s->tied = true;
		} else {
			/* It is known to somebody it was not made for. */
			fronts_remove(f, fr);
		}
	} else if (fr != NULL) {
		why = "it was used before";
	}
	pthread_mutex_unlock(&f->lock);
	if (why == NULL)
		front_account_log(&account);
	else if (!log_limited(&f->refused, 10000))
		log_warning("token of a front session refused: client %s: %s",
		    addr[0] != '\0' ? addr : "unknown", why);
}
