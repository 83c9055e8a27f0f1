/* SPDX-License-Identifier: BSD-2-Clause */
#include "saslauth-plugin/authd_kept.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"

/* Whoever takes it from one of the first two to the third is alone with it.
 * A child that is forked meanwhile finds it so for ever, and keeps none. */
enum {
	KEPT_NONE,
	KEPT_ONE,
	KEPT_IN_HAND,
};

void
authd_kept_init(struct authd_kept *k, int64_t keep_ms)
{
	atomic_init(&k->state, KEPT_NONE);
	k->keep_ms = keep_ms;
	k->fd = -1;
}

static bool
in_hand(struct authd_kept *k, int from)
{
	return atomic_compare_exchange_strong(&k->state, &from, KEPT_IN_HAND);
}

/* Is there still the same socket behind the number? */
static bool
same(const struct authd_kept *k)
{
	struct stat st;

	return fstat(k->fd, &st) == 0 && st.st_dev == k->dev &&
	    st.st_ino == k->ino;
}

static bool
silent(int fd)
{
	char octet;

	return recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	    errno == EAGAIN;
}

/* What a child has of its parent's is a copy, and may be closed. */
static int
good_or_none(const struct authd_kept *k)
{
	if (!same(k))
		return -1;
	if (k->pid == getpid() && clock_ms() - k->since_ms <= k->keep_ms &&
	    silent(k->fd))
		return k->fd;
	(void)close(k->fd);
	return -1;
}

int
authd_kept_take(struct authd_kept *k)
{
	int fd;

	if (!in_hand(k, KEPT_ONE))
		return -1;
	fd = good_or_none(k);
	atomic_store(&k->state, KEPT_NONE);
	return fd;
}

void
authd_kept_put(struct authd_kept *k, int fd)
{
	struct stat st;

	if (!in_hand(k, KEPT_NONE)) {
		(void)close(fd);
		return;
	}
	if (fstat(fd, &st) != 0) {
		(void)close(fd);
		atomic_store(&k->state, KEPT_NONE);
		return;
	}
	k->fd = fd;
	k->pid = getpid();
	k->dev = st.st_dev;
	k->ino = st.st_ino;
	k->since_ms = clock_ms();
	atomic_store(&k->state, KEPT_ONE);
}

void
authd_kept_release(struct authd_kept *k)
{
	if (in_hand(k, KEPT_ONE) && same(k))
		(void)close(k->fd);
	k->fd = -1;
	atomic_store(&k->state, KEPT_NONE);
}
