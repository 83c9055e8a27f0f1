/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answer - what is known about one recipient: a verdict and where it is from
 *
 * A plain value, copied about; zeroed it is a deferral that nobody gave.
 */
#ifndef POSTERN_COMMON_ANSWER_H
#define POSTERN_COMMON_ANSWER_H

#include "common/classify.h"
#include "common/verdict.h"

#define ANSWER_ESC_MAX      12
#define ANSWER_TEXT_MAX     512
#define ANSWER_UPSTREAM_MAX 280
#define ANSWER_REASON_MAX   96

enum answer_origin {
	ANSWER_LOCAL = 0, /* nobody was asked: no memory, deadline, breaker */
	ANSWER_DOWN,      /* no upstream of the route could be asked */
	ANSWER_PROBED,    /* the upstream said so */
	ANSWER_CATCHALL,  /* the upstream takes every local part */
	ANSWER_ON_DOWN,   /* option on_down, while the upstream is down */
	ANSWER_LOOP,      /* a probe of our own that came back */
	ANSWER_NO_RELAY,  /* no route, and the client may not relay */
};

struct answer {
	enum verdict verdict;
	enum refusal kind; /* what the upstream's reply means */
	enum answer_origin origin;
	int code;                   /* the upstream's reply code, 0 if none */
	char esc[ANSWER_ESC_MAX];   /* its enhanced status "5.1.1", or "" */
	char text[ANSWER_TEXT_MAX]; /* its words; for the log */
	char upstream[ANSWER_UPSTREAM_MAX]; /* "host:port", or "" */
	char reason[ANSWER_REASON_MAX];     /* in few words, for the log */
};

#endif /* POSTERN_COMMON_ANSWER_H */
