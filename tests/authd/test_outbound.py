#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What stands between postern-authd's socketmap socket and a credential:
frames, connections that stay, time, threads, others.  The answers are
scripted."""
import base64
import os
import socket
import stat
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rig import (GOOD, PATIENCE, PLAIN, SCRIPTED, Peer, Rig,  # noqa: E402
                 Serve, check_frame, netstring, wait_for)

BINDING = 'binding "a" { }'
GIVEN = b"OK user:secret"
SCRIPT = b"TEMP as scripted"


def ask(peer, text):
    """A look-up on a connection that stays."""
    peer.send(netstring(text))
    return peer.reply()


class Bound(Serve):
    options = {"top": BINDING}


class Answers(Bound):
    def test_three(self):
        rig = self.rig()
        self.assertEqual(rig.look("a", "given"), GIVEN)
        self.assertEqual(rig.look("a", "none"), b"NOTFOUND ")
        self.assertEqual(rig.look("a", "down"), SCRIPT)
        self.assertEqual(rig.look("a", "given-1000"),
                         b"OK user:" + b"p" * 1000)
        facts = rig.facts("stats")
        self.assertEqual((facts["looked_up"], facts["looked_up_now"],
                          facts["requests"]), ("4", "4", "4"))
        self.assertEqual(rig.facts("status")["socketmap_socket"],
                         "unix:" + rig.map)

    def test_one_connection(self):
        """Many look-ups, quick and slow, on one connection."""
        rig = self.rig()
        peer = rig.peer(rig.map)
        for _ in range(300):
            self.assertEqual(ask(peer, "a given"), GIVEN)
            self.assertEqual(ask(peer, "default none"), b"NOTFOUND ")
        self.assertEqual(ask(peer, "a slow-50"), GIVEN)
        self.assertEqual(ask(peer, "a given"), GIVEN)
        self.assertEqual(rig.facts("stats")["connections_accepted"], "1")

    def test_pipelined(self):
        """In the order in which they came, however they came."""
        rig = self.rig()
        words = ["given", "none", "x", "slow-20", "given-7", "slow-1"] * 40
        said = {"given": GIVEN, "none": b"NOTFOUND ", "x": SCRIPT,
                "slow-20": GIVEN, "slow-1": GIVEN,
                "given-7": b"OK user:ppppppp"}
        stream = b"".join(netstring("a " + word) for word in words)
        for size in (len(stream), 1, 7, 1000):
            with self.subTest(size), Peer(rig.map) as peer:
                for at in range(0, len(stream), size):
                    peer.send(stream[at:at + size])
                for word in words:
                    self.assertEqual(peer.reply(), said[word])
                peer.socket.shutdown(socket.SHUT_WR)
                self.assertTrue(peer.ended())

    def test_then_closed(self):
        """Who stops writing is answered still."""
        rig = self.rig()
        for word, said in (("given", GIVEN), ("slow-50", GIVEN)):
            with self.subTest(word), Peer(rig.map) as peer:
                peer.send(netstring("a " + word) * 3)
                peer.socket.shutdown(socket.SHUT_WR)
                self.assertEqual([peer.reply() for _ in range(3)], [said] * 3)
                self.assertTrue(peer.ended())

    def test_keys(self):
        rig = self.rig()
        peer = rig.peer(rig.map)
        for key in (b"given a b  c", b"given\xc3\xa9\xff", b"given\r\n", b"",
                    b" ", b"x" * 1024):
            with self.subTest(key[:20]):
                self.assertIn(ask(peer, b"a " + key), (GIVEN, SCRIPT))
        for text in (b"a given\0", b"\0 given", b"a given" + b"x" * 1020,
                     b"a " + b"x" * 8000, b"n" * 256 + b" given"):
            with self.subTest(text[:20]):
                self.assertRegex(ask(peer, text), b"^PERM a .* too long or")
        for text in (b"", b"a", b"given"):
            self.assertRegex(ask(peer, text), b"^PERM no key")
        self.assertEqual(ask(peer, b"a given"), GIVEN)
        rig.wait_log("socketmap socket: uid "
                     f"{os.getuid()} sends what is no request: a key that is "
                     "too long or holds a NUL")


    def test_sendmail(self):
        """Keys of Sendmail's, and the answers that its rule set reads."""
        rig = self.rig()
        peer = rig.peer(rig.map)
        login = ('"U=' + base64.b64encode(b"user").decode() + '" "P=' +
                 base64.b64encode(b"secret").decode() +
                 '" "M:PLAIN LOGIN"').encode()
        key = "{}id:4AbC12;msg:;to:{};hop:{};from:{}"
        for asked, said in (
                ("authinfo:given", b"OK " + login),
                ("AuthInfo:slow-20", b"OK " + login),
                ("authinfo:none", b"NOTFOUND "),
                ("authinfo:down", SCRIPT),
                ("authinfo:" + key.format("", "given", "", "a@b.test"),
                 b"OK 4AbC12 " + login),
                ("authinfo:" + key.format("", "none", "", "a@b.test"),
                 b"OK 4AbC12 none"),
                # by the next hop where nothing is known of the server
                ("authinfo:" + key.format("", "none", "given", ""),
                 b"OK 4AbC12 " + login),
                ("authinfo:" + key.format("", "none", "slow-20", ""),
                 b"OK 4AbC12 " + login),
                ("authinfo:" + key.format("", "given", "down", ""),
                 b"OK 4AbC12 " + login),
                ("authinfo:" + key.format("", "down", "given", ""), SCRIPT),
                ("authinfo:" + key.format("due:", "given", "none", ""),
                 b"OK 4AbC12 due")):
            with self.subTest(asked):
                self.assertEqual(ask(peer, "a " + asked), said)
        self.assertRegex(ask(peer, "a authinfo:"), b"^PERM no server")
        self.assertRegex(ask(peer, "a authinfo:id:x"), b"^PERM not id")
        self.assertRegex(ask(peer, "a authinfo:long"),
                         b"^TEMP Sendmail takes no user name")
        rig.wait_log("Sendmail takes no user name of more than 189 octets")
        self.assertEqual(ask(peer, "a given"), GIVEN)


