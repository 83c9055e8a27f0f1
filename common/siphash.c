/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/siphash.h"

#include <endian.h>
#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void
rounds(struct state *s, unsigned n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

/* Up to eight octets as a little-endian number. */
static uint64_t
word(const unsigned char *p, size_t n)
{
	uint64_t w = 0;

	while (n-- > 0)
		w = w << 8 | p[n];
	return w;
}

/* Eight of them: one load, where the compiler is told so. */
static uint64_t
whole_word(const unsigned char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof w);
	return le64toh(w);
}

static void
absorb(struct state *s, uint64_t w)
{
	s->v3 ^= w;
	rounds(s, 2);
	s->v0 ^= w;
}

uint64_t
siphash(const struct siphash_key *key, const void *data, size_t len)
{
	/* The constants are the ASCII text "somepseudorandomlygeneratedbytes". */
	struct state s = {
		key->k0 ^ 0x736f6d6570736575U,
		key->k1 ^ 0x646f72616e646f6dU,
		key->k0 ^ 0x6c7967656e657261U,
		key->k1 ^ 0x7465646279746573U,
	};
	const unsigned char *p = data;
	size_t left = len;

	for (; left >= 8; left -= 8, p += 8)
		absorb(&s, whole_word(p));
	absorb(&s, (uint64_t)len << 56 | word(p, left));
	s.v2 ^= 0xff;
	rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
