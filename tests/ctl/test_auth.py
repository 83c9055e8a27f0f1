#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""posternctl auth and explain auth: what they ask, print and return; and which
daemon the other commands ask."""
import os
import pty
import resource
import signal
import socket
import subprocess
import sys
import termios
import threading
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "milter"))

from relayed import MECHANISMS, Relayed  # noqa: E402
from rig import CTL, Rig, close, free_port, hang, wait_for  # noqa: E402
from harness.scripted_auth import Passwords  # noqa: E402

USER = "ann@example.org"
PASSWORD = "correct horse % \\ b\u00e4ttery"
GOOD = f"{USER} accept 235 2.7.0 Authentication successful\n"
BAD = f"{USER} reject 535 5.7.8 Authentication credentials invalid\n"


class Login(unittest.TestCase):
    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.upstream = self.rig.upstream
        self.host = f"127.0.0.1:{self.upstream.port}"

    def write(self, auth, top=""):
        """A configuration with these options of smtp_auth_proxy."""
        self.rig.write_conf(
            f"smtp_auth_proxy {{ host = {{\"{self.host}\"}} {auth} }}\n{top}")

    def ctl(self, *arguments, secret=PASSWORD, **more):
        """Run it with the password; returns (exit status, stdout, stderr)."""
        done = self.rig.ctl(*arguments, text=secret + "\nmore\n", **more)
        if len(secret) > 4:
            self.assertNotIn(secret, done.stdout + done.stderr)
        return done.returncode, done.stdout, done.stderr


class Auth(Login):
    def setUp(self):
        super().setUp()
        self.known = Passwords(self.upstream, {USER: PASSWORD, "ann": "x"})
        self.write("")

    def test_verdicts(self):
        self.assertEqual(self.ctl("auth", USER), (0, GOOD, ""))
        self.assertEqual(self.ctl("auth", USER, secret="wrong"), (1, BAD, ""))
        for reply, status, text in (
                ("454 4.7.0 Temporary authentication failure", 75,
                 "defer 454 4.7.0 Temporary authentication failure"),
                ("535 5.7.3 not from here", 1,
                 "reject 535 5.7.3 not from here"),
                ("534 5.7.9 mechanism is too weak", 75,
                 "defer 534 5.7.9 mechanism is too weak"),
                ("535 no", 1, "reject 535 no"),
                ("535 5.7.8 two\n535 5.7.8 lines", 1,
                 "reject 535 5.7.8 two lines"),
                (close, 75, "defer")):
            with self.subTest(text):
                self.known.final = reply
                rc, out, err = self.ctl("auth", USER)
                self.assertEqual((rc, out), (status, f"{USER} {text}\n"))
                # Where the upstream said nothing stderr says why.
                self.assertEqual(err == "", " " in text, err)

    def test_mechanisms(self):
        """Both are a password, whatever the upstream has of them."""
        for mechanism in ("PLAIN", "LOGIN", "plain"):
            self.assertEqual(self.ctl("auth", "-m", mechanism, USER),
                             (0, GOOD, ""))
        self.upstream.keywords[:] = ["AUTH LOGIN"]
        self.assertEqual(self.ctl("auth", USER), (0, GOOD, ""))
        self.assertEqual(self.known.attempts[-1][1:], ("LOGIN", USER, PASSWORD))
        self.upstream.keywords[:] = []
        rc, out, err = self.ctl("auth", USER)
        self.assertEqual((rc, out), (75, f"{USER} defer\n"))
        self.assertIn("does not offer AUTH", err)
        self.assertEqual(len(self.known.attempts), 4)

    def test_no_memory(self):
        """A wrong password is asked about each time."""
        for _ in range(5):
            self.assertEqual(self.ctl("auth", USER, secret="wrong")[0], 1)
        self.assertEqual(self.known.names(), [USER] * 5)

    def test_one_session(self):
        """Nobody keeps sessions warm for one login."""
        self.write("warm_sessions = 10")
        self.assertEqual(self.ctl("auth", USER)[0], 0)
        self.assertEqual(self.upstream.sessions, 1)

    def test_names(self):
        self.write("canon = localpart")
        self.assertEqual(self.ctl("auth", USER, secret="x")[0], 0)
        self.assertEqual(self.known.names(), ["ann"])
        rc, out, _ = self.ctl("auth", "a\r\nRSET", secret="x")
        self.assertEqual((rc, out), (1, "a??RSET reject\n"))
        rc, _, err = self.ctl("auth", "x" * 400, secret="x")
        self.assertEqual(rc, 1)
        self.assertIn("malformed", err)
        self.assertEqual(len(self.known.attempts), 1)

    def test_password(self):
        """The first line of standard input and nothing else."""
        done = self.rig.ctl("auth", USER, text=PASSWORD)
        self.assertEqual(done.returncode, 0, "without a newline")
        done = self.rig.ctl("auth", USER, text="")
        self.assertEqual((done.returncode, done.stdout), (64, ""))
        self.assertIn("no password", done.stderr)
        done = self.rig.ctl("auth", USER, text="\n" + PASSWORD + "\n")
        self.assertEqual((done.returncode, done.stdout),
                         (1, f"{USER} reject\n"), "empty: not asked")
        done = self.rig.ctl("auth", USER, text="x" * 40000 + "\n")
        self.assertEqual((done.returncode, done.stdout), (64, ""))
        self.assertEqual(self.known.names(), [USER])

    def test_no_core(self):
        """The password is in no core file, however large these may be."""
        def large():
            resource.setrlimit(resource.RLIMIT_CORE,
                               (resource.RLIM_INFINITY,) * 2)
        if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
            self.skipTest("core files are off here")
        self.known.final = hang
        with subprocess.Popen(
                [CTL, "-c", self.rig.conf, "auth", USER], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                preexec_fn=large) as ctl:
            self.addCleanup(ctl.kill)
            ctl.stdin.write(PASSWORD + "\n")
            ctl.stdin.close()
            wait_for(lambda: self.known.attempts, "the login")
            with open(f"/proc/{ctl.pid}/limits", encoding="ascii") as limits:
                core = [line.split()[4:6] for line in limits
                        if line.startswith("Max core file size")]
            ctl.kill()
        self.assertEqual(core, [["0", "0"]])

    def test_host(self):
        """-H needs neither route nor file."""
        done = self.rig.run([CTL, "auth", "-H", self.host, USER],
                            PASSWORD + "\n")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, GOOD, ""))
        port = free_port()
        self.write("", f"domain \"example.org\" {{ smtp_auth_proxy {{ host = "
                   f"{{\"127.0.0.1:{port}\"}} }} }}")
        rc, out, err = self.ctl("auth", USER)
        self.assertEqual((rc, out), (75, f"{USER} defer\n"))
        self.assertIn(f"127.0.0.1:{port}", err)
        self.assertEqual(self.ctl("auth", "-H", self.host, USER),
                         (0, GOOD, ""))
        for bad in ("", "host:", "[::1", "unix:", "lmtp:127.0.0.1:24"):
            with self.subTest(bad):
                rc, out, err = self.ctl("auth", "-H", bad, USER)
                self.assertEqual((rc, out), (64, ""))
                self.assertIn(f"-H {bad}: ", err)

    def test_may_stays_here(self):
        """tls = may is for loopback: elsewhere -H verifies."""
        self.write("tls = may")
        self.assertEqual(self.ctl("auth", USER), (0, GOOD, ""))
        address = next((a[4][0] for a in socket.getaddrinfo(
            socket.gethostname(), None, socket.AF_INET)
            if not a[4][0].startswith("127.")), None)
        if address is None:
            return
        with socket.create_server((address, 0)) as server:
            threading.Thread(target=self._plain_server, args=(server,),
                             daemon=True).start()
            rc, out, err = self.ctl(
                "auth", "-t", "3", "-H",
                f"{address}:{server.getsockname()[1]}", USER)
        self.assertEqual((rc, out), (75, f"{USER} defer\n"))
        self.assertIn("STARTTLS", err)

    @staticmethod
    def _plain_server(server):
        """Greets, and offers AUTH without TLS."""
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"220 mailstore.test ESMTP\r\n")
            connection.recv(1000)
            connection.sendall(b"250-mailstore.test\r\n250 AUTH PLAIN\r\n")
            connection.recv(1000)

    def test_routes(self):
        self.rig.write_conf(
            "domain \"example.org\" { smtp_auth_proxy { host = "
            f"{{\"{self.host}\"}} }} }}")
        self.assertEqual(self.ctl("auth", USER), (0, GOOD, ""))
        rc, out, err = self.ctl("auth", "ann@example.net")
        self.assertEqual((rc, out), (75, "ann@example.net defer\n"))
        self.assertIn("no route", err)

    def test_time(self):
        self.known.final = hang
        rc, out, err = self.ctl("auth", "-t", "300ms", USER, seconds=15)
        self.assertEqual((rc, out), (75, f"{USER} defer\n"))
        self.assertNotEqual(err, "")
        for bad in ("0", "x", "2h", ""):
            with self.subTest(bad):
                rc, _, err = self.ctl("auth", "-t", bad, USER)
                self.assertEqual(rc, 64)
                self.assertIn(f"-t {bad}: ", err)

    def test_usage(self):
        for arguments in (("auth",), ("auth", "a", "b"), ("auth", "-f", "x"),
                          ("explain", "auth"), ("explain", "auth", "a", "b"),
                          ("explain", "login", "a"), ("auth", "-m"),
                          ("auth", "-p", "x", USER)):
            with self.subTest(arguments):
                rc, out, err = self.ctl(*arguments)
                self.assertEqual((rc, out), (64, ""))
                self.assertIn("usage: posternctl", err)
        for name in ("NTLM", "", "SCRAM-SHA-256-PLUS"):
            rc, out, err = self.ctl("auth", "-m", name, USER)
            self.assertEqual((rc, out), (64, ""))
            self.assertIn(f"-m {name}: none of PLAIN, ", err)

    def test_configuration(self):
        rc, out, err = self.ctl("auth", USER, conf=self.rig.path("missing"))
        self.assertEqual((rc, out), (78, ""))
        self.assertIn("missing", err)

    def test_explain(self):
        rc, out, err = self.ctl("explain", "auth", USER, secret="wrong")
        self.assertEqual((rc, err), (1, ""))
        for part in (f"user: {USER}", self.host, "dialogue:", "> EHLO ",
                     "> AUTH PLAIN ********",
                     "< 535 ********",
                     "verdict: reject"):
            self.assertIn(part, out)
        self.assertEqual(out.splitlines()[-1] + "\n", BAD)
        rc, out, _ = self.ctl("explain", "auth", USER)
        self.assertEqual((rc, out.splitlines()[-1] + "\n"), (0, GOOD))


class Terminal(Login):
    def setUp(self):
        super().setUp()
        self.known = Passwords(self.upstream, {USER: PASSWORD})
        self.write("")

    def on_terminal(self):
        """Start it on a terminal; (process, the terminal's other end)."""
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        child = subprocess.Popen(
            [CTL, "-c", self.rig.conf, "auth", USER], stdin=theirs,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(child.kill)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.stderr.close)
        self.addCleanup(os.close, theirs)
        wait_for(lambda: not self.echoes(theirs), "the prompt")
        return child, ours, theirs

    @staticmethod
    def echoes(terminal):
        """Whether what is typed is shown."""
        return termios.tcgetattr(terminal)[3] & termios.ECHO != 0

    def test_prompt(self):
        child, ours, theirs = self.on_terminal()
        os.write(ours, PASSWORD.encode() + b"\n")
        out, err = child.communicate(timeout=60)
        self.assertEqual((child.returncode, out), (0, GOOD))
        self.assertIn("Password: ", err)
        self.assertTrue(self.echoes(theirs), "the terminal stays as it was")
        os.set_blocking(ours, False)
        try:
            shown = os.read(ours, 1000)
        except BlockingIOError:
            shown = b""
        self.assertNotIn(PASSWORD.encode(), shown)

    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            child, _, theirs = self.on_terminal()
            child.send_signal(number)
            child.communicate(timeout=60)
            self.assertEqual(child.returncode, -number)
            self.assertTrue(self.echoes(theirs))
        self.assertEqual(self.known.attempts, [])


class Mechanisms(Login):
    def setUp(self):
        super().setUp()
        self.known = Relayed(self.upstream, {USER: PASSWORD, "a=b,c": "x"})
        self.write("")

    def relay(self, mechanism, *arguments, **more):
        """Log in by a mechanism that a plug-in may be missing for."""
        rc, out, err = self.ctl("auth", "-m", mechanism, *arguments, **more)
        if rc == 69 and "no SASL plug-in" in err:
            self.skipTest(err)
        return rc, out, err

    def test_each(self):
        for mechanism in MECHANISMS.split():
            with self.subTest(mechanism):
                self.assertEqual(self.relay(mechanism, USER), (0, GOOD, ""))
                self.assertEqual(self.relay(mechanism, USER, secret="wrong"),
                                 (1, BAD, ""))
                self.assertEqual(self.known.attempts,
                                 [(mechanism, USER)] * 2)
                self.known.attempts.clear()

    def test_escapes(self):
        for mechanism in MECHANISMS.split():
            with self.subTest(mechanism):
                rc, _, err = self.relay(mechanism, "a=b,c", secret="x")
                self.assertEqual((rc, err), (0, ""))

    def test_not_offered(self):
        self.upstream.keywords[:] = ["AUTH PLAIN LOGIN"]
        rc, out, err = self.relay("SCRAM-SHA-256", USER)
        self.assertEqual((rc, out), (75, f"{USER} defer\n"))
        self.assertIn("does not offer AUTH SCRAM-SHA-256", err)

    def test_false_server(self):
        """One that does not know the password cannot say that it is good."""
        self.known.spoil = True
        rc, out, err = self.relay("SCRAM-SHA-256", USER)
        self.assertEqual((rc, out), (75, f"{USER} defer\n"))
        self.assertIn("what the server says is wrong", err)

    def test_endless(self):
        self.known.endless = True
        for mechanism in ("XOAUTH2", "CRAM-MD5", "SCRAM-SHA-1"):
            rc, out, _ = self.relay(mechanism, USER)
            self.assertEqual((rc, out), (75, f"{USER} defer\n"))

    def test_missing_plugin(self):
        done = self.rig.run(
            [CTL, "-c", self.rig.conf, "auth", "-m", "CRAM-MD5", USER],
            PASSWORD + "\n", env={"SASL_PATH": self.rig.dir})
        self.assertEqual((done.returncode, done.stdout), (69, ""))
        self.assertIn("libsasl2-modules", done.stderr)


class TwoDaemons(unittest.TestCase):
    """status, stats, reload and cache, where there is one daemon or two."""

    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.__exit__, None, None, None)
        self.asked = {"milter": [], "authd": []}
        self.answers = {"milter": b" a=1\n b=2\nok\n",
                        "authd": b" a=3\nok\n"}
        self.rig.write_conf("".join(
            f"{name} {{ control = \"unix:{self.rig.path(name)}\" }}\n"
            for name in self.asked))

    def daemon(self, name):
        """A daemon that gives its answer to anything."""
        server = socket.socket(socket.AF_UNIX)
        server.bind(self.rig.path(name))
        server.listen(8)
        self.addCleanup(server.close)

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, connection.makefile() as lines:
                    self.asked[name].append(lines.readline().rstrip("\n"))
                    connection.sendall(self.answers[name])

        threading.Thread(target=serve, daemon=True).start()

    def ctl(self, *arguments):
        """Run it; returns (exit status, stdout, stderr)."""
        done = self.rig.ctl(*arguments)
        return done.returncode, done.stdout, done.stderr

    def test_milter_alone(self):
        self.daemon("milter")
        for command in ("status", "stats"):
            self.assertEqual(self.ctl(command), (0, "a=1\nb=2\n", ""))
        self.assertEqual(self.ctl("reload"), (
            0, "", "posternctl: warning: a=1\nposternctl: warning: b=2\n"))
        self.assertEqual(self.ctl("cache", "flush"), (0, "a=1\nb=2\n", ""))
        self.assertEqual(self.asked["milter"],
                         ["status", "stats", "reload", "cache flush"])
        rc, out, err = self.ctl("-d", "authd", "status")
        self.assertEqual((rc, out), (69, ""))
        self.assertIn(self.rig.path("authd"), err)

    def test_authd_alone(self):
        self.daemon("authd")
        self.assertEqual(self.ctl("status"), (0, "authd: a=3\n", ""))
        self.assertEqual(self.ctl("-d", "authd", "stats"), (0, "a=3\n", ""))
        self.assertEqual(self.ctl("cache", "drop", "ann"),
                         (0, "authd: a=3\n", ""))

    def test_nobody(self):
        rc, out, err = self.ctl("status")
        self.assertEqual((rc, out, err.count("\n")), (69, "", 1))

    def test_both(self):
        self.daemon("milter")
        self.daemon("authd")
        both = (0, "a=1\nb=2\nauthd: a=3\n", "")
        for command in (("status",), ("stats",), ("cache", "flush"),
                        ("cache", "drop", USER)):
            self.assertEqual(self.ctl(*command), both)
        self.assertEqual(self.ctl("reload"), (
            0, "", "posternctl: warning: a=1\nposternctl: warning: b=2\n"
            "posternctl: warning: authd: a=3\n"))
        self.assertEqual(self.asked["milter"], self.asked["authd"])
        self.assertEqual(self.ctl("-d", "milter", "status"),
                         (0, "a=1\nb=2\n", ""))
        self.assertEqual(self.ctl("-d", "authd", "status"), (0, "a=3\n", ""))

    def test_whose_memory(self):
        """Domains are the milter's, names without one authd's."""
        self.daemon("milter")
        self.daemon("authd")
        for arguments, milter, authd in (
                (("drop", "@example.org"), 1, 0), (("drop", "ann"), 0, 1),
                (("show",), 1, 0), (("show", USER), 1, 0)):
            with self.subTest(arguments):
                for asked in self.asked.values():
                    asked.clear()
                self.assertEqual(self.ctl("cache", *arguments)[0], 0)
                self.assertEqual((len(self.asked["milter"]),
                                  len(self.asked["authd"])), (milter, authd))
        self.ctl("-d", "authd", "cache", "drop", "@odd")
        self.assertEqual(self.asked["authd"], ["cache drop @odd"])

    def test_failures(self):
        """One that fails does not keep the other from being asked."""
        self.daemon("milter")
        self.daemon("authd")
        self.answers["milter"] = b"error: bad line 3\n"
        self.assertEqual(self.ctl("reload"), (
            1, "", "posternctl: bad line 3\n"
            "posternctl: warning: authd: a=3\n"))
        self.answers["milter"] = b"ok\n"
        self.answers["authd"] = b" x\nerror: no\n"
        self.assertEqual(self.ctl("reload"), (
            1, "", "posternctl: warning: authd: x\n"
            "posternctl: authd: no\n"))
        self.answers["authd"] = b""
        self.assertEqual(self.ctl("reload")[0], 69)

    def test_left_socket(self):
        """A daemon that has died is not passed over in silence."""
        self.daemon("milter")
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(self.rig.path("authd"))
        rc, out, err = self.ctl("status")
        self.assertEqual((rc, out), (69, "a=1\nb=2\n"))
        self.assertIn("authd: ", err)

    def test_usage(self):
        for arguments in (("-d", "x", "status"), ("-d", "", "cache", "flush")):
            rc, out, err = self.ctl(*arguments)
            self.assertEqual((rc, out), (64, ""))
            self.assertIn("neither milter nor authd", err)


if __name__ == "__main__":
    unittest.main()
