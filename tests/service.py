#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What dist/postern-milter.service relies on: postern-milter tells when it is
ready, reads its configuration again when told and keeps the old one when the
new one is bad, ends in order on SIGTERM, does not log twice into the journal,
and in the background says on the terminal why it could not start."""
import getpass
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the sources may be read-only
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "integration"))

from harness.dial import dial  # noqa: E402

BUILD = os.environ.get("top_builddir", ".")
MILTER = os.path.join(BUILD, "milter/postern-milter")
CTL = os.path.join(BUILD, "tools/posternctl")
LIMIT = 60  # seconds for anything

CONF = """hostname = "edge.test"
user = "{user}"
log_target = "{target}"
milter {{ socket = "unix:{dir}/milter" control = "unix:{dir}/control" }}
"""


class Failed(Exception):
    """A check that did not hold."""


def check(holds, what):
    """Fail with a text unless it holds."""
    if not holds:
        raise Failed(what)


class Service:
    """The milter in the foreground, as systemd would run it."""

    def __init__(self, directory, target="stderr", journal=False):
        self.dir = directory
        self.conf = os.path.join(directory, "postern.conf")
        self.log_path = os.path.join(directory, "log")
        self.write_conf(target)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = os.path.join(directory, "notify")
        self.notify.bind(path)
        self.notify.settimeout(LIMIT)
        env = dict(os.environ, NOTIFY_SOCKET=path)
        env.pop("JOURNAL_STREAM", None)
        with open(self.log_path, "w", encoding="utf-8") as log:
            if journal:
                st = os.fstat(log.fileno())
                env["JOURNAL_STREAM"] = f"{st.st_dev}:{st.st_ino}"
            self.child = subprocess.Popen(
                [MILTER, "-f", "-c", self.conf], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=env)

    def write_conf(self, target="stderr", more=""):
        """A configuration that loads, unless more says otherwise."""
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(CONF.format(
                dir=self.dir, target=target, user=getpass.getuser()) + more)

    def told(self, word):
        """Wait for a word to the service manager."""
        try:
            while word not in self.notify.recv(4096).decode().split("\n"):
                pass
        except socket.timeout:
            raise Failed(f"no {word}; the log: {self.log()}") from None

    def serves(self):
        """Wait until libmilter answers an MTA."""
        with dial(os.path.join(self.dir, "milter"), LIMIT) as sock:
            sock.sendall(struct.pack(">IcIII", 13, b"O", 6, 0x1ff, 0x1fffff))
            check(sock.recv(1) != b"", "the milter hangs up")

    def log(self):
        """What it has logged."""
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()

    def wait_log(self, text):
        """Wait for a line that holds the text."""
        end = time.monotonic() + LIMIT
        while text not in self.log():
            check(time.monotonic() < end, f"no '{text}' in: {self.log()}")
            time.sleep(0.02)

    def ctl(self, command):
        """Run posternctl; its exit status and what it printed."""
        done = subprocess.run(
            [CTL, "-c", self.conf, command], capture_output=True, text=True,
            timeout=LIMIT, check=False)
        return done.returncode, done.stdout + done.stderr

    def end(self):
        """Make sure that it does not outlive the test."""
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self.notify.close()


def stops_in_order(service):
    """SIGTERM is told, answered and survived until the end."""
    service.told("READY=1")
    service.serves()
    service.child.send_signal(signal.SIGTERM)
    code = service.child.wait(LIMIT)
    check(code == 0, f"ended by SIGTERM with {code}: {service.log()}")
    service.told("STOPPING=1")
    check("stopped" in service.log(), f"no last word: {service.log()}")


def reloads(service):
    """By posternctl and by signal; a bad file changes nothing."""
    service.told("READY=1")
    code, text = service.ctl("reload")
    check(code == 0, f"reload: {code}: {text}")
    service.wait_log("configuration read anew")

    service.write_conf(more="smtp_rcptto_proxy { moed = \"observe\" }\n")
    service.child.send_signal(signal.SIGUSR1)
    service.told("RELOADING=1")
    service.told("READY=1")
    service.wait_log("the old configuration stays")

    service.write_conf(more="smtp_rcptto_proxy { mode = \"observe\" }\n")
    service.child.send_signal(signal.SIGUSR1)
    service.told("READY=1")
    code, text = service.ctl("status")
    check(code == 0 and "mode=observe" in text, f"status: {code}: {text}")


def logs_to_stderr_too(service):
    """-f: to standard error as well."""
    service.told("READY=1")
    service.wait_log("serving")


def logs_once_to_journal(service):
    """Unless the journal has both."""
    service.told("READY=1")
    service.serves()
    service.child.send_signal(signal.SIGTERM)
    service.child.wait(LIMIT)
    check(service.log() == "", f"logged twice: {service.log()}")


def tells_why_not(directory):
    """In the background: the reason is on the terminal."""
    conf = os.path.join(directory, "postern.conf")
    with open(conf, "w", encoding="utf-8") as file:
        file.write(CONF.format(dir=directory + "/missing", target="syslog",
                               user=getpass.getuser()))
    done = subprocess.run([MILTER, "-c", conf], capture_output=True,
                          text=True, timeout=LIMIT, check=False)
    check(done.returncode == 69, f"exit {done.returncode} instead of 69")
    check("missing/milter" in done.stderr,
          f"the socket is not named: '{done.stderr}'")


def main():
    """Run them all; say which failed."""
    failed = 0
    for test, arguments in (
            (stops_in_order, {}), (reloads, {}),
            (logs_to_stderr_too, {"target": "syslog"}),
            (logs_once_to_journal, {"target": "syslog", "journal": True}),
            (tells_why_not, None)):
        with tempfile.TemporaryDirectory(prefix="postern-service.") as work:
            service = None
            try:
                if arguments is None:
                    test(work)
                else:
                    service = Service(work, **arguments)
                    test(service)
            except (Failed, subprocess.TimeoutExpired) as why:
                failed += 1
                print(f"{test.__name__}: {why}")
            finally:
                if service is not None:
                    service.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
