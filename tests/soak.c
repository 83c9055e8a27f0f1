/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * soak - does the verifier grow?
 *
 *	soak [PROBES [THREADS]]
 *
 * Asks a verifier about PROBES recipients (200000), nearly all of them new,
 * against an upstream on loopback that refuses some, defers some, breaks the
 * session at some and is slow with a few; the configuration is read again,
 * memory is dropped, the upstream goes away and comes back.  After each
 * quarter, when nothing is open, the memory in use, the resident memory, the
 * descriptors and the threads are printed.  Fails when any of them is higher
 * at the end than after the first quarter by more than noise, or when an
 * answer was wrong.
 */
#include "config.h"

#include <dirent.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cache.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/dial.h"
#include "common/log.h"
#include "common/number.h"
#include "common/probe.h"
#include "common/verify.h"
#include "tests/unit/mini_upstream.h"

/* What may come on top between the first quarter and the last. */
#define HEAP_NOISE ((size_t)192 * 1024)
#define RSS_NOISE  ((size_t)3 * 1024 * 1024)
#define FD_NOISE   4

#define QUARTERS   4
#define SLICES     5 /* of a quarter: a disturbance after each */
#define DOMAINS    50
/* Verdicts that are kept: full long before the first quarter is over. */
#define CACHE_SIZE "5000"

struct figures {
	size_t heap, rss, fds, threads;
};

static struct {
	struct mini_upstream *up;
	struct conf *conf;
	struct verifier *v;
	int port;
	long first, end; /* of the slice: numbers of the recipients */
	atomic_long next;
	atomic_long wrong;
	atomic_ulong accepted, rejected, deferred;
} soak;

static _Noreturn void
give_up(const char *why)
{
	fprintf(stderr, "soak: %s\n", why);
	exit(2);
}

static void
quiet(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	if (level == LOG_LEVEL_ERROR)
		fprintf(stderr, "soak: %s\n", line);
}

static void
say(void *arg, bool error, const char *line)
{
	(void)arg;
	(void)error;
	fprintf(stderr, "soak: %s\n", line);
}

static struct conf *
load(void)
{
	char path[] = "/tmp/postern-soak-XXXXXX", text[1024];
	struct conf *c = NULL;
	int fd = mkstemp(path), n;

	n = snprintf(text, sizeof(text),
	    "hostname = \"edge.test\"\nsmtp_rcptto_proxy {\n"
	    "host = {\"127.0.0.1:%d\"} domains = {\"*\"} tls = none\n"
	    "mailfrom = original max_sessions = 8 timeout = 10\n"
	    "cache_size = " CACHE_SIZE " }\n",
	    soak.port);
	if (fd < 0 || write(fd, text, (size_t)n) != n ||
	    conf_load(path, say, NULL, &c) != 0)
		give_up("cannot load a configuration");
	close(fd);
	unlink(path);
	return c;
}

static void
upstream_start(void)
{
	struct mini_params p = { .port = soak.port };

	soak.up = mini_start(&p);
	soak.port = mini_port(soak.up);
}

/* One in so many is something else. */
static const char *
local_of(long i)
{
	if (i % 2000 == 777)
		return "close";
	if (i % 1000 == 333)
		return "slow";
	if (i % 500 == 111)
		return "policy";
	if (i % 50 == 7)
		return "temp";
	if (i % 40 == 9)
		return "full";
	return i % 10 == 3 ? "unknown" : "user";
}

/* Deferred may be anyone, while the upstream is away. */
static void
judge(const char *local, enum verdict v)
{
	bool refused =
	    strcmp(local, "unknown") == 0 || strcmp(local, "full") == 0;
	bool taken = strcmp(local, "user") == 0 || strcmp(local, "slow") == 0;

	if (v == VERDICT_ACCEPT)
		atomic_fetch_add(&soak.accepted, 1);
	else if (v == VERDICT_REJECT)
		atomic_fetch_add(&soak.rejected, 1);
	else
		atomic_fetch_add(&soak.deferred, 1);
	if ((v == VERDICT_ACCEPT && !taken) ||
	    (v == VERDICT_REJECT && !refused))
		atomic_fetch_add(&soak.wrong, 1);
}

static void *
asker(void *arg)
{
	static const char *const senders[] = { "<>", "<ann@client.test>",
		"<bob@client.test>" };
	char rcpt[96];
	long i;

	(void)arg;
	while ((i = atomic_fetch_add(&soak.next, 1)) < soak.end) {
		struct verify_request rq = { 0 };
		struct verify_result r;
		const char *local = local_of(i);

		/* some are asked about again, much later or at once */
		snprintf(rcpt, sizeof(rcpt), "<%s%ld@d%ld.example.org>", local,
		    i % 20 == 19 ? i - 7 : i, i % DOMAINS);
		verify_request_set(&rq, senders[i / 100 % 3], rcpt);
		snprintf(rq.client.addr, sizeof(rq.client.addr), "192.0.2.9");
		snprintf(rq.client.helo, sizeof(rq.client.helo), "client.test");
		verify_rcpt(soak.v, &rq, &r);
		judge(local, r.would);
	}
	return NULL;
}

