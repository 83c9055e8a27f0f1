# SPDX-License-Identifier: BSD-2-Clause
"""Which upstream a login goes to, and which host when some are away: one
attempt at most, and never another opinion after a refusal."""
import os
import sqlite3

from harness import (auth_gate, certs, logins, namespace, ports,
                     scripted, scripted_auth, submission)
from harness.auth_gate import AuthGate
from harness.case import check, contains, equal

USER = "ann@example.org"
PASSWORD = "correct horse"


class Known:
    """A scripted upstream and whom it knows."""

    def __init__(self, case, users=None, **scripted_as):
        self.upstream = scripted.Scripted(case, **scripted_as)
        self.port = self.upstream.port
        self.host = f"{self.upstream.host}:{self.port}"
        self.auth = scripted_auth.Passwords(
            self.upstream, users or {USER: PASSWORD})

    @property
    def attempts(self):
        """How many there were."""
        return len(self.auth.attempts)


def section(hosts, text=""):
    """The global section, with hosts tried in order."""
    listed = ", ".join(f'"{host}"' for host in hosts)
    return (f"smtp_auth_proxy {{\n    host = {{{listed}}}\n"
            f"{auth_gate.options(text)}}}\n")


def database(case, rows, columns="username, host, port, tls"):
    """An SQLite database of routes; returns its path."""
    path = case.path("routes.db")
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE auth_servers ({columns})")
        marks = ", ".join("?" for _ in columns.split(","))
        connection.executemany(
            f"INSERT INTO auth_servers VALUES ({marks})", rows)
    connection.close()
    os.chmod(path, 0o644)
    return path


def query(path, sql, text="", host="", cache="no_cache = true"):
    """postern.conf with a query."""
    return f"""
datasource "routes" {{ uri = "sqlite:{path}" {cache} timeout = 1s }}
smtp_auth_proxy {{
    {host}
    ds_cache = "routes"
    query = "{sql}"
{auth_gate.options(text)}}}
"""


BY_NAME = "SELECT host, port, tls FROM auth_servers WHERE username = :username"


def test_failover(case):
    """The next host is asked when one is away: refuses connections, does not
    greet, greets with 4xx or 5xx, lacks AUTH; each login is one attempt."""
    first, second = Known(case), Known(case)
    nobody = f"127.0.0.1:{ports.free_port()}"
    gate = AuthGate(case, section([nobody, second.host]))
    gate.expect(USER, PASSWORD, 235)
    gate.expect(USER, "wrong", 535)
    equal(second.attempts, 2, "attempts at the second")
    for step, action in (
            ("connect", "421 4.3.2 Closing"), ("connect", "554 5.7.1 No"),
            ("connect", scripted.close), ("ehlo", "421 4.3.2 Closing"),
            ("ehlo", scripted.close),
            ("ehlo", "250 mailstore.test")):  # without AUTH
        second.auth.attempts.clear()
        gate.authd.kill()
        first.upstream.drop()
        first.upstream.steps[step] = action
        gate.authd.configure(section([first.host, second.host]))
        gate.authd.start()
        gate.expect(USER, PASSWORD, 235)
        gate.expect(USER, "wrong", 535)
        equal((first.attempts, second.attempts), (0, 2),
              f"attempts after {step}")
        del first.upstream.steps[step]


def test_no_second_opinion(case):
    """What one host has answered, or may have counted, stands."""
    first, second = Known(case), Known(case)
    gate = AuthGate(case, section([first.host, second.host]))
    for number, (final, code) in enumerate((
            ("535 5.7.8 no", 535), ("535 5.7.0 no", 535),
            ("454 4.7.0 later", 454), ("421 4.3.2 closing", 454),
            ("550 5.7.1 no", 454), (scripted.close, 454),
            (scripted.raw(b"garbage\r\n", True), 454))):
        gate.authd.kill()
        first.upstream.drop()
        gate.authd.start()
        first.auth.final = final
        gate.expect(USER, f"password {number}", code)
        equal((first.attempts, second.attempts), (number + 1, 0),
              f"attempts after {final}")


