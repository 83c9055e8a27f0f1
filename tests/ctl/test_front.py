#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What postern-front asks of postern-milter: registering sessions, tying them
to milter sessions, contexts; the MTA and the front are played here."""
import os
import re
import secrets
import sys
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "milter"))

from mta import Mta  # noqa: E402
from rig import Rig, wait_for  # noqa: E402

PEERS = """
peer "192.0.2.0/24" {
    context = {"tenant=acme"}
    smtp_extensions = {"XCLIENT", "XREMOTEIP", "XSETCONTEXT", "XDUMPCONTEXT"}
}
peer "198.51.100.0/24" { context = {"tenant=else"} }
"""
NR_HELO, NR_MAIL, NO_UNKNOWN = 0x2000, 0x4000, 0x100


class Front(unittest.TestCase):
    def rig(self, top=PEERS, **more):
        """A rig that ends with the test."""
        rig = Rig(top=top, **more)
        self.addCleanup(rig.__exit__, None, None, None)
        rig.start()
        return rig

    def mta(self, rig, **more):
        """A connection of an MTA's that waits for replies."""
        mta = Mta(rig.socket, **more)
        self.addCleanup(mta.close)
        self.assertEqual(mta.reply(), "continue")  # HELO
        return mta

    @staticmethod
    def ask(rig, *words):
        """One request of a front: the lines of the answer, the last one."""
        request = " ".join(("front",) + words)
        lines = rig.ask_control(request.encode() + b"\n").decode("ascii")
        lines = lines.splitlines()
        return [line[1:] for line in lines[:-1]], lines[-1]

    def must(self, rig, *words):
        """One that succeeds."""
        lines, last = self.ask(rig, *words)
        self.assertEqual(last, "ok", words)
        return lines

    def session(self, rig, ip="192.0.2.9", xclient="yes"):
        """A session that is tied."""
        token = secrets.token_hex(16)
        self.must(rig, "begin", token, f"real={ip};4711",
                  f"xclient={xclient}")
        mta = self.mta(rig, ip=ip if xclient == "yes" else "127.0.0.1")
        self.assertEqual(mta.unknown("XPOSTERN-" + token), "continue")
        self.must(rig, "claimed", token)
        return token, mta

    def mail(self, mta, sender, **macros):
        """MAIL and its reply."""
        mta.mail(sender, **macros)
        self.assertEqual(mta.reply(), "continue")


