# SPDX-License-Identifier: BSD-2-Clause
"""A postern-authd in a directory of its own, and who talks to it.

    with Rig(scripted=True) as rig:
        rig.start()
        print(rig.check("good", "right"))

With scripted=True it is tests/authd/scripted-authd, where the user name says
what becomes of a login; else the real one.  Everything is on loopback and
Unix sockets and ends with the rig.
"""
import getpass
import os
import resource
import shutil
import socket
import struct
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

from harness.case import Case, check, wait_for  # noqa: E402
from harness.dial import dial  # noqa: E402
from harness.wire import (BAD, CHALLENGE, CHECK, CLIENT, DATA,  # noqa: E402
                          GOOD, MECH, PASS, REALM, REASON, SERVICE, START,
                          STEP, UNSURE, USER, VERSION, pack, read)

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
AUTHD = os.path.join(BUILD, "saslauth-plugin", "postern-authd")
SCRIPTED = os.path.join(BUILD, "tests", "authd", "scripted-authd")
PATIENCE = int(os.environ.get("TEST_PATIENCE", "1"))
# sanitizers have memory of their own, and threads are dear
PLAIN = os.environ.get("TEST_PLAIN", "yes") == "yes"

CONF = """hostname = "{hostname}"
user = "{user}"
log_target = "{target}"
log_level = "{level}"
{top}
{proxy}
authd {{
    socket = "unix:{dir}/auth"
    saslauthd_socket = "{mux}"
    socketmap_socket = "unix:{dir}/map"
    control = "unix:{dir}/control"
    {authd}
}}
"""

PROXY = """smtp_auth_proxy {{
    host = {{{hosts}}}
    tls = none
    {options}
}}"""


def octets(value):
    """Text or octets as octets."""
    return value if isinstance(value, bytes) else value.encode("utf-8")


def frame(kind, items, version=VERSION):
    """A message of wire.h; items: {tag: value}."""
    return pack(kind, {tag: octets(items[tag]) for tag in items}, version)


def asking(mech="PLAIN", client="192.0.2.1;49152", **more):
    """The items that every first question has."""
    return {MECH: mech, SERVICE: "smtp", REALM: "", CLIENT: client, **more}


def check_frame(user, password, **more):
    """A whole login."""
    return frame(CHECK, {**asking(**more), USER: user, PASS: password})


def mux_request(login, password, service="smtp", realm="", client=None):
    """A request in saslauthd's protocol."""
    fields = [login, password, service, realm]
    if client is not None:
        fields.append(client)
    return b"".join(struct.pack(">H", len(octets(f))) + octets(f)
                    for f in fields)


def netstring(text):
    """The text as socketmap has it."""
    return b"%d:%s," % (len(octets(text)), octets(text))


class Peer:
    """A connection to one of the daemon's sockets."""

    def __init__(self, path, seconds=60.0):
        self.socket = dial(path, seconds)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Hang up."""
        self.stream.close()
        self.socket.close()

    def send(self, data):
        """Send it all; whether somebody was there to take it."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def octets(self, n):
        """The next n octets, or fewer before the end."""
        try:
            return self.stream.read(n)
        except ConnectionResetError:
            return b""

    def frame(self):
        """The next message: (type, {tag: octets}), or None at the end."""
        try:
            return read(self.stream)
        except ConnectionResetError:
            return None

    def field(self):
        """saslauthd's answer, or None at the end."""
        head = self.octets(2)
        if head == b"":
            return None
        size = struct.unpack(">H", head)[0]
        text = self.octets(size)
        check(len(text) == size, f"an answer is cut off: {text!r}")
        return text

    def reply(self):
        """socketmap's answer, or None at the end."""
        head = b""
        while not head.endswith(b":"):
            octet = self.octets(1)
            if octet == b"":
                check(head == b"", f"an answer is cut off: {head!r}")
                return None
            head += octet
        text = self.octets(int(head[:-1]) + 1)
        check(text.endswith(b","), f"no answer: {head!r} {text!r}")
        return text[:-1]

    def ended(self):
        """Whether nothing but the end comes."""
        return self.octets(1) == b""


