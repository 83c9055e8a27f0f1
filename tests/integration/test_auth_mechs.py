# SPDX-License-Identifier: BSD-2-Clause
"""Mechanisms whose messages are relayed: the password, or the token, is known
to the client and to the server behind, and proven through the edge."""
import time

from harness import (auth_gate, dovecot, logins, scripted, smtpclient,
                     submission)
from harness.auth_gate import AuthGate
from harness.case import check, contains, equal, wait_for

USER = "ann@example.org"
PASSWORD = "correct horse"
TOKEN = "ya29.token-of-ann"
ALL = {"PLAIN": logins.plain, "LOGIN": logins.login,
       "CRAM-MD5": logins.cram_md5, "SCRAM-SHA-1": logins.scram_sha1,
       "SCRAM-SHA-256": logins.scram, "XOAUTH2": logins.xoauth2,
       "OAUTHBEARER": logins.oauthbearer}
OAUTH = ("XOAUTH2", "OAUTHBEARER")


def recipe(names):
    """smtpd.conf for more than passwords."""
    listed = " ".join(names)
    return (f"postern_socket: postern/auth\npostern_mechs: {listed}\n"
            f"mech_list: {listed}\n")


def options(names, text=""):
    """postern.conf for the same."""
    listed = ", ".join(f'"{name}"' for name in names)
    return f"mechanisms = {{{listed}}} {text}"


class Rig:
    """An edge that relays these mechanisms to an upstream."""

    def __init__(self, case, names, port, text=""):
        self.names = list(names)
        self.gate = AuthGate(
            case, auth_gate.route(port, options(names, text)),
            recipe=recipe(names))

    def secret(self, name):
        """What is right for a mechanism."""
        return TOKEN if name in OAUTH else PASSWORD

    def expect_all(self, user=USER):
        """Good, bad, good again, each in a session of its own; then all in
        one session."""
        for name in self.names:
            for given, code in ((self.secret(name), 235),
                                (self.secret(name) + "x", 535),
                                (self.secret(name), 235)):
                self.gate.expect(user, given, code, ALL[name])
            line = self.gate.authd.auth_line(user, f"mech={name}")
            equal(line["verdict"], "accept", name)
            equal(line["code"], "235", name)
        with smtpclient.Client(self.gate.port, helo="client.test") as client:
            for name in self.names:
                reply = ALL[name](client, user, self.secret(name) + "x")
                equal(reply.code, 535, f"{name} in one session ({reply!r})")
            reply = ALL[self.names[-1]](
                client, user, self.secret(self.names[-1]))
            equal(reply.code, 235, "at last")


def test_dovecot(case):
    """All of them with Dovecot."""
    server = dovecot.Dovecot(case, {USER: PASSWORD}, tokens={TOKEN: USER})
    rig = Rig(case, ALL, server.port)
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        offered = [line.split()[1:] for line in client.keywords
                   if line.startswith("AUTH")]
    equal([sorted(words) for words in offered], [sorted(ALL)], "offered")
    rig.expect_all()
    check(TOKEN in server.tokens.asked, "nobody asked about the token")


def test_postfix(case):
    """Those that Postfix has, with Postfix."""
    server = submission.Submission(case, {USER: PASSWORD})
    rig = Rig(case, [name for name in ALL if name not in OAUTH], server.port)
    rig.expect_all()
    wait_for(lambda: server.refused() >= 5, "refusals in its log")


def test_clients(case):
    """CRAM-MD5 by swaks and smtplib."""
    server = submission.Submission(case, {USER: PASSWORD})
    rig = Rig(case, ["CRAM-MD5"], server.port)
    for password, code in ((PASSWORD, 235), ("wrong", 535)):
        equal(logins.swaks(case, rig.gate.port, "CRAM-MD5", USER,
                           password)[0], code, "swaks")
        equal(logins.smtplib_login(rig.gate.port, "CRAM-MD5", USER,
                                   password)[0], code, "smtplib")


