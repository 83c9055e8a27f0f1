/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * params - every option of postern.conf, in one table
 *
 * One row an option; the rows generate the structures of conf.h, the
 * libconfuse option lists, the defaults, the effective configuration that
 * `-n` prints, and the list that `make check` compares with postern.conf(5).
 * A field of a generated structure has the name of its option in lower case.
 *
 * A row is P(kind, name, default, minimum, maximum, words, help):
 *
 *   kind     field type               text form
 *   BOOL     bool                     true false yes no on off
 *   INT      long                     decimal, minimum..maximum
 *   DURATION int64_t, milliseconds    20s, 5m, bare seconds; the limits in ms
 *   STRING   char *, NULL when unset  `false` means unset
 *   SECRET   struct secret *, or NULL like STRING; never printed
 *   LIST     struct strlist           one string or {"a", "b"}
 *   ENUM     int                      one of words, "a|b|c", counted from 0
 *
 * The default is what an administrator would write; "" with STRING is the
 * empty string, PARAM_UNSET is unset, and a LIST is its words with blanks
 * between them.  `false` as the value of anything but a BOOL means that the
 * option is unset.  A STRING with "lines" for words may have line breaks;
 * no other value may hold a control character.
 */
#ifndef POSTERN_COMMON_PARAMS_H
#define POSTERN_COMMON_PARAMS_H

#define PARAM_UNSET ((const char *)0)

/* Upper limit of any duration: far beyond sense, far below overflow. */
#define PARAM_YEAR_MS 31536000000LL

/* The top level of the file. */
#define PARAMS_GLOBAL(P)                                                    \
 P(STRING, hostname, PARAM_UNSET, 0, 0, "",                                 \
     "name given in EHLO upstream; the machine's when unset")               \
 P(STRING, user, "postern", 0, 0, "",                                       \
     "account that the daemons run as when started by root")                \
 P(LIST, relay_hosts, "127.0.0.0/8 ::1", 0, 0, "",                          \
     "clients whose recipients are never asked about")                      \
 P(LIST, allow_users, "", 0, 0, "",                                         \
     "further accounts that may use the sockets of postern-authd")          \
 P(ENUM, log_target, "syslog", 0, 0, "syslog|stderr", "where the log goes") \
 P(ENUM, log_level, "info", 0, 0, "error|warning|info|debug",               \
     "the least important lines that are logged")                           \
 P(BOOL, authentication_results, "false", 0, 0, "",                         \
     "add an Authentication-Results header")                                \
 P(BOOL, keep_message_dicts_in_memory, "true", 0, 0, "",                    \
     "accepted for compatibility: contexts always are")

/* datasource "NAME" */
#define PARAMS_DATASOURCE(P)                                                  \
 P(LIST, uri, "", 0, 0, "", "where the rows are, in driver:rest form")        \
 P(DURATION, cache_life, "3600s", 0, PARAM_YEAR_MS, "",                       \
     "how long a found result is kept")                                       \
 P(INT, cache_size, "1000", 1, 10000000, "", "results that are kept at most") \
 P(DURATION, negative_cache_life, "60s", 0, PARAM_YEAR_MS, "",                \
     "how long an empty result is kept")                                      \
 P(INT, max_rows, "100", 1, 10000, "", "rows taken from one result")          \
 P(BOOL, no_cache, "false", 0, 0, "", "ask for every question")               \
 P(DURATION, timeout, "5s", 10, 600000, "", "limit of one question")

