#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the milter hands over to postern-authd: a message's own credentials.
Who keeps them is a script."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rig import Rig, Serve  # noqa: E402

BINDING = 'binding "a" { }'


class Put(Serve):
    options = {"top": BINDING}

    def test_taken(self):
        rig = self.rig()
        for words, said in (
                ("QID1 user=u pass=p",
                 "id=QID1 binding=<> user=<u> pass=1 type=-1 key=<>"),
                ("4XyZ9 binding=a", "id=4XyZ9 binding=<a> user=<> pass=0"),
                ("Q key=k+20x type=login", "type=1 key=<k x>"),
                ("Q user=a+3Ab pass=+2B+3D type=PLAIN binding=b key=c",
                 "id=Q binding=<b> user=<a:b> pass=2 type=0 key=<c>")):
            with self.subTest(words):
                self.assertEqual(rig.command("outbound put " + words), ["ok"])
                rig.wait_log(said)
        self.assertEqual(rig.facts("status")["messages"], "4")

    def test_refused(self):
        """Whatever is wrong is said, without a value."""
        rig = self.rig()
        for words, why in (
                ("", "no queue id"), ("Q", "nothing to keep"),
                ("../x key=k", "no queue id"), ("Q/ key=k", "no queue id"),
                ("q" * 65 + " key=k", "no queue id"),
                ("Q user=u", "user without pass"),
                ("Q pass=hush", "pass without user"),
                ("Q user=u pass=hush user=v", "user: twice"),
                ("Q hush=hush", "an unknown word"), ("Q hush", "unknown"),
                ("Q user=u pass=", "pass: empty"),
                ("Q user=u pass=hush+", "pass: too long, or no xtext"),
                ("Q user=u pass=hush+0A", "pass: has a line break or NUL"),
                ("Q user=u pass=hush+0D", "pass: has a line break or NUL"),
                ("Q user=u pass=hush+00", "pass: has a line break or NUL"),
                ("Q user=u pass=" + "h" * 1025, "pass: too long"),
                ("Q user=" + "h" * 256 + " pass=p", "user: too long"),
                ("Q type=CRAM-MD5", "type: neither"),
                ("FULL key=k", "no room for another message")):
            with self.subTest(words):
                said = rig.command("outbound put " + words)
                self.assertEqual(len(said), 1)
                self.assertIn("error: ", said[0])
                self.assertIn(why, said[0])
                self.assertNotIn("hush", said[0])
        self.assertIn("unknown command", rig.command("outbound get Q")[0])
        self.assertIn("unknown command", rig.command("outbound")[0])
        self.assertNotIn("hush", rig.log())

    def test_nobody(self):
        """A daemon without outbound credentials keeps none."""
        rig = self.rig(top="")
        self.assertEqual(rig.command("outbound put Q1 key=k"), [
            "error: outbound put: there are no outbound credentials here"])

    def test_secret(self):
        """Nothing secret is in a full debug run's log."""
        rig = Rig(top=BINDING, level="debug")
        self.addCleanup(rig.__exit__, None, None, None)
        rig.start("-v", "-v")
        rig.command("outbound put Q user=u pass=secret")
        rig.command("outbound put Q user=u pass=secret+")
        rig.stop()
        self.assertNotIn("secret", rig.log())


if __name__ == "__main__":
    unittest.main()
