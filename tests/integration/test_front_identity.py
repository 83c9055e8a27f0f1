# SPDX-License-Identifier: BSD-2-Clause
"""Who a session passes for through postern-front, before a real Postfix:
XREMOTEIP, XCLIENT, ALWAYS-ALLOW, AUTH."""
import re

from harness import (auth_gate, dovecot, logins, sasl, scripted, scripted_auth,
                     smtpclient)
from harness.authd import Authd
from harness.case import check, contains, equal, wait_for
from harness.front_gate import (ALLOWED, PEERS, STRANGER, TRUSTED,
                                PostfixFront, has_ipv6)

ELSEWHERE = "bob@elsewhere.test"
UNKNOWN = "nobody@example.com"
SHOWN = "192.0.2.33"
USER, PASSWORD = "ann@example.org", "correct horse"


def relays(client, recipient=ELSEWHERE):
    """The reply to a recipient whose domain is not the edge's."""
    reply = client.mail()
    if reply.code == 250:
        reply = client.rcpt(recipient)
        client.command("RSET")
    return reply


def access(case, lines):
    """The path of an access table of client addresses."""
    return "texthash:" + case.write("access", "".join(
        f"{address} {action}\n" for address, action in lines))


def test_xremoteip(case):
    """The MTA's rules, log and Received, the milter's macros and Postern's
    log see the address; what was set before is still there."""
    gate = PostfixFront(
        case, smtpd_client_restrictions="check_client_access "
        + access(case, [(SHOWN, "451 4.7.1 shown"), (TRUSTED, "OK")]))
    with gate.client() as client:
        gate.set(client, "tenant=acme")
        equal(relays(client, "ann@example.com").code, 250, "before")
        reply = client.command("XREMOTEIP " + SHOWN)
        equal((reply.code, reply.enhanced), (250, "2.0.0"), "XREMOTEIP")
        reply = relays(client, "ann@example.com")
        equal((reply.code, "shown" in reply.text), (451, True),
              f"the access rule ({reply!r})")
        connection = gate.dump(client)[0]
        equal((connection["tenant"], connection["client_ip"],
               connection["ehlo_domain"]), ("acme", SHOWN, "client.test"),
              "the context")
        equal(client.command("XREMOTEIP 192.0.2.34").code, 250, "another")
        client.mail()
        equal(client.rcpt("ann@example.com").code, 250, "RCPT")
        done = client.data()
        equal(done.code, 250, "the message")
        equal(gate.dump(client)[0]["tenant"], "acme", "tenant")
    equal(gate.milter.verify_line("ann@example.com")["client"],
          "192.0.2.34", "client= of Postern")
    gate.edge.wait_log(done.text.rsplit(" ", 1)[1] + ": client=",
                       "[192.0.2.34]")
    message = wait_for(lambda: gate.upstream.messages, "the message")[0][1]
    received = re.search(r"Received: from client\.test \(.*?\n\t", message)
    check(received is not None and "[192.0.2.34]" in received.group(0),
          f"Received: {message[:300]!r}")


def test_xremoteip_v6(case):
    """IPv6, with and without prefix; back to IPv4."""
    if not has_ipv6():
        print("skipped: no ::1")
        return
    gate = PostfixFront(
        case, smtpd_client_restrictions="check_client_access cidr:"
        + case.write("cidr", "2001:db8::/32 451 4.7.1 six\n"))
    with gate.client() as client:
        for text in ("2001:db8::25", "IPV6:2001:DB8:0::25"):
            equal(client.command("XREMOTEIP " + text).code, 250, text)
            equal(gate.dump(client)[0]["client_ip"], "2001:db8::25",
                  "client_ip")
            equal(relays(client, "ann@example.com").code, 451, "the rule")
        equal(client.command("XREMOTEIP 192.0.2.1").code, 250, "IPv4")
        equal(relays(client, "ann@example.com").code, 250, "another address")
    gate.edge.wait_log("smtpd", "[2001:db8::25]")