/* What smtp_auth_proxy and smtp_rcptto_proxy have in common. */
#define PARAMS_UPSTREAM(P, TIMEOUT, TLS, SESSIONS)                    \
 P(LIST, host, "", 0, 0, "", "upstream endpoints, tried in order")    \
 P(INT, port, "25", 1, 65535, "", "port of a host without one")       \
 P(DURATION, timeout, TIMEOUT, 100, 3600000, "",                      \
     "limit of the whole question")                                   \
 P(STRING, ds_cache, PARAM_UNSET, 0, 0, "",                           \
     "the datasource that query is put to")                           \
 P(STRING, query, PARAM_UNSET, 0, 0, "lines", "yields the hosts")     \
 P(ENUM, tls, TLS, 0, 0, "none|may|encrypt|verify|implicit",          \
     "TLS towards the upstream")                                      \
 P(STRING, tls_ca_file, "", 0, 0, "", "trusted certificates, PEM")    \
 P(STRING, tls_ca_path, "", 0, 0, "", "trusted certificates, hashed") \
 P(STRING, tls_cert_file, "", 0, 0, "", "client certificate, PEM")    \
 P(STRING, tls_key_file, "", 0, 0, "", "its key, PEM")                \
 P(STRING, tls_verify_name, "", 0, 0, "",                             \
     "name expected in the certificate; the host when empty")         \
 P(ENUM, tls_min_protocol, "TLSv1.2", 0, 0, "TLSv1.2|TLSv1.3",        \
     "oldest protocol version")                                       \
 P(ENUM, xclient, "no", 0, 0, "no|ifavailable|required",              \
     "tell the upstream who the client is")                           \
 P(INT, max_sessions, SESSIONS, 1, 1000, "",                          \
     "upstream sessions per endpoint at most")                        \
 P(INT, max_commands, "500", 2, 1000000, "",                          \
     "commands after which a session is retired")                     \
 P(INT, max_errors, "8", 1, 10000, "",                                \
     "refusals after which a session is retired")                     \
 P(DURATION, idle_timeout, "30s", 100, 3600000, "",                   \
     "idle time after which a session is closed")

/* smtp_rcptto_proxy, beside the upstream options */
#define PARAMS_RCPTTO(P)                                                 \
 P(LIST, domains, "", 0, 0, "",                                          \
     "recipient domains that the global host applies to, or \"*\"")      \
 P(STRING, mailfrom, "", 0, 0, "",                                       \
     "reverse-path of a probe: \"\", original, or an address")           \
 P(ENUM, helo, "own", 0, 0, "own|replay", "EHLO name of a probe")        \
 P(DURATION, positive_life, "24h", 0, PARAM_YEAR_MS, "",                 \
     "how long an accepted recipient is remembered")                     \
 P(DURATION, negative_life, "2h", 0, PARAM_YEAR_MS, "",                  \
     "how long an unknown recipient is remembered")                      \
 P(DURATION, mailbox_life, "10m", 0, PARAM_YEAR_MS, "",                  \
     "how long a full or disabled mailbox is remembered")                \
 P(DURATION, temporary_life, "60s", 0, PARAM_YEAR_MS, "",                \
     "how long a temporary answer is remembered")                        \
 P(DURATION, catchall_life, "24h", 0, PARAM_YEAR_MS, "",                 \
     "how long a catch-all test holds; 0: no such test")                 \
 P(INT, cache_size, "200000", 1, 10000000, "",                           \
     "verdicts that are kept at most; global section only")              \
 P(INT, batch, "20", 1, 1000, "", "recipients in flight on one session") \
 P(INT, max_probe_rate, "0", 0, 1000000, "",                             \
     "probes per second and endpoint; 0: no limit")                      \
 P(BOOL, reveal_upstream_text, "false", 0, 0, "",                        \
     "give the upstream's words to the client")                          \
 P(ENUM, on_down, "defer", 0, 0, "defer|accept|learned",                 \
     "the answer while the upstream is down")                            \
 P(ENUM, mode, "enforce", 0, 0, "enforce|observe",                       \
     "observe: log what would be done, refuse nothing")                  \
 P(BOOL, skip_authenticated, "true", 0, 0, "",                           \
     "do not ask for clients that have logged in")                       \
 P(LIST, reply_class, "", 0, 0, "",                                      \
     "rows put before the table of reply classes")

/* smtp_auth_proxy, beside the upstream options */
#define PARAMS_AUTH(P)                                               \
 P(LIST, mechanisms, "PLAIN LOGIN", 0, 0, "", "offered at the edge") \
 P(STRING, canon, "none", 0, 0, "",                                  \
     "name that goes upstream: none, lower, localpart, a template")  \
 P(BOOL, log_authentication, "true", 0, 0, "", "log each login")     \
 P(INT, warm_sessions, "4", 0, 1000, "",                             \
     "upstream sessions kept ready per endpoint")                    \
 P(DURATION, good_memory, "0", 0, PARAM_YEAR_MS, "",                 \
     "how long a good login is remembered")                          \
 P(DURATION, bad_memory, "15m", 0, PARAM_YEAR_MS, "",                \
     "how long a refused pair is remembered")                        \
 P(INT, shield_failures, "3", 0, 1000, "",                           \
     "failures per account that reach the upstream; 0: no limit")    \
 P(DURATION, shield_window, "30m", 1000, PARAM_YEAR_MS, "",          \
     "the time they are counted over")                               \
 P(INT, client_failures, "10", 0, 1000, "",                          \
     "failures per client address; 0: no limit, no delay")           \
 P(DURATION, client_window, "10m", 1000, PARAM_YEAR_MS, "",          \
     "the time they are counted over")

