# SPDX-License-Identifier: BSD-2-Clause
"""Sendmail and postern-authd: who is logged in as whom, what is sent without,
and what waits while postern-authd is away."""
import re
import sqlite3

from harness import (auth_gate, certs, logins, sasl, scripted, scripted_auth,
                     smtpclient)
from harness.authd import Authd
from harness.case import check, contains, equal, wait_for
from harness.outbound_gate import NextHop
from harness.outbound_sendmail import RULES, SendmailGate, queue_id, send_in

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
USERS = ("everybody", "named", "routed", "a", "ann", "corp", "long")


def password(user):
    """Of a user of the next hops."""
    return "x" * 190 if user == "long" else user + ' p"\\: w'


def login(user, more=""):
    """The options of somebody's login."""
    coded = password(user).replace("\\", "\\\\").replace('"', '\\"')
    return (f'outbound_smtp_auth_user = "{user}"\n'
            f'outbound_smtp_auth_pass = "{coded}"\n{more}\n')


LOGIN = 'outbound_smtp_auth_type = "LOGIN"'
PLAIN = 'outbound_smtp_auth_type = "PLAIN"'
SCOPES = f"""
outbound_smtp_auth {{
    nexthops = {{"[127.0.0.3]"}}
    {login("everybody", PLAIN)}
}}
domain "127.0.0.2" {{ {login("named", LOGIN)} }}
domain "localhost" {{ {login("routed", PLAIN)} }}
binding "a" {{
    nexthops = {{"[127.0.0.1]", "[127.0.0.3]"}}
    {login("a", LOGIN)}
    sender "ann@corp.test" {{ {login("ann", PLAIN)} }}
    sender "@corp.test" {{ {login("corp")} }}
    sender "long@corp.test" {{ {login("long")} }}
}}
"""


def make(case, conf, name="default", routes=None, logs_in=False, **options):
    """postern-authd, and Sendmail with next hops at HOSTS.  routes:
    {recipient's domain: host}; others go to the first of HOSTS.  logs_in:
    clients log in, by the plug-in."""
    authd = Authd(case, conf, user="smmta")
    if logs_in:
        options["sasl"] = (
            "PLAIN LOGIN", f"postern_socket: {authd.path}\n"
            "postern_mechs: PLAIN LOGIN\nmech_list: PLAIN LOGIN\n",
            sasl.plugins(case))
    table = case.write("mailertable-" + name, "".join(
        f"{domain} relay:{host}\n" for domain, host in (routes or {}).items()))
    gate = SendmailGate(
        case, authd.outbound, {user: password(user) for user in USERS},
        name=name, lines=[
            f"FEATURE(`mailertable', `text -k0 -v1 -o {table}')dnl",
            *options.pop("lines", ())], **options)
    for host in HOSTS[1:]:
        other = scripted.Scripted(case, port=gate.hop.port, host=host)
        # one server with several addresses
        for field in ("other", "keywords", "steps", "commands", "messages",
                      "recipients", "_number"):
            if hasattr(gate.hop, field):
                setattr(other, field, getattr(gate.hop, field))
        other.sessions = 1000 * int(host.rpartition(".")[2])
    return authd, gate


def expect(gate, rows):
    """[(recipient, sender, (mechanism, user) or None)]: all get through, with
    that login or without."""
    mails = [gate.send(recipient, sender=sender)
             for recipient, sender, _ in rows]
    for mail, (recipient, sender, want) in zip(mails, rows):
        check(gate.gone(mail), f"mail of {sender} to {recipient} waits")
        equal(gate.login(recipient), want, f"{sender} to {recipient}")


def test_next_hops(case):
    """The host that it is connected to, the host by which it was routed
    there, all of them; and what is for none of these."""
    authd, gate = make(case, SCOPES, routes={
        "named.test": "[127.0.0.2]", "routed.test": "[localhost]",
        "all.test": "[127.0.0.3]"})
    expect(gate, [("a@named.test", "x@else.test", ("LOGIN", "named")),
                  ("a@routed.test", "ann@corp.test", ("PLAIN", "routed")),
                  ("a@all.test", "x@else.test", ("PLAIN", "everybody")),
                  ("a@none.test", "ann@corp.test", None)])
    line = authd.decision("outbound: ", "user=<named>")
    equal((line["nexthop"], line["from"], line["type"], line["verdict"]),
          ("[127.0.0.2]", "<x@else.test>", "LOGIN", "given"), "the log")
    equal(len(authd.lines("outbound: ", "user=<named>")), 1, "lines of it")
    for user in USERS:
        check(password(user) not in authd.log(), "a password in the log")


def test_senders(case):
    """Senders and their domains, of a binding; anybody's mail by it; nobody's
    to another next hop."""
    authd, gate = make(case, SCOPES, name="a", routes={
        "named.test": "[127.0.0.2]", "elsewhere.test": "[localhost]"})
    expect(gate, [("a@none.test", "ann@corp.test", ("PLAIN", "ann")),
                  ("b@none.test", "Ann@Corp.TEST", ("PLAIN", "ann")),
                  ("c@none.test", '"ann"@corp.test', ("PLAIN", "ann")),
                  ("d@none.test", "bob@corp.test", ("LOGIN", "corp")),
                  ("e@none.test", "x@else.test", ("LOGIN", "a")),
                  ("f@none.test", "", ("LOGIN", "a")),
                  ("a@named.test", "ann@corp.test", ("LOGIN", "named")),
                  ("a@elsewhere.test", "ann@corp.test",
                   ("PLAIN", "routed"))])
    # what the answer has no room for is not sent without
    mail = gate.send("g@none.test", sender="long@corp.test")
    check(not gate.gone(mail), "it is gone")
    wait_for(lambda: "Sendmail takes no password of more than 189"
             in authd.log(), "a warning")


