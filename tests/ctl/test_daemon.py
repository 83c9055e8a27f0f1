#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""postern-milter as a daemon, and what posternctl has of it: memory, figures,
reload, its sockets, its start and its end."""
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "milter"))

from mta import Mta  # noqa: E402
from rig import MILTER, Rig, free_port, wait_for  # noqa: E402
from harness.dial import dial  # noqa: E402

PATIENCE = int(os.environ.get("TEST_PATIENCE", "1"))


class Daemon(unittest.TestCase):
    def rig(self, start=True, **more):
        """A rig that ends with the test."""
        rig = Rig(**more)
        self.addCleanup(rig.__exit__, None, None, None)
        if start:
            rig.start()
        return rig

    def ctl(self, rig, *arguments):
        """posternctl; it must succeed.  Its output, line by line."""
        done = rig.ctl(*arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def refused(self, rig, status, *arguments):
        """posternctl; it must fail with that status.  What it says."""
        done = rig.ctl(*arguments)
        self.assertEqual((done.returncode, done.stdout), (status, ""))
        return done.stderr

    @staticmethod
    def facts(lines):
        """name=value, several to a line."""
        return dict(word.split("=", 1) for line in lines
                    for word in line.split() if "=" in word)


class Tags(Daemon):
    def test_no_negotiation(self):
        """Another client on a connection, of which nobody knows what the MTA
        tells: deferred where that matters, and only there."""
        rig = self.rig(top='tag "X-Tenant" { variable = "tenant" }')
        forged = ("X-Tenant", "forged")

        def send(mta):
            mta.mail("<ann@client.test>")
            self.assertEqual(mta.rcpt("<bob@example.org>"), "continue")
            return mta.message(forged)
        with Mta(rig.socket) as mta:
            self.assertEqual(send(mta), ("m", "continue"))
            mta.another()
            done, reply = send(mta)
            self.assertEqual((done, reply[:10]), ("", "451 4.3.0 "))
        self.assertIn("has not negotiated anew", rig.log())
        with Mta(rig.socket) as mta:
            self.assertEqual(send(mta), ("m", "continue"))

        plain = self.rig()
        with Mta(plain.socket) as mta:
            mta.another()
            mta.mail("<ann@client.test>")
            self.assertEqual(mta.rcpt("<bob@example.org>"), "continue")
            self.assertEqual(mta.message(), ("", "continue"))

    def test_headers_need_no_reply(self):
        """Nothing is sent for a header."""
        rig = self.rig(top='tag "X-Tenant" { variable = "tenant" }')
        with Mta(rig.socket) as mta:
            self.assertTrue(mta.steps & 0x80)  # SMFIP_NR_HDR
            mta.mail("<ann@client.test>")
            mta.rcpt("<bob@example.org>")
            self.assertEqual(
                mta.message(*[("X-Tenant", "forged")] * 20),
                ("m" * 20, "continue"))


class Memory(Daemon):
    def test_cache(self):
        rig = self.rig(options="catchall_life = 0")
        mta = Mta(rig.socket)
        self.addCleanup(mta.close)
        self.assertEqual(self.ctl(rig, "cache", "show"), [])
        mta.mail("<ann@client.test>")
        for to in ("bob@example.org", "unknown@example.org",
                   "temp@example.org", "Bob@Example.ORG"):
            mta.rcpt(f"<{to}>")

        lines = sorted(self.ctl(rig, "cache", "show"))
        self.assertEqual([re.sub(r"(age|left)=\d+", r"\1=N", line)
                          for line in lines], [
            f"{who} age=N left=N upstream=127.0.0.1:{rig.upstream.port}"
            for who in ("Bob@example.org accept 250 2.1.5",
                        "bob@example.org accept 250 2.1.5",
                        "temp@example.org defer 451 4.3.0",
                        "unknown@example.org reject 550 5.1.1")])
        left = {line.split()[0]: int(re.search(r"left=(\d+)", line)[1])
                for line in lines}
        self.assertTrue(86000 < left["bob@example.org"] <= 86400, left)
        self.assertTrue(7000 < left["unknown@example.org"] <= 7200, left)
        self.assertTrue(50 < left["temp@example.org"] <= 60, left)

        self.assertEqual(len(self.ctl(
            rig, "cache", "show", "temp@example.org")), 1)
        self.assertEqual(len(self.ctl(
            rig, "cache", "show", "@Example.Org")), 4)
        self.assertEqual(self.ctl(rig, "cache", "show", "@example.net"), [])

        # what is dropped is asked about anew, at once
        self.assertEqual(self.ctl(rig, "cache", "drop", "bob@example.org"),
                         ["dropped=1"])
        mta.rcpt("<bob@example.org>")
        self.assertEqual(rig.upstream.asked["bob@example.org"], 2)
        self.assertEqual(self.ctl(rig, "cache", "drop", "nobody@x.test"),
                         ["dropped=0"])
        self.assertEqual(self.ctl(rig, "cache", "drop", "@example.org"),
                         ["dropped=4"])
        mta.rcpt("<unknown@example.org>")
        self.assertEqual(rig.upstream.asked["unknown@example.org"], 2)
        self.assertEqual(self.ctl(rig, "cache", "flush"), ["dropped=1"])
        self.assertEqual(self.ctl(rig, "cache", "show"), [])

        for bad in ("@", "bob", "a b@x.test", "bob@", "x@y@z",
                    "l" * 330 + "@x.test", "@" + "l" * 330):
            with self.subTest(bad):
                done = rig.ctl("cache", "drop", bad)
                self.assertIn(done.returncode, (1, 64))
                self.assertIn("neither ADDRESS nor @DOMAIN", done.stderr)

    def test_catchall(self):
        rig = self.rig()
        mta = Mta(rig.socket)
        self.addCleanup(mta.close)
        rig.upstream.steps["rcpt"] = "250 2.1.5 Ok"
        mta.mail("<ann@client.test>")
        self.assertEqual(mta.rcpt("<bob@example.org>"), "continue")
        wait_for(lambda: "takes every local part" in rig.log(), "the mark")
        self.assertRegex("\n".join(self.ctl(rig, "cache", "show")),
                         r"(?m)^@example\.org catch-all left=\d+$")
        mta.rcpt("<carl@example.org>")
        self.assertEqual(rig.upstream.asked["carl@example.org"], 0)
        self.ctl(rig, "cache", "drop", "@example.org")
        mta.rcpt("<carl@example.org>")
        self.assertEqual(rig.upstream.asked["carl@example.org"], 1)

    def test_figures(self):
        rig = self.rig(options="catchall_life = 0")
        mta = Mta(rig.socket)
        self.addCleanup(mta.close)
        mta.mail("<ann@client.test>")
        for to in ("bob", "bob", "unknown", "temp"):
            mta.rcpt(f"<{to}@example.org>")
        mta.rcpt("<x@example.net>")
        stats = self.facts(self.ctl(rig, "stats"))
        for name, value in (("accepted", 2), ("rejected", 1), ("deferred", 1),
                            ("skipped", 1), ("observed", 0),
                            ("cache_hits", 1), ("cache_misses", 3),
                            ("cache_entries", 3), ("probes", 3),
                            ("upstream_connections", 1)):
            self.assertEqual(int(stats[name]), value, name)
        self.assertTrue(5 <= int(stats["upstream_commands"]) <= 6, stats)

        lines = self.ctl(rig, "status")
        status = self.facts(lines)
        self.assertEqual(status["program"], "postern-milter")
        self.assertEqual(int(status["pid"]), rig.milter.pid)
        self.assertEqual(status["configuration"], rig.conf)
        self.assertEqual(status["socket"], "unix:" + rig.socket)
        self.assertEqual(status["mode"], "enforce")
        self.assertEqual(status["questions_open"], "0")
        self.assertEqual(status["upstream_sessions"], "1")
        self.assertIn(f"upstream=127.0.0.1:{rig.upstream.port} "
                      "breaker=closed sessions=1 ", lines[-1])

    def test_nobody_to_ask(self):
        rig = self.rig(start=False)
        for command in (("status",), ("stats",), ("reload",),
                        ("cache", "show"), ("cache", "flush")):
            with self.subTest(command):
                self.assertIn(rig.control, self.refused(rig, 69, *command))


class Reload(Daemon):
    def change(self, rig, options):
        """Another configuration file."""
        rig.options = options
        rig.write_conf()

    def test_reload(self):
        rig = self.rig()
        mta = Mta(rig.socket)
        self.addCleanup(mta.close)
        mta.mail("<ann@client.test>")
        self.assertEqual(mta.rcpt("<unknown@example.org>")[:9], "550 5.1.1")

        # a bad file: said where it is asked, and nothing changes
        with open(rig.conf, encoding="utf-8") as file:
            good = rig.write("good.conf", file.read())
        self.change(rig, "mode = sometimes")
        for conf, status in ((good, 1), (rig.conf, 78)):
            done = rig.ctl("reload", conf=conf)
            self.assertEqual((done.returncode, done.stdout), (status, ""))
            self.assertRegex(done.stderr,
                             r"postern\.conf:\d+: .*sometimes")
        self.assertEqual(mta.rcpt("<unknown@example.org>")[:9], "550 5.1.1")
        done = rig.ctl("status", conf=good)
        self.assertIn("mode=enforce", done.stdout)
        os.unlink(rig.conf)
        before = rig.log().count("the old configuration stays")
        rig.milter.kill(signal.SIGUSR1)
        wait_for(lambda: rig.log().count(
            "the old configuration stays") > before,
                 "a word about the missing file")

        # a good one: in force at once, the memory is kept
        self.change(rig, "mode = observe")
        self.ctl(rig, "reload")
        self.assertEqual(mta.rcpt("<unknown@example.org>"), "continue")
        self.assertEqual(self.facts(self.ctl(rig, "status"))["mode"],
                         "observe")
        self.assertEqual(rig.upstream.asked["unknown@example.org"], 1)

        # by signal
        self.change(rig, "mode = enforce")
        rig.milter.kill(signal.SIGUSR1)
        wait_for(lambda: rig.log().count("configuration read anew") == 2,
                 "the signal to be heard")
        self.assertEqual(mta.rcpt("<unknown@example.org>")[:9], "550 5.1.1")

    def test_in_vain(self):
        """What takes a restart: said where it is asked, and in the log."""
        rig = self.rig()
        with open(rig.conf, encoding="utf-8") as file:
            text = file.read()
        rig.write_conf(text.replace(rig.socket, rig.path("elsewhere")))
        done = rig.ctl("reload")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertEqual(done.stderr, "posternctl: warning: milter.socket "
                         "changes only with a restart\n")
        self.assertIn("reload: milter.socket changes only with a restart",
                      rig.log())
        # it is so until the restart, or until it is as it was
        self.assertEqual(rig.ctl("reload").stderr, done.stderr)
        rig.write_conf(text)
        self.ctl(rig, "reload")

    def test_new_upstream(self):
        rig = self.rig(options="catchall_life = 0")
        mta = Mta(rig.socket)
        self.addCleanup(mta.close)
        mta.mail("<ann@client.test>")
        self.assertEqual(mta.rcpt("<bob@example.org>"), "continue")
        rig.hosts = f'"127.0.0.1:{free_port()}"'
        rig.write_conf()
        self.ctl(rig, "reload")
        # its verdicts are not those of another host
        self.assertEqual(mta.rcpt("<bob@example.org>")[:9], "451 4.4.1")
        wait_for(lambda: rig.upstream.open == 0, "the old sessions to end")

    def test_under_load(self):
        rig = self.rig(level="error")
        wrong = []
        over = threading.Event()

        def client(number):
            with Mta(rig.socket) as mta:
                i = 0
                while not over.is_set():
                    i += 1
                    mta.mail("<ann@client.test>")
                    got = mta.rcpt(f"<bob{number}.{i}@example.org>")
                    if got != "continue":
                        wrong.append(got)

        threads = [threading.Thread(target=client, args=(i,))
                   for i in range(6)]
        for thread in threads:
            thread.start()
        for _ in range(10):
            self.ctl(rig, "reload")
            rig.milter.kill(signal.SIGUSR1)
            time.sleep(0.02)
        over.set()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])


class Sockets(Daemon):
    def second(self, rig, **change):
        """Start another one with the same configuration, or some of it."""
        conf = rig.conf
        if change:
            with open(rig.conf, encoding="utf-8") as file:
                text = file.read()
            for name, value in change.items():
                text = re.sub(rf'{name} = ".*"', f'{name} = "{value}"', text,
                              count=1)
            conf = rig.write("second.conf", text)
        return rig.run([MILTER, "-f", "-c", conf])

    def test_mode(self):
        rig = self.rig()
        for path in (rig.socket, rig.control):
            mode = os.stat(path).st_mode
            self.assertTrue(stat.S_ISSOCK(mode))
            self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_second_instance(self):
        rig = self.rig()
        for change, path in (
                ({}, rig.socket), ({"control": "unix:" + rig.path("c2")},
                                   rig.socket),
                ({"socket": "unix:" + rig.path("s2")}, rig.control)):
            with self.subTest(change):
                done = self.second(rig, **change)
                self.assertEqual(done.returncode, 69, done.stderr)
                self.assertIn(path + ": another daemon listens there",
                              done.stderr)
        # the first one serves as before
        with Mta(rig.socket) as mta:
            mta.mail("<ann@client.test>")
            self.assertEqual(mta.rcpt("<bob@example.org>"), "continue")
        self.ctl(rig, "status")

    def test_second_instance_inet(self):
        port = free_port()
        rig = self.rig(start=False)
        with open(rig.conf, encoding="utf-8") as file:
            text = file.read().replace(
                "unix:" + rig.socket, f"inet:{port}@127.0.0.1")
        rig.write_conf(text)
        rig.start()
        done = self.second(rig, control="unix:" + rig.path("c2"))
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn(f"inet:{port}@127.0.0.1: cannot listen there: ",
                      done.stderr)
        self.ctl(rig, "status")

    def test_killed(self):
        """kill -9 under load, and again without cleaning up."""
        rig = self.rig(level="error")
        for _ in range(3):
            clients = [Mta(rig.socket) for _ in range(4)]
            for i, mta in enumerate(clients):
                mta.mail("<ann@client.test>")
                mta.send_rcpt(f"<hang{i}@example.org>")
            rig.milter.kill(signal.SIGKILL)
            self.assertEqual(rig.milter.wait(), -9)
            for mta in clients:
                self.assertIsNone(mta.reply())
                mta.close()
            self.assertTrue(os.path.exists(rig.socket))
            self.assertTrue(os.path.exists(rig.control))
            rig.start("-v")
            with Mta(rig.socket) as mta:
                mta.mail("<ann@client.test>")
                self.assertEqual(mta.rcpt("<bob@example.org>"), "continue")
            self.ctl(rig, "status")

    def test_no_socket(self):
        for name in ("socket", "control"):
            with self.subTest(name):
                rig = self.rig(start=False)
                path = getattr(rig, name)
                rig.write(os.path.basename(path), "precious")
                done = self.second(rig)
                self.assertEqual(done.returncode, 69)
                self.assertIn(path + ": is there and is no socket",
                              done.stderr)
                with open(path, encoding="ascii") as file:
                    self.assertEqual(file.read(), "precious")

    def test_garbage(self):
        """On the MTA's socket: the connection ends, nothing else does."""
        rig = self.rig()
        for octets in (b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 100,
                       b"\0\0\0\0", b"\0\0\0\1", b"\0\0\0\1\0",
                       b"\0\0\0\5Oxxxx", b"\0\0\0\rO" + b"\0" * 12,
                       b"\0\0\0\7R<x@y>" * 100):
            with dial(rig.socket) as sock:
                sock.sendall(octets)
                sock.shutdown(socket.SHUT_WR)
                try:
                    while sock.recv(4096):
                        pass
                except ConnectionResetError:
                    pass
        with Mta(rig.socket) as mta:
            mta.mail("<ann@client.test>")
            self.assertEqual(mta.rcpt("<bob@example.org>"), "continue")
        self.ctl(rig, "status")