def test_hung_host(case):
    """A first host that takes connections and says nothing leaves time for
    the second, or the answer is 454; soon it is not asked first any more."""
    first, second = Known(case), Known(case)
    first.upstream.steps["connect"] = scripted.hang
    gate = AuthGate(case, section([first.host, second.host], "timeout = 4"))
    codes = [gate.login(USER, PASSWORD).code for _ in range(4)]
    check(set(codes) <= {235, 454}, f"replies: {codes}")
    equal(codes[-1], 235, f"the last reply of {codes}")
    equal(first.attempts, 0, "attempts at the first")


def test_refused_by_postfix(case):
    """Two real upstreams: a bad login is counted at one of them, once."""
    one, two = (submission.Submission(case, {USER: PASSWORD}, name=name)
                for name in ("one", "two"))
    gate = AuthGate(case, section([f"127.0.0.1:{one.port}",
                                   f"127.0.0.1:{two.port}"]))
    for how in (logins.plain, logins.login):
        for _ in range(2):
            gate.expect(USER, f"wrong {how.__name__}", 535, how)
    one.wait_refused(2)
    equal(two.refused(), 0, "refusals of two")
    one.stop()
    gate.expect(USER, PASSWORD, 235)
    gate.expect(USER, "still wrong", 535)
    two.wait_refused(1)


def test_order(case):
    """domain section, then query, then the global host for everybody else,
    those without a domain among them."""
    names = ("ann@section.test", "bob@query.test", "carl@other.test", "dora")
    users = {name: PASSWORD for name in names}
    by_section, by_query, by_global = (Known(case, users) for _ in range(3))
    path = database(case, [
        (name, by_query.host, None, None) for name in names[:2]])
    gate = AuthGate(case, query(
        path, BY_NAME, host=f'host = "{by_global.host}"') + f"""
domain "Section.TEST" {{
    smtp_auth_proxy {{ host = "{by_section.host}" }}
}}
""")
    for name in names:
        gate.expect(name, PASSWORD, 235)
        gate.expect(name, "wrong", 535, logins.login)
    gate.expect("ann@SECTION.test", "not for this name", 535)
    equal(by_section.auth.names(), ["ann@section.test"] * 2
          + ["ann@SECTION.test"], "by section")
    equal(by_query.auth.names(), ["bob@query.test"] * 2, "by query")
    equal(by_global.auth.names(), ["carl@other.test"] * 2 + ["dora"] * 2,
          "by the global host")


def test_no_route(case):
    """A user whom no route is for: 454, and nobody is asked."""
    known = Known(case)
    gate = AuthGate(case, f"""
smtp_auth_proxy {{
{auth_gate.options()}}}
domain "example.org" {{ smtp_auth_proxy {{ host = "{known.host}" }} }}
""")
    gate.expect(USER, PASSWORD, 235)
    for name in ("bob@other.test", "bob@sub.example.org", "bob"):
        gate.expect(name, PASSWORD, 454)
        equal(gate.authd.auth_line(name)["verdict"], "defer", name)
    equal(known.attempts, 1, "attempts")


def test_query(case):
    """The seeds' query, its parameters, columns port and tls, rows in
    order."""
    authority = certs.Authority(case.path("ca"))
    plain = Known(case, {"ann": "1", "ann@example.org": "2",
                         "Ann@Example.ORG": "3"})
    secure = Known(case, {"bob@example.org": "4"}, tls=authority.good(),
                   implicit_tls=True)
    nobody = ports.free_port()
    path = database(case, [
        ("ann", "127.0.0.1", plain.port, None),
        ("ann@example.org", f"127.0.0.1:{nobody}", None, ""),
        ("ann@example.org", "127.0.0.1", str(plain.port), ""),
        ("bob@example.org", "127.0.0.1", secure.port, "implicit"),
        ("example.org", "127.0.0.1", plain.port, None),
        ("Ann", "127.0.0.1", plain.port, None)])
    ca_file = f'tls = "may" tls_ca_file = "{authority.ca_file}"'
    gate = AuthGate(case, query(path, BY_NAME, ca_file))
    gate.expect("ann", "1", 235)
    gate.expect("ann@example.org", "2", 235)
    gate.expect("ann@example.org", "no", 535)
    gate.expect("bob@example.org", "4", 235)
    gate.expect("Ann@Example.ORG", "3", 454)  # as typed: no row
    for column in (":domain", ":localpart"):
        gate.authd.restart(query(
            path, f"SELECT host, port FROM auth_servers"
            f" WHERE username = {column}", ca_file))
        gate.expect("Ann@Example.ORG", "3", 235)
    gate.expect("' OR 1=1 --@example.net", "3", 454)


