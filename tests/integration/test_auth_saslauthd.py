# SPDX-License-Identifier: BSD-2-Clause
"""saslauthd's protocol on a socket of its own: for what has no plug-in of
ours, or no chance to tell 454."""
import socket
import struct

from harness import (auth_gate, certs, dovecot, logins, sasl, scripted,
                     smtpclient, submission)
from harness.auth_gate import Rig
from harness.case import check, contains, equal, wait_for
from harness.dial import dial
from harness.saslauthd import ask, question

USER = "ann@example.org"
PASSWORD = "correct horse"
# the stock plug-ins ask the daemon's second socket
STOCK = ("pwcheck_method: saslauthd\nsaslauthd_path: postern/mux\n"
         "mech_list: PLAIN LOGIN\n")


def rig_of(case, text=""):
    """An edge whose stock plug-ins ask postern-authd."""
    return Rig(case, {USER: PASSWORD, "ann": PASSWORD}, text, recipe=STOCK,
               plugins=sasl.plugins(case, ours=False))


def text_of(answer):
    """The text of an answer, checked."""
    equal(struct.unpack("!H", answer[:2])[0], len(answer) - 2, "its length")
    return answer[2:].decode("ascii")


def test_postfix(case):
    """A Postfix with stock plug-ins only: good, bad, and 454 when it cannot
    be told."""
    rig = rig_of(case)
    for how in (logins.plain, logins.login):
        rig.gate.expect(USER, PASSWORD, 235, how)
        rig.gate.expect(USER, "wrong " + how.__name__, 535, how)
        rig.gate.expect("ann", PASSWORD, 235, how)
    equal(logins.swaks(case, rig.gate.port, "PLAIN", USER, PASSWORD)[0],
          235, "swaks")
    equal(logins.smtplib_login(rig.gate.port, "LOGIN", USER, PASSWORD)[0],
          235, "smtplib")
    for final in ("454 4.7.0 later", "421 4.3.2 closing", "534 5.7.9 no",
                  scripted.close):
        rig.known.final = final
        rig.gate.expect(USER, PASSWORD, 454)
    rig.known.final = None
    rig.upstream.stop()
    for how in (logins.plain, logins.login):
        rig.gate.expect(USER, PASSWORD, 454, how)


def test_two_ats(case):
    """libsasl cuts at the last '@': the name before it is somebody else, and
    the one that Postfix would know afterwards is asked about."""
    rig = rig_of(case)
    name = USER + "@boss.example"
    rig.gate.expect(name, PASSWORD, 535)
    equal(rig.known.names(), [name], "attempts")


def test_daemon_away(case):
    """The daemon is missing or killed: 454."""
    rig = rig_of(case)
    rig.gate.expect(USER, PASSWORD, 235)
    rig.authd.kill()
    rig.gate.expect(USER, PASSWORD, 454)
    rig.authd.start()
    rig.gate.expect(USER, PASSWORD, 235)
    rig.known.final = scripted.hang
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        client.send("AUTH PLAIN " + logins.b64(logins.plain_response(
            USER, PASSWORD)) + "\r\n")
        wait_for(lambda: len(rig.known.attempts) == 3, "a login in flight")
        rig.authd.kill()
        equal(client.reply().code, 454, "the login in flight")


def test_testsaslauthd(case):
    """Cyrus's own test program."""
    rig = rig_of(case)

    def run(user, password, *more):
        return sasl.program(case, "testsaslauthd", "-u", user, "-p",
                            password, "-s", "smtp", "-f", rig.authd.mux,
                            *more)
    done = run(USER, PASSWORD)
    equal(done.returncode, 0, done.stdout + done.stderr)
    contains(done.stdout, "Success", "what it says")
    check(run(USER, "wrong").returncode != 0, "a wrong password is good")
    contains(run(USER, "wrong").stdout, "NO", "what it says")
    equal(rig.known.names(), [USER] * 2, "attempts")
    equal(run("ann", PASSWORD, "-r", "example.org").returncode, 0,
          "with a realm")
    rig.upstream.stop()
    done = run(USER, PASSWORD)
    check(done.returncode != 0 and "OK" not in done.stdout, done.stdout)


def test_fields(case):
    """Four fields or five; the fifth is the client."""
    rig = rig_of(case)
    for more in ((), ("192.0.2.9;12345",), ("192.0.2.9",), ("",)):
        answer = ask(rig.authd.mux,
                     question(USER, PASSWORD, "smtp", "", *more))
        check(text_of(answer).startswith("OK"), f"{more}: {answer!r}")
    equal(rig.authd.lines("auth: ", "client=192.0.2.9 ") != [], True,
          "client= in the log")
    answer = ask(rig.authd.mux, question(USER, "wrong", "smtp", ""))
    check(text_of(answer).startswith("NO"), repr(answer))


