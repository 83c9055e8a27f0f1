/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve - one protocol on the sockets of postern-authd
 *
 * What authd_serve.h needs to know of it.  look(), say() and refuse() run on
 * the one thread that owns connections, and must not block; answer() and end()
 * on a worker, but for answer() with `quick'.
 *
 * A connection is one login; or, with a protocol that has idle_ms, it stays,
 * and carries one request after the other.  Logins wait for each other's
 * answers, the steps of a dialogue as well; look-ups need not.
 */
#ifndef POSTERN_SASLAUTH_PLUGIN_SERVE_H
#define POSTERN_SASLAUTH_PLUGIN_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/auth.h"
#include "common/outbound.h"

enum serve_seen {
	SERVE_BAD = -1, /* no request: hang up */
	SERVE_PART,     /* wait for more */
	SERVE_PERHAPS,  /* whole, unless more comes at once */
	SERVE_WHOLE,    /* others may follow a look-up */
};

/* A request, and what becomes of it. */
struct serve_call {
	struct auth *auth;            /* or */
	struct outbound *outbound;    /* what the protocol is for */
	const unsigned char *request; /* whole */
	size_t len;
	struct deadline until; /* of the login, or of this request */
	void **dialogue; /* the protocol's own between requests; NULL first */
	/* Not NULL: answer() must not block, and may set it to what is then
	 * waited for, unless it is a look-up. */
	struct auth_quick **quick;

	/* All zero when answer() is called. */
	bool slow;  /* it would block: a worker is to do it, from the start */
	bool later; /* the reply is what say() makes of *quick's answer */
	unsigned char *reply; /* for free(); NULL: hang up without one */
	size_t reply_len;
	bool more;         /* another request may follow it */
	int64_t hold_ms;   /* how long to hold it back */
	const char *fault; /* the request makes no sense; constant text */
};

struct serve_protocol {
	const char *name, *requests; /* for the log */
	size_t max;                  /* octets of the longest request */
	int64_t idle_ms;             /* between requests; 0: it is one login */
	/* Requests are look-ups: they have workers and a share of the
	 * connections of their own, and may stand behind each other. */
	bool lookups;

	enum serve_seen (*look)(
	    const unsigned char *buf, size_t len, const char **why);
	void (*answer)(struct serve_call *c);
	/* Octets of the first of them, with SERVE_WHOLE; NULL: all are. */
	size_t (*first)(const unsigned char *buf, size_t len);
	/* What auth.h has said of a name and a password; NULL: never asked. */
	void (*say)(struct serve_call *c, const struct auth_answer *a);
	/* Say that it cannot be told, for this reason. */
	void (*refuse)(struct serve_call *c, const char *reason);
	/* The reply to what is no request, before we hang up.  NULL: none. */
	void (*bad)(struct serve_call *c, const char *why);
	/* The dialogue is over, whatever stage it is in; unless answer() has
	 * ended it, and set it to NULL.  NULL: there are none. */
	void (*end)(void *dialogue);
};

/* serve_check(c, p, who, login): put it to auth.h, have p say what that
 * says.  For answer(). */
void serve_check(struct serve_call *c, const struct serve_protocol *p,
    const struct auth_asker *who, const struct auth_login *login);

/* serve_text(data, len, out, size): octets of a request as a string.  False
 * when they do not fit, or a NUL is among them. */
bool serve_text(const void *data, size_t len, char *out, size_t size);

extern const struct serve_protocol wire_protocol;
extern const struct serve_protocol saslauthd_protocol;
extern const struct serve_protocol socketmap_protocol;

#endif /* POSTERN_SASLAUTH_PLUGIN_SERVE_H */
