# SPDX-License-Identifier: BSD-2-Clause
"""What call-forward says to its upstreams, and which of them it asks."""
import threading
import time

from harness import certs, mta_postfix, ports, scripted, smtpclient
from harness.case import check, contains, equal, wait_for
from harness.gate import Gate, route


def many(gate, recipients):
    """Ask about all at the same time; {recipient: code}."""
    codes = {}

    def ask(name):
        codes[name] = gate.ask(name).code
    threads = [threading.Thread(target=ask, args=(name,))
               for name in recipients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def said(upstream, verb):
    """The lines with a verb that the upstream was sent."""
    return [line for _, line in upstream.commands
            if line.upper().startswith(verb)]


def test_mailfrom(case):
    """mailfrom: null by default, original, or fixed."""
    for option, want in (
            ("", "MAIL FROM:<>"),
            ('mailfrom = "original"', "MAIL FROM:<bob@sender.test>"),
            ('mailfrom = "probe@edge.test"', "MAIL FROM:<probe@edge.test>")):
        upstream = scripted.Scripted(case)
        conf = route(upstream.port, option)
        if not option:
            gate = Gate(case, conf)
        else:
            gate.milter.restart(conf)
        gate.expect("nobody@example.com", 550, sender="bob@sender.test")
        line = said(upstream, "MAIL")[0]
        equal(line.split(" SIZE")[0].strip(), want, option or "default")


def test_helo(case):
    """EHLO is our own name, or the client's with helo = replay."""
    upstream = scripted.Scripted(case)
    gate = Gate(case, route(upstream.port))
    gate.expect("x1@example.com", 550)
    equal(said(upstream, "EHLO"), ["EHLO edge.test"], "own")
    gate.milter.restart(route(upstream.port, 'helo = "replay"'))
    gate.expect("x2@example.com", 550)
    equal(said(upstream, "EHLO")[-1], "EHLO client.test", "replay")


def test_addresses_byte_for_byte(case):
    """Quoted local parts and UTF-8 arrive as they were given."""
    upstream = scripted.Scripted(case)
    upstream.keywords.append("SMTPUTF8")
    upstream.other = "250 2.1.5 Ok"
    gate = Gate(case, route(upstream.port, "catchall_life = 0"))
    for address in ('"a b"@example.com', "a+b=c@example.com",
                    "O'Neill@example.com"):
        gate.expect(address, 250)
        contains(upstream.asked, address, "what was asked")
    with smtpclient.Client(gate.port, helo="client.test") as client:
        client.mail("ann@sender.test", " SMTPUTF8")
        equal(client.rcpt("zoë@example.com").code, 250, "SMTPUTF8")
    contains(upstream.asked, "zoë@example.com", "what was asked")
    contains([line.upper() for line in said(upstream, "MAIL")][-1],
             "SMTPUTF8", "MAIL for it")


def test_sessions_are_shared(case):
    """64 clients at once: few sessions, about one command each."""
    upstream = scripted.Scripted(case)
    upstream.other = "250 2.1.5 Ok"
    gate = Gate(case, route(upstream.port,
                            "max_sessions = 4 catchall_life = 0"))
    codes = many(gate, [f"u{n}@example.com" for n in range(64)])
    equal(len(codes), 64, "replies")
    equal(set(codes.values()), {250}, "the replies")
    check(upstream.most_open <= 4, f"{upstream.most_open} sessions at once")
    equal(sum(upstream.asked.values()), 64, "questions")


def test_same_recipient_at_once(case):
    """One probe in flight per address."""
    upstream = scripted.Scripted(case)
    upstream.recipients["ann@example.com"] = scripted.slow(
        1, "250 2.1.5 Ok")
    gate = Gate(case, route(upstream.port))
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(
        gate.ask("ann@example.com").code)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(replies, [250] * 16, "the replies")
    equal(upstream.asked["ann@example.com"], 1, "questions")


def test_failover(case):
    """The next host is asked only when the one before is unavailable."""
    second = scripted.Scripted(case)
    second.recipients["ann@example.com"] = "250 2.1.5 Ok"
    first = ports.free_port()
    hosts = f'127.0.0.1:{first}", "127.0.0.1:{second.port}'
    gate = Gate(case, route(0, host=hosts))
    gate.expect("ann@example.com", 250)
    gate.expect("nobody@example.com", 550, "5.1.1")
    up = scripted.Scripted(case, port=first)
    up.other = "550 5.1.1 Unknown here"
    wait_for(lambda: gate.ask(f"t{time.monotonic_ns()}@example.com")
             and up.counts["rcpt"], "the first host to be asked", 60, 0.5)
    asked = second.counts["rcpt"]
    gate.expect("fresh@example.com", 550)
    equal(second.counts["rcpt"], asked, "questions to the second host")


def test_catchall(case):
    """A domain that takes everything is marked and not probed again."""
    upstream = scripted.Scripted(case)
    upstream.other = "250 2.1.5 Ok"
    gate = Gate(case, route(upstream.port))
    gate.expect("ann@example.com", 250)
    wait_for(lambda: upstream.counts["rcpt"] == 2, "the random question")
    gate.milter.wait_log("example.com", "takes every")
    for number in range(5):
        gate.expect(f"u{number}@example.com", 250)
    equal(upstream.counts["rcpt"], 2, "questions")


def test_loop(case):
    """A probe that comes back to this edge is answered without another."""
    port = ports.free_port()
    gate = Gate(case, route(port), domains=("example.com",))
    # the route leads to the edge itself
    gate.milter.restart(route(gate.port))
    gate.expect("ann@example.com", 451)
    questions = [line for line in gate.milter.lines("verify: ")
                 if "to=<ann@example.com>" in line]
    check(len(questions) <= 2, f"it went round: {questions}")


def test_xclient_to_postfix(case):
    """xclient = required: the mailstore sees the client's address."""
    store = mta_postfix.mailstore(
        case, ["ann@example.com"],
        smtpd_authorized_xclient_hosts="127.0.0.1")
    gate = Gate(case, route(store.port, 'xclient = "required"'),
                smtpd_authorized_xclient_hosts="127.0.0.1")
    with smtpclient.Client(gate.port, helo="client.test") as client:
        client.command("XCLIENT NAME=mx.far.test ADDR=198.51.100.9")
        client.ehlo("mx.far.test")
        client.mail()
        equal(client.rcpt("nobody@example.com").code, 550, "RCPT")
    store.wait_log("NOQUEUE: reject", "[198.51.100.9]")
    upstream = scripted.Scripted(case)
    gate.milter.restart(route(upstream.port, 'xclient = "required"'))
    gate.expect("nobody@example.com", 451)
    equal(upstream.counts["rcpt"], 0, "questions without XCLIENT")


def test_under_tls(case):
    """Real Postfix upstream under STARTTLS, verified by a private CA."""
    authority = certs.Authority(case.path("ca"))
    store = mta_postfix.mailstore(
        case, ["ann@example.com"], tls=authority.good(),
        smtpd_tls_security_level="encrypt", smtpd_tls_loglevel="1")
    gate = Gate(case, route(store.port, f"""tls = "verify"
    tls_ca_file = "{authority.ca_file}" """))
    gate.expect("ann@example.com", 250)
    gate.expect("nobody@example.com", 550, "5.1.1")
    store.wait_log("TLS connection established")


def test_lmtp_over_unix(case):
    """An endpoint may be LMTP on a Unix socket."""
    path = case.path("lmtp.sock")
    upstream = scripted.Scripted(case, unix=path)
    upstream.recipients["ann@example.com"] = "250 2.1.5 Ok"
    gate = Gate(case, route(0, host=f"lmtp:unix:{path}"))
    gate.expect("ann@example.com", 250)
    gate.expect("nobody@example.com", 550, "5.1.1")
    equal(said(upstream, "LHLO"), ["LHLO edge.test"], "the greeting")
    equal(upstream.counts["ehlo"], 0, "EHLO")


def test_tarpit_of_postfix(case):
    """A mailstore that slows down and drops after errors stays friendly:
    sessions retire before its limits."""
    store = mta_postfix.mailstore(case, ["ann@example.com"])
    gate = Gate(case, route(store.port, "timeout = 10"))
    began = time.monotonic()
    codes = many(gate, [f"x{n}@example.com" for n in range(60)])
    equal(set(codes.values()), {550}, "the replies")
    check(time.monotonic() - began < 10, "refusals became slow")
    check(store.logged("too many errors") is None,
          "the mailstore ended a session for its errors")
