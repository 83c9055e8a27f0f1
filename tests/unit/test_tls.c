/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS over real sockets, against a server on a thread of this program. */
#include "common/tls.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/transport.h"
#include "tests/unit/certs.h"

static struct {
	struct cert ca, other_ca;
	struct cert good, expired, other_name, stranger, literal, client;
	char dir[64];
	char ca_file[96], client_file[96], bad_file[96], key_file[96];
} pki;

/* The server: one handshake on its end of a socket pair, then "hi" and the
 * end. */
struct server {
	SSL_CTX *ctx;
	int fd;
	bool silent; /* it takes everything and says nothing */
};

static void *
serve(void *arg)
{
	struct server *sv = arg;
	SSL *ssl = SSL_new(sv->ctx);
	char buf[256];
	sigset_t pipe;
	int n;

	/* OpenSSL's own socket BIO raises SIGPIPE.  Blocked on this thread
	 * alone: the client's must not need that. */
	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	if (sv->silent) {
		while (read(sv->fd, buf, sizeof(buf)) > 0)
			continue;
	} else if (ssl != NULL && SSL_set_fd(ssl, sv->fd) == 1 &&
	    SSL_accept(ssl) == 1) {
		(void)SSL_write(ssl, "hi", 2);
		/* Until the client goes, so that nobody writes to nobody. */
		do {
			n = SSL_read(ssl, buf, sizeof(buf));
		} while (n > 0);
	}
	SSL_free(ssl);
	(void)close(sv->fd);
	return NULL;
}

struct attempt {
	enum outcome oc;
	struct tls_info info;
	struct fault f;
	int64_t took_ms;
	bool reads; /* "hi" came */
};

static bool
read_hi(struct transport *t)
{
	struct fault f;
	char buf[8];
	ssize_t n;

	for (;;) {
		n = t->ops->read(t, buf, sizeof(buf), &f);
		if (n == 2)
			return memcmp(buf, "hi", 2) == 0;
		if (n != TRANSPORT_WAIT ||
		    !transport_poll(t, deadline_in(30000)))
			return false;
	}
}

/* Safe on any thread: says what happened, asserts nothing. */
static struct attempt
attempt(struct tls_client *c, SSL_CTX *ctx, const char *name, bool verify,
    bool silent)
{
	struct attempt a = { .oc = OUTCOME_TEMP };
	struct server sv = { .ctx = ctx, .silent = silent };
	struct tls_start_params p = {
		.key = "mx.example.org:25",
		.name = name,
		.verify = verify,
		.deadline = deadline_in(silent ? 200 : 30000),
	};
	struct transport *t;
	pthread_t thread;
	int pair[2];
	int64_t begun = clock_ms();

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return a;
	sv.fd = pair[1];
	(void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
	t = transport_socket(pair[0]);
	if (t == NULL || pthread_create(&thread, NULL, serve, &sv) != 0) {
		transport_free(t);
		(void)close(pair[1]);
		return a;
	}
	a.oc = tls_start(c, &p, &t, &a.info, &a.f);
	if (a.oc == OUTCOME_OK)
		a.reads = read_hi(t);
	transport_free(t);
	(void)pthread_join(thread, NULL);
	a.took_ms = clock_ms() - begun;
	return a;
}

static struct tls_client *
client_of(struct conf_upstream *up)
{
	char why[256];
	struct tls_client *c = tls_client_new(up, why, sizeof(why));

	if (c == NULL)
		fail_msg("%s", why);
	return c;
}

static struct tls_client *
trusting(void)
{
	struct conf_upstream up = { .tls_ca_file = pki.ca_file };

	return client_of(&up);
}

static void
assert_ok(const struct attempt *a)
{
	if (a->oc != OUTCOME_OK)
		fail_msg("%s", a->f.text);
	assert_true(a->info.active);
	assert_true(a->reads);
}

static void
assert_refused(const struct attempt *a, const char *text)
{
	assert_int_equal(a->oc, OUTCOME_TEMP);
	assert_int_equal(a->f.origin, FAULT_CONNECTION);
	assert_int_equal(a->f.code, 0);
	if (strstr(a->f.text, text) == NULL)
		fail_msg("\"%s\" has no \"%s\"", a->f.text, text);
	assert_false(a->info.active);
}

/* One handshake with a fresh client. */
static struct attempt
once(const struct cert *cert, const char *name, bool verify)
{
	struct tls_client *c = trusting();
	SSL_CTX *ctx = cert_server(cert, NULL);
	struct attempt a = attempt(c, ctx, name, verify, false);

	SSL_CTX_free(ctx);
	tls_client_unref(c);
	return a;
}

static void
test_verified(void **state)
{
	struct attempt a = once(&pki.good, "mx.example.org", true);

	(void)state;
	assert_ok(&a);
	assert_true(a.info.verified);
	assert_false(a.info.resumed);
	assert_string_equal(a.info.protocol, "TLSv1.3");
	assert_true(a.info.cipher[0] != '\0');
	a = once(&pki.literal, "192.0.2.1", true);
	assert_ok(&a);
	assert_true(a.info.verified);
	a = once(&pki.literal, "2001:db8::1", true);
	assert_ok(&a);
	assert_true(a.info.verified);
}

static void
test_not_verified(void **state)
{
	static const struct {
		const struct cert *cert;
		const char *name, *text;
	} rows[] = {
		{ &pki.expired, "mx.example.org", "expired" },
		{ &pki.other_name, "mx.example.org", "ostname mismatch" },
		{ &pki.stranger, "mx.example.org", "issuer" },
		{ &pki.good, "192.0.2.1", "IP address mismatch" },
		{ &pki.literal, "192.0.2.2", "IP address mismatch" },
	};
	struct attempt a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a = once(rows[i].cert, rows[i].name, true);
		assert_refused(&a, rows[i].text);
		assert_non_null(strstr(a.f.text, rows[i].name));
		/* Where nothing is promised it is used, and said. */
		a = once(rows[i].cert, rows[i].name, false);
		assert_ok(&a);
		assert_false(a.info.verified);
	}
	a = once(&pki.good, "mx.example.org", false);
	assert_ok(&a);
	assert_true(a.info.verified);
}

