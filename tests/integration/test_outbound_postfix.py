# SPDX-License-Identifier: BSD-2-Clause
"""Postfix logs in at next hops with what postern-authd gives it: the ways to
ask, the mechanisms, the choice per message, and what happens where the next
hop does not play along."""
import os
import re

from harness import (certs, dovecot, mta_postfix, outbound_gate, scripted,
                     scripted_auth)
from harness.case import Skipped, check, contains, equal, wait_for
from harness.daemon import Milter
from harness.front_gate import TRUSTED, PostfixFront, has_ipv6
from harness.outbound_gate import NextHop, OutboundGate, socketmap

RELAY = "relay.test"
USER, PASSWORD = "edge@corp.test", "correct horse"


def binding(name, user=USER, password=PASSWORD, options=""):
    """A binding whose mail goes to RELAY."""
    return f"""
binding "{name}" {{
    nexthops = {{"{RELAY}"}}
    outbound_smtp_auth_user = "{user}"
    outbound_smtp_auth_pass = "{password}"
    {options}
}}
"""


def authority_and_pair(case, names=(RELAY,)):
    """A certificate for the next hop."""
    authority = certs.Authority(case.path("ca"))
    return authority, authority.issue("relay", names=names)


def scripted_hop(case, pair, users, mechanisms="PLAIN LOGIN", **options):
    """A next hop that takes all mail; returns it and what it knows."""
    server = scripted.Scripted(case, tls=pair, **options)
    server.other = "250 2.1.5 Ok"
    return server, scripted_auth.Passwords(server, users, mechanisms)


def root_of(gate, program, mail):
    """The root directory of the process that dealt with a message."""
    line = gate.wait_status(mail, "sent")
    pid = re.search(rf"{program}\[(\d+)\]", line).group(1)
    return os.readlink(f"/proc/{pid}/root")


def test_dovecot(case):
    """Dovecot's submission service, which takes no mail without a login:
    each mechanism by its transport."""
    authority, pair = authority_and_pair(case)
    behind = dovecot.Dovecot(case, {USER: PASSWORD, "two": "2"}, tls=pair)
    behind.relay.other = "250 2.1.5 Ok"
    gate = OutboundGate(
        case, binding("a") + binding("b", "two", "2"), authority, behind.port,
        (RELAY,),
        {"a": {"smtp_sasl_mechanism_filter": "plain"},
         "b": {"smtp_sasl_mechanism_filter": "login"}},
        {"a.test": f"a:[{RELAY}]", "b.test": f"b:[{RELAY}]:{behind.port}"})
    gate.wait_sent(gate.send("x@a.test"), gate.send("x@b.test"))
    for user, mechanism in ((USER, "PLAIN"), ("two", "LOGIN")):
        wait_for(lambda user=user, mechanism=mechanism: re.search(
            rf"Login: user=<{user}>, method={mechanism}, .*TLS",
            behind.log()), f"dovecot to log {user} by {mechanism}", 30)
    equal(sorted(to for recipients, _ in behind.relay.messages
                 for to in recipients), ["x@a.test", "x@b.test"],
          "what went on from there")


def test_ways_to_ask(case):
    """From a chrooted smtp by the relative path, from one that is not, and
    through proxymap, which has to be permitted."""
    authority, pair = authority_and_pair(case)
    behind = NextHop(case, {USER: PASSWORD}, pair, required=True)
    names = ("a", "free", "proxied", "unlisted")
    gate = OutboundGate(
        case, "".join(binding(name) for name in names), authority,
        behind.port, (RELAY,),
        {"a": {},
         "proxied": {"smtp_sasl_password_maps": socketmap("proxied", True)},
         "unlisted": {"smtp_sasl_password_maps": socketmap("unlisted", True)}},
        {"free.test": f"free:[127.0.0.1]:{behind.port}",
         **{f"{name}.test": f"{name}:[{RELAY}]" for name in names
            if name != "free"}},
        services=[f"""free unix - - n - - smtp
  -o {{ smtp_sasl_password_maps = {socketmap("free")} }}
  -o smtp_tls_security_level=secure
  -o smtp_tls_secure_cert_match={RELAY}"""],
        proxy_read_maps="proxy:unix:passwd.byname " +
        socketmap("proxied", True))
    gate.authd.configure(
        "".join(binding(name).replace(
            f'"{RELAY}"', f'"{RELAY}", "127.0.0.1:{behind.port}"')
            for name in names))
    equal(gate.authd.command("reload").returncode, 0, "reload")
    mails = {name: gate.send(f"x@{name}.test") for name in names}
    for name in names[:3]:
        gate.wait_sent(mails[name])
        equal(behind.login(mails[name]), ("PLAIN", USER), name)
    equal(root_of(gate, "smtp", mails["a"]), gate.edge.queue, "smtp's root")
    equal(root_of(gate, "smtp", mails["free"]), "/", "the other smtp's root")
    # such a smtp ends, and master(8) does not start it again for a while
    gate.edge.wait_log("request for unapproved table", "outbound:unlisted")
    check(gate.queued(mails["unlisted"]), "it is not in the queue")
    check(not behind.has(mails["unlisted"]), "what was not permitted was sent")


