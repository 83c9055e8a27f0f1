# SPDX-License-Identifier: BSD-2-Clause
"""Which route a recipient has on a Postfix edge, and which of its hosts is
asked when some do not answer."""
import os
import random
import socket
import sqlite3
import threading
import time

from harness import mta_postfix, ports, scripted, smtpclient
from harness.case import check, contains, equal, wait_for
from harness.gate import Gate, route


def upstream_for(case, *users):
    """An upstream that knows these."""
    upstream = scripted.Scripted(case)
    for user in users:
        upstream.recipients[user] = "250 2.1.5 Ok"
    return upstream


def test_order(case):
    """A domain section comes before the query, which comes before the global
    host; that one serves the names in `domains` and nobody else."""
    by_section, by_query, by_global = (
        upstream_for(case, f"{name}@{domain}")
        for name, domain in (("ann", "section.test"), ("bob", "query.test"),
                             ("carl", "global.test")))
    path = case.path("routes.db")
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE routes (domain, host)")
        database.executemany("INSERT INTO routes VALUES (?, ?)", [
            (domain, f"127.0.0.1:{by_query.port}")
            for domain in ("section.test", "query.test")])
    os.chmod(path, 0o644)
    domains = ("section.test", "query.test", "global.test", "other.test",
               "sub.section.test")
    gate = Gate(case, f"""
datasource "routes" {{ uri = "sqlite:{path}" }}
smtp_rcptto_proxy {{
    ds_cache = "routes"
    query = "SELECT host FROM routes WHERE domain = :domain"
    host = "127.0.0.1:{by_global.port}"
    domains = {{"section.test", "query.test", "Global.TEST"}}
    timeout = 5
}}
domain "section.test" {{
    smtp_rcptto_proxy {{ host = "127.0.0.1:{by_section.port}" }}
}}
""", domains=domains)
    gate.expect("ann@section.test", 250)
    gate.expect("bob@query.test", 250)
    gate.expect("carl@global.test", 250)
    gate.expect("carl@GLOBAL.test", 250)
    for domain in domains[:3]:
        gate.expect(f"nobody@{domain}", 550, "5.1.1")
    for upstream, domain in ((by_section, "section.test"),
                             (by_query, "query.test"),
                             (by_global, "global.test")):
        strangers = [address for address in upstream.asked
                     if not address.lower().endswith("@" + domain)]
        equal(strangers, [], f"others asked about at {domain}")
    sessions = [up.sessions for up in (by_section, by_query, by_global)]
    for domain in domains[3:]:
        gate.expect(f"anybody@{domain}", 250)
    equal([up.sessions for up in (by_section, by_query, by_global)],
          sessions, "sessions")
    check(not any("anybody" in address for up in
                  (by_section, by_query, by_global) for address in up.asked),
          "a recipient without a route was asked about")


def test_refusing_and_hanging(case):
    """The first host refuses the connection, the second hangs, the third
    answers: in time."""
    hanging = scripted.Scripted(case)
    good = upstream_for(case)
    gate = None
    for step in ("connect", "ehlo", "mail", "rcpt"):
        hanging.steps = {step: scripted.hang}
        text = route(0, "timeout = 4", host='", "'.join(
            f"127.0.0.1:{port}"
            for port in (ports.free_port(), hanging.port, good.port)))
        if gate is None:
            gate = Gate(case, text)
        else:
            gate.milter.restart(text)
        reached = hanging.reached[step]
        began = time.monotonic()
        gate.expect(f"{step}@example.com", 550, "5.1.1")
        took = time.monotonic() - began
        check(took < 12, f"hanging at {step}: took {took:.1f} s")
        check(hanging.reached[step] > reached, f"{step}: not reached")
        hanging.drop()


def test_unknown_host(case):
    """A host without an address: 451 in time, or the next host's answer."""
    good = upstream_for(case, "ann@example.com")
    gate = Gate(case, route(0, "temporary_life = 0",
                            host="nonexistent.invalid"))
    began = time.monotonic()
    gate.expect("ann@example.com", 451)
    check(time.monotonic() - began < 15, "451 came too late")
    equal(gate.milter.verify_line("ann@example.com")["verdict"], "defer",
          "the log")
    gate.milter.restart(route(0, host="nonexistent.invalid\", "
                                      f"\"127.0.0.1:{good.port}"))
    began = time.monotonic()
    gate.expect("ann@example.com", 250)
    gate.expect("nobody@example.com", 550, "5.1.1")
    check(time.monotonic() - began < 15, "the answers came too late")


