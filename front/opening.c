/* SPDX-License-Identifier: BSD-2-Clause */
#include "front/opening.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/conf.h"
#include "common/reply.h"
#include "common/strbuf.h"
#include "front/front.h"
#include "front/identity.h"
#include "front/link.h"
#include "front/registry.h"

/* Shorter than a client waits for a greeting (RFC 5321 section 4.5.3.2.1), and
 * than the milter keeps a token that nobody has said. */
#define OPENING_MS 30000

static unsigned int
rights_of(const struct conf_peer *peer)
{
	static const struct {
		const char *name;
		unsigned int right;
	} table[] = {
		{ "XCLIENT", FRONT_XCLIENT },
		{ "XREMOTEIP", FRONT_XREMOTEIP },
		{ "XSETCONTEXT", FRONT_XSETCONTEXT },
		{ "XDUMPCONTEXT", FRONT_XDUMPCONTEXT },
		{ "ALWAYS-ALLOW", FRONT_ALWAYS_ALLOW },
	};

	unsigned int rights = 0;
	size_t i, j;

	for (i = 0; peer != NULL && i < peer->smtp_extensions.n; i++)
		for (j = 0; j < sizeof(table) / sizeof(table[0]); j++)
			if (strcasecmp(
				peer->smtp_extensions.v[i], table[j].name) == 0)
				rights |= table[j].right;
	return rights;
}

bool
opening_peer(struct front *f, int fd)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage room;
	} u;

	socklen_t len = sizeof(u);
	char text[INET6_ADDRSTRLEN];
	const void *addr = &u.in6.sin6_addr;
	int one = 1;

	memset(&u, 0, sizeof(u));
	if (getpeername(fd, &u.sa, &len) != 0)
		return false;
	if (u.sa.sa_family == AF_INET)
		addr = &u.in.sin_addr;
	else if (u.sa.sa_family != AF_INET6)
		return false;
	f->port =
	    ntohs(u.sa.sa_family == AF_INET ? u.in.sin_port : u.in6.sin6_port);
	if (inet_ntop(u.sa.sa_family, addr, text, sizeof(text)) == NULL ||
	    !command_address(text, strlen(text), f->real))
		return false;
	memcpy(f->seen, f->real, sizeof(f->seen));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	f->peer = conf_peer_find(f->conf, f->real);
	f->rights = rights_of(f->peer);
	if (f->rights & FRONT_ALWAYS_ALLOW)
		(void)snprintf(f->login, sizeof(f->login), "anonymous");
	return true;
}

/* From here on the MTA knows whom it speaks to. */
static bool
say_who(struct front *f, struct deadline d, char *why, size_t len)
{
	struct strbuf line;
	struct reply r;
	bool ok;

	strbuf_init(&line, FRONT_HELLO_MAX);
	identity_line(&line, f->real, f->port, f->login);
	ok = strbuf_ok(&line) && link_ask(f, strbuf_str(&line), d, &r, NULL);
	strbuf_release(&line);
	if (ok && r.code == 220)
		return true;
	(void)snprintf(why, len,
	    "front.next: XCLIENT is not taken%s%.200s: "
	    "smtpd_authorized_xclient_hosts",
	    ok ? ": " : "", ok ? r.text : "");
	return false;
}

static bool
register_session(struct front *f, struct deadline d, char *why, size_t len)
{
	char token[FRONT_TOKEN_SIZE];

	if (!registry_token(f->token)) {
		(void)snprintf(why, len, "no random numbers");
		return false;
	}
	if (registry_begin(f, why, len) != REGISTRY_OK)
		return false;
	if (f->conf->front.xclient != CONF_FRONT_XCLIENT_NO &&
	    !say_who(f, d, why, len))
		return false;
	memcpy(token, f->token, sizeof(token));
	return identity_tie(f, token, d, why, len);
}

bool
opening_do(struct front *f, char *why, size_t len)
{
	struct deadline d = deadline_in(OPENING_MS);
	struct strbuf greeting;
	struct reply r;
	bool ok = false;

	strbuf_init(&greeting, BUFFER_SIZE);
	if (!link_connect(f, d, why, len))
		goto done;
	if (!link_reply(f, d, &r, &greeting)) {
		(void)snprintf(why, len, "front.next: no greeting");
		goto done;
	}
	if (r.code != 220) {
		(void)snprintf(why, len, "front.next: greets with %d %.200s",
		    r.code, r.text);
		goto done;
	}
	if (!register_session(f, d, why, len))
		goto done;
	ok = strbuf_add(&f->own, strbuf_str(&greeting), greeting.len);
done:
	strbuf_release(&greeting);
	return ok;
}