class Bad(Bound):
    def test_frames(self):
        """What is no netstring is said so, and the connection ends."""
        rig = self.rig()
        other = rig.peer(rig.map)
        for octets, why in (
                (b"07:a given,", "leading zero"),
                (b"00:,", "leading zero"),
                (b"7:a given;", "comma"),
                (b"7:a given\n", "comma"),
                (b"6:a given,", "comma"),
                (b":,", "no number"),
                (b"-1:", "no number"),
                (b"+7:a given,", "no number"),
                (b" 7:a given,", "no number"),
                (b"7 :a given,", "no number"),
                (b"7", None),
                (b"0x7:a given,", "no number"),
                (b"GET / HTTP/1.1\r\n\r\n", "no number"),
                (b"\0\0\0\0", "no number"),
                (b"\x16\x03\x01\x02\0", "no number"),
                (b"8193:", "longer"),
                (b"9" * 30, "longer"),
                (b"65536:a " + b"x" * 65534 + b",", "longer"),
                (netstring(b"a given") + b"x", "no number")):
            with self.subTest(octets[:20]), Peer(rig.map) as peer:
                peer.send(octets)
                if octets[:10] == netstring(b"a given")[:10]:
                    self.assertEqual(peer.reply(), GIVEN)
                if why is None:
                    peer.socket.shutdown(socket.SHUT_WR)
                    self.assertIsNone(peer.reply())
                    continue
                said = peer.reply()
                self.assertTrue(said.startswith(b"PERM "), said)
                self.assertIn(why.encode(), said)
                self.assertTrue(peer.ended())
        self.assertEqual(ask(other, "a given"), GIVEN)
        self.assertEqual(rig.facts("stats")["requests_bad"], "18")
        self.assertIn("socketmap socket: uid", rig.log())

    def test_huge_is_not_waited_for(self):
        """A length is refused before what it promises has come."""
        rig = self.rig()
        begun = time.monotonic()
        with Peer(rig.map) as peer:
            peer.send(b"65536:a ")
            self.assertEqual(peer.reply(),
                             b"PERM longer than a request may be")
            self.assertTrue(peer.ended())
        with Peer(rig.map) as peer:
            peer.send(b"9999")
            self.assertTrue(peer.reply().startswith(b"PERM longer"))
        self.assertLess(time.monotonic() - begun, 1 * PATIENCE)

    def test_longest(self):
        rig = self.rig()
        text = b"a " + b"x" * 8190
        with Peer(rig.map) as peer:
            self.assertEqual(len(text), 8192)
            self.assertTrue(ask(peer, text).startswith(b"PERM a key"))
            self.assertEqual(ask(peer, "a given"), GIVEN)

    def test_truncated(self):
        """A request that does not come to its end."""
        rig = self.rig()
        for part in (b"7", b"7:", b"7:a giv", b"7:a given"):
            with self.subTest(part), Peer(rig.map) as peer:
                peer.send(part)
                peer.socket.shutdown(socket.SHUT_WR)
                self.assertIsNone(peer.reply())
        # or takes its time over it: ten seconds, not five minutes
        begun = time.monotonic()
        peers = [rig.peer(rig.map) for _ in range(3)]
        self.assertEqual(ask(peers[1], "a given"), GIVEN)
        peers[2].send(netstring("a given") * 2)
        for peer in peers:
            peer.send(b"77:a g")
        for _ in range(3):
            time.sleep(1)
            peers[0].send(b"i")
        self.assertEqual([peers[2].reply(), peers[2].reply()], [GIVEN] * 2)
        for peer in peers:
            self.assertIsNone(peer.reply())
        took = time.monotonic() - begun
        self.assertTrue(9 < took < 11 + PATIENCE, took)
        self.assertEqual(rig.facts("stats")["requests_late"], "3")


