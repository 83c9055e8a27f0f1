/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#ifdef HAVE_SYSTEMD
# include <systemd/sd-daemon.h>
#endif

#include "common/daemon.h"
#include "common/errtext.h"
#include "common/log.h"

static bool log_to_syslog, log_to_stderr;
static const char *program = "postern";
static int verbose;              /* -v, times */
static atomic_int ready_fd = -1; /* the parent of a detached daemon reads it;
				    * threads that log look at it */

void
daemon_fds(void)
{
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) < 0)
			exit(EX_OSERR);
	} while (fd <= 2);
	close(fd);
}

static void
usage(const char *name, FILE *fp)
{
	fprintf(fp, "usage: %s [-fnvV] [-c FILE]\n", name);
}

/* A reload reads the file again, from "/" when we are in the background. */
static void
full_path(const char *path, char full[PATH_MAX])
{
	if (realpath(path, full) == NULL) /* conf_load() says what is wrong */
		snprintf(full, PATH_MAX, "%s", path);
}

void
daemon_args(int argc, char **argv, struct daemon_args *out)
{
	int c;

	*out = (struct daemon_args){
		.conf_file = POSTERN_SYSCONFDIR "/postern.conf",
	};
	while ((c = getopt(argc, argv, "c:fnvVh")) != -1) {
		switch (c) {
		case 'c':
			full_path(optarg, out->conf_file);
			break;
		case 'f':
			out->foreground = true;
			break;
		case 'n':
			out->check = true;
			break;
		case 'v':
			out->verbose++;
			break;
		case 'V':
			printf("%s\n", PACKAGE_STRING);
			exit(EX_OK);
		case 'h':
			usage(argv[0], stdout);
			exit(EX_OK);
		default:
			usage(argv[0], stderr);
			exit(EX_USAGE);
		}
	}
	if (optind != argc) {
		usage(argv[0], stderr);
		exit(EX_USAGE);
	}
}

static void
say(void *arg, bool error, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s: %s\n", error ? "error" : "warning", line);
}

struct conf *
daemon_conf(const struct daemon_args *args, daemon_check *check)
{
	struct conf *c = NULL;
	char why[512];

	if (conf_load(args->conf_file, say, NULL, &c) != 0)
		exit(EX_CONFIG);
	if (check(c, why, sizeof(why)) != 0) {
		fprintf(stderr, "error: %s: %s\n", args->conf_file, why);
		exit(EX_CONFIG);
	}
	if (!args->check && !args->foreground &&
	    c->log_target == LOG_TARGET_STDERR) {
		fprintf(stderr,
		    "error: %s: log_target = stderr needs -f: in the "
		    "background there is no standard error\n",
		    args->conf_file);
		exit(EX_CONFIG);
	}
	if (args->check) {
		conf_print(c, stdout);
		conf_unref(c);
		exit(fflush(stdout) == 0 ? EX_OK : EX_IOERR);
	}
	return c;
}

/* One write, and no more work than that. */
static void
to_stderr(enum log_level level, const char *line)
{
	const char *const parts[] = { program, ": ",
		level == LOG_LEVEL_ERROR         ? "error: "
		    : level == LOG_LEVEL_WARNING ? "warning: "
						 : "",
		line, "\n" };
	struct iovec iov[sizeof(parts) / sizeof(parts[0])];
	char *part;
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		memcpy(&part, &parts[i], sizeof(part)); /* without const */
		iov[i].iov_base = part;
		iov[i].iov_len = strlen(part);
	}
	/* Nobody is left to tell when stderr is gone. */
	if (writev(STDERR_FILENO, iov, (int)i) < 0)
		return;
}

static void
log_sink(enum log_level level, const char *line, void *arg)
{
	static const int priority[] = {
		[LOG_LEVEL_ERROR] = LOG_ERR,
		[LOG_LEVEL_WARNING] = LOG_WARNING,
		[LOG_LEVEL_INFO] = LOG_INFO,
		[LOG_LEVEL_DEBUG] = LOG_DEBUG,
	};

	(void)arg;
	if (log_to_syslog)
		syslog(priority[level], "%s", line);
	/* Who waits for the start gets to see what hinders it. */
	if (log_to_stderr || ready_fd >= 0)
		to_stderr(level, line);
}

/* Whether the journal reads standard error (systemd.exec(5)): it has what goes
 * to syslog, too. */
static bool
journal_has_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return strcmp(stream, mine) == 0;
}

void
daemon_log(
    const char *name, const struct conf *c, const struct daemon_args *args)
{
	program = name;
	verbose = args->verbose;
	log_to_syslog = c->log_target == 0;
	log_to_stderr =
	    !log_to_syslog || (args->foreground && !journal_has_stderr());
	if (log_to_syslog)
		openlog(name, LOG_PID | LOG_NDELAY, LOG_MAIL);
	daemon_log_level(c);
	log_set_sink(log_sink, NULL);
}

void
daemon_log_level(const struct conf *c)
{
	int level = c->log_level + verbose;

	if (level > LOG_LEVEL_DEBUG)
		level = LOG_LEVEL_DEBUG;
	log_set_level((enum log_level)level);
}

void
daemon_limits(void)
{
	struct rlimit none = { 0, 0 }, files;

	if (setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0) != 0)
		log_warning("cannot switch core files off: %s", ERRNO);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		/* The hard limit can be a billion; nobody has that many
		 * clients. */
		rlim_t want = files.rlim_max < 65536 ? files.rlim_max : 65536;

		if (files.rlim_cur < want) {
			files.rlim_cur = want;
			if (setrlimit(RLIMIT_NOFILE, &files) != 0)
				log_warning("cannot raise the number of open "
					    "files: %s",
				    ERRNO);
		}
	}
}

