/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/serve.h"

void
serve_check(struct serve_call *c, const struct serve_protocol *p,
    const struct auth_asker *who, const struct auth_login *login)
{
	struct auth_answer a = { 0 };

	if (c->quick == NULL) {
		auth_check(c->auth, who, login, c->until, &a);
		p->say(c, &a);
		return;
	}
	switch (auth_quick(c->auth, who, login, c->until, c->quick, &a)) {
	case AUTH_QUICK_SLOW:
		c->slow = true;
		break;
	case AUTH_QUICK_WAIT:
		c->later = true;
		break;
	case AUTH_QUICK_ANSWERED:
		p->say(c, &a);
		break;
	}
}
