/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbound_markers - names of messages, on disk
 *
 * A message whose credentials were in memory is still known by its queue id
 * after that memory is lost: an empty file of that name, in the directory
 * outbound/ below authd.state_directory.  When it was changed is when the
 * message came.  No secrets.  One thread at a time.
 */
#ifndef POSTERN_COMMON_OUTBOUND_MARKERS_H
#define POSTERN_COMMON_OUTBOUND_MARKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTBOUND_MARKERS_DIR "outbound"

struct outbound_markers {
	int fd;     /* of the directory; -1: none */
	char *path; /* of it, for messages */
};

/* outbound_id_ok(id): 1 to OUTBOUND_QUEUE_MAX of [A-Za-z0-9_-]?  No other
 * name is ever a file's. */
bool outbound_id_ok(const char *id);

/*
 * outbound_markers_open(m, state, create, why, len): the directory below
 * `state', which must be there.
 *
 *   create  make it; otherwise one that is not there is no failure, and m->fd
 *           is -1
 *
 * False with a message when it cannot be used, or is not ours alone.
 */
bool outbound_markers_open(struct outbound_markers *m, const char *state,
    bool create, char *why, size_t len);
void outbound_markers_close(struct outbound_markers *m);

/* outbound_markers_put(m, id, why, len): make it, now.  True when it would
 * survive a power failure. */
bool outbound_markers_put(
    struct outbound_markers *m, const char *id, char *why, size_t len);

/* outbound_markers_remove(m, id): one that is not there is no matter. */
void outbound_markers_remove(struct outbound_markers *m, const char *id);

/* outbound_markers_each(m, fn, arg, why, len): each id and its age, in no
 * order, until fn returns false, which fails. */
typedef bool outbound_marker_fn(void *arg, const char *id, int64_t age_ms);
bool outbound_markers_each(struct outbound_markers *m, outbound_marker_fn *fn,
    void *arg, char *why, size_t len);

#endif /* POSTERN_COMMON_OUTBOUND_MARKERS_H */
