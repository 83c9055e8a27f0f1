# SPDX-License-Identifier: BSD-2-Clause
"""Which credential a delivery gets: every scope, in a Postfix that sends, seen
in the log of the next hop."""
import re

from harness import certs, outbound_gate, scripted, scripted_auth
from harness.case import check, contains, equal, wait_for
from harness.outbound_gate import NextHop, OutboundGate

# the names of the next hops, all of which are one server
RELAY, NAMED, INNER, GROUPED, GLOBAL, OTHER = HOSTS = (
    "relay.test", "named.test", "inner.test", "grouped.test", "global.test",
    "other.test")

USERS = ("ann", "corp", "a", "inner", "c", "gsender", "g", "grouped", "named",
         "everybody")


def password(user):
    """Each user's own."""
    return f"password-of-{user}"


def login(user, **options):
    """The options of a scope."""
    return "".join(
        f'outbound_smtp_auth_{name} = "{value}"\n' for name, value in
        {"user": user, "pass": password(user), **options}.items())


SCOPES = f"""
domain "{NAMED}" {{ {login("named")} }}
sender "@corp.test" {{ {login("named")} }}
binding "a" {{
    nexthops = {{"{RELAY}"}}
    {login("a", type="LOGIN")}
    domain "{INNER}" {{ {login("inner")} }}
    sender "ann@corp.test" {{ {login("ann")} }}
    sender "@corp.test" {{ {login("corp", type="PLAIN")} }}
}}
binding_group "g" {{
    nexthops = {{"[{RELAY}]"}}
    {login("g", type="LOGIN")}
    domain "{GROUPED}" {{ {login("grouped")} }}
    sender "sue@corp.test" {{ {login("gsender")} }}
    binding "b" {{ outbound_smtp_auth_user = false
                   outbound_smtp_auth_pass = false }}
    binding "c" {{ {login("c")} }}
}}
outbound_smtp_auth {{ nexthops = {{"{GLOBAL}"}} {login("everybody")} }}
"""


def forms(host, port):
    """How Postfix may name a next hop."""
    return (f"[{host}]", f"{host}", f"[{host}]:{port}", f"{host}:{port}",
            f"[{host.upper()}]")


class Table:
    """Deliveries and who should have logged in."""

    def __init__(self):
        self.routes = {}
        self.rows = []

    def add(self, transport, nexthop, want, sender="zoe@else.test"):
        """A delivery by a transport to a next hop."""
        domain = f"d{len(self.rows)}.test"
        self.routes[domain] = f"{transport}:{nexthop}"
        self.rows.append((f"x@{domain}", sender, want,
                          f"{transport}:{nexthop} from <{sender}>"))

    def run(self, gate, behind):
        """All of them at once."""
        mails = [gate.send(recipient, sender)
                 for recipient, sender, _, _ in self.rows]
        gate.wait_sent(*mails)
        for mail, (_, _, want, what) in zip(mails, self.rows):
            found = behind.login(mail)
            equal(found and found[1], want, f"who logged in for {what}")


def relay_of(case, users, hosts=HOSTS, **settings):
    """The certificate authority, and a next hop with all those names."""
    authority = certs.Authority(case.path("ca"))
    return authority, NextHop(
        case, {user: password(user) for user in users},
        authority.issue("relay", names=hosts), **settings)


