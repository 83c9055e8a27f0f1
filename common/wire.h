/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire - what the SASL plug-in and postern-authd say to each other
 *
 * Over a Unix stream socket, one login after the other.  The plug-in sends a
 * message and waits for one; a relayed mechanism goes on so until the answer
 * is final.  After that the connection may carry another login, and either
 * side may close it; who closes before the answer says that there is none.  A
 * message is a frame:
 *
 *	octets 0, 1   'P' 'A'
 *	octet  2      WIRE_VERSION
 *	octet  3      type
 *	octets 4..7   length of the body, big-endian, WIRE_BODY_MAX at most
 *	body          items: tag (1 octet), length (2, big-endian), octets
 *
 * Items stand in the order of their tags, none twice.  What a type must and
 * may carry is checked, and anything else is no message: both sides come
 * from one build, and guessing has no place in a login.
 *
 *	type       must carry                 may carry
 *	CHECK      MECH SERVICE USER PASS     REALM CLIENT
 *	START      MECH SERVICE               REALM CLIENT DATA
 *	STEP       DATA
 *	GOOD       USER
 *	BAD                                   USER
 *	UNSURE                                USER REASON
 *	CHALLENGE  DATA
 *
 * What the items say is not looked at: any octets, possibly none.
 *
 * Libc only; no locks; nothing here allocates.
 */
#ifndef POSTERN_COMMON_WIRE_H
#define POSTERN_COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#define WIRE_VERSION  1
#define WIRE_HEADER   8
#define WIRE_BODY_MAX 32768
#define WIRE_MAX      (WIRE_HEADER + WIRE_BODY_MAX)

enum wire_type {
	/* questions */
	WIRE_CHECK = 1, /* user and password: PLAIN, LOGIN */
	WIRE_START = 2, /* a relayed mechanism; DATA: the initial response */
	WIRE_STEP = 3,  /* its next response, in DATA */
	/* answers */
	WIRE_GOOD = 64,   /* USER: the name that has logged in */
	WIRE_BAD = 65,    /* the upstream's own refusal; USER if known */
	WIRE_UNSURE = 66, /* cannot tell; REASON is for a log, USER if known */
	WIRE_CHALLENGE = 67, /* DATA, for the client */
};

enum wire_tag {
	WIRE_MECH = 1, /* "PLAIN" */
	WIRE_SERVICE,  /* "smtp" */
	WIRE_REALM,    /* of the application, may be empty */
	WIRE_CLIENT,   /* libsasl's ipremoteport, "192.0.2.1;49152"; or empty */
	WIRE_USER,
	WIRE_PASS,
	WIRE_DATA, /* not in base64 */
	WIRE_REASON,
	WIRE_TAGS /* one more than the last */
};

/* Octets that belong to somebody else; data is NULL when the item is not
 * there, which is not the same as empty. */
struct wire_item {
	const unsigned char *data;
	size_t len;
};

struct wire_message {
	enum wire_type type;
	struct wire_item item[WIRE_TAGS]; /* by tag; [0] is not used */
};

/*
 * wire_format(m, buf, size): write the frame of *m.
 *
 *   buf, size  WIRE_MAX octets hold any message
 *
 * Returns the frame's length; 0 when it does not fit, or *m is no message of
 * its type.  The caller wipes buf.
 */
size_t wire_format(
    const struct wire_message *m, unsigned char *buf, size_t size);

/*
 * wire_frame(buf, len, why): how long is the frame that begins here?
 *
 *   why  set to a constant text on failure; may be NULL
 *
 * Returns its whole length, header included; 0 while fewer than WIRE_HEADER
 * octets are there and these could begin a frame; -1 when they cannot.
 */
long wire_frame(const unsigned char *buf, size_t len, const char **why);

/*
 * wire_parse(buf, len, m, why): read one whole frame.
 *
 *   m    overwritten, with nothing on failure; its items lie in buf
 *   why  set to a constant text on failure; may be NULL
 *
 * Returns false when it is not exactly one message.
 */
bool wire_parse(const unsigned char *buf, size_t len, struct wire_message *m,
    const char **why);

#endif /* POSTERN_COMMON_WIRE_H */
