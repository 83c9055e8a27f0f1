# SPDX-License-Identifier: BSD-2-Clause
"""Routes from data sources that are missing, locked, odd or dead: 451 at the
worst, never a wrong 550 and never a recipient that nobody was asked about."""
import os
import sqlite3
import time

from harness import scripted
from harness.case import check, contains, equal, wait_for
from harness.gate import Gate

ANN = "ann@example.com"
QUERY = "SELECT host FROM routes WHERE domain = :domain"


def database(path, host, domain="example.com"):
    """A database of one route."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE routes (domain, host)")
        connection.execute("INSERT INTO routes VALUES (?, ?)", (domain, host))
    connection.close()
    os.chmod(path, 0o644)


def conf(uris, options="", query=QUERY, more=""):
    """A query for every route."""
    listed = ", ".join(f'"{uri}"' for uri in uris)
    return f"""
datasource "routes" {{ uri = {{{listed}}} {options} timeout = 1s }}
smtp_rcptto_proxy {{
    ds_cache = "routes"
    query = "{query}"
    timeout = 5
    temporary_life = 0
    negative_life = 0
    {more}
}}
"""


def upstream_of(case):
    """An upstream that knows ann."""
    upstream = scripted.Scripted(case)
    upstream.recipients[ANN] = "250 2.1.5 Ok"
    return upstream, f"127.0.0.1:{upstream.port}"


def expect_deferred(gate, why):
    """Nobody is taken and nobody refused; in time."""
    for name in (ANN, "nobody@example.com"):
        began = time.monotonic()
        reply = gate.ask(name)
        equal(reply.code, 451, f"{why}: {name} ({reply!r})")
        check(time.monotonic() - began < 20, f"{why}: took too long")
        equal(gate.milter.verify_line(name)["verdict"], "defer", why)


def expect_served(gate):
    """All is well."""
    gate.expect(ANN, 250)
    gate.expect("nobody@example.com", 550, "5.1.1")


def reload(gate):
    """A dead source is asked again at once."""
    done = gate.milter.posternctl("reload")
    equal(done.returncode, 0, f"reload ({done.stderr})")


def test_missing_at_start(case):
    """The milter starts without its database, and serves when it is there."""
    _, host = upstream_of(case)
    path = case.path("routes.db")
    gate = Gate(case, conf([f"sqlite:{path}"]))
    expect_deferred(gate, "missing")
    contains(gate.milter.wait_log("warning", "routes.db"), "sqlite:",
             "the log")
    database(path, host)
    reload(gate)
    expect_served(gate)


def test_deleted_later(case):
    """What the database said is used on while it is gone; what it was not
    asked about is deferred."""
    upstream, host = upstream_of(case)
    path = case.path("routes.db")
    database(path, host)
    gate = Gate(case, conf([f"sqlite:{path}"], "cache_life = 1s"),
                domains=("example.com", "other.test"))
    expect_served(gate)
    os.unlink(path)
    time.sleep(1.2)
    gate.expect("stranger@example.com", 550, "5.1.1")
    expect_served(gate)
    gate.expect("ann@other.test", 451)
    explained = gate.milter.posternctl("explain", "rcpt", ANN)
    contains(explained.stdout, "past their time", "explain")
    check(not upstream.asked["ann@other.test"], "asked without a route")


def test_locked(case):
    """Somebody holds the database for himself: 451 within the timeout."""
    _, host = upstream_of(case)
    path = case.path("routes.db")
    database(path, host)
    gate = Gate(case, conf([f"sqlite:{path}"], "no_cache = true"))
    expect_served(gate)
    locker = sqlite3.connect(path, isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    expect_deferred(gate, "locked")
    gate.milter.wait_log("warning", "locked")
    gate.milter.restart(conf([f"sqlite:{path}"], "no_cache = true"))
    expect_deferred(gate, "locked at start")
    locker.execute("ROLLBACK")
    locker.close()
    reload(gate)
    expect_served(gate)


def test_other_schema(case):
    """Tables and columns of other names, at start and later, beside a global
    host that knows everybody; a file that is no database."""
    _, host = upstream_of(case)
    everybody = scripted.Scripted(case)
    everybody.other = "250 2.1.5 Ok"
    path = case.path("routes.db")
    database(path, host)
    text = conf([f"sqlite:{path}"], "no_cache = true", more=f"""
    host = "127.0.0.1:{everybody.port}"
    domains = {{"*"}}""")
    gate = Gate(case, text)
    expect_served(gate)
    for change, back in (
            ("ALTER TABLE routes RENAME TO roots",
             "ALTER TABLE roots RENAME TO routes"),
            ("ALTER TABLE routes RENAME COLUMN host TO server",
             "ALTER TABLE routes RENAME COLUMN server TO host")):
        with sqlite3.connect(path) as connection:
            connection.execute(change)
        expect_deferred(gate, change)
        gate.milter.restart(text)
        expect_deferred(gate, change + ", at start")
        with sqlite3.connect(path) as connection:
            connection.execute(back)
        reload(gate)
        expect_served(gate)
    case.write("routes.db", "This is no database, whatever its name.\n" * 99)
    expect_deferred(gate, "no database")
    gate.milter.restart(text)
    expect_deferred(gate, "no database, at start")
    equal(everybody.sessions, 0, "sessions with the global host")


def test_nonsense(case):
    """Rows that name no host defer the recipient, with a warning."""
    upstream, host = upstream_of(case)
    path = case.path("routes.db")
    database(path, host)
    text = conf([f"sqlite:{path}"], "no_cache = true")
    gate = Gate(case, text)
    complaints = 0
    for value in ("", None, "not a host", b"\x01\x02\xff", "mail:99999",
                  "mail:smtp", "[::1", "x" * 300, "a\r\nQUIT", "a\0b",
                  "unix:", "unix:relative", "-", 12345678901234567890.5,
                  "zo\xeb"):
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE routes SET host = ?", (value,))
        # complaints about rows are rate-limited, and breakers may open
        gate.milter.restart(text)
        expect_deferred(gate, f"host {value!r}")
        wait_for(lambda: len(gate.milter.lines("warning")) > complaints,
                 f"a warning about {value!r}")
        complaints = len(gate.milter.lines("warning"))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE routes SET host = ?", (host,))
        connection.execute("INSERT INTO routes VALUES (?, NULL)",
                           ("example.com",))
    check(gate.ask("nobody@example.com").code in (451, 550),
          "a good row and a bad one")
    columns = "SELECT domain, rowid FROM routes WHERE domain = :domain"
    gate.milter.restart(conf([f"sqlite:{path}"], query=columns))
    expect_deferred(gate, "no column is called host")


def test_file(case):
    """Routes from a file, which may change, and be gone."""
    _, host = upstream_of(case)
    second = scripted.Scripted(case)
    second.other = "550 5.1.1 Moved away"
    path = case.write("routes", f"# routes\nexample.com  {host}\n")
    gate = Gate(case, conf([f"file:{path}"], query=":domain"),
                domains=("example.com", "other.test"))
    expect_served(gate)
    gate.expect("anybody@other.test", 250)
    case.write("routes", f"other.test 127.0.0.1:{second.port}\n"
               f"example.com {host}\n")
    gate.expect("anybody@other.test", 550)
    expect_served(gate)
    # a file that makes no sense is not taken up
    case.write("routes", "other.test\nexample.com not a host\n")
    expect_served(gate)
    gate.expect("anybody@other.test", 550)
    gate.milter.wait_log("warning", "routes")
    os.unlink(path)
    gate.milter.restart(conf([f"file:{path}"], query=":domain"))
    expect_deferred(gate, "no file")


def test_one_of_two_dead(case):
    """A dead source among two is skipped."""
    _, host = upstream_of(case)
    good = case.path("good.db")
    database(good, host)
    gate = Gate(case, conf([f"sqlite:{case.path('dead.db')}",
                            f"sqlite:{good}"], "no_cache = true"))
    for _ in range(3):
        expect_served(gate)
    gate.milter.wait_log("warning", "dead.db")
    os.rename(good, case.path("away.db"))
    expect_deferred(gate, "both dead")
