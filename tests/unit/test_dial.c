/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dialling: real sockets on loopback, and names that this program itself
 * resolves.
 */
#include "common/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "common/transport.h"

#define SLOW_MS 4000

static char sockdir[64];
static atomic_uint lookups; /* of names that have addresses */

/* Only what libcurl asks for; freeaddrinfo() of the C library releases it. */
static struct addrinfo *
one_address(const char *text, const char *service)
{
	struct addrinfo *ai =
	    calloc(1, sizeof(*ai) + sizeof(struct sockaddr_in));
	struct sockaddr_in *sin;

	if (ai == NULL)
		return NULL;
	sin = (struct sockaddr_in *)(void *)(ai + 1);
	sin->sin_family = AF_INET;
	sin->sin_port = htons((uint16_t)strtoul(service, NULL, 10));
	(void)inet_pton(AF_INET, text, &sin->sin_addr);
	ai->ai_family = AF_INET;
	ai->ai_socktype = SOCK_STREAM;
	ai->ai_protocol = IPPROTO_TCP;
	ai->ai_addr = (struct sockaddr *)sin;
	ai->ai_addrlen = sizeof(*sin);
	return ai;
}

/* Stands before the C library's getaddrinfo(). */
int resolve(const char *name, const char *service, const struct addrinfo *hints,
    struct addrinfo **res) __asm__("getaddrinfo")
    __attribute__((visibility("default")));

int
resolve(const char *name, const char *service, const struct addrinfo *hints,
    struct addrinfo **res)
{
	(void)hints;
	*res = NULL;
	if (strcmp(name, "slow.example.org") == 0) {
		(void)poll(NULL, 0, SLOW_MS);
		return EAI_AGAIN;
	}
	if (strcmp(name, "nowhere.example.org") == 0)
		return EAI_NONAME;
	if (strcmp(name, "broken.example.org") == 0)
		return EAI_AGAIN;
	atomic_fetch_add(&lookups, 1);
	*res = one_address("127.0.0.2", service);
	if (*res != NULL)
		(*res)->ai_next = one_address("127.0.0.1", service);
	return *res != NULL ? 0 : EAI_MEMORY;
}

/* A listener on 127.0.0.1; nothing listens on 127.0.0.2. */
static int
listen_inet(unsigned int *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

static int
listen_unix(const char *name, struct endpoint *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	(void)snprintf(
	    sun.sun_path, sizeof(sun.sun_path), "%s/%s", sockdir, name);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 0), 0);
	memset(e, 0, sizeof(*e));
	e->kind = ENDPOINT_UNIX;
	(void)snprintf(e->host, sizeof(e->host), "%s", sun.sun_path);
	return fd;
}

static struct endpoint
endpoint(const char *text)
{
	struct endpoint e;

	assert_true(endpoint_parse(text, &e, NULL));
	return e;
}

