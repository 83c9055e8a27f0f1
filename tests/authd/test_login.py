#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""postern-authd and an upstream, from the sockets to the reply."""
import base64
import os
import resource
import signal
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rig import (BAD, CHALLENGE, DATA, GOOD, PATIENCE, PLAIN,  # noqa: E402
                 REASON, START, STEP, UNSURE, USER, Peer, Rig, asking,
                 check_frame, frame, wait_for)
from harness.certs import Authority  # noqa: E402
from harness.scripted import Scripted, hang, slow  # noqa: E402
from harness.scripted_auth import Passwords  # noqa: E402

ANN = "ann@example.org"
RIGHT = "correct horse battery"


class Login(unittest.TestCase):
    def rig(self, options="", level="info", mechanisms="PLAIN LOGIN", **more):
        """A daemon with an upstream that knows Ann."""
        # answers that are held back are not the matter here
        rig = Rig(scripted=False, level=level,
                  options=options + " client_failures = 0", **more)
        self.addCleanup(rig.__exit__, None, None, None)
        rig.upstream = Scripted(rig)
        rig.known = Passwords(rig.upstream, {ANN: RIGHT}, mechanisms)
        rig.write_conf(hosts=f'"127.0.0.1:{rig.upstream.port}"')
        return rig

    def started(self, **more):
        """The same, started."""
        rig = self.rig(**more)
        rig.start()
        return rig


class Answers(Login):
    def test_three(self):
        rig = self.started()
        self.assertEqual(rig.check(ANN, RIGHT), (GOOD, {USER: ANN.encode()}))
        self.assertEqual(rig.check(ANN, "wrong"), (BAD, {USER: ANN.encode()}))
        self.assertEqual(rig.mux_check(ANN, RIGHT), b"OK")
        self.assertEqual(rig.mux_check("ann", RIGHT, realm="example.org"),
                         b"OK")
        self.assertEqual(rig.mux_check("ann", "worse", realm="example.org"),
                         b"NO")
        asked = len(rig.known.attempts)
        # the same guess again is not asked about
        self.assertEqual(rig.check(ANN, "wrong")[0], BAD)
        self.assertEqual(rig.mux_check(ANN, "wrong"), b"NO")
        self.assertEqual(len(rig.known.attempts), asked)
        self.assertRegex(rig.log(), r"auth: client=192\.0\.2\.1 "
                         rf"user=<{ANN}> mech=PLAIN upstream=127\.0\.0\.1:\d+ "
                         "cache=miss code=235 dsn=2.7.0 verdict=accept ")
        self.assertEqual(rig.command("cache flush")[-1], "ok")
        self.assertEqual(rig.check(ANN, "wrong")[0], BAD)
        self.assertEqual(len(rig.known.attempts), asked + 1)

    def test_cannot_tell(self):
        rig = self.started(options="shield_failures = 0")
        for reply in ("454 4.7.0 later", "500 5.5.1 what", "530 5.7.0 TLS",
                      "534 5.7.9 weak", "538 5.7.11 encrypt", "421 4.3.2 no",
                      "550 5.7.1 no", "250 2.0.0 what"):
            with self.subTest(reply):
                rig.known.final = reply
                answer = rig.check(ANN, RIGHT)
                self.assertEqual(answer[0], UNSURE)
                self.assertIn(REASON, answer[1])
                self.assertIsNone(rig.mux_check(ANN, RIGHT))
        rig.upstream.stop()
        self.assertEqual(rig.check(ANN, RIGHT)[0], UNSURE)

    def test_malformed(self):
        """What cannot be credentials is refused, and nobody is asked."""
        rig = self.started()
        for user, password in (
                (ANN, ""), ("", RIGHT), ("a\0b@example.org", RIGHT),
                ("ann@example.org\r\nMAIL FROM:<>", RIGHT),
                ("a\nb", RIGHT), ("a\rb", RIGHT), (ANN, "pass\0word"),
                ("x" * 1024, RIGHT), ("x" * 1024 + "@example.org", RIGHT)):
            with self.subTest(user=user, password=password):
                self.assertEqual(rig.check(user, password)[0], BAD)
                self.assertEqual(rig.mux_check(user, password), b"NO")
        self.assertEqual(rig.known.attempts, [])
        # octets above 127 are somebody's name
        rig.known.users["bj\xf6rn@example.org"] = "gr\xfcn"
        self.assertEqual(rig.check("bj\xf6rn@example.org", "gr\xfcn")[0], GOOD)
        self.assertEqual(
            rig.check(b"bj\xf6rn@example.org", b"gr\xfcn")[0], BAD)

    def test_relayed(self):
        rig = self.rig(options='mechanisms = {"PLAIN", "CRAM-MD5"}',
                       mechanisms="PLAIN CRAM-MD5")
        said = []

        def cram(session, line):
            said.append(line)
            session.say("334 PDEyM0BtYWlsc3RvcmUudGVzdD4=")
            said.append(base64.b64decode(session.line()).decode())
            return ("235 2.7.0 Ok" if said[-1].endswith("abcd")
                    else "535 5.7.8 no")

        rig.upstream.steps["auth"] = cram
        rig.start()
        with Peer(rig.auth) as peer:
            for digest, kind in (("abcd" * 8, GOOD), ("ef01" * 8, BAD)):
                peer.send(frame(START, asking("CRAM-MD5")))
                self.assertEqual(peer.frame(), (
                    CHALLENGE, {DATA: b"<123@mailstore.test>"}))
                peer.send(frame(STEP, {DATA: f"{ANN} {digest}"}))
                self.assertEqual(peer.frame(), (kind, {USER: ANN.encode()}))
        self.assertEqual(said[:2], ["AUTH CRAM-MD5", ANN + " " + "abcd" * 8])
        # given up in the middle: nothing is left over
        with Peer(rig.auth) as peer:
            peer.send(frame(START, asking("CRAM-MD5")))
            self.assertEqual(peer.frame()[0], CHALLENGE)
        wait_for(lambda: rig.facts("status")["logins_open"] == "0", "the end")
        with Peer(rig.auth) as peer:
            peer.send(frame(START, {**asking("SCRAM-SHA-256"),
                                    DATA: f"n,,n={ANN},r=0123456789"}))
            self.assertEqual(peer.frame()[0], UNSURE)


