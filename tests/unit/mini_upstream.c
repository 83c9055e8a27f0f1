/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/mini_upstream.h"

struct mini_upstream {
	struct mini_params params;
	int fd, port;
	atomic_bool stop, catchall;
	atomic_int fail, how;
	pthread_t thread;
	pthread_mutex_t lock;
	/* all guarded by lock */
	pthread_cond_t ended;
	struct mini_counts counts;
	LIST_HEAD(, mini_talk) connections;
	int open;
};

struct mini_talk {
	LIST_ENTRY(mini_talk) entry;
	struct mini_upstream *u;
	int fd;
	int rcpts, memo;
	bool in_mail, crowded, logged_in;
};

static _Noreturn void
give_up(const char *what)
{
	perror(what);
	abort();
}

static void
pause_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

static void
put(const struct mini_talk *c, const char *line)
{
	char buf[1024];
	int n = snprintf(buf, sizeof(buf), "%s\r\n", line);

	(void)send(c->fd, buf, (size_t)n, MSG_NOSIGNAL);
}

static void
hang(const struct mini_talk *c)
{
	while (!atomic_load(&c->u->stop))
		pause_ms(20);
}

/* False when the connection is to end. */
static bool
fail(const struct mini_talk *c, enum mini_stage stage)
{
	if (atomic_load(&c->u->fail) != (int)stage)
		return true;
	switch ((enum mini_how)atomic_load(&c->u->how)) {
	case MINI_421:
		put(c, "421 4.3.2 not now");
		break;
	case MINI_554:
		put(c, "554 5.7.1 go away, client blocked");
		return true;
	case MINI_451:
		put(c, "451 4.3.2 not now");
		return true;
	case MINI_HANG:
		hang(c);
		break;
	case MINI_CLOSE:
		break;
	}
	return false;
}

static bool
starts(const char *local, const char *word)
{
	return strncmp(local, word, strlen(word)) == 0;
}

static int
long_ms(const struct mini_talk *c)
{
	return c->u->params.long_ms > 0 ? c->u->params.long_ms : 1000;
}

static bool
rcpt(struct mini_talk *c, const char *local)
{
	int limit = c->u->params.rcpt_limit;

	if (!c->in_mail) {
		put(c, "503 5.5.1 MAIL first");
		return true;
	}
	if (limit > 0 && c->rcpts >= limit) {
		put(c, "452 4.5.3 too many recipients");
		return true;
	}
	if (c->u->params.delay > 0)
		pause_ms(c->u->params.delay);
	if (starts(local, "close"))
		return false;
	if (starts(local, "hang"))
		hang(c);
	if (starts(local, "tarpit"))
		pause_ms(long_ms(c));
	if (starts(local, "slow"))
		pause_ms(600);
	if (starts(local, "busy")) {
		put(c, "421 4.3.2 too busy");
		return false;
	}
	if (c->u->params.limit_all)
		c->rcpts++;
	if (starts(local, "policy"))
		put(c, "550 5.7.1 relaying denied");
	else if (starts(local, "full"))
		put(c, "552 5.2.2 mailbox full");
	else if (starts(local, "temp"))
		put(c, "451 4.3.0 try later");
	else if ((starts(local, "unknown") || starts(local, "tarpit") ||
		     strlen(local) == 20) &&
	    !atomic_load(&c->u->catchall))
		put(c, "550 5.1.1 user unknown");
	else {
		put(c, "250 2.1.5 ok");
		if (!c->u->params.limit_all)
			c->rcpts++;
	}
	return true;
}

/* False when the connection is to end. */
static bool
helo(const struct mini_talk *c, const char *name)
{
	if (starts(name, "bad"))
		put(c, "550 5.7.1 not you");
	if (starts(name, "later"))
		put(c, "421 4.7.0 too many connections from you");
	if (starts(name, "slow"))
		pause_ms(long_ms(c));
	return !starts(name, "later") && !starts(name, "gone");
}

static void
count(struct mini_upstream *u, int *field)
{
	pthread_mutex_lock(&u->lock);
	++*field;
	++u->counts.commands;
	pthread_mutex_unlock(&u->lock);
}

