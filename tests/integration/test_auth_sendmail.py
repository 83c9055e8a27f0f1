# SPDX-License-Identifier: BSD-2-Clause
"""AUTH at a Sendmail edge.  Sendmail says 535 for whatever is not good, so
what cannot be told looks like a refusal to its clients; the logs differ."""
import os

from harness import (auth_gate, logins, mta_sendmail, sasl, scripted,
                     scripted_auth, smtpclient, syslog)
from harness.authd import Authd
from harness.case import check, contains, equal, wait_for

USER = "ann@example.org"
PASSWORD = "correct horse"
MECHANISMS = "PLAIN LOGIN"


class Rig:
    """Sendmail, postern-authd, an upstream that knows USER."""

    def __init__(self, case, mechanisms=MECHANISMS, text="", users=None,
                 options=""):
        self.upstream = scripted.Scripted(case)
        self.known = scripted_auth.Passwords(
            self.upstream, users or {USER: PASSWORD})
        self.authd = Authd(
            case, auth_gate.route(self.upstream.port, text), user="smmta")
        self.relay = scripted.Scripted(case)
        self.relay.other = "250 2.1.5 Ok"
        self.edge = mta_sendmail.Sendmail(
            case, self.relay.port, syslog.Syslog(case),
            sasl=(mechanisms, f"postern_socket: {self.authd.path}\n"
                  f"postern_mechs: {mechanisms}\npostern_timeout: 3\n"
                  f"mech_list: {mechanisms}\n{options}",
                  sasl.plugins(case)))
        self.port = self.edge.port

    def expect(self, user, password, code, how=logins.plain, **arguments):
        """One login in a session of its own."""
        reply = logins.attempt(self.port, how, user, password, **arguments)
        equal(reply.code, code, f"{how.__name__} of {user!r} ({reply!r})")


def test_logins(case):
    """PLAIN and LOGIN by swaks, by smtplib and by hand."""
    rig = Rig(case)
    for name in MECHANISMS.split():
        for password, code in ((PASSWORD, 235), ("wrong" + name, 535)):
            equal(logins.swaks(case, rig.port, name, USER, password)[0],
                  code, f"swaks, {name}")
            equal(logins.smtplib_login(rig.port, name, USER, password)[0],
                  code, f"smtplib, {name}")
    for how in (logins.plain, logins.login):
        for initial in (True, False):
            rig.expect(USER, PASSWORD, 235, how, initial=initial)
    line = rig.authd.auth_line(USER)
    equal(line["client"], "127.0.0.1", "client=")
    equal(line["verdict"], "accept", "verdict=")


def test_ehlo_line(case):
    """One AUTH line, each mechanism once."""
    rig = Rig(case)
    with smtpclient.Client(rig.port, helo="client.test") as client:
        lines = [line for line in client.keywords if "AUTH" in line]
    equal(len(lines), 1, f"AUTH lines ({lines})")
    equal(sorted(lines[0].split()), ["AUTH", "LOGIN", "PLAIN"], "offered")


def test_mail(case):
    """A login, then a message; Sendmail knows whose it is."""
    rig = Rig(case)
    with smtpclient.Client(rig.port, helo="client.test") as client:
        equal(logins.login(client, USER, PASSWORD).code, 235, "LOGIN")
        client.mail()
        equal(client.rcpt("bob@example.com").code, 250, "RCPT")
        equal(client.data().code, 250, "the message")
        client.quit()
    wait_for(lambda: rig.relay.messages, "the message behind")
    if "HARNESS_SYSLOG" in os.environ:
        contains(rig.edge.log(), f"authid={USER}", "its log")


def test_cannot_tell(case):
    """535 for everything but 235; the daemon's log knows better."""
    rig = Rig(case)
    for final in ("454 4.7.0 later", "421 4.3.2 closing", scripted.close):
        rig.known.final = final
        rig.expect(USER, PASSWORD, 535)
        equal(rig.authd.auth_line(USER)["verdict"], "defer", "verdict=")
    rig.known.final = None
    rig.authd.kill()
    for how in (logins.plain, logins.login):
        rig.expect(USER, PASSWORD, 535, how)
    rig.authd.start()
    rig.expect(USER, PASSWORD, 235)
    rig.authd.freeze()
    rig.expect(USER, PASSWORD, 535)
    rig.authd.thaw()
    rig.expect(USER, PASSWORD, 235)