void
daemon_detach(void)
{
	int fds[2], null;
	char c = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
		fprintf(stderr, "%s: cannot go into the background: %s\n",
		    program, ERRNO);
		exit(EX_OSERR);
	}
	if (pid > 0) {
		ssize_t n;

		close(fds[1]);
		do
			n = read(fds[0], &c, 1);
		while (n < 0 && errno == EINTR);
		/* Without a word the daemon has failed and said why. */
		_exit(n == 1 ? EX_OK : EX_UNAVAILABLE);
	}
	close(fds[0]);
	ready_fd = fds[1];
	(void)setsid();
	if (chdir("/") != 0 || (null = open("/dev/null", O_RDWR)) < 0)
		exit(EX_OSERR);
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	if (null > 2)
		close(null);
}

static int
drop_to(const struct passwd *pw, char *why, size_t len)
{
	uid_t ru, eu, su;
	gid_t rg, eg, sg;

	if (initgroups(pw->pw_name, pw->pw_gid) != 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0) {
		snprintf(
		    why, len, "cannot become user %s: %s", pw->pw_name, ERRNO);
		return -1;
	}
	if (getresuid(&ru, &eu, &su) != 0 || getresgid(&rg, &eg, &sg) != 0 ||
	    ru != pw->pw_uid || eu != pw->pw_uid || su != pw->pw_uid ||
	    rg != pw->pw_gid || eg != pw->pw_gid || sg != pw->pw_gid ||
	    setuid(0) == 0) {
		snprintf(why, len, "root's rights could not be given up");
		return -1;
	}
	/* The change of user may have made us dumpable again. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

/* The account of option `user`; its strings are in buf. */
static bool
find_user(const char *user, struct passwd *pw, char *buf, size_t size,
    char *why, size_t len)
{
	struct passwd *found = NULL;

	if (getpwnam_r(user, pw, buf, size, &found) == 0 && found != NULL)
		return true;
	snprintf(why, len, "no such user: %s (option user)", user);
	return false;
}

int
daemon_give(const char *path, const char *user, char *why, size_t len)
{
	char buf[4096];
	struct passwd pw;
	struct stat st;
	int fd, rc;

	if (geteuid() != 0)
		return 0;
	if (!find_user(user, &pw, buf, sizeof(buf), why, len))
		return -1;
	/* Whoever may write to the directory could have put another file there
	 * by now. */
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	rc = fd < 0 ? -1 : fstat(fd, &st);
	if (rc == 0 && !S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		rc = -1;
	}
	if (rc == 0)
		rc = fchownat(fd, "", pw.pw_uid, (gid_t)-1, AT_EMPTY_PATH);
	if (rc != 0)
		snprintf(why, len, "%s: cannot be given to user %s: %s", path,
		    user, ERRNO);
	if (fd >= 0)
		close(fd);
	return rc;
}

int
daemon_drop(const char *user, char *why, size_t len)
{
	char buf[4096];
	struct passwd pw;

	if (geteuid() != 0)
		return 0;
	if (!find_user(user, &pw, buf, sizeof(buf), why, len))
		return -1;
	if (pw.pw_uid == 0)
		return 0; /* the administrator's own choice */
	return drop_to(&pw, why, len);
}

static void
notify(const char *state)
{
#ifdef HAVE_SYSTEMD
	(void)sd_notify(0, state);
#else
	(void)state;
#endif
}

void
daemon_ready(void)
{
	int null, fd = atomic_exchange(&ready_fd, -1);

	if (fd >= 0) {
		if (write(fd, "", 1) != 1)
			log_warning("nobody waited for the start");
		close(fd);
		/* Messages of the start went to the terminal until now. */
		if ((null = open("/dev/null", O_RDWR)) >= 0) {
			(void)dup2(null, STDERR_FILENO);
			if (null > 2)
				close(null);
		}
	}
	notify("READY=1");
}

void
daemon_stopping(void)
{
	notify("STOPPING=1");
}

void
daemon_reloading(void)
{
	notify("RELOADING=1");
}

/* For daemon_wake(). */
static pthread_t waiting_thread;
static atomic_bool woken;

static void
signals_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

int
daemon_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	signals_set(&set);
	waiting_thread = pthread_self();
	if (sigaction(SIGPIPE, &ignore, NULL) != 0 ||
	    pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return 0;
}

bool
daemon_wait(void (*on_reload)(void *), void *arg, bool hup)
{
	sigset_t set;
	int sig;

	signals_set(&set);
	for (;;) {
		if (sigwait(&set, &sig) != 0)
			continue;
		if (sig != SIGUSR1 && !(hup && sig == SIGHUP))
			return !atomic_load(&woken);
		on_reload(arg);
	}
}

void
daemon_wake(void)
{
	atomic_store(&woken, true);
	(void)pthread_kill(waiting_thread, SIGTERM);
}

_Noreturn void
daemon_fail(const char *what, const char *why)
{
	log_error("%s: %s", what, why);
	exit(EX_UNAVAILABLE);
}

void
daemon_trace(void *arg, char direction, const char *line)
{
	(void)arg;
	log_debug("dialogue: %c %s", direction, line);
}
