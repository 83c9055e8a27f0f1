# SPDX-License-Identifier: BSD-2-Clause
"""Postern's daemons from the build directory, each with a postern.conf of its
own: what they have in common, and postern-milter (authd.py has the other)."""
import os
import re
import shutil
import signal
import socket

from . import namespace
from .case import Child, check, wait_for

# Unless a test says otherwise; its clients are on loopback.
_DEFAULTS = {
    "hostname": '"edge.test"',
    "user": '"postern"',
    "relay_hosts": "{}",
    "log_target": '"stderr"',
    "log_level": '"info"',
}

_SOCKETS = """
milter {{
    socket = "{socket}"
    {group}
    control = "unix:{control}"
}}
"""


def socket_directory(queue):
    """The directory below a Postfix queue directory where daemons make the
    sockets that a chrooted smtpd connects to."""
    directory = os.path.join(queue, "postern")
    if not os.path.isdir(directory):
        os.mkdir(directory, 0o710)
        shutil.chown(directory, namespace.account_id("postern"),
                     namespace.account_id("postfix", "-g"))
    return directory


class Daemon:
    """One daemon; started, ended with the test.  flags go behind, prefix
    before the next command line.

    A kind of daemon says `program`, sets `sockets` (the part of postern.conf
    that every test needs) and tells when it is ready."""

    program = ""

    def __init__(self, case, directory):
        self._case = case
        self.name = os.path.basename(self.program)
        self.binary = os.path.join(case.build, self.program)
        self.ctl = os.path.join(case.build, "tools/posternctl")
        self.child = None
        self.flags = self.prefix = ()
        self.sockets = ""
        check(os.access(self.binary, os.X_OK), f"there is no {self.binary}")
        self.dir = case.path(directory)
        os.makedirs(self.dir)
        shutil.chown(self.dir, namespace.account_id("postern"))
        self.conf_file = os.path.join(self.dir, "postern.conf")
        self.log_path = os.path.join(self.dir, self.name + ".log")

    def configure(self, conf):
        """Write postern.conf anew (and do nothing else)."""
        head = "".join(f"{name} = {value}\n"
                       for name, value in _DEFAULTS.items()
                       if not re.search(f"^{name} =", conf, re.MULTILINE))
        with open(self.conf_file, "w", encoding="utf-8") as file:
            file.write(head + self.sockets + conf)

    def start(self):
        """Start it (again); returns when its socket answers."""
        self.child = self._case.start(
            self.name,
            [*self.prefix, self.binary, "-c", self.conf_file, "-f",
             *self.flags],
            log=self.log_path, at_end=Child.end)
        wait_for(self._answers, f"{self.name} to answer")

    def _answers(self):
        check(self.child.running(),
              f"{self.name} ended: {self.log()[-2000:]}")
        return self.ready()

    def ready(self):
        """Whether it can be asked."""
        raise NotImplementedError

    @staticmethod
    def listens(path):
        """Whether a Unix socket takes connections."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(path)
                return True
            except OSError:
                return False

    def stop(self):
        """SIGTERM; returns the exit code.  Takes libmilter up to 5 s."""
        return self.child.stop()

    def kill(self):
        """SIGKILL, and be sure that it is gone."""
        self.child.end()

    def restart(self, conf):
        """With another configuration, at once."""
        self.kill()
        self.configure(conf)
        self.start()

    def freeze(self):
        """SIGSTOP: sockets open, nobody home, once each thread has seen
        it."""
        self.child.kill(signal.SIGSTOP)
        wait_for(self._stopped, f"{self.name} to be stopped")

    def _stopped(self):
        tasks = f"/proc/{self.child.pid}/task"
        for task in os.listdir(tasks):
            try:
                with open(f"{tasks}/{task}/stat", encoding="utf-8",
                          errors="replace") as stat:
                    text = stat.read()
            except OSError:
                continue  # it has ended
            if text.rpartition(")")[2].split()[0] != "T":
                return False
        return True

    def thaw(self):
        """SIGCONT."""
        self.child.kill(signal.SIGCONT)

    def reload(self):
        """SIGUSR1."""
        self.child.kill(signal.SIGUSR1)

    def log(self):
        """What it has logged so far."""
        return self.child.log() if self.child else ""

    def lines(self, *parts):
        """The log lines that have all the parts."""
        return [line for line in self.log().splitlines()
                if all(part in line for part in parts)]

    def wait_log(self, *parts):
        """Wait for such a line; returns the first."""
        return wait_for(lambda: self.lines(*parts),
                        f"{self.name} to log {' and '.join(parts)}")[0]

    def decision(self, first, *parts):
        """The last log line that begins with `first` and has the parts, as
        {key: value}."""
        line = wait_for(lambda: self.lines(first, *parts),
                        f"{first} with {' and '.join(parts)} in the log")[-1]
        found = {}
        for key, value in re.findall(r'(\w+)=("[^"]*"|[^ ]*)',
                                     line.split(first, 1)[1]):
            found.setdefault(key, value)  # the upstream's words come last
        return found

    def posternctl(self, *arguments, text=""):
        """Run posternctl; returns subprocess.CompletedProcess."""
        return self._case.run(
            [self.ctl, "-c", self.conf_file, *arguments], text)


class Milter(Daemon):
    """socket is what an MTA that runs in the queue directory is told; `path`
    is where it is."""

    program = "milter/postern-milter"

    def __init__(self, case, conf, queue=None, inet_port=None, start=True):
        """conf: postern.conf behind the settings that every test needs.
        The socket is made below a Postfix queue directory, or in a directory
        that only root can enter (for Sendmail), or it is a loopback port."""
        super().__init__(case, "postern")
        self.inet_port = inet_port
        self._place(queue)
        self.configure(conf)
        if start:
            self.start()

    def _place(self, queue):
        group = ""
        self.path = None
        self._grouped = queue is not None
        if self.inet_port is not None:
            self.socket = f"inet:{self.inet_port}@127.0.0.1"
        else:
            directory = self.dir
            if queue is not None:
                directory = socket_directory(queue)
                group = 'socket_group = "postfix"'
            self.path = os.path.join(directory, "milter")
            self.socket = "unix:" + self.path
        self.sockets = _SOCKETS.format(
            socket=self.socket, group=group,
            control=os.path.join(self.dir, "milter.ctl"))

    def ready(self):
        """Whether an MTA may connect."""
        if self.inet_port is not None:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.inet_port)) == 0
        # it listens a moment before the MTA's group may connect
        return (self.listens(self.path)
                and (not self._grouped
                     or os.stat(self.path).st_mode & 0o020 != 0))

    def verify_line(self, recipient):
        """The last decision about a recipient, as {key: value}."""
        return self.decision("verify: ", f"to=<{recipient}>")