def test_xremoteip_peer_sections(case):
    """The peer section of the address that is shown sets its context; rights
    remain those of the real peer."""
    gate = PostfixFront(case, peers=PEERS + """
peer "192.0.2.0/24" { context = {"tenant=shown", "zone=two"} }
peer "198.51.100.0/24" { context = {"tenant=other"}
    smtp_extensions = {"ALWAYS-ALLOW"} }
""")
    with gate.client() as client:
        client.command("XREMOTEIP " + SHOWN)
        equal(gate.dump(client)[0]["tenant"], "shown", "tenant")
        gate.set(client, "tenant=mine")
        client.command("XREMOTEIP 198.51.100.1")
        connection = gate.dump(client)[0]
        equal(connection["tenant"], "mine", "what the client has set")
        check("zone" not in connection, "context of an address of before")
        equal(relays(client).code, 554, "ALWAYS-ALLOW of a shown address")
    with gate.stranger() as client:
        before = client.command("XNONSENSE").raw
        equal(client.command("XREMOTEIP " + TRUSTED).raw, before,
              "XREMOTEIP by a stranger")
        equal(client.command("XDUMPCONTEXT").raw, before, "XDUMPCONTEXT")


def test_xremoteip_refused(case):
    """Nonsense, and in a transaction."""
    gate = PostfixFront(case)
    with gate.client() as client:
        for text in ("", "nonsense", "1.2.3", "192.0.2.256", "::g",
                     "0.0.0.0", "192.0.2.1 192.0.2.2", "192.0.2.1/24",
                     "[192.0.2.1]", "localhost", "192.0.2.1+0D",
                     "IPV6:192.0.2.1", 300 * "1", "192.0.2.1\0"):
            reply = client.command("XREMOTEIP " + text)
            check(500 <= reply.code < 560 and reply.enhanced,
                  f"XREMOTEIP {text!r}: {reply!r}")
        client.mail()
        for line in ("XREMOTEIP " + SHOWN, "XCLIENT ADDR=" + SHOWN):
            reply = client.command(line)
            equal((reply.code, reply.enhanced), (503, "5.5.1"), line)
        client.rcpt("ann@example.com")
        equal(client.command("XREMOTEIP " + SHOWN).code, 503, "after RCPT")
        equal(gate.dump(client)[0]["client_ip"], TRUSTED, "client_ip")
        equal(client.data().code, 250, "the message")
        equal(client.command("XREMOTEIP " + SHOWN).code, 250, "after it")
        client.mail()
        client.command("RSET")
        equal(client.command("XREMOTEIP " + SHOWN).code, 250, "after RSET")
        client.mail()
        client.ehlo()
        equal(client.command("XREMOTEIP " + SHOWN).code, 250, "after EHLO")


def test_before_hello(case):
    """XREMOTEIP and XSETCONTEXT as the first words of a session."""
    gate = PostfixFront(case)
    with gate.client(helo=None) as client:
        equal(str(client.command("XREMOTEIP " + SHOWN)), "250 2.0.0 Ok",
              "XREMOTEIP")
        gate.set(client, "tenant=acme")
        client.ehlo("first.test")
        connection = gate.dump(client)[0]
        equal((connection["tenant"], connection["client_ip"],
               connection["ehlo_string"]),
              ("acme", SHOWN, "EHLO first.test"), "the context")
    with gate.client(helo=None) as client:
        equal(client.command("HELO old.test").code, 250, "HELO")
        equal(str(client.command("XREMOTEIP " + SHOWN)), "250 2.0.0 Ok",
              "XREMOTEIP")
        equal(gate.dump(client)[0]["ehlo_string"], "HELO old.test", "HELO")
        equal(relays(client, "ann@example.com").code, 250, "a recipient")