def test_realm(case):
    """A realm apart from the name: canon decides what goes upstream, and the
    name as it was given is the default."""
    rig = rig_of(case)
    answer = ask(rig.authd.mux, question("ann", PASSWORD, "imap",
                                         "example.org"))
    check(text_of(answer).startswith("OK"), repr(answer))
    given = rig.known.names()[-1]
    rig.authd.restart(auth_gate.route(
        rig.upstream.port, 'canon = ":localpart@:realm"'))
    ask(rig.authd.mux, question("ann", PASSWORD, "imap", "example.org"))
    equal(rig.known.names()[-1], "ann@example.org", "with :realm")
    check(given in ("ann", "ann@example.org"), given)


def test_malformed(case):
    """What is no request, or no credentials: never OK, no harm."""
    rig = rig_of(case)
    for label, octets in (
            ("nothing", b""),
            ("one octet", b"\0"),
            ("three fields", question(USER, PASSWORD, "smtp")),
            ("a field that is short", b"\0\x10ann"),
            ("a field that is long", question("a" * 9000, "b", "c", "d")),
            ("two long ones", question("a" * 5000, "b" * 5000, "c", "d")),
            ("all ones", b"\xff" * 8192),
            ("an HTTP request", b"GET / HTTP/1.0\r\n\r\n")):
        with dial(rig.authd.mux) as connection:
            try:
                connection.sendall(octets)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(4096)
            except (BrokenPipeError, ConnectionResetError):
                answer = b""
        check(b"OK" not in answer, f"{label}: {answer!r}")
    for fields in (("", PASSWORD), (USER, ""), (b"ann\0", PASSWORD),
                   (b"ann\r\nQUIT", PASSWORD), (USER, b"a\0b"),
                   ("a" * 1024, PASSWORD)):
        answer = ask(rig.authd.mux, question(*fields, "smtp", ""))
        check(b"OK" not in answer, f"{fields}: {answer!r}")
    equal(rig.known.attempts, [], "attempts")
    answer = ask(rig.authd.mux, question(USER, PASSWORD, "smtp", ""))
    check(text_of(answer).startswith("OK"), repr(answer))


def test_cannot_tell_closes(case):
    """Cannot tell: closed without an answer."""
    rig = rig_of(case)
    rig.known.final = "454 4.7.0 later"
    equal(ask(rig.authd.mux, question(USER, PASSWORD, "smtp", "")), b"",
          "the answer")


def test_memory(case):
    """It has memory and shield like the plug-in, and shares them."""
    rig = rig_of(case, "shield_failures = 2")
    for _ in range(3):
        rig.gate.expect(USER, "wrong", 535)
    equal(len(rig.known.attempts), 1, "attempts")
    rig.gate.expect(USER, "wrong, too", 535)
    rig.gate.expect(USER, "wrong again", 454)
    equal(ask(rig.authd.mux, question(USER, PASSWORD, "smtp", "")), b"",
          "the answer")
    equal(len(rig.known.attempts), 2, "attempts")


def test_no_address(case):
    """Where the protocol gives no client address there is neither delay nor
    limit by it; with the fifth field there is."""
    rig = rig_of(case, "client_failures = 2")
    for number in range(8):
        answer = ask(rig.authd.mux, question(
            f"user{number}", "wrong", "smtp", ""))
        check(text_of(answer).startswith("NO"), f"{number}: {answer!r}")
    contains(rig.authd.command("stats").stdout, "answers_held_back=0",
             "stats")
    equal(len(rig.known.attempts), 8, "attempts")
    for number in range(2):
        answer = ask(rig.authd.mux, question(
            f"user{number + 10}", "wrong", "smtp", "", "192.0.2.5;1234"))
        check(text_of(answer).startswith("NO"), f"{number}: {answer!r}")
    equal(ask(rig.authd.mux, question(
        "user20", "wrong", "smtp", "", "192.0.2.5;99")), b"", "the third")


def test_behind_postfix_and_dovecot(case):
    """Real servers behind, under TLS."""
    authority = certs.Authority(case.path("ca"))
    pair = authority.good()
    text = f'tls = "verify" tls_ca_file = "{authority.ca_file}"'
    first = submission.Submission(case, {USER: PASSWORD}, tls=pair)
    second = dovecot.Dovecot(case, {USER: PASSWORD}, tls=pair)
    rig = rig_of(case)
    for server in (first, second):
        rig.authd.restart(auth_gate.route(server.port, text))
        rig.gate.expect(USER, PASSWORD, 235)
        rig.gate.expect(USER, "wrong", 535)
        server.stop()
        rig.gate.expect(USER, PASSWORD, 454)
