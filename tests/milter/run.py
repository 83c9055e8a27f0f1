#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""run.py [SCRIPT...]: each *.lua beside this file, with miltertest.

A script begins with comments that say how the milter is set up:

    -- options: TEXT     into smtp_rcptto_proxy { }
    -- top: TEXT         at the end of the configuration
    -- relay_hosts: LIST
    -- hosts: LIST       instead of the upstream; PORT is a port where nobody
                         listens, UPSTREAM the upstream's
    -- keyword: WORD     the upstream offers this, too
    -- step: NAME WHAT   what the upstream does at a step: hang, close or a
                         reply

Each gets a milter and an upstream of its own.  miltertest does not show a
filter's reply text, so it talks to the milter through a tap that writes down
each packet from there.  Finally the milter must end in order.
"""
import concurrent.futures
import os
import shutil
import socket
import subprocess
import sys
import threading

sys.dont_write_bytecode = True  # the sources may be read-only

from rig import HERE, Rig, check, close, free_port, hang  # noqa: E402

KEYS = ("options", "top", "relay_hosts", "hosts", "keyword", "step")
LIB = os.path.join(HERE, "lib.lua")
LIMIT = 300  # seconds that one script may take


class Tap:
    """Between miltertest and the milter: notes what the milter says.

    One line a packet: number of the connection, command, octets; those that
    do not print are \\xNN.
    """

    def __init__(self, listen, to, notes):
        self.path = listen
        self.notes = notes
        self._to = to
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(listen)
        self._listener.listen(64)
        with open(notes, "w", encoding="ascii"):
            pass
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Take no more connections."""
        self._listener.close()

    def _accept(self):
        number = 0
        while True:
            try:
                left, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            right = socket.socket(socket.AF_UNIX)
            try:
                right.connect(self._to)
            except OSError:
                left.close()
                continue
            for function, arguments in (
                    (self._up, (left, right)),
                    (self._down, (right, left, number))):
                threading.Thread(target=function, args=arguments,
                                 daemon=True).start()

    @staticmethod
    def _shut(*sockets):
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _up(self, left, right):
        try:
            while True:
                octets = left.recv(65536)
                if not octets:
                    break
                right.sendall(octets)
        except OSError:
            pass
        self._shut(left, right)

    def _down(self, right, left, number):
        buffered = b""
        try:
            while True:
                octets = right.recv(65536)
                if not octets:
                    break
                buffered += octets
                while len(buffered) >= 4:
                    size = 4 + int.from_bytes(buffered[:4], "big")
                    if len(buffered) < size:
                        break
                    packet, buffered = buffered[:size], buffered[size:]
                    self._note(number, packet[4:])
                    left.sendall(packet)
        except OSError:
            pass
        self._shut(left, right)

    def _note(self, number, packet):
        text = "".join(
            chr(c) if 32 <= c < 127 and c != 92 else f"\\x{c:02x}"
            for c in packet[1:])
        with self._lock, open(self.notes, "a", encoding="ascii") as file:
            file.write(f"{number} {chr(packet[0])} {text}\n")


def header(path):
    """The settings at the beginning of a script."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("--"):
                break
            key, _, value = line[2:].strip().partition(": ")
            if key in KEYS:
                found.setdefault(key, []).append(value.strip())
    return found


def set_up(rig, settings):
    """Make the upstream as the script wants it."""
    rig.upstream.keywords.extend(settings.pop("keyword", []))
    for step in settings.pop("step", []):
        name, _, what = step.partition(" ")
        rig.upstream.steps[name] = {"hang": hang, "close": close}.get(
            what, what)


def play(path):
    """Run one script; raises when something is wrong."""
    settings = header(path)
    hosts = " ".join(settings.pop("hosts", []))
    with Rig(options="\n    ".join(settings.pop("options", [])),
             top="\n".join(settings.pop("top", [])),
             relay_hosts=" ".join(settings.pop("relay_hosts", [])),
             name=os.path.basename(path)) as rig:
        set_up(rig, settings)
        if hosts:
            rig.hosts = hosts.replace("PORT", str(free_port())).replace(
                "UPSTREAM", str(rig.upstream.port))
            rig.write_conf()
        rig.start()
        tap = Tap(rig.path("tap"), rig.socket, rig.path("notes"))
        rig.cleanup(tap.close)
        # Made now: a script may look before anything was asked.
        with open(rig.upstream.log_path, "a", encoding="utf-8"):
            pass
        done = rig.run(
            ["miltertest", "-D", f"SOCKET=unix:{tap.path}",
             "-D", f"NOTES={tap.notes}",
             "-D", f"LOG={rig.milter.log_path}",
             "-D", f"ASKED={rig.upstream.log_path}",
             "-D", "PATIENCE=" + os.environ.get("TEST_PATIENCE", "1"),
             "-D", f"SCRIPT={path}", "-s", LIB], seconds=LIMIT)
        check(done.returncode == 0 and done.stdout == "done\n",
              f"status {done.returncode}: {done.stdout}{done.stderr}")
        rig.stop()


def attempt(path):
    """Run one script and say in a line what became of it."""
    name = os.path.basename(path)
    try:
        play(path)
        return f"ok {name}"
    except (AssertionError, subprocess.TimeoutExpired) as why:
        return f"FAILED {name}: {why}"


def main():
    """Play all, or those named; say which failed."""
    if shutil.which("miltertest") is None:
        print("skipped: miltertest is missing (Debian: miltertest)")
        return 77
    scripts = sys.argv[1:] or sorted(
        os.path.join(HERE, name) for name in os.listdir(HERE)
        if name.endswith(".lua") and name != "lib.lua")
    # Most of the time goes by with waiting.
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, scripts))
    for result in results:
        print(result)
    return 0 if all(r.startswith("ok ") for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
