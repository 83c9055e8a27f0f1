/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_syslog - what syslog(3) leads to: each message is written to a file
 *
 *   bench_syslog PATH FILE
 *
 * PATH is what stands for /dev/log.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	char line[8192];
	int fd, out;
	ssize_t n;

	if (argc != 3 || strlen(argv[1]) >= sizeof(at.sun_path))
		errx(EX_USAGE, "usage: bench_syslog PATH FILE");
	memcpy(at.sun_path, argv[1], strlen(argv[1]) + 1);
	(void)unlink(argv[1]);
	if ((fd = socket(AF_UNIX, SOCK_DGRAM, 0)) < 0 ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
	    chmod(argv[1], 0666) != 0)
		err(EX_OSERR, "%s", argv[1]);
	if ((out = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0600)) < 0)
		err(EX_OSERR, "%s", argv[2]);
	while ((n = recv(fd, line, sizeof(line) - 1, 0)) >= 0) {
		line[n] = '\n';
		if (write(out, line, (size_t)n + 1) < 0)
			err(EX_IOERR, "%s", argv[2]);
	}
	return EX_OSERR;
}