class Life(Login):
    def test_killed(self):
        """kill -9 with logins under way: no answer, and then as before."""
        rig = self.started()
        rig.known.final = hang
        peers = [rig.peer() for _ in range(20)]
        for n, peer in enumerate(peers):
            peer.send(check_frame(f"user{n}@example.org", RIGHT))
        wait_for(lambda: rig.known.open >= 10, "logins")
        rig.daemon.kill()
        for peer in peers:
            self.assertTrue(peer.ended())
        rig.daemon.wait()
        rig.known.final = None
        rig.start()
        self.assertEqual(rig.check(ANN, RIGHT)[0], GOOD)

    def test_drains(self):
        rig = self.started()
        rig.known.final = slow(2, "235 2.7.0 Ok")
        peer = rig.peer()
        peer.send(check_frame(ANN, RIGHT))
        wait_for(lambda: rig.known.open == 1, "the login")
        rig.daemon.kill(signal.SIGTERM)
        self.assertEqual(peer.frame()[0], GOOD)
        self.assertEqual(rig.daemon.wait(), 0)

    def test_drains_stuck(self):
        rig = self.started()
        rig.known.final = hang
        peer = rig.peer()
        peer.send(check_frame(ANN, RIGHT))
        wait_for(lambda: rig.known.open == 1, "the login")
        begun = time.monotonic()
        rig.daemon.kill(signal.SIGTERM)
        self.assertEqual(peer.frame()[0], UNSURE)
        self.assertEqual(rig.daemon.wait(), 0)
        self.assertLess(time.monotonic() - begun, 7 * PATIENCE)

    def test_reload(self):
        rig = self.started()
        other = Scripted(rig)
        Passwords(other, {ANN: "new"})
        self.assertEqual(rig.check(ANN, RIGHT)[0], GOOD)
        rig.write_conf(options="tls_ca_file = \"/nowhere\" port = x client_failures = 0")
        rig.daemon.kill(signal.SIGUSR1)
        rig.wait_log("the old configuration stays")
        self.assertEqual(rig.check(ANN, RIGHT)[0], GOOD)
        rig.write_conf(options="client_failures = 0", hosts=f'"127.0.0.1:{other.port}"')
        rig.daemon.kill(signal.SIGHUP)
        rig.wait_log("read anew")
        self.assertEqual(rig.check(ANN, "new")[0], GOOD)
        self.assertEqual(rig.check("bob@example.org", RIGHT)[0], BAD)


