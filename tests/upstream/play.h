/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * play - run one section of a script against one client
 */
#ifndef POSTERN_TESTS_UPSTREAM_PLAY_H
#define POSTERN_TESTS_UPSTREAM_PLAY_H

struct peer;
struct section;
struct tlsctx_store;
struct transcript;

struct play {
	struct peer *peer;
	const struct section *section;
	const char *file; /* of the script, for messages */
	unsigned int conn;
	struct transcript *transcript;
	struct tlsctx_store *certs;
};

/*
 * play_section(pl): returns when the section is over, the client did
 * something else than the script says (noted in the transcript), or the
 * program ends.  All of *pl is borrowed; the peer is left closed.
 */
void play_section(struct play *pl);

#endif /* POSTERN_TESTS_UPSTREAM_PLAY_H */
