/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth_results - the header Authentication-Results (RFC 8601)
 *
 * Whose a header is that came in, and what ours says.  No I/O, no log.
 */
#ifndef POSTERN_MILTER_AUTH_RESULTS_H
#define POSTERN_MILTER_AUTH_RESULTS_H

#include <stdbool.h>

struct strbuf;

#define AUTH_RESULTS "Authentication-Results"

enum auth_results_whose {
	AUTH_RESULTS_UNCLEAR, /* no identifier that could be told: take it off */
	AUTH_RESULTS_OURS,
	AUTH_RESULTS_OTHERS,
};

/*
 * auth_results_whose(value, host): who claims to have written a header?
 *
 *   value  its value, folded or not
 *   host   our own authserv-id, ASCII
 *
 * The identifier is a word or a quoted string, with comments before and
 * after; it is compared without regard to case or a final dot.  Readers are
 * more lenient than the grammar, hence so is this: what only breaks the
 * grammar behind our name is ours, and so is a name that is ours when
 * comments, quotes and blanks inside of it are passed over.  One with octets
 * beyond ASCII is taken for ours if ours has a label in its ASCII form.
 */
enum auth_results_whose auth_results_whose(const char *value, const char *host);

/*
 * auth_results_write(host, user, mechanism, out): append the value of ours.
 *
 *   user       who has logged in; NULL for nobody
 *   mechanism  how, or NULL when not known
 *
 * Says auth=pass with smtp.auth, or auth=none.  A name that cannot stand
 * there goes into a comment, one that is too long is left out.
 * Returns false when *out has no more room.
 */
bool auth_results_write(const char *host, const char *user,
    const char *mechanism, struct strbuf *out);

#endif /* POSTERN_MILTER_AUTH_RESULTS_H */
