/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <curl/curl.h>

#include "common/transport.h"

/* Names that were looked up, for all threads: each handle would look up, in
 * a thread of its own, what is known. */
static CURLSH *names;
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;

static void
lock_names(CURL *c, curl_lock_data data, curl_lock_access access, void *arg)
{
	(void)c;
	(void)data;
	(void)access;
	(void)arg;
	pthread_mutex_lock(&names_lock);
}

static void
unlock_names(CURL *c, curl_lock_data data, void *arg)
{
	(void)c;
	(void)data;
	(void)arg;
	pthread_mutex_unlock(&names_lock);
}

int
dial_global_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -1;
	names = curl_share_init();
	if (names != NULL &&
	    curl_share_setopt(names, CURLSHOPT_LOCKFUNC, lock_names) ==
		CURLSHE_OK &&
	    curl_share_setopt(names, CURLSHOPT_UNLOCKFUNC, unlock_names) ==
		CURLSHE_OK &&
	    curl_share_setopt(names, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) ==
		CURLSHE_OK)
		return 0;
	dial_global_cleanup();
	return -1;
}

void
dial_global_cleanup(void)
{
	(void)curl_share_cleanup(names);
	names = NULL;
	curl_global_cleanup();
}

/* A fault that names the place and what the system says. */
static void
system_fault(struct fault *f, enum fault_origin origin, const char *where)
{
	char buf[128];

	fault_set(f, origin, "connect to %s: %s", where,
	    strerror_r(errno, buf, sizeof(buf)));
}

/* Scheme and path mean nothing here: with CONNECT_ONLY no octet is sent. */
static bool
dial_url(const struct endpoint *e, unsigned int port, char *url, size_t size)
{
	bool v6 = strchr(e->host, ':') != NULL;
	int n;

	/* What endpoint_parse() lets through cannot say anything else in a
	 * URL than a host; an endpoint that was put together by hand could. */
	if (e->host[0] == '\0' || strpbrk(e->host, "/@?#\\[]% ") != NULL)
		return false;
	n = snprintf(url, size, "http://%s%s%s:%u/", v6 ? "[" : "", e->host,
	    v6 ? "]" : "", port);
	return n > 0 && (size_t)n < size;
}

/* What libcurl makes for a handle costs more than a connection does: it is
 * kept from one to the next. */
struct dialer {
	CURLM *multi; /* both NULL, or both not */
	CURL *easy;
	char errbuf[CURL_ERROR_SIZE];
};

struct dialer *
dialer_new(void)
{
	return calloc(1, sizeof(struct dialer));
}

static void
dialer_reset(struct dialer *l)
{
	curl_easy_cleanup(l->easy);
	(void)curl_multi_cleanup(l->multi);
	l->easy = NULL;
	l->multi = NULL;
}

void
dialer_free(struct dialer *l)
{
	if (l == NULL)
		return;
	dialer_reset(l);
	free(l);
}

static bool
dialer_options(struct dialer *l, CURL *c, const char *url, struct deadline d)
{
	long left = (long)deadline_left_poll(d);
	bool ok;

	/* 0 would mean libcurl's own limit, which is minutes. */
	if (left == 0)
		left = 1;
	ok = curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, l->errbuf) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_SHARE, names) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_NOPROXY, "*") == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, left) == CURLE_OK &&
	    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, left) == CURLE_OK;
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Else a name server that does not answer outlasts the deadline. */
	ok = ok && curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
#endif
	return ok;
}

/* Our own descriptor for the connected socket, fit for a transport. */
static int
take_socket(CURL *c)
{
	curl_socket_t s = CURL_SOCKET_BAD;
	int fd, flags, one = 1;

	if (curl_easy_getinfo(c, CURLINFO_ACTIVESOCKET, &s) != CURLE_OK ||
	    s == CURL_SOCKET_BAD)
		return -1;
	fd = fcntl(s, F_DUPFD_CLOEXEC, 3);
	if (fd == -1)
		return -1;
	flags = fcntl(fd, F_GETFL);
	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
		(void)close(fd);
		return -1;
	}
	/* A batch is one write; waiting to fill a segment only costs. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Have libcurl connect; it goes on by itself until its limit. */
static CURLcode
dialer_run(struct dialer *l)
{
	CURLMcode mc = CURLM_OK;
	CURLMsg *m;
	int running = 1, left;

	while (mc == CURLM_OK && running > 0) {
		mc = curl_multi_perform(l->multi, &running);
		if (mc == CURLM_OK && running > 0)
			mc = curl_multi_poll(l->multi, NULL, 0, 1000, NULL);
	}
	m = curl_multi_info_read(l->multi, &left);
	if (mc != CURLM_OK || m == NULL || m->msg != CURLMSG_DONE)
		return CURLE_FAILED_INIT;
	return m->data.result;
}

