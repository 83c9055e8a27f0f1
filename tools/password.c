/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/password.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include "common/errtext.h"
#include "common/secret.h"

/* Longer than any token; on the stack, to be wiped. */
#define LINE_MAX_LEN 32768

/* What would end or stop us while the terminal shows nothing. */
static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
	caught = number;
}

/* An octet at a time: what is behind the line is somebody else's. */
static int
read_line(struct secret *out, char *why, size_t len)
{
	char line[LINE_MAX_LEN];
	size_t n = 0;
	ssize_t got;
	int rc = -1;

	while (
	    (got = read(STDIN_FILENO, line + n, 1)) == 1 && line[n] != '\n') {
		if (++n == sizeof(line)) {
			snprintf(why, len, "the password is too long");
			goto done;
		}
	}
	if (got < 0)
		snprintf(why, len, "standard input: %s", ERRNO);
	else if (got == 0 && n == 0)
		snprintf(why, len, "no password on standard input");
	else if (!secret_set(out, line, n))
		snprintf(why, len, "out of memory");
	else
		rc = 0;
done:
	explicit_bzero(line, sizeof(line));
	return rc;
}

static int
read_hidden(
    const struct termios *shown, struct secret *out, char *why, size_t len)
{
	struct sigaction stop = { .sa_handler = on_signal }, old[SIGNALS];
	struct termios hidden = *shown;
	size_t i;
	int rc;

	caught = 0;
	for (i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &stop, &old[i]);
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	fputs("Password: ", stderr);
	rc = read_line(out, why, len);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, shown);
	fputc('\n', stderr);
	for (i = 0; i < SIGNALS; i++)
		(void)sigaction(signals[i], &old[i], NULL);
	if (caught != 0) {
		secret_release(out);
		(void)raise(caught);
		snprintf(why, len, "interrupted");
		rc = -1;
	}
	return rc;
}

/* As the daemons do it; where it cannot be had, the password is asked for all
 * the same. */
static void
no_core(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

int
password_read(struct secret *out, char *why, size_t len)
{
	struct termios shown;

	no_core();
	if (isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &shown) == 0)
		return read_hidden(&shown, out, why, len);
	return read_line(out, why, len);
}
