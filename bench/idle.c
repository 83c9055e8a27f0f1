/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_idle - milter sessions that are opened and then do nothing
 *
 *   bench_idle --to unix:PATH|inet:PORT@ADDR [--sessions N] [--mail]
 *
 * Speaks the MTA's side of the milter protocol: negotiation, connect, HELO
 * (and with --mail MAIL FROM), as far as the milter did not ask to be left
 * out of it.  Prints ready=N, holds the sessions until standard input ends,
 * then closes them.
 */
#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <libmilter/mfdef.h>

#include "net.h"

enum {
	PACKET_MAX = 65536,
	SESSIONS_MAX = 100000
};

/* What Postfix 3.7 offers: all events may be left out, none is wanted. */
#define OFFERED_STEPS   0x1fffffU
#define OFFERED_ACTIONS 0x1ffU

struct milter {
	int fd;
	uint32_t steps; /* SMFIP_*: what the milter asked for */
};

static void
put_all(int fd, const char *buf, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if ((n = send(fd, buf, len, MSG_NOSIGNAL)) <= 0)
			err(EX_IOERR, "sending to the milter");
		buf += n;
		len -= (size_t)n;
	}
}

static void
get_all(int fd, char *buf, size_t len)
{
	ssize_t n;

	while (len > 0) {
		if ((n = recv(fd, buf, len, 0)) <= 0)
			errx(EX_IOERR, "the milter closed the session");
		buf += n;
		len -= (size_t)n;
	}
}

/* One packet: length, command, data (the milter protocol, version 6). */
static void
packet_send(int fd, char cmd, const void *data, size_t len)
{
	char buf[512];
	uint32_t size = htonl((uint32_t)len + 1);

	if (len > sizeof(buf) - 5)
		errx(EX_SOFTWARE, "packet of %zu octets", len);
	memcpy(buf, &size, 4);
	buf[4] = cmd;
	memcpy(buf + 5, data, len);
	put_all(fd, buf, len + 5);
}

static size_t
packet_receive(int fd, char *cmd, char *data, size_t room)
{
	uint32_t size;

	get_all(fd, (char *)&size, 4);
	size = ntohl(size);
	if (size < 1 || size > PACKET_MAX || size - 1 > room)
		errx(EX_PROTOCOL, "a packet of %u octets", size);
	get_all(fd, cmd, 1);
	get_all(fd, data, size - 1);
	return size - 1;
}

static void
negotiate(struct milter *m)
{
	uint32_t offer[3] = { htonl(6), htonl(OFFERED_ACTIONS),
		htonl(OFFERED_STEPS) };
	char data[4096], cmd;

	packet_send(m->fd, SMFIC_OPTNEG, offer, sizeof(offer));
	if (packet_receive(m->fd, &cmd, data, sizeof(data)) < sizeof(offer) ||
	    cmd != SMFIC_OPTNEG)
		errx(EX_PROTOCOL, "negotiation was answered with '%c'", cmd);
	memcpy(&m->steps, data + 8, 4);
	m->steps = ntohl(m->steps);
}

/* Send an event unless it is left out; await "continue" if one is due. */
static void
event(const struct milter *m, char cmd, const void *data, size_t len,
    uint32_t left_out, uint32_t no_reply)
{
	char text[4096], reply;

	if ((m->steps & left_out) != 0)
		return;
	packet_send(m->fd, cmd, data, len);
	if ((m->steps & no_reply) != 0)
		return;
	(void)packet_receive(m->fd, &reply, text, sizeof(text));
	if (reply != SMFIR_CONTINUE)
		errx(EX_PROTOCOL, "'%c' was answered with '%c'", cmd, reply);
}

static void
open_session(struct milter *m, const char *to, bool mail)
{
	/* The client's name, family, port and address; each NUL is sent. */
	static const char client[] = "client.example.net\0004\x30\x39"
				     "192.0.2.7";
	static const char macros[] = "Cj\0edge.example.org\0"
				     "{daemon_name}\0edge.example.org";
	static const char helo[] = "client.example.net";
	static const char from[] = "<sender@client.example.net>";

	if ((m->fd = net_connect(to)) < 0)
		errx(EX_UNAVAILABLE, "the milter is gone");
	negotiate(m);
	if ((m->steps & SMFIP_NOCONNECT) == 0)
		packet_send(m->fd, SMFIC_MACRO, macros, sizeof(macros));
	event(m, SMFIC_CONNECT, client, sizeof(client), SMFIP_NOCONNECT,
	    SMFIP_NR_CONN);
	event(m, SMFIC_HELO, helo, sizeof(helo), SMFIP_NOHELO, SMFIP_NR_HELO);
	if (mail)
		event(m, SMFIC_MAIL, from, sizeof(from), SMFIP_NOMAIL,
		    SMFIP_NR_MAIL);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", required_argument, NULL, 't' },
		{ "sessions", required_argument, NULL, 'n' },
		{ "mail", no_argument, NULL, 'm' },
		{ NULL, 0, NULL, 0 },
	};
	struct milter *milters;
	const char *to = NULL;
	unsigned long i, sessions = 4000;
	bool mail = false;
	int c;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 't')
			to = optarg;
		else if (c == 'n')
			sessions = net_number(optarg, SESSIONS_MAX);
		else if (c == 'm')
			mail = true;
		else
			return EX_USAGE;
	}
	if (to == NULL || optind != argc)
		errx(EX_USAGE, "usage: bench_idle --to SOCKET [--sessions N]");
	net_raise_files();
	if ((milters = calloc(sessions + 1, sizeof(*milters))) == NULL)
		err(EX_OSERR, "memory");
	for (i = 0; i < sessions; i++)
		open_session(&milters[i], to, mail);
	(void)printf("ready=%lu\n", sessions);
	(void)fflush(stdout);
	while (getchar() != EOF)
		;
	for (i = 0; i < sessions; i++) {
		packet_send(milters[i].fd, SMFIC_QUIT, "", 0);
		close(milters[i].fd);
	}
	free(milters);
	return 0;
}
