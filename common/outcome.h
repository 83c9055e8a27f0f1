/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outcome - how an attempt ended, and what went wrong if it did
 *
 * Everything that can fail returns an enum outcome.  The detail travels in
 * a struct fault that the caller owns; a caller who does not care passes
 * NULL.  An outcome is a fact; what a client is told is decided elsewhere
 * (verdict.h).  No locks: a struct fault belongs to one thread at a time.
 */
#ifndef POSTERN_COMMON_OUTCOME_H
#define POSTERN_COMMON_OUTCOME_H

#define FAULT_TEXT_MAX 512
#define FAULT_ESC_MAX  12

/* Zero is the answer that harms nobody: whoever forgets to set an outcome
 * has said "try again later". */
enum outcome {
	OUTCOME_TEMP = 0, /* network, 4yz, look-up down, out of memory */
	OUTCOME_OK,       /* it was done */
	OUTCOME_PERM,     /* 5yz, bad address, bad configuration */
};

enum fault_origin {
	FAULT_NONE,       /* nothing is wrong */
	FAULT_LOCAL,      /* here: memory, descriptors, configuration */
	FAULT_CONNECTION, /* look-up, connect, TLS, deadline, lost session */
	FAULT_PROTOCOL,   /* the upstream does not speak SMTP as it should */
	FAULT_FEATURE,    /* the upstream lacks something we require */
	FAULT_REPLY,      /* the upstream answered, and refused */
};

struct fault {
	enum fault_origin origin;
	int code;                  /* reply code with FAULT_REPLY, else 0 */
	char esc[FAULT_ESC_MAX];   /* enhanced status "5.1.1", or "" */
	char text[FAULT_TEXT_MAX]; /* octets 32..126 only */
};

/*
 * fault_clear(f): make *f say that nothing is wrong.  f may be NULL.
 */
void fault_clear(struct fault *f);

/*
 * fault_set(f, origin, fmt, ...): record a fault of ours or of the way to
 * the upstream.  The reply code is 0 and the enhanced status empty
 * afterwards: a local fault never wears a reply code.
 *
 *   f    may be NULL, then nothing happens
 *   fmt  printf format; text beyond FAULT_TEXT_MAX - 1 octets is cut, each
 *        octet outside 32..126 becomes '?'
 *
 * The arguments may point into *f.
 */
void fault_set(struct fault *f, enum fault_origin origin, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * fault_set_reply(f, code, esc, text): record an upstream's refusal.
 *
 *   f     may be NULL, then nothing happens
 *   code  the reply code, 200..599
 *   esc   enhanced status as text, or NULL or "" for none; one that does not
 *         fit is left out
 *   text  the reply's text, or NULL; treated as in fault_set()
 */
void fault_set_reply(
    struct fault *f, int code, const char *esc, const char *text);

/*
 * fault_origin_name(origin): a word for logs: "none", "local",
 * "connection", "protocol", "feature", "reply"; "unknown" for other values.
 * The string is constant.
 */
const char *fault_origin_name(enum fault_origin origin);

/*
 * outcome_name(oc): "ok", "temp" or "perm"; "unknown" for other values.
 * The string is constant.
 */
const char *outcome_name(enum outcome oc);

#endif /* POSTERN_COMMON_OUTCOME_H */
