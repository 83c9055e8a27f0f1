/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * siphash - SipHash-2-4, a keyed hash for hash tables
 *
 * Keys of our tables come from strangers (recipient addresses).  Without a
 * secret in the hash they could choose keys that all fall into one bucket.
 * OpenSSL has the function too, but behind an allocation per call.  See
 * Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.  Pure.
 */
#ifndef POSTERN_COMMON_SIPHASH_H
#define POSTERN_COMMON_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

/*
 * siphash(key, data, len): the 64-bit hash of len octets; data may be NULL
 * when len is 0.
 */
uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

#endif /* POSTERN_COMMON_SIPHASH_H */
