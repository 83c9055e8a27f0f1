/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "common/errtext.h"

const char *
errtext(struct errtext *e, int err)
{
	return strerror_r(err, e->buf, sizeof(e->buf));
}
