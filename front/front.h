/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * front - one session: a client, and the MTA that it is handed on to
 *
 * The parts, each in a file of its own, work on one struct front:
 *
 *	link.c      speak to the MTA on the front's own account
 *	registry.c  speak to postern-milter, which keeps the contexts
 *	opening.c   all that happens before the client's greeting
 *	requests.c  what the client sends
 *	replies.c   what the MTA answers
 *	extensions.c, identity.c, starttls.c  the commands of the front
 *	dialogue.c  the loop that moves octets
 *
 * A command of the front is carried out only when the dialogue is quiet: all
 * that went before has been answered, and the answers have been written.
 */
#ifndef POSTERN_FRONT_FRONT_H
#define POSTERN_FRONT_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/strbuf.h"
#include "front/buffer.h"
#include "front/channel.h"
#include "front/commands.h"
#include "front/message.h"

struct conf;
struct conf_peer;
struct server_tls;

/* Bits of rights: smtp_extensions of the client's peer section. */
enum front_right {
	FRONT_XCLIENT = 1 << 0,
	FRONT_XREMOTEIP = 1 << 1,
	FRONT_XSETCONTEXT = 1 << 2,
	FRONT_XDUMPCONTEXT = 1 << 3,
	FRONT_ALWAYS_ALLOW = 1 << 4,
};

/* How the next octets of the client are to be read. */
enum front_mode {
	MODE_LINE = 0, /* a command line begins */
	MODE_REST,     /* the rest of one that is longer than the buffer */
	MODE_SKIP,     /* the same, of one that goes no further */
	MODE_AUTH,     /* an answer in an AUTH dialogue */
	MODE_DATA,     /* a message, up to its dot */
	MODE_CHUNK,    /* octets of BDAT */
	MODE_LOST,     /* the same, that go no further */
	MODE_END,      /* nothing more is taken from this client */
};

/* What a reply of the MTA's will belong to. */
enum front_pending {
	PENDING_OTHER = 0,
	PENDING_MAIL,
	PENDING_RESET,
	PENDING_HELO,
	PENDING_EHLO,
	PENDING_ASKED, /* the client's next octets depend on it */
	PENDING_CHUNK,
	PENDING_FINAL, /* of a message: dot or BDAT LAST */
};

/* Commands in flight at most: further ones wait. */
#define FRONT_PENDING_MAX 256

/* Hexadecimal digits of 128 bits, and NUL. */
#define FRONT_TOKEN_SIZE 33

/* EHLO as it is kept; longer ones are cut where they are told to others. */
#define FRONT_HELLO_MAX 512

struct front_queue {
	unsigned char v[FRONT_PENDING_MAX]; /* enum front_pending, a ring */
	size_t first;
	size_t n;
};

struct front {
	const struct conf *conf;
	const struct conf_peer *peer; /* NULL: none */
	unsigned int rights;          /* enum front_right */
	struct server_tls *tls;       /* NULL: no certificate */

	struct channel client, next;
	struct buffer up;   /* from the client */
	struct buffer down; /* from the MTA */
	struct strbuf own;  /* replies of the front, behind `down` */
	size_t own_sent;

	/* the client */
	char real[COMMAND_ADDRESS_MAX]; /* who the TCP peer is */
	unsigned int port;
	char seen[COMMAND_ADDRESS_MAX];    /* who it is taken for */
	char login[COMMAND_LOGIN_MAX + 1]; /* "": not logged in */
	char token[FRONT_TOKEN_SIZE];      /* of the milter session; "": none */

	/* the dialogue */
	enum front_mode mode;
	struct message message; /* MODE_DATA */
	uint64_t chunk;         /* octets of BDAT still to come */
	bool asked;             /* no octet passes before the next reply */
	struct front_queue queue;
	int last_code;   /* of the reply that passed last */
	bool reply_open; /* more lines of one will follow */
	bool reply_tail; /* within a line that is longer than the buffer */
	bool in_transaction;
	bool extended;      /* a command of the front has changed something */
	bool authenticated; /* by AUTH, on this session */
	bool chunking;      /* the MTA offers BDAT */
	bool must_greet;    /* EHLO has to be said anew */
	char
	    hello[FRONT_HELLO_MAX + 1]; /* EHLO or HELO as the client said it */
	char hello_said[FRONT_HELLO_MAX + 1]; /* not answered yet */
	const char *doom; /* said, and the end, as soon as it is quiet */
	bool closing;     /* the end, as soon as all is written */
	bool client_eof;
	bool next_eof;
	bool next_deaf; /* what is written to the MTA is lost */
	bool next_shut; /* the MTA was told of the client's end */
};

/* front_quiet(f): nothing is in flight, and all that was said is written. */
bool front_quiet(const struct front *f);

/* front_say(f, reply): a reply of one line, without CRLF. */
void front_say(struct front *f, const char *reply);

/* front_doom(f, reply): say this as soon as it is quiet, then close. */
void front_doom(struct front *f, const char *reply);

/* What is said when there is no going on. */
#define FRONT_NO_SERVICE "421 4.3.0 Service not available, closing connection"
#define FRONT_TIMEOUT    "421 4.4.2 Timeout, closing connection"

#endif /* POSTERN_FRONT_FRONT_H */
