/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local_socket - Unix sockets by path: connect, and make room to listen
 *
 * No threads, no log.
 */
#ifndef POSTERN_COMMON_LOCAL_SOCKET_H
#define POSTERN_COMMON_LOCAL_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

/* local_address(sa, path, why, len): fill *sa; false with a message when path
 * is empty or too long for a socket. */
bool local_address(
    struct sockaddr_un *sa, const char *path, char *why, size_t len);

/*
 * local_listen(path, backlog, why, len): bind and listen, with mode 0600.  A
 * socket that a dead daemon has left there is replaced, one that is answered
 * is not.  Before there are threads: sets the umask for a moment.
 *
 * Returns a descriptor, or -1 with a message.
 */
int local_listen(const char *path, int backlog, char *why, size_t len);

/*
 * local_give(path, gid, why, len): let a group connect, too: mode 0660.
 *
 * Returns 0, or -1 with a message and errno: EPERM when neither we nor the
 * socket belong to that group.
 */
int local_give(const char *path, gid_t gid, char *why, size_t len);

/* local_connect(path, why, len): a connected descriptor, or -1 with a
 * message.  Waits 10 seconds at most, for one who listens but does not
 * accept, and as long for each write. */
int local_connect(const char *path, char *why, size_t len);

/* local_connect_within(path, seconds, why, len): the same with another limit
 * for both. */
int local_connect_within(const char *path, int seconds, char *why, size_t len);

/*
 * local_make_room(path, why, len): nobody may listen at path; what a dead
 * daemon has left there is removed.
 *
 * Returns 0, or -1 with a message: somebody listens there, it is no socket,
 * or it cannot be found out or removed.
 */
int local_make_room(const char *path, char *why, size_t len);

#endif /* POSTERN_COMMON_LOCAL_SOCKET_H */
