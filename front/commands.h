/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands - what a client's command line asks for
 *
 * The front lets nearly all lines pass without a change; what it must know is
 * which of them are its own, which change how the octets behind them are to be
 * read (DATA, BDAT, AUTH, STARTTLS), and which the MTA must never get from a
 * client, since it trusts the front (XCLIENT).  MTAs read a command more
 * generously than RFC 5321 writes it, so a line that does not begin with a
 * plain word is told apart.  Pure: no I/O, no allocation, no log.
 */
#ifndef POSTERN_FRONT_COMMANDS_H
#define POSTERN_FRONT_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for an address as command_address() writes it. */
#define COMMAND_ADDRESS_MAX 46

/* Room for a login of XCLIENT, decoded. */
#define COMMAND_LOGIN_MAX 255

enum command_kind {
	COMMAND_OTHER = 0, /* the MTA's alone */
	COMMAND_ODD,       /* does not begin with a plain word */
	COMMAND_DISGUISED, /* the same, and looks like one of those below */
	COMMAND_HELO,
	COMMAND_EHLO,
	COMMAND_MAIL,
	COMMAND_RCPT,
	COMMAND_RSET,
	COMMAND_DATA,
	COMMAND_BDAT,
	COMMAND_AUTH,
	COMMAND_STARTTLS,
	COMMAND_XCLIENT,
	COMMAND_XFORWARD,
	COMMAND_XPOSTERN, /* the front's own word for the milter */
	COMMAND_XREMOTEIP,
	COMMAND_XSETCONTEXT,
	COMMAND_XDUMPCONTEXT,
};

struct command {
	enum command_kind kind;
	size_t word;      /* where the first letter of the command stands */
	const char *args; /* what follows, without blanks around; borrowed */
	size_t args_len;
};

/*
 * command_parse(line, len, out): look at one line.
 *
 *   line, len  the octets, with or without its line end; may hold anything
 *   out        filled; args points into line
 */
void command_parse(const char *line, size_t len, struct command *out);

/* command_clean(c): do the arguments hold nothing but printable ASCII and
 * blanks?  What is put into a command of our own must. */
bool command_clean(const struct command *c);

/*
 * command_bdat(c, size, last): the arguments of BDAT (RFC 3030 section 2), by
 * the letter.  Returns false for anything else, and for a size that no MTA
 * would take.
 */
bool command_bdat(const struct command *c, uint64_t *size, bool *last);

/* command_next_word(p, len, word, word_len): the next word of arguments;
 * moves p and len behind it.  False when there is none. */
bool command_next_word(
    const char **p, size_t *len, const char **word, size_t *word_len);

/*
 * command_address(text, len, out): an address as it is typed behind XREMOTEIP
 * and behind ADDR=: IPv4 or IPv6, "IPV6:" may stand in front.  An IPv4 address
 * in an IPv6 one is written as IPv4.
 *
 * Returns false, with "" in out, for anything else, and for the unspecified
 * address.
 */
bool command_address(
    const char *text, size_t len, char out[COMMAND_ADDRESS_MAX]);

/* What the front must know of an XCLIENT that passes. */
struct command_xclient {
	char addr[COMMAND_ADDRESS_MAX];    /* "": not given, or unavailable */
	char login[COMMAND_LOGIN_MAX + 1]; /* the same */
	size_t n;                          /* of all attributes */
	const char *by; /* the command it stands for; command_xclient() says
			 * "XCLIENT" */
};

/* command_xclient(c, out): read the attributes; false when there is one that
 * is none, or whose value cannot be read. */
bool command_xclient(const struct command *c, struct command_xclient *out);

#endif /* POSTERN_FRONT_COMMANDS_H */
