/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_login - memory and time of the login memory and the shield, full
 *
 *	bench_login [ENTRIES]
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/auth_memory.h"
#include "common/clock.h"
#include "common/number.h"
#include "common/shield.h"

#define HOUR 3600000LL

static const struct shield_limits limits = { 3, HOUR, 10, HOUR };

/* What was done, how long each took, and what each has taken from the heap. */
struct lap {
	size_t heap;
	int64_t ns;
};

/* The processor's time: other programs may run meanwhile. */
static int64_t
cpu_ns(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static size_t
heap_now(void)
{
	struct mallinfo2 all = mallinfo2();

	return all.uordblks + all.hblkhd;
}

static struct lap
lap_begin(void)
{
	return (struct lap){ heap_now(), cpu_ns() };
}

static void
lap_end(const struct lap *l, const char *what, long n)
{
	int64_t ns = cpu_ns() - l->ns;
	size_t heap = heap_now();

	printf("%-34s %6.0f ns", what, (double)ns / (double)n);
	if (heap > l->heap + 1000000)
		printf("  %4.0f octets each",
		    (double)(heap - l->heap) / (double)n);
	printf("\n");
}

static void
ask_all(struct auth_memory *m, const char *pass, enum auth_end end, long n)
{
	struct secret s = { NULL, 0 };
	struct auth_claim *c;
	char name[64];

	if (!secret_set(&s, pass, strlen(pass)))
		return;
	for (long i = 0; i < n; i++) {
		struct auth_pair p = { "global", name, &s };

		(void)snprintf(
		    name, sizeof name, "first.last%06ld@example.org", i);
		(void)auth_memory_begin(m, &p, deadline_in(0), &c);
		auth_claim_end(c, end, HOUR);
	}
	secret_release(&s);
}

static void
visit_all(struct shield *s, const char *client, enum shield_end end, long n)
{
	char name[64];

	for (long i = 0; i < n; i++) {
		struct shield_visit v = { "global", name, client, false };

		(void)snprintf(
		    name, sizeof name, "first.last%06ld@example.org", i);
		if (shield_enter(s, &v, &limits, 1) == SHIELD_PASS)
			shield_leave(s, &v, end, 1);
	}
}

static void
bench_memory(long n)
{
	struct auth_memory *m = auth_memory_new((size_t)n);
	struct auth_memory_stats stats;
	struct lap l;

	if (m == NULL)
		return;
	l = lap_begin();
	ask_all(m, "wrong password", AUTH_END_BAD, n);
	lap_end(&l, "memory: asked, bad", n);
	l = lap_begin();
	ask_all(m, "wrong password", AUTH_END_BAD, n);
	lap_end(&l, "memory: known to be bad", n);
	l = lap_begin();
	ask_all(m, "right password", AUTH_END_GOOD, n);
	lap_end(&l, "memory: asked, good", n);
	l = lap_begin();
	ask_all(m, "right password", AUTH_END_GOOD, n);
	lap_end(&l, "memory: known to be good", n);
	l = lap_begin();
	ask_all(m, "another password", AUTH_END_BAD, n);
	lap_end(&l, "memory: asked, bad, full", n);
	l = lap_begin();
	auth_memory_stats(m, &stats);
	lap_end(&l, "memory: stats", 1);
	l = lap_begin();
	(void)auth_memory_drop(m, "nobody");
	lap_end(&l, "memory: drop of one account", 1);
	auth_memory_free(m);
}

static void
bench_shield(long n)
{
	struct shield *s = shield_new((size_t)n, (size_t)n);
	char client[64];
	struct lap l;

	if (s == NULL)
		return;
	l = lap_begin();
	visit_all(s, "192.0.2.1", SHIELD_GOOD, n);
	lap_end(&l, "shield: good, first", n);
	l = lap_begin();
	visit_all(s, "192.0.2.1", SHIELD_GOOD, n);
	lap_end(&l, "shield: good, again", n);
	l = lap_begin();
	visit_all(s, "192.0.2.2", SHIELD_BAD, n);
	lap_end(&l, "shield: bad, first", n);
	l = lap_begin();
	visit_all(s, "192.0.2.2", SHIELD_BAD, n);
	lap_end(&l, "shield: bad, again", n);
	l = lap_begin();
	visit_all(s, "192.0.2.2", SHIELD_BAD, n);
	lap_end(&l, "shield: held back", n);
	l = lap_begin();
	for (long i = 0; i < n; i++) {
		(void)snprintf(client, sizeof client, "2001:db8:%lx:%lx::1",
		    (unsigned long)i >> 16, (unsigned long)i & 0xffff);
		(void)shield_delay(s, client, &limits, false, 1);
	}
	lap_end(&l, "shield: failing answer, new client", n);
	l = lap_begin();
	(void)shield_drop(s, "nobody");
	lap_end(&l, "shield: drop of one account", 1);
	shield_free(s);
}

int
main(int argc, char **argv)
{
	long long entries = 100000;

	if (argc > 1 && !number_parse(argv[1], 1000, 10000000, &entries)) {
		(void)fprintf(stderr, "usage: bench_login [ENTRIES]\n");
		return 64;
	}
	printf("%lld entries\n", entries);
	bench_memory((long)entries);
	bench_shield((long)entries);
	return 0;
}
