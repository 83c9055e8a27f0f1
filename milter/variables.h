/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * variables - what the contexts tell of a client and its message
 *
 * Each step of a session sets those of postern-context(5) that the MTA has
 * told by then, from arguments and macros.  What the MTA does not tell stays
 * unset.  Does nothing for a session whose `variables` is false.
 */
#ifndef POSTERN_MILTER_VARIABLES_H
#define POSTERN_MILTER_VARIABLES_H

struct conf;
struct msession;

/* A macro of the MTA's, "{auth_type}", or NULL; valid until the next call. */
struct macros {
	const char *(*get)(void *arg, const char *name);
	void *arg;
};

/* The macros that are looked at, by step; spaces between them. */
#define VARIABLES_MACROS_CONNECT "{auth_type} {auth_authen}"
#define VARIABLES_MACROS_HELO                                      \
 "{tls_version} {cipher} {cipher_bits} {alg_bits} {cert_subject} " \
 "{cert_issuer} {verify} {auth_type} {auth_authen}"
#define VARIABLES_MACROS_MAIL "{auth_type} {auth_authen}"

void variables_connect(
    struct msession *s, const struct conf *conf, const struct macros *m);
void variables_helo(struct msession *s, const struct conf *conf,
    const char *helo, const struct macros *m);

/* Path as given, with < and >. */
void variables_mail(struct msession *s, const struct conf *conf,
    const char *path, const struct macros *m);
void variables_rcpt(struct msession *s, const char *path);

/* variables_result(s, word): what became of that recipient. */
void variables_result(struct msession *s, const char *word);

#endif /* POSTERN_MILTER_VARIABLES_H */
