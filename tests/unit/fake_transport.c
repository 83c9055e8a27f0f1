/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_transport.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/transport.h"

#define FAKE_BUFFER (256 * 1024)

/* Beyond this a client runs in circles. */
#define FAKE_STEPS_MAX 1000000

struct octets {
	char data[FAKE_BUFFER];
	size_t len;
};

struct fake {
	struct transport base; /* of the one connection there is at a time */
	struct fake_params p;
	struct octets out;  /* on their way to the client */
	struct octets line; /* of the client's, not yet a line */
	SSL *ssl;           /* under TLS; its BIOs are buffers */
	bool start_tls;     /* as soon as the answer is out */
	bool closed;
	bool broken, hung, eof; /* by fake_fail_at() */
	bool failed;
	unsigned int fail_at;
	enum fake_fault kind;
	unsigned int steps, dials, writes;
	size_t chunk;
	size_t take; /* octets that may still be written */
};

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "fake_transport: %s\n", what);
	abort();
}

static void
octets_add(struct octets *o, const void *data, size_t len)
{
	must(len <= sizeof(o->data) - o->len, "buffer full");
	memcpy(o->data + o->len, data, len);
	o->len += len;
}

static void
octets_drop(struct octets *o, size_t n)
{
	o->len -= n;
	memmove(o->data, o->data + n, o->len);
}

/* What TLS has made goes to the client. */
static void
drain_tls(struct fake *f)
{
	char buf[4096];
	int n;

	while ((n = BIO_read(SSL_get_wbio(f->ssl), buf, sizeof(buf))) > 0)
		octets_add(&f->out, buf, (size_t)n);
}

static void
tls_begin(struct fake *f)
{
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

	f->start_tls = false;
	f->ssl = SSL_new(f->p.tls);
	must(f->ssl != NULL && in != NULL && out != NULL, "TLS");
	(void)BIO_set_mem_eof_return(in, -1);
	(void)BIO_set_mem_eof_return(out, -1);
	SSL_set_bio(f->ssl, in, out);
	SSL_set_accept_state(f->ssl);
}

void
fake_say(struct fake *f, const char *text)
{
	if (f->closed)
		return;
	if (f->ssl == NULL) {
		octets_add(&f->out, text, strlen(text));
		return;
	}
	(void)SSL_write(f->ssl, text, (int)strlen(text));
	drain_tls(f);
}

void
fake_close(struct fake *f)
{
	f->closed = true;
}

void
fake_starttls(struct fake *f)
{
	f->start_tls = true;
}

bool
fake_is_tls(const struct fake *f)
{
	return f->ssl != NULL;
}

static void
take_lines(struct fake *f)
{
	char *lf;
	size_t len;

	while ((lf = memchr(f->line.data, '\n', f->line.len)) != NULL) {
		len = (size_t)(lf - f->line.data) + 1;
		must(len >= 2 && lf[-1] == '\r', "a line without CRLF");
		lf[-1] = '\0';
		f->p.line(f, f->p.arg, f->line.data);
		octets_drop(&f->line, len);
		if (f->start_tls)
			tls_begin(f);
	}
}

/* Octets of the client have come. */
static void
receive(struct fake *f, const void *buf, size_t len)
{
	char plain[4096];
	int n;
	bool fresh;

	if (f->ssl == NULL) {
		octets_add(&f->line, buf, len);
		take_lines(f);
		return;
	}
	fresh = SSL_is_init_finished(f->ssl) == 0;
	(void)BIO_write(SSL_get_rbio(f->ssl), buf, (int)len);
	while ((n = SSL_read(f->ssl, plain, sizeof(plain))) > 0) {
		octets_add(&f->line, plain, (size_t)n);
		take_lines(f);
	}
	if (fresh && SSL_is_init_finished(f->ssl) && f->p.implicit)
		fake_say(f, f->p.greeting);
	drain_tls(f);
}

/* Count a step; true when it is the one that goes wrong. */
static bool
step(struct fake *f)
{
	must(++f->steps < FAKE_STEPS_MAX, "the client runs in circles");
	if (f->steps != f->fail_at)
		return false;
	f->failed = true;
	return true;
}

static void
go_wrong(struct fake *f, bool reading)
{
	struct octets *o = &f->out;
	const char *extra =
	    f->kind == FAKE_EARLY ? "250 early\r\n" : "\x15\xff?\x01 ?\r\n";
	size_t len = strlen(extra);

	switch (f->kind) {
	case FAKE_ERROR:
		f->broken = true;
		break;
	case FAKE_EOF:
		f->eof = true;
		break;
	case FAKE_HANG:
		f->hung = true;
		break;
	case FAKE_GARBAGE:
	case FAKE_EARLY:
		if (!reading) {
			f->failed = false;
			break;
		}
		must(len <= sizeof(o->data) - o->len, "buffer full");
		memmove(o->data + len, o->data, o->len);
		memcpy(o->data, extra, len);
		o->len += len;
		break;
	}
}