def test_disconnect(case):
    """postern_unsure: disconnect.  What cannot be told is no 535: the
    connection ends, and nothing else does."""
    rig = Rig(case, options="postern_unsure: disconnect\n")
    for final in ("454 4.7.0 later", scripted.close):
        rig.known.final = final
        for how in (logins.plain, logins.login):
            expect_hang_up(rig, how)
    rig.known.final = None
    rig.expect(USER, "wrong", 535)
    rig.expect(USER, PASSWORD, 235)
    rig.authd.kill()
    with smtpclient.Client(rig.port, helo="client.test") as idle:
        expect_hang_up(rig, logins.plain)
        equal(idle.command("NOOP").code, 250, "somebody else's session")
    rig.authd.start()
    rig.expect(USER, PASSWORD, 235)


def expect_hang_up(rig, how):
    """A login that ends without an answer."""
    with smtpclient.Client(rig.port, helo="client.test") as client:
        try:
            reply = how(client, USER, PASSWORD)
        except (EOFError, OSError):
            return
        check(False, f"{how.__name__}: {reply!r}")


def test_session(case):
    """Bad, then good in one session; the daemon may be another by then."""
    rig = Rig(case)
    with smtpclient.Client(rig.port, helo="client.test") as client:
        equal(logins.plain(client, USER, "wrong").code, 535, "bad")
        rig.authd.kill()
        rig.authd.start()
        equal(client.command("AUTH LOGIN").code, 334, "AUTH LOGIN")
        equal(client.command("*").code, 501, "*")
        equal(logins.plain(client, USER, PASSWORD).code, 235, "good")


def test_names(case):
    """What cannot be credentials never goes upstream."""
    rig = Rig(case, users={USER: PASSWORD, "zo\u00eb": "\u00e4"})
    for user, password in (
            (USER, ""), (USER, b"pass\0word"), (b"ann\r\nQUIT", PASSWORD),
            ("a" * 1012 + "@example.org", PASSWORD)):
        for how in (logins.plain, logins.login):
            rig.expect(user, password, 535, how)
    equal(rig.known.attempts, [], "logins upstream")
    rig.expect("zo\u00eb", "\u00e4", 235)


def test_relayed(case):
    """CRAM-MD5 through Sendmail."""
    names = "PLAIN CRAM-MD5"
    rig = Rig(case, names, 'mechanisms = {"PLAIN", "CRAM-MD5"}')
    rig.upstream.keywords[-1] = "AUTH PLAIN CRAM-MD5"

    def act(session, line):
        if not line.upper().startswith("AUTH CRAM-MD5"):
            return rig.known(session, line)
        session.say("334 " + logins.b64("<1.2@mailstore.test>"))
        answer = logins.unb64(session.line()).decode("ascii")
        want = logins.hmac.new(PASSWORD.encode("ascii"),
                               b"<1.2@mailstore.test>", "md5").hexdigest()
        return ("235 2.7.0 ok" if answer == f"{USER} {want}"
                else "535 5.7.8 no")

    rig.upstream.steps["auth"] = act
    rig.authd.kill()
    rig.upstream.drop()
    rig.authd.start()
    rig.expect(USER, PASSWORD, 235, logins.cram_md5)
    rig.expect(USER, "wrong", 535, logins.cram_md5)
    rig.expect(USER, PASSWORD, 235)


def test_unsafe_directory(case):
    """A Sendmail.conf in a directory that all may write to is not read:
    nothing is offered that could log anybody in."""
    rig = Rig(case)
    rig.edge.stop()
    rig.edge.expose_sasl()
    rig.edge.start()
    with smtpclient.Client(rig.port, helo="client.test") as client:
        lines = [line for line in client.keywords if "AUTH" in line]
        if lines:
            check(logins.plain(client, USER, PASSWORD).code != 235, lines)
    equal(rig.known.attempts, [], "logins upstream")
    contains(rig.edge.log() or "World writable", "World writable", "its log")