def test_scopes(case):
    """Sender, its domain, next-hop domain in all its forms, binding, group,
    global; false; and what belongs to no scope goes without."""
    authority, behind = relay_of(case, USERS)
    table = Table()
    for nexthop in forms(NAMED, behind.port):
        table.add("smtp", nexthop, "named")
    table.add("smtp", f"[{GLOBAL}]", "everybody")
    table.add("smtp", f"[{OTHER}]", None)
    table.add("smtp", f"[{RELAY}]", None)
    # a sender's is given under a binding with next hops alone
    table.add("smtp", f"[{OTHER}]", None, "ann@corp.test")
    for nexthop in forms(RELAY, behind.port):
        table.add("a", nexthop, "a")
    for sender, want in (("ann@corp.test", "ann"), ("Ann@CORP.test", "ann"),
                         ("bob@corp.test", "corp"), ("", "a"),
                         ("ann@sub.corp.test", "a")):
        table.add("a", f"[{RELAY}]", want, sender)
    table.add("a", f"[{INNER}]", "inner")
    table.add("a", f"[{NAMED}]", "named")
    table.add("a", f"[{GLOBAL}]", "everybody")
    table.add("a", f"[{OTHER}]", None)
    table.add("a", f"[{GROUPED}]", None)
    for transport, want in (("b", "g"), ("c", "c")):
        table.add(transport, f"[{RELAY}]", want)
        table.add(transport, f"[{GROUPED}]", "grouped")
        table.add(transport, f"[{INNER}]", None)
        table.add(transport, f"[{OTHER}]", None)
        table.add(transport, f"[{RELAY}]", "gsender", "sue@corp.test")
    dependent = {"smtp_sender_dependent_authentication": "yes"}
    gate = OutboundGate(
        case, SCOPES, authority, behind.port, HOSTS,
        {name: dependent for name in "abc"}, table.routes)
    table.run(gate, behind)
    given = gate.authd.decision("outbound: ", "user=<corp>")
    equal((given["binding"], given["verdict"], given["type"]),
          ("a", "given", "PLAIN"), "the log")
    # what a scope does not say of the type the next wider one does
    for user, want in (("ann", "PLAIN"), ("c", "LOGIN")):
        found = gate.authd.decision("outbound: ", f"user=<{user}>")
        equal(found["type"], want, f"the type of {user}")


SEEDS = """
outbound_smtp_auth { }

Keep_Message_Dicts_In_Memory = true

Domain "messagesystems.com" {
  Outbound_SMTP_AUTH_Type = "LOGIN"
  Outbound_SMTP_AUTH_User = "msys"
  Outbound_SMTP_AUTH_Pass = "msys"
  Outbound_SMTP_AUTH_Key = "somestring"
}

Domain "sparkpost.com" {
  Outbound_SMTP_AUTH_Type = "PLAIN"
  Outbound_SMTP_AUTH_user = "sparkpost"
  Outbound_SMTP_AUTH_pass = "sparkpost"
  Outbound_SMTP_AUTH_Key = "someotherstring"
}
"""


def test_two_domains(case):
    """The example of two domains, as it stands, at next hops that want a
    login: each has its user, and its mechanism by its transport."""
    hosts = ("messagesystems.com", "sparkpost.com")
    authority = certs.Authority(case.path("ca"))
    behind = NextHop(case, {"msys": "msys", "sparkpost": "sparkpost"},
                     authority.issue("relay", names=hosts), required=True)
    default = outbound_gate.socketmap("default")
    gate = OutboundGate(
        case, SEEDS, authority, behind.port, hosts,
        {word: {"smtp_sasl_password_maps": default,
                "smtp_sasl_mechanism_filter": word}
         for word in ("plain", "login")},
        {hosts[0]: "login:", hosts[1]: "plain:"})
    mails = [gate.send(f"ann@{host}") for host in hosts]
    gate.wait_sent(*mails)
    equal([behind.login(mail) for mail in mails],
          [("LOGIN", "msys"), ("PLAIN", "sparkpost")], "who has logged in")


def test_other_hosts(case):
    """A password never goes to a host that it is not for, even if that one
    asks for it."""
    hosts = ("relay.test", "sub.relay.test", "relay.test.evil.test",
             "evil.test", "xrelay.test")
    authority = certs.Authority(case.path("ca"))
    evil = scripted.Scripted(case, tls=authority.issue("evil", names=hosts))
    evil.other = "250 2.1.5 Ok"
    known = scripted_auth.Passwords(evil, {})
    right = evil.port - 1  # where nobody is
    table = Table()
    for transport in ("smtp", "a"):
        for host in hosts[1:]:
            for nexthop in (f"[{host}]", f"{host}:{evil.port}"):
                table.add(transport, nexthop, None)
    table.add("smtp", "[relay.test]", None)
    table.add("a", f"[relay.test]:{evil.port}", None)  # another port
    table.add("a", "[relay.test]", None)               # no port
    gate = OutboundGate(
        case, f"""
log_level = "debug"
binding "a" {{ nexthops = {{"relay.test:{right}"}} {login("a")} }}
domain "named.test" {{ {login("named")} }}
""", authority, evil.port, hosts, {"a": {}}, table.routes)
    mails = [gate.send(row[0], row[1]) for row in table.rows]
    gate.wait_sent(*mails)
    equal(len(evil.messages), len(mails), "messages that have arrived")
    equal((evil.counts["auth"], known.attempts), (0, []), "logins")
    wait_for(lambda: len(gate.authd.lines("outbound: ", "verdict=none"))
             >= len(mails), "the log to say none for each", 10)
    check(not gate.authd.lines("outbound: ", "verdict=given"), "given to one")


