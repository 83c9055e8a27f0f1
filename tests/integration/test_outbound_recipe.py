# SPDX-License-Identifier: BSD-2-Clause
"""What `posternctl recipe' prints, pasted into the files of a Postfix or a
Sendmail as it stands: who logs in where, and what waits."""
import contextlib
import os
import re
import sqlite3

from harness import (certs, mta_postfix, mta_sendmail, outbound_gate,
                     outbound_sendmail, sasl, scripted, scripted_auth,
                     smtpclient)
from harness.authd import Authd
from harness.case import check, contains, equal, wait_for
from harness.daemon import Milter
from harness.outbound_gate import NextHop, OutboundGate

RELAY, LOGIN, PLAIN, KEYED, OTHER = HOSTS = (
    "relay.test", "messagesystems.test", "sparkpost.test", "keyed.test",
    "other.test")
USERS = ("msys", "sparkpost", "company", "ann", "row")
TABLES = ("auth.pcre", "binding.pcre", "binding_hide.pcre", "transport")


def login(user, kind=None):
    """The options of a scope; each user has a password of its own."""
    return (f'outbound_smtp_auth_user = "{user}"\n'
            f'outbound_smtp_auth_pass = "{password(user)}"\n'
            + (f'outbound_smtp_auth_type = "{kind}"\n' if kind else ""))


def password(user):
    """A user's."""
    return f"password-of-{user}"


def database(case):
    """What is known by its key alone; its path."""
    path = case.path("accounts.db")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE accounts (key, user, pass)")
        connection.execute("INSERT INTO accounts VALUES (?, ?, ?)",
                           ("somestring", "row", password("row")))
    return path


def configuration(port, accounts):
    """Two domains, one more whose login is in a database, and a relay that
    one sender has an account of its own at."""
    return f"""
datasource "accounts" {{ uri = {{"sqlite:{accounts}"}} }}
outbound_smtp_auth {{
    ds_cache = "accounts"
    query = "SELECT user, pass FROM accounts WHERE key = :key"
}}
domain "{KEYED}" {{
    outbound_smtp_auth_key = "somestring"
    outbound_smtp_auth_type = "LOGIN"
}}
domain "{LOGIN}" {{ {login("msys", "LOGIN")} }}
domain "{PLAIN}" {{ {login("sparkpost", "PLAIN")} }}
binding "a" {{
    nexthops = {{"[{RELAY}]:{port}"}}
    {login("company", "LOGIN")}
    sender "ann@corp.test" {{ {login("ann")} }}
}}
binding "nowhere" {{ }}
"""


PEERS = """
peer "127.0.0.2" { context = {"binding=a"} }
peer "127.0.0.3" { context = {"binding=nowhere"} }
peer "127.0.0.4" { context = {"binding=unknown"} }
"""