class Dump(Front):
    def test_transcript(self):
        """The lines of the listener that this takes after, in their order."""
        rig = self.rig()
        token, mta = self.session(rig)
        mta.helo("there")
        self.must(rig, "hello", token, "ehlo+20there")
        lines = self.must(rig, "dump", token)
        want = ["[connection] ehlo_domain there",
                "[connection] ehlo_string ehlo there"]
        self.assertEqual([x for x in lines if x in want], want)

    def test_variables(self):
        rig = self.rig(relay_hosts='"192.0.2.77"')
        token, mta = self.session(rig)
        self.assertEqual(self.must(rig, "dump", token), [
            "[connection] tenant acme", "[connection] client_ip 192.0.2.9",
            "[connection] client_name client.test",
            "[connection] ehlo_domain client.test"])
        mta.helo("again.test", **{
            "tls_version": "TLSv1.3", "cipher": "AES", "cipher_bits": "256",
            "alg_bits": "256", "cert_subject": "CN+20x", "verify": "NO"})
        self.mail(mta, "<ann@client.test>", auth_type="PLAIN",
                  auth_authen="ann")
        self.assertEqual(mta.rcpt("<Bob@Example.org>"), "continue")
        self.assertEqual(mta.rcpt("<carl@example.org>"), "continue")
        lines = self.must(rig, "dump", token)
        self.assertEqual(sorted(lines), sorted([
            "[connection] tenant acme", "[connection] client_ip 192.0.2.9",
            "[connection] client_name client.test",
            "[connection] ehlo_domain again.test", "[connection] tls true",
            "[connection] tls_cipher AES",
            "[connection] tls_cipher_algbits 256",
            "[connection] tls_cipher_usebits 256",
            "[connection] tls_client_cert_subject CN+2B20x",
            "[connection] auth_name PLAIN", "[connection] auth_user ann",
            "[connection] auth_status pass", "[connection] can_relay true",
            "[connection] connection_message_count 1",
            "[connection] connection_rcpt_count 2",
            "[connection] message_rcpt_count 2",
            "[message] mailfrom_string ann@client.test",
            "[message] mailfrom_localpart ann",
            "[message] mailfrom_domain client.test",
            "[message] rcptto_string carl@example.org",
            "[message] rcptto_localpart carl",
            "[message] rcptto_domain example.org",
            "[message] smtp_rcptto_proxy_result skip"]))
        # the message is over; the connection is not
        mta.abort()
        self.mail(mta, "<>")
        lines = self.must(rig, "dump", token)
        self.assertEqual([x for x in lines if x.startswith("[message]")],
                         ["[message] mailfrom_string "])
        self.assertIn("[connection] connection_message_count 2", lines)
        self.assertIn("[connection] connection_rcpt_count 2", lines)
        self.assertIn("[connection] message_rcpt_count 0", lines)

    def test_result_of_the_last(self):
        rig = self.rig()
        token, mta = self.session(rig)
        self.mail(mta, "<>")
        for local, word in (("bob", "pass"), ("unknown", "fail"),
                            ("temp", "transient"), ("bob", "pass")):
            mta.rcpt(f"<{local}@example.org>")
            self.assertIn(f"[message] smtp_rcptto_proxy_result {word}",
                          self.must(rig, "dump", token))
        mta.rcpt("<bob@elsewhere.test>")
        self.assertIn("[message] smtp_rcptto_proxy_result skip",
                      self.must(rig, "dump", token))

    def test_relay_hosts_and_anonymous(self):
        rig = self.rig(relay_hosts='"192.0.2.9"')
        token, mta = self.session(rig)
        self.assertIn("[connection] can_relay true",
                      self.must(rig, "dump", token))
        rig = self.rig()
        token, mta = self.session(rig)
        self.assertNotIn("[connection] can_relay true",
                         self.must(rig, "dump", token))
        self.mail(mta, "<>", auth_type="XCLIENT", auth_authen="anonymous")
        lines = self.must(rig, "dump", token)
        self.assertIn("[connection] auth_user anonymous", lines)
        self.assertIn("[connection] can_relay true", lines)
        # and is asked about, like anybody
        self.assertRegex(mta.rcpt("<unknown@example.org>"), "^550 5.1.1 ")

    def test_long_and_odd(self):
        rig = self.rig()
        token, _ = self.session(rig)
        self.must(rig, "set", token, "long=" + "x" * 1024,
                  "odd=" + "+FF" * 1024, "plus=a+2B", "blank=a+20")
        lines = self.must(rig, "dump", token)
        for line in lines:
            self.assertLess(len(line) + len("250-\r\n"), 512)
            self.assertTrue(line.isascii() and line.isprintable())
        long = [x for x in lines if x.startswith("[connection] long ")]
        self.assertEqual(
            "".join(x[18:].rstrip("+") for x in long), "x" * 1024)
        self.assertEqual([x.endswith("+") for x in long],
                         [True, True, False])
        self.assertIn("[connection] plus a+2B", lines)
        self.assertIn("[connection] blank a+20", lines)