/* In domain, binding, binding_group, sender and outbound_smtp_auth. */
#define PARAMS_OUTBOUND(P)                                                 \
 P(STRING, outbound_smtp_auth_user, PARAM_UNSET, 0, 0, "",                 \
     "user name given to the next hop")                                    \
 P(SECRET, outbound_smtp_auth_pass, PARAM_UNSET, 0, 0, "", "its password") \
 P(ENUM, outbound_smtp_auth_type, PARAM_UNSET, 0, 0, "PLAIN|LOGIN",        \
     "mechanism")                                                          \
 P(STRING, outbound_smtp_auth_key, PARAM_UNSET, 0, 0, "",                  \
     "parameter :key of the credential query")

/* binding, binding_group and outbound_smtp_auth */
#define PARAMS_NEXTHOPS(P) \
 P(LIST, nexthops, "", 0, 0, "", "where these credentials may go")

/* outbound_smtp_auth */
#define PARAMS_OUTBOUND_QUERY(P)                                            \
 P(STRING, ds_cache, PARAM_UNSET, 0, 0, "",                                 \
     "the datasource that query is put to")                                 \
 P(STRING, query, PARAM_UNSET, 0, 0, "lines", "yields user, pass and type") \
 P(BOOL, message_credentials, "false", 0, 0, "",                            \
     "take those that a message's context brings")                          \
 P(DURATION, message_life, "7d", 1000, PARAM_YEAR_MS, "",                   \
     "how long they are kept")                                              \
 P(INT, message_max, "100000", 1, 10000000, "", "messages that have some")

/* peer "CIDR" */
#define PARAMS_PEER(P)                                                  \
 P(LIST, context, "", 0, 0, "", "name=value, set at connect")           \
 P(LIST, smtp_extensions, "", 0, 0, "", "extensions this peer may use") \
 P(LIST, setcontext_names, "", 0, 0, "", "names XSETCONTEXT may set")

/* milter */
#define PARAMS_MILTER(P)                                               \
 P(STRING, socket, "unix:/var/spool/postfix/postern/milter", 0, 0, "", \
     "where the MTA finds postern-milter")                             \
 P(STRING, socket_group, PARAM_UNSET, 0, 0, "",                        \
     "group that may connect to it; mode 0660 then, 0600 without")     \
 P(STRING, control, "unix:/run/postern/milter.ctl", 0, 0, "",          \
     "where posternctl finds postern-milter")

/* authd */
#define PARAMS_AUTHD(P)                                                      \
 P(LIST, socket, "unix:/var/spool/postfix/postern/auth", 0, 0, "",           \
     "where the plug-in finds postern-authd")                                \
 P(LIST, saslauthd_socket, "unix:/run/postern/mux", 0, 0, "",                \
     "the same in saslauthd's protocol")                                     \
 P(LIST, socketmap_socket, "unix:/var/spool/postfix/postern/outbound", 0, 0, \
     "", "where the MTA finds outbound credentials")                         \
 P(STRING, socket_group, PARAM_UNSET, 0, 0, "",                              \
     "group that may connect to them; the one of the first allow_users")     \
 P(STRING, control, "unix:/run/postern/authd.ctl", 0, 0, "",                 \
     "where posternctl finds postern-authd")                                 \
 P(STRING, state_directory, "/var/lib/postern", 0, 0, "",                    \
     "where postern-authd keeps what outlives it")

/* front */
#define PARAMS_FRONT(P)                                             \
 P(STRING, next, "unix:/var/spool/postfix/public/psmtpd", 0, 0, "", \
     "the private smtpd behind postern-front")                      \
 P(ENUM, xclient, "required", 0, 0, "required|no",                  \
     "whether it is told the client's address")                     \
 P(STRING, tls_cert_file, "", 0, 0, "", "server certificate, PEM")  \
 P(STRING, tls_key_file, "", 0, 0, "", "its key, PEM")              \
 P(DURATION, timeout, "300s", 1000, 86400000, "", "limit of one silence")

/* tag "HEADER" */
#define PARAMS_TAG(P) \
 P(STRING, variable, PARAM_UNSET, 0, 0, "", "context variable")

#endif /* POSTERN_COMMON_PARAMS_H */
