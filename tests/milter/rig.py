# SPDX-License-Identifier: BSD-2-Clause
"""postern-milter in a directory of its own, with an upstream behind it.

    with Rig(options="mode = observe") as rig:
        rig.start()
        rig.upstream.steps["mail"] = hang
        print(rig.ctl("status").stdout)

Everything is on loopback and Unix sockets and ends with the rig.
"""
import getpass
import os
import re
import shutil
import socket
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

from harness.case import Case, check, wait_for  # noqa: E402
from harness.dial import dial  # noqa: E402
from harness.ports import free_port  # noqa: E402
from harness.scripted import Scripted, close, hang, slow  # noqa: E402

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
MILTER = os.path.join(BUILD, "milter", "postern-milter")
CTL = os.path.join(BUILD, "tools", "posternctl")

CONF = """hostname = "edge.test"
user = "{user}"
log_target = "{target}"
log_level = "{level}"
relay_hosts = {{{relay_hosts}}}
smtp_rcptto_proxy {{
    domains = {{"example.org"}}
    host = {{{hosts}}}
    tls = none
    {options}
}}
milter {{
    socket = "unix:{dir}/milter"
    control = "unix:{dir}/control"
}}
authd {{ control = "unix:{dir}/authd-control" }}
{top}
"""

# What becomes of a recipient, by the beginning of its local part.
ANSWERS = (
    ("unknown", "550 5.1.1 <{0}> no such user on store1.inside.test"),
    ("full", "552 5.2.2 mailbox full"),
    ("disabled", "550 5.2.1 account disabled"),
    ("temp", "451 4.3.0 try later on store1.inside.test"),
    ("grey", "450 4.7.1 greylisted"),
    ("policy", "550 5.7.1 relaying denied"),
    ("percent", "550 5.1.1 100% unknown, %s %n"),
    ("long", "550 5.1.1 " + "unknown " * 60),
    ("lines", "550 5.1.1 no such\n550 5.1.1 user\n550 5.1.1 here"),
    ("plain", "550 unknown user"),
    ("slow", slow(0.6, "250 2.1.5 Ok")),
    ("tarpit", slow(4, "550 5.1.1 no such user")),
    ("close", close),
    ("hang", hang),
    ("busy", "421 4.3.2 too busy"),
)


def answer(session, line):
    """The reply to a RCPT TO."""
    address = re.match(r"(?i)RCPT TO:\s*<(.*)>", line).group(1)
    local = address.rpartition("@")[0]
    for word, reply in ANSWERS:
        if local.startswith(word):
            if callable(reply):
                return reply(session, line)
            return reply.format(address)
    # What a domain is tested with: nobody here is called that.
    if re.fullmatch(r"[a-z]{20}", local):
        return "550 5.1.1 no such user"
    return "250 2.1.5 Ok"


class Rig(Case):
    """The milter, its upstream and what they need."""

    def __init__(self, options="", top="", relay_hosts="", level="info",
                 target="stderr", hosts=None, name="milter"):
        super().__init__(name, tempfile.mkdtemp(prefix="postern-test."),
                         BUILD, {})
        self.upstream = Scripted(self)
        self.upstream.steps["rcpt"] = answer
        self.options = options if "timeout" in options else (
            options + "\n    timeout = 5")
        self.top = top
        self.relay_hosts = relay_hosts
        self.level = level
        self.target = target
        self.hosts = hosts
        self.socket = self.path("milter")
        self.control = self.path("control")
        self.conf = self.path("postern.conf")
        self.milter = None
        self.write_conf()

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if kind is not None and self.milter is not None:
            print(self.milter.log()[-8000:], file=sys.stderr)
        if self.milter is not None and self.milter.running():
            self.milter.kill()
        self.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def write_conf(self, text=None):
        """Write the configuration: the rig's, or this text."""
        hosts = self.hosts or f'"127.0.0.1:{self.upstream.port}"'
        self.write("postern.conf", text if text is not None else CONF.format(
            user=getpass.getuser(), level=self.level,
            target=self.target, dir=self.dir,
            hosts=hosts, relay_hosts=self.relay_hosts, options=self.options,
            top=self.top))

    def start(self, *arguments):
        """Start the milter and wait until it serves."""
        self.milter = Case.start(
            self, "postern-milter",
            [MILTER, "-f", "-c", self.conf, *arguments])
        wait_for(lambda: self.served() or not self.milter.running(),
                 "the milter to serve")
        check(self.milter.running(), "the milter has ended: " + self.log())
        return self.milter

    def served(self):
        """Whether somebody listens on the control socket, the last one."""
        with socket.socket(socket.AF_UNIX) as sock:
            return sock.connect_ex(self.control) == 0

    def stop(self):
        """SIGTERM; the milter must end in order."""
        code = self.milter.stop()
        check(code == 0, f"the milter ended with {code}: {self.log()[-4000:]}")
        for word in ("Sanitizer", "runtime error"):
            check(word not in self.log(), self.log()[-8000:])

    def log(self):
        """What all milters of this rig have logged."""
        path = self.path("postern-milter.log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def ctl(self, *arguments, text="", conf=None, seconds=120.0):
        """Run posternctl with the rig's configuration."""
        return self.run([CTL, "-c", conf or self.conf, *arguments], text,
                        seconds=seconds)

    def ask_control(self, octets, shut=False, seconds=60.0):
        """Send octets to the control socket; what comes until its end."""
        with dial(self.control, seconds) as sock:
            try:
                sock.sendall(octets)
                if shut:
                    sock.shutdown(socket.SHUT_WR)
            except BrokenPipeError:
                pass
            got = b""
            try:
                while True:
                    more = sock.recv(65536)
                    if not more:
                        return got
                    got += more
            except ConnectionResetError:
                return got


__all__ = ["ANSWERS", "BUILD", "CTL", "MILTER", "Rig", "answer", "check",
           "close", "free_port", "hang", "slow", "wait_for"]