/* Send one octet each way. */
static void
check_stream(struct transport *t, int listener)
{
	struct fault f;
	char c = 'x';
	int peer = accept(listener, NULL, NULL);

	assert_int_not_equal(peer, -1);
	assert_int_equal(fcntl(t->fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fcntl(t->fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(t->ops->read(t, &c, 1, &f), TRANSPORT_WAIT);
	assert_int_equal(t->events, POLLIN);
	assert_false(transport_poll(t, deadline_in(10)));
	assert_int_equal(t->ops->write(t, "y", 1, &f), 1);
	assert_int_equal(read(peer, &c, 1), 1);
	assert_int_equal(c, 'y');
	assert_int_equal(write(peer, "z", 1), 1);
	assert_true(transport_poll(t, deadline_in(20000)));
	assert_int_equal(t->ops->read(t, &c, 1, &f), 1);
	assert_int_equal(c, 'z');
	(void)close(peer);
	assert_true(transport_poll(t, deadline_in(20000)));
	assert_int_equal(t->ops->read(t, &c, 1, &f), TRANSPORT_EOF);
}

static void
check_dial(const struct endpoint *e, unsigned int port, int listener)
{
	struct transport *t = NULL;
	struct fault f;

	if (dial_connect(e, port, deadline_in(5000), &t, &f) != OUTCOME_OK)
		fail_msg("%s", f.text);
	check_stream(t, listener);
	transport_free(t);
}

static void
test_inet(void **state)
{
	struct endpoint e = endpoint("127.0.0.1");
	unsigned int port;
	int listener = listen_inet(&port);

	(void)state;
	check_dial(&e, port, listener);
	/* The endpoint's own port wins. */
	e.port = (uint16_t)port;
	check_dial(&e, 1, listener);
	/* A proxy in the environment is not ours. */
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
	check_dial(&e, 1, listener);
	assert_int_equal(unsetenv("http_proxy"), 0);
	assert_int_equal(unsetenv("ALL_PROXY"), 0);
	(void)close(listener);
}

/* The first address refuses; the second is taken.  Both are known when the
 * name is wanted again. */
static void
test_next_address(void **state)
{
	struct endpoint e = endpoint("two.example.org");
	unsigned int port;
	int listener = listen_inet(&port);

	(void)state;
	check_dial(&e, port, listener);
	assert_int_equal(atomic_load(&lookups), 1);
	check_dial(&e, port, listener);
	assert_int_equal(atomic_load(&lookups), 1);
	(void)close(listener);
}

/* One dialer, many connections; a failure between them, and a name that
 * outlasts its deadline, leave it of use.  Nothing of it keeps a connection
 * open. */
static void
test_dialer(void **state)
{
	unsigned int port;
	int listener = listen_inet(&port), fd;
	struct endpoint e = endpoint("127.0.0.1");
	struct endpoint slow = endpoint("slow.example.org");
	struct endpoint nowhere = endpoint("nowhere.example.org");
	struct dialer *l = dialer_new();
	struct transport *t;
	struct fault f;
	char octet;

	(void)state;
	assert_non_null(l);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(
		    dialer_connect(l, &e, port, deadline_in(5000), &t, &f),
		    OUTCOME_OK);
		fd = accept(listener, NULL, NULL);
		assert_true(fd >= 0);
		transport_free(t);
		assert_int_equal(read(fd, &octet, 1), 0);
		(void)close(fd);
		if (i % 5 == 2)
			assert_int_equal(
			    dialer_connect(l, i % 2 == 0 ? &slow : &nowhere,
				port, deadline_in(50), &t, &f),
			    OUTCOME_TEMP);
	}
	dialer_free(l);
	(void)close(listener);
}

static void
test_inet6(void **state)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t len = sizeof(sin6);
	struct endpoint e = endpoint("[::1]");
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	if (listener == -1 ||
	    bind(listener, (struct sockaddr *)&sin6, len) == -1)
		skip(); /* a machine without IPv6 */
	assert_int_equal(listen(listener, 5), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&sin6, &len), 0);
	check_dial(&e, ntohs(sin6.sin6_port), listener);
	(void)close(listener);
}

static void
check_fails(const struct endpoint *e, unsigned int port, int64_t limit_ms,
    const char *text)
{
	struct transport *t = NULL;
	struct fault f;
	int64_t begun = clock_ms();

	assert_int_equal(
	    dial_connect(e, port, deadline_in(limit_ms), &t, &f), OUTCOME_TEMP);
	assert_null(t);
	assert_int_equal(f.origin, FAULT_CONNECTION);
	assert_int_equal(f.code, 0);
	if (strstr(f.text, text) == NULL)
		fail_msg("\"%s\" has no \"%s\"", f.text, text);
	assert_true(clock_ms() - begun < limit_ms + 4000);
}

static void
test_refused(void **state)
{
	struct endpoint e = endpoint("127.0.0.1");
	unsigned int port;
	int listener = listen_inet(&port);

	(void)state;
	(void)close(listener);
	check_fails(&e, port, 5000, "127.0.0.1:");
	e = endpoint("unix:/nonexistent/socket");
	check_fails(&e, 0, 5000, "/nonexistent/socket: No such file");
}

static void
test_names(void **state)
{
	struct endpoint e = endpoint("nowhere.example.org");

	(void)state;
	check_fails(&e, 25, 5000, "nowhere.example.org");
	e = endpoint("broken.example.org");
	check_fails(&e, 25, 5000, "broken.example.org");
}

