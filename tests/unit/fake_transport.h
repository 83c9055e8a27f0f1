/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_transport - an upstream inside the test, without sockets
 *
 * The test brings a function that answers one line; octets are passed in
 * memory, so nothing ever waits: where a real transport would time out, this
 * one says at once that nothing will come.  Every dial, read and write is a
 * step, counted from 1, and one of them can be made to go wrong.  One thread.
 */
#ifndef POSTERN_TESTS_FAKE_TRANSPORT_H
#define POSTERN_TESTS_FAKE_TRANSPORT_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "common/clock.h"
#include "common/endpoint.h"
#include "common/outcome.h"

struct fake;
struct transport;

/* Answer a line, which comes without its CRLF, with fake_say(). */
typedef void fake_line(struct fake *f, void *arg, const char *line);

struct fake_params {
	fake_line *line;
	void *arg;
	const char *greeting; /* with CRLF */
	SSL_CTX *tls;         /* borrowed; NULL: no TLS */
	bool implicit;        /* TLS from the first octet */
};

enum fake_fault {
	FAKE_ERROR,   /* the operation fails, and all after it */
	FAKE_EOF,     /* the other side has closed */
	FAKE_HANG,    /* nothing moves any more */
	FAKE_GARBAGE, /* a read brings octets that mean nothing, once */
	FAKE_EARLY,   /* a read brings a well-formed reply too many, once */
};

/* Ends the program when memory is short.  fake_free() comes after the last
 * transport has been freed. */
struct fake *fake_new(const struct fake_params *p);
void fake_free(struct fake *f);

/* A session_dial; arg is the struct fake. */
enum outcome fake_dial(void *arg, const struct endpoint *e, unsigned int port,
    struct deadline d, struct transport **out, struct fault *f);

void fake_say(struct fake *f, const char *text);
void fake_close(struct fake *f); /* after what has been said */

/* After what has been said, go on under TLS. */
void fake_starttls(struct fake *f);
bool fake_is_tls(const struct fake *f);

/* No read or write moves more than n octets; 0: no limit. */
void fake_chunk(struct fake *f, size_t n);

/* Take n octets more of the client's, and then no more until told again;
 * FAKE_NO_LIMIT: all. */
#define FAKE_NO_LIMIT ((size_t)-1)
void fake_take(struct fake *f, size_t n);

/* Step number n, and no other, goes wrong; 0: none. */
void fake_fail_at(struct fake *f, unsigned int n, enum fake_fault kind);
bool fake_failed(const struct fake *f); /* it has come to that */

unsigned int fake_steps(const struct fake *f);
unsigned int fake_dials(const struct fake *f);

/* Writes that carried something, since the last dial. */
unsigned int fake_writes(const struct fake *f);

#endif /* POSTERN_TESTS_FAKE_TRANSPORT_H */
