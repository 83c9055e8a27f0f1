#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""posternctl outbound and explain outbound: which scope gives what to whom,
what is printed and returned, and that no password is."""
import os
import re
import sqlite3
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "milter"))

from rig import Rig  # noqa: E402

# As it stands in Momentum's manual.
SEEDS = """
outbound_smtp_auth { }

Keep_Message_Dicts_In_Memory = true

Domain "messagesystems.com" {
  Outbound_SMTP_AUTH_Type = "LOGIN"
  Outbound_SMTP_AUTH_User = "msys"
  Outbound_SMTP_AUTH_Pass = "Secret-of-msys"
  Outbound_SMTP_AUTH_Key = "somestring"
}

Domain "sparkpost.com" {
  Outbound_SMTP_AUTH_Type = "PLAIN"
  Outbound_SMTP_AUTH_user = "sparkpost"
  Outbound_SMTP_AUTH_pass = "Secret-of-sparkpost"
  Outbound_SMTP_AUTH_Key = "someotherstring"
}
"""

SCOPES = """
outbound_smtp_auth {
    nexthops = {"smart.test"}
    outbound_smtp_auth_user = "global"
    outbound_smtp_auth_pass = "Secret-global"
}
domain "relay.test" { outbound_smtp_auth_type = "LOGIN" }
binding_group "g" {
    nexthops = {"group.test"}
    outbound_smtp_auth_user = "group"
    outbound_smtp_auth_pass = "Secret-group"
    binding "ingroup" { }
}
binding "a" {
    nexthops = {"[relay.test]:587", "2001:db8::25"}
    outbound_smtp_auth_user = "blanks and \\"quotes\\""
    outbound_smtp_auth_pass = "Secret-a"
    sender "ann@example.org" {
        outbound_smtp_auth_user = "ann"
        outbound_smtp_auth_pass = "Secret-ann"
        outbound_smtp_auth_type = "PLAIN"
    }
}
sender "@example.org" {
    outbound_smtp_auth_user = "org"
    outbound_smtp_auth_pass = "Secret-org"
}
"""

NOTHING = "reject nothing is configured for it"


class Outbound(unittest.TestCase):
    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.__exit__, None, None, None)

    def write(self, text):
        """The configuration; nobody else reads its passwords."""
        self.rig.write_conf(text)
        os.chmod(self.rig.conf, 0o600)

    def ctl(self, *arguments):
        """Run it; returns (exit status, stdout, stderr)."""
        done = self.rig.ctl(*arguments)
        self.assertNotIn("Secret", done.stdout + done.stderr)
        return done.returncode, done.stdout, done.stderr

    def ask(self, *arguments):
        return self.ctl("outbound", *arguments)

    def expect(self, arguments, status, text, warning=""):
        """The one line for a question, and what stands on stderr."""
        with self.subTest(arguments):
            rc, out, err = self.ask(*arguments)
            self.assertEqual((rc, out), (status, f"{arguments[-1]} {text}\n"))
            self.assertRegex(err, warning if warning else r"\A\Z")

    def test_seeds(self):
        self.write(SEEDS)
        msys = 'accept user=msys type=LOGIN ' \
            'scope="domain \\"messagesystems.com\\""'
        for hop in ("messagesystems.com", "[messagesystems.com]:587",
                    "MessageSystems.COM:25"):
            self.expect([hop], 0, msys)
        self.expect(["sparkpost.com"], 0, "accept user=sparkpost type=PLAIN "
                    'scope="domain \\"sparkpost.com\\""')
        for hop in ("mx.messagesystems.com", "example.com", "192.0.2.1"):
            self.expect([hop], 1, NOTHING)

    def test_scopes(self):
        self.write(SCOPES)
        a = 'accept user="blanks and \\"quotes\\"" type=LOGIN ' \
            'scope="binding \\"a\\""'
        for arguments, status, text in (
                (["smart.test"], 0,
                 "accept user=global type=any scope=outbound_smtp_auth"),
                (["relay.test"], 1, NOTHING),
                (["-b", "default", "smart.test"], 0,
                 "accept user=global type=any scope=outbound_smtp_auth"),
                (["-b", "a", "[relay.test]:587"], 0, a),
                (["-b", "a", "relay.test:587"], 0, a),
                (["-b", "a", "relay.test:25"], 1, NOTHING),
                (["-b", "a", "[2001:db8::25]:25"], 0,
                 a.replace("LOGIN", "any")),
                (["-b", "a", "elsewhere.test"], 1, NOTHING),
                (["-b", "ingroup", "group.test"], 0,
                 'accept user=group type=any scope="binding_group \\"g\\""'),
                (["-b", "ingroup", "smart.test"], 0,
                 "accept user=global type=any scope=outbound_smtp_auth"),
                (["-s", "ann@example.org", "-b", "a", "[relay.test]:587"], 0,
                 "accept user=ann type=PLAIN "
                 'scope="sender \\"ann@example.org\\" of binding \\"a\\""'),
                (["-s", "<bob@Example.ORG>", "-b", "a", "[relay.test]:587"],
                 0, "accept user=org type=any "
                 'scope="sender \\"@example.org\\""'),
                (["-s", "bob@example.com", "-b", "a", "[relay.test]:587"], 0,
                 a),
                (["-s", "<>", "-b", "a", "[relay.test]:587"], 0, a)):
            self.expect(arguments, status, text)

    def test_sender_without_nexthops(self):
        """Without a binding nothing says where a sender's mail goes."""
        self.write(SCOPES)
        self.expect(["-s", "ann@example.org", "relay.test"], 1,
                    NOTHING)
        # Postfix's look-up for the sender says nothing of the next hop.
        self.expect(["-s", "ann@example.org", "-b", "a", "elsewhere.test"], 0,
                    "accept user=ann type=PLAIN "
                    'scope="sender \\"ann@example.org\\" of binding \\"a\\""',
                    "warning: .* does not belong to elsewhere.test")

    def test_defer(self):
        self.write(SCOPES + """
domain "colon.test" {
    outbound_smtp_auth_user = "co:lon"
    outbound_smtp_auth_pass = "Secret-colon"
}
""")
        rc, out, _ = self.ask("-b", "nosuch", "relay.test")
        self.assertEqual(rc, 75)
        self.assertRegex(out, r"\Arelay.test defer .*\n\Z")
        rc, out, _ = self.ask("colon.test")
        self.assertEqual(rc, 75)
        self.assertRegex(out, r"\Acolon.test defer .*\n\Z")

    def test_secret_file(self):
        path = self.rig.path("pass")
        conf = ('domain "relay.test" { outbound_smtp_auth_user = "u"\n'
                f'outbound_smtp_auth_pass = "file:{path}" }}\n')
        self.write(conf)
        for content, status in ((None, 75), ("", 75), ("Secret\n", 0)):
            if content is not None:
                with open(path, "w", encoding="ascii") as file:
                    file.write(content)
            os.path.exists(path) and os.chmod(path, 0o600)
            rc, out, _ = self.ask("relay.test")
            self.assertEqual(rc, status, content)
            self.assertRegex(out, r"\Arelay.test (accept|defer) .*\n\Z")

    def rows(self, query, nexthops='"relay.test"'):
        """A database, and a configuration that asks it."""
        path = self.rig.path("accounts.db")
        if os.path.exists(path):
            os.unlink(path)
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE t (k, host, user, pass, type)")
            db.executemany("INSERT INTO t VALUES (?,?,?,?,?)", [
                ("one", "relay.test", "row", "Secret-row", "LOGIN"),
                ("null", "relay.test", "row", None, None),
                ("odd", "relay.test", "row", "Secret-row", "CRAM-MD5"),
                ("two", "relay.test", "row1", "Secret-row", None),
                ("two", "relay.test", "row2", "Secret-row", None)])
        db.close()
        keys = "".join(
            f'binding "{key}" {{ nexthops = {{{nexthops}}}\n'
            f'outbound_smtp_auth_key = "{key}" }}\n'
            for key in ("one", "null", "odd", "two", "none"))
        self.write(
            f'datasource "t" {{ uri = "sqlite:{path}" }}\n'
            f'outbound_smtp_auth {{ ds_cache = "t" query = "{query}"\n'
            f'nexthops = {{{nexthops}}} }}\n' + keys)

    def test_query(self):
        self.rows("SELECT user, pass, type FROM t WHERE k = :key")
        self.expect(["-b", "one", "relay.test"], 0,
                    "accept user=row type=LOGIN scope=query")
        self.expect(["-b", "one", "elsewhere.test"], 1,
                    NOTHING)
        self.expect(["-b", "none", "relay.test"], 1, NOTHING)
        for key in ("null", "odd", "two"):
            rc, out, _ = self.ask("-b", key, "relay.test")
            self.assertEqual(rc, 75, key)
            self.assertRegex(out, r"\Arelay.test defer .*\n\Z")
        os.rename(self.rig.path("accounts.db"), self.rig.path("gone"))
        rc, out, _ = self.ask("-b", "one", "relay.test")
        self.assertEqual(rc, 75)

    def test_usage(self):
        self.write(SEEDS)
        for arguments in ((), ("a", "b"), ("",), ("-x", "a"), ("-b",),
                          ("-s", "ann", "a"), ("-s", "ann@", "a"),
                          ("ann@example.org",), ("-H", "a", "b")):
            for first in (("outbound",), ("explain", "outbound")):
                with self.subTest((first, arguments)):
                    rc, out, err = self.ctl(*first, *arguments)
                    self.assertEqual((rc, out), (64, ""))
                    self.assertNotEqual(err, "")
        self.write("binding { }")
        rc, out, _ = self.ask("relay.test")
        self.assertEqual((rc, out), (78, ""))

    def test_odd_names(self):
        """What is no next hop has no credential and breaks no line."""
        self.write(SEEDS)
        for hop in ("unix:/path", "a\nb accept", "x" * 2000, "h\u00e4"):
            rc, out, _ = self.ask(hop)
            self.assertIn(rc, (1, 75))
            self.assertEqual(out.count("\n"), 1)
            self.assertNotIn("accept user", out)

    def test_explain(self):
        self.write(SCOPES)
        rc, out, err = self.ctl("explain", "outbound", "-s",
                                "bob@example.com", "-b", "a",
                                "[relay.test]:587")
        self.assertEqual((rc, err), (0, ""))
        where = [out.index(text) for text in (
            "Postfix asks map a for sender bob@example.com:",
            "Postfix asks map a for host relay.test:",
            "Postfix asks map a for next hop [relay.test]:587:",
            "asked with sender and next hop at once:",
            '\n[relay.test]:587 accept user="blanks')]
        self.assertEqual(where, sorted(where))
        self.assertIn('  domain "relay.test": type LOGIN\n', out)
        rc, out, _ = self.ctl("explain", "outbound", "-s", "ann@example.org",
                              "-b", "a", "[relay.test]:587")
        self.assertEqual(rc, 0)
        self.assertIn("Postfix does not ask for host relay.test\n"
                      "Postfix does not ask for next hop", out)
        rc, out, _ = self.ctl("explain", "outbound", "elsewhere.test")
        self.assertEqual(rc, 1)
        self.assertIn("outbound_smtp_auth: passed over", out)
        self.assertEqual(out.splitlines()[-1],
                         "elsewhere.test " + NOTHING)

    def test_type_of_a_sender(self):
        """That of its binding, although Postfix does not say where to."""
        self.write("""
binding "s" { nexthops = {"relay.test"} outbound_smtp_auth_type = "LOGIN"
    sender "ann@example.org" {
        outbound_smtp_auth_user = "ann" outbound_smtp_auth_pass = "Secret" } }
""")
        rc, out, err = self.ctl("explain", "outbound", "-s",
                                "ann@example.org", "-b", "s", "relay.test")
        self.assertEqual((rc, err), (0, ""))
        self.assertIn(
            '  binding "s": passed over, but for its type: the next hop is '
            'not known\n  binding "s": type LOGIN\n', out)
        self.assertIn("relay.test accept user=ann type=LOGIN ", out)

    def test_length_is_not_told(self):
        """Two passwords, one output."""
        outputs = set()
        for secret in ("x", "Secret" * 100):
            self.write(
                'domain "relay.test" { outbound_smtp_auth_user = "u"\n'
                f'outbound_smtp_auth_pass = "{secret}" }}\n')
            _, out, err = self.ctl("explain", "outbound", "relay.test")
            outputs.add(re.sub(self.rig.dir, "", out + err))
        self.assertEqual(len(outputs), 1, outputs)


if __name__ == "__main__":
    unittest.main()
