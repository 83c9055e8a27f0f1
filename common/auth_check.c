/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/auth_attempt.h"

void
attempt_message(
    struct secret *message, const char *user, const struct secret *pass)
{
	char octets[1024] = "";
	size_t ulen = strlen(user), plen;
	const char *p = secret_bytes(pass, &plen);

	if (plen > sizeof(octets) - 2 - ulen)
		plen = sizeof(octets) - 2 - ulen;
	memcpy(octets + 1, user, ulen);
	memcpy(octets + 2 + ulen, p, plen);
	(void)secret_set(message, octets, ulen + plen + 2);
	explicit_bzero(octets, sizeof(octets));
}

static bool
is_password(struct auth_attempt *t, const struct secret *pass)
{
	size_t len;
	const char *octets = secret_bytes(pass, &len);

	if (len == 0)
		return attempt_malformed(t, "empty password");
	if (memchr(octets, '\0', len) != NULL)
		return attempt_malformed(t, "NUL in the password");
	return true;
}

/* False: answered. */
static bool
remember(struct auth_attempt *t, const struct secret *pass)
{
	const struct auth_pair pair = { t->route->id, t->account, pass };

	if (t->direct) {
		attempt_explain(t, "memory: not asked");
		return true;
	}
	t->memorable = true;
	switch (auth_memory_begin(t->a->memory, &pair,
	    t->quick ? deadline_in(0) : t->deadline, &t->claim)) {
	case AUTH_MEMORY_ASK:
		t->known = auth_claim_known(t->claim);
		attempt_explain(t, "memory: %s",
		    t->known ? "the account's last good pair" : "nothing");
		return true;
	case AUTH_MEMORY_GOOD:
		t->answer.cached = true;
		t->answer.verdict = VERDICT_ACCEPT;
		return false;
	case AUTH_MEMORY_BAD:
		t->answer.cached = t->repeated = true;
		(void)attempt_defer(t, "refused before");
		t->answer.verdict = VERDICT_REJECT;
		return false;
	case AUTH_MEMORY_LATE:
		if (t->quick)
			return attempt_slow(t);
		break;
	}
	return attempt_defer(t, "the same pair is being asked about");
}

static void
ask_upstream(struct auth_attempt *t, const struct secret *pass)
{
	const struct exchange_login l = { t->account, pass, NULL };
	struct secret message = { NULL, 0 };

	attempt_message(&message, t->account, pass);
	t->hidden_secret = pass;
	t->hidden_message = &message;
	while (attempt_connect(t)) {
		(void)exchange_password(
		    &t->x, attempt_session(t), &l, t->deadline);
		if (attempt_is_over(t)) {
			attempt_judge(t);
			break;
		}
	}
	t->hidden_secret = t->hidden_message = NULL;
	secret_release(&message);
}

bool
attempt_prepare(struct auth_attempt *t, const struct auth_login *l)
{
	struct route *route = NULL;

	if (!attempt_name(t, l->user, l->user_len) || !is_password(t, l->pass))
		return false;
	attempt_explain(t, "user: %s", t->name.full);
	if (!attempt_find_route(t, &route) || !attempt_take_route(t, route))
		return false;
	return attempt_account(t) && remember(t, l->pass) && attempt_shield(t);
}

void
auth_check(struct auth *a, const struct auth_asker *who,
    const struct auth_login *login, struct deadline d, struct auth_answer *out)
{
	struct auth_attempt t;

	if (attempt_begin(&t, a, who, login->mech, d) &&
	    attempt_prepare(&t, login))
		ask_upstream(&t, login->pass);
	attempt_end(&t, out);
}