class Rig(Case):
    """The daemon and what it needs."""

    def __init__(self, scripted=True, hosts='"127.0.0.1:9"', options="",
                 top="", authd="", level="info", hostname="edge.test",
                 mux=None, target="stderr"):
        super().__init__("authd", tempfile.mkdtemp(prefix="postern-authd."),
                         BUILD, {})
        self.program = SCRIPTED if scripted else AUTHD
        self.values = {"hosts": hosts, "options": options, "top": top,
                       "authd": authd, "level": level, "hostname": hostname,
                       "target": target,
                       "mux": mux or "unix:" + self.path("mux")}
        self.auth = self.path("auth")
        self.mux = self.path("mux")
        self.control = self.path("control")
        self.map = self.path("map")
        self.conf = self.path("postern.conf")
        self.daemon = None
        self.write_conf()

    def __enter__(self):
        return self

    def __exit__(self, kind, _value, _trace):
        if self.daemon is not None and self.daemon.running():
            self.daemon.kill()
        if kind is not None and self.daemon is not None:
            print(self.log()[-8000:], file=sys.stderr)
        self.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def write_conf(self, **changes):
        """Write the configuration, with these values from now on."""
        self.values.update(changes)
        proxy = "" if self.values["hosts"] is None else PROXY.format(
            **self.values)
        self.write("postern.conf", CONF.format(
            user=getpass.getuser(), dir=self.dir, proxy=proxy,
            **self.values))

    def start(self, *arguments, env=None):
        """Start the daemon and wait until it serves."""
        self.daemon = Case.start(
            self, "postern-authd",
            [self.program, "-f", "-c", self.conf, *arguments], env)
        wait_for(lambda: self.served() or not self.daemon.running(),
                 "the daemon to serve")
        check(self.daemon.running(), "the daemon has ended: " + self.log())
        return self.daemon

    def served(self):
        """Whether the socket that is opened last answers."""
        with socket.socket(socket.AF_UNIX) as sock:
            if sock.connect_ex(self.control) != 0:
                return False
        return "serving" in self.log()

    def stop(self, seconds=60):
        """SIGTERM; it must end in order.  How long that took."""
        begun = time.monotonic()
        code = self.daemon.stop(seconds)
        check(code == 0, f"the daemon ended with {code}: {self.log()[-4000:]}")
        for word in ("Sanitizer", "runtime error", "have not ended"):
            check(word not in self.log(), self.log()[-8000:])
        return time.monotonic() - begun

    def log(self):
        """What all daemons of this rig have logged."""
        path = self.path("postern-authd.log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_log(self, text):
        """Wait for a line that holds the text."""
        wait_for(lambda: text in self.log(), f"{text!r} in the log")

    def crowd(self):
        """As many logins as there are threads and places for, which take a
        minute each."""
        peers = []
        for _ in range(3000):
            peer = self.peer()
            peer.send(check_frame("slow-60000", "x"))
            peers.append(peer)
        wait_for(lambda: self.facts("status")["waiting"] == "1500",
                 "the queue of logins to be full")
        return peers

    def peer(self, path=None):
        """Somebody who connects; hangs up when the rig ends."""
        peer = Peer(path or self.auth)
        self.cleanup(peer.close)
        return peer

    def check(self, user, password, **more):
        """A login by the plug-in's protocol: the answer, or None."""
        with Peer(self.auth) as peer:
            peer.send(check_frame(user, password, **more))
            return peer.frame()

    def mux_check(self, *fields, **more):
        """A login by saslauthd's: the answer's text, or None."""
        with Peer(self.mux) as peer:
            peer.send(mux_request(*fields, **more))
            answer = peer.field()
            check(peer.ended(), "the daemon goes on after the answer")
            return answer

    def look(self, name, key):
        """A look-up of an outbound credential: the answer, or None."""
        with Peer(self.map) as peer:
            peer.send(netstring(octets(name) + b" " + octets(key)))
            return peer.reply()

    def command(self, request):
        """A command to the control socket: the lines of the answer."""
        with dial(self.control) as sock:
            sock.sendall(request.encode() + b"\n")
            got = b""
            while True:
                more = sock.recv(65536)
                if not more:
                    return got.decode().splitlines()
                got += more

    def facts(self, request):
        """The answer to status or stats as {name: value}."""
        lines = self.command(request)
        check(lines[-1:] == ["ok"], f"{request}: {lines}")
        return dict(word.split("=", 1) for line in lines
                    for word in line.split() if "=" in word)

    def memory(self):
        """The daemon's resident memory, in octets."""
        with open(f"/proc/{self.daemon.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Serve(unittest.TestCase):
    """Tests that have daemons; options: what all of those have."""

    options = {}

    def rig(self, **more):
        """A daemon that ends with the test."""
        rig = Rig(**{**self.options, **more})
        self.addCleanup(rig.__exit__, None, None, None)
        rig.start()
        return rig


class Crowds(Serve):
    """Tests that take as many descriptors as they may; files: so many."""

    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE,
                        (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.files = hard


__all__ = ["AUTHD", "BAD", "CHALLENGE", "CHECK", "Crowds", "DATA", "GOOD", "MECH",
           "PASS", "PATIENCE", "PLAIN", "Peer", "REASON", "Rig", "SCRIPTED",
           "SERVICE", "START", "STEP", "Serve", "UNSURE", "USER", "asking", "check",
           "check_frame", "frame", "mux_request", "netstring", "wait_for"]
