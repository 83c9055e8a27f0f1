/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/cache_gist.h"

#include <stdlib.h>
#include <string.h>

#include "common/table.h"

struct gist {
	struct table_entry link;
	size_t refs;
	size_t size;
	unsigned char octets[]; /* the answer, packed; the key too */
};

struct gists {
	struct table *table;
	size_t bytes;
};

static size_t
gist_cost(const struct gist *g)
{
	return sizeof *g + g->size + CACHE_MALLOC_COST;
}

static void
drop(void *arg, struct table_entry *node)
{
	struct gists *all = arg;
	struct gist *g = (struct gist *)node;

	all->bytes -= gist_cost(g);
	free(g);
}

struct gists *
gists_new(size_t max)
{
	struct gists *all = calloc(1, sizeof *all);

	if (all == NULL)
		return NULL;
	all->table = table_new(max, drop, all);
	if (all->table == NULL) {
		free(all);
		return NULL;
	}
	return all;
}

void
gists_free(struct gists *all)
{
	if (all == NULL)
		return;
	table_free(all->table);
	free(all);
}

size_t
gists_bytes(const struct gists *all)
{
	return all->bytes;
}

void
gist_unref(struct gists *all, struct gist *g)
{
	if (--g->refs == 0)
		table_remove(all->table, &g->link);
}

struct packed {
	size_t len;
	unsigned char octets[sizeof(struct answer)];
};

static void
pack(struct packed *p, const void *data, size_t len)
{
	memcpy(p->octets + p->len, data, len);
	p->len += len;
}

static void
pack_string(struct packed *p, const char *s, size_t size)
{
	pack(p, s, strnlen(s, size - 1));
	pack(p, "", 1);
}

static void
unpack(const unsigned char **p, void *to, size_t len)
{
	memcpy(to, *p, len);
	*p += len;
}

static void
unpack_string(const unsigned char **p, char *to)
{
	unpack(p, to, strlen((const char *)*p) + 1);
}

struct gist *
gist_ref(struct gists *all, const struct answer *a)
{
	struct packed p = { 0, { 0 } };
	struct gist *g;

	pack(&p, &a->verdict, sizeof a->verdict);
	pack(&p, &a->kind, sizeof a->kind);
	pack(&p, &a->origin, sizeof a->origin);
	pack(&p, &a->code, sizeof a->code);
	pack_string(&p, a->esc, sizeof a->esc);
	pack_string(&p, a->upstream, sizeof a->upstream);
	pack_string(&p, a->reason, sizeof a->reason);
	g = (struct gist *)table_find(all->table, p.octets, p.len);
	if (g == NULL) {
		g = calloc(1, sizeof *g + p.len);
		if (g == NULL)
			return NULL;
		g->size = p.len;
		memcpy(g->octets, p.octets, p.len);
		if (!table_add(all->table, &g->link, g->octets, p.len)) {
			free(g);
			return NULL;
		}
		all->bytes += gist_cost(g);
	}
	g->refs++;
	return g;
}

void
gist_answer(const struct gist *g, struct answer *out)
{
	const unsigned char *p = g->octets;

	unpack(&p, &out->verdict, sizeof out->verdict);
	unpack(&p, &out->kind, sizeof out->kind);
	unpack(&p, &out->origin, sizeof out->origin);
	unpack(&p, &out->code, sizeof out->code);
	unpack_string(&p, out->esc);
	unpack_string(&p, out->upstream);
	unpack_string(&p, out->reason);
}
