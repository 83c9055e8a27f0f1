# SPDX-License-Identifier: BSD-2-Clause
"""posternctl about logins: by hand against real servers, and at a daemon that
serves a Postfix edge."""
import re
import socket

from harness import (auth_gate, certs, dovecot, logins, scripted,
                     scripted_auth, submission)
from harness.auth_gate import AuthGate
from harness.authd import Authd
from harness.case import check, contains, equal, wait_for
from harness.dial import dial

USER = "ann@example.org"
PASSWORD = "correct horse"
TOKEN = "ya29.token-of-ann"


def expect(done, code, verdict, what):
    """Exit code and the first words of the one line."""
    equal(done.returncode, code, f"{what} ({done.stdout}{done.stderr})")
    line = done.stdout.splitlines()[-1]
    check(line.startswith(f"{USER} {verdict}"), f"{what}: {line!r}")


def by_hand(case, server, mechanisms, secure):
    """Good, bad and cannot tell with no daemon running."""
    listed = ", ".join(f'"{name}"' for name in mechanisms)
    authd = Authd(case, auth_gate.route(
        server.port, f"mechanisms = {{{listed}}} {secure}"), start=False)
    for name in mechanisms:
        secret = TOKEN if "OAUTH" in name else PASSWORD
        for given, code, verdict in ((secret, 0, "accept 235"),
                                     ("wrong", 1, "reject 535")):
            done = authd.posternctl("auth", "-m", name, USER,
                                    text=given + "\n")
            expect(done, code, verdict, f"{name}, {given}")
            check(given not in done.stdout + done.stderr, "it is shown")
    done = authd.posternctl("explain", "auth", USER, text=PASSWORD + "\n")
    equal(done.returncode, 0, f"explain ({done.stderr})")
    contains(done.stdout, f"127.0.0.1:{server.port}", "explain")
    contains(done.stdout, "AUTH PLAIN", "explain")
    server.stop()
    done = authd.posternctl("auth", USER, text=PASSWORD + "\n")
    expect(done, 75, "defer", "stopped")


def test_postfix(case):
    """A Postfix behind, under TLS."""
    authority = certs.Authority(case.path("ca"))
    server = submission.Submission(case, {USER: PASSWORD},
                                   tls=authority.good())
    by_hand(case, server, submission.MECHANISMS.split()[:2],
            f'tls = "verify" tls_ca_file = "{authority.ca_file}"')


def test_dovecot(case):
    """A Dovecot behind."""
    server = dovecot.Dovecot(case, {USER: PASSWORD}, tokens={TOKEN: USER})
    by_hand(case, server, ["PLAIN", "LOGIN"], "")


def fields(text):
    """The key=value words of status and stats."""
    return dict(re.findall(r"([\w.-]+)=(\S+)", text))


def test_status(case):
    """status and stats of a live daemon say what it has done; reload, cache
    drop and cache flush do as they say."""
    upstream = scripted.Scripted(case)
    known = scripted_auth.Passwords(upstream, {USER: PASSWORD})
    gate = AuthGate(case, auth_gate.route(upstream.port))
    gate.expect(USER, PASSWORD, 235)
    gate.expect(USER, "wrong", 535)
    gate.expect(USER, "wrong", 535)
    done = gate.authd.command("status")
    equal(done.returncode, 0, f"status ({done.stderr})")
    contains(done.stdout, f"127.0.0.1:{upstream.port}", "status")
    done = gate.authd.command("stats")
    equal(done.returncode, 0, f"stats ({done.stderr})")
    check(len(fields(done.stdout)) > 5, f"stats: {done.stdout}")
    for verb, what in (("drop", [USER]), ("flush", [])):
        before = len(known.attempts)
        gate.expect(USER, "wrong", 535)
        equal(len(known.attempts), before, f"attempts before cache {verb}")
        done = gate.authd.command("cache", verb, *what)
        equal(done.returncode, 0, f"cache {verb} ({done.stderr})")
        gate.expect(USER, "wrong", 535)
        equal(len(known.attempts), before + 1, f"attempts after {verb}")
    other = scripted.Scripted(case)
    scripted_auth.Passwords(other, {USER: "another"})
    gate.authd.configure(auth_gate.route(other.port))
    done = gate.authd.command("reload")
    equal(done.returncode, 0, f"reload ({done.stderr})")
    gate.expect(USER, "another", 235)
    gate.authd.configure("smtp_auth_proxy { hots = 1 }")
    check(gate.authd.command("reload").returncode != 0, "a bad file")
    gate.expect(USER, "another", 235)


def test_garbage(case):
    """What is no command at the control socket harms nobody."""
    upstream = scripted.Scripted(case)
    scripted_auth.Passwords(upstream, {USER: PASSWORD})
    gate = AuthGate(case, auth_gate.route(upstream.port))
    for octets in (b"", b"\n", b"\0" * 100, b"\xff" * 100000,
                   b"cache " * 5000 + b"\n", b"status", b"no such thing\n"):
        with dial(gate.authd.control) as connection:
            try:
                connection.sendall(octets)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
            except (BrokenPipeError, ConnectionResetError):
                pass
    idle = []
    for _ in range(5):
        idle.append(dial(gate.authd.control))
    gate.expect(USER, PASSWORD, 235)
    for connection in idle:
        connection.close()
    wait_for(lambda: gate.authd.command("status").returncode == 0,
             "the control socket to serve")
    equal(logins.swaks(case, gate.port, "PLAIN", USER, PASSWORD)[0], 235,
          "a login")
