#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""posternctl rcpt, explain rcpt and classify: what they print and return."""
import os
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "milter"))

from rig import CTL, Rig, free_port, hang  # noqa: E402


class Rcpt(unittest.TestCase):
    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.host = f"127.0.0.1:{self.rig.upstream.port}"

    def ctl(self, *arguments, **more):
        """Run it; returns (exit status, stdout, stderr)."""
        done = self.rig.ctl(*arguments, **more)
        return done.returncode, done.stdout, done.stderr

    def bare(self, *arguments):
        """The same without a configuration file."""
        done = self.rig.run([CTL, *arguments])
        return done.returncode, done.stdout, done.stderr

    def test_format_and_status(self):
        cases = (
            ("bob@example.org", 0, "accept 250 2.1.5 Ok"),
            ("unknown@example.org", 1,
             "reject 550 5.1.1 <unknown@example.org> no such user on "
             "store1.inside.test"),
            ("full@example.org", 1, "reject 552 5.2.2 mailbox full"),
            ("plain@example.org", 1, "reject 550 unknown user"),
            ("lines@example.org", 1, "reject 550 5.1.1 no such user here"),
            ("temp@example.org", 75,
             "defer 451 4.3.0 try later on store1.inside.test"),
            ("policy@example.org", 75, "defer 550 5.7.1 relaying denied"),
            ("close@example.org", 75, "defer"),
            ("bob@example.net", 0, "accept"),
        )
        for name, status, text in cases:
            with self.subTest(name):
                rc, out, err = self.ctl("rcpt", name)
                self.assertEqual((rc, out), (status, f"{name} {text}\n"))
                # Where the upstream said nothing stderr says why.
                self.assertEqual(err == "", " " in text, err)

    def test_several(self):
        names = ["bob", "unknown", "carl"]
        rc, out, _ = self.ctl("rcpt", *(n + "@example.org" for n in names))
        self.assertEqual(rc, 1)
        self.assertEqual([line.split()[1] for line in out.splitlines()],
                         ["accept", "reject", "accept"])
        rc, out, _ = self.ctl("rcpt", "unknown@example.org",
                              "temp@example.org", "bob@example.org")
        self.assertEqual(rc, 75)
        self.assertEqual([line.split()[1] for line in out.splitlines()],
                         ["reject", "defer", "accept"])
        rc, _, _ = self.ctl("rcpt", "temp@example.org",
                            "unknown@example.org")
        self.assertEqual(rc, 75)

    def test_no_memory(self):
        """Each question goes upstream, whatever a daemon remembers."""
        self.rig.start()
        for _ in range(3):
            self.ctl("rcpt", "bob@example.org")
        self.assertEqual(self.rig.upstream.asked["bob@example.org"], 3)

    def test_mailfrom(self):
        for given, command in (("ann@client.test", "<ann@client.test>"),
                               ("<ann@client.test>", "<ann@client.test>"),
                               ("<>", "<>"), ("", "<>")):
            with self.subTest(given):
                rc, _, err = self.ctl("rcpt", "-f", given, "bob@example.org")
                self.assertEqual((rc, err), (0, ""))
                self.assertEqual(
                    [c for _, c in self.rig.upstream.commands
                     if c.startswith("MAIL")][-1], "MAIL FROM:" + command)
        rc, out, err = self.ctl("rcpt", "-f", "a b@x", "bob@example.org")
        self.assertEqual((rc, out), (64, ""))
        self.assertIn("-f a b@x: ", err)

    def test_host(self):
        """-H needs neither route nor file."""
        rc, out, err = self.bare("rcpt", "-H", self.host, "bob@anything.test")
        self.assertEqual((rc, out, err),
                         (0, "bob@anything.test accept 250 2.1.5 Ok\n", ""))
        rc, out, _ = self.ctl("rcpt", "-H", self.host, "unknown@x.test")
        self.assertEqual(rc, 1)
        for bad in ("", "host:", "host:0", "[::1", "a b", "unix:"):
            with self.subTest(bad):
                rc, out, err = self.bare("rcpt", "-H", bad, "bob@example.org")
                self.assertEqual((rc, out), (64, ""))
                self.assertIn(f"-H {bad}: ", err)

    def test_nobody_there(self):
        port = free_port()
        rc, out, err = self.bare("rcpt", "-H", f"127.0.0.1:{port}",
                                 "bob@example.org")
        self.assertEqual((rc, out), (75, "bob@example.org defer\n"))
        self.assertIn(f"127.0.0.1:{port}", err)

    def test_time(self):
        self.rig.options = "timeout = 25"
        self.rig.write_conf()
        rc, out, err = self.ctl("rcpt", "-t", "300ms", "hang@example.org",
                                seconds=20)
        self.assertEqual((rc, out), (75, "hang@example.org defer\n"))
        self.assertNotEqual(err, "")
        self.rig.upstream.steps["connect"] = hang
        rc, _, _ = self.ctl("rcpt", "-t", "1", "bob@example.org",
                            seconds=20)
        self.assertEqual(rc, 75)
        for bad in ("0", "x", "-1", "2h", "1ms", ""):
            with self.subTest(bad):
                rc, _, err = self.ctl("rcpt", "-t", bad, "bob@example.org")
                self.assertEqual(rc, 64)
                self.assertIn(f"-t {bad}: ", err)

    def test_odd_addresses(self):
        rc, out, _ = self.ctl("rcpt", '"bob smith"@example.org')
        self.assertEqual((rc, out), (
            0, '"bob smith"@example.org accept 250 2.1.5 Ok\n'))
        for bad in ("a b@example.org", "a@b@example.org", "x\r\nRSET@x.test",
                    "@example.org"):
            with self.subTest(bad):
                # a QUIT may still be on its way
                before = self.rig.upstream.sessions
                rc, out, _ = self.ctl("rcpt", bad)
                self.assertEqual((rc, out.count("\n")), (75, 1))
                self.assertEqual(self.rig.upstream.sessions, before)

    def test_usage(self):
        for arguments in ((), ("rcpt",), ("rcpt", "-x", "a@b.test"),
                          ("rcpt", "-f"), ("explain",), ("explain", "auth"),
                          ("explain", "rcpt"), ("nothing",), ("-z",),
                          ("explain", "rcpt", "a@b.test", "c@d.test"),
                          ("status", "x"), ("cache",), ("cache", "drop"),
                          ("cache", "flush", "x"), ("cache", "all"),
                          ("classify", "x"), ("reload", "x")):
            with self.subTest(arguments):
                rc, out, err = self.ctl(*arguments)
                self.assertEqual((rc, out), (64, ""))
                self.assertIn("usage: posternctl", err)

    def test_configuration(self):
        missing = self.rig.path("missing")
        for arguments in (("rcpt", "bob@example.org"), ("status",),
                          ("rcpt", "-H", self.host, "bob@example.org")):
            with self.subTest(arguments):
                rc, out, err = self.ctl(*arguments, conf=missing)
                self.assertEqual((rc, out), (78, ""))
                self.assertIn(missing, err)
        bad = self.rig.write("bad.conf", "hostnam = \"x\"\n")
        rc, out, err = self.ctl("rcpt", "bob@example.org", conf=bad)
        self.assertEqual((rc, out), (78, ""))
        self.assertIn("bad.conf:1: ", err)
        self.assertIn("hostname", err)

    def test_version(self):
        rc, out, err = self.bare("-V")
        self.assertEqual((rc, err), (0, ""))
        self.assertRegex(out, r"^postern \d+\.\d+\.\d+")

    def test_full_disk(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run(
                [CTL, "-c", self.rig.conf, "rcpt", "bob@example.org"],
                stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(done.returncode, 74, done.stderr)

    def test_explain(self):
        rc, out, _ = self.ctl("explain", "rcpt", "unknown@example.org")
        self.assertEqual(rc, 1)
        lines = out.splitlines()
        self.assertEqual(lines[-1].split()[:4],
                         ["unknown@example.org", "reject", "550", "5.1.1"])
        self.assertIn(f"host 1: {self.host}", lines)
        for part in ("MAIL FROM:<>", "RCPT TO:<unknown@example.org>",
                     "550 5.1.1 <unknown@example.org> no such user",
                     "verdict: reject, because: "):
            self.assertIn(part, out)
        self.assertIn("the daemon:", out)
        rc, out, _ = self.ctl("explain", "rcpt", "bob@example.net")
        self.assertEqual(rc, 0)
        self.assertIn("no route", out)

    def test_explain_with_daemon(self):
        self.rig.start()
        rc, out, _ = self.ctl("explain", "rcpt", "bob@example.org")
        self.assertEqual(rc, 0)
        self.assertIn("memory: nothing", out)

    def test_classify(self):
        text = ("550 5.1.1 no such user\n552 5.2.2 mailbox full\r\n\n"
                "550 5.7.1 relaying denied\n451 4.3.0 later\n250 2.1.5 ok\n"
                "rubbish\n550")
        rc, out, err = self.ctl("classify", text=text)
        self.assertEqual((rc, err), (0, ""))
        self.assertEqual(out.splitlines(), [
            "nouser\t550 5.1.1 no such user", "mailbox\t552 5.2.2 mailbox full",
            "refused_us\t550 5.7.1 relaying denied",
            "temporary\t451 4.3.0 later", "accepted\t250 2.1.5 ok",
            out.splitlines()[5], out.splitlines()[6]])
        # what is no reply refuses nobody
        self.assertIn(out.splitlines()[5],
                      ("temporary\trubbish", "refused_us\trubbish"))


if __name__ == "__main__":
    unittest.main()
