/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/stage.h"

const char *
stage_name(enum smtp_stage stage)
{
	switch (stage) {
	case STAGE_CONNECT:
		return "connect";
	case STAGE_GREETING:
		return "greeting";
	case STAGE_EHLO:
		return "ehlo";
	case STAGE_STARTTLS:
		return "starttls";
	case STAGE_XCLIENT:
		return "xclient";
	case STAGE_AUTH:
		return "auth";
	case STAGE_MAIL:
		return "mail";
	case STAGE_RCPT:
		return "rcpt";
	case STAGE_DATA:
		return "data";
	case STAGE_RSET:
		return "rset";
	case STAGE_QUIT:
		return "quit";
	}
	return "?";
}
