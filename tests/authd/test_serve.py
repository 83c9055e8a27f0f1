#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What stands between postern-authd's sockets and a login: frames, time,
threads, answers held back, start and end.  The logins are scripted."""
import os
import socket
import stat
import struct
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rig import (BAD, CHALLENGE, CHECK, DATA, GOOD, MECH, PASS,  # noqa: E402
                 PATIENCE, REASON, SCRIPTED, SERVICE, START, STEP, UNSURE,
                 USER, Peer, Rig, Serve, asking, check_frame, frame,
                 mux_request, wait_for)


class Answers(Serve):
    def test_three(self):
        rig = self.rig()
        self.assertEqual(rig.check("good", "right"), (GOOD, {USER: b"good"}))
        self.assertEqual(rig.check("good", "wrong"), (BAD, {USER: b"good"}))
        self.assertEqual(rig.check("unsure", "right"), (
            UNSURE, {USER: b"unsure", REASON: b"as scripted"}))
        self.assertIn("client=192.0.2.1;49152 service=smtp realm= "
                      "user=<good> mech=PLAIN verdict=accept", rig.log())
        facts = rig.facts("stats")
        self.assertEqual((facts["asked"], facts["requests"],
                          facts["connections_accepted"]), ("3", "3", "3"))

    def test_saslauthd(self):
        rig = self.rig()
        self.assertEqual(rig.mux_check("good", "right"), b"OK")
        self.assertEqual(rig.mux_check("good", "wrong"), b"NO")
        self.assertIsNone(rig.mux_check("unsure", "right"))
        # libsasl cuts the name at its '@'
        rig.mux_check("good", "right", "imap", "example.org")
        self.assertIn("client= service=imap realm=example.org "
                      "user=<good@example.org>", rig.log())
        rig.mux_check("good@example.org", "right", "imap", "example.org",
                      client="192.0.2.7;1025")
        self.assertIn("client=192.0.2.7;1025 service=imap realm=example.org "
                      "user=<good@example.org>", rig.log())
        # at the last one: the MTA takes it for somebody of example.org
        rig.mux_check("good@example.net", "right", "imap", "example.org",
                      client="192.0.2.8;1025")
        self.assertIn("client=192.0.2.8;1025 service=imap realm=example.org "
                      "user=<good@example.net@example.org>", rig.log())
        rig.mux_check("good@" + "x" * 700, "right", "imap", "y" * 200)
        self.assertIsNone(rig.mux_check("g", "right", "s" * 65))
        self.assertIsNone(rig.mux_check("g", "right", "smtp", "a\0b"))

    def test_fields_in_parts(self):
        """Four fields may be all, or a fifth may follow."""
        rig = self.rig()
        four = mux_request("good", "right")
        five = mux_request("good", "right", client="192.0.2.7;1025")
        whole = mux_request("good-five", "right", client="192.0.2.9;1025")
        for parts in ([four[:3], four[3:]], [four[:-1], four[-1:]],
                      [bytes([b]) for b in four],
                      [five[:5], five[5:]]):
            with self.subTest(parts), Peer(rig.mux) as peer:
                for part in parts:
                    peer.send(part)
                    time.sleep(0.002)
                self.assertEqual(peer.field(), b"OK")
        self.assertIn("client=192.0.2.7;1025 ", rig.log())
        with Peer(rig.mux) as peer:
            peer.send(whole)
            self.assertEqual(peer.field(), b"OK")
        self.assertIn("client=192.0.2.9;1025 ", rig.log())
        with Peer(rig.mux) as peer:  # a half-closed connection is asked, too
            peer.send(four[:-1])
            peer.send(four[-1:])
            peer.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(peer.field(), b"OK")
        # Who writes all at once need not wait.
        took = []
        for _ in range(50):
            begun = time.monotonic()
            self.assertEqual(rig.mux_check("good", "right"), b"OK")
            took.append(time.monotonic() - begun)
        self.assertLess(min(took), 0.019)

    def test_dialogue(self):
        rig = self.rig()
        with Peer(rig.auth) as peer:
            peer.send(frame(START, asking("CRAM-MD5")))
            self.assertEqual(peer.frame(), (CHALLENGE, {DATA: b"name"}))
            for response in (b"good", b"", b"\0\r\n", b"x" * 30000):
                peer.send(frame(STEP, {DATA: response}))
                self.assertEqual(peer.frame(), (CHALLENGE, {DATA: b"more"}))
            peer.send(frame(STEP, {DATA: b"end"}))
            self.assertEqual(peer.frame(), (GOOD, {USER: b"good"}))
            self.assertEqual(rig.facts("status")["dialogues"], "0")
            # another, on the same connection
            peer.send(frame(START, {**asking("XOAUTH2"), DATA: b"hold-0"}))
            self.assertEqual(peer.frame(), (CHALLENGE, {DATA: b"more"}))
            peer.send(frame(STEP, {DATA: b"end"}))
            self.assertEqual(peer.frame(), (BAD, {USER: b"hold-0"}))
            # its steps are over
            peer.send(frame(STEP, {DATA: b"end"}))
            self.assertTrue(peer.ended())
        # the client gives up in the middle
        with Peer(rig.auth) as peer:
            peer.send(frame(START, asking("CRAM-MD5")))
            peer.frame()
            self.assertEqual(rig.facts("status")["dialogues"], "1")
        wait_for(lambda: rig.facts("status")["dialogues"] == "0", "its end")


class Frames(Serve):
    def test_bad(self):
        rig = self.rig()
        good = check_frame("good", "right")
        items = {**asking(), USER: "good", PASS: "right"}
        step = frame(STEP, {DATA: b"x"})
        bad = {
            "another version": frame(CHECK, items, version=2),
            "another magic": b"XX" + good[2:],
            "an unknown type": frame(9, items),
            "an answer": frame(GOOD, {USER: "good"}),
            "a step first": step,
            "no user": frame(CHECK, {**asking(), PASS: "right"}),
            "no password": frame(CHECK, {**asking(), USER: "good"}),
            "an oversized frame": good[:4] + struct.pack(">I", 32769),
            "an endless frame": good[:4] + b"\xff" * 4,
            "two at once": good + good,
            "one and a bit": good + b"P",
            "a long mechanism": frame(CHECK, {**items, MECH: "X" * 33}),
            "a NUL in the service": frame(CHECK, {**items, SERVICE: "a\0b"}),
            "an item cut off": good[:8] + good[8:-1] + b"",
            "an HTTP request": b"GET / HTTP/1.0\r\n\r\n",
        }
        bad["an item cut off"] = (good[:4] + struct.pack(
            ">I", len(good) - 9) + good[8:-1])
        for what, data in bad.items():
            with self.subTest(what), Peer(rig.auth) as peer:
                peer.send(data)
                self.assertTrue(peer.ended())
        self.assertIn("plug-in socket: uid", rig.log())
        self.assertEqual(int(rig.facts("stats")["requests_bad"]), len(bad))
        self.assertEqual(rig.facts("stats")["asked"], "0")

        # out of turn in a dialogue
        for data in (good, frame(START, asking("CRAM-MD5"))):
            with Peer(rig.auth) as peer:
                peer.send(frame(START, asking("CRAM-MD5")))
                peer.frame()
                peer.send(data)
                self.assertTrue(peer.ended())
        wait_for(lambda: rig.facts("status")["dialogues"] == "0", "their end")

        mux = mux_request("good", "right")
        for data in (struct.pack(">H", 8191) + b"x", b"\xff\xff", mux * 2,
                     mux + b"\x20\x00", mux + b"\0\1x\0"):
            with self.subTest(data), Peer(rig.mux) as peer:
                peer.send(data)
                self.assertTrue(peer.ended())
        self.assertEqual(rig.check("good", "right")[0], GOOD)

    def test_truncated(self):
        """Each length at which a peer may stop and hang up."""
        rig = self.rig()
        for path, data in ((rig.auth, check_frame("good", "right")),
                           (rig.mux, mux_request("good", "right"))):
            for n in range(len(data)):
                with Peer(path) as peer:
                    peer.send(data[:n])
                    peer.socket.shutdown(socket.SHUT_WR)
                    self.assertTrue(peer.ended())
        self.assertEqual(rig.facts("stats")["asked"], "0")
        self.assertEqual(rig.facts("status")["connections"], "0")

    def test_byte_by_byte(self):
        rig = self.rig()
        with Peer(rig.auth) as peer:
            for octet in check_frame("good", "right"):
                peer.send(bytes([octet]))
                time.sleep(0.001)
            self.assertEqual(peer.frame()[0], GOOD)
        with Peer(rig.auth) as peer:  # the longest there is
            data = check_frame("good", "x" * 32000)
            for at in range(0, len(data), 97):
                peer.send(data[at:at + 97])
            self.assertEqual(peer.frame()[0], BAD)

    def test_late(self):
        """A request has ten seconds, however it trickles in."""
        rig = self.rig()
        begun = time.monotonic()
        peers = [rig.peer(), rig.peer(rig.mux), rig.peer()]
        data = check_frame("good", "right")
        at = 0
        while peers[2].send(data[at:at + 1]) and at < 40:
            at += 1
            time.sleep(0.3)
        took = time.monotonic() - begun
        for peer in peers:
            self.assertTrue(peer.ended())
        self.assertTrue(9.5 < took < 11 * PATIENCE, took)
        self.assertEqual(rig.facts("stats")["requests_late"], "3")


class Held(Serve):
    def test_held_back(self):
        rig = self.rig()
        begun = time.monotonic()
        peers = []
        for ms in (6000, 3000, 4500):
            peer = rig.peer()
            peer.send(check_frame(f"hold-{ms}", "x"))
            peers.append(peer)
        wait_for(lambda: rig.facts("status")["answers_held"] == "3", "them")
        # no worker sleeps for them, and nobody else waits
        self.assertEqual(rig.check("good", "right")[0], GOOD)
        self.assertLess(time.monotonic() - begun, 2.9)
        for peer, ms in ((peers[1], 3000), (peers[2], 4500),
                         (peers[0], 6000)):
            self.assertEqual(peer.frame()[0], BAD)
            took = (time.monotonic() - begun) * 1000
            self.assertTrue(ms - 1 <= took < ms + 2000 * PATIENCE, took)
        self.assertEqual(rig.facts("status")["answers_held"], "0")
        self.assertEqual(rig.mux_check("hold-50", "x"), b"NO")

    def test_given_up(self):
        """Who hangs up while its answer is held is forgotten."""
        rig = self.rig()
        for _ in range(5):
            with Peer(rig.auth) as peer:
                peer.send(check_frame("hold-20000", "x"))
                wait_for(lambda: rig.facts("status")["answers_held"] == "1",
                         "its answer")
            wait_for(lambda: rig.facts("status")["connections"] == "0",
                     "its end")
        self.assertEqual(rig.facts("status")["answers_held"], "0")


class Start(unittest.TestCase):
    def refused(self, status, *arguments, **more):
        """The daemon must not start.  What it says."""
        rig = Rig(**more)
        self.addCleanup(rig.__exit__, None, None, None)
        done = rig.run([SCRIPTED, *arguments, "-c", rig.conf])
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def test_check(self):
        said = self.refused(78, "-n", hosts="")
        self.assertIn("nobody to ask", said)
        rig = Rig()
        self.addCleanup(rig.__exit__, None, None, None)
        done = rig.run([SCRIPTED, "-n", "-c", rig.conf])
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rig.write_conf(hosts="", top='domain "example.org" { smtp_auth_proxy '
                       '{ host = "127.0.0.1:9" tls = none } }')
        done = rig.run([SCRIPTED, "-n", "-c", rig.conf])
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_refused(self):
        for level in ("-f", "-n"):
            said = self.refused(78, level, mux="inet:1234@127.0.0.1")
            self.assertIn("inet:1234@127.0.0.1", said)
        self.assertIn("no such user: nobody-of-that-name", self.refused(
            69, "-f", top='allow_users = "nobody-of-that-name"'))
        self.assertIn("no such group: nobody-of-that-name", self.refused(
            69, "-f", authd='socket_group = "nobody-of-that-name"'))
        with tempfile.TemporaryDirectory() as place:
            self.assertIn("missing/mux", self.refused(
                69, "-f", mux=f"unix:{place}/missing/mux"))

    def test_modes(self):
        rig = Rig()
        self.addCleanup(rig.__exit__, None, None, None)
        rig.start()
        for path in (rig.auth, rig.mux, rig.control):
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)
        rig.stop()
        if os.geteuid() == 0:
            rig.write_conf(authd='socket_group = "daemon"')
            rig.start()
            for path, mode in ((rig.auth, 0o660), (rig.mux, 0o660),
                               (rig.control, 0o600)):
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), mode)
            self.assertEqual(os.stat(rig.auth).st_gid, 1)
            rig.stop()
            rig.write_conf(authd="", top='allow_users = {"daemon", "bin"}')
            rig.start()
            self.assertEqual(stat.S_IMODE(os.stat(rig.auth).st_mode), 0o660)
            self.assertEqual(os.stat(rig.auth).st_gid, 1)


@unittest.skipIf(os.geteuid() != 0, "only root can be somebody else")
class Users(Serve):
    def ask_as(self, uid, rig):
        """A login by another user: the exit status 0 when it is good."""
        pid = os.fork()
        if pid == 0:
            code = 2
            try:
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                answer = rig.check("good", "right")
                code = 0 if answer is not None and answer[0] == GOOD else 1
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_peers(self):
        rig = self.rig(top='allow_users = {"daemon", "65533"}')
        os.chmod(rig.dir, 0o711)
        os.chmod(rig.auth, 0o666)
        self.assertEqual(self.ask_as(1, rig), 0)
        self.assertEqual(self.ask_as(65533, rig), 0)
        self.assertEqual(self.ask_as(2, rig), 1)
        rig.wait_log("user bin (uid 2) is not listened to: not in option "
                     "allow_users")
        for _ in range(20):
            self.assertEqual(self.ask_as(2, rig), 1)
        self.assertEqual(rig.log().count("is not listened to"), 1)
        self.assertEqual(rig.facts("stats")["connections_refused"], "21")
        # another list is in force with the next reload
        rig.write_conf(top='allow_users = "bin"')
        self.assertEqual(rig.command("reload"), ["ok"])
        self.assertEqual(self.ask_as(2, rig), 0)
        self.assertEqual(self.ask_as(1, rig), 1)


class Secrets(Serve):
    def test_log(self):
        """Nothing secret is in a full debug run's log."""
        rig = Rig(level="debug")
        self.addCleanup(rig.__exit__, None, None, None)
        rig.start("-v", "-v")
        secret = "Xyzzy-secret"
        rig.check("good", secret)
        rig.mux_check("good", secret)
        with Peer(rig.auth) as peer:
            peer.send(frame(CHECK, {**asking(), USER: "good"}) +
                      secret.encode())
            peer.ended()
        with Peer(rig.mux) as peer:
            peer.send(mux_request("good", secret) + secret.encode())
            peer.ended()
        with Peer(rig.auth) as peer:
            peer.send(frame(START, {**asking("XOAUTH2"), DATA: b"good"}))
            peer.frame()
            peer.send(frame(STEP, {DATA: secret}))
            peer.frame()
            peer.send(frame(STEP, {DATA: b"end"}))
            self.assertEqual(peer.frame()[0], GOOD)
        rig.stop()
        self.assertNotIn("secret", rig.log())


if __name__ == "__main__":
    unittest.main()
