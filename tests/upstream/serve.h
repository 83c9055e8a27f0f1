/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve - listen, and give each connection its section of the script
 */
#ifndef POSTERN_TESTS_UPSTREAM_SERVE_H
#define POSTERN_TESTS_UPSTREAM_SERVE_H

struct script;
struct tlsctx_store;
struct transcript;

struct serve_params {
	const struct script *script;
	struct transcript *transcript;
	struct tlsctx_store *certs;
	int listen_fd;
	int signal_fd;     /* readable: stop */
	unsigned int secs; /* run no longer */
};

/*
 * serve_listen(path): a listening socket on ${path}, or, when it is NULL,
 * on a free port of 127.0.0.1; the path or port is printed on stdout.
 * Returns the descriptor or -1 after a message on stderr.
 */
int serve_listen(const char *path);

/*
 * serve_run(sp): serve until every section is over, the signal or the
 * limit.  What did not happen as scripted is in the transcript.
 * Returns 0, or -1 when serving failed for a reason of our own.
 */
int serve_run(const struct serve_params *sp);

#endif /* POSTERN_TESTS_UPSTREAM_SERVE_H */
