/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/account_tag.h"

#include <stddef.h>
#include <string.h>

#define CHUNK 256

static unsigned char
lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* The name in pieces, each hashed with what came before: names of any length
 * do, and no buffer can be too short. */
static uint64_t
hash_name(const struct siphash_key *key, uint64_t before, const char *name)
{
	unsigned char buf[sizeof before + CHUNK];
	size_t n;

	do {
		memcpy(buf, &before, sizeof before);
		for (n = 0; n < CHUNK && name[n] != '\0'; n++)
			buf[sizeof before + n] = lower(name[n]);
		before = siphash(key, buf, sizeof before + n);
		name += n;
	} while (n == CHUNK);
	return before;
}

void
account_tag_set(struct account_tag *t, const struct siphash_key *key,
    const char *route, const char *name)
{
	t->name = hash_name(key, 0, name);
	t->account = route == NULL
	    ? 0
	    : hash_name(key, siphash(key, route, strlen(route)), name);
}
