#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Connections of the plug-in's that stay for the next login.  The logins are
scripted."""
import os
import resource
import signal
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rig import (BAD, CHALLENGE, Crowds, DATA, GOOD, PATIENCE, PLAIN,  # noqa: E402
                 SCRIPTED, START, STEP, UNSURE, Peer, Rig, Serve, asking,
                 check_frame, frame, mux_request, wait_for)


def login(peer, user="good", password="right"):
    """One login: the type of the answer, or None."""
    peer.send(check_frame(user, password))
    answer = peer.frame()
    return None if answer is None else answer[0]


def resting(rig, count):
    """So many connections are between two logins."""
    wait_for(lambda: rig.facts("status")["resting"] == str(count),
             f"{count} connections that rest")


class Stays(Serve):
    def test_logins(self):
        """One after the other, whatever the answers are."""
        rig = self.rig()
        with Peer(rig.auth) as peer:
            for user, password, answer in (
                    ("good", "right", GOOD), ("good", "wrong", BAD),
                    ("unsure", "x", UNSURE), ("hold-100", "x", BAD),
                    ("ask-10", "x", GOOD), ("now-100", "x", BAD),
                    ("good", "right", GOOD)):
                self.assertEqual(login(peer, user, password), answer, user)
            peer.send(frame(START, asking("CRAM-MD5")))
            self.assertEqual(peer.frame(), (CHALLENGE, {DATA: b"name"}))
            peer.send(frame(STEP, {DATA: b"good"}))
            self.assertEqual(peer.frame(), (CHALLENGE, {DATA: b"more"}))
            peer.send(frame(STEP, {DATA: b"end"}))
            self.assertEqual(peer.frame()[0], GOOD)
            self.assertEqual(login(peer), GOOD)
            resting(rig, 1)
        wait_for(lambda: rig.facts("status")["connections"] == "0", "its end")
        stats = rig.facts("stats")
        self.assertEqual((stats["connections_accepted"], stats["requests"],
                          stats["requests_late"], stats["requests_bad"]),
                         ("1", "11", "0", "0"))
        self.assertEqual(rig.facts("status")["resting"], "0")

    def test_quick(self):
        """And no thread, where it takes none."""
        rig = self.rig()
        with Peer(rig.auth) as peer:
            for _ in range(10):
                self.assertEqual(login(peer, "ask-5"), GOOD)
                self.assertEqual(login(peer, "ask-0"), GOOD)
                self.assertEqual(login(peer, "now-0"), BAD)
        stats = rig.facts("stats")
        self.assertEqual((stats["connections_accepted"], stats["requests"],
                          stats["requests_quick"]), ("1", "30", "30"))
        self.assertEqual(rig.facts("status")["threads"], "0")

    def test_saslauthd(self):
        """Its clients wait for the end of the connection."""
        rig = self.rig()
        for user in ("good", "ask-5"):
            with Peer(rig.mux) as peer:
                peer.send(mux_request(user, "right"))
                self.assertEqual(peer.field(), b"OK")
                self.assertTrue(peer.ended())

    def test_one_at_a_time(self):
        """What stands behind a request is none."""
        rig = self.rig()
        good = check_frame("good", "right")
        for more in (good, b"P"):
            with Peer(rig.auth) as peer:
                self.assertEqual(login(peer), GOOD)
                asked = rig.facts("stats")["asked"]
                peer.send(good + more)
                self.assertTrue(peer.ended())
                self.assertEqual(rig.facts("stats")["asked"], asked)
        self.assertEqual(rig.facts("stats")["requests_bad"], "2")

    def test_hung_up(self):
        """While the upstream is asked, or the answer is held back."""
        rig = self.rig()
        for user in ("ask-1000", "slow-1000", "now-20000", "hold-20000"):
            with Peer(rig.auth) as peer:
                self.assertEqual(login(peer), GOOD)
                peer.send(check_frame(user, "x"))
                before = int(rig.facts("stats")["requests"])
                wait_for(lambda n=before: int(
                    rig.facts("stats")["requests"]) >= n, "the login")
            wait_for(lambda: rig.facts("status")["connections"] == "0",
                     f"the end of {user}")
        status = rig.facts("status")
        self.assertEqual((status["quick"], status["answers_held"],
                          status["resting"]), ("0", "0", "0"))

    def test_time(self):
        """Each login has its own; who only rests is not late."""
        rig = self.rig()
        begun = time.monotonic()
        kept = [rig.peer() for _ in range(3)]
        for peer in kept:
            self.assertEqual(login(peer), GOOD)
        kept[0].send(check_frame("good", "right")[:20])
        fresh = rig.peer()
        for peer in (kept[0], fresh):
            self.assertTrue(peer.ended())
            took = time.monotonic() - begun
            self.assertTrue(9.5 < took < 11 * PATIENCE, took)
        self.assertEqual(rig.facts("stats")["requests_late"], "2")
        # more than a login may take after they were accepted
        time.sleep(max(0, begun + 25 - time.monotonic()))
        self.assertEqual(login(kept[1], "slow-100"), GOOD)
        self.assertEqual(login(kept[2], "ask-100"), GOOD)
        self.assertEqual(rig.facts("stats")["requests_late"], "2")


@unittest.skipIf(os.geteuid() != 0, "only root can be somebody else")
class Users(Serve):
    def test_reload(self):
        """Who is no longer allowed is not answered; a login that is under
        way is."""
        rig = self.rig(top='allow_users = {"daemon"}')
        os.chmod(rig.dir, 0o711)
        os.chmod(rig.auth, 0o666)
        euid = os.geteuid()
        os.seteuid(1)
        try:
            peers = [rig.peer() for _ in range(2)]
        finally:
            os.seteuid(euid)
        for peer in peers:
            self.assertEqual(login(peer), GOOD)
        peers[1].send(frame(START, asking("CRAM-MD5")))
        self.assertEqual(peers[1].frame()[0], CHALLENGE)
        rig.write_conf(top='allow_users = "bin"')
        self.assertEqual(rig.command("reload"), ["ok"])
        asked = rig.facts("stats")["asked"]
        self.assertIsNone(login(peers[0]))
        rig.wait_log("user daemon (uid 1) is not listened to")
        for response in (b"good", b"end"):
            peers[1].send(frame(STEP, {DATA: response}))
            answer = peers[1].frame()[0]
        self.assertEqual(answer, GOOD)
        self.assertIsNone(login(peers[1]))
        stats = rig.facts("stats")
        self.assertEqual((stats["asked"], stats["connections_refused"]),
                         (asked, "2"))


class Many(Crowds):
    def test_memory(self):
        """10,000 that have had a login each."""
        count = 10000
        if self.files < 15000:
            self.skipTest(f"only {self.files} descriptors")
        rig = self.rig()
        self.assertEqual(rig.check("now-0", "x")[0], BAD)
        before = rig.memory()
        peers = [rig.peer() for _ in range(50)]
        for _ in range(count // 50 - 1):
            peers += [rig.peer() for _ in range(50)]
            for peer in peers[-50:]:
                self.assertEqual(login(peer, "now-0", "x" * 300), BAD)
        for peer in peers[:50]:
            self.assertEqual(login(peer, "now-0"), BAD)
        resting(rig, count)
        grown = rig.memory() - before
        print(f"{count} connections between logins: {grown >> 10} KiB")
        status = rig.facts("status")
        self.assertEqual((status["connections"], status["threads"]),
                         (str(count), "0"))
        if PLAIN:
            self.assertLess(grown, 6 << 20)
        for peer in (peers[0], peers[-1]):
            self.assertEqual(login(peer), GOOD)
        self.assertLess(rig.stop(), 5 * PATIENCE)
        for peer in peers:
            self.assertTrue(peer.ended())

    def few(self, limit):
        """A daemon with so many descriptors, three quarters of them for
        connections."""
        rig = Rig()
        self.addCleanup(rig.__exit__, None, None, None)
        rig.write("few",
                  f'#!/bin/sh\nulimit -n {limit}\nexec {SCRIPTED} "$@"\n')
        os.chmod(rig.path("few"), 0o755)
        rig.program = rig.path("few")
        rig.start()
        return rig

    def test_room(self):
        """The one that has rested longest goes for a new one."""
        rig = self.few(400)
        limit = 300
        peers = [rig.peer() for _ in range(limit)]
        for peer in peers:
            self.assertEqual(login(peer), GOOD)
        # the first three are needed again: they have rested least
        for peer in peers[:3]:
            self.assertEqual(login(peer), GOOD)
        resting(rig, limit)
        more = [rig.peer() for _ in range(5)]
        for peer in more:
            self.assertEqual(login(peer), GOOD)
        for peer in peers[3:8]:
            self.assertTrue(peer.ended())
        for peer in peers[:3] + peers[8:] + more:
            self.assertEqual(login(peer, "now-0"), BAD)
        resting(rig, limit)
        self.assertNotIn("one is closed", rig.log())
        # those with something under way stay, and are too many then
        for peer in peers[:3] + peers[8:] + more:
            peer.send(check_frame("now-2000", "x"))
        wait_for(lambda: rig.facts("status")["answers_held"] == str(limit),
                 "all of them")
        self.assertTrue(rig.peer().ended())
        rig.wait_log("one is closed")
        for peer in peers[:3] + peers[8:] + more:
            self.assertEqual(peer.frame()[0], BAD)

    def test_no_descriptors(self):
        """Those that rest go also where descriptors are the limit."""
        rig = self.rig()
        peers = [rig.peer() for _ in range(150)]
        for peer in peers:
            self.assertEqual(login(peer), GOOD)
        resting(rig, 150)
        resource.prlimit(rig.daemon.pid, resource.RLIMIT_NOFILE, (150, 150))
        for _ in range(10):
            self.assertEqual(login(rig.peer()), GOOD)
        self.assertTrue(peers[0].ended())
        self.assertEqual(login(peers[-1]), GOOD)
        self.assertNotIn("cannot accept", rig.log())


class End(Serve):
    def test_stop(self):
        """Who rests is not waited for, a login that is under way is."""
        rig = self.rig()
        idle, slow, quick, held, part, step = (rig.peer() for _ in range(6))
        for peer in (idle, slow, quick, held, part, step):
            self.assertEqual(login(peer), GOOD)
        slow.send(check_frame("slow-1000", "x"))
        quick.send(check_frame("ask-1000", "x"))
        held.send(check_frame("hold-20000", "x"))
        part.send(check_frame("good", "right")[:20])
        step.send(frame(START, asking("CRAM-MD5")))
        self.assertEqual(step.frame()[0], CHALLENGE)
        wait_for(lambda: rig.facts("status")["answers_held"] == "1", "one")
        resting(rig, 1)
        begun = time.monotonic()
        rig.daemon.kill(signal.SIGTERM)
        self.assertTrue(idle.ended())
        self.assertLess(time.monotonic() - begun, 0.9 * PATIENCE)
        part.send(check_frame("good", "right")[20:])
        self.assertEqual(part.frame()[0], GOOD)
        self.assertEqual(held.frame()[0], BAD)
        for response, answer in ((b"good", CHALLENGE), (b"end", GOOD)):
            step.send(frame(STEP, {DATA: response}))
            self.assertEqual(step.frame()[0], answer)
        self.assertEqual(quick.frame()[0], GOOD)
        self.assertEqual(slow.frame()[0], GOOD)
        for peer in (part, held, step, quick, slow):
            self.assertTrue(peer.ended())
        self.assertEqual(rig.daemon.wait(), 0)
        self.assertLess(time.monotonic() - begun, 4 * PATIENCE)
        self.assertNotIn("have not ended", rig.log())

    def test_idle_only(self):
        rig = self.rig()
        peers = [rig.peer() for _ in range(20)]
        for peer in peers:
            self.assertEqual(login(peer), GOOD)
        resting(rig, 20)
        self.assertLess(rig.stop(), 2 * PATIENCE)
        for peer in peers:
            self.assertTrue(peer.ended())


if __name__ == "__main__":
    unittest.main()