def paste(gate, authority):
    """All of the recipe into the edge's files."""
    conf = os.path.join(gate.edge.dir, "conf")

    def recipe(name):
        done = gate.authd.posternctl("recipe", "-q", gate.edge.queue, name)
        equal(done.returncode, 0, f"posternctl recipe {name}: {done.stderr}")
        return done.stdout
    for name in TABLES:
        path = os.path.join(conf, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(recipe(name))
        os.utime(path, (0, 0))  # see postfix.sh
    gate.edge.stop()
    for name in ("main.cf", "master.cf"):
        with open(os.path.join(conf, name), "a", encoding="ascii") as file:
            file.write(recipe(name))
    # of this machine there is no certificate
    gate.edge.command("postconf", "-e",
                      f"smtp_tls_CAfile={authority.ca_file}")
    for option in ("-n", "-M"):
        done = gate.edge.command("postconf", option)
        equal((done.returncode, done.stderr), (0, ""), f"postconf {option}")
    gate.edge.start()


def pasted(case, authority, port, hosts=HOSTS, relay_port=None, **settings):
    """The edge, set up by the recipe alone.  port: of hosts, and of the
    binding's relay unless that has another."""
    edge = mta_postfix.Postfix(case, "edge", {
        "mynetworks": "127.0.0.0/8",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "default_transport": "smtp",
        "smtp_tcp_port": str(port),
        **mta_postfix.milter_settings(), **settings})
    outbound_gate.add_hosts(edge, hosts)
    conf = configuration(relay_port or port, database(case))
    gate = OutboundGate(case, conf, authority, port, edge=edge)
    Milter(case, conf + PEERS, queue=edge.queue)
    paste(gate, authority)
    return gate


def test_everything(case):
    """Domains, one of them by its key, a binding, a sender: each by its user
    and mechanism; mail that has none leaves as before; a binding without a next hop is not guessed."""
    authority = certs.Authority(case.path("ca"))
    pair = authority.issue("relay", names=HOSTS)
    behind = NextHop(case, {user: password(user) for user in USERS}, pair)
    gate = pasted(case, authority, behind.port)
    for recipient, sender, source, want in (
            (f"x@{LOGIN}", "bob@corp.test", "127.0.0.1", ("LOGIN", "msys")),
            (f"x@{PLAIN}", "bob@corp.test", "127.0.0.1",
             ("PLAIN", "sparkpost")),
            (f"x@{KEYED}", "bob@corp.test", "127.0.0.1", ("LOGIN", "row")),
            (f"x@{OTHER}", "bob@corp.test", "127.0.0.1", None),
            (f"x@{OTHER}", "ann@corp.test", "127.0.0.1", None),
            (f"x@{OTHER}", "bob@corp.test", "127.0.0.2",
             ("LOGIN", "company")),
            (f"x@{PLAIN}", "ann@corp.test", "127.0.0.2", ("LOGIN", "ann"))):
        mail = gate.send(recipient, sender, source=source)
        gate.wait_sent(mail)
        equal(behind.login(mail), want, f"{recipient} from {sender}, {source}")
    for source in ("127.0.0.3", "127.0.0.4"):
        with smtpclient.Client(gate.edge.port, source=source,
                               helo="client.test") as client:
            client.mail("bob@corp.test")
            client.rcpt(f"x@{OTHER}")
            equal(client.data("\r\n").code, 451, "a binding without a relay")


def hop(case, pair, mechanisms="PLAIN LOGIN", users=USERS):
    """A scripted next hop; returns it and what it knows."""
    server = scripted.Scripted(case, tls=pair)
    server.other = "250 2.1.5 Ok"
    return server, scripted_auth.Passwords(
        server, {user: password(user) for user in users}, mechanisms)


def test_waits(case):
    """No AUTH, a certificate of somebody else, or TLS that only a policy for
    that host asks for so little of: mail waits, and no password is shown."""
    authority = certs.Authority(case.path("ca"))
    pair = authority.issue("relay", names=HOSTS)
    without, _ = hop(case, pair, mechanisms=None)
    strange, known = hop(case, authority.issue("other", names=["else.test"]))
    policy = case.write("policy", f"[{RELAY}]:{strange.port} may\n")
    os.utime(policy, (0, 0))
    gate = pasted(case, authority, without.port, relay_port=strange.port,
                  smtp_tls_policy_maps=f"texthash:{policy}")
    mails = [gate.send(f"x@{LOGIN}"), gate.send(f"x@{PLAIN}"),
             gate.send(f"x@{OTHER}", source="127.0.0.2"),
             gate.send(f"x@{OTHER}", "ann@corp.test", source="127.0.0.2")]
    for line in gate.wait_deferred(*mails):
        contains(line, "dsn=4.7.", "why it waits")
    equal(known.attempts, [], "logins where the certificate is another's")
    equal((len(without.messages), len(strange.messages)), (0, 0), "messages")
    free = gate.send(f"x@{OTHER}")
    gate.wait_sent(free)
    equal(len(without.messages), 1, "what needs no login")


def test_refused(case):
    """A password that is refused is shown to the relay once."""
    authority = certs.Authority(case.path("ca"))
    server, known = hop(case, authority.issue("relay", names=HOSTS),
                        users=("nobody",))
    gate = pasted(case, authority, server.port)
    first = gate.send(f"x@{LOGIN}")
    gate.wait_deferred(first)
    later = [gate.send(f"x@{LOGIN}") for _ in range(8)]
    for line in gate.wait_deferred(*later):
        contains(line, "SASL [CACHED]", "the next messages")
    equal(len(known.attempts), 1, "logins")
    check(gate.queued(first), "the message is not in the queue")


def sendmail_lines(authd, authority):
    """The recipe for sendmail.mc, with the rule set of this tree and a
    certificate authority of the test's own."""
    done = authd.posternctl("recipe", "sendmail.mc")
    equal(done.returncode, 0, f"posternctl recipe: {done.stderr}")
    found, count = re.subn(
        r"include\(`.*/sendmail-outbound\.m4'\)",
        f"include(`{os.path.abspath(outbound_sendmail.RULES)}')", done.stdout)
    equal(count, 1, f"the rule set in {done.stdout}")
    for name, path in (("confCACERT", authority.ca_file),
                       ("confCACERT_PATH", authority.dir)):
        found, count = re.subn(f"(?<=`{name}', `)[^']*", path, found)
        equal(count, 1, f"{name} in {done.stdout}")
    return found


def test_sendmail(case):
    """Sendmail logs in by it, with the mechanism that was chosen; without the
    daemon mail waits."""
    authority = certs.Authority(case.path("ca"))
    server, known = hop(case, authority.issue(
        "relay", names=["localhost"]))
    authd = Authd(case, f"""
domain "localhost.test" {{ {login("msys", "LOGIN")} }}
sender "ann@example.com" {{ {login("ann")} }}
binding "unused" {{ nexthops = {{"localhost.test"}} }}
""", user="root")
    edge = mta_sendmail.Sendmail(
        case, server.port, None,
        lines=["define(`confDELIVERY_MODE', `background')dnl",
               "define(`SMART_HOST', `relay:[localhost]')dnl"],
        behind=sendmail_lines(authd, authority).splitlines(),
        sasl=("PLAIN LOGIN", None, sasl.plugins(case, ours=False)))

    def send(recipient):
        with smtpclient.Client(edge.port, helo="client.test") as client:
            client.mail("bob@example.com")
            equal(client.rcpt(recipient).code, 250, "RCPT")
            done = client.data()
            equal(done.code, 250, "the message")
            return re.match(r"2\.0\.0 (\w+) ", done.text).group(1)
    send("x@example.com")
    wait_for(lambda: server.messages, "the message to arrive")
    equal([attempt[1:] for attempt in known.attempts],
          [("LOGIN", "msys", password("msys"))], "logins")
    authd.child.stop()
    mail = send("y@example.com")
    wait_for(lambda: (edge.tries(mail) or 0) >= 1, "the message to be tried")
    equal(len(server.messages), 1, "messages")
