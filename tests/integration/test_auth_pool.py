# SPDX-License-Identifier: BSD-2-Clause
"""One round trip a login: sessions that are ready, and what is said there."""
from harness import (auth_gate, certs, dovecot, logins, scripted, smtpclient,
                     submission)
from harness.auth_gate import AuthGate, Rig
from harness.case import check, contains, equal, wait_for

USER = "ann@example.org"
PASSWORD = "correct horse"


class Watched(Rig):
    """An upstream, under STARTTLS unless told, whose sessions are counted."""

    def __init__(self, case, text="", tls=True):
        authority = certs.Authority(case.path("ca"))
        if tls:
            text += f' tls = "verify" tls_ca_file = "{authority.ca_file}"'
        self.greeted = ["EHLO", "STARTTLS", "EHLO"] if tls else ["EHLO"]
        super().__init__(case, {USER: PASSWORD}, text, upstream={
            "tls": authority.good() if tls else None})

    def commands(self, number):
        """The verbs of a session."""
        return [line.split(" ")[0].upper()
                for session, line in self.upstream.commands
                if session == number]

    def idle(self, count):
        """Wait until that many sessions are greeted and unused."""
        def ready():
            used = {attempt[0] for attempt in self.known.attempts}
            numbers = {number for number, _ in self.upstream.commands}
            return [number for number in numbers - used
                    if self.commands(number) == self.greeted]
        return wait_for(lambda: len(ready()) >= count and ready(),
                        f"{count} sessions to be ready")


def test_warm(case):
    """Sessions are connected, under TLS and greeted before anybody logs in; a
    login costs AUTH, and another session takes its place."""
    rig = Watched(case, "warm_sessions = 3")
    rig.idle(3)
    equal(rig.upstream.sessions, 3, "sessions at start")
    for count in range(1, 4):
        rig.idle(3)
        before = len(rig.upstream.commands)
        rig.gate.expect(USER, PASSWORD, 235)
        number = rig.known.attempts[-1][0]
        said = [line for session, line in rig.upstream.commands[before:]
                if session == number]
        check(said[0].startswith("AUTH PLAIN "), f"said: {said}")
        wait_for(lambda: rig.commands(number)[-1] == "QUIT", "QUIT")
        equal(rig.commands(number),
              ["EHLO", "STARTTLS", "EHLO", "AUTH", "QUIT"], "all commands")
        wait_for(lambda: rig.upstream.sessions >= 3 + count, "a new one")
    rig.idle(3)
    check(rig.upstream.most_open <= 5, f"{rig.upstream.most_open} open")


def test_dropped_before_tired(case):
    """Idle sessions are replaced before the upstream would close them."""
    rig = Watched(case, "warm_sessions = 2 idle_timeout = 1", tls=False)
    wait_for(lambda: rig.upstream.sessions >= 6, "sessions to be replaced")
    rig.gate.expect(USER, PASSWORD, 235)
    check(rig.upstream.most_open <= 5, f"{rig.upstream.most_open} open")
    check(rig.upstream.counts["quit"] >= 2, "no QUIT was said")


def test_closed_meanwhile(case):
    """Warm sessions that the upstream has closed fail no login."""
    rig = Watched(case, "warm_sessions = 4")
    for _ in range(5):
        rig.idle(1)
        rig.upstream.drop()
        rig.gate.expect(USER, PASSWORD, 235)
    equal(len(rig.known.attempts), 5, "attempts")


def test_max_sessions(case):
    """No more than max_sessions at one time; who finds none waits."""
    rig = Watched(case, "max_sessions = 3 warm_sessions = 1", tls=False)
    rig.known.final = scripted.slow(0.2, "235 2.7.0 ok")
    clients = [smtpclient.Client(rig.gate.port, helo="client.test")
               for _ in range(9)]
    for number, client in enumerate(clients):
        client.send("AUTH PLAIN " + logins.b64(logins.plain_response(
            f"user{number}", PASSWORD)) + "\r\n")
    equal([client.reply().code for client in clients], [235] * 9, "replies")
    check(rig.upstream.most_open <= 3, f"{rig.upstream.most_open} open")


def test_not_reused(case):
    """An upstream without XCLIENT sees one login a session, good or bad."""
    server = dovecot.Dovecot(case, {USER: PASSWORD})
    gate = AuthGate(case, auth_gate.route(server.port))
    for number in range(3):
        gate.expect(USER, PASSWORD, 235)
        gate.expect(USER, f"wrong {number}", 535)
    log = server.log()
    equal(log.count("Login: user=<ann@example.org>"), 3, "logins in its log")
    check(server.relay.sessions <= 3, "sessions behind Dovecot")


