/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "saslauth-plugin/serve.h"

bool
serve_text(const void *data, size_t len, char *out, size_t size)
{
	if (len >= size || (len > 0 && memchr(data, '\0', len) != NULL))
		return false;
	if (len > 0)
		memcpy(out, data, len);
	out[len] = '\0';
	return true;
}