def test_addresses(case):
    """Next hops that are IPv4 and IPv6 addresses, in more than one form."""
    if not has_ipv6():
        raise Skipped("there is no ::1")
    authority, pair = authority_and_pair(case)
    old, knows_old = scripted_hop(case, pair, {USER: PASSWORD})
    new, knows_new = scripted_hop(case, pair, {USER: PASSWORD}, host="::1")
    nexthops = {
        "a": f"[127.0.0.1]:{old.port}", "b": "127.0.0.1",
        "c": f"[::1]:{new.port}", "d": "::1", "e": "[0:0::1]"}
    asked = {name: f"[127.0.0.1]:{old.port}" if name in "ab"
             else f"[IPv6:::1]:{new.port}" if name == "e"
             else f"[::1]:{new.port}" for name in nexthops}
    gate = OutboundGate(
        case, "".join(binding(name).replace(RELAY, nexthop)
                      for name, nexthop in nexthops.items()),
        authority, old.port, (),
        {name: {"smtp_tls_security_level": "secure",
                "smtp_tls_secure_cert_match": RELAY} for name in nexthops},
        {f"{name}.test": f"{name}:{nexthop}"
         for name, nexthop in asked.items()}, inet_protocols="all")
    gate.wait_sent(*(gate.send(f"x@{name}.test") for name in nexthops))
    equal([len(knows.attempts) for knows in (knows_old, knows_new)], [2, 3],
          "logins")
    equal([len(server.messages) for server in (old, new)], [2, 3],
          "messages")


def test_no_auth_offered(case):
    """A next hop that offers no AUTH: Postfix 3.7 sends all the same.  With
    smtp_reply_filter it waits, and keeps the password to itself; whoever
    offers AUTH, or needs none, sees no difference."""
    authority, pair = authority_and_pair(case, (RELAY, "free.test"))
    without, _ = scripted_hop(case, pair, {}, mechanisms=None)
    other, offered = scripted_hop(case, pair, {USER: PASSWORD})
    strange, _ = scripted_hop(case, pair, {}, mechanisms="X-STRANGE")
    table = case.write("auth.pcre", outbound_gate.AUTH_FILTER)
    careful = {"smtp_reply_filter": f"pcre:{table}"}
    filters = {word: {"smtp_sasl_mechanism_filter": f"{word}, not-offered",
                      **careful} for word in ("plain", "login")}
    gate = OutboundGate(
        case, "".join(binding(name) for name in
                      ("open", "careful", "plain", "login")),
        authority, without.port, (RELAY, "free.test"),
        {"open": {}, "careful": careful, **filters},
        {"open.test": f"open:[{RELAY}]",
         "shut.test": f"careful:[{RELAY}]",
         "plainshut.test": f"plain:[{RELAY}]",
         "strange.test": f"login:[{RELAY}]:{strange.port}",
         "plain.test": f"plain:[{RELAY}]:{other.port}",
         "login.test": f"login:[{RELAY}]:{other.port}",
         "any.test": f"careful:[{RELAY}]:{other.port}",
         "none.test": f"careful:[free.test]:{without.port}"})
    mails = {name: gate.send(f"x@{name}.test") for name in
             ("open", "shut", "plainshut", "strange", "plain", "login",
              "any", "none")}
    for line in gate.wait_deferred(*(mails[name] for name in (
            "shut", "plainshut", "strange"))):
        contains(line, "dsn=4.7.0", "why it waits")
    gate.wait_sent(*(mails[name] for name in
                     ("open", "plain", "login", "any", "none")))
    equal(sorted(to for recipients, _ in without.messages
                 for to in recipients), ["x@none.test", "x@open.test"],
          "what went without")
    equal((without.counts["auth"], strange.counts["auth"]), (0, 0),
          "AUTH where it is not offered")
    equal(sorted({attempt[1] for attempt in offered.attempts}),
          ["LOGIN", "PLAIN"], "the mechanisms")
    equal(len(offered.attempts), 3, "logins where they are offered")
    check(not gate.edge.logged("warning:", f":{other.port} offered"),
          "a warning about who offers AUTH")