def test_xclient(case):
    """As Postfix takes it; what was set survives the new milter session."""
    gate = PostfixFront(case)
    with gate.client() as client:
        gate.set(client, "tenant=acme")
        reply = client.command(
            f"XCLIENT NAME=mx.shown.test ADDR={SHOWN} PORT=4711")
        equal(reply.code, 220, f"XCLIENT ({reply!r})")
        client.ehlo("shown.test")
        contains([line.split()[0] for line in client.keywords], "XCLIENT",
                 "EHLO")
        connection = gate.dump(client)[0]
        equal((connection["tenant"], connection["client_ip"],
               connection["client_name"], connection["ehlo_domain"]),
              ("acme", SHOWN, "mx.shown.test", "shown.test"), "the context")
        equal(relays(client).code, 554, "relaying")
        equal(client.command("XCLIENT LOGIN=ann").code, 220, "LOGIN")
        client.ehlo("shown.test")
        client.mail()
        connection = gate.dump(client)[0]
        equal((connection["auth_user"], connection["auth_status"],
               connection["client_ip"], connection["tenant"],
               connection["can_relay"]),
              ("ann", "pass", SHOWN, "acme", "true"), "the context")
        equal(client.rcpt(ELSEWHERE).code, 250, "relaying for ann")
        equal(client.rcpt(UNKNOWN).code, 250, "skip_authenticated")
        client.command("RSET")
        equal(client.command("XREMOTEIP 192.0.2.35").code, 250, "XREMOTEIP")
        equal(relays(client).code, 250, "still ann")
        equal(client.command("XCLIENT LOGIN=[UNAVAILABLE]").code, 220,
              "no LOGIN")
        client.ehlo()
        equal(relays(client).code, 554, "relaying for nobody")
        for line in ("XCLIENT", "XCLIENT NONSENSE=1", "XCLIENT ADDR",
                     "XCLIENT ADDR=nonsense", "XCLIENT ADDR=1.2.3",
                     "XCLIENT LOGIN=+G1"):
            reply = client.command(line)
            check(500 <= reply.code < 560, f"{line}: {reply!r}")
        equal(gate.dump(client)[0]["tenant"], "acme", "the session goes on")


def test_xclient_native(case):
    """Without the front: Postfix takes it, and for the milter a new session
    begins, with nothing of the old one."""
    gate = PostfixFront(
        case, smtpd_authorized_xclient_hosts=TRUSTED, peers=PEERS + f"""
peer "192.0.2.0/24" {{ context = {{"__bypass_smtp_rcptto_proxy=true"}} }}
""")
    with smtpclient.Client(gate.direct, source=TRUSTED,
                           helo="client.test") as client:
        equal(relays(client, UNKNOWN).code, 550, "before")
        equal(client.command(f"XCLIENT ADDR={SHOWN}").code, 220, "XCLIENT")
        client.ehlo()
        equal(relays(client, UNKNOWN).code, 250, "the context of 192.0.2/24")
        equal(client.command("XCLIENT ADDR=198.51.100.1").code, 550, "its right is gone with the address")
    with smtpclient.Client(gate.direct, source=TRUSTED,
                           helo="client.test") as client:
        client.command("XCLIENT ADDR=198.51.100.1")
        client.ehlo()
        equal(relays(client, "none@example.com").code, 550, "no context")
        want = client.command("XNONSENSE").raw
        for line in ("XSETCONTEXT a=b", "XDUMPCONTEXT", "XREMOTEIP 1.2.3.4"):
            equal(client.command(line).raw, want, "without the front")
    equal(gate.milter.verify_line("none@example.com")["client"],
          "198.51.100.1", "client=")


def test_always_allow(case):
    """Authenticated as anonymous from the start: it relays, and its
    recipients are verified all the same."""
    gate = PostfixFront(case)
    with gate.client(ALLOWED, helo=None) as client:
        client.ehlo()
        client.mail()
        connection = gate.dump(client)[0]
        equal((connection["auth_user"], connection["auth_status"]),
              ("anonymous", "pass"), "the context")
        equal(client.rcpt(ELSEWHERE).code, 250, "relaying")
        equal(client.rcpt(UNKNOWN).code, 550, "no skip_authenticated")
        equal(client.data().code, 250, "the message")
        equal(client.command("XREMOTEIP 192.0.2.1").raw,
              client.command("XNONSENSE").raw, "no XREMOTEIP")
    gate.edge.wait_log("sasl_username=anonymous", f"[{ALLOWED}]")
    line = gate.milter.wait_log("user=anonymous")
    contains(line, ALLOWED, "Postern's log")
    with gate.stranger() as client:
        equal(relays(client).code, 554, "relaying by another")