/* OpenSSL takes an empty name for any name; we do not. */
static void
test_no_name(void **state)
{
	struct attempt a = once(&pki.good, "", true);

	(void)state;
	assert_int_equal(a.oc, OUTCOME_TEMP);
	assert_int_equal(a.f.origin, FAULT_LOCAL);
	a = once(&pki.good, "", false);
	assert_ok(&a);
	assert_false(a.info.verified);
}

static void
test_client_cert(void **state)
{
	struct conf_upstream up = {
		.tls_ca_file = pki.ca_file,
		.tls_cert_file = pki.client_file,
	};
	struct tls_client *with = client_of(&up), *without = trusting();
	SSL_CTX *ctx = cert_server(&pki.good, &pki.ca);
	struct attempt a;

	(void)state;
	a = attempt(with, ctx, "mx.example.org", true, false);
	assert_ok(&a);
	/* TLS 1.3 tells the client on its first read. */
	a = attempt(without, ctx, "mx.example.org", true, false);
	assert_false(a.reads);
	SSL_CTX_free(ctx);
	tls_client_unref(with);
	tls_client_unref(without);
}

static void
test_oldest_version(void **state)
{
	struct conf_upstream up = {
		.tls_ca_file = pki.ca_file,
		.tls_min_protocol = TLS_PROTOCOL_1_3,
	};
	struct tls_client *c12 = trusting(), *c13 = client_of(&up);
	SSL_CTX *ctx = cert_server(&pki.good, NULL);
	struct attempt a;

	(void)state;
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
	a = attempt(c12, ctx, "mx.example.org", true, false);
	assert_ok(&a);
	assert_string_equal(a.info.protocol, "TLSv1.2");
	a = attempt(c13, ctx, "mx.example.org", true, false);
	assert_refused(&a, "protocol version");
	/* Older than 1.2 is never spoken, whatever the system allows. */
	SSL_CTX_set_security_level(ctx, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, 0), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION), 1);
	a = attempt(c12, ctx, "mx.example.org", true, false);
	assert_int_equal(a.oc, OUTCOME_TEMP);
	SSL_CTX_free(ctx);
	tls_client_unref(c12);
	tls_client_unref(c13);
}