static void
ehlo(const struct mini_talk *c)
{
	char text[256];

	put(c, "250-mini.test");
	if (!c->u->params.no_pipelining)
		put(c, "250-PIPELINING");
	if (c->u->params.auth)
		put(c, "250-AUTH PLAIN");
	if (c->u->params.xclient)
		put(c, "250-XCLIENT NAME ADDR PROTO HELO LOGIN");
	for (size_t i = 0; i < 4; i++) {
		const char *k = c->u->params.keywords[i];

		if (k == NULL || *k == '\0')
			continue;
		(void)snprintf(text, sizeof(text), "250-%s", k);
		put(c, text);
	}
	put(c, "250 ENHANCEDSTATUSCODES");
}

static void
login(struct mini_talk *c)
{
	put(c, c->logged_in ? "503 5.5.1 already logged in" : "235 2.7.0 ok");
	c->logged_in = true;
}

static bool
command(struct mini_talk *c, char *line)
{
	struct mini_upstream *u = c->u;
	char *at;
	int other = 0;

	if (strncmp(line, "EHLO ", 5) == 0) {
		count(u, &other);
		if (atomic_load(&u->fail) == MINI_EHLO)
			return fail(c, MINI_EHLO);
		if (!helo(c, line + 5))
			return false;
		if (starts(line + 5, "bad"))
			return true;
		ehlo(c);
	} else if (u->params.auth && strncmp(line, "AUTH PLAIN ", 11) == 0) {
		count(u, &u->counts.auths);
		login(c);
	} else if (u->params.xclient && strncmp(line, "XCLIENT ", 8) == 0) {
		count(u, &u->counts.xclients);
		c->logged_in = false;
		put(c, "220 mini.test ESMTP");
	} else if (strncmp(line, "MAIL FROM:", 10) == 0) {
		count(u, &u->counts.mails);
		if (atomic_load(&u->fail) == MINI_MAIL)
			return fail(c, MINI_MAIL);
		c->in_mail = true;
		c->rcpts = 0;
		put(c, "250 2.1.0 ok");
	} else if (strncmp(line, "RCPT TO:<", 9) == 0) {
		count(u, &u->counts.rcpts);
		if ((at = strchr(line, '@')) != NULL)
			*at = '\0';
		return rcpt(c, line + 9);
	} else if (strcmp(line, "RSET") == 0) {
		count(u, &u->counts.rsets);
		c->in_mail = false;
		put(c, "250 2.0.0 ok");
	} else if (strcmp(line, "QUIT") == 0) {
		count(u, &u->counts.quits);
		if (u->params.mute_quit)
			return true;
		put(c, "221 2.0.0 bye");
		return false;
	} else {
		put(c, "500 5.5.2 what?");
	}
	return true;
}

static enum mini_said
ask_hook(struct mini_talk *c, const char *line)
{
	const struct mini_params *p = &c->u->params;

	return p->line != NULL ? p->line(p->line_arg, c, line) : MINI_NOT_MINE;
}

static void
converse(struct mini_talk *c)
{
	char buf[4096], *end;
	size_t used = 0;

	if (!fail(c, MINI_GREETING))
		return;
	if (c->crowded) {
		put(c, "421 4.7.0 too many connections");
		return;
	}
	if (atomic_load(&c->u->fail) != MINI_GREETING)
		put(c, "220 mini.test ESMTP");
	for (;;) {
		ssize_t n = recv(c->fd, buf + used, sizeof(buf) - 1 - used, 0);

		if (n <= 0)
			return;
		used += (size_t)n;
		buf[used] = '\0';
		while ((end = strstr(buf, "\r\n")) != NULL) {
			*end = '\0';
			switch (ask_hook(c, buf)) {
			case MINI_END:
				return;
			case MINI_NOT_MINE:
				if (!command(c, buf))
					return;
				break;
			case MINI_SAID:
				break;
			}
			used -= (size_t)(end + 2 - buf);
			memmove(buf, end + 2, used + 1);
		}
	}
}

/* Closed with octets unread, a connection is reset and its last replies are
 * lost: wait for the other side. */
static void
farewell(const struct mini_talk *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	char buf[4096];

	shutdown(c->fd, SHUT_WR);
	while (!atomic_load(&c->u->stop) && poll(&p, 1, 5000) > 0 &&
	    recv(c->fd, buf, sizeof(buf), 0) > 0)
		;
}

