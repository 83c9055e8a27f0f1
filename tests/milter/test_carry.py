#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Credentials that a message brings with it, with the macros of Postfix and of
Sendmail; postern-authd's control socket is played here."""
import os
import re
import socket
import struct
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from mta import Mta  # noqa: E402
from rig import MILTER, Rig, wait_for  # noqa: E402

ID = "5AKGbX1s012345"
POSTFIX = {"v": "Postfix 3.7.11"}
SENDMAIL = {"v": "8.17.1.9", "opMode": "d"}
REPLY = "451 4.7.0 Message cannot be taken now, try again later"
PASS = "hush4321"
USER = "outbound_smtp_auth_user"
ON = "outbound_smtp_auth { message_credentials = true }"
OTHER = "<bob@elsewhere.test>"


def peer(*pairs, ip="192.0.2.9"):
    """A section that sets these."""
    return f'peer "{ip}" {{ context = {{' + ", ".join(
        f'"{pair}"' for pair in pairs) + "} }\n"


def auth(**values):
    """outbound_smtp_auth_NAME=VALUE each."""
    return [f"outbound_smtp_auth_{name}={value}"
            for name, value in values.items()]


def address(number):
    """Of a client that has a peer section of its own."""
    return f"198.51.100.{number + 1}"


def peers(cases):
    """A section for each list of pairs."""
    return "".join(peer(*pairs, ip=address(number))
                   for number, pairs in enumerate(cases))


BOTH = auth(**{"user": "ann", "pass": PASS})


class Authd:
    """Answers requests of the control socket."""

    def __init__(self, path, answer="ok\n"):
        self.requests = []
        self.answer = answer
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        """Listen no more."""
        self._listener.close()

    def _serve(self):
        held = []
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            line = b""
            while not line.endswith(b"\n"):
                more = sock.recv(65536)
                if not more:
                    break
                line += more
            self.requests.append(line.decode("ascii").rstrip("\n"))
            if self.answer is None:
                held.append(sock)  # never answered
                continue
            sock.sendall(self.answer.encode())
            sock.close()


class Carry(unittest.TestCase):
    def rig(self, top, answer="ok\n", authd=True, level="debug"):
        """A rig that ends with the test, and a postern-authd."""
        rig = Rig(top=top, level=level)
        self.addCleanup(rig.__exit__, None, None, None)
        self.authd = None
        if authd:
            self.authd = Authd(rig.path("authd-control"), answer)
            self.addCleanup(self.authd.close)
        rig.start("-v")
        return rig

    def send(self, rig, macros, at_mail=ID, at_end=ID, ip="192.0.2.9"):
        """A message; what the milter says to it, at its end."""
        with Mta(rig.socket, ip=ip) as mta:
            if not mta.steps & 0x4000:
                self.assertEqual(mta.reply(), "continue")
            mta.mail("<ann@client.test>",
                     **({"i": at_mail} if at_mail else {}), **macros)
            if not mta.steps & 0x4000:
                self.assertEqual(mta.reply(), "continue")
            self.assertEqual(mta.rcpt(OTHER), "continue")
            mta.macros("E", {"i": at_end})
            return mta.message()[1]

    def check_silent(self, rig):
        """The password is in no log."""
        self.assertNotIn(PASS, rig.log())

    def refused(self, rig, reason, macros, ip="192.0.2.9", **more):
        """A message is deferred, for that reason, and nobody was told."""
        before = rig.log()
        self.assertEqual(self.send(rig, macros, ip=ip, **more), REPLY)
        self.assertEqual(self.authd.requests, [])
        line = re.findall(r"warning: (outbound: .*)",
                          rig.log()[len(before):])
        self.assertEqual(len(line), 1, rig.log())
        for part in (f"client={ip}", "from=<ann@client.test>",
                     "verdict=defer", reason):
            self.assertIn(part, line[0])
        self.check_silent(rig)


