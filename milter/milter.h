/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * milter - postern-milter's side of the milter protocol
 *
 * The callbacks that libmilter makes on its threads.  Each turns what the
 * MTA says into values and asks verify.h; nothing is decided here.
 */
#ifndef POSTERN_MILTER_MILTER_H
#define POSTERN_MILTER_MILTER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_holder;
struct fronts;
struct verifier;

/* What the callbacks work with; libmilter gives them no pointer of ours, so
 * there is one per process. */
struct milter_setup {
	struct conf_holder *conf;
	struct verifier *verifier;
	struct fronts *fronts;
};

/*
 * milter_register(with, why, len): tell libmilter of the callbacks.  with is
 * borrowed until milter_run() has returned.  Returns 0 or -1.
 */
int milter_register(const struct milter_setup *with, char *why, size_t len);

/*
 * milter_listen(socket, group, why, len): open the MTA's socket, with mode
 * 0660 for a group and 0600 without.  group may be NULL.  A socket that a dead
 * daemon has left there is replaced, one that is answered is not.  Returns 0
 * or -1.
 */
int milter_listen(const char *socket, const char *group, char *why, size_t len);

/* milter_run(): serve until SIGTERM or milter_stop().  Returns 0, or -1 when it
 * could not. */
int milter_run(void);

/* milter_stop(thread): make milter_run() return, which runs on that thread, and
 * join it: at once where libmilter can be woken, on a Unix socket, else within
 * five seconds.  The caller must not wait for SIGTERM any more. */
void milter_stop(pthread_t thread);

/*
 * milter_drain(wait_ms): after milter_run(): let no further recipient be asked
 * about, and wait for those that are.  False when some still are after wait_ms
 * milliseconds: then the verifier may not be freed.
 */
bool milter_drain(int64_t wait_ms);

#endif /* POSTERN_MILTER_MILTER_H */