def test_no_such_binding(case):
    """A map with a name that there is not."""
    _, gate = make(case, SCOPES, name="b")
    check(not gate.gone(gate.send("a@none.test")), "it is gone")
    equal(gate.hop.messages, [], "messages")


def test_authd_away(case):
    """postern-authd ended, killed, stopped where it stands, cut off from its
    database: the mail waits, and goes out with the login afterwards."""
    rows = case.write("accounts", "")
    authd, gate = make(case, f"""
datasource "accounts" {{ uri = {{"sqlite:{rows}"}} cache_life = "0s" }}
outbound_smtp_auth {{
    ds_cache = "accounts"
    query = "SELECT user, pass FROM accounts WHERE key = :key
             AND host = :host AND sender = :sender"
}}
domain "127.0.0.1" {{ outbound_smtp_auth_key = "k" }}
""", wait=2)
    mails = {"database": gate.send("database@none.test")}
    check(not gate.gone(mails["database"]), "without its table")
    for name, away, back in (
            ("frozen", authd.freeze, authd.thaw),
            ("killed", authd.kill, authd.start),
            ("stopped", authd.stop, None)):
        away()
        mails[name] = gate.send(f"{name}@none.test")
        check(not gate.gone(mails[name]), name)
        if back is not None:
            back()
    equal((gate.hop.messages, gate.known.attempts), ([], []),
          "what went out meanwhile")
    with sqlite3.connect(rows) as database:
        database.execute(
            "CREATE TABLE accounts (key, host, sender, user, pass)")
        database.execute("INSERT INTO accounts VALUES (?, ?, ?, ?, ?)", (
            "k", "127.0.0.1", "me@example.com", "ann", password("ann")))
    database.close()
    authd.start()
    gate.retry(*mails.values())
    for name in mails:
        equal(gate.login(f"{name}@none.test")[1], "ann", name)


def recipe(authd, authority):
    """What posternctl prints for sendmail.mc, with the authority for those of
    the machine."""
    done = authd.posternctl("recipe", "sendmail.mc")
    equal(done.returncode, 0, f"posternctl ({done.stderr})")
    text = re.sub(r"include\(`.*'\)", f"include(`{RULES}')", done.stdout)
    for theirs, ours in (("/etc/ssl/certs/ca-certificates.crt",
                          authority.ca_file),
                         ("/etc/ssl/certs", authority.dir)):
        contains(text, theirs, "the recipe")
        text = text.replace(theirs, ours)
    return text.splitlines()


def test_recipe(case):
    """Under verified TLS, to a Postfix that takes mail after a login alone,
    with the recipe as it is printed."""
    authority = certs.Authority(case.path("ca"))
    pair = authority.issue("relay", names=("localhost",))
    behind = NextHop(case, {"ann": "secret"}, pair, required=True)
    authd = Authd(case, """
outbound_smtp_auth {
    nexthops = {"localhost"}
    outbound_smtp_auth_user = "ann"
    outbound_smtp_auth_pass = "secret"
    outbound_smtp_auth_type = "PLAIN"
}
""", user="smmta")
    gate = SendmailGate(case, None, recipe=recipe(authd, authority),
                        host="[localhost]", port=behind.port)
    mail = gate.send("bob@example.org")
    check(gate.gone(mail), "it waits")
    line = behind.wait_log("sasl_username=")
    contains(line, "sasl_method=PLAIN, sasl_username=ann", "its log")
    behind.set_password(case, "ann@nexthop.test", "changed")
    mail = gate.send("bob@example.org")
    check(not gate.gone(mail), "it is gone")
    behind.wait_refused(1)


def test_incoming_login(case):
    """The login of the client that brings the message is not taken for one
    at the next hop: nor where one is due, nor where none is."""
    upstream = scripted.Scripted(case)
    scripted_auth.Passwords(upstream, {"joe": "pass"})
    _, gate = make(case, auth_gate.route(upstream.port) + f"""
binding "a" {{ nexthops = {{"[127.0.0.1]"}} {login("ann")} }}
""", name="a", logs_in=True, mode="interactive",
                   routes={"free.test": "[127.0.0.2]"})
    gate.known.users.clear()
    for keyword in ("AUTH PLAIN LOGIN", "X-NO"):
        gate.hop.keywords[-1] = keyword
        with smtpclient.Client(gate.edge.port, helo="client.test") as client:
            equal(logins.plain(client, "joe", "pass").code, 235, "AUTH")
            for recipient, gone in (("a@none.test", False),
                                    ("a@free.test", True)):
                mail = queue_id(send_in(client, recipient))
                equal(gate.gone(mail), gone, f"{recipient}, {keyword}")
    equal(gate.got("a@none.test"), 0, "messages that need a login")
