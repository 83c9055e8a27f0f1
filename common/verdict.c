/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/verdict.h"

const char *
verdict_name(enum verdict v)
{
	switch (v) {
	case VERDICT_DEFER:
		return "defer";
	case VERDICT_ACCEPT:
		return "accept";
	case VERDICT_REJECT:
		return "reject";
	}
	return "unknown";
}