class Refused(Carry):
    def test_postfix(self):
        """Whatever is configured: each name by itself, and together."""
        every = ["user", "pass", "type", "key"]
        cases = [[name] for name in every] + [every]
        for top in ("", ON):
            rig = self.rig(top + peers(
                auth(**{name: PASS if name == "pass" else "x"
                        for name in names}) for names in cases))
            for number, names in enumerate(cases):
                for values in (POSTFIX, {"v": "postfix 4"},
                               {**SENDMAIL, **POSTFIX}):
                    self.refused(
                        rig, "Postfix cannot be told of one message's: " +
                        ", ".join("outbound_smtp_auth_" + name
                                  for name in names),
                        values, ip=address(number), at_mail=None)
            rig.stop()

    def test_off(self):
        rig = self.rig(peer(*BOTH))
        self.refused(rig, "message_credentials is off: outbound_smtp_auth_"
                     "user, outbound_smtp_auth_pass", SENDMAIL)
        rig.stop()

    def test_unsure(self):
        """Macros that anybody can set in main.cf are not enough."""
        rig = self.rig(ON + peer(*BOTH))
        for macros, at_mail, at_end in (
                ({}, ID, ID), ({"v": "8.17.1"}, ID, ID),
                ({"opMode": "d"}, ID, ID),
                ({"v": "Mail 3", "opMode": "d"}, ID, ID),
                ({"v": "18.17.1", "opMode": "d"}, ID, ID),
                (SENDMAIL, None, ID), (SENDMAIL, ID, ID + "1")):
            self.refused(rig, "the MTA is not known to be Sendmail", macros,
                         at_mail=at_mail, at_end=at_end)
        for bad in ("a" * 65, "4XyZ-12", "a/b", "a b"):
            self.refused(rig, "not a queue id", SENDMAIL, at_mail=bad,
                         at_end=bad)
        rig.stop()

    def test_values(self):
        cases = (
            (auth(user="ann"), USER + " without outbound_smtp_auth_pass"),
            (auth(user="ann", **{"pass": "false"}),
             USER + " without outbound_smtp_auth_pass"),
            (auth(**{"pass": PASS}),
             "outbound_smtp_auth_pass without " + USER),
            (auth(**{"pass": PASS, "user": ""}),
             "outbound_smtp_auth_pass without " + USER),
            (auth(type="CRAM-MD5"), "neither PLAIN nor LOGIN"),
            (auth(type="PLAINER"), "neither PLAIN nor LOGIN"),
            (auth(**{"user": "u" * 256, "pass": PASS}),
             USER + " is too long"))
        rig = self.rig(ON + peers(pairs for pairs, _ in cases) +
                       peer(*BOTH, "binding=a-b"))
        for number, (_, reason) in enumerate(cases):
            self.refused(rig, reason, SENDMAIL, ip=address(number))
        # that is said before, about the header
        self.assertRegex(self.send(rig, SENDMAIL), "^451 4.3.0 ")
        self.assertEqual(self.authd.requests, [])
        rig.stop()

    def test_authd(self):
        """It says no, nothing, nonsense, or is not there."""
        for answer, reason in (
                ("error: too many messages\n", "too many messages"),
                ("", "closed without an answer"), ("maybe\n", "reason="),
                ("okay\n", "reason=")):
            rig = self.rig(ON + peer(*BOTH), answer)
            self.assertEqual(self.send(rig, SENDMAIL), REPLY, answer)
            self.assertIn(reason, rig.log())
            self.assertEqual(len(self.authd.requests), 1)
            self.check_silent(rig)
            rig.stop()
        rig = self.rig(ON + peer(*BOTH), authd=False)
        self.assertEqual(self.send(rig, SENDMAIL), REPLY)
        self.assertIn("authd-control: No such file", rig.log())
        rig.stop()

    def test_authd_hangs(self):
        """For a few seconds, and others do not wait."""
        rig = self.rig(ON + peer(*BOTH), None)
        begin, replies = time.monotonic(), []
        thread = threading.Thread(target=lambda: replies.append(
            self.send(rig, SENDMAIL)))
        thread.start()
        wait_for(lambda: self.authd.requests, "the request", 30)
        self.assertEqual(self.send(rig, SENDMAIL, ip="192.0.2.10"),
                         "continue")
        self.assertTrue(not replies or time.monotonic() - begin > 4)
        thread.join()
        self.assertEqual(replies, [REPLY])
        self.assertGreater(time.monotonic() - begin, 4)
        self.assertIn("the daemon does not answer", rig.log())
        rig.stop()


