/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/control.h"
#include "common/errtext.h"
#include "common/local_socket.h"
#include "common/log.h"
#include "common/thread_chain.h"

/* Requests that are answered at once; how long a request may take to come,
 * and how long each write of the answer may wait for its reader. */
#define CLIENTS_MAX     64
#define REQUEST_WAIT_MS 10000
#define WRITE_WAIT_S    10
/* How long posternctl waits for the next line. */
#define ANSWER_WAIT_S   60

struct control {
	int fd;
	control_handler *fn;
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	LIST_HEAD(, client) clients; /* guarded by lock */
	unsigned n_clients;          /* guarded by lock */
	struct thread_chain gone;    /* the same */
	atomic_bool stop;
};

struct client {
	LIST_ENTRY(client) entry;
	struct control *control;
	int fd;
};

int
control_open(const char *path, char *why, size_t len)
{
	return local_listen(path, 128, why, len);
}

void
control_lines(FILE *out, char *text)
{
	char *line;

	while (text != NULL && (line = strsep(&text, "\n")) != NULL)
		if (*line != '\0')
			fprintf(out, " %s\n", line);
}

static bool
peer_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	log_warning(
	    "control socket: uid %u is not listened to", (unsigned)peer.uid);
	return false;
}

/* One line, without its newline.  False for anything else. */
static bool
request_read(int fd, char *line, size_t size)
{
	struct deadline d = deadline_in(REQUEST_WAIT_MS);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t used = 0;

	while (used < size - 1) {
		ssize_t n;
		char *end;

		if (poll(&p, 1, deadline_left_poll(d)) < 0 && errno == EINTR)
			continue;
		n = recv(fd, line + used, size - 1 - used, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		used += (size_t)n;
		line[used] = '\0';
		if ((end = memchr(line, '\n', used)) != NULL) {
			*end = '\0';
			return strlen(line) == (size_t)(end - line);
		}
	}
	return false;
}

/* The number of words, which may be more than there is room for. */
static size_t
request_split(char *line, char **words)
{
	size_t n = 0;
	char *w;

	while (n <= CONTROL_WORDS_MAX && (w = strsep(&line, " ")) != NULL) {
		if (*w == '\0')
			continue;
		if (n < CONTROL_WORDS_MAX)
			words[n] = w;
		n++;
	}
	return n;
}

static void
client_serve(struct control *c, int fd)
{
	char line[CONTROL_LINE_MAX], *words[CONTROL_WORDS_MAX];
	struct timeval wait = { .tv_sec = WRITE_WAIT_S };
	char why[512] = "";
	FILE *out = NULL;
	bool ok = false;
	size_t n;
	int copy;

	if (!peer_allowed(fd) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0)
		return;
	if ((copy = dup(fd)) < 0 || (out = fdopen(copy, "w")) == NULL) {
		if (copy >= 0)
			close(copy);
		return;
	}
	if (!request_read(fd, line, sizeof(line)))
		snprintf(why, sizeof(why), "not a request of one line");
	else if ((n = request_split(line, words)) == 0)
		snprintf(why, sizeof(why), "empty request");
	else if (n > CONTROL_WORDS_MAX)
		snprintf(why, sizeof(why), "too many words");
	else
		ok = c->fn(c->arg, words, n, out, why, sizeof(why));
	if (ok)
		fputs("ok\n", out);
	else
		fprintf(out, "error: %s\n", why);
	fclose(out);
	explicit_bzero(line, sizeof(line)); /* passwords come here, too */
}

/* With the lock held. */
static void
client_end(struct control *c, struct client *cl)
{
	LIST_REMOVE(cl, entry);
	c->n_clients--;
	close(cl->fd);
	pthread_cond_broadcast(&c->cond);
	free(cl);
}

static void *
client_main(void *arg)
{
	struct client *cl = arg;
	struct control *c = cl->control;
	pthread_t before;
	bool joins;

	client_serve(c, cl->fd);
	pthread_mutex_lock(&c->lock);
	joins = thread_chain_leave(&c->gone, &before);
	client_end(c, cl);
	pthread_mutex_unlock(&c->lock);
	if (joins)
		(void)pthread_join(before, NULL);
	return NULL;
}

/* Each request has a thread, so that one that waits for its reader does not
 * keep others waiting. */
static void
client_start(struct control *c, int fd)
{
	struct client *cl = malloc(sizeof(*cl));
	pthread_t thread;

	if (cl == NULL) {
		close(fd);
		return;
	}
	cl->control = c;
	cl->fd = fd;
	pthread_mutex_lock(&c->lock);
	while (c->n_clients >= CLIENTS_MAX)
		pthread_cond_wait(&c->cond, &c->lock);
	c->n_clients++;
	LIST_INSERT_HEAD(&c->clients, cl, entry);
	pthread_mutex_unlock(&c->lock);
	if (pthread_create(&thread, NULL, client_main, cl) == 0)
		return;
	pthread_mutex_lock(&c->lock);
	client_end(c, cl);
	pthread_mutex_unlock(&c->lock);
}

static void *
control_main(void *arg)
{
	struct control *c = arg;
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	int fd;

	while (!atomic_load(&c->stop)) {
		if (poll(&p, 1, 250) <= 0)
			continue;
		if ((fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
			client_start(c, fd);
		else if (errno == EMFILE || errno == ENFILE)
			(void)poll(NULL, 0, 250);
	}
	return NULL;
}

struct control *
control_start(int fd, control_handler *fn, void *arg)
{
	struct control *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	c->fd = fd;
	c->fn = fn;
	c->arg = arg;
	LIST_INIT(&c->clients);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->cond, NULL);
	if (pthread_create(&c->thread, NULL, control_main, c) != 0) {
		close(fd);
		free(c);
		return NULL;
	}
	return c;
}

/* Requests that have not come yet are not waited for. */
static void
clients_hurry(struct control *c)
{
	struct client *cl;

	pthread_mutex_lock(&c->lock);
	LIST_FOREACH(cl, &c->clients, entry) {
		(void)shutdown(cl->fd, SHUT_RD);
	}
	pthread_mutex_unlock(&c->lock);
}

void
control_stop(struct control *c)
{
	if (c == NULL)
		return;
	atomic_store(&c->stop, true);
	clients_hurry(c); /* the thread may wait for one of them to end */
	pthread_join(c->thread, NULL);
	clients_hurry(c);
	pthread_mutex_lock(&c->lock);
	while (c->n_clients > 0)
		pthread_cond_wait(&c->cond, &c->lock);
	pthread_mutex_unlock(&c->lock);
	thread_chain_join(&c->gone);
	close(c->fd);
	pthread_cond_destroy(&c->cond);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static int
answer_read(FILE *in, FILE *out, char *why, size_t len)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int rc = -1;

	snprintf(why, len, "the daemon closed without an answer");
	errno = 0;
	while ((n = getline(&line, &size, in)) > 0) {
		if (line[0] == ' ') {
			if (out != NULL)
				fputs(line + 1, out);
			continue;
		}
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "ok") == 0) {
			why[0] = '\0';
			rc = 0;
		} else if (strncmp(line, "error: ", 7) == 0) {
			snprintf(why, len, "%s", line + 7);
			rc = 1;
		}
		break;
	}
	if (rc < 0 && errno == EAGAIN)
		snprintf(why, len, "the daemon does not answer");
	free(line);
	return rc;
}

int
control_ask(
    const char *path, const char *request, FILE *out, char *why, size_t len)
{
	return control_ask_within(path, request, ANSWER_WAIT_S, out, why, len);
}

int
control_ask_within(const char *path, const char *request, int seconds,
    FILE *out, char *why, size_t len)
{
	struct timeval wait = { .tv_sec = seconds };
	size_t n = strlen(request);
	FILE *in;
	int fd, rc;

	if (strchr(request, '\n') != NULL || n >= CONTROL_LINE_MAX - 1) {
		snprintf(why, len, "not a request of one line");
		return -1;
	}
	if ((fd = local_connect_within(path, seconds, why, len)) < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
	    send(fd, request, n, MSG_NOSIGNAL) != (ssize_t)n ||
	    send(fd, "\n", 1, MSG_NOSIGNAL) != 1 ||
	    (in = fdopen(fd, "r")) == NULL) {
		snprintf(why, len, "%s: %s", path, ERRNO);
		close(fd);
		return -1;
	}
	rc = answer_read(in, out, why, len);
	fclose(in);
	return rc;
}
