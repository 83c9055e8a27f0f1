# SPDX-License-Identifier: BSD-2-Clause
"""Call-forward on a Postfix edge: the main job, end to end."""
import os
import sqlite3
import time

from harness import mta_postfix, scripted, smtpclient, syslog
from harness.case import check, contains, equal, wait_for
from harness.daemon import Milter
from harness.gate import Gate, route

USERS = ["ann@example.com", "bob@example.com", "carl@example.com"]
REFUSED = (550, "5.1.1")


def with_mailstore(case, options="", **settings):
    """An edge and a real Postfix behind it."""
    store = mta_postfix.mailstore(case, USERS)
    return store, Gate(case, route(store.port, options), store.port,
                       **settings)


def test_known_and_unknown(case):
    """The job: unknown recipients are refused at the door, others taken."""
    store, gate = with_mailstore(case)
    gate.expect("ann@example.com", 250)
    reply = gate.expect("nobody@example.com", *REFUSED)
    check("mailstore" not in reply.text and "127.0.0.1" not in reply.text
          and "table" not in reply.text,
          f"the upstream's words or name in {reply!r}")
    contains(gate.edge.wait_log("milter-reject: RCPT"), "550 5.1.1",
             "the edge's log")
    line = gate.milter.verify_line("nobody@example.com")
    equal((line["verdict"], line["code"], line["dsn"], line["upstream"]),
          ("reject", "550", "5.1.1", f"127.0.0.1:{store.port}"), "the log")
    equal((line["client"], line["helo"], line["from"]),
          ("127.0.0.1", "client.test", "<ann@sender.test>"), "the log")
    equal(gate.milter.verify_line("ann@example.com")["verdict"], "accept",
          "the log")


def test_message_goes_through(case):
    """A message to two of whom one is unknown is delivered to the other."""
    store, gate = with_mailstore(case)
    rcpts, done = smtpclient.send(
        gate.port, ["ann@example.com", "nobody@example.com",
                    "bob@example.com"])
    equal([reply.code for reply in rcpts], [250, 550, 250], "RCPT")
    equal(done.code, 250, "the message")
    store.wait_log("to=<ann@example.com>", "status=sent")
    store.wait_log("to=<bob@example.com>", "status=sent")
    check(gate.edge.logged("status=bounced") is None,
          "the edge bounced something")


def test_upstream_stopped(case):
    """Nobody can tell: 451, except for what is known; then as before."""
    store, gate = with_mailstore(case)
    gate.expect("ann@example.com", 250)
    gate.expect("nobody@example.com", *REFUSED)
    store.stop()
    reply = gate.expect("bob@example.com", 451)
    check(reply.enhanced.startswith("4."), f"the reply is {reply!r}")
    equal(gate.milter.verify_line("bob@example.com")["verdict"], "defer",
          "the log")
    gate.expect("ann@example.com", 250)
    gate.expect("nobody@example.com", *REFUSED)
    store.start()
    # the breaker lets one trial through at a time
    wait_for(lambda: gate.ask("bob@example.com").code == 250,
             "the upstream to be asked again", 60, 0.5)
    gate.expect("stranger@example.com", *REFUSED)


def test_pipelined_session(case):
    """Many recipients in one write get each the reply that is theirs."""
    _, gate = with_mailstore(case)
    with smtpclient.Client(gate.port, helo="client.test") as client:
        names = ["ann", "x1", "bob", "x2", "carl", "x3"]
        replies = client.pipeline(
            "MAIL FROM:<ann@sender.test>",
            *(f"RCPT TO:<{name}@example.com>" for name in names))
        equal([reply.code for reply in replies],
              [250, 250, 550, 250, 550, 250, 550], "the replies")
        equal(client.command("RSET").code, 250, "RSET")
        client.mail()
        equal(client.rcpt("x9@example.com").code, 550, "after RSET")


def test_without_route(case):
    """A recipient without a route is not asked about."""
    upstream = scripted.Scripted(case)
    gate = Gate(case, route(upstream.port),
                domains=("example.com", "other.test"))
    gate.expect("anybody@other.test", 250)
    equal(upstream.sessions, 0, "upstream sessions")
    gate.expect("anybody@example.com", *REFUSED)
    equal(gate.ask("anybody@third.test").code, 554, "relaying")
    check(not upstream.asked["anybody@third.test"],
          "a recipient that Postfix refuses was asked about")


def test_route_database(case):
    """Routes from SQLite: found, not found, and the database gone."""
    upstream = scripted.Scripted(case)
    path = os.path.join(case.path(), "routes.db")
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE routes (domain TEXT, host TEXT)")
        database.execute("INSERT INTO routes VALUES (?, ?)",
                         ("example.com", f"127.0.0.1:{upstream.port}"))
    database.close()
    os.chmod(path, 0o644)
    gate = Gate(case, f"""
datasource "routes" {{ uri = {{"sqlite:{path}"}} no_cache = true }}
smtp_rcptto_proxy {{
    ds_cache = "routes"
    query = "SELECT host FROM routes WHERE domain = :domain"
}}
""", domains=("example.com", "other.test"))
    gate.expect("nobody@example.com", *REFUSED)
    gate.expect("anybody@other.test", 250)
    os.rename(path, path + ".away")
    gate.expect("somebody@example.com", 451)
    os.rename(path + ".away", path)
    wait_for(lambda: gate.ask("somebody@example.com").code == 550,
             "the database to be asked again", 60, 0.5)


