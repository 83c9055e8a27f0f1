/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon - what a long-running program does before and around its work
 *
 * The only file of common/ that may exit, fork, handle signals or call
 * syslog(3); programs alone link it.  The functions are called from main()
 * in the order in which they stand here, before there are threads.
 */
#ifndef POSTERN_COMMON_DAEMON_H
#define POSTERN_COMMON_DAEMON_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/conf.h"

struct daemon_args {
	char conf_file[PATH_MAX]; /* -c */
	bool foreground;          /* -f */
	bool check;               /* -n */
	int verbose;              /* -v, times */
};

/* daemon_fds(): make sure that 0, 1 and 2 are open, on /dev/null if need be;
 * else the next socket would become standard output.  Exits on failure. */
void daemon_fds(void);

/* daemon_args(argc, argv, out): the options that every daemon has.  Prints
 * and exits for -V and for what is not understood (64). */
void daemon_args(int argc, char **argv, struct daemon_args *out);

/* Whether the program can work with a configuration that has been read: 0, or
 * -1 with why. */
typedef int daemon_check(struct conf *c, char *why, size_t len);

/* daemon_conf(args, check): load the configuration, its messages to standard
 * error.  With -n prints it and exits 0; exits 78 when it is bad. */
struct conf *daemon_conf(const struct daemon_args *args, daemon_check *check);

/* daemon_log(name, c, args): send the log where c says, and to standard error
 * too in the foreground, unless the journal has both, and until
 * daemon_ready(). */
void daemon_log(
    const char *name, const struct conf *c, const struct daemon_args *args);

/* daemon_log_level(c): log_level of another snapshot, with -v as it was given.
 * Any thread. */
void daemon_log_level(const struct conf *c);

/* daemon_limits(): as many descriptors as the system lets us have, and no
 * core files, which could hold secrets. */
void daemon_limits(void);

/* daemon_detach(): go on in the background.  The caller's process waits for
 * daemon_ready() and exits with what became of it. */
void daemon_detach(void);

/*
 * daemon_give(path, user, why, len): when run by root, make a socket the
 * user's, so that the programs of that user may connect to it.  Before
 * daemon_drop().  Returns 0, or -1 with a message.
 */
int daemon_give(const char *path, const char *user, char *why, size_t len);

/*
 * daemon_drop(user, why, len): when run by root become user for good: groups,
 * gid and uid, and prove that there is no way back.  When not run by root
 * nothing is done.  Returns 0, or -1 with a message.
 */
int daemon_drop(const char *user, char *why, size_t len);

/* daemon_ready(): tell whoever waits (the shell, the service manager) that
 * the sockets are open. */
void daemon_ready(void);
void daemon_stopping(void);
/* daemon_reloading(), then daemon_ready() again. */
void daemon_reloading(void);

/*
 * daemon_signals(): block SIGUSR1, SIGTERM, SIGINT and SIGHUP, for this thread
 * and those it will make: one that does not block them would be ended by them,
 * and the process with it.  SIGPIPE is ignored.  On the main thread, before
 * there are others.  Returns 0 or -1.
 */
int daemon_signals(void);

/*
 * daemon_wait(on_reload, arg, hup): wait for signals, on the main thread: the
 * kernel hands it those sent to the process first, before libmilter's own
 * thread.  Calls on_reload for each SIGUSR1, and with hup for each SIGHUP;
 * without, that stops.  Returns true when told to stop, false after
 * daemon_wake().
 */
bool daemon_wait(void (*on_reload)(void *), void *arg, bool hup);

/* daemon_wake(): end daemon_wait(); from any other thread. */
void daemon_wake(void);

/* daemon_fail(what, why): log both and exit with EX_UNAVAILABLE. */
_Noreturn void daemon_fail(const char *what, const char *why);

/* daemon_trace(arg, direction, line): a session_trace that logs the dialogue
 * with upstreams when debugging; what is secret is not in it. */
void daemon_trace(void *arg, char direction, const char *line);

#endif /* POSTERN_COMMON_DAEMON_H */