static void
slice(long probes, int threads)
{
	pthread_t t[256];

	soak.end += probes;
	atomic_store(&soak.next, soak.first);
	for (int i = 0; i < threads; i++)
		if (pthread_create(&t[i], NULL, asker, NULL) != 0)
			give_up("no threads");
	for (int i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	soak.first = soak.end;
}

/* What happens in a year, between two slices. */
static void
disturb(int which)
{
	struct cache_select all = { 0 };
	struct conf *conf;
	char why[256];

	switch (which) {
	case 0:
		conf = load();
		if (verifier_reload(soak.v, conf, why, sizeof(why)) != 0)
			give_up(why);
		conf_unref(soak.conf);
		soak.conf = conf;
		break;
	case 1:
		(void)cache_drop(verifier_cache(soak.v), &all);
		break;
	case 2: /* with sessions open, and questions into the void */
		mini_stop(soak.up);
		slice(100, 4);
		upstream_start();
		(void)poll(NULL, 0, 6000); /* the breaker's pause */
		break;
	default:
		break;
	}
}

static size_t
entries(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	if (d == NULL)
		give_up(path);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static size_t
resident(void)
{
	FILE *fp = fopen("/proc/self/statm", "r");
	char line[128] = "", *p;

	if (fp == NULL || fgets(line, sizeof(line), fp) == NULL ||
	    (p = strchr(line, ' ')) == NULL)
		give_up("/proc/self/statm");
	fclose(fp);
	return strtoul(p, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

/* Wait until nothing is open but idle sessions, then take the figures.  The
 * memory of verdicts is emptied: it is full or not by chance. */
static void
measure(struct figures *f)
{
	struct cache_select all = { 0 };
	struct prober_counters n;
	struct mallinfo2 m;

	do {
		(void)poll(NULL, 0, 50);
		prober_count(verifier_prober(soak.v), &n);
	} while (n.waiting > 0);
	(void)poll(NULL, 0, 500);
	(void)cache_drop(verifier_cache(soak.v), &all);
	m = mallinfo2();
	f->heap = m.uordblks + m.hblkhd;
	f->rss = resident();
	f->fds = entries("/proc/self/fd");
	f->threads = entries("/proc/self/task");
	printf("%ld probes: heap %zu rss %zu fds %zu threads %zu | accepted "
	       "%lu rejected %lu deferred %lu wrong %ld | upstream sessions "
	       "%llu commands %llu\n",
	    soak.end, f->heap, f->rss, f->fds, f->threads,
	    atomic_load(&soak.accepted), atomic_load(&soak.rejected),
	    atomic_load(&soak.deferred), atomic_load(&soak.wrong), n.opened,
	    n.commands);
	fflush(stdout);
}

static bool
grown(const char *what, size_t from, size_t to, size_t noise)
{
	if (to <= from + noise)
		return false;
	printf("%s has grown from %zu to %zu\n", what, from, to);
	return true;
}

static int
verdict(const struct figures *from, const struct figures *to)
{
	bool bad = grown("memory in use", from->heap, to->heap, HEAP_NOISE);

	/* An allocator that tells nothing is a sanitizer's or valgrind's, which
	 * keeps what was freed. */
	if (to->heap > 0)
		bad |= grown("resident memory", from->rss, to->rss, RSS_NOISE);
	bad |= grown("number of descriptors", from->fds, to->fds, FD_NOISE);
	bad |= grown("number of threads", from->threads, to->threads, FD_NOISE);
	if (atomic_load(&soak.wrong) > 0) {
		printf("wrong answers\n");
		bad = true;
	}
	/* More than the upstream's own deferrals and its absences. */
	if (atomic_load(&soak.deferred) > (unsigned long)soak.end / 25 + 1000) {
		printf("too many deferrals\n");
		bad = true;
	}
	return bad ? 1 : 0;
}

int
main(int argc, char **argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct figures f[QUARTERS];
	struct prober_params pp = { 0 };
	long long probes = 200000, threads = 32;
	char why[256];

	if ((argc > 1 && !number_parse(argv[1], 1000, 100000000, &probes)) ||
	    (argc > 2 && !number_parse(argv[2], 1, 256, &threads)))
		give_up("usage: soak [PROBES [THREADS]]");
	(void)sigaction(SIGPIPE, &ignore, NULL);
	log_set_sink(quiet, NULL);
	log_set_level(LOG_LEVEL_INFO);
	if (dial_global_init() != 0)
		give_up("no libcurl");
	upstream_start();
	soak.conf = load();
	if ((soak.v = verifier_new(soak.conf, &pp, why, sizeof(why))) == NULL)
		give_up(why);

	for (int q = 0; q < QUARTERS; q++) {
		for (int s = 0; s < SLICES; s++) {
			slice((long)probes / QUARTERS / SLICES, (int)threads);
			disturb(s);
		}
		measure(&f[q]);
	}

	verifier_free(soak.v);
	conf_unref(soak.conf);
	mini_stop(soak.up);
	dial_global_cleanup();
	return verdict(&f[0], &f[QUARTERS - 1]);
}