def test_always_allow_with_others(case):
    """XREMOTEIP keeps the anonymous user; XCLIENT LOGIN replaces it."""
    gate = PostfixFront(case, peers=PEERS.replace(
        '"ALWAYS-ALLOW"', '"ALWAYS-ALLOW", "XREMOTEIP", "XCLIENT"'))
    with gate.client(ALLOWED) as client:
        equal(str(client.command("XREMOTEIP " + SHOWN)), "250 2.0.0 Ok",
              "XREMOTEIP")
        client.mail()
        connection = gate.dump(client)[0]
        equal((connection["auth_user"], connection["client_ip"]),
              ("anonymous", SHOWN), "the context")
        equal(client.rcpt(ELSEWHERE).code, 250, "relaying")
        client.command("RSET")
        equal(client.command("XCLIENT LOGIN=ann").code, 220, "LOGIN")
        client.ehlo()
        client.mail()
        equal(gate.dump(client)[0]["auth_user"], "ann", "the context")


class AuthFront:
    """A front whose Postfix knows logins, by the plug-in and an upstream."""

    def __init__(self, case, **settings):
        self.upstream = scripted.Scripted(case)
        self.known = scripted_auth.Passwords(self.upstream, {USER: PASSWORD})
        self.gate = PostfixFront(
            case, sasl=sasl.RECIPE, plugins=sasl.plugins(case),
            smtpd_sasl_auth_enable="yes", smtpd_sasl_type="cyrus",
            **settings)
        self.authd = Authd(case, auth_gate.route(self.upstream.port),
                           queue=self.gate.edge.queue)