static void *
connection_main(void *arg)
{
	struct mini_talk *c = arg;
	struct mini_upstream *u = c->u;

	converse(c);
	pthread_mutex_lock(&u->lock);
	u->open--;
	pthread_mutex_unlock(&u->lock);
	farewell(c);
	pthread_mutex_lock(&u->lock);
	LIST_REMOVE(c, entry);
	close(c->fd);
	free(c);
	pthread_cond_signal(&u->ended);
	pthread_mutex_unlock(&u->lock);
	return NULL;
}

static void
serve(struct mini_upstream *u, int fd)
{
	struct mini_talk *c = calloc(1, sizeof(*c));
	pthread_t thread;
	int one = 1;

	if (c == NULL)
		give_up("calloc");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->u = u;
	c->fd = fd;
	pthread_mutex_lock(&u->lock);
	LIST_INSERT_HEAD(&u->connections, c, entry);
	u->counts.connections++;
	if (++u->open > u->counts.most)
		u->counts.most = u->open;
	c->crowded = u->params.most > 0 && u->open > u->params.most;
	pthread_mutex_unlock(&u->lock);
	if (pthread_create(&thread, NULL, connection_main, c) != 0)
		give_up("pthread_create");
	pthread_detach(thread);
}

static void *
accept_main(void *arg)
{
	struct mini_upstream *u = arg;
	struct pollfd p = { .fd = u->fd, .events = POLLIN };
	int fd;

	while (!atomic_load(&u->stop)) {
		if (poll(&p, 1, 20) <= 0)
			continue;
		if ((fd = accept(u->fd, NULL, NULL)) >= 0)
			serve(u, fd);
	}
	return NULL;
}

struct mini_upstream *
mini_start(const struct mini_params *p)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	socklen_t len = sizeof(sa);
	struct mini_upstream *u = calloc(1, sizeof(*u));
	int one = 1;

	if (u == NULL)
		give_up("calloc");
	u->params = *p;
	atomic_init(&u->catchall, p->catchall);
	atomic_init(&u->fail, (int)p->fail);
	atomic_init(&u->how, (int)p->how);
	pthread_mutex_init(&u->lock, NULL);
	pthread_cond_init(&u->ended, NULL);
	LIST_INIT(&u->connections);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sa.sin_port = htons((in_port_t)p->port);
	u->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(u->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (u->fd < 0 || bind(u->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    listen(u->fd, 64) != 0 ||
	    getsockname(u->fd, (struct sockaddr *)&sa, &len) != 0)
		give_up("mini_upstream");
	u->port = ntohs(sa.sin_port);
	if (pthread_create(&u->thread, NULL, accept_main, u) != 0)
		give_up("pthread_create");
	return u;
}

void
mini_stop(struct mini_upstream *u)
{
	struct mini_talk *c;

	atomic_store(&u->stop, true);
	pthread_join(u->thread, NULL);
	pthread_mutex_lock(&u->lock);
	LIST_FOREACH(c, &u->connections, entry) {
		shutdown(c->fd, SHUT_RDWR);
	}
	while (!LIST_EMPTY(&u->connections))
		pthread_cond_wait(&u->ended, &u->lock);
	pthread_mutex_unlock(&u->lock);
	close(u->fd);
	pthread_cond_destroy(&u->ended);
	pthread_mutex_destroy(&u->lock);
	free(u);
}

void
mini_say(const struct mini_talk *t, const char *line)
{
	put(t, line);
}

void
mini_hang(const struct mini_talk *t)
{
	hang(t);
}

int *
mini_memo(struct mini_talk *t)
{
	return &t->memo;
}

int
mini_port(const struct mini_upstream *u)
{
	return u->port;
}

void
mini_count(struct mini_upstream *u, struct mini_counts *out)
{
	pthread_mutex_lock(&u->lock);
	*out = u->counts;
	pthread_mutex_unlock(&u->lock);
}

void
mini_set_catchall(struct mini_upstream *u, bool on)
{
	atomic_store(&u->catchall, on);
}

void
mini_set_fail(struct mini_upstream *u, enum mini_stage fail, enum mini_how how)
{
	atomic_store(&u->how, (int)how);
	atomic_store(&u->fail, (int)fail);
}

void
mini_drop(struct mini_upstream *u)
{
	struct mini_talk *c;

	pthread_mutex_lock(&u->lock);
	LIST_FOREACH(c, &u->connections, entry) {
		shutdown(c->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&u->lock);
}