class StartAndEnd(Daemon):
    def test_check(self):
        rig = self.rig(start=False)
        done = rig.run([MILTER, "-n", "-c", rig.conf])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("edge.test", done.stdout)
        self.assertFalse(os.path.exists(rig.socket))
        # what it prints is a configuration
        again = rig.write("again.conf", done.stdout)
        twice = rig.run([MILTER, "-n", "-c", again])
        self.assertEqual((twice.returncode, twice.stderr), (0, ""))
        self.assertEqual(twice.stdout, done.stdout)

        rig.write_conf("relay_host = {}\n")
        for flags in ("-n", "-fn", "-f"):
            done = rig.run([MILTER, flags, "-c", rig.conf])
            self.assertEqual((done.returncode, done.stdout), (78, ""))
            self.assertRegex(done.stderr,
                             r"postern\.conf:1: .*relay_host.*relay_hosts")
        done = rig.run([MILTER, "-n", "-c", rig.path("missing")])
        self.assertEqual(done.returncode, 78)
        self.assertIn(rig.path("missing"), done.stderr)

    def test_options(self):
        rig = self.rig(start=False)
        done = rig.run([MILTER, "-V"])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^postern \d+\.\d+\.\d+\n$")
        for bad in (["-x"], ["-c"], ["-c", rig.conf, "argument"]):
            with self.subTest(bad):
                done = rig.run([MILTER, *bad])
                self.assertEqual((done.returncode, done.stdout), (64, ""))
                self.assertIn("usage: ", done.stderr)

    def test_background(self):
        """The command returns when the sockets are open, and not before."""
        rig = self.rig(start=False, target="syslog")
        done = rig.run([MILTER, "-c", rig.conf])
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        pid = int(self.facts(self.ctl(rig, "status"))["pid"])
        self.addCleanup(self.end, pid)
        self.assertNotEqual(os.getsid(pid), os.getsid(0))
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), "/")
        for fd in (0, 1, 2):
            self.assertEqual(os.readlink(f"/proc/{pid}/fd/{fd}"),
                             "/dev/null")
        with Mta(rig.socket) as mta:
            mta.mail("<ann@client.test>")
            self.assertEqual(mta.rcpt("<bob@example.org>"), "continue")
        # in the way of the next one, which says so on the terminal
        done = rig.run([MILTER, "-c", rig.conf])
        self.assertEqual(done.returncode, 69)
        self.assertIn("another daemon listens there", done.stderr)

    @staticmethod
    def end(pid):
        """Kill the daemon, whose parent is not us."""
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def test_no_standard_descriptors(self):
        """Started without 0, 1 and 2: no socket takes their place."""
        rig = self.rig(start=False, target="syslog")
        script = f'exec <&- >&- 2>&-; exec "{MILTER}" -c "{rig.conf}"'
        done = subprocess.run(["/bin/sh", "-c", script], timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 0)
        pid = int(self.facts(self.ctl(rig, "status"))["pid"])
        self.addCleanup(self.end, pid)
        for fd in (0, 1, 2):
            self.assertEqual(os.readlink(f"/proc/{pid}/fd/{fd}"),
                             "/dev/null")

    def test_drain(self):
        """SIGTERM: who waits gets an answer."""
        rig = self.rig(options="timeout = 20 catchall_life = 0")
        idle, busy = Mta(rig.socket), Mta(rig.socket)
        for mta in (idle, busy):
            self.addCleanup(mta.close)
            mta.mail("<ann@client.test>")
        self.assertEqual(idle.rcpt("<bob@example.org>"), "continue")
        for i in range(5):
            mta = Mta(rig.socket)
            self.addCleanup(mta.close)
            mta.mail("<ann@client.test>")
            mta.send_rcpt(f"<hang{i}@example.org>")
        busy.send_rcpt("<hang@example.org>")
        wait_for(lambda: self.facts(self.ctl(rig, "status"))[
            "questions_open"] == "6", "the questions")
        begin = time.monotonic()
        rig.milter.kill(signal.SIGTERM)
        self.assertRegex(busy.reply() or "nothing", "^451 4")
        self.assertEqual(rig.milter.wait(), 0, rig.log())
        self.assertLess(time.monotonic() - begin, 4 * PATIENCE)
        self.assertIn("stopped", rig.log())
        self.assertNotIn("Sanitizer", rig.log())
        self.assertIn("reason=\"shutting down\"", rig.log())

    def test_end(self):
        """At once, and in order, however soon after it serves."""
        for pause in (0, 0, 0.001, 0.01, 0.3):
            rig = self.rig()
            Mta(rig.socket).close()
            time.sleep(pause)
            begin = time.monotonic()
            rig.stop()
            self.assertLess(time.monotonic() - begin, 4 * PATIENCE)

    def test_quit(self):
        """An upstream session that waits for work is ended with QUIT."""
        rig = self.rig(options="catchall_life = 0")
        with Mta(rig.socket) as mta:
            mta.mail("<ann@client.test>")
            self.assertEqual(mta.rcpt("<bob@example.org>"), "continue")
        rig.stop()
        wait_for(lambda: rig.upstream.counts["quit"] == 1, "QUIT")

    def test_end_with_slow_control(self):
        """A client of the control socket that says nothing holds up nobody."""
        rig = self.rig()
        Mta(rig.socket).close()
        for _ in range(12):
            sock = dial(rig.control)
            self.addCleanup(sock.close)
        rig.milter.kill(signal.SIGTERM)
        self.assertEqual(rig.milter.wait(4 * PATIENCE), 0, rig.log())


if __name__ == "__main__":
    unittest.main()
