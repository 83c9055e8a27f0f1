# SPDX-License-Identifier: BSD-2-Clause
"""postern-milter from the build directory, with a postern.conf of its own."""
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


class Milter:
    """One daemon; started here, ended with the test.

    socket is what an MTA that runs in the queue directory is told; `path` is
    where it is; flags go behind, prefix before the next command line."""

    def __init__(self, case, conf, queue=None, inet_port=None, start=True):
        """conf: postern.conf behind the settings that every test needs.
        The socket is made below a Postfix queue directory, or in a directory
        that only root can enter (for Sendmail), or it is a loopback port."""
        self._case = case
        self.binary = os.path.join(case.build, "milter/postern-milter")
        self.ctl = os.path.join(case.build, "tools/posternctl")
        self.dir = case.path("postern")
        self.child = None
        self.inet_port = inet_port
        self.flags = self.prefix = ()
        check(os.access(self.binary, os.X_OK), f"there is no {self.binary}")
        os.makedirs(self.dir)
        shutil.chown(self.dir, namespace.account_id("postern"))
        self.conf_file = os.path.join(self.dir, "postern.conf")
        self.log_path = os.path.join(self.dir, "milter.log")
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
                directory = os.path.join(queue, "postern")
                os.mkdir(directory, 0o710)
                shutil.chown(directory, namespace.account_id("postern"),
                             namespace.account_id("postfix", "-g"))
                group = 'socket_group = "postfix"'
            self.path = os.path.join(directory, "milter")
            self.socket = "unix:" + self.path
        self._sockets = _SOCKETS.format(
            socket=self.socket, group=group,
            control=os.path.join(self.dir, "milter.ctl"))

    def configure(self, conf):
        """Write postern.conf anew (and do nothing else)."""
        head = "".join(f"{name} = {value}\n"
                       for name, value in _DEFAULTS.items()
                       if not re.search(f"^{name} =", conf, re.MULTILINE))
        with open(self.conf_file, "w", encoding="utf-8") as file:
            file.write(head + self._sockets + conf)

    def start(self):
        """Start it (again); returns when its socket answers."""
        self.child = self._case.start(
            "milter",
            [*self.prefix, self.binary, "-c", self.conf_file, "-f",
             *self.flags],
            log=self.log_path, at_end=Child.end)
        wait_for(self._answers, "postern-milter to answer")

    def _answers(self):
        check(self.child.running(),
              f"postern-milter ended: {self.log()[-2000:]}")
        family, address = socket.AF_UNIX, self.path
        if self.inet_port is not None:
            family, address = socket.AF_INET, ("127.0.0.1", self.inet_port)
        with socket.socket(family) as probe:
            try:
                probe.connect(address)
                # it listens a moment before the MTA's group may connect
                return (not self._grouped
                        or os.stat(self.path).st_mode & 0o020 != 0)
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
        """SIGSTOP: sockets open, nobody home."""
        self.child.kill(signal.SIGSTOP)

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

    def wait_log(self, *parts, seconds=10.0):
        """Wait for such a line; returns the first."""
        return wait_for(lambda: self.lines(*parts),
                        f"postern-milter to log {' and '.join(parts)}",
                        seconds)[0]

    def verify_line(self, recipient):
        """The last decision about a recipient, as {key: value}."""
        line = wait_for(
            lambda: self.lines("verify: ", f"to=<{recipient}>"),
            f"a decision about {recipient} in the log", 5)[-1]
        words = line.split("verify: ", 1)[1].split(" (", 1)[0].split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def posternctl(self, *arguments, text=""):
        """Run posternctl; returns subprocess.CompletedProcess."""
        return self._case.run(
            [self.ctl, "-c", self.conf_file, *arguments], text)
