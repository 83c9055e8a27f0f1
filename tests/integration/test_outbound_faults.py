# SPDX-License-Identifier: BSD-2-Clause
"""A credential that is due and cannot be had: the mail waits in Postfix's
queue, leaves with the credential as soon as there is one, and never without.
The next hop takes mail from anybody, so it would be seen."""
import contextlib
import os
import sqlite3

from harness import certs, outbound_gate
from harness.case import check, contains, equal, wait_for
from harness.outbound_gate import NextHop, OutboundGate

RELAY = "relay.test"
USER, PASSWORD = "edge@corp.test", "correct horse"
QUERY = "SELECT user, pass, type FROM logins WHERE key = :key"


def database(path, rows=(("a", USER, PASSWORD, None),)):
    """A database of credentials: (key, user, pass, type)."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE logins (key, user, pass, type)")
        connection.executemany("INSERT INTO logins VALUES (?, ?, ?, ?)", rows)
    os.chmod(path, 0o644)


def change(path, statement, values=()):
    """Change it."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def by_query(path, options="no_cache = true", query=QUERY,
             names=("a",)):
    """postern.conf: a binding's key leads to a row."""
    return f"""
datasource "logins" {{ uri = {{"sqlite:{path}"}} {options} timeout = 1s }}
outbound_smtp_auth {{ ds_cache = "logins" query = "{query}" }}
""" + "".join(f"""
binding "{name}" {{
    nexthops = {{"{RELAY}"}}
    outbound_smtp_auth_key = "{name}"
}}
""" for name in names)


def fixed(name="a", password=PASSWORD):
    """postern.conf: a binding with its credential."""
    return f"""
binding "{name}" {{
    nexthops = {{"{RELAY}"}}
    outbound_smtp_auth_user = "{USER}"
    outbound_smtp_auth_pass = "{password}"
}}
"""


class Rig:
    """An edge with transports of those names, and a next hop that would take
    mail without a login."""

    def __init__(self, case, conf, names=("a",), users=None, **settings):
        authority = certs.Authority(case.path("ca"))
        self.behind = NextHop(
            case, users or {USER: PASSWORD},
            authority.issue("relay", names=(RELAY,)))
        self.gate = OutboundGate(
            case, conf, authority, self.behind.port, (RELAY,),
            {name: {} for name in names},
            {f"{name}.test": f"{name}:[{RELAY}]" for name in names},
            **settings)
        self.authd = self.gate.authd

    def send(self, name="a"):
        """A message by one of the transports."""
        return self.gate.send(f"x@{name}.test")

    def expect_deferred(self, what, name="a"):
        """It waits; returns it."""
        mail = self.send(name)
        line, = self.gate.wait_deferred(mail)
        contains(line, "dsn=4.", f"{what}: why it waits")
        check(self.gate.queued(mail), f"{what}: it is not in the queue")
        check(not self.behind.has(mail), f"{what}: it was sent")
        return mail

    def expect_sent(self, what, *mails, user=USER):
        """Messages that waited, or a new one, leave with the credential."""
        if mails:
            self.gate.retry(*mails)
        else:
            mails = (self.send(),)
        self.gate.wait_sent(*mails)
        for mail in mails:
            equal(self.behind.login(mail), ("PLAIN", user),
                  f"{what}: who logged in")

    def reload(self, conf=None):
        """Another configuration, or a dead source is asked again at once."""
        if conf is not None:
            self.authd.configure(conf)
        done = self.authd.command("reload")
        equal(done.returncode, 0, f"reload: {done.stderr}")


def test_database(case):
    """A database that is not there, locked, of another schema, no database
    at all."""
    path = case.path("logins.db")
    rig = Rig(case, by_query(path))
    waiting = [rig.expect_deferred("missing at start")]
    database(path)
    rig.reload()
    rig.expect_sent("it is there", *waiting)

    with contextlib.closing(sqlite3.connect(
            path, isolation_level=None)) as locker:
        locker.execute("BEGIN EXCLUSIVE")
        waiting = [rig.expect_deferred("locked")]
        locker.execute("ROLLBACK")
    rig.reload()
    rig.expect_sent("unlocked", *waiting)

    os.rename(path, path + ".away")
    rig.reload()
    waiting = [rig.expect_deferred("gone")]
    case.write("logins.db", "This is no database, whatever its name.\n" * 99)
    rig.reload()
    waiting.append(rig.expect_deferred("no database"))
    os.unlink(path)
    database(path)
    change(path, "ALTER TABLE logins RENAME TO logouts")
    rig.reload()
    waiting.append(rig.expect_deferred("no table"))
    change(path, "ALTER TABLE logouts RENAME TO logins")
    rig.reload()
    rig.expect_sent("all is well", *waiting)
    check(rig.authd.lines("outbound: ", "verdict=defer", "binding=a"),
          "no line tells of it")


ODD_ROWS = {
    "nouser": (None, PASSWORD, None), "nopass": (USER, None, None),
    "emptyuser": ("", PASSWORD, None), "emptypass": (USER, "", None),
    "type": (USER, PASSWORD, "CRAM-MD5"), "colon": ("a:b", PASSWORD, None),
    "line": (USER, PASSWORD + "\r\nx", None),
    "longuser": ("u" * 300, PASSWORD, None),
    "longpass": (USER, "p" * 1100, None)}