class Set(Front):
    def test_whole_or_nothing(self):
        rig = self.rig()
        token, _ = self.session(rig)
        self.must(rig, "set", token, "option1=value1", "option2=value2")
        before = self.must(rig, "dump", token)
        for words, reply in (
                (["a=1", "b"], "501 5.5.4 not of the form name=value"),
                (["=1"], "501 5.5.4 no name before the ="),
                (["a=1", "b=+0D+0A"],
                 "501 5.5.4 b: control character in the value"),
                (["b=+00"], "501 5.5.4 b: control character in the value"),
                (["b=+4"], "501 5.5.4 b: value is not xtext"),
                (["a=1", "can_relay=true"],
                 "550 5.7.1 can_relay may not be set here"),
                (["a=1", "__bypass_smtp_rcptto_proxy=true"],
                 "550 5.7.1 __bypass_smtp_rcptto_proxy may not be set here"),
                ([f"n{i}=1" for i in range(1000)],
                 "452 4.5.3 n62: too many names")):
            self.assertEqual(self.ask(rig, "set", token, *words),
                             ([], "error: " + reply))
        self.assertEqual(self.must(rig, "dump", token), before)
        self.must(rig, "set", token, *(f"a={i}" for i in range(1000)))
        self.assertIn("[connection] a 999", self.must(rig, "dump", token))

    def test_bypass_by_set(self):
        rig = self.rig(top='peer "192.0.2.0/24" { smtp_extensions = '
                       'XSETCONTEXT setcontext_names = {"__bypass_*"} }')
        token, mta = self.session(rig)
        self.mail(mta, "<>")
        self.assertRegex(mta.rcpt("<unknown@example.org>"), "^550 5.1.1 ")
        self.must(rig, "set", token, "__bypass_smtp_rcptto_proxy=true")
        self.assertEqual(mta.rcpt("<unknown@example.org>"), "continue")
        self.assertEqual(self.ask(rig, "set", token, "a=1")[1],
                         "error: 550 5.7.1 a may not be set here")

    def test_log(self):
        rig = self.rig()
        token, mta = self.session(rig)
        self.must(rig, "set", token, "tenant=mine", "db_pass=sesame",
                  "x=a+20b")
        self.must(rig, "set", token, "tenant=other")
        self.mail(mta, "<>")
        mta.rcpt("<bob@example.org>")
        mta.end(i="4XyZ12")
        log = rig.log()
        for line in (
                "extension: command=XSETCONTEXT client=192.0.2.9 "
                "real=192.0.2.9 name=tenant value=mine was=acme by=peer\n",
                'name=x value="a b"\n', "name=db_pass value=********\n",
                "name=tenant value=other was=mine by=xsetcontext\n",
                "context: id=4XyZ12 client=192.0.2.9 real=192.0.2.9 "
                'xsetcontext="tenant=other" xsetcontext="db_pass=********" '
                'xsetcontext="x=a b" mta="mailfrom_string=" '
                'mta="rcptto_string=bob@example.org" '
                'mta="rcptto_localpart=bob" mta="rcptto_domain=example.org" '
                'mta="client_ip=192.0.2.9" mta="client_name=client.test" '
                'mta="ehlo_domain=client.test" '
                'mta="connection_message_count=1" '
                'mta="message_rcpt_count=1" mta="connection_rcpt_count=1" '
                'milter="smtp_rcptto_proxy_result=pass"\n'):
            self.assertIn(line, log)
        self.assertNotIn("sesame", log)

    def test_peer_context_log(self):
        """A session that no front has; one line a message."""
        rig = self.rig(top='peer "192.0.2.0/24" { context = "tenant=acme" }')
        mta = Mta(rig.socket)
        self.addCleanup(mta.close)
        for number in range(2):
            mta.mail("<>")
            mta.rcpt("<bob@example.org>")
            mta.end(i=f"QID{number}")
        mta = Mta(rig.socket, ip="203.0.113.1")
        self.addCleanup(mta.close)
        mta.mail("<>")
        mta.rcpt("<bob@example.org>")
        mta.end(i="QID9")
        self.assertEqual(
            re.findall("context: .*", rig.log()),
            ['context: id=QID0 client=192.0.2.9 peer="tenant=acme"',
             'context: id=QID1 client=192.0.2.9 peer="tenant=acme"'])


