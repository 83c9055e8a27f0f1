/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command - the commands of posternctl
 *
 * Each gets its own argument vector, argv[0] being its name, and returns the
 * exit status: 0 all accepted, 1 some rejected, 75 some deferred, else as in
 * sysexits(3).
 */
#ifndef POSTERN_TOOLS_COMMAND_H
#define POSTERN_TOOLS_COMMAND_H

#include <stdbool.h>

struct address;
struct conf;

struct ctl {
	const char *conf_file;
	bool conf_given;    /* with -c */
	const char *daemon; /* -d: "milter" or "authd"; NULL: both */
};

/* What the options of rcpt and auth change in the configuration. */
struct override {
	bool auth;            /* in smtp_auth_proxy, not smtp_rcptto_proxy */
	const char *mailfrom; /* -f, or NULL; not with auth */
	const char *host;     /* -H, or NULL */
	const char *seconds;  /* -t, or NULL */
};

int command_usage(void); /* prints it; 64 */
int command_rcpt(const struct ctl *ctl, int argc, char **argv);
int command_auth(const struct ctl *ctl, int argc, char **argv);
int command_outbound(const struct ctl *ctl, int argc, char **argv);
/* argv[0] is "rcpt", "auth", "outbound" */
int command_explain_rcpt(const struct ctl *ctl, int argc, char **argv);
int command_explain_auth(const struct ctl *ctl, int argc, char **argv);
int command_explain_outbound(const struct ctl *ctl, int argc, char **argv);
int command_recipe(const struct ctl *ctl, int argc, char **argv);
int command_cache(const struct ctl *ctl, int argc, char **argv);
int command_classify(const struct ctl *ctl, int argc, char **argv);
int command_status(const struct ctl *ctl, int argc, char **argv);

/*
 * ctl_conf(ctl, o, out): the configuration with the overrides in it.  With a
 * host and no configuration file a small one is made up.
 *
 *   o    may be NULL
 *   out  a new snapshot that nobody else has
 *
 * Returns 0, or the exit status after a message.
 */
int ctl_conf(
    const struct ctl *ctl, const struct override *o, struct conf **out);

/* ctl_address(option, text, out): the address that an option gives, or the
 * null one.  False after a message. */
bool ctl_address(char option, const char *text, struct address *out);

#endif /* POSTERN_TOOLS_COMMAND_H */
