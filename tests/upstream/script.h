/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script - a dialogue script, parsed
 *
 * One text file says how a scripted upstream behaves: a list of sections,
 * one per connection, each a list of steps.  README.md in this directory is
 * the reference for the format.  Read-only after script_load(); threads may
 * share it.
 */
#ifndef POSTERN_TESTS_UPSTREAM_SCRIPT_H
#define POSTERN_TESTS_UPSTREAM_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "pattern.h"

enum step_op {
	STEP_SEND,   /* S: and S-raw: text; repeat: text, count times */
	STEP_EXPECT, /* C: pattern */
	STEP_DATA,   /* data: lines up to the lone dot */
	STEP_SLEEP,  /* ms */
	STEP_QUIET,  /* ms without a byte from the client */
	STEP_HANG,   /* ms, or 0: until the client closes */
	STEP_EOF,    /* the client closes and sends nothing before */
	STEP_BYE,    /* QUIT may come, then the client closes */
	STEP_CLOSE,  /* close, with a TLS close_notify */
	STEP_CUT,    /* close without one */
	STEP_RESET,  /* close with RST */
	STEP_TLS,    /* server handshake; name, and the flags below */
	STEP_CHECK,  /* expect KEY PATTERN: a fact of the TLS session */
	STEP_LOOP,   /* cases up to the matching STEP_END */
	STEP_END,
	STEP_BREAK, /* leave the loop */
};

struct step {
	enum step_op op;
	unsigned int line; /* in the script, for messages */
	struct pattern text;
	unsigned long count; /* STEP_SEND: how often */
	unsigned int ms;
	char *name;      /* STEP_TLS: certificate; STEP_CHECK: key */
	char *client_ca; /* STEP_TLS: ask for a certificate of this CA */
	bool fails;      /* STEP_TLS: the client must refuse */
	bool old_tls;    /* STEP_TLS: TLS 1.2 at most */
};

struct section {
	unsigned int line;
	bool optional; /* need not be used */
	bool any;      /* serves every further connection */
	struct step *steps;
	size_t nsteps;
};

struct script {
	const char *file; /* borrowed */
	struct section *sections;
	size_t nsections;
};

/*
 * script_load(s, file): read and parse ${file} ("-": standard input).
 *
 * ${file} must outlive *s.  Returns 0, or -1 after a message with file and
 * line on stderr.  script_release(s) in either case.
 */
int script_load(struct script *s, const char *file);
void script_release(struct script *s);

#endif /* POSTERN_TESTS_UPSTREAM_SCRIPT_H */
