#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Outbound credentials as the MTA asks for them, of the real postern-authd:
scopes, rows, files, messages; reload and restart; nothing secret in the log.
"""
import os
import sqlite3
import stat
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rig import AUTHD, PATIENCE, Peer, Rig, netstring, wait_for  # noqa: E402

TOP = """
datasource "rows" {{ uri = "sqlite:{dir}/rows.db" {source} }}
outbound_smtp_auth {{
    ds_cache = "rows"
    query = "SELECT user, pass, type FROM rows WHERE host = :host"
    {options}
}}
domain "mx.test" {{
    outbound_smtp_auth_user = "ann"  outbound_smtp_auth_pass = "hush-ann"
}}
domain "filed.test" {{
    outbound_smtp_auth_user = "bob"
    outbound_smtp_auth_pass = "file:{dir}/pass"
}}
binding "a" {{
    nexthops = {{"relay.test:587"}}
    outbound_smtp_auth_user = "a"  outbound_smtp_auth_pass = "hush-a"
}}
"""


class Rows(unittest.TestCase):
    def rig(self, source="", options="", start=True):
        """A daemon with a configuration of that shape."""
        rig = Rig(scripted=False, hosts=None, level="debug")
        self.addCleanup(rig.__exit__, None, None, None)
        self.db = rig.path("rows.db")
        self.execute("CREATE TABLE rows (host TEXT, user TEXT, pass TEXT, "
                     "type TEXT)")
        for row in (("row.test", "carl", "hush-carl", "LOGIN"),
                    ("null.test", "carl", None, ""),
                    ("nobody.test", None, "hush", ""),
                    ("empty.test", "carl", "", ""),
                    ("type.test", "carl", "hush", "CRAM-MD5"),
                    ("colon.test", "c:arl", "hush-colon", None),
                    ("two.test", "carl", "hush", ""),
                    ("two.test", "carla", "hush", "")):
            self.execute("INSERT INTO rows VALUES (?, ?, ?, ?)", row)
        self.file(rig, "hush-bob\n")
        os.mkdir(rig.path("state"), 0o700)
        rig.write_conf(
            top=TOP.format(dir=rig.dir, source=source, options=options),
            authd=f'state_directory = "{rig.dir}/state"')
        if start:
            rig.start("-v", "-v")
        return rig

    def execute(self, statement, values=()):
        """Something for the data base."""
        with sqlite3.connect(self.db) as table:
            table.execute(statement, values)
        table.close()

    @staticmethod
    def file(rig, text):
        """The password's file."""
        rig.write("pass", text)
        os.chmod(rig.path("pass"), 0o600)

    def nothing_secret(self, rig):
        """In the log of all that there was."""
        rig.stop()
        self.assertNotIn("hush", rig.log())

    def test_answers(self):
        rig = self.rig()
        for name, key, said in (
                ("default", "mx.test", "OK ann:hush-ann"),
                ("default", "[mx.test]:587", "OK ann:hush-ann"),
                ("default", "MX.Test", "OK ann:hush-ann"),
                ("default", "filed.test", "OK bob:hush-bob"),
                ("default", "row.test", "OK carl:hush-carl"),
                ("default", "other.test", "NOTFOUND "),
                ("default", "[192.0.2.1]:25", "NOTFOUND "),
                ("a", "[relay.test]:587", "OK a:hush-a"),
                ("a", "mx.test", "OK ann:hush-ann"),
                ("default", "relay.test", "NOTFOUND "),
                ("default", "dan@example.org", "NOTFOUND ")):
            with self.subTest((name, key)):
                self.assertEqual(rig.look(name, key), said.encode())
        for name, key in (("b", "mx.test"), ("default", "null.test"),
                          ("default", "nobody.test"),
                          ("default", "empty.test"), ("default", "type.test"),
                          ("default", "colon.test"), ("default", "two.test"),
                          ("", "mx.test"), ("default", "")):
            with self.subTest((name, key)):
                self.assertRegex(rig.look(name, key), b"^TEMP .")
        self.assertIn("outbound: nexthop=mx.test binding=default user=<ann>",
                      rig.log())
        self.assertIn("verdict=defer", rig.log())
        self.nothing_secret(rig)

    def test_memory(self):
        """A row that changes is seen when the answer is forgotten."""
        rig = self.rig(source="cache_life = 1h")
        peer = rig.peer(rig.map)

        def look():
            peer.send(netstring("default row.test"))
            return peer.reply()

        self.assertEqual(look(), b"OK carl:hush-carl")
        self.execute("UPDATE rows SET pass = 'hush-new' "
                     "WHERE host = 'row.test'")
        self.assertEqual(look(), b"OK carl:hush-carl")
        self.assertIn("cache=hit", rig.log())
        self.assertEqual(rig.command("cache drop row.test"),
                         [" dropped=1", "ok"])
        self.assertEqual(look(), b"OK carl:hush-new")
        self.execute("DELETE FROM rows WHERE host = 'row.test'")
        self.assertEqual(look(), b"OK carl:hush-new")
        self.assertEqual(rig.command("cache flush")[-1], "ok")
        self.assertEqual(look(), b"NOTFOUND ")
        self.nothing_secret(rig)

    def test_down(self):
        """A data source that cannot be asked: the mail waits, what needs no
        row does not."""
        rig = self.rig(source="no_cache = true  timeout = 1")
        self.execute("ALTER TABLE rows RENAME TO gone")
        for key in ("row.test", "other.test"):
            self.assertRegex(rig.look("default", key), b"^TEMP .")
        self.assertEqual(rig.look("default", "mx.test"), b"OK ann:hush-ann")
        self.assertEqual(rig.look("a", "relay.test:587"), b"OK a:hush-a")
        self.nothing_secret(rig)

    def test_locked(self):
        """One that keeps its askers waiting delays nobody else."""
        rig = self.rig(source="no_cache = true  timeout = 3")
        lock = sqlite3.connect(self.db)
        self.addCleanup(lock.close)
        lock.execute("BEGIN EXCLUSIVE")
        peers = [rig.peer(rig.map) for _ in range(40)]
        for peer in peers:
            peer.send(netstring("default row.test"))
        wait_for(lambda: int(rig.facts("status")["threads"]) > 0, "a worker")
        begun = time.monotonic()
        for _ in range(50):
            self.assertEqual(rig.look("default", "mx.test"),
                             b"OK ann:hush-ann")
        self.assertLess(time.monotonic() - begun, 1 * PATIENCE)
        lock.rollback()
        for peer in peers:
            self.assertIn(peer.reply()[:5], (b"OK ca", b"TEMP "))
        self.nothing_secret(rig)

    def test_files(self):
        """A password's file that cannot be read: no start, no reload."""
        rig = self.rig(start=False)
        os.unlink(rig.path("pass"))
        for text in (None, "", "\n", "hush\0\n", "h" * 2000):
            if text is not None:
                self.file(rig, text)
            for level in ("-n", "-f"):
                with self.subTest((text and text[:9], level)):
                    done = rig.run([AUTHD, level, "-c", rig.conf])
                    self.assertEqual(done.returncode, 78, done.stderr)
                    self.assertIn(rig.path("pass"), done.stderr)
                    self.assertNotIn("hush", done.stderr + done.stdout)
        self.file(rig, "hush-bob\nmore\n")
        done = rig.run([AUTHD, "-n", "-c", rig.conf])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("hush", done.stderr + done.stdout)
        self.assertEqual(os.listdir(rig.path("state")), [])
        rig.start("-v", "-v")
        self.assertEqual(rig.look("default", "filed.test"),
                         b"OK bob:hush-bob")
        os.unlink(rig.path("pass"))
        said = rig.command("reload")
        self.assertIn(rig.path("pass"), said[0])
        self.assertEqual(rig.look("default", "filed.test"),
                         b"OK bob:hush-bob")
        self.file(rig, "hush-new")
        self.assertEqual(rig.command("reload"), ["ok"])
        self.assertEqual(rig.look("default", "filed.test"),
                         b"OK bob:hush-new")
        self.nothing_secret(rig)

    def test_query_that_cannot_work(self):
        """-n says so, as the start would."""
        rig = self.rig(start=False)
        rig.write_conf(top=TOP.format(
            dir=rig.dir, source="", options="").replace(
                ":host", ":nobody"))
        for level in ("-n", "-f"):
            done = rig.run([AUTHD, level, "-c", rig.conf])
            self.assertEqual(done.returncode, 78, done.stderr)
            self.assertIn("nobody", done.stderr)

    def test_messages(self):
        """What a message brought, and what is left of it after a restart."""
        rig = self.rig(options="message_credentials = true")
        key = "authinfo:id:{0};msg:{0};to:other.test;hop:;from:eve@d.test"
        self.assertEqual(rig.look("default", key.format("4AbC1")),
                         b"OK 4AbC1 none")
        self.assertEqual(rig.command(
            "outbound put 4AbC1 user=eve pass=hush-eve type=LOGIN"), ["ok"])
        said = rig.look("default", key.format("4AbC1"))
        self.assertRegex(said, b'^OK 4AbC1 "U=.*" "P=.*" "M:LOGIN"$')
        self.assertEqual(rig.look("default", key.format("4AbC2")),
                         b"OK 4AbC2 none")
        for place, _, files in os.walk(rig.path("state")):
            for name in files:
                path = os.path.join(place, name)
                self.assertEqual(
                    stat.S_IMODE(os.stat(path).st_mode) & 0o077, 0, path)
                with open(path, "rb") as file:
                    self.assertNotIn(b"hush", file.read())
        rig.stop()
        rig.start("-v", "-v")
        self.assertRegex(rig.look("default", key.format("4AbC1")), b"^TEMP .")
        self.assertEqual(rig.look("default", key.format("4AbC2")),
                         b"OK 4AbC2 none")
        self.nothing_secret(rig)

    def test_messages_off(self):
        rig = self.rig()
        said = rig.command("outbound put 4AbC1 user=eve pass=hush-eve")
        self.assertIn("message_credentials is off", said[0])
        self.nothing_secret(rig)

    def test_restart(self):
        """A connection that stays, and the daemon that comes back."""
        rig = self.rig()
        with Peer(rig.map) as peer:
            peer.send(netstring("default row.test") * 3)
            for _ in range(3):
                self.assertEqual(peer.reply(), b"OK carl:hush-carl")
            rig.stop()
            self.assertTrue(peer.ended())
        rig.start("-v", "-v")
        self.assertEqual(rig.look("default", "row.test"),
                         b"OK carl:hush-carl")
        facts = rig.facts("status")
        self.assertEqual(facts["outbound_datasource"], "rows")
        self.nothing_secret(rig)


if __name__ == "__main__":
    unittest.main()