def test_auth(case):
    """All dialogues of AUTH through the front, and their ends."""
    rig = AuthFront(case)
    for how in (logins.plain, logins.login):
        for initial in (True, False):
            for password, code in ((PASSWORD, 235), ("wrong", 535)):
                with rig.gate.client() as client:
                    equal(how(client, USER, password, initial).code, code,
                          f"{how.__name__} {initial} {password}")
                    equal(relays(client).code, 250 if code == 235 else 554,
                          "relaying")
                    client.mail()
                    equal(rig.gate.dump(client)[0].get("auth_user"),
                          USER if code == 235 else None, "auth_user")
    with rig.gate.client() as client:
        equal(client.command("AUTH LOGIN").code, 334, "AUTH")
        equal(client.command("*").code, 501, "the abort")
        equal(client.command("AUTH PLAIN").code, 334, "AUTH")
        # in the dialogue, a command is no command
        equal(client.command("XSETCONTEXT a=b").code // 100, 5, "no base64")
        check("a" not in rig.gate.dump(client)[0], "it was a command")
        equal(client.command("AUTH NONSENSE").code, 535, "no mechanism")
        equal(logins.plain(client, USER, PASSWORD).code, 235, "at last")
        equal(client.command("AUTH PLAIN").code, 503, "again")


def test_auth_mechanisms(case):
    """The mechanisms that are relayed: to Dovecot through postern-authd, the
    plug-in, smtpd and the front, which sees dialogues of all lengths."""
    ways = {"CRAM-MD5": logins.cram_md5, "SCRAM-SHA-1": logins.scram_sha1,
            "SCRAM-SHA-256": logins.scram, "XOAUTH2": logins.xoauth2,
            "OAUTHBEARER": logins.oauthbearer}
    token = "ya29.token-of-ann"
    server = dovecot.Dovecot(case, {USER: PASSWORD}, tokens={token: USER})
    gate = PostfixFront(
        case, plugins=sasl.plugins(case), smtpd_sasl_auth_enable="yes",
        smtpd_sasl_type="cyrus",
        sasl=f"postern_socket: postern/auth\npostern_mechs: "
        f"{' '.join(ways)}\nmech_list: {' '.join(ways)}\n")
    Authd(case, auth_gate.route(server.port, "mechanisms = {" + ", ".join(
        f'"{name}"' for name in ways) + "}"), queue=gate.edge.queue)
    with gate.client() as client:
        offered = [sorted(line.split()[1:]) for line in client.keywords
                   if line.startswith("AUTH")]
    equal(offered, [sorted(ways)], "offered")
    for name, how in ways.items():
        secret = token if "OAUTH" in name else PASSWORD
        for given, code in ((secret, 235), (secret + "x", 535)):
            with gate.client() as client:
                equal(how(client, USER, given).code, code, name)
                equal(relays(client).code, 250 if code == 235 else 554,
                      f"relaying after {name}")
                client.mail()
                context = gate.dump(client)[0]
                equal((context.get("auth_user"), context.get("auth_name")),
                      (USER, name) if code == 235 else (None, None),
                      f"the context after {name}")
        # given up in the middle, then again
        with gate.client() as client:
            equal(client.command("AUTH " + name).code, 334, name)
            equal(client.command("*").code, 501, name)
            gate.set(client, "tenant=acme")
            equal(how(client, USER, secret).code, 235, f"{name} after *")
            equal(gate.dump(client)[0]["tenant"], "acme", "tenant")


def test_auth_then_xremoteip(case):
    """XREMOTEIP after AUTH keeps the login."""
    rig = AuthFront(case)
    for how in (logins.plain, logins.login):
        for initial in (True, False):
            with rig.gate.client() as client:
                equal(how(client, USER, PASSWORD, initial).code, 235, "AUTH")
                rig.gate.set(client, "tenant=acme")
                reply = client.command("XREMOTEIP " + SHOWN)
                equal(reply.code, 250, f"XREMOTEIP ({reply!r})")
                client.mail()
                connection = rig.gate.dump(client)[0]
                equal((connection.get("auth_user"), connection["client_ip"],
                       connection["tenant"]), (USER, SHOWN, "acme"),
                      f"{how.__name__} {initial}")
                equal(client.rcpt(ELSEWHERE).code, 250, "relaying")
                client.command("RSET")
                client.mail()
                client.rcpt("ann@example.com")
                equal(client.data().code, 250, "the message")
    rig.gate.edge.wait_log(f"sasl_username={USER}", f"[{SHOWN}]")


def test_command_filter(case):
    """XREMOTEIP without a front, by smtpd_command_filter."""
    table = case.write("commands.pcre",
                       r"/^XREMOTEIP\s+([0-9.]+)\s*$/ XCLIENT ADDR=$1"
                       r" NAME=[UNAVAILABLE]" + "\n"
                       r"/^XREMOTEIP\s+(?:IPV6:)?([0-9A-F:.]*:[0-9A-F:.]*)"
                       r"\s*$/ XCLIENT ADDR=IPV6:$1 NAME=[UNAVAILABLE]"
                       + "\n")
    gate = PostfixFront(case, smtpd_authorized_xclient_hosts=TRUSTED,
                        smtpd_command_filter=f"pcre:{table}")
    with smtpclient.Client(gate.direct, source=TRUSTED,
                           helo="client.test") as client:
        reply = client.command("XREMOTEIP " + SHOWN)
        equal(reply.code, 220, f"XREMOTEIP ({reply!r})")
        client.ehlo()
        equal(relays(client, UNKNOWN).code, 550, "a recipient")
    equal(gate.milter.verify_line(UNKNOWN)["client"], SHOWN, "client=")
    with smtpclient.Client(gate.direct, source=STRANGER,
                           helo="client.test") as client:
        equal(client.command("XREMOTEIP " + SHOWN).code, 550, "a stranger")
        equal(client.command("XREMOTEIP nonsense").raw,
              client.command("XNONSENSE").raw, "nonsense")
        client.mail()
        client.rcpt("no@example.com")
    equal(gate.milter.verify_line("no@example.com")["client"], STRANGER,
          "client=")
    if has_ipv6():
        with smtpclient.Client(gate.direct, source=TRUSTED,
                               helo="client.test") as client:
            equal(client.command("xremoteip 2001:db8::1").code, 220, "IPv6")
            client.ehlo()
            client.mail()
            client.rcpt("six@example.com")
        equal(gate.milter.verify_line("six@example.com")["client"],
              "2001:db8::1", "client=")
    # the same main.cf serves the port with the front
    with gate.client() as client:
        equal(client.command("XREMOTEIP " + SHOWN).code, 250, "the front's")
        equal(gate.dump(client)[0]["client_ip"], SHOWN, "client_ip")
    with gate.stranger() as client:
        equal(client.command("XREMOTEIP 127.0.0.1").raw,
              client.command("YREMOTEIP 127.0.0.1").raw, "a stranger's")
        equal(relays(client).code, 554, "relaying")