static ssize_t
stuck(struct fake *f, short events, struct fault *fault)
{
	if (f->broken) {
		fault_set(fault, FAULT_CONNECTION, "injected error");
		return TRANSPORT_FAIL;
	}
	f->base.events = events;
	return TRANSPORT_WAIT;
}

static size_t
at_most(const struct fake *f, size_t len)
{
	return f->chunk != 0 && len > f->chunk ? f->chunk : len;
}

static ssize_t
fake_read(struct transport *t, void *buf, size_t len, struct fault *fault)
{
	struct fake *f = (struct fake *)t;

	if (step(f))
		go_wrong(f, true);
	if (f->eof)
		return TRANSPORT_EOF;
	if (f->broken || f->hung)
		return stuck(f, POLLIN, fault);
	if (f->out.len == 0)
		return f->closed ? TRANSPORT_EOF : stuck(f, POLLIN, fault);
	len = at_most(f, len);
	if (len > f->out.len)
		len = f->out.len;
	memcpy(buf, f->out.data, len);
	octets_drop(&f->out, len);
	return (ssize_t)len;
}

static ssize_t
fake_write(
    struct transport *t, const void *buf, size_t len, struct fault *fault)
{
	struct fake *f = (struct fake *)t;

	if (step(f))
		go_wrong(f, false);
	if (f->eof)
		f->broken = true;
	if (f->broken || f->hung)
		return stuck(f, POLLOUT, fault);
	if (f->take == 0)
		return stuck(f, POLLOUT, fault);
	len = at_most(f, len);
	if (len > f->take)
		len = f->take;
	if (f->take != FAKE_NO_LIMIT)
		f->take -= len;
	f->writes++;
	receive(f, buf, len);
	return (ssize_t)len;
}

static bool
fake_poll(const struct transport *t, struct deadline d)
{
	const struct fake *f = (const struct fake *)t;

	(void)d;
	if (f->broken || f->eof)
		return true;
	if (f->hung)
		return false;
	return ((t->events & POLLOUT) != 0 && f->take > 0) || f->out.len > 0 ||
	    f->closed;
}

static void
connection_end(struct fake *f)
{
	SSL_free(f->ssl);
	f->ssl = NULL;
	f->out.len = 0;
	f->line.len = 0;
	f->start_tls = f->closed = f->broken = f->hung = f->eof = false;
	f->writes = 0;
}

static void
fake_release(struct transport *t)
{
	connection_end((struct fake *)t);
}

static const struct transport_ops fake_ops = {
	.read = fake_read,
	.write = fake_write,
	.free = fake_release,
	.poll = fake_poll,
};

struct fake *
fake_new(const struct fake_params *p)
{
	struct fake *f = calloc(1, sizeof(*f));

	must(f != NULL, "out of memory");
	f->p = *p;
	f->take = FAKE_NO_LIMIT;
	return f;
}

void
fake_free(struct fake *f)
{
	if (f != NULL)
		connection_end(f);
	free(f);
}

enum outcome
fake_dial(void *arg, const struct endpoint *e, unsigned int port,
    struct deadline d, struct transport **out, struct fault *fault)
{
	struct fake *f = arg;

	(void)e;
	(void)port;
	(void)d;
	*out = NULL;
	f->dials++;
	if (step(f)) {
		f->failed = f->kind != FAKE_GARBAGE && f->kind != FAKE_EARLY;
		if (f->failed) {
			fault_set(fault, FAULT_CONNECTION, "injected error");
			return OUTCOME_TEMP;
		}
	}
	f->base.ops = &fake_ops;
	f->base.fd = -1;
	f->base.events = POLLIN;
	if (f->p.implicit)
		tls_begin(f);
	else
		fake_say(f, f->p.greeting);
	*out = &f->base;
	return OUTCOME_OK;
}

void
fake_take(struct fake *f, size_t n)
{
	f->take = n;
}

void
fake_chunk(struct fake *f, size_t n)
{
	f->chunk = n;
}

void
fake_fail_at(struct fake *f, unsigned int n, enum fake_fault kind)
{
	f->fail_at = n;
	f->kind = kind;
	f->failed = false;
	f->steps = 0;
	f->dials = 0;
}

bool
fake_failed(const struct fake *f)
{
	return f->failed;
}

unsigned int
fake_steps(const struct fake *f)
{
	return f->steps;
}

unsigned int
fake_dials(const struct fake *f)
{
	return f->dials;
}

unsigned int
fake_writes(const struct fake *f)
{
	return f->writes;
}
