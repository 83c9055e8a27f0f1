# SPDX-License-Identifier: BSD-2-Clause
"""What `posternctl recipe' prints, pasted into the files of a real Postfix as
it stands, works."""
import os

from harness import certs, mta_postfix, scripted, smtpclient
from harness.case import check, equal
from harness.daemon import Milter
from harness.outbound_gate import NextHop, OutboundGate, add_hosts

FILES = ("main.cf", "master.cf", "auth.pcre", "binding.pcre",
         "binding_hide.pcre", "transport")

PEERS = "".join(
    f'peer "127.0.0.{number}" {{ context = {{"binding={name}"}} }}\n'
    for number, name in ((2, "a"), (3, "b"), (4, "shut"), (5, "unknown")))


def login(user, password, **options):
    """The options of a scope."""
    return "".join(
        f'outbound_smtp_auth_{name} = "{value}"\n' for name, value in
        {"user": user, "pass": password, **options}.items())


def paste(edge, authd):
    """Behind main.cf and master.cf, into new tables, and nothing else."""
    for name in FILES:
        done = authd.posternctl("recipe", "-q", edge.queue, name)
        equal((done.returncode, done.stderr), (0, ""), f"recipe {name}")
        check(done.stdout.endswith("\n"), f"recipe {name} is empty")
        with open(os.path.join(edge.dir, "conf", name), "a",
                  encoding="ascii") as file:
            file.write(done.stdout)


def test_pasted(case):
    """Bindings that messages choose, domains, both types, senders; a next hop
    that offers no AUTH; the safety catch."""
    hosts = ("relay.test", "shut.test", "named.test", "other.test")
    users = {"a": "1", "b": "2", "named": "3", "ann": "4"}
    authority = certs.Authority(case.path("ca"))
    pair = authority.issue("relay", names=hosts)
    behind = NextHop(case, users, pair)
    shut = scripted.Scripted(case, tls=pair)  # offers no AUTH
    shut.other = "250 2.1.5 Ok"
    conf = f"""
domain "named.test" {{ {login("named", "3", type="LOGIN")} }}
binding "a" {{
    nexthops = {{"[relay.test]:{behind.port}"}}
    {login("a", "1", type="LOGIN")}
    sender "ann@corp.test" {{ {login("ann", "4")} }}
}}
binding_group "g" {{
    nexthops = {{"relay.test"}}
    {login("b", "2", type="PLAIN")}
    binding "b" {{ }}
}}
binding "shut" {{
    nexthops = {{"[shut.test]:{shut.port}"}} {login("x", "secret")} }}
"""
    edge = mta_postfix.Postfix(case, "edge", {
        "mynetworks": "127.0.0.0/8",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "default_transport": "smtp", "smtp_tcp_port": str(behind.port),
        **mta_postfix.milter_settings()})
    add_hosts(edge, hosts)
    edge.stop()
    gate = OutboundGate(case, conf, authority, None, edge=edge)
    os.chmod(gate.authd.conf_file, 0o600)  # or there is a warning
    paste(edge, gate.authd)
    edge.command("postconf", "-e", f"smtp_tls_CAfile={authority.ca_file}")
    Milter(case, conf + PEERS, queue=edge.queue)
    edge.start()
    done = edge.command("postconf", "-n")
    equal(done.stderr, "", "what Postfix says to it")

    rows = [("x@else.test", "127.0.0.2", "zoe@else.test", ("LOGIN", "a")),
            ("x@else.test", "127.0.0.2", "ann@corp.test", ("LOGIN", "ann")),
            ("x@else.test", "127.0.0.3", "zoe@else.test", ("PLAIN", "b")),
            ("x@named.test", "127.0.0.9", "ann@corp.test",
             ("LOGIN", "named")),
            ("x@other.test", "127.0.0.9", "ann@corp.test", None)]
    mails = [gate.send(to, sender, source=source)
             for to, source, sender, _ in rows]
    waits = gate.send("x@else.test", source="127.0.0.4")
    gate.wait_sent(*mails)
    for mail, (_, source, _, want) in zip(mails, rows):
        equal(behind.login(mail), want, f"{mail} from {source}")
    gate.wait_deferred(waits)
    with smtpclient.Client(edge.port, source="127.0.0.5",
                           helo="client.test") as client:
        client.mail()
        client.rcpt("x@else.test")
        equal(client.data().code, 451, "a binding that there is not")
    equal((shut.counts["auth"], shut.messages), (0, []),
          "what went to who offers no AUTH")
