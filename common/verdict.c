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

enum verdict
verdict_of(enum refusal r)
{
	switch (r) {
	case REFUSAL_ACCEPTED:
		return VERDICT_ACCEPT;
	case REFUSAL_NOUSER:
	case REFUSAL_MAILBOX:
		return VERDICT_REJECT;
	case REFUSAL_US:
	case REFUSAL_TEMPORARY:
		break;
	}
	return VERDICT_DEFER;
}
