/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control - the socket on which posternctl talks to a daemon
 *
 * One request a connection: a line of words separated by single spaces, at
 * most CONTROL_LINE_MAX octets.  The answer: any number of lines that begin
 * with a space, then one line "ok" or "error: TEXT".  The socket has mode
 * 0600, and only root and the user the daemon runs as are listened to
 * (SO_PEERCRED).
 */
#ifndef POSTERN_COMMON_CONTROL_H
#define POSTERN_COMMON_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* XSETCONTEXT has a line of up to 64 KiB, of 1024 pairs. */
#define CONTROL_LINE_MAX  (72 * 1024)
#define CONTROL_WORDS_MAX 1040

struct control;

/*
 * Answers one request on a thread of its own; several may run at once.
 *
 *   words, n  the request; words[0] is the command
 *   out       for the lines of the answer, each begun with a space
 *   why, len  for the text of an error
 *
 * Returns true for "ok".
 */
typedef bool control_handler(
    void *arg, char *const *words, size_t n, FILE *out, char *why, size_t len);

/*
 * control_open(path, why, len): bind and listen; a socket that a dead daemon
 * has left there is replaced, one that is answered is not.  Returns a
 * descriptor or -1.
 */
int control_open(const char *path, char *why, size_t len);

/* control_start(fd, fn, arg): serve on a thread; takes fd. */
struct control *control_start(int fd, control_handler *fn, void *arg);

/* control_stop(c): end the thread and wait for requests being answered. */
void control_stop(struct control *c);

/* control_lines(out, text): each line of text as a line of the answer, without
 * a way to break its framing.  Cuts text up; NULL does nothing. */
void control_lines(FILE *out, char *text);

/*
 * The client's side.
 *
 * control_ask(path, request, out, why, len): send a request, write the lines
 * of the answer without their space to out.  Returns 0, 1 for an error that
 * the daemon reports, -1 when no daemon can be asked.
 */
int control_ask(
    const char *path, const char *request, FILE *out, char *why, size_t len);

/* control_ask_within(path, request, seconds, out, why, len): the same, with a
 * limit of one's own for connecting, for each write and for each silence. */
int control_ask_within(const char *path, const char *request, int seconds,
    FILE *out, char *why, size_t len);

#endif /* POSTERN_COMMON_CONTROL_H */