def test_reused_on_postfix(case):
    """A Postfix that trusts us with XCLIENT has its sessions used again, and
    each login is judged on its own."""
    users = {f"user{number}@example.org": f"password {number}"
             for number in range(4)}
    server = submission.Submission(
        case, users, smtpd_authorized_xclient_hosts="127.0.0.1",
        smtpd_client_auth_rate_limit="0")
    gate = AuthGate(case, auth_gate.route(
        server.port, "warm_sessions = 1 max_sessions = 1"))
    for _ in range(5):
        for user, password in users.items():
            gate.expect(user, password, 235)
    connects = server.log().count("connect from") \
        - server.log().count("disconnect from")
    opened = server.log().count("]: connect from")
    check(opened <= 6, f"{opened} sessions for 20 logins ({connects} open)")
    # somebody else's good login is nobody's good login
    gate.expect("user0@example.org", "password 1", 535)
    gate.expect("user1@example.org", "password 0", 535)
    gate.expect("user1@example.org", "password 1", 235)


def test_reused_under_tls(case):
    """The same under STARTTLS: the session stays under TLS."""
    authority = certs.Authority(case.path("ca"))
    users = {"ann@example.org": PASSWORD, "bob@example.org": "bob's"}
    server = submission.Submission(
        case, users, tls=authority.good(),
        smtpd_authorized_xclient_hosts="127.0.0.1",
        smtpd_client_auth_rate_limit="0", smtpd_tls_auth_only="yes")
    gate = AuthGate(case, auth_gate.route(
        server.port, f'tls = "verify" tls_ca_file = "{authority.ca_file}" '
        'warm_sessions = 1 max_sessions = 1'))
    for _ in range(5):
        for user, password in users.items():
            gate.expect(user, password, 235)
    handshakes = server.log().count("TLS connection established")
    check(1 <= handshakes <= 4, f"{handshakes} handshakes, 10 logins")
    gate.expect("ann@example.org", "bob's", 535)


def test_xclient_address(case):
    """xclient = required tells a Postfix upstream who the client is, good or
    bad, and a session is not used again."""
    server = submission.Submission(
        case, {USER: PASSWORD}, smtpd_authorized_xclient_hosts="127.0.0.1")
    for setting in ("required", "ifavailable"):
        conf = auth_gate.route(server.port, f'xclient = "{setting}"')
        if setting == "required":
            gate = AuthGate(case, conf)
        else:
            gate.authd.restart(conf)
        for number in range(2):
            address = f"192.0.2.{number + len(setting)}"
            gate.expect(USER, PASSWORD, 235, address=address)
            wait_for(lambda: server.ended(f"[{address}]", "auth=1"),
                     f"the login of {address} in the upstream's log")
            address = f"198.51.100.{number + len(setting)}"
            gate.expect(USER, f"wrong {number}", 535, address=address)
            line = server.wait_log(f"[{address}]", "authentication failed")
            contains(line, "warning", "the upstream's log")
    gate.expect(USER, PASSWORD, 235, address="IPV6:2001:db8::7")
    wait_for(lambda: server.ended("2001:db8::7", "auth=1"),
             "an IPv6 client in the upstream's log")


def test_xclient_dovecot(case):
    """The same with Dovecot."""
    server = dovecot.Dovecot(case, {USER: PASSWORD}, trusted="127.0.0.0/8")
    gate = AuthGate(case, auth_gate.route(server.port, 'xclient = "required"'))
    gate.expect(USER, PASSWORD, 235, address="192.0.2.77")
    wait_for(lambda: "rip=192.0.2.77" in server.log(), "the address")
    gate.expect(USER, "wrong", 535, address="192.0.2.78")
    wait_for(lambda: "192.0.2.78" in server.log(), "the other address")


def test_xclient_not_there(case):
    """required, and the upstream does not offer it: 454 and a warning;
    ifavailable goes on without."""
    rig = Watched(case, 'xclient = "required"', tls=False)
    rig.gate.expect(USER, PASSWORD, 454)
    rig.gate.authd.wait_log("warning", "XCLIENT")
    equal(rig.known.attempts, [], "attempts")
    rig.gate.authd.restart(auth_gate.route(
        rig.upstream.port, 'xclient = "ifavailable"'))
    rig.gate.expect(USER, PASSWORD, 235)


def test_capability_lost(case):
    """After STARTTLS, only what is offered then counts."""
    rig = Watched(case)
    rig.upstream.steps["ehlo"] = lambda session, _line: (
        "250 mailstore.test\n250 AUTH PLAIN" if session.tls
        else "250 mailstore.test\n250 STARTTLS")
    rig.gate.authd.kill()
    rig.upstream.drop()
    rig.gate.authd.start()
    rig.gate.expect(USER, PASSWORD, 235, logins.login)
    equal(rig.known.attempts[-1][1], "PLAIN", "the mechanism upstream")
