# SPDX-License-Identifier: BSD-2-Clause
"""postern-front before Sendmail, which has no XCLIENT: what then works, and
that it opens no relay either."""
import re
import shutil
import socket

from harness import (auth_gate, logins, ports, sasl, scripted, scripted_auth,
                     smtpclient)
from harness.authd import Authd
from harness.case import check, contains, equal, wait_for
from harness.front_gate import (ALLOWED, PEERS, STRANGER, TRUSTED,
                                SendmailFront)

VICTIM = "victim@elsewhere.test"
UNKNOWN = "nobody@example.com"
SHOWN = "192.0.2.33"


def body(message):
    """From the Subject on."""
    return message[message.index("Subject:"):]


def test_transcript(case):
    """The dialogue that the extensions are known by."""
    gate = SendmailFront(case)
    with gate.client(helo=None) as client:
        equal(client.command("ehlo there").code, 250, "EHLO")
        reply = client.command("XDUMPCONTEXT")
    found = [line for line in reply.raw if " ehlo_" in line
             or "complete" in line]
    equal(found, ["250-[connection] ehlo_domain there",
                  "250-[connection] ehlo_string ehlo there",
                  "250 XDUMPCONTEXT complete"], "the transcript's lines")
    # libmilter complains of a session that leaves something behind
    for _ in range(2):
        with gate.client() as client:
            client.command("NOOP")
    check("private data" not in gate.log.log(), "libmilter's log")


def test_contexts(case):
    """By the real address, by XSETCONTEXT, by the message."""
    gate = SendmailFront(case, peers=PEERS.replace(
        "smtp_extensions", 'context = {"zone=one"}\n    smtp_extensions', 1))
    with gate.client() as client:
        words = [line.split()[0] for line in client.keywords]
        equal({word for word in words if word.startswith("X")
               and not word.startswith("XUSR")},
              {"XREMOTEIP", "XSETCONTEXT", "XDUMPCONTEXT"}, "EHLO")
        gate.set(client, "tenant=a+20b", "other=1")
        gate.set(client, "other=2")
        connection = gate.dump(client)[0]
        equal((connection["tenant"], connection["other"], connection["zone"],
               connection["client_ip"]), ("a b", "2", "one", TRUSTED),
              "the context")
        client.mail()
        equal(client.rcpt("ann@example.com").code, 250, "RCPT")
        equal(client.rcpt(UNKNOWN).code, 550, "RCPT")
        message = gate.dump(client)[1]
        equal((message["mailfrom_string"], message["rcptto_string"],
               message["smtp_rcptto_proxy_result"]),
              ("ann@sender.test", UNKNOWN, "fail"), "the message context")
        equal(client.data().code, 250, "the message")
        connection, message = gate.dump(client)
        equal((connection["tenant"], message), ("a b", {}), "after it")
        client.mail()
        client.command("RSET")
        equal(gate.dump(client)[1], {}, "after RSET")
    wait_for(lambda: gate.upstream.messages, "the message upstream")
    line = gate.milter.wait_log("context: ", "tenant=a b")
    contains(line, f"real={TRUSTED}", "the line of the message")