def test_no_tls(case):
    """Without TLS, or with a certificate that is another's, nothing is said
    and the mail waits."""
    authority = certs.Authority(case.path("ca"))
    plain = scripted.Scripted(case)
    wrong = scripted.Scripted(
        case, tls=authority.issue("wrong", names=("other.test",)))
    table = Table()
    for server in (plain, wrong):
        scripted_auth.Passwords(server, {"a": password("a")})
        table.add("a", f"[relay.test]:{server.port}", None)
    gate = OutboundGate(
        case, f'binding "a" {{ nexthops = {{"relay.test"}} {login("a")} }}',
        authority, plain.port, ("relay.test",), {"a": {}}, table.routes)
    mails = [gate.send(row[0]) for row in table.rows]
    for line in gate.wait_deferred(*mails):
        contains(line, "dsn=4.7.", "why it waits")
    for server in (plain, wrong):
        equal((server.counts["auth"], server.counts["mail"]), (0, 0),
              "what was said to the wrong server")


def test_sessions_are_not_mixed(case):
    """Postfix keeps sessions for the next message, under TLS, too: none is
    used for a message with another credential, or with none."""
    authority, behind = relay_of(
        case, ("a", "ann", "corp", "c"), (RELAY,), smtpd_tls_auth_only="no")
    table = Table()
    for _ in range(8):
        for transport, sender, want in (
                ("a", "ann@corp.test", "ann"), ("a", "bob@corp.test", "corp"),
                ("a", "zoe@else.test", "a"), ("c", "ann@corp.test", "c"),
                ("smtp", "ann@corp.test", None)):
            table.add(transport, f"[{RELAY}]", want, sender)
    keep = {"smtp_connection_cache_destinations": f"[{RELAY}]",
            "smtp_connection_cache_time_limit": "10s",
            "connection_cache_ttl_limit": "10s"}
    dependent = {"smtp_sender_dependent_authentication": "yes", **keep}
    gate = OutboundGate(
        case, f"""
binding "a" {{
    nexthops = {{"{RELAY}"}}
    {login("a")}
    sender "ann@corp.test" {{ {login("ann")} }}
    sender "@corp.test" {{ {login("corp")} }}
}}
binding "c" {{ nexthops = {{"{RELAY}"}} {login("c")} }}
""", authority, behind.port, (RELAY,), {"a": dependent, "c": dependent},
        table.routes, smtp_tls_connection_reuse="yes",
        services=["tlsproxy unix - - y - 0 tlsproxy"], **keep)
    table.run(gate, behind)
    wait_for(lambda: [line for line in behind.ended("starttls=1", "auth=1")
                      if re.search(r" mail=([2-9]|\d\d)", line)],
             "a session of several messages to end", outbound_gate.PATIENCE)


def test_senders(case):
    """Senders that are odd and good, as Postfix hands them on: none of them
    keeps the mail from leaving, or gets another's credential."""
    authority, behind = relay_of(case, ("a", "ann", "corp"), (RELAY,))
    table = Table()
    for sender, want in (
            ('"a b"@corp.test', "corp"), ('"x@y"@corp.test', "corp"),
            ('"ann@corp.test"@else.test', "a"), ("ann@[192.0.2.1]", "a"),
            ("ann+x@corp.test", "corp"), ("ANN@corp.test", "ann"),
            ('"ann"@corp.test', "ann"), ("ann@corp.test.else.test", "a"),
            ("a" * 200 + "@corp.test", "corp"), ("zo\u00eb@corp.test", "corp"),
            ("ann%corp.test@else.test", "a"),
            ("bounce=ann=corp.test@else.test", "a"), ("", "a"),
            ("@else.test:ann@corp.test", "ann")):
        table.add("a", f"[{RELAY}]", want, sender)
    gate = OutboundGate(
        case, f"""
binding "a" {{
    nexthops = {{"{RELAY}"}}
    {login("a")}
    sender "ann@corp.test" {{ {login("ann")} }}
    sender "@corp.test" {{ {login("corp")} }}
}}
""", authority, behind.port, (RELAY,),
        {"a": {"smtp_sender_dependent_authentication": "yes"}}, table.routes)
    table.run(gate, behind)
