/* SPDX-License-Identifier: BSD-2-Clause */
/* Straight to where a dial has led before. */
#include "common/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/transport.h"

/* What a Unix socket says of its peer is the path that it was bound to: of
 * another directory, root or name space, or of another socket by now. */
static bool
unix_where(struct dial_where *w, const char *path)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&w->addr;
	size_t len = strlen(path);

	if (w->addr.ss_family != AF_UNIX || len >= sizeof(sun->sun_path))
		return false;
	memcpy(sun->sun_path, path, len + 1);
	w->len = sizeof(*sun);
	return true;
}

void
dial_note(struct dial_where *w, const struct endpoint *e, int fd)
{
	w->len = sizeof(w->addr);
	if (fd == -1 ||
	    getpeername(fd, (struct sockaddr *)&w->addr, &w->len) != 0 ||
	    w->len > sizeof(w->addr) ||
	    (e->kind == ENDPOINT_UNIX && !unix_where(w, e->host))) {
		dial_forget(w);
		return;
	}
	w->until_ms = clock_ms() + DIAL_KNOWN_MS;
}

void
dial_forget(struct dial_where *w)
{
	w->len = 0;
}

bool
dial_known(const struct dial_where *w, int64_t now_ms)
{
	return w->len > 0 && now_ms < w->until_ms;
}

struct transport *
dial_again(const struct dial_where *w)
{
	int fd, one = 1;

	fd = socket(
	    w->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return NULL;
	if (w->addr.ss_family != AF_UNIX)
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)&w->addr, w->len) != 0 &&
	    errno != EINPROGRESS) {
		(void)close(fd);
		return NULL;
	}
	return transport_socket(fd);
}
