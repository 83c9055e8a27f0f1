/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/secret.h"

#include <stdlib.h>
#include <string.h>

void
secret_init(struct secret *s)
{
	s->data = NULL;
	s->len = 0;
}

bool
secret_set(struct secret *s, const void *data, size_t len)
{
	secret_release(s);
	if (len > SECRET_MAX)
		return false;
	if ((s->data = malloc(len + 1)) == NULL)
		return false;
	if (len > 0)
		memcpy(s->data, data, len);
	s->data[len] = '\0';
	s->len = len;
	return true;
}

void
secret_release(struct secret *s)
{
	if (s->data != NULL)
		explicit_bzero(s->data, s->len + 1);
	free(s->data);
	secret_init(s);
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
	const unsigned char *x = (const unsigned char *)secret_bytes(a, NULL);
	const unsigned char *y = (const unsigned char *)secret_bytes(b, NULL);
	/* volatile keeps the compiler from leaving the loop early. */
	volatile unsigned char differ = a->len != b->len;
	size_t i;

	/* Different lengths: walk the first one against itself, so that the
	 * time says nothing about where the contents part. */
	if (differ)
		y = x;
	for (i = 0; i < a->len; i++)
		differ = (unsigned char)(differ | (x[i] ^ y[i]));
	return differ == 0;
}

const char *
secret_bytes(const struct secret *s, size_t *len)
{
	if (len != NULL)
		*len = s->len;
	return s->data != NULL ? (const char *)s->data : "";
}