class Kept(Carry):
    def test_request(self):
        long = "p" * 1024
        cases = (
            (BOTH, f"user=ann pass={PASS}"),
            (auth(**{"user": "ann smith=+", "pass": "grün %s\\\\ x"}),
             "user=ann+20smith+3D+2B pass=gr+C3+BCn+20%s\\+20x"),
            (auth(**{"user": "u" * 255, "pass": long, "type": "login",
                     "key": long}) + ["binding=" + "b" * 64],
             "user=" + "u" * 255 + f" pass={long} type=login key={long} "
             "binding=" + "b" * 64),
            (auth(**{"user": "ü" * 127, "pass": "ü" * 512,
                     "key": "ü" * 512}),
             "user=" + "+C3+BC" * 127 + " pass=" + "+C3+BC" * 512 +
             " key=" + "+C3+BC" * 512),
            (auth(type="Plain"), "type=Plain"),
            (auth(key="k"), "key=k"),
            (BOTH + auth(type="false", key=""), f"user=ann pass={PASS}"),
            (auth(**{"user": "ann", "pass": "file:/etc/passwd"}),
             "user=ann pass=file:/etc/passwd"),
            (["binding=a"], "binding=a"))
        rig = self.rig(ON + peers(pairs for pairs, _ in cases))
        for number, (pairs, want) in enumerate(cases):
            self.assertEqual(
                self.send(rig, SENDMAIL, ip=address(number)), "continue",
                pairs)
            self.assertEqual(self.authd.requests[number:],
                             [f"outbound put {ID} {want}"])
            line = re.findall(r"milter: (outbound: .*)", rig.log())
            self.assertEqual(len(line), number + 1)
            for part in (f"id={ID}", f"client={address(number)}",
                         "from=<ann@client.test>", "verdict=kept"):
                self.assertIn(part, line[-1])
        self.check_silent(rig)
        self.assertNotIn("grün", rig.log())
        rig.stop()

    def test_nothing_to_carry(self):
        """Neither MTA is bothered, nor is postern-authd."""
        unset = auth(**{"user": "false", "pass": "", "type": "FALSE"})
        for top, cases in (
                (ON, ((unset, POSTFIX), (unset, SENDMAIL),
                      (["binding=false"], SENDMAIL), (["tenant=acme"], {}),
                      (["binding=a"], POSTFIX))),
                ("", ((["binding=a"], SENDMAIL), (["binding=a"], {})))):
            rig = self.rig(top + peers(pairs for pairs, _ in cases))
            for number, (pairs, macros) in enumerate(cases):
                self.assertEqual(
                    self.send(rig, macros, ip=address(number)), "continue",
                    pairs)
            self.assertEqual(self.authd.requests, [])
            self.assertNotIn("outbound:", rig.log())
            rig.stop()

    def test_each_message(self):
        """Two messages of a session: each with its own queue id."""
        rig = self.rig(ON + peer(*BOTH))
        with Mta(rig.socket) as mta:
            for number in range(3):
                mta.mail("<ann@client.test>", i=f"id{number}", **SENDMAIL)
                self.assertEqual(mta.rcpt(OTHER), "continue")
                self.assertEqual(mta.end(), "continue")
        self.assertEqual(
            [line.split()[2] for line in self.authd.requests],
            ["id0", "id1", "id2"])
        rig.stop()


