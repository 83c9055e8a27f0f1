/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/auth_attempt.h"
#include "common/ehlo.h"

/* How long an upstream may take over "*". */
#define ABORT_MS 1000

struct auth_dialogue {
	struct auth_attempt t;
	bool over;
	bool named;         /* who wants to log in is known */
	unsigned responses; /* of the client, that went upstream */
};

/* The part of a message of OAuth that is a secret by itself: what stands
 * behind "Bearer". */
static void
token_set(struct secret *token, const struct secret *response)
{
	static const char before[] = "\x01"
				     "auth=";
	size_t len;
	const char *p = secret_bytes(response, &len), *end = p + len, *at;

	p = memmem(p, len, before, sizeof(before) - 1);
	if (p == NULL)
		return;
	p += sizeof(before) - 1;
	if ((at = memchr(p, '\x01', (size_t)(end - p))) != NULL)
		end = at;
	if ((at = memrchr(p, ' ', (size_t)(end - p))) != NULL)
		p = at + 1;
	(void)secret_set(token, p, (size_t)(end - p));
}

/* It has come to its end: the verdict is in the attempt. */
static bool
finish(struct auth_dialogue *x, struct auth_answer *out)
{
	x->over = true;
	attempt_end(&x->t, out);
	return false;
}

/* Did the upstream learn enough to count a failure?  The first message of
 * SCRAM has no proof in it. */
static bool
has_proof(const struct auth_dialogue *x)
{
	unsigned needed = 1;

	if (x->t.m != NULL && strncmp(x->t.m->name, "SCRAM-", 6) == 0)
		needed = 2;
	return x->responses >= needed;
}

/* The upstream waits for a response that will not come. */
static void
hang_up(struct auth_dialogue *x)
{
	struct auth_attempt *t = &x->t;

	if (t->lease == NULL)
		return;
	if (t->x.event == EXCHANGE_CHALLENGE)
		(void)exchange_abort(&t->x, deadline_in(ABORT_MS));
	pool_give(t->lease, POOL_CLOSE);
	t->lease = NULL;
	t->left = has_proof(x) ? SHIELD_LOST : SHIELD_UNSURE;
}

/* After each step: is there a challenge for the client? */
static bool
proceed(
    struct auth_dialogue *x, struct secret *challenge, struct auth_answer *out)
{
	struct auth_attempt *t = &x->t;
	const char *octets;
	size_t len;

	if (t->x.event != EXCHANGE_CHALLENGE) {
		attempt_judge(t);
		return finish(x, out);
	}
	octets = secret_bytes(&t->x.challenge, &len);
	if (secret_set(challenge, octets, len))
		return true;
	hang_up(x);
	(void)attempt_defer(t, "out of memory");
	return finish(x, out);
}

/* AUTH at the first host that can be had.  False: answered. */
static bool
start(struct auth_attempt *t, const struct secret *initial)
{
	unsigned int mech = ehlo_mech(t->m->name);

	while (attempt_connect(t)) {
		struct session *s = attempt_session(t);

		if ((session_ehlo(s)->mechs & mech) == 0) {
			attempt_no_mech(t, t->m->name);
			continue;
		}
		(void)exchange_start(
		    &t->x, s, t->m->name, initial, t->deadline);
		if (t->x.event == EXCHANGE_CHALLENGE || attempt_is_over(t))
			return true;
	}
	return false;
}

/* Who is it?  False: answered. */
static bool
name_user(
    struct auth_dialogue *x, const struct secret *message, struct route **route)
{
	struct auth_attempt *t = &x->t;
	struct login_name n;
	const char *octets, *why;
	size_t len;

	octets = secret_bytes(message, &len);
	if (!auth_mech_user(t->m, octets, len, &n, &why))
		return attempt_malformed(t, why);
	x->named = true;
	return attempt_name(t, n.full, strlen(n.full)) &&
	    attempt_find_route(t, route);
}

/* The first message of a mechanism in which the client begins. */
static bool
client_first(struct auth_dialogue *x, const struct secret *message)
{
	struct auth_attempt *t = &x->t;
	struct route *route = NULL;

	return name_user(x, message, &route) && attempt_take_route(t, route) &&
	    attempt_account(t) && attempt_shield(t) && start(t, message);
}

/* The upstream begins, and the user is not known yet: the global host. */
static bool
server_first(struct auth_dialogue *x)
{
	struct auth_attempt *t = &x->t;
	struct route *route = router_global(t->setup->router);

	if (route == NULL) {
		auth_worry(t, AUTH_WORRY_ELSEWHERE,
		    "%s needs a global host: its upstream begins", t->mech);
		return attempt_defer(t, "no global host");
	}
	return attempt_take_route(t, route) && start(t, NULL);
}

