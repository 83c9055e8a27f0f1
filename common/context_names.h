/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * context_names - which names of a context a client may set
 *
 * Some names state what is known of a client or steer what is done with its
 * mail.  Those are reserved: no client sets them unless the configuration
 * says so expressly.  Pure: no I/O, no allocation, no log.
 */
#ifndef POSTERN_COMMON_CONTEXT_NAMES_H
#define POSTERN_COMMON_CONTEXT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* context_name_reserved(name): is it one that means something to Postern? */
bool context_name_reserved(const char *name);

/* context_name_mistaken(name): is it "binding" or of outbound_*, written with
 * capitals, as options may be?  It would mean nothing, and a message would
 * leave by another way or with other credentials than were chosen for it; so
 * nobody may set it. */
bool context_name_mistaken(const char *name);

/*
 * context_name_allowed(name, patterns, n): may a client set it?
 *
 *   patterns  option setcontext_names: names, or the beginning of names with
 *             a final '*'
 *   n         their number; 0 lets every name be set that is not reserved
 *
 * A reserved name is set only if it is listed, or begins like a pattern that
 * itself begins with what is reserved: "auth_*" and "auth_u*" let auth_user
 * be set, "a*" and "*" do not.
 */
bool context_name_allowed(const char *name, char *const *patterns, size_t n);

/* context_name_secret(name): is its value one that is never shown?  Those whose
 * last word is pass, password or secret, as of outbound_smtp_auth_pass. */
bool context_name_secret(const char *name);

/* context_pair_secret(pair): "name=value", as of a peer section: is there a
 * value in it that is never shown?  `false' and nothing are none. */
bool context_pair_secret(const char *pair);

#endif /* POSTERN_COMMON_CONTEXT_NAMES_H */