/* A name server that does not answer must not outlast the deadline. */
static void
test_slow_name(void **state)
{
	struct endpoint e = endpoint("slow.example.org");

	(void)state;
	check_fails(&e, 25, 300, "slow.example.org");
	check_fails(&e, 25, 0, "no time left");
}

static void
test_unix(void **state)
{
	struct endpoint e;
	int listener = listen_unix("s", &e);

	(void)state;
	check_dial(&e, 0, listener);
	(void)close(listener);
	check_fails(&e, 0, 1000, "Connection refused");
	(void)unlink(e.host);
}

/* A backlog that is full: wait, but no longer than told. */
static void
test_unix_full(void **state)
{
	struct transport *held[8] = { NULL };
	struct endpoint e;
	struct fault f;
	int listener = listen_unix("full", &e);
	size_t n = 0;

	(void)state;
	while (n < 8 &&
	    dial_connect(&e, 0, deadline_in(200), &held[n], &f) == OUTCOME_OK)
		n++;
	assert_true(n > 0 && n < 8);
	check_fails(&e, 0, 200, "timed out");
	while (n > 0)
		transport_free(held[--n]);
	(void)close(listener);
	(void)unlink(e.host);
}

/* A listener that takes no more: the kernel does not answer, and no longer
 * than told is waited for it. */
static void
test_inet_full(void **state)
{
	struct transport *held[8] = { NULL };
	struct endpoint e = endpoint("127.0.0.1");
	struct fault f;
	unsigned int port;
	int listener = listen_inet(&port);
	size_t n = 0;

	(void)state;
	assert_int_equal(listen(listener, 0), 0);
	while (n < 8 &&
	    dial_connect(&e, port, deadline_in(200), &held[n], &f) ==
		OUTCOME_OK)
		n++;
	assert_true(n > 0 && n < 8);
	check_fails(&e, port, 200, "timed out");
	while (n > 0)
		transport_free(held[--n]);
	(void)close(listener);
}

/* What would say something else in a URL than a host. */
static void
test_forged_host(void **state)
{
	static const char *const bad[] = {
		"",
		"a@127.0.0.1",
		"127.0.0.1/x",
		"a#b",
		"a?b",
		"[::1]",
		"%31",
		NULL,
	};
	struct endpoint e = { .kind = ENDPOINT_INET };
	struct transport *t = NULL;
	struct fault f;
	size_t i;

	(void)state;
	for (i = 0; bad[i] != NULL; i++) {
		(void)snprintf(e.host, sizeof(e.host), "%s", bad[i]);
		assert_int_equal(dial_connect(&e, 25, deadline_in(500), &t, &f),
		    OUTCOME_TEMP);
		assert_int_equal(f.origin, FAULT_LOCAL);
		assert_null(t);
	}
}

/* Writing to a peer that is gone is an error, not a signal. */
static void
test_no_sigpipe(void **state)
{
	int pair[2];
	struct transport *t;
	struct fault f;
	ssize_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	t = transport_socket(pair[0]);
	assert_non_null(t);
	(void)close(pair[1]);
	n = t->ops->write(t, "x", 1, &f);
	assert_int_equal(n, TRANSPORT_FAIL);
	assert_int_equal(f.origin, FAULT_CONNECTION);
	transport_free(t);
	transport_free(NULL);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(sockdir, sizeof(sockdir), "/tmp/postern-dial-XXXXXX");
	return mkdtemp(sockdir) != NULL ? dial_global_init() : -1;
}

static int
teardown(void **state)
{
	(void)state;
	(void)rmdir(sockdir);
	/* Let the look-up that was left alone come to its end. */
	(void)poll(NULL, 0, SLOW_MS);
	dial_global_cleanup();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inet),
		cmocka_unit_test(test_dialer),
		cmocka_unit_test(test_inet6),
		cmocka_unit_test(test_next_address),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_slow_name),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_unix_full),
		cmocka_unit_test(test_inet_full),
		cmocka_unit_test(test_forged_host),
		cmocka_unit_test(test_no_sigpipe),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