def test_tls_of_a_row(case):
    """A row may tighten TLS, never loosen it."""
    address = namespace.own_network()
    known = Known(case, host=address)
    path = database(case, [(USER, address, known.port, "verify"),
                           ("bob", address, known.port, "none"),
                           ("carl", address, known.port, "sometimes"),
                           ("dora", address, known.port, None)])
    gate = AuthGate(case, query(path, BY_NAME))
    gate.expect(USER, PASSWORD, 454)
    gate.authd.wait_log("warning", "STARTTLS")
    gate.expect("carl", PASSWORD, 454)
    equal(known.attempts, 0, "attempts")
    gate.expect("dora", PASSWORD, 535)
    gate.authd.restart(query(path, BY_NAME, 'tls = "verify"'))
    gate.expect("bob", PASSWORD, 454)
    gate.authd.wait_log("warning", "tls")
    equal(known.attempts, 1, "attempts")


def test_may_of_a_row(case):
    """Under `may` a row off loopback is not used."""
    path = database(case, [(USER, "192.0.2.1", 587, None)])
    gate = AuthGate(case, query(path, BY_NAME, 'tls = "may"'))
    gate.expect(USER, PASSWORD, 454)
    gate.authd.wait_log("warning", "192.0.2.1")


def test_database_faults(case):
    """Down, empty, wrong: 454; and well again when it is."""
    known = Known(case)
    path = case.path("routes.db")
    gate = AuthGate(case, query(path, BY_NAME))

    def expect_unsure(why):
        for how in (logins.plain, logins.login):
            reply = gate.login(USER, PASSWORD, how)
            equal(reply.code, 454, f"{why} ({reply!r})")

    expect_unsure("missing")
    gate.authd.wait_log("warning", "routes.db")
    database(case, [])
    gate.authd.restart(query(path, BY_NAME))
    expect_unsure("empty")
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO auth_servers VALUES (?, ?, ?, ?)",
            (USER, "127.0.0.1:port", "many", None))
    connection.close()
    expect_unsure("nonsense in a row")
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE auth_servers SET host = ?, port = NULL", (known.host,))
    connection.close()
    gate.expect(USER, PASSWORD, 235)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE auth_servers")
    connection.close()
    expect_unsure("no table")
    with open(path, "w", encoding="ascii") as file:
        file.write("this is no database at all\n" * 100)
    gate.authd.kill()
    gate.authd.configure(query(path, BY_NAME))
    gate.authd.start()
    expect_unsure("no database")
    equal(known.attempts, 1, "attempts")


def test_unix_socket(case):
    """An upstream behind a Unix socket, and one written with its port."""
    path = case.path("upstream.sock")
    known = Known(case, unix=path)
    gate = AuthGate(case, section([f"unix:{path}"]))
    gate.expect(USER, PASSWORD, 235)
    gate.expect(USER, "wrong", 535)
    equal(known.attempts, 2, "attempts")
    known = Known(case)
    gate.authd.restart(f'smtp_auth_proxy {{ host = "127.0.0.1" '
                       f"port = {known.port}\n{auth_gate.options()}}}\n")
    gate.expect(USER, PASSWORD, 235)


def test_domain_overrides(case):
    """A domain section has its own TLS, memory and mechanisms."""
    authority = certs.Authority(case.path("ca"))
    names = {"ann@a.test": PASSWORD, "ann@b.test": PASSWORD}
    one = Known(case, names)
    two = Known(case, names, tls=authority.good())
    gate = AuthGate(case, section([one.host], "bad_memory = 0") + f"""
domain "b.test" {{
    smtp_auth_proxy {{
        host = "{two.host}"
        tls = "verify"
        tls_ca_file = "{authority.ca_file}"
        bad_memory = 15m
    }}
}}
""")
    for name in names:
        gate.expect(name, PASSWORD, 235)
        for _ in range(3):
            gate.expect(name, "wrong", 535)
    equal(one.attempts, 4, "attempts without memory")
    equal(two.attempts, 2, "attempts with memory")
    contains([line for _, line in two.upstream.commands], "STARTTLS",
             "commands of the second")