/* Would a session for r have been another one? */
static bool
same_session(const struct route *begun, const struct route *r)
{
	const struct conf_upstream *x = begun->up, *y = r->up;
	size_t i;

	if (strcmp(begun->id, r->id) != 0 || begun->n_hosts != r->n_hosts)
		return false;
	for (i = 0; i < r->n_hosts; i++) {
		if (begun->hosts[i].tls != r->hosts[i].tls)
			return false;
	}
	return x->xclient == y->xclient &&
	    x->tls_min_protocol == y->tls_min_protocol &&
	    strcmp(x->tls_ca_file, y->tls_ca_file) == 0 &&
	    strcmp(x->tls_ca_path, y->tls_ca_path) == 0 &&
	    strcmp(x->tls_cert_file, y->tls_cert_file) == 0 &&
	    strcmp(x->tls_key_file, y->tls_key_file) == 0 &&
	    strcmp(x->tls_verify_name, y->tls_verify_name) == 0;
}

/* Now it is known: was it the right upstream that began?  If so, what is left
 * of the options is the user's domain's. */
static bool
server_first_named(struct auth_dialogue *x, const struct secret *response)
{
	struct auth_attempt *t = &x->t;
	struct route *route = NULL;

	if (!name_user(x, response, &route))
		return false;
	if (!same_session(t->route, route)) {
		route_unref(route);
		auth_worry(t, AUTH_WORRY_ELSEWHERE,
		    "%s works for users of the global host only", t->mech);
		return attempt_defer(t, "another upstream has begun");
	}
	return attempt_take_route(t, route) && attempt_account(t) &&
	    attempt_shield(t);
}

static void
hide(struct auth_attempt *t, const struct secret *response,
    const struct secret *token)
{
	t->hidden_secret = token;
	t->hidden_message = response;
}

/* One message of the client, the first or any. */
static bool
take(struct auth_dialogue *x, const struct secret *response)
{
	struct auth_attempt *t = &x->t;

	if (!x->named && !t->m->server_first) {
		if (!client_first(x, response))
			return false;
	} else {
		if (!x->named && !server_first_named(x, response))
			return false;
		(void)exchange_step(&t->x, response, t->deadline);
	}
	x->responses++;
	return true;
}

static bool
advance(struct auth_dialogue *x, const struct secret *response,
    struct secret *challenge, struct auth_answer *out)
{
	struct secret token = { NULL, 0 };
	bool more = false;

	token_set(&token, response);
	hide(&x->t, response, token.len > 0 ? &token : NULL);
	if (take(x, response))
		more = proceed(x, challenge, out);
	else {
		hang_up(x);
		(void)finish(x, out);
	}
	hide(&x->t, NULL, NULL);
	secret_release(&token);
	return more;
}

static bool
begin(struct auth_dialogue *x, const struct secret *initial,
    struct secret *challenge, struct auth_answer *out)
{
	struct auth_attempt *t = &x->t;

	if (t->m == NULL || t->m->password) {
		auth_worry(t, AUTH_WORRY_EDGE, "%s cannot be relayed", t->mech);
		(void)attempt_defer(t, "mechanism cannot be relayed");
		return finish(x, out);
	}
	(void)atomic_fetch_add(&t->a->relayed, 1);
	if (t->m->server_first) {
		if (initial != NULL)
			(void)attempt_malformed(t, "initial response");
		else if (server_first(x))
			return proceed(x, challenge, out);
		return finish(x, out);
	}
	/* An empty challenge asks for the message that was not given. */
	return initial == NULL || advance(x, initial, challenge, out);
}

bool
auth_begin(struct auth *a, const struct auth_asker *who, const char *mech,
    const struct secret *initial, struct deadline d,
    struct auth_dialogue **out_x, struct secret *challenge,
    struct auth_answer *out)
{
	struct auth_dialogue *x = calloc(1, sizeof(*x));

	secret_init(challenge);
	memset(out, 0, sizeof(*out));
	*out_x = x;
	if (x == NULL) {
		(void)snprintf(out->reason, sizeof(out->reason), "no memory");
		return false;
	}
	if (!attempt_begin(&x->t, a, who, mech, d))
		return finish(x, out);
	return begin(x, initial, challenge, out);
}

bool
auth_step(struct auth_dialogue *x, const struct secret *response,
    struct secret *challenge, struct auth_answer *out)
{
	secret_init(challenge);
	memset(out, 0, sizeof(*out));
	if (x->over) {
		(void)snprintf(out->reason, sizeof(out->reason), "it is over");
		return false;
	}
	return advance(x, response, challenge, out);
}

void
auth_end(struct auth_dialogue *x)
{
	struct auth_answer unheard;

	if (x == NULL)
		return;
	if (!x->over) {
		hang_up(x);
		(void)atomic_fetch_add(&x->t.a->given_up, 1);
		(void)attempt_defer(&x->t, "given up by the client");
		(void)finish(x, &unheard);
	}
	free(x);
}