def test_xremoteip(case):
    """Postern's own decisions take the address; Sendmail does not."""
    gate = SendmailFront(case, peers=PEERS + """
peer "192.0.2.0/24" { context = {"__bypass_smtp_rcptto_proxy=true"} }
""")
    with gate.client() as client:
        gate.set(client, "tenant=acme")
        client.mail()
        equal(client.command("XREMOTEIP " + SHOWN).code, 503,
              "in a transaction")
        equal(client.rcpt(UNKNOWN).code, 550, "before")
        client.command("RSET")
        for text in ("", "nonsense", "1.2.3"):
            equal(client.command("XREMOTEIP " + text).code, 501, text)
        reply = client.command("XREMOTEIP " + SHOWN)
        equal((reply.code, reply.enhanced), (250, "2.0.0"), "XREMOTEIP")
        connection = gate.dump(client)[0]
        equal((connection["tenant"], connection["client_ip"]),
              ("acme", SHOWN), "the context")
        client.mail()
        equal(client.rcpt("other@example.com").code, 250,
              "the context of 192.0.2.0/24")
        client.command("RSET")
        equal(client.command("XREMOTEIP 2001:db8::7").code, 250, "IPv6")
        client.mail()
        equal(client.rcpt("third@example.com").code, 550, "another address")
        client.command("RSET")
        equal(client.rcpt("ann@example.com").code // 100, 5, "no MAIL")
        client.mail()
        client.rcpt("ann@example.com")
        equal(client.data().code, 250, "a message")
    equal(gate.milter.verify_line("third@example.com")["client"],
          "2001:db8::7", "client=")
    line = gate.milter.wait_log("extension: ", "command=XREMOTEIP", SHOWN)
    contains(line, f"real={TRUSTED}", "the log")
    wait_for(lambda: gate.upstream.messages, "the message upstream")
    message = gate.upstream.messages[0][1]
    check(re.search(r"Received: from client\.test \(.*127\.0\.0\.1",
                    message) is not None,
          f"Sendmail's Received: {message[:200]!r}")


def test_relaying(case):
    """Sendmail relays for 127.0.0.1, whom it takes every client for: no
    recipient without a route passes through the front."""
    gate = SendmailFront(case)
    with smtpclient.Client(gate.direct, helo="x") as client:
        client.mail()
        equal(client.rcpt(VICTIM).code, 250, "the trap")
    for source in (STRANGER, TRUSTED, ALLOWED):
        for name in ("client.test", "localhost", "[127.0.0.1]"):
            with gate.client(source, helo=name) as client:
                for sender in ("spam@sender.test", "", "root@edge.test"):
                    client.mail(sender)
                    for recipient in (
                            VICTIM, f"@localhost:{VICTIM}",
                            "victim%elsewhere.test@edge.test",
                            "victim%elsewhere.test@localhost",
                            "victim%elsewhere.test",
                            "elsewhere.test!victim",
                            "elsewhere.test!victim@edge.test",
                            '"victim@elsewhere.test"@edge.test',
                            "victim@[127.0.0.1]"):
                        reply = client.rcpt(recipient)
                        check(reply.code >= 400,
                              f"{source} {name} {sender}: {recipient}: "
                              f"{reply!r}")
                    equal(client.rcpt("ann@example.com").code, 250, "a route")
                    client.command("RSET")
    with gate.client() as client:
        # nor by passing for somebody
        for address in ("127.0.0.1", "::1", SHOWN):
            client.command("XREMOTEIP " + address)
            client.mail()
            reply = client.rcpt(VICTIM)
            check(reply.code >= 400, f"as {address}: {reply!r}")
            client.command("RSET")
        want = client.command("XNONSENSE ADDR=127.0.0.1")
        reply = client.command("XCLIENT ADDR=127.0.0.1")
        equal((reply.code, reply.enhanced), (want.code, want.enhanced),
              "XCLIENT")
    check(not [message for message in gate.upstream.messages
               if VICTIM in message[0]], "relayed")


def test_always_allow(case):
    """Without {auth_authen}: the context says anonymous, recipients are
    verified, and routes are all there is."""
    gate = SendmailFront(case)
    with gate.client(ALLOWED) as client:
        client.mail()
        connection = gate.dump(client)[0]
        equal((connection["auth_user"], connection["auth_status"]),
              ("anonymous", "pass"), "the context")
        check("can_relay" not in connection, "can_relay")
        equal(client.rcpt("ann@example.com").code, 250, "RCPT")
        equal(client.rcpt(UNKNOWN).code, 550, "no skip_authenticated")


def test_auth(case):
    """Who has logged in relays; XREMOTEIP does not touch that."""
    upstream = scripted.Scripted(case)
    user, password = "ann@example.org", "correct horse"
    scripted_auth.Passwords(upstream, {user: password})
    authd = Authd(case, auth_gate.route(upstream.port), user="smmta")
    gate = SendmailFront(case, sasl=(
        "PLAIN LOGIN", f"postern_socket: {authd.path}\n"
        "postern_timeout: 3\nmech_list: PLAIN LOGIN\n", sasl.plugins(case)))
    gate.upstream.recipients[VICTIM] = "250 2.1.5 Ok"
    for how in (logins.plain, logins.login):
        for source in (TRUSTED, STRANGER):
            with gate.client(source) as client:
                equal(how(client, user, "wrong").code, 535, "a bad login")
                client.mail()
                check(client.rcpt(VICTIM).code >= 400, "relaying")
                client.command("RSET")
                equal(how(client, user, password).code, 235, "a good login")
                if source == TRUSTED:
                    equal(client.command("XREMOTEIP " + SHOWN).code, 250,
                          "XREMOTEIP")
                client.mail()
                equal(client.rcpt(VICTIM).code, 250, "relaying")
                if source == TRUSTED:
                    connection = gate.dump(client)[0]
                    equal((connection["auth_user"], connection["client_ip"]),
                          (user, SHOWN), "the context")
                equal(client.data().code, 250, "the message")


def test_nobody_else(case):
    """A stranger gets Sendmail's own answer for what it does not know."""
    gate = SendmailFront(case)
    with gate.client(STRANGER) as client:
        check(not [line for line in client.keywords
                   if re.match("XSET|XDUMP|XREMOTE|XCLIENT", line)], "EHLO")
        for line in ("XSETCONTEXT a=b", "XDUMPCONTEXT", "XREMOTEIP 1.2.3.4",
                     "XCLIENT ADDR=1.2.3.4", "XPOSTERN-" + 32 * "0"):
            reply = client.command(line)
            equal((reply.code, reply.enhanced), (500, "5.5.1"), line)
        client.mail()
        equal(client.rcpt("ann@example.com").code, 250, "RCPT")
    equal(gate.milter.lines("command=XSETCONTEXT"), [], "what was set")


def test_many_commands(case):
    """Sendmail ends a session after 25 unknown commands: those of the front
    are none."""
    gate = SendmailFront(case)
    with gate.client() as client:
        for number in range(100):
            gate.set(client, f"n={number}")
            check(client.command(f"XREMOTEIP 192.0.2.{number + 1}").code
                  == 250, "XREMOTEIP")
        equal(gate.dump(client)[0]["n"], "99", "n")
        client.mail()
        equal(client.rcpt("ann@example.com").code, 250, "RCPT")


def test_stream(case):
    """Messages arrive as they do without the front; replies in order."""
    gate = SendmailFront(case)
    text = ("Subject: odd\r\n\r\n..\r\n...\r\n..dot\r\n\r\n" + 900 * "z"
            + "\r\nXSETCONTEXT a=b\r\nQUIT\r\n" + 3000 * (70 * "y" + "\r\n"))
    for port in (gate.direct, gate.port):
        with smtpclient.Client(port, source=TRUSTED if port == gate.port
                               else None, helo="client.test") as client:
            for _ in range(3):
                client.mail()
                equal(client.rcpt("ann@example.com").code, 250, "RCPT")
                equal(client.data(text).code, 250, "the message")
            equal(client.quit().code, 221, "QUIT")
    wait_for(lambda: len(gate.upstream.messages) == 6, "the messages")
    equal({body(message) for _, message in gate.upstream.messages},
          {text.replace("\r\n", "\n").rstrip("\n")}, "what arrived")
    with gate.client() as client:
        replies = client.pipeline(
            "NOOP", "XSETCONTEXT a=1", "MAIL FROM:<a@sender.test>",
            "XDUMPCONTEXT", "RCPT TO:<ann@example.com>", "XREMOTEIP 1.2.3.4",
            "RSET", "XREMOTEIP 1.2.3.4", "XDUMPCONTEXT", "QUIT")
        equal([reply.code for reply in replies],
              [250, 250, 250, 250, 250, 503, 250, 250, 250, 221], "codes")
        contains(replies[8].text, "client_ip 1.2.3.4", "the last dump")


def test_milter_restarts(case):
    """The session is told: 421."""
    gate = SendmailFront(case)
    for line in ("MAIL FROM:<ann@sender.test>", "XSETCONTEXT a=b",
                 "XDUMPCONTEXT", "XREMOTEIP 192.0.2.1"):
        with gate.client() as client:
            gate.set(client, "tenant=acme")
            gate.milter.kill()
            gate.milter.start()
            equal(client.command(line).code, 421, line)
    gate.milter.kill()
    with gate.client(helo=None) as client:
        equal(client.greeting.code, 421, "without milter")


class Systemd:
    """systemd's own way to begin a program for each client."""

    def __init__(self, case, argv, log):
        program = shutil.which("systemd-socket-activate")
        check(program, "there is no systemd-socket-activate")
        self.port = ports.free_port()
        case.start("systemd", [program, "--accept", "--inetd", "--listen",
                               f"0.0.0.0:{self.port}", *argv], log=log)
        wait_for(self._listens, "systemd to listen")

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def test_systemd(case):
    """The same by systemd-socket-activate."""
    if shutil.which("systemd-socket-activate") is None:
        print("skipped: no systemd-socket-activate")
        return
    gate = SendmailFront(case, listener=Systemd)
    with gate.client() as client:
        gate.set(client, "a=b")
        equal(gate.dump(client)[0]["client_ip"], TRUSTED, "client_ip")
        client.mail()
        equal(client.rcpt("ann@example.com").code, 250, "RCPT")
        equal(client.data().code, 250, "the message")
    with gate.client(STRANGER) as client:
        client.mail()
        check(client.rcpt(VICTIM).code >= 400, "relaying")