class Moves(Front):
    def test_survives(self):
        """XREMOTEIP, twice: the milter's session ends each time."""
        rig = self.rig()
        token, mta = self.session(rig)
        self.must(rig, "set", token, "campaign=x")
        self.must(rig, "hello", token, "EHLO+20there")
        self.mail(mta, "<>")
        mta.rcpt("<bob@example.org>")
        mta.abort()
        for ip, tenant in (("198.51.100.3", "else"), ("2001:db8::3", None)):
            new = secrets.token_hex(16)
            self.must(rig, "move", token, new, f"seen={ip}",
                      "by=XREMOTEIP")
            mta.abort()
            mta.close()
            mta = self.mta(rig, ip=ip)
            self.assertEqual(self.ask(rig, "alive", new)[1],
                             "error: 421 4.3.2 no such session")
            mta.unknown("XPOSTERN-" + new)
            token = new
            self.must(rig, "alive", token)
            lines = self.must(rig, "dump", token)
            for line in (f"client_ip {ip}", "campaign x",
                         "ehlo_string EHLO there"):
                self.assertIn("[connection] " + line, lines)
            self.assertEqual(
                [x for x in lines if "tenant" in x],
                [f"[connection] tenant {tenant}"] if tenant else [])
            # the right is the real client's, whoever it passes for
            self.must(rig, "set", token, "more=y")
        self.mail(mta, "<>")
        mta.rcpt("<bob@example.org>")
        self.assertIn("[connection] connection_rcpt_count 2",
                      self.must(rig, "dump", token))
        self.assertIn("extension: command=XREMOTEIP client=2001:db8::3 "
                      "real=192.0.2.9 was=198.51.100.3\n", rig.log())
        self.must(rig, "end", token)
        self.must(rig, "end", token)
        rig.stop()

    def test_milter_restart(self):
        """A front learns that its context is gone."""
        rig = self.rig()
        token, mta = self.session(rig)
        self.must(rig, "alive", token)
        rig.stop()
        rig.start()
        self.assertEqual(self.ask(rig, "alive", token)[1],
                         "error: 421 4.3.2 no such session")
        mta.close()

    def test_end_of_the_milter_session(self):
        rig = self.rig()
        token, mta = self.session(rig)
        mta.close()
        wait_for(lambda: self.ask(rig, "alive", token)[1] != "ok",
                 "the session to end")
        self.assertIn("front_sessions=0 front_sessions_pending=0",
                      rig.ctl("status").stdout)

    def test_stop_with_sessions(self):
        """The registry goes while milter sessions are there still."""
        rig = self.rig()
        for _ in range(20):
            self.session(rig)
        rig.stop()

    def test_many_at_once(self):
        rig = self.rig()
        failed = []

        def one(number):
            try:
                token, mta = self.session(rig)
                for i in range(5):
                    self.must(rig, "set", token, f"n={number}.{i}")
                    self.mail(mta, f"<s{number}@client.test>")
                    lines = self.must(rig, "dump", token)
                    self.assertIn(f"[connection] n {number}.{i}", lines)
                    self.assertIn(
                        f"[message] mailfrom_localpart s{number}", lines)
            except Exception as why:  # pylint: disable=broad-except
                failed.append(why)

        threads = [threading.Thread(target=one, args=(number,))
                   for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])
        rig.stop()


class Strangers(Front):
    def test_negotiation(self):
        """Unknown commands are asked for only where a front can be."""
        plain = Mta(self.rig(top="").socket)
        self.addCleanup(plain.close)
        for step in (NR_HELO, NR_MAIL, NO_UNKNOWN):
            self.assertEqual(plain.steps & step, step)
        asked = Mta(self.rig().socket)
        self.addCleanup(asked.close)
        for step in (NR_HELO, NR_MAIL, NO_UNKNOWN):
            self.assertEqual(asked.steps & step, 0)

    def test_unknown_commands(self):
        """Whoever types them has the MTA's own answer, and nothing else."""
        rig = self.rig()
        mta = self.mta(rig, ip="203.0.113.1")
        for command in ("XDUMPCONTEXT", "XSETCONTEXT a=1", "XPOSTERN-",
                        "XPOSTERN-" + "0" * 32, "x" * 5000, "\xff\x01",
                        "XPOSTERN-" + "g" * 32):
            self.assertEqual(mta.unknown(command), "continue")
        self.mail(mta, "<>")
        self.assertEqual(mta.rcpt("<bob@example.org>"), "continue")
        self.assertIn("token of a front session refused: client "
                      "203.0.113.1: nobody has registered it", rig.log())

    def test_stolen_token(self):
        rig = self.rig()
        token = secrets.token_hex(16)
        self.must(rig, "begin", token, "real=192.0.2.9;1", "xclient=yes")
        thief = self.mta(rig, ip="203.0.113.1")
        self.assertEqual(thief.unknown("XPOSTERN-" + token), "continue")
        mta = self.mta(rig)
        mta.unknown("XPOSTERN-" + token)
        self.assertEqual(self.ask(rig, "claimed", token)[1],
                         "error: 421 4.3.2 no such session")

    def test_bad_requests(self):
        rig = self.rig()
        token, _ = self.session(rig)
        for words, reply in (
                ([], "501 5.5.4 not a request of a front"),
                (["begin"], "501 5.5.4 not a request of a front"),
                (["begin", "x", "real=192.0.2.1;1"],
                 "501 5.5.4 a token has 32 of 0-9 a-f"),
                (["begin", "0" * 32, "seen=192.0.2.1"],
                 "501 5.5.4 real= is missing"),
                (["begin", "0" * 32, "reel=192.0.2.1;1"],
                 "501 5.5.4 reel=192.0.2.1;1: not known"),
                (["begin", "0" * 32, "xclient=maybe"],
                 "501 5.5.4 xclient=maybe: not known"),
                (["begin", "0" * 32, "login=+00"],
                 "501 5.5.4 login=+00: not known"),
                (["hello", token, "x+00"],
                 "501 5.5.4 not xtext, or too long"),
                (["hello", token, "x+0Ay"],
                 "501 5.5.4 not the line of a command"),
                (["alive", token, "x"],
                 "501 5.5.4 not a request of a front"),
                (["fly", token], "501 5.5.4 not a request of a front"),
                (["tls", token, "auth_user=x"],
                 "550 5.7.1 auth_user may not be set here")):
            self.assertEqual(self.ask(rig, *words), ([], "error: " + reply))
        for octets in (b"front set " + b"x" * 1000000 + b"\n",
                       b"front set " + token.encode() + b" a=\0b\n"):
            self.assertEqual(rig.ask_control(octets),
                             b"error: not a request of one line\n")
        self.assertEqual(
            self.ask(rig, "set", token, "a=b\rc")[1],
            "error: 501 5.5.4 a: value is not xtext")