def test_aborts(case):
    """A client that gives up in the middle, by "*" or by leaving, leaves
    nothing behind: the next login in the session and the next session work."""
    server = dovecot.Dovecot(case, {USER: PASSWORD}, tokens={TOKEN: USER})
    rig = Rig(case, ALL, server.port, "max_sessions = 4 warm_sessions = 1")
    begin = {
        "CRAM-MD5": "AUTH CRAM-MD5",
        "SCRAM-SHA-256": "AUTH SCRAM-SHA-256 "
                         + logins.b64(f"n,,n={USER},r=abcdefgh"),
        "XOAUTH2": "AUTH XOAUTH2 " + logins.b64(
            logins.xoauth2_response(USER, "no token"))}
    for _ in range(2):
        for name, line in begin.items():
            for last in ("*", None):
                with smtpclient.Client(rig.gate.port,
                                       helo="client.test") as client:
                    equal(client.command(line).code, 334, line)
                    if last is None:
                        continue
                    equal(client.command(last).code, 501, name)
                    reply = ALL[name](client, USER, rig.secret(name))
                    equal(reply.code, 235, f"{name} after * ({reply!r})")
    for name in begin:
        rig.gate.expect(USER, rig.secret(name), 235, ALL[name])
    # initial responses may come in a line of their own, too
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        equal(client.command("AUTH XOAUTH2").code, 334, "AUTH XOAUTH2")
        equal(client.command(logins.b64(logins.xoauth2_response(
            USER, TOKEN))).code, 235, "its response")


def test_error_json(case):
    """Why a token was refused reaches the client, who must answer it."""
    server = dovecot.Dovecot(case, {USER: PASSWORD}, tokens={TOKEN: USER})
    rig = Rig(case, OAUTH, server.port)
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        reply = client.command("AUTH XOAUTH2 " + logins.b64(
            logins.xoauth2_response(USER, "no token")))
        equal(reply.code, 334, f"a bad token ({reply!r})")
        contains(logins.unb64(reply.text), b'"status"', "the challenge")
        equal(client.command("").code, 535, "the end")


def test_wrong_messages(case):
    """What is no message of its mechanism is refused or not told about, and
    does no harm; channel binding and other identities are not relayed."""
    server = submission.Submission(case, {USER: PASSWORD})
    rig = Rig(case, ["SCRAM-SHA-256", "CRAM-MD5"], server.port)
    for message in ("", "n", "n,,", "n,,r=abc", "y,,n=,r=abc",
                    f"p=tls-unique,,n={USER},r=abc",
                    f"n,a=bob@example.org,n={USER},r=abc",
                    "n,,n=a\0b,r=abc", "n,,n=a\r\nb,r=abc",
                    "n,,n=" + "a" * 900 + ",r=abc"):
        with smtpclient.Client(rig.gate.port, helo="client.test") as client:
            reply = client.command("AUTH SCRAM-SHA-256 "
                                   + (logins.b64(message) or "="))
            if reply.code == 334:
                reply = client.command(logins.b64("c=biws,r=abc,p=AAAA"))
            check(reply.code in (535, 454, 501), f"{message!r}: {reply!r}")
            equal(logins.scram(client, USER, PASSWORD).code, 235,
                  f"after {message!r}")
    for message in ("", "ann", "\0 0123", "a b c\r\n d"):
        with smtpclient.Client(rig.gate.port, helo="client.test") as client:
            equal(client.command("AUTH CRAM-MD5").code, 334, "AUTH CRAM-MD5")
            reply = client.command(logins.b64(message) or "=")
            check(reply.code in (535, 454, 501), f"{message!r}: {reply!r}")


def test_upstream_faults(case):
    """The upstream goes away, or misbehaves, in the middle: 454."""
    upstream = scripted.Scripted(case)
    upstream.keywords.append("AUTH CRAM-MD5 SCRAM-SHA-256 XOAUTH2")
    rig = Rig(case, ["CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2"], upstream.port,
              "timeout = 2")

    def after_challenge(action, challenge):
        def act(session, line):
            session.say("334 " + challenge)
            session.line()
            return action(session, line) if callable(action) else action
        return act

    challenge = {"CRAM-MD5": logins.b64("<1.2@mailstore.test>"),
                 "SCRAM-SHA-256": logins.b64(
                     f"r={logins.NONCE}more,s=QSXCR+Q6sek8bf92,i=4096"),
                 "XOAUTH2": logins.b64('{"status":"401"}')}
    for name in rig.names:
        for label, action in {
                "hang": scripted.hang, "close": scripted.close,
                "454": "454 4.7.0 later", "421": "421 4.3.2 closing",
                "500": "500 5.5.2 what", "250": "250 ok",
                "not base64": "334 !!!!",
                "garbage": scripted.raw(b"\0\xff\r\n", True),
                "a long one": scripted.raw(
                    b"334 " + b"A" * 100000 + b"\r\n", True)}.items():
            for when in ("first", "last"):
                rig.gate.authd.kill()
                upstream.drop()
                rig.gate.authd.start()
                upstream.steps["auth"] = (
                    action if when == "first"
                    else after_challenge(action, challenge[name]))
                with smtpclient.Client(rig.gate.port,
                                       helo="client.test") as client:
                    reply = ALL[name](client, USER, PASSWORD)
                    if reply.code == 334:
                        reply = client.command("*")
                        equal(reply.code, 501, f"{name}, {label}, {when}")
                        continue
                equal(reply.code, 454, f"{name}, {label}, {when} ({reply!r})")


