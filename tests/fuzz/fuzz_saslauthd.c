/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Octets as a request in saslauthd's protocol: its fields lie inside it, and
 * what is whole was not bad, nor as long, an octet earlier.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdlib.h>

#include "saslauth-plugin/saslauthd_frame.h"

static void
must(bool what)
{
	if (!what)
		abort();
}

static void
inside(const struct saslauthd_field *f, const uint8_t *data, size_t size)
{
	must(f->data >= data && f->len <= size &&
	    (size_t)(f->data - data) <= size - f->len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct saslauthd_request rq;
	const char *why = NULL;
	enum saslauthd_state state, before;

	state = saslauthd_parse(data, size, &rq, &why);
	must((state == SASLAUTHD_BAD) == (why != NULL));
	if (state == SASLAUTHD_BAD || size == 0)
		return 0;
	before = saslauthd_parse(data, size - 1, NULL, NULL);
	must(before == SASLAUTHD_MORE || before == SASLAUTHD_FOUR);
	if (state < SASLAUTHD_FOUR)
		return 0;
	inside(&rq.login, data, size);
	inside(&rq.password, data, size);
	inside(&rq.service, data, size);
	inside(&rq.realm, data, size);
	if (state == SASLAUTHD_FIVE)
		inside(&rq.client, data, size);
	else
		must(rq.client.data == NULL && rq.client.len == 0);
	return 0;
}