class Load(Login):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE,
                        (soft, hard))
        if hard < 4000:
            self.skipTest(f"only {hard} descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def crowd(self, rig, count):
        """So many users at once: their peers, when all have been asked."""
        peers = []
        for n in range(count):
            peer = rig.peer()
            peer.send(check_frame(f"user{n}@example.org", RIGHT))
            peers.append(peer)
        return peers

    def test_thousand(self):
        """1000 logins wait for a slow upstream, under TLS."""
        if not PLAIN:
            self.skipTest("measures memory, of which sanitizers have plenty")
        rig = self.rig(options="max_sessions = 1000 timeout = 25")
        ca = Authority(rig.path("ca"))
        rig.upstream.stop()
        rig.upstream = Scripted(rig, tls=ca.good())
        rig.known = Passwords(rig.upstream, {ANN: RIGHT})
        go_on = threading.Event()
        rig.known.final = lambda _session, _line: (
            go_on.wait(22) and "235 2.7.0 Ok")
        rig.write_conf(hosts=f'"127.0.0.1:{rig.upstream.port}"')
        with open(rig.conf, encoding="utf-8") as file:
            text = file.read()
        rig.write("postern.conf", text.replace(
            "tls = none", f'tls = verify tls_ca_file = "{ca.ca_file}"'))
        rig.start()
        peers = self.crowd(rig, 1000)
        wait_for(lambda: rig.facts("status")["logins_open"] == "1000",
                 "all to be under way")
        wait_for(lambda: rig.known.most_open >= 900, "their passwords")
        used = rig.memory()
        print(f"1000 logins that wait, under TLS: {used / 1e6:.0f} MB")
        self.assertLess(used, 100e6)
        go_on.set()
        for peer in peers:
            self.assertEqual(peer.frame()[0], GOOD)

    def test_few_sessions(self):
        """More logins than sessions: they wait their turn."""
        rig = self.started(options="max_sessions = 10 timeout = 20")
        rig.known.final = slow(0.1, "235 2.7.0 Ok")
        peers = self.crowd(rig, 200)
        for peer in peers:
            self.assertEqual(peer.frame()[0], GOOD)
        self.assertLessEqual(rig.known.most_open, 10)


class Secrets(Login):
    def test_log(self):
        """A full debug run, and nothing secret in what it wrote."""
        rig = self.rig(level="debug", options='good_memory = 5m mechanisms = '
                       '{"PLAIN", "LOGIN", "XOAUTH2"}',
                       mechanisms="LOGIN XOAUTH2")
        rig.start("-v", "-v")
        bad = "wrong zebra"
        token = "user=ann@example.org\1auth=Bearer tokenizer\1\1"
        for password in (RIGHT, RIGHT, bad, bad):
            rig.check(ANN, password)
            rig.mux_check(ANN, password)
        rig.known.final = "454 4.7.0 not now"
        rig.check(ANN, bad + "1")
        rig.known.final = None
        rig.upstream.steps["auth"] = "535 5.7.8 no"
        with Peer(rig.auth) as peer:
            peer.send(frame(START, {**asking("XOAUTH2"), DATA: token}))
            peer.frame()
        rig.write_conf(options="nonsense = 1")
        rig.command("reload")
        rig.command("status")
        rig.command("stats")
        rig.stop()
        log = rig.log()
        self.assertIn("dialogue: > AUTH", log)
        for secret in (RIGHT, bad, token, "tokenizer"):
            self.assertNotIn(secret, log)
            for head in (b"", b"\0" + ANN.encode() + b"\0",
                         ANN.encode() + b"\0" + ANN.encode() + b"\0"):
                for cut in range(3):
                    # wherever it may begin within a group of four
                    text = base64.b64encode(head + secret.encode())
                    text = text.decode()[4 * cut:4 * cut + 12]
                    self.assertNotIn(text, log, secret)
        # nor on the command line or in the environment
        self.assertNotIn(RIGHT, " ".join(rig.daemon.process.args))


if __name__ == "__main__":
    unittest.main()
