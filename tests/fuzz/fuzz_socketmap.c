/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Octets as socketmap requests, one after the other: what is read lies inside
 * them and, written again, is octet for octet what it was read from; whatever
 * is written as a request is read.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "saslauth-plugin/socketmap_frame.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

static void
inside(const struct socketmap_text *t, const uint8_t *data, size_t size)
{
	const uint8_t *at = t->data;

	must(at >= data && t->len <= size &&
	    (size_t)(at - data) <= size - t->len);
}

static size_t
write_request(const struct socketmap_request *rq, uint8_t *out, size_t size)
{
	struct socketmap_text v[3] = { rq->name, { " ", 1 }, rq->key };

	return socketmap_write(v, rq->key.data == NULL ? 1 : 3, out, size);
}

static void
read_all(const uint8_t *data, size_t size)
{
	static uint8_t again[SOCKETMAP_FRAME_MAX];
	struct socketmap_request rq;
	const char *why = NULL;
	enum socketmap_state state;

	while ((state = socketmap_parse(data, size, &rq, &why)) ==
	    SOCKETMAP_WHOLE) {
		must(why == NULL && rq.frame <= size);
		must(rq.frame <= SOCKETMAP_FRAME_MAX);
		inside(&rq.name, data, size);
		if (rq.key.data != NULL)
			inside(&rq.key, data, size);
		must(write_request(&rq, again, sizeof(again)) == rq.frame);
		must(memcmp(again, data, rq.frame) == 0);
		must(write_request(&rq, again, rq.frame - 1) == 0);
		/* No octet of it can be missing. */
		must(socketmap_parse(data, rq.frame - 1, NULL, NULL) ==
		    SOCKETMAP_MORE);
		data += rq.frame;
		size -= rq.frame;
	}
	must((state == SOCKETMAP_BAD) == (why != NULL));
	if (state == SOCKETMAP_MORE)
		must(size < SOCKETMAP_FRAME_MAX);
}

static void
write_and_read(const uint8_t *data, size_t size)
{
	const struct socketmap_text v[2] = { { data, size / 2 },
		{ data + size / 2, size - size / 2 } };
	uint8_t *out = malloc(size + SOCKETMAP_AROUND);
	struct socketmap_request rq;
	size_t n;

	if (out == NULL)
		return;
	n = socketmap_write(v, 2, out, size + SOCKETMAP_AROUND);
	must((n == 0) == (size > SOCKETMAP_REPLY_MAX));
	if (n > 0 && size <= SOCKETMAP_REQUEST_MAX) {
		must(socketmap_parse(out, n, &rq, NULL) == SOCKETMAP_WHOLE);
		must(rq.frame == n);
	} else if (n > 0)
		must(socketmap_parse(out, n, &rq, NULL) == SOCKETMAP_BAD);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_all(data, size);
	write_and_read(data, size);
	return 0;
}