class Negotiation(Carry):
    def asked(self, rig):
        """What the MTA is asked for: actions, steps, and macros by stage."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(rig.socket)
            sock.sendall(struct.pack(">IcIII", 13, b"O", 6, 0x1ff, 0x1fffff))
            size = struct.unpack(">I", sock.recv(4))[0]
            octets = b""
            while len(octets) < size:
                octets += sock.recv(size - len(octets))
        _, actions, steps = struct.unpack(">III", octets[1:13])
        macros, rest = {}, octets[13:]
        while rest:
            stage = struct.unpack(">I", rest[:4])[0]
            text, rest = rest[4:].split(b"\0", 1)
            macros[stage] = text.decode()
        return actions, steps, macros

    def test_only_where_wanted(self):
        """Nothing more is asked of the MTA unless somebody can set it."""
        may = ('peer "192.0.2.9" { smtp_extensions = {"XSETCONTEXT"} '
               "setcontext_names = {")
        plain = self.asked(self.rig(""))
        for top, wanted in (
                (ON, False),
                (peer("tenant=a"), False),
                (ON + peer("tenant=a"), False),
                (peer("outbound_smtp_auth_username=a"), False),
                (peer("binding=a"), False),
                (ON + peer("binding=a"), True),
                (peer(*auth(key="k")), True),
                (peer(*auth(**{"pass": "x"})), True),
                (may + '"*"} }', False), (may + '"outbound*"} }', False),
                (may + '"outbound_*"} }', True),
                (may + '"outbound_smtp_auth_type"} }', True),
                (may + '"binding"} }', False),
                (ON + may + '"binding"} }', True)):
            rig = self.rig(top, authd=False)
            actions, steps, macros = self.asked(rig)
            self.assertEqual("v {opMode}" in macros.get(2, ""), wanted, top)
            if "binding" not in top and "XSET" not in top:
                self.assertEqual((actions, steps), plain[:2], top)
                self.assertEqual(
                    {**macros, 5: "", 2: macros[2].replace(
                        " v {opMode}", "")}, {**plain[2], 5: ""}, top)
            rig.stop()


class Shown(Carry):
    def test_configuration(self):
        """-n masks it; so does a dump; a header of it is refused."""
        rig = Rig(top=peer(*BOTH))
        self.addCleanup(rig.__exit__, None, None, None)
        done = rig.run([MILTER, "-n", "-c", rig.conf])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('"outbound_smtp_auth_pass=********"', done.stdout)
        self.assertNotIn(PASS, done.stdout + done.stderr)
        os.chmod(rig.conf, 0o644)
        done = rig.run([MILTER, "-n", "-c", rig.conf])
        self.assertIn("outbound_smtp_auth_pass: everybody on this machine "
                      "can read this file", done.stderr)
        self.assertNotIn(PASS, done.stdout + done.stderr)
        rig.top = 'tag "X-A" { variable = "outbound_smtp_auth_pass" }'
        rig.write_conf()
        done = rig.run([MILTER, "-n", "-c", rig.conf])
        self.assertEqual(done.returncode, 78, done.stderr)

    def test_ctl_and_log(self):
        """posternctl, and the log at debug, with tags beside it."""
        rig = self.rig(ON + 'tag "X-User" { variable = "' + USER + '" }\n'
                       "authentication_results = true\n" + peer(*BOTH))
        with Mta(rig.socket) as mta:
            mta.mail("<ann@client.test>", i=ID, **SENDMAIL)
            self.assertEqual(mta.rcpt(OTHER), "continue")
            mta.send("E")
            done, said = b"", []
            while not said or said[-1] not in ("c", "y", "t"):
                command, octets = mta.packet()
                said.append(command)
                done += octets
            self.assertEqual(said[-1], "c")
            self.assertIn(b"X-User\0ann\0", done)
            self.assertNotIn(PASS.encode(), done)
            for words in (["status"], ["stats"], ["cache", "show"],
                          ["explain", "rcpt", "bob@example.org"]):
                out = rig.ctl(*words)
                self.assertNotIn(PASS, out.stdout + out.stderr)
        self.assertIn("outbound_smtp_auth_pass=********", rig.log())
        self.check_silent(rig)
        rig.stop()


if __name__ == "__main__":
    unittest.main()
