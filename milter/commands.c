/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cache.h"
#include "common/catchall.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/conf_holder.h"
#include "common/control.h"
#include "common/probe.h"
#include "common/verify.h"
#include "milter/commands.h"
#include "milter/front_commands.h"
#include "milter/fronts.h"
#include "milter/milter.h"

/* What was settled when the daemon started, and stays until it starts anew. */
static void
compare(struct reload *r, const struct conf *conf)
{
	reload_string(r, "milter.socket", conf->milter.socket);
	reload_string(r, "milter.socket_group", conf->milter.socket_group);
	reload_string(r, "milter.control", conf->milter.control);
	reload_number(
	    r, "smtp_rcptto_proxy.cache_size", conf->rcptto.cache_size);
}

static bool
apply(void *arg, struct conf *fresh, char *why, size_t len)
{
	const struct milter_setup *setup = arg;

	return verifier_reload(setup->verifier, fresh, why, len) == 0;
}

void
commands_open(struct commands *c, struct milter_setup *setup)
{
	c->reload.holder = setup->conf;
	c->reload.apply = apply;
	c->reload.compare = compare;
	c->reload.arg = setup;
	c->setup = setup;
	reload_open(&c->reload);
}

void
commands_close(struct commands *c)
{
	reload_close(&c->reload);
}

static bool
command_status(const struct commands *c, FILE *out)
{
	struct verifier *v = c->setup->verifier;
	struct conf *conf = conf_holder_get(c->setup->conf);
	struct prober_counters n;
	char *text = NULL;
	size_t size = 0, tied = 0, pending = 0;
	FILE *fp;

	prober_count(verifier_prober(v), &n);
	fronts_count(c->setup->fronts, &tied, &pending);
	fprintf(out, " program=postern-milter version=%s pid=%ld\n",
	    PACKAGE_VERSION, (long)getpid());
	fprintf(out, " configuration=%s socket=%s mode=%s\n",
	    c->reload.conf_file, conf->milter.socket,
	    conf->rcptto.mode == MODE_OBSERVE ? "observe" : "enforce");
	fprintf(out, " questions_open=%llu upstream_sessions=%llu\n", n.waiting,
	    n.sessions);
	fprintf(out, " front_sessions=%zu front_sessions_pending=%zu\n", tied,
	    pending);
	conf_unref(conf);

	/* The prober prints on its own thread, which must not wait for the
	 * socket. */
	if ((fp = open_memstream(&text, &size)) == NULL)
		return false;
	prober_show(verifier_prober(v), NULL, fp);
	fclose(fp);
	control_lines(out, text);
	free(text);
	return true;
}

static bool
command_stats(const struct commands *c, FILE *out)
{
	struct verifier *v = c->setup->verifier;
	struct verify_counters n;
	struct prober_counters p;
	struct cache_stats m;

	verifier_count(v, &n);
	prober_count(verifier_prober(v), &p);
	cache_stats(verifier_cache(v), &m);
	fprintf(out,
	    " accepted=%llu\n rejected=%llu\n deferred=%llu\n skipped=%llu\n"
	    " observed=%llu\n",
	    n.accepted, n.rejected, n.deferred, n.skipped, n.observed);
	fprintf(out,
	    " cache_hits=%lu\n cache_misses=%lu\n cache_refreshes=%lu\n"
	    " cache_evictions=%lu\n cache_entries=%zu\n cache_bytes=%zu\n",
	    m.hits, m.misses, m.refreshes, m.evictions, m.entries, m.bytes);
	fprintf(out,
	    " probes=%llu\n probes_joined=%llu\n probes_moved=%llu\n"
	    " upstream_connections=%llu\n upstream_connections_failed=%llu\n"
	    " upstream_commands=%llu\n",
	    p.questions, p.joined, p.moved, p.opened, p.failed, p.commands);
	return true;
}

static bool
show_item(void *arg, const struct cache_item *i)
{
	const struct answer *a = &i->answer;
	FILE *out = arg;

	if (i->left_ms <= 0)
		return true;
	fprintf(
	    out, " %s@%s %s", i->local, i->domain, verdict_name(a->verdict));
	if (a->code != 0)
		fprintf(out, " %d", a->code);
	if (a->esc[0] != '\0')
		fprintf(out, " %s", a->esc);
	fprintf(out, " age=%lld left=%lld upstream=%s%s\n",
	    (long long)(i->age_ms / 1000), (long long)(i->left_ms / 1000),
	    a->upstream, i->contradicted ? " contradicted" : "");
	return !ferror(out);
}