class Others(Bound):
    """Nobody has to wait for somebody else."""

    def quick(self, rig, seconds=0.5):
        """A look-up, and how long it may take."""
        begun = time.monotonic()
        self.assertEqual(rig.look("a", "given"), GIVEN)
        took = time.monotonic() - begun
        self.assertLess(took, seconds * PATIENCE)

    def test_idle(self):
        """1000 who say nothing, as connections of smtp(8) may."""
        rig = self.rig()
        peers = [rig.peer(rig.map) for _ in range(1000)]
        for peer in peers[::2]:
            self.assertEqual(ask(peer, "a given"), GIVEN)
        before = rig.memory()
        self.quick(rig)
        for peer in peers:
            self.assertEqual(ask(peer, "a none"), b"NOTFOUND ")
        self.assertLess(rig.memory() - before, 4 << 20)
        self.assertEqual(rig.facts("status")["connections"], "1000")
        begun = time.monotonic()
        rig.stop()
        self.assertLess(time.monotonic() - begun, 1.5 * PATIENCE)
        self.assertTrue(all(peer.ended() for peer in peers))

    def test_never_reads(self):
        """Dropped when it has not read for five seconds; no answers pile
        up for it."""
        rig = self.rig()
        before = rig.memory()
        begun = time.monotonic()
        stuck = []
        for _ in range(50):
            peer = rig.peer(rig.map)
            peer.socket.setblocking(False)
            try:
                while True:
                    peer.socket.send(netstring("a given-1000") * 100)
            except BlockingIOError:
                pass
            stuck.append(peer)
        while time.monotonic() - begun < 3:
            self.quick(rig)
            time.sleep(0.02)
        left = rig.facts("status")["connections"]
        if time.monotonic() - begun < 4.5:
            self.assertEqual(left, "50")
        self.assertLess(rig.memory() - before, (24 if PLAIN else 160) << 20)
        wait_for(lambda: rig.facts("status")["connections"] == "0",
                 "the end of those who do not read")
        self.quick(rig)

    def test_flood(self):
        """Who asks without an end has its turn, and no more."""
        rig = self.rig()
        floods = []
        for _ in range(4):
            peer = rig.peer(rig.map)
            peer.socket.setblocking(False)
            floods.append(peer)
        stream = netstring("a given") * 500
        took = []
        begun = time.monotonic()
        while time.monotonic() - begun < 2 or (
                time.monotonic() - begun < 60 and
                int(rig.facts("stats")["looked_up"]) <= 5000):
            for peer in floods:
                try:
                    peer.socket.send(stream)
                except BlockingIOError:
                    pass
                try:
                    while peer.socket.recv(1 << 20):
                        pass
                except BlockingIOError:
                    pass
            at = time.monotonic()
            self.assertEqual(rig.look("a", "given"), GIVEN)
            took.append(time.monotonic() - at)
        self.assertGreater(int(rig.facts("stats")["looked_up"]), 5000)
        # 500 of each of the others would take longer, each time
        self.assertLess(sorted(took)[len(took) // 10], 0.02 * PATIENCE)

    def test_slow(self):
        """Look-ups that take a thread delay none that do not, nor logins."""
        rig = self.rig()
        slow = [rig.peer(rig.map) for _ in range(400)]
        for peer in slow:
            peer.send(netstring("a slow-5000"))
        wait_for(lambda: rig.facts("status")["threads"] == "256", "threads")
        self.quick(rig)
        begun = time.monotonic()
        self.assertEqual(rig.check("good", "right")[0], GOOD)
        self.assertLess(time.monotonic() - begun, 0.5 * PATIENCE)
        self.assertEqual([peer.reply() for peer in slow], [GIVEN] * 400)

    def test_overloaded(self):
        """No room for another: TEMP, never NOTFOUND."""
        rig = self.rig()
        slow = [rig.peer(rig.map) for _ in range(256 + 1024)]
        for peer in slow:
            peer.send(netstring("a slow-60000"))
        wait_for(lambda: rig.facts("status")["waiting"] == "1024", "a queue")
        peer = rig.peer(rig.map)
        begun = time.monotonic()
        self.assertEqual(ask(peer, "a slow-1"), b"TEMP overloaded")
        self.assertEqual(ask(peer, "a given"), GIVEN)
        self.assertLess(time.monotonic() - begun, 1 * PATIENCE)
        self.assertIn("too many look-ups under way: one is turned away",
                      rig.log())
        self.assertEqual(rig.facts("stats")["requests_turned_away"], "1")
        self.assertEqual(rig.check("good", "right")[0], GOOD)
        rig.daemon.kill()  # they would take a minute

    def test_share_of_connections(self):
        """Neither kind takes all that there may be."""
        rig = Rig(top=BINDING)
        self.addCleanup(rig.__exit__, None, None, None)
        rig.write("few", f'#!/bin/sh\nulimit -n 400\nexec {SCRIPTED} "$@"\n')
        os.chmod(rig.path("few"), 0o755)
        rig.program = rig.path("few")
        rig.start()
        # three quarters of three quarters
        looks = [rig.peer(rig.map) for _ in range(225)]
        for peer in looks:
            self.assertEqual(ask(peer, "a given"), GIVEN)
        for _ in range(5):
            self.assertTrue(rig.peer(rig.map).ended())
        rig.wait_log("more than 225 connections: one is closed")
        self.assertEqual(rig.check("good", "right")[0], GOOD)
        for peer in looks[:200]:
            peer.close()
        wait_for(lambda: rig.facts("status")["connections"] == "25", "room")
        logins = [rig.peer() for _ in range(225)]
        wait_for(lambda: rig.facts("status")["connections"] == "250", "all")
        self.assertTrue(rig.peer().ended())
        self.assertEqual(rig.look("a", "given"), GIVEN)
        self.assertEqual(len(logins), 225)

    def test_storm_of_logins(self):
        """Logins have taken every thread and place of theirs: look-ups go
        on, those that take a thread as well."""
        if not PLAIN:
            self.skipTest("too many threads for a sanitizer")
        rig = self.rig()
        peers = rig.crowd()
        self.quick(rig)
        begun = time.monotonic()
        self.assertEqual(rig.look("a", "slow-20"), GIVEN)
        self.assertLess(time.monotonic() - begun, 20)


class Life(Bound):
    def test_stop(self):
        """Who waits gets its answer; who does not is not waited for."""
        rig = self.rig()
        idle, once, slow, many, part = (rig.peer(rig.map) for _ in range(5))
        self.assertEqual(ask(once, "a given"), GIVEN)
        slow.send(netstring("a slow-4000"))
        many.send(netstring("a slow-3000") + netstring("a given") * 3)
        part.send(b"7:a g")
        wait_for(lambda: rig.facts("status")["threads"] == "2", "both")
        begun = time.monotonic()
        took = rig.stop()
        self.assertTrue(1 < took < 4 + 3 * PATIENCE, took)
        self.assertLess(time.monotonic() - begun, 4 + 3 * PATIENCE)
        self.assertEqual(slow.reply(), GIVEN)
        self.assertEqual([many.reply() for _ in range(4)], [GIVEN] * 4)
        for peer in (idle, once, slow, many, part):
            self.assertTrue(peer.ended())

    def test_restart(self):
        """Also after it was killed; the socket is replaced."""
        rig = self.rig()
        peer = rig.peer(rig.map)
        self.assertEqual(ask(peer, "a given"), GIVEN)
        rig.daemon.kill()
        rig.daemon.wait()
        self.assertTrue(peer.ended())
        rig.start()
        self.assertEqual(rig.look("a", "given"), GIVEN)

    def test_reload(self):
        rig = self.rig()
        peer = rig.peer(rig.map)
        self.assertEqual(rig.command("reload"), ["ok"])
        self.assertEqual(ask(peer, "a given"), GIVEN)
        rig.write_conf(hostname="refuse-outbound.test")
        self.assertEqual(rig.command("reload"), [
            "error: credentials that cannot be prepared"])
        rig.write_conf(hostname="refuse.test")
        self.assertEqual(rig.command("reload"), [
            "error: routes that cannot be prepared"])
        for why in ("credentials", "routes"):
            self.assertEqual(rig.log().count(
                f"reload: {why} that cannot be prepared; the old "
                "configuration stays"), 1)
        self.assertEqual(ask(peer, "a given"), GIVEN)
        rig.write_conf(hostname="edge.test", authd="")
        self.assertEqual(rig.command("reload"), ["ok"])
        self.assertNotIn("restart", rig.log())
        rig.write_conf(target="syslog",
                       authd=f'state_directory = "{rig.dir}"')
        self.assertEqual(rig.command("reload"), [
            " log_target changes only with a restart",
            " authd.state_directory changes only with a restart", "ok"])
        rig.wait_log("reload: log_target changes only with a restart")

    def test_one_without_the_other(self):
        """Each road alone; the other takes a restart."""
        rig = self.rig(hosts=None)
        self.assertFalse(os.path.exists(rig.auth))
        self.assertFalse(os.path.exists(rig.mux))
        self.assertEqual(rig.look("a", "given"), GIVEN)
        facts = rig.facts("status")
        self.assertIn("messages", facts)
        self.assertNotIn("dialogues", facts)
        self.assertEqual([name for name in facts if "socket" in name],
                         ["socketmap_socket"])
        self.assertEqual(rig.command("cache flush"), [" dropped=5", "ok"])
        self.assertIn("looked_up", rig.facts("stats"))
        rig.write_conf(hosts='"127.0.0.1:9"')
        self.assertEqual(rig.command("reload"), [
            " there were no logins to ask about: authd.socket and "
            "authd.saslauthd_socket are opened by a restart", "ok"])
        rig.wait_log("reload: there were no logins to ask about: ")
        rig.stop()
        os.unlink(rig.map)
        rig.write_conf(top="")
        rig.start()
        self.assertFalse(os.path.exists(rig.map))
        self.assertEqual(rig.check("good", "right")[0], GOOD)
        facts = rig.facts("status")
        self.assertNotIn("messages", facts)
        self.assertEqual([name for name in facts if "socket" in name],
                         ["socket", "saslauthd_socket"])
        self.assertEqual(rig.command("cache flush"), [" dropped=7", "ok"])
        rig.write_conf(top=BINDING)
        self.assertEqual(rig.command("reload"), [
            " there were no outbound credentials: authd.socketmap_socket is "
            "opened by a restart", "ok"])
        rig.wait_log("reload: there were no outbound credentials: ")
        rig.stop()
        rig.write_conf(top="", hosts=None)
        done = rig.run([SCRIPTED, "-n", "-c", rig.conf])
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("nor is there any outbound_smtp_auth", done.stderr)

    def test_no_socket(self):
        """Credentials that nobody can ask for: alone an error, with logins
        a warning."""
        rig = Rig(hosts='"127.0.0.1:9"', top=BINDING)
        self.addCleanup(rig.__exit__, None, None, None)

        def without():
            with open(rig.conf, encoding="utf-8") as file:
                text = file.read().replace(f'"unix:{rig.map}"', "{}")
            rig.write("postern.conf", text)
        without()
        rig.start()
        self.assertIn("warning: authd.socketmap_socket is not set", rig.log())
        rig.stop()
        rig.write_conf(hosts=None)
        without()
        done = rig.run([SCRIPTED, "-f", "-c", rig.conf])
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("authd.socketmap_socket is not set", done.stderr)

    def test_what_counts(self):
        """Any option that a look-up could be answered by."""
        rig = Rig(hosts=None)
        self.addCleanup(rig.__exit__, None, None, None)
        user = 'outbound_smtp_auth_user = "u"  outbound_smtp_auth_pass = "p"'
        for top, status in (
                (BINDING, 0), ('binding_group "g" { }', 0),
                ("outbound_smtp_auth { " + user + " }", 0),
                ('outbound_smtp_auth { outbound_smtp_auth_type = "LOGIN" }',
                 0),
                ('domain "d.test" { ' + user + " }", 0),
                ('domain "d.test" { outbound_smtp_auth_key = "k" }', 0),
                ("outbound_smtp_auth { message_credentials = true }", 0),
                ('domain "d.test" { }', 78),
                ("outbound_smtp_auth { }", 78)):
            with self.subTest(top):
                rig.write_conf(top=top)
                done = rig.run([SCRIPTED, "-n", "-c", rig.conf])
                self.assertEqual(done.returncode, status, done.stderr)

    def test_modes(self):
        rig = self.rig()
        self.assertEqual(stat.S_IMODE(os.stat(rig.map).st_mode), 0o600)
        said = Rig(top=BINDING + '\n')
        self.addCleanup(said.__exit__, None, None, None)
        with open(said.conf, encoding="ascii") as file:
            text = file.read()
        said.write("postern.conf", text.replace(
            "unix:" + said.map, "inet:2525@127.0.0.1"))
        for level in ("-n", "-f"):
            done = said.run([SCRIPTED, level, "-c", said.conf])
            self.assertEqual(done.returncode, 78, done.stderr)
            self.assertIn("inet:2525@127.0.0.1", done.stderr)

    @unittest.skipIf(os.geteuid() != 0, "only root can be somebody else")
    def test_peers(self):
        """Whom the kernel says it is not is not answered."""
        rig = self.rig(top=BINDING + '\nallow_users = {"daemon"}')
        os.chmod(rig.dir, 0o711)
        os.chmod(rig.map, 0o666)

        def look_as(uid):
            pid = os.fork()
            if pid == 0:
                code = 2
                try:
                    os.setresgid(uid, uid, uid)
                    os.setresuid(uid, uid, uid)
                    code = 0 if rig.look("a", "given") == GIVEN else 1
                finally:
                    os._exit(code)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

        self.assertEqual(look_as(1), 0)
        self.assertEqual(look_as(2), 1)
        rig.wait_log("user bin (uid 2) is not listened to")
        self.assertEqual(rig.facts("stats")["looked_up"], "1")

    @unittest.skipIf(os.geteuid() != 0, "only root can be somebody else")
    def test_peers_no_more(self):
        """A connection that stays does not outlast its user's right."""
        rig = self.rig(top=BINDING + '\nallow_users = {"daemon"}')
        os.chmod(rig.dir, 0o711)
        os.chmod(rig.map, 0o666)
        os.seteuid(1)
        try:
            peer = rig.peer(rig.map)
        finally:
            os.seteuid(0)
        self.assertEqual(ask(peer, "a given"), GIVEN)
        rig.write_conf(top=BINDING + '\nallow_users = {"bin"}')
        self.assertEqual(rig.command("reload"), ["ok"])
        peer.send(netstring("a given") + netstring("a given"))
        self.assertTrue(peer.ended())
        rig.wait_log("user daemon (uid 1) is not listened to")
        facts = rig.facts("stats")
        self.assertEqual(facts["looked_up"], "1")
        self.assertEqual(facts["connections_refused"], "1")


class Secrets(Bound):
    def test_secret(self):
        """Nothing secret is in a full debug run's log."""
        rig = Rig(top=BINDING, level="debug")
        self.addCleanup(rig.__exit__, None, None, None)
        rig.start("-v", "-v")
        rig.look("a", "given")
        with Peer(rig.map) as peer:
            peer.send(netstring("a given") + b"secret")
            peer.reply()
            peer.reply()
        rig.stop()
        self.assertNotIn("secret", rig.log())


if __name__ == "__main__":
    unittest.main()
