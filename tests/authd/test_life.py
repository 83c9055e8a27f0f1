#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""postern-authd under load, and from its start to its end.  The logins are
scripted."""
import errno
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rig import (BAD, CHALLENGE, Crowds, DATA, GOOD, PATIENCE, PLAIN,  # noqa: E402
                 REASON, SCRIPTED, START, STEP, UNSURE, Peer, Rig, Serve,
                 asking, check_frame, frame, wait_for)


class Load(Crowds):
    def test_idle_connections(self):
        """10,000 who say nothing, and some who say little."""
        count = 10000
        if self.files < 15000:
            self.skipTest(f"only {self.files} descriptors")
        rig = self.rig()
        rig.check("good", "right")
        before = rig.memory()
        peers = []
        begun = time.monotonic()
        # who has not asked within ten seconds is hung up on
        while len(peers) < count and time.monotonic() - begun < 4:
            n = len(peers)
            peer = rig.peer(rig.mux if n % 2 else rig.auth)
            if n % 10 == 0:
                peer.send(b"PA\x01" if n % 2 == 0 else b"\0\4g")
            peers.append(peer)
        count = len(peers)
        self.assertGreaterEqual(count, 500)
        wait_for(lambda: rig.facts("status")["connections"] == str(count),
                 "all of them")
        grown = rig.memory() - before
        self.assertEqual(rig.check("good", "right")[0], GOOD)
        print(f"{count} idle connections: {grown >> 10} KiB, opened in "
              f"{time.monotonic() - begun:.1f} s")
        if PLAIN:
            self.assertLess(grown, 8 << 20)
        for peer in peers:
            peer.close()
        wait_for(lambda: rig.facts("status")["connections"] == "0", "the end")

    def test_waiting_logins(self):
        """1000 at once, and nobody else has to wait."""
        rig = self.rig()
        rig.check("good", "right")
        peers = []
        for _ in range(1000):
            peer = rig.peer()
            peer.send(check_frame("slow-6000", "x"))
            peers.append(peer)
        wait_for(lambda: int(rig.facts("status")["threads"]) >= 1000,
                 "a thread each")
        wait_for(lambda: rig.facts("status")["waiting"] == "0", "no queue")
        self.assertEqual(rig.check("good", "right")[0], GOOD)
        print(f"1000 scripted logins under way: {rig.memory() >> 20} MiB")
        if PLAIN:
            self.assertLess(rig.memory(), 60 << 20)
        for peer in peers:
            self.assertEqual(peer.frame()[0], GOOD)

    def test_too_many(self):
        """Beyond threads and queue: cannot tell, at once."""
        if not PLAIN:
            self.skipTest("too many threads for a sanitizer")
        rig = self.rig()
        peers = rig.crowd()
        self.assertEqual(rig.facts("status")["threads"], "1500")
        begun = time.monotonic()
        self.assertEqual(rig.check("good", "right"), (
            UNSURE, {REASON: b"too many logins under way"}))
        self.assertIsNone(rig.mux_check("good", "right"))
        self.assertLess(time.monotonic() - begun, 30)
        self.assertIn("too many logins under way", rig.log())
        # they are answered when we stop, all of them
        rig.daemon.kill(signal.SIGTERM)
        for peer in peers:
            self.assertEqual(peer.frame()[0], UNSURE)
        self.assertEqual(rig.daemon.wait(), 0)

    def test_given_up_while_waiting(self):
        """Nobody is asked for a client that is gone."""
        if not PLAIN:
            self.skipTest("too many threads for a sanitizer")
        rig = self.rig()
        slow = []
        for _ in range(1500):
            peer = rig.peer()
            peer.send(check_frame("slow-8000", "x"))
            slow.append(peer)
        wait_for(lambda: rig.facts("status")["threads"] == "1500", "threads")
        with Peer(rig.auth) as peer:
            peer.send(check_frame("good", "right"))
            wait_for(lambda: rig.facts("status")["waiting"] == "1", "a queue")
        for peer in slow:
            self.assertEqual(peer.frame()[0], GOOD)
            peer.close()
        wait_for(lambda: rig.facts("status")["connections"] == "0", "the end")
        self.assertEqual(rig.facts("stats")["asked"], "1500")

    def test_no_descriptors(self):
        """EMFILE: nobody is lost, and the processor rests."""
        rig = self.rig()
        limit = 200
        resource.prlimit(rig.daemon.pid, resource.RLIMIT_NOFILE,
                         (limit, limit))
        peers = [rig.peer() for _ in range(limit + 50)]
        rig.wait_log("cannot accept a connection")
        with open(f"/proc/{rig.daemon.pid}/stat", encoding="ascii") as file:
            before = int(file.read().split()[13])
        time.sleep(1)
        with open(f"/proc/{rig.daemon.pid}/stat", encoding="ascii") as file:
            used = int(file.read().split()[13]) - before
        self.assertLess(used, 20, "clock ticks in a second")
        last = peers.pop()
        for peer in peers:
            peer.close()
        last.send(check_frame("good", "right"))
        self.assertEqual(last.frame()[0], GOOD)


class Life(Serve):
    def test_killed(self):
        rig = self.rig()
        peer = rig.peer()
        peer.send(check_frame("slow-60000", "x"))
        wait_for(lambda: rig.facts("stats")["requests"] == "1", "the login")
        rig.daemon.kill()
        self.assertTrue(peer.ended())
        rig.daemon.wait()
        self.assertTrue(os.path.exists(rig.auth))
        rig.start()
        self.assertEqual(rig.check("good", "right")[0], GOOD)
        # a second one does not take the first one's sockets
        done = subprocess.run([SCRIPTED, "-f", "-c", rig.conf], timeout=60,
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 69)
        self.assertIn("another daemon listens there", done.stderr)
        self.assertEqual(rig.check("good", "right")[0], GOOD)

    def test_drains(self):
        """SIGTERM: logins that are under way are answered."""
        rig = self.rig()
        slow, stuck, held, step, idle = (rig.peer() for _ in range(5))
        slow.send(check_frame("slow-1000", "x"))
        stuck.send(check_frame("slow-60000", "x"))
        held.send(check_frame("hold-20000", "x"))
        step.send(frame(START, asking("CRAM-MD5")))
        self.assertEqual(step.frame()[0], CHALLENGE)
        wait_for(lambda: rig.facts("status")["answers_held"] == "1", "one")
        begun = time.monotonic()
        rig.daemon.kill(signal.SIGTERM)
        self.assertEqual(held.frame()[0], BAD)
        self.assertTrue(idle.ended())
        self.assertLess(time.monotonic() - begun, 4)
        with socket.socket(socket.AF_UNIX) as late:
            self.assertEqual(late.connect_ex(rig.auth), errno.ECONNREFUSED)
        step.send(frame(STEP, {DATA: b"good"}))
        self.assertEqual(step.frame()[0], CHALLENGE)
        self.assertEqual(slow.frame()[0], GOOD)
        self.assertEqual(stuck.frame()[0], UNSURE)
        self.assertTrue(step.ended())
        self.assertEqual(rig.daemon.wait(), 0)
        took = time.monotonic() - begun
        self.assertTrue(4.5 < took < 6 * PATIENCE, took)
        self.assertNotIn("have not ended", rig.log())

    def test_stuck(self):
        """What cannot be ended does not keep us."""
        rig = self.rig()
        peer = rig.peer()
        peer.send(check_frame("stuck-60000", "x"))
        wait_for(lambda: rig.facts("stats")["requests"] == "1", "the login")
        begun = time.monotonic()
        self.assertEqual(rig.daemon.stop(), 0)
        self.assertLess(time.monotonic() - begun, 9 * PATIENCE)
        self.assertIn("stopped while logins were under way", rig.log())
        self.assertTrue(peer.ended())

    def test_stops_at_once(self):
        rig = self.rig()
        self.assertEqual(rig.check("good", "right")[0], GOOD)
        self.assertLess(rig.stop(), 4)
        self.assertIn("stopped", rig.log())

    def test_reload(self):
        rig = self.rig()
        for number in (signal.SIGUSR1, signal.SIGHUP):
            rig.daemon.kill(number)
            wait_for(lambda: rig.log().count("read anew") > 0, "a reload")
            with open(rig.path("postern-authd.log"), "w", encoding="utf-8"):
                pass
        self.assertEqual(rig.command("reload"), ["ok"])
        # each of three things can be wrong
        for change, back, word in (
                ({"options": "port = 70000"}, {"options": ""}, "70000"),
                ({"top": 'allow_users = "nobody-of-that-name"'},
                 {"top": ""}, "no such user: nobody-of-that-name"),
                ({"hostname": "refuse.test"}, {"hostname": "edge.test"},
                 "cannot be prepared")):
            rig.write_conf(**change)
            answer = rig.command("reload")
            self.assertTrue(answer[0].startswith("error: "), answer)
            self.assertIn(word, answer[0])
            stays = "the old configuration stays"
            before = rig.log().count(stays)
            rig.daemon.kill(signal.SIGUSR1)
            wait_for(lambda: rig.log().count(stays) > before, stays)
            self.assertEqual(rig.check("good", "right")[0], GOOD)
            rig.write_conf(**back)
        rig.write_conf(authd='socket_group = "daemon" '
                       'state_directory = "/nonexistent"')
        warnings = [f"authd.{option} changes only with a restart"
                    for option in ("socket_group", "state_directory")]
        self.assertEqual(rig.command("reload"),
                         [" " + line for line in warnings] + ["ok"])
        for line in warnings:
            self.assertIn(line, rig.log())

    def test_service_manager(self):
        """What dist/postern-authd.service relies on."""
        rig = Rig()
        self.addCleanup(rig.__exit__, None, None, None)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(60)
            manager.bind(rig.path("notify"))

            def told(word):
                while word not in manager.recv(4096).decode().split("\n"):
                    pass

            rig.start(env={"NOTIFY_SOCKET": rig.path("notify")})
            told("READY=1")
            rig.daemon.kill(signal.SIGHUP)
            told("RELOADING=1")
            told("READY=1")
            rig.stop()
            told("STOPPING=1")

    def test_in_background(self):
        """Without -f: back when it serves, or with the reason why not."""
        rig = Rig(target="syslog")
        self.addCleanup(rig.__exit__, None, None, None)
        done = rig.run([SCRIPTED, "-c", rig.conf])
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        pid = int(rig.facts("status")["pid"])
        self.assertEqual(rig.check("good", "right")[0], GOOD)
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "its end")
        rig.write_conf(mux="unix:" + rig.path("missing", "mux"))
        done = rig.run([SCRIPTED, "-c", rig.conf])
        self.assertEqual(done.returncode, 69)
        self.assertIn("missing/mux", done.stderr)

    def test_commands(self):
        rig = self.rig()
        status = rig.facts("status")
        self.assertEqual(status["program"], "postern-authd")
        self.assertEqual(status["pid"], str(rig.daemon.pid))
        self.assertEqual(status["socket"], "unix:" + rig.auth)
        self.assertEqual(status["saslauthd_socket"], "unix:" + rig.mux)
        self.assertEqual(rig.command("cache drop ann@example.org"),
                         [" dropped=1", "ok"])
        self.assertEqual(rig.command("cache flush"), [" dropped=7", "ok"])
        for bad in ("cache", "cache drop", "cache flush x", "cache show",
                    "status x", "explain", "x" * 1000):
            self.assertTrue(rig.command(bad)[0].startswith("error: "), bad)

    def test_not_dumpable(self):
        rig = self.rig()
        with open(f"/proc/{rig.daemon.pid}/limits", encoding="ascii") as file:
            core = [line for line in file if line.startswith("Max core")]
        self.assertEqual(core[0].split()[4:6], ["0", "0"])
        # what is not dumpable belongs to root in /proc
        self.assertEqual(os.stat(f"/proc/{rig.daemon.pid}/mem").st_uid, 0)


if __name__ == "__main__":
    unittest.main()