static void
show_mark(void *arg, const char *domain, int64_t left_ms)
{
	fprintf(arg, " @%s catch-all left=%lld\n", domain,
	    (long long)(left_ms / 1000));
}

/* ADDRESS or @DOMAIN to what selects it; `a` holds the text. */
static bool
select_what(const char *what, struct address *a, struct cache_select *which,
    char *why, size_t len)
{
	const char *bad = NULL;
	char probe[ADDRESS_MAX + 1];

	if (what == NULL)
		return true;
	if (what[0] == '@')
		snprintf(probe, sizeof(probe), "x%s", what);
	else
		snprintf(probe, sizeof(probe), "%s", what);
	if (strlen(what) >= sizeof(probe) - 1 ||
	    address_parse(probe, strlen(probe), a, &bad) != ADDRESS_OK) {
		snprintf(why, len, "%s: neither ADDRESS nor @DOMAIN", what);
		return false;
	}
	which->domain = a->domain;
	if (what[0] != '@')
		which->local = a->local;
	return true;
}

/* Printed to memory first: neither the marks nor the cache may be kept
 * waiting by whoever reads. */
static bool
cache_show(struct verifier *v, const struct cache_select *which, FILE *out,
    char *why, size_t len)
{
	int64_t now = clock_ms();
	char *text = NULL;
	size_t size = 0;
	FILE *fp = open_memstream(&text, &size);

	if (fp == NULL) {
		snprintf(why, len, "out of memory");
		return false;
	}
	if (which->domain == NULL)
		catchall_walk(verifier_catchall(v), now, show_mark, fp);
	cache_walk(verifier_cache(v), which, now, show_item, fp);
	if (fclose(fp) == 0)
		fwrite(text, 1, size, out);
	free(text);
	return true;
}

static bool
command_cache(const struct commands *c, char *const *words, size_t n, FILE *out,
    char *why, size_t len)
{
	struct verifier *v = c->setup->verifier;
	struct cache_select which = { 0 };
	const char *what = n > 2 ? words[2] : NULL;
	struct address a;
	size_t dropped;

	if (!select_what(what, &a, &which, why, len))
		return false;
	if (n >= 2 && n <= 3 && strcmp(words[1], "show") == 0) {
		return cache_show(v, &which, out, why, len);
	}
	if ((n == 3 && strcmp(words[1], "drop") == 0) ||
	    (n == 2 && strcmp(words[1], "flush") == 0)) {
		dropped = cache_drop(verifier_cache(v), &which);
		if (which.local == NULL)
			catchall_drop(verifier_catchall(v), which.domain);
		fprintf(out, " dropped=%zu\n", dropped);
		return true;
	}
	snprintf(why, len, "cache show|drop|flush [ADDRESS|@DOMAIN]");
	return false;
}

static bool
command_explain(const struct commands *c, char *const *words, size_t n,
    FILE *out, char *why, size_t len)
{
	struct verify_request rq = { 0 };
	char *text = NULL;
	size_t size = 0;
	FILE *fp;

	if (n != 4 || strcmp(words[1], "rcpt") != 0) {
		snprintf(why, len, "explain rcpt FROM ADDRESS");
		return false;
	}
	verify_request_set(&rq, words[2], words[3]);
	if (rq.from_result == ADDRESS_BAD) {
		snprintf(why, len, "%s: not an address", words[2]);
		return false;
	}
	if ((fp = open_memstream(&text, &size)) == NULL) {
		snprintf(why, len, "out of memory");
		return false;
	}
	verify_explain(c->setup->verifier, &rq, fp);
	fclose(fp);
	control_lines(out, text);
	free(text);
	return true;
}

bool
commands_serve(
    void *arg, char *const *words, size_t n, FILE *out, char *why, size_t len)
{
	struct commands *c = arg;

	if (strcmp(words[0], "status") == 0 && n == 1)
		return command_status(c, out);
	if (strcmp(words[0], "stats") == 0 && n == 1)
		return command_stats(c, out);
	if (strcmp(words[0], "reload") == 0 && n == 1)
		return reload_now(&c->reload, out, why, len);
	if (strcmp(words[0], "cache") == 0)
		return command_cache(c, words, n, out, why, len);
	if (strcmp(words[0], "explain") == 0)
		return command_explain(c, words, n, out, why, len);
	if (strcmp(words[0], "front") == 0)
		return front_command(c->setup, words, n, out, why, len);
	snprintf(why, len, "unknown command: %s", words[0]);
	return false;
}