def test_skips(case):
    """relay_hosts and authenticated clients are not asked about."""
    upstream = scripted.Scripted(case)
    gate = Gate(case, "relay_hosts = {\"192.0.2.0/24\"}\n"
                + route(upstream.port),
                smtpd_authorized_xclient_hosts="127.0.0.1",
                smtpd_sasl_auth_enable="yes")

    def as_client(attributes, recipient):
        with smtpclient.Client(gate.port, helo="client.test") as client:
            equal(client.command("XCLIENT " + attributes).code, 220,
                  "XCLIENT")
            client.ehlo()
            client.mail()
            return client.rcpt(recipient).code
    equal(as_client("NAME=lan.test ADDR=192.0.2.7", "x1@example.com"), 250,
          "a relay host")
    equal(as_client("NAME=a.test ADDR=198.51.100.7 LOGIN=ann",
                    "x2@example.com"), 250, "an authenticated client")
    equal(upstream.sessions, 0, "upstream sessions")
    equal(as_client("NAME=a.test ADDR=198.51.100.7", "x3@example.com"), 550,
          "anybody else")


def test_bypass(case):
    """A peer's context switches the questions off for its clients."""
    upstream = scripted.Scripted(case)
    gate = Gate(case, """
peer "192.0.2.0/24" { context = {"__bypass_smtp_rcptto_proxy=true"} }
""" + route(upstream.port), smtpd_authorized_xclient_hosts="127.0.0.1")
    for address, code in (("192.0.2.7", 250), ("198.51.100.7", 550)):
        with smtpclient.Client(gate.port, helo="client.test") as client:
            client.command(f"XCLIENT NAME=a.test ADDR={address}")
            client.ehlo()
            client.mail()
            equal(client.rcpt("nobody@example.com").code, code, address)


def test_down_accept(case):
    """on_down = accept: while nobody can be asked, mail is taken."""
    upstream = scripted.Scripted(case)
    gate = Gate(case, route(upstream.port, 'on_down = "accept"'))
    gate.expect("nobody@example.com", *REFUSED)
    upstream.stop()
    gate.expect("somebody@example.com", 250)
    gate.expect("nobody@example.com", *REFUSED)


def test_observe(case):
    """mode = observe refuses nothing and logs what it would have done."""
    _, gate = with_mailstore(case, 'mode = "observe"')
    gate.expect("nobody@example.com", 250)
    line = gate.milter.wait_log("verify: ", "to=<nobody@example.com>")
    contains(line, "reject", "the log")


def test_reveal(case):
    """The upstream's words reach the client only when that is asked for."""
    upstream = scripted.Scripted(case)
    upstream.other = "550 5.1.1 no such person on host-7.lan.test"
    gate = Gate(case, route(upstream.port))
    check("host-7" not in gate.expect("x1@example.com", *REFUSED).text,
          "the inner host's name left")
    contains(gate.milter.wait_log("verify: ", "to=<x1@example.com>"),
             "host-7.lan.test", "the log")
    gate.milter.restart(route(upstream.port, "reveal_upstream_text = true"))
    contains(gate.expect("x2@example.com", *REFUSED).text, "no such person",
             "the revealed reply")


def test_remembered(case):
    """One question upstream for many of the same recipient."""
    upstream = scripted.Scripted(case)
    upstream.recipients["ann@example.com"] = "250 2.1.5 Ok"
    gate = Gate(case, route(upstream.port))
    for _ in range(5):
        gate.expect("ann@example.com", 250)
        gate.expect("nobody@example.com", *REFUSED)
    equal((upstream.asked["ann@example.com"],
           upstream.asked["nobody@example.com"]), (1, 1), "questions")
    contains(gate.milter.verify_line("ann@example.com")["cache"], "hit",
             "the log")


def test_over_tcp(case):
    """The milter's socket may be a TCP port."""
    upstream = scripted.Scripted(case)
    milter = Milter(case, route(upstream.port),
                    inet_port=mta_postfix.ports.free_port())
    edge = mta_postfix.edge(case, **mta_postfix.milter_settings(
        f"inet:127.0.0.1:{milter.inet_port}"))
    equal(smtpclient.ask(edge.port, "nobody@example.com").code, 550, "RCPT")


def test_to_syslog(case):
    """The default log target is syslog."""
    log = syslog.Syslog(case)
    upstream = scripted.Scripted(case)
    gate = Gate(case, 'log_target = "syslog"\n' + route(upstream.port))
    gate.expect("nobody@example.com", *REFUSED)
    if log.path is not None:
        wait_for(lambda: "to=<nobody@example.com>" in log.log(),
                 "the decision in syslog")


def test_stops_cleanly(case):
    """SIGTERM ends it with exit code 0; the socket does not stay."""
    upstream = scripted.Scripted(case)
    gate = Gate(case, route(upstream.port))
    gate.expect("nobody@example.com", *REFUSED)
    began = time.monotonic()
    equal(gate.milter.stop(), 0, "the exit code")
    check(time.monotonic() - began < 20, "it took long to stop")
    gate.expect("nobody@example.com", 451)
    gate.milter.start()
    gate.expect("nobody@example.com", *REFUSED)