def test_slow_dns(case):
    """A name server that says nothing: 451 in time; recipients with other
    routes do not feel it, and the milter stops when told to."""
    wrapped = ["unshare", "--mount", "sh", "-c",
               'mount --bind "$0" /etc/resolv.conf && exec "$@"',
               case.path("resolv.conf")]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        # the port is settled, the address is not
        address = f"127.{random.randint(2, 250)}.{random.randint(1, 250)}.1"
        server.bind((address, 53))
        case.write("resolv.conf", f"nameserver {address}\n")
        if case.run([*wrapped, "true"]).returncode != 0:
            return  # no mount namespace is permitted here
        good = upstream_for(case, "ann@example.com")
        gate = Gate(case, route(good.port, "timeout = 6 temporary_life = 0")
                    + """
domain "slow.test" {
    smtp_rcptto_proxy { host = "mailstore.nonexistent.test" }
}
""", domains=("example.com", "slow.test"))
        gate.milter.prefix = wrapped
        gate.milter.kill()
        gate.milter.start()
        codes = []

        def ask(number):
            began = time.monotonic()
            reply = gate.ask(f"u{number}@slow.test")
            codes.append((reply.code, time.monotonic() - began < 9.5))
        threads = [threading.Thread(target=ask, args=(n,)) for n in range(12)]
        for thread in threads:
            thread.start()
        server.settimeout(60)
        contains(server.recv(512), b"nonexistent", "the question to DNS")
        began = time.monotonic()
        gate.expect("ann@example.com", 250)
        gate.expect("nobody@example.com", 550, "5.1.1")
        check(time.monotonic() - began < 5, "other routes had to wait")
        for thread in threads:
            thread.join()
        equal(codes, [(451, True)] * 12, "replies, and whether in time")
        began = time.monotonic()
        equal(gate.milter.stop(), 0, "the exit code")
        check(time.monotonic() - began < 20, "it took long to stop")


def test_reload_under_load(case):
    """The route changes while clients come and go: each is answered by one
    upstream or the other, and after the reload by the new one alone."""
    old, new = upstream_for(case), upstream_for(case)
    old.other, new.other = "550 5.1.1 Old", "551 5.1.6 New"
    gate = Gate(case, route(old.port, "negative_life = 0"),
                smtpd_error_sleep_time="0", smtpd_hard_error_limit="100000")
    over = threading.Event()
    replies, broken = [], []

    def load(worker):
        number = 0
        with smtpclient.Client(gate.port, helo="client.test") as client:
            try:
                while not over.is_set():
                    number += 1
                    client.mail()
                    began = time.monotonic()
                    reply = client.rcpt(f"u{worker}-{number}@example.com")
                    replies.append((began, reply.code))
                    client.command("RSET")
            except (OSError, EOFError) as error:
                broken.append(repr(error))
    workers = [threading.Thread(target=load, args=(n,)) for n in range(8)]
    for worker in workers:
        worker.start()
    wait_for(lambda: len(replies) > 50, "some load")
    gate.milter.configure("domain \"example.com\" {\n")
    gate.milter.reload()
    gate.milter.wait_log("postern.conf:")
    bad = time.monotonic()
    wait_for(lambda: sum(1 for at, _ in replies if at > bad) > 50,
             "load after the bad file")
    equal({code for _, code in replies}, {550}, "the replies before")
    for turn in range(6):
        gate.milter.configure(route((new, old)[turn % 2].port,
                                    "negative_life = 0"))
        gate.milter.reload()
        time.sleep(0.1)
    gate.milter.configure(route(new.port, "negative_life = 0"))
    equal(gate.milter.posternctl("reload").returncode, 0, "reload")
    after = time.monotonic()
    wait_for(lambda: sum(1 for at, _ in replies if at > after) > 100,
             "load after the reload")
    over.set()
    for worker in workers:
        worker.join()
    equal(broken, [], "sessions that broke")
    equal({code for _, code in replies}, {550, 551}, "the replies")
    equal({code for at, code in replies if at > after}, {551},
          "the replies after the reload")


def test_utf8(case):
    """SMTPUTF8 recipients at a real Postfix, octet for octet; an upstream
    without the keyword is not asked, and refuses nobody."""
    users = ["zoë@example.com", "δοκιμή@example.com", '"a b"@example.com',
             "ann@example.com"]
    store = mta_postfix.mailstore(
        case, [user for user in users if '"' not in user])
    gate = Gate(case, route(store.port))

    def ask(address):
        with smtpclient.Client(gate.port, helo="client.test") as client:
            equal(client.mail("ann@sender.test", " SMTPUTF8").code, 250,
                  "MAIL")
            return client.rcpt(address).code
    for user in users:
        if '"' not in user:
            equal(ask(user), 250, user)
    for stranger in ("zoé@example.com", '"a b"@example.com',
                     '"zoë ë"@example.com'):
        equal(ask(stranger), 550, stranger)
    store.wait_log("reject: RCPT", "<zoé@example.com>")
    plain = upstream_for(case, "ann@example.com")
    gate.milter.restart(route(plain.port))
    equal(ask("zoë@example.com"), 451, "without the keyword")
    equal(ask("ann@example.com"), 250, "an ASCII address")
    check(all(line.isascii() for _, line in plain.commands),
          f"it was sent UTF-8: {plain.commands}")
    contains(gate.milter.verify_line("zoë@example.com")["verdict"], "defer",
             "the log")