def test_rows(case):
    """Rows that are half of one, or cannot be: all of them wait, a good one
    does not, and when they are mended they go."""
    path = case.path("logins.db")
    rows = [(name, *row) for name, row in ODD_ROWS.items()]
    names = [*ODD_ROWS, "two", "good", "none"]
    database(path, rows + [("two", USER, PASSWORD, None),
                           ("two", "other", PASSWORD, None),
                           ("good", USER, PASSWORD, "plain")])
    rig = Rig(case, by_query(path, names=names), names)
    mails = {name: rig.send(name) for name in names}
    bad = [mails[name] for name in (*ODD_ROWS, "two")]
    rig.gate.wait_deferred(*bad)
    rig.gate.wait_sent(mails["good"], mails["none"])
    equal(rig.behind.login(mails["good"]), ("PLAIN", USER), "the good row")
    equal(rig.behind.login(mails["none"]), None, "no row, no scope")
    for mail in bad:
        check(not rig.behind.has(mail), f"{mail} was sent")
    change(path, "DELETE FROM logins WHERE user = 'other'")
    change(path, "UPDATE logins SET user = ?, pass = ?, type = ''",
           (USER, PASSWORD))
    rig.expect_sent("mended", *bad)


def test_daemon(case):
    """postern-authd is not started, stopped, killed, or hangs."""
    rig = Rig(case, fixed())
    rig.expect_sent("all is well")
    rig.authd.stop()
    waiting = [rig.expect_deferred("stopped")]
    rig.authd.start()
    rig.authd.kill()
    waiting.append(rig.expect_deferred("killed"))
    rig.authd.start()
    rig.expect_sent("started again", *waiting)

    def hanging():
        """A message whose session has begun, and no answer."""
        before = rig.behind.log().count("TLS connection established")
        rig.authd.freeze()
        mail = rig.send()
        wait_for(lambda: rig.behind.log().count("TLS connection established")
                 > before, "a session", outbound_gate.PATIENCE)
        return mail

    mail = hanging()
    check(not rig.behind.has(mail), "it did not wait for the answer")
    rig.authd.thaw()
    rig.gate.wait_sent(mail)
    equal(rig.behind.login(mail), ("PLAIN", USER), "when it goes on")

    # the question was put, and there will be no answer
    mail = hanging()
    rig.authd.kill()
    rig.gate.wait_deferred(mail)
    check(not rig.behind.has(mail), "it was sent without an answer")
    rig.authd.start()
    rig.expect_sent("after the answer that did not come", mail)


def test_unknown_binding(case):
    """A transport whose binding postern.conf does not have."""
    rig = Rig(case, fixed("b"), ("a", "b"))
    mail = rig.expect_deferred("unknown")
    rig.authd.wait_log("warning", "a")
    rig.reload(fixed("a") + fixed("b"))
    rig.expect_sent("known", mail)


def test_change(case):
    """A row that changes is used when the cache has forgotten the old one,
    by command or by itself, without a reload."""
    path = case.path("logins.db")
    database(path)
    users = {USER: PASSWORD, "two": "2", "three": "3"}
    rig = Rig(case, by_query(path, "cache_life = 1h"), users=users)
    rig.expect_sent("the first row")
    update = "UPDATE logins SET user = ?, pass = ?"
    change(path, update, ("two", "2"))
    rig.expect_sent("from memory")
    for how, user in ((("drop", "a"), "two"), (("flush",), "three")):
        change(path, update, (user, users[user]))
        done = rig.authd.command("cache", *how)
        equal(done.returncode, 0, f"cache {how}: {done.stderr}")
        rig.expect_sent(f"after cache {how}", user=user)
    rig.reload(by_query(path, "cache_life = 1s"))
    rig.expect_sent("with a short life", user="three")
    change(path, update, (USER, PASSWORD))

    def renewed():
        mail = rig.send()
        rig.gate.wait_sent(mail)
        return rig.behind.login(mail) == ("PLAIN", USER)
    wait_for(renewed, "the changed row to be used", outbound_gate.PATIENCE,
             pause=0.3)
    equal(rig.authd.command("stats").returncode, 0, "stats")


def test_parameters(case):
    """What the query is told: key, sender, domain, binding, host, nexthop;
    one that says where the data belongs is put for any next hop."""
    path = case.path("logins.db")
    authority = certs.Authority(case.path("ca"))
    hosts = (RELAY, "other.test")
    keys = {"key": "relay-17", "sender": "ann@corp.test", "domain": RELAY,
            "binding": "a", "host": RELAY}
    users = {name: f"password-by-{name}" for name in (*keys, "nexthop")}
    behind = NextHop(case, users, authority.issue("relay", names=hosts))
    keys["nexthop"] = f"[{RELAY}]:{behind.port}"
    rows = [(f"{name}/{key}", name, users[name], None)
            for name, key in keys.items()]
    database(path, rows + [("domain/other.test", "host", users["host"],
                            None)])

    def conf(name):
        """A query by one parameter."""
        return f"""
datasource "logins" {{ uri = {{"sqlite:{path}"}} }}
outbound_smtp_auth {{
    ds_cache = "logins"
    query = "SELECT user, pass FROM logins WHERE key = '{name}/' || :{name}"
}}
binding "a" {{
    nexthops = {{"{RELAY}"}}
    outbound_smtp_auth_key = "{keys["key"]}"
}}
"""
    gate = OutboundGate(
        case, conf("key"), authority, behind.port, hosts,
        {"a": {"smtp_sender_dependent_authentication": "yes"}},
        {"a.test": f"a:{keys['nexthop']}", "o.test": "smtp:[other.test]"})
    for name in keys:
        gate.authd.configure(conf(name))
        equal(gate.authd.command("reload").returncode, 0, "reload")
        mails = [gate.send(to, keys["sender"])
                 for to in ("x@a.test", "x@o.test")]
        gate.wait_sent(*mails)
        found = [behind.login(mail) for mail in mails]
        equal([login and login[1] for login in found],
              [name, "host" if name == "domain" else None],
              f"who logged in with :{name}")