def test_safety_catch(case):
    """A credential that the next hop has refused is tried once, however many
    messages there are, and again as soon as it is another."""
    authority, pair = authority_and_pair(case)
    server, known = scripted_hop(case, pair, {USER: PASSWORD})
    gate = OutboundGate(
        case, binding("a", password="outdated"), authority, server.port,
        (RELAY,), {"a": {}}, {"a.test": f"a:[{RELAY}]"},
        smtp_sasl_auth_cache_name="proxy:btree:$data_directory/sasl_refused",
        smtp_sasl_auth_cache_time="1h")
    first = gate.send("x@a.test")
    line, = gate.wait_deferred(first)
    contains(line, "dsn=4.7.8", "a refused credential")
    later = [gate.send("x@a.test") for _ in range(5)]
    for line in gate.wait_deferred(*later):
        contains(line, "SASL [CACHED]", "the next messages")
    gate.retry(first)
    gate.wait_status(first, "deferred", "SASL [CACHED]", tries=2)
    equal(known.attempts, [(1, "PLAIN", USER, "outdated")], "logins")
    gate.authd.configure(binding("a"))
    equal(gate.authd.command("reload").returncode, 0, "reload")
    gate.retry(first, *later)
    gate.wait_sent(first, *later)
    equal({attempt[3] for attempt in known.attempts[1:]}, {PASSWORD},
          "the passwords afterwards")
    equal(len(server.messages), 6, "messages")


def chooser(case, port):
    """main.cf of the choice per message: X-Postern-Binding, FILTER."""
    checks = case.write(
        "binding.pcre", "/^X-Postern-Binding: +(\\w+)$/ "
        f"FILTER $1:[{RELAY}]:{port}\n")
    hide = case.write("binding_hide.pcre", "/^X-Postern-Binding:/ IGNORE\n")
    return {"milter_header_checks": f"pcre:{checks}",
            "smtp_header_checks": f"pcre:{hide}",
            **mta_postfix.milter_settings()}


PEERS = """
peer "127.0.0.2" { context = {"binding=a"} }
peer "127.0.0.3" { context = {"binding=b"} }
"""


def test_message_chooses(case):
    """A message chooses the user and the mechanism by its binding, and none
    by a header of its own."""
    authority, pair = authority_and_pair(case)
    behind = NextHop(case, {USER: PASSWORD, "two": "2"}, pair)
    conf = binding("a") + binding("b", "two", "2")
    gate = OutboundGate(
        case, conf, authority, behind.port, (RELAY,),
        {"a": {"smtp_sasl_mechanism_filter": "plain"},
         "b": {"smtp_sasl_mechanism_filter": "login"}},
        {"d.test": f"smtp:[{RELAY}]"}, **chooser(case, behind.port))
    Milter(case, conf + PEERS, queue=gate.edge.queue)
    for source, headers, want in (
            ("127.0.0.2", (), ("PLAIN", USER)),
            ("127.0.0.3", (), ("LOGIN", "two")),
            ("127.0.0.3", ("X-Postern-Binding: a",), ("LOGIN", "two")),
            ("127.0.0.4", (), None),
            ("127.0.0.4", ("X-Postern-Binding: a",), None)):
        mail = gate.send("x@d.test", source=source, headers=headers)
        gate.wait_sent(mail)
        equal(behind.login(mail), want, f"{source} with {headers}")


def test_session_chooses(case):
    """XSETCONTEXT at postern-front chooses it, too."""
    authority, pair = authority_and_pair(case)
    behind = NextHop(case, {USER: PASSWORD}, pair)
    front = PostfixFront(
        case, binding("a"), services=outbound_gate.transports({"a": {}}),
        peers=f"""
peer "{TRUSTED}/32" {{ smtp_extensions = {{"XSETCONTEXT"}}
                        setcontext_names = {{"binding"}} }}
""", mynetworks="127.0.0.0/8", relay_domains="", relay_transport="smtp",
        default_transport=f"smtp:[{RELAY}]:{behind.port}",
        smtp_tls_CAfile=authority.ca_file,
        smtp_sasl_password_maps=socketmap("default"),
        **outbound_gate.RECIPE, **chooser(case, behind.port))
    outbound_gate.add_hosts(front.edge, (RELAY,))
    gate = OutboundGate(case, binding("a"), authority, behind.port,
                        edge=front.edge)
    for before, want in (
            (("XSETCONTEXT binding=a",), ("PLAIN", USER)),
            ((), None)):
        mail = gate.send("x@d.test", source=TRUSTED, port=front.port,
                         before=before)
        gate.wait_sent(mail)
        equal(behind.login(mail), want, f"who logged in after {before}")
    # the daemons tell of a postern.conf that all can read, once
    check("everybody" not in front.front_log(), "a warning for each session")
