/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake_authd - a postern-authd that says what a test wants it to say
 *
 * Threads that listen on a Unix socket and serve connections by a plan, one
 * login after the other on each.  They assert nothing: they keep what was
 * asked, and the test looks at that after the answer has come or the fake has
 * been stopped.
 */
#ifndef POSTERN_TESTS_PLUGIN_FAKE_AUTHD_H
#define POSTERN_TESTS_PLUGIN_FAKE_AUTHD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/wire.h"

#define FAKE_SEEN  6
#define FAKE_PEERS 128

enum fake_manner {
	FAKE_ANSWER,
	FAKE_SILENT, /* reads, and never answers */
	FAKE_DEAF,   /* accepts, and never reads */
	FAKE_SLAM,   /* closes without reading */
};

/* What becomes of a connection when a login is over. */
enum fake_after {
	FAKE_STAY,  /* the next login has the same plan */
	FAKE_LEAVE, /* it is closed */
	FAKE_RESET, /* closed with the next question, which is not read */
	FAKE_MUTE,  /* closed with the next question, which is read */
	FAKE_SHUT,  /* nothing can be sent any more; it stays open */
};

struct fake_reply {
	enum wire_type type; /* 0: raw, or none: the connection is closed */
	const char *user, *data, *reason;
	size_t data_len; /* 0: strlen(data) */
	const void *raw;
	size_t raw_len;
};

struct fake_plan {
	enum fake_manner manner;
	enum fake_after after;
	struct fake_reply reply[FAKE_SEEN]; /* to the first question, ... */
	int octet_ms;  /* wait before each octet of a reply */
	size_t cut;    /* close after so many octets of a reply; 0: do not */
	int before_ms; /* wait before each accept() */
};

/* One question; items that are there have data, which points into text. */
struct fake_seen {
	struct wire_message m;
	unsigned char text[WIRE_MAX];
};

struct fake_authd;

struct fake_peer {
	struct fake_authd *fake;
	pthread_t thread;
	int fd; /* -1: closed */
};

struct fake_authd {
	struct fake_plan plan;
	int listener;
	pthread_mutex_t lock; /* of what is seen, and of descriptors */
	struct fake_peer peers[FAKE_PEERS];
	int n_peers;
	pthread_t thread;
	bool running;
	atomic_int connections;
	atomic_int hung_up; /* connections that the plug-in has closed */
	atomic_int questions;
	atomic_int shut;                  /* connections of FAKE_SHUT */
	struct fake_seen seen[FAKE_SEEN]; /* of all connections */
};

/*
 * fake_listen(f, path, backlog): make the socket.  Fails the test.
 */
void fake_listen(struct fake_authd *f, const char *path, int backlog);

/*
 * fake_serve(f, plan): begin to serve.  Fails the test.
 */
void fake_serve(struct fake_authd *f, const struct fake_plan *plan);

/*
 * fake_stop(f): hang up, end the thread, close the socket; wipes what was
 * seen with `wipe`.  A zeroed *f is fine.
 */
void fake_stop(struct fake_authd *f);
void fake_wipe(struct fake_authd *f);

/*
 * fake_hung_up(f, n, ms): has the plug-in closed n connections, within ms?
 */
bool fake_hung_up(struct fake_authd *f, int n, int ms);

/*
 * fake_item(f, question, tag): the item as a string, "(none)" when it was
 * not there.
 */
const char *fake_item(
    const struct fake_authd *f, int question, enum wire_tag tag);

#endif /* POSTERN_TESTS_PLUGIN_FAKE_AUTHD_H */