static void
check_resumes(int max_version, const char *protocol)
{
	struct tls_client *c = trusting();
	SSL_CTX *ctx = cert_server(&pki.good, NULL);
	struct attempt a;
	int i;

	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, max_version), 1);
	for (i = 0; i < 5; i++) {
		a = attempt(c, ctx, "mx.example.org", true, false);
		assert_ok(&a);
		assert_string_equal(a.info.protocol, protocol);
		assert_true(a.info.verified);
		assert_int_equal(a.info.resumed, i > 0);
	}
	SSL_CTX_free(ctx);
	tls_client_unref(c);
}

static void
test_resumption(void **state)
{
	(void)state;
	check_resumes(TLS1_2_VERSION, "TLSv1.2");
	check_resumes(TLS1_3_VERSION, "TLSv1.3");
}

/* A resumed session is not verified again: one that was not verified, or for
 * another name, must never be resumed where verification is due. */
static void
test_ticket_holds_policy(void **state)
{
	struct tls_client *c = trusting();
	SSL_CTX *wrong = cert_server(&pki.other_name, NULL);
	SSL_CTX *stranger = cert_server(&pki.stranger, NULL);
	struct attempt a;

	(void)state;
	a = attempt(c, stranger, "mx.example.org", false, false);
	assert_ok(&a);
	a = attempt(c, stranger, "mx.example.org", false, false);
	assert_ok(&a);
	assert_true(a.info.resumed);
	assert_false(a.info.verified);
	a = attempt(c, stranger, "mx.example.org", true, false);
	assert_refused(&a, "issuer");

	a = attempt(c, wrong, "elsewhere.example.net", true, false);
	assert_ok(&a);
	a = attempt(c, wrong, "elsewhere.example.net", true, false);
	assert_ok(&a);
	assert_true(a.info.resumed);
	a = attempt(c, wrong, "mx.example.org", true, false);
	assert_refused(&a, "ostname mismatch");
	SSL_CTX_free(wrong);
	SSL_CTX_free(stranger);
	tls_client_unref(c);
}

static void
test_silence(void **state)
{
	struct tls_client *c = trusting();
	SSL_CTX *ctx = cert_server(&pki.good, NULL);
	struct attempt a = attempt(c, ctx, "mx.example.org", true, true);

	(void)state;
	assert_refused(&a, "timed out");
	assert_true(a.took_ms < 10000);
	SSL_CTX_free(ctx);
	tls_client_unref(c);
}

/* One client, many threads. */
struct crowd {
	struct tls_client *c;
	SSL_CTX *ctx;
	int ok, resumed;
};