static enum outcome
dialer_inet(struct dialer *l, const struct endpoint *e, unsigned int port,
    struct deadline d, int *fd, struct fault *f)
{
	char url[ENDPOINT_HOST_MAX + 32];
	CURLcode rc;

	if (!dial_url(e, port, url, sizeof(url))) {
		fault_set(f, FAULT_LOCAL, "no host name: \"%s\"", e->host);
		return OUTCOME_TEMP;
	}
	if (l->easy == NULL) {
		l->easy = curl_easy_init();
		l->multi = curl_multi_init();
	}
	l->errbuf[0] = '\0';
	if (l->easy == NULL || l->multi == NULL ||
	    !dialer_options(l, l->easy, url, d) ||
	    curl_multi_add_handle(l->multi, l->easy) != CURLM_OK) {
		fault_set(f, FAULT_LOCAL, "libcurl cannot be set up");
		goto fail;
	}
	rc = dialer_run(l);
	if (rc != CURLE_OK) {
		fault_set(f, FAULT_CONNECTION, "connect to %s:%u: %s", e->host,
		    port,
		    l->errbuf[0] != '\0' ? l->errbuf : curl_easy_strerror(rc));
		goto fail;
	}
	*fd = take_socket(l->easy);
	if (*fd == -1) {
		system_fault(f, FAULT_LOCAL, e->host);
		goto fail;
	}
	/* Closes libcurl's descriptor of the connection. */
	(void)curl_multi_remove_handle(l->multi, l->easy);
	return OUTCOME_OK;
fail:
	/* A look-up may still be on its way. */
	if (l->easy != NULL && l->multi != NULL)
		(void)curl_multi_remove_handle(l->multi, l->easy);
	dialer_reset(l);
	return OUTCOME_TEMP;
}

/* A Unix socket is connected at once or not at all, but for a full backlog:
 * then connect() waits as long as SO_SNDTIMEO says. */
static int
unix_connect(const struct sockaddr_un *sun, struct deadline d)
{
	int64_t left = deadline_left_ms(d);
	struct timeval tv = {
		.tv_sec = (time_t)(left / 1000),
		.tv_usec = (suseconds_t)(left % 1000 * 1000),
	};
	int fd, flags, err;

	if (left == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == -1 ||
	    connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == -1 ||
	    (flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
		err = errno == EAGAIN ? ETIMEDOUT : errno;
		(void)close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

static enum outcome
dial_unix(const struct endpoint *e, struct deadline d, int *fd, struct fault *f)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(e->host);

	if (len == 0 || len >= sizeof(sun.sun_path)) {
		fault_set(f, FAULT_LOCAL, "no socket path: \"%s\"", e->host);
		return OUTCOME_TEMP;
	}
	memcpy(sun.sun_path, e->host, len + 1);
	*fd = unix_connect(&sun, d);
	if (*fd == -1) {
		system_fault(f, FAULT_CONNECTION, e->host);
		return OUTCOME_TEMP;
	}
	return OUTCOME_OK;
}

enum outcome
dialer_connect(struct dialer *l, const struct endpoint *e, unsigned int port,
    struct deadline d, struct transport **out, struct fault *f)
{
	enum outcome oc;
	int fd = -1;

	if (l == NULL)
		return dial_connect(e, port, d, out, f);
	*out = NULL;
	fault_clear(f);
	if (deadline_passed(d)) {
		fault_set(f, FAULT_CONNECTION, "connect to %s: no time left",
		    e->host);
		return OUTCOME_TEMP;
	}
	if (e->port != 0)
		port = e->port;
	if (e->kind == ENDPOINT_UNIX)
		oc = dial_unix(e, d, &fd, f);
	else
		oc = dialer_inet(l, e, port, d, &fd, f);
	if (oc != OUTCOME_OK)
		return oc;

	*out = transport_socket(fd);
	if (*out == NULL) {
		fault_set(f, FAULT_LOCAL, "out of memory");
		return OUTCOME_TEMP;
	}
	return OUTCOME_OK;
}

enum outcome
dial_connect(const struct endpoint *e, unsigned int port, struct deadline d,
    struct transport **out, struct fault *f)
{
	struct dialer once = { NULL, NULL, "" };
	enum outcome oc = dialer_connect(&once, e, port, d, out, f);

	dialer_reset(&once);
	return oc;
}