def test_535_first(case):
    """535 before any response of the client is no refusal of it."""
    upstream = scripted.Scripted(case)
    upstream.keywords.append("AUTH CRAM-MD5 SCRAM-SHA-256")
    rig = Rig(case, ["CRAM-MD5", "SCRAM-SHA-256"], upstream.port)
    upstream.steps["auth"] = "535 5.7.8 no"
    rig.gate.expect(USER, PASSWORD, 454, logins.cram_md5)
    # here the initial response was one
    rig.gate.expect(USER, PASSWORD, 535, logins.scram)


def test_not_offered_upstream(case):
    """A mechanism that the upstream lacks: 454 and a warning; nothing else
    is tried."""
    server = submission.Submission(case, {USER: PASSWORD},
                                   mechanisms="PLAIN LOGIN")
    rig = Rig(case, ["PLAIN", "CRAM-MD5", "SCRAM-SHA-256"], server.port)
    for how in (logins.cram_md5, logins.scram):
        rig.gate.expect(USER, PASSWORD, 454, how)
    rig.gate.authd.wait_log("warning", "CRAM-MD5")
    rig.gate.expect(USER, PASSWORD, 235)


def test_opt_in(case):
    """A mechanism that postern.conf does not have is not relayed, whatever
    smtpd.conf says."""
    server = submission.Submission(case, {USER: PASSWORD})
    rig = Rig(case, ["PLAIN", "CRAM-MD5"], server.port)
    rig.gate.authd.restart(auth_gate.route(server.port))
    reply = rig.gate.login(USER, PASSWORD, logins.cram_md5)
    check(reply.code in (454, 535), f"CRAM-MD5: {reply!r}")
    rig.gate.expect(USER, PASSWORD, 235)


def test_routes(case):
    """SCRAM goes where the user's route is; CRAM-MD5 begins with the global
    host and does not go on elsewhere."""
    one = submission.Submission(case, {USER: PASSWORD}, name="one")
    two = submission.Submission(case, {"bob@b.test": PASSWORD}, name="two")
    names = ["CRAM-MD5", "SCRAM-SHA-256"]
    gate = AuthGate(case, auth_gate.route(one.port, options(names)) + f"""
domain "b.test" {{ smtp_auth_proxy {{ host = "127.0.0.1:{two.port}" }} }}
""", recipe=recipe(names))
    gate.expect(USER, PASSWORD, 235, logins.cram_md5)
    gate.expect(USER, PASSWORD, 235, logins.scram)
    gate.expect("bob@b.test", PASSWORD, 235, logins.scram)
    gate.expect("bob@b.test", PASSWORD, 454, logins.cram_md5)
    gate.authd.wait_log("warning", "CRAM-MD5")


def test_killed_in_the_middle(case):
    """The daemon dies between challenge and response."""
    server = submission.Submission(case, {USER: PASSWORD})
    rig = Rig(case, ["CRAM-MD5"], server.port)
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        equal(client.command("AUTH CRAM-MD5").code, 334, "AUTH CRAM-MD5")
        rig.gate.authd.kill()
        equal(client.command(logins.b64(USER + " 0123")).code, 454,
              "the response")
        rig.gate.authd.start()
        equal(logins.cram_md5(client, USER, PASSWORD).code, 235, "again")
    wait_for(lambda: server.ended("auth="), "the upstream's log")


def test_shield_only(case):
    """What is relayed is never remembered, and the shield counts it."""
    server = submission.Submission(case, {USER: PASSWORD})
    rig = Rig(case, ["SCRAM-SHA-256"], server.port,
              "shield_failures = 3 good_memory = 1h")
    for _ in range(3):
        rig.gate.expect(USER, "wrong", 535, logins.scram)
    server.wait_refused(3)
    rig.gate.expect(USER, "wrong", 454, logins.scram)
    rig.gate.expect(USER, PASSWORD, 454, logins.scram)
    time.sleep(0.2)
    server.wait_refused(3)