static void *
crowd_member(void *arg)
{
	struct crowd *cr = arg;
	struct attempt a;
	int i;

	for (i = 0; i < 10; i++) {
		a = attempt(cr->c, cr->ctx, "mx.example.org", true, false);
		cr->ok += a.oc == OUTCOME_OK && a.reads && a.info.verified;
		cr->resumed += a.info.resumed;
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct tls_client *c = trusting();
	SSL_CTX *ctx = cert_server(&pki.good, NULL);
	struct crowd crowd[4];
	pthread_t threads[4];
	size_t i;
	int resumed = 0;

	(void)state;
	for (i = 0; i < 4; i++) {
		crowd[i] = (struct crowd){ .c = tls_client_ref(c), .ctx = ctx };
		assert_int_equal(
		    pthread_create(&threads[i], NULL, crowd_member, &crowd[i]),
		    0);
	}
	for (i = 0; i < 4; i++) {
		(void)pthread_join(threads[i], NULL);
		assert_int_equal(crowd[i].ok, 10);
		resumed += crowd[i].resumed;
		tls_client_unref(crowd[i].c);
	}
	/* Not all: a session that one of them is done with may be marked so
	 * while another has it.  That costs a handshake and nothing else. */
	assert_true(resumed >= 10);
	SSL_CTX_free(ctx);
	tls_client_unref(c);
}

/* What is wrong with an option is told with its file. */
static void
test_bad_options(void **state)
{
	char missing[] = "/nonexistent/ca.pem";
	char no_dir[] = "/nonexistent/dir";

	const struct {
		struct conf_upstream up;
		const char *option, *file;
	} rows[] = {
		{ { .tls_ca_file = missing }, "tls_ca_file", missing },
		{ { .tls_ca_file = pki.bad_file }, "tls_ca_file",
		    pki.bad_file },
		{ { .tls_ca_path = no_dir }, "tls_ca_path", no_dir },
		{ { .tls_ca_path = pki.ca_file }, "tls_ca_path", pki.ca_file },
		{ { .tls_cert_file = missing }, "tls_cert_file", missing },
		{ { .tls_cert_file = pki.ca_file }, "tls_key_file",
		    pki.ca_file },
		{ { .tls_cert_file = pki.client_file,
		      .tls_key_file = pki.key_file },
		    "tls_key_file", pki.key_file },
		{ { .tls_key_file = pki.key_file }, "tls_key_file",
		    pki.key_file },
	};

	char why[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		why[0] = '\0';
		assert_null(tls_client_new(&rows[i].up, why, sizeof(why)));
		if (strstr(why, rows[i].option) == NULL ||
		    strstr(why, rows[i].file) == NULL)
			fail_msg("row %zu: \"%s\"", i, why);
		if (rows[i].file == missing &&
		    strstr(why, "No such file") == NULL)
			fail_msg("row %zu: \"%s\"", i, why);
	}
	tls_client_unref(NULL);
}

static void
test_system_store(void **state)
{
	struct conf_upstream up = { 0 };
	struct tls_client *c = client_of(&up);
	SSL_CTX *ctx = cert_server(&pki.good, NULL);
	struct attempt a = attempt(c, ctx, "mx.example.org", true, false);

	(void)state;
	assert_refused(&a, "certificate of mx.example.org");
	SSL_CTX_free(ctx);
	tls_client_unref(c);
}

static void
make_certs(void)
{
	static const char mx[] = "DNS:mx.example.org";
	const struct cert_params ca = { "authority", NULL, NULL, -1, 10 };
	const struct cert_params other = { "other", NULL, NULL, -1, 10 };
	struct cert_params p = { "test", mx, &pki.ca, -1, 10 };

	cert_init(&pki.ca, &ca);
	cert_init(&pki.other_ca, &other);
	cert_init(&pki.good, &p);
	p.issuer = &pki.other_ca;
	cert_init(&pki.stranger, &p);
	p.issuer = &pki.ca;
	p.from_days = -10;
	p.to_days = -1;
	cert_init(&pki.expired, &p);
	p.to_days = 10;
	p.names = "DNS:elsewhere.example.net";
	cert_init(&pki.other_name, &p);
	p.names = "IP:192.0.2.1,IP:2001:db8::1";
	cert_init(&pki.literal, &p);
	p.names = NULL;
	cert_init(&pki.client, &p);
}

static void
make_file(char *path, size_t size, const char *name)
{
	(void)snprintf(path, size, "%s/%s", pki.dir, name);
}

static int
setup(void **state)
{
	FILE *fp;

	(void)state;
	make_certs();
	(void)snprintf(pki.dir, sizeof(pki.dir), "/tmp/postern-tls-XXXXXX");
	if (mkdtemp(pki.dir) == NULL)
		return -1;
	make_file(pki.ca_file, sizeof(pki.ca_file), "ca.pem");
	make_file(pki.client_file, sizeof(pki.client_file), "client.pem");
	make_file(pki.bad_file, sizeof(pki.bad_file), "bad.pem");
	make_file(pki.key_file, sizeof(pki.key_file), "key.pem");
	cert_write(&pki.ca, pki.ca_file, false);
	cert_write(&pki.client, pki.client_file, true);
	cert_write(&pki.good, pki.key_file, true);
	fp = fopen(pki.bad_file, "w");
	if (fp == NULL)
		return -1;
	(void)fputs("no certificate at all\n", fp);
	return fclose(fp);
}

static int
teardown(void **state)
{
	struct cert *all[] = { &pki.ca, &pki.other_ca, &pki.good, &pki.stranger,
		&pki.expired, &pki.other_name, &pki.literal, &pki.client };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		cert_release(all[i]);
	(void)unlink(pki.ca_file);
	(void)unlink(pki.client_file);
	(void)unlink(pki.bad_file);
	(void)unlink(pki.key_file);
	return rmdir(pki.dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verified),
		cmocka_unit_test(test_not_verified),
		cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_client_cert),
		cmocka_unit_test(test_oldest_version),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_ticket_holds_policy),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_system_store),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
