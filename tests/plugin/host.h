/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host - an application of libsasl, as an MTA is one, that loads libpostern.so
 *
 * The plug-in comes from the build tree, beside the stock plug-ins of the
 * machine.  Options and log go through callbacks, as with Postfix.  A
 * password that stock PLAIN or LOGIN want to have checked is "stock": so it
 * shows who has answered.  One at a time; fails the test when libsasl fails.
 */
#ifndef POSTERN_TESTS_PLUGIN_HOST_H
#define POSTERN_TESTS_PLUGIN_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sasl/sasl.h>

struct host_option {
	const char *name, *value;
};

struct host {
	sasl_conn_t *conn;
	const char *out; /* the last challenge; borrowed from libsasl */
	unsigned int outlen;
	int stock_checks; /* passwords that stock plug-ins had checked */
	char log[16384];  /* all lines, each with its level in front */
};

/*
 * host_begin(): group set-up; a private directory that becomes the working
 * directory.  host_end(): group tear-down, removes it.  Both for cmocka.
 */
int host_begin(void **state);
int host_end(void **state);

/*
 * host_start(h, options): sasl_server_init().
 *
 *   options  ends with a NULL name; outlives the host.  NULL: libsasl looks
 *            where our plug-in is not
 *
 * host_start_as(h, options, name): as the application of that name.
 */
void host_start(struct host *h, const struct host_option *options);
void host_start_as(
    struct host *h, const struct host_option *options, const char *name);
void host_stop(struct host *h);

/*
 * host_connect(h, realm): a client has come, from 192.0.2.1 port 49152.
 */
void host_connect(struct host *h, const char *realm);
void host_disconnect(struct host *h);

/* host_mechs(h): what the EHLO line would list, with blanks between. */
const char *host_mechs(struct host *h);

/*
 * host_auth(h, mech, in, len): AUTH; in is NULL without initial response.
 * host_step(h, in, len): the client's next response.
 * host_plain(h, user, pass): AUTH PLAIN with these.
 *
 * Return libsasl's code.
 */
int host_auth(struct host *h, const char *mech, const char *in, size_t len);
int host_step(struct host *h, const char *in, size_t len);
int host_plain(struct host *h, const char *user, const char *pass);

/* host_user(h): the name the MTA would log; NULL when there is none. */
const char *host_user(struct host *h);

/* host_challenge(h): the last challenge as a string. */
const char *host_challenge(const struct host *h);

/* host_patience(ms): ms, longer where TEST_PATIENCE says so. */
int host_patience(int ms);

#endif /* POSTERN_TESTS_PLUGIN_HOST_H */
