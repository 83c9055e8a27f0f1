#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Logins that postern-authd puts to the upstream without a worker.  The
logins are scripted."""
import os
import resource
import signal
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rig import (BAD, GOOD, PATIENCE, UNSURE, Serve,  # noqa: E402
                 check_frame, mux_request, wait_for)


class Quick(Serve):
    def asking(self, rig, count, user):
        """So many logins under way."""
        before = int(rig.facts("status")["quick"])
        peers = []
        for _ in range(count):
            peer = rig.peer()
            peer.send(check_frame(user, "x"))
            peers.append(peer)
        wait_for(lambda: int(rig.facts("status")["quick"]) == before + count,
                 "all of them")
        return peers

    def test_answers(self):
        """Both protocols, and no thread."""
        rig = self.rig()
        self.assertEqual(rig.check("ask-50", "x")[0], GOOD)
        self.assertEqual(rig.check("ask-0", "x")[0], GOOD)
        self.assertEqual(rig.check("now-0", "x")[0], BAD)
        self.assertEqual(rig.mux_check("ask-50", "x"), b"OK")
        self.assertEqual(rig.mux_check("now-0", "x"), b"NO")
        self.assertEqual(rig.facts("status")["threads"], "0")
        stats = rig.facts("stats")
        self.assertEqual(stats["requests"], "5")
        self.assertEqual(stats["requests_quick"], "5")
        # one that is slow comes with a thread
        self.assertEqual(rig.check("good", "right")[0], GOOD)
        self.assertEqual(rig.facts("status")["threads"], "1")
        stats = rig.facts("stats")
        self.assertEqual(stats["requests"], "6")
        self.assertEqual(stats["requests_quick"], "5")

    def test_pieces(self):
        """A request that comes octet by octet."""
        rig = self.rig()
        for path, request in ((rig.auth, check_frame("ask-10", "x")),
                              (rig.mux, mux_request("ask-10", "x"))):
            with rig.peer(path) as peer:
                for n in range(len(request)):
                    peer.send(request[n:n + 1])
                    time.sleep(0.002)
                if path == rig.auth:
                    self.assertEqual(peer.frame()[0], GOOD)
                else:
                    self.assertEqual(peer.field(), b"OK")

    def test_many(self):
        """At once, and nobody waits for them."""
        rig = self.rig()
        begun = time.monotonic()
        peers = self.asking(rig, 500, "ask-5000")
        self.assertEqual(rig.check("good", "right")[0], GOOD)
        self.assertEqual(rig.check("now-0", "x")[0], BAD)
        for peer in peers:
            self.assertEqual(peer.frame()[0], GOOD)
            peer.close()
        self.assertGreater(time.monotonic() - begun, 4.9)
        wait_for(lambda: rig.facts("status")["connections"] == "0", "the end")
        self.assertEqual(rig.facts("status")["quick"], "0")

    def test_held_back(self):
        """Told by the clock of the same thread."""
        rig = self.rig()
        begun = time.monotonic()
        self.assertEqual(rig.check("now-400", "x")[0], BAD)
        self.assertGreater(time.monotonic() - begun, 0.39)
        self.assertEqual(rig.facts("stats")["answers_held_back"], "1")
        # who hangs up meanwhile is let go
        peer = rig.peer()
        peer.send(check_frame("now-20000", "x"))
        wait_for(lambda: rig.facts("status")["answers_held"] == "1", "it")
        peer.close()
        wait_for(lambda: rig.facts("status")["connections"] == "0", "the end")

    def test_hung_up(self):
        """The client goes before the answer comes."""
        rig = self.rig()
        for peer in self.asking(rig, 20, "ask-3000"):
            peer.close()
        wait_for(lambda: rig.facts("status")["connections"] == "0", "the end")
        self.assertEqual(rig.facts("status")["quick"], "0")
        self.assertEqual(rig.check("ask-0", "x")[0], GOOD)

    def test_limit(self):
        """Beyond it they take workers."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE,
                        (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        rig = self.rig()
        peers = self.asking(rig, 1500, "ask-9000")
        self.assertEqual(rig.check("ask-0", "x")[0], UNSURE)
        self.assertEqual(rig.facts("status")["threads"], "1")
        for peer in peers:
            self.assertEqual(peer.frame()[0], GOOD)
        self.assertEqual(rig.check("ask-0", "x")[0], GOOD)

    def test_stop(self):
        """The daemon waits a moment for the upstream, then nobody does."""
        rig = self.rig()
        soon, = self.asking(rig, 1, "ask-3000")
        late, = self.asking(rig, 1, "ask-20000")
        begun = time.monotonic()
        rig.daemon.kill(signal.SIGTERM)
        self.assertEqual(soon.frame()[0], GOOD)
        self.assertEqual(late.frame()[0], UNSURE)
        self.assertEqual(rig.daemon.wait(), 0)
        self.assertTrue(4.5 < time.monotonic() - begun < 6 * PATIENCE)


if __name__ == "__main__":
    unittest.main()