class WithoutXclient(Front):
    """An MTA that takes whoever comes through the front for a local one."""

    TOP = PEERS + 'domain "routed.test" { smtp_rcptto_proxy { host = ' \
                  '{"127.0.0.1:1"} } }\n'

    def test_no_relay(self):
        rig = self.rig(top=self.TOP, relay_hosts='"127.0.0.0/8", "192.0.2.9"',
                       options="mode = observe")
        token, mta = self.session(rig, xclient="no")
        self.must(rig, "hello", token, "EHLO+20there")
        self.mail(mta, "<>")
        for rcpt in ("bob@elsewhere.test", "bob%elsewhere.test@example.org",
                     "@example.org:bob@elsewhere.test", "bob",
                     "elsewhere.test!bob", '"bob@elsewhere.test"@example.org'):
            self.assertEqual(mta.rcpt(f"<{rcpt}>"),
                             "550 5.7.1 Relaying denied", rcpt)
        self.assertEqual(mta.rcpt("<bob@example.org>"), "continue")
        self.assertEqual(mta.rcpt("<postmaster>"), "continue")
        self.assertNotIn("can_relay", "".join(self.must(rig, "dump", token)))
        # those who have logged in may relay, but not `anonymous`
        mta.abort()
        self.mail(mta, "<>", auth_authen="anonymous", auth_type="PLAIN")
        self.assertEqual(mta.rcpt("<bob@elsewhere.test>"),
                         "550 5.7.1 Relaying denied")
        mta.abort()
        self.mail(mta, "<>", auth_authen="ann", auth_type="PLAIN")
        self.assertEqual(mta.rcpt("<bob@elsewhere.test>"), "continue")

    def test_perceived_address(self):
        """The milter alone knows it: for peers, relay_hosts, the upstream."""
        rig = self.rig(top=self.TOP, relay_hosts='"198.51.100.0/24"')
        token, mta = self.session(rig, xclient="no")
        self.assertEqual(self.must(rig, "dump", token), [
            "[connection] client_ip 192.0.2.9",
            "[connection] ehlo_domain client.test",
            "[connection] tenant acme"])
        self.mail(mta, "<>")
        self.assertRegex(mta.rcpt("<unknown@example.org>"), "^550 5.1.1 ")
        self.assertRegex(rig.log(), "verify: client=192.0.2.9 .*unknown@")
        mta.abort()
        self.must(rig, "seen", token, "198.51.100.3")
        self.assertIn("[connection] tenant else",
                      self.must(rig, "dump", token))
        self.mail(mta, "<>")
        self.assertEqual(mta.rcpt("<unknown@example.org>"), "continue")
        self.assertRegex(rig.log(), "verify: client=198.51.100.3 .*unknown@")
        self.assertEqual(
            self.ask(rig, "move", token, secrets.token_hex(16))[1],
            "error: 503 5.5.1 the MTA has no XCLIENT")
        rig.stop()


if __name__ == "__main__":
    unittest.main()
