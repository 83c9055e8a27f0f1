# SPDX-License-Identifier: BSD-2-Clause
"""Call-forward on a Postfix edge when something fails: never a wrong 550,
never a client that waits for ever."""
import re
import threading
import time

from harness import certs, scripted, smtpclient
from harness.case import check, equal, wait_for
from harness.gate import Gate, route

STEPS = ("connect", "ehlo", "mail", "rcpt")
# the whole question may take 5 s (harness/gate.py); the rest is slack
PATIENCE = 5 + 15


def each_step(case, actions):
    """For each step and action: the step is reached, the answer is 451 and in
    time, and the milter is well."""
    upstream = scripted.Scripted(case)
    conf = route(upstream.port, "temporary_life = 0")
    gate = Gate(case, conf)
    for step in STEPS:
        for label, action in actions.items():
            # a breaker that is closed, or the step would not be reached
            gate.milter.restart(conf)
            upstream.steps = {step: action}
            reached = upstream.reached[step]
            name = f"{label}-{step}@example.com"
            began = time.monotonic()
            gate.expect(name, 451)
            took = time.monotonic() - began
            check(took < PATIENCE, f"{name}: took {took:.1f} s")
            equal(gate.milter.verify_line(name)["verdict"], "defer", name)
            check(upstream.reached[step] > reached, f"{name}: not reached")
            upstream.drop()
    upstream.steps = {}
    wait_for(lambda: gate.ask("nobody@example.com").code == 550,
             "the upstream to be asked again", 60, 0.5)


def test_upstream_hangs(case):
    """The upstream says nothing, at each step."""
    each_step(case, {"hang": scripted.hang})


def test_upstream_closes(case):
    """The upstream closes the connection, at each step."""
    each_step(case, {"close": scripted.close})


def test_upstream_babbles(case):
    """What comes is no SMTP reply, at each step."""
    each_step(case, {
        "garbage": scripted.raw(b"\x00\xff hello\r\n"),
        "long": scripted.raw(b"250 " + b"x" * 65536 + b"\r\n", True),
        "many": scripted.raw(b"250-more\r\n" * 10000, True),
        "mixed": scripted.raw(b"550-5.1.1 one\r\n250 2.1.5 other\r\n"),
    })


test_upstream_babbles.timeout = 600


def test_upstream_is_temporary(case):
    """4xx at each step."""
    each_step(case, {"4xx": "451 4.3.0 Try again later",
                     "421": "421 4.3.2 Shutting down"})


def test_upstream_refuses_us(case):
    """5xx that does not speak of the recipient."""
    upstream = scripted.Scripted(case)
    conf = route(upstream.port, "temporary_life = 0")
    gate = Gate(case, conf)
    for step, reply in (
            ("connect", "554 5.7.1 You are blocked"),
            ("ehlo", "550 5.7.1 Go away"),
            ("mail", "550 5.1.8 Bad sender"),
            ("rcpt", "554 5.7.1 Relay access denied"),
            ("rcpt", "550 5.7.1 Blocked by policy"),
            ("rcpt", "503 5.5.1 Bad sequence of commands")):
        gate.milter.restart(conf)
        upstream.steps = {step: reply}
        reached = upstream.reached[step]
        name = f"{step}-{reply[4:9]}@example.com"
        gate.expect(name, 451)
        equal(gate.milter.verify_line(name)["verdict"], "defer", name)
        check(upstream.reached[step] > reached, f"{name}: not reached")
        gate.milter.wait_log("warning", f"127.0.0.1:{upstream.port}")
        upstream.drop()


def test_mailbox_refusals(case):
    """A full or disabled mailbox is passed on, with its code."""
    upstream = scripted.Scripted(case)
    upstream.recipients["full@example.com"] = "552 5.2.2 Mailbox full"
    upstream.recipients["off@example.com"] = "550 5.2.1 Mailbox disabled"
    gate = Gate(case, route(upstream.port))
    gate.expect("full@example.com", 552, "5.2.2")
    gate.expect("off@example.com", 550, "5.2.1")


def test_answered_late(case):
    """At the deadline the client gets 451; the late answer is remembered."""
    upstream = scripted.Scripted(case)
    upstream.recipients["late@example.com"] = scripted.slow(
        6, "550 5.1.1 User unknown")
    gate = Gate(case, route(upstream.port, "timeout = 1"))
    began = time.monotonic()
    gate.expect("late@example.com", 451)
    check(time.monotonic() - began < 5, "451 came too late")
    wait_for(lambda: re.search(
        r"(?m)^.*late@example\.com.*reject.*$",
        gate.milter.posternctl("cache", "show").stdout), "the late answer",
        pause=0.2)
    gate.expect("late@example.com", 550, "5.1.1")
    equal(upstream.asked["late@example.com"], 1, "questions")


def test_slow_refusals(case):
    """Where refusals are slow, a good recipient does not wait for them."""
    upstream = scripted.Scripted(case)
    upstream.other = scripted.slow(6, "550 5.1.1 User unknown")
    for number in range(20):
        upstream.recipients[f"good{number}@example.com"] = "250 2.1.5 Ok"
    gate = Gate(case, route(upstream.port, "timeout = 20 max_sessions = 8"))
    gate.expect("first@example.com", 550)
    bad = [threading.Thread(target=gate.ask, args=(f"bad{n}@example.com",))
           for n in range(4)]
    for thread in bad:
        thread.start()
    wait_for(lambda: upstream.reached["rcpt"] >= 1 + 4, "the bad ones")
    began = time.monotonic()
    for number in range(20):
        gate.expect(f"good{number}@example.com", 250)
    took = time.monotonic() - began
    for thread in bad:
        thread.join()
    check(took < 5, f"20 good recipients took {took:.1f} s")


def test_too_many_recipients(case):
    """452 puts the rest of a batch back instead of deferring it."""
    limit = 3
    upstream = scripted.Scripted(case)

    def limited(session, line):
        session.given = getattr(session, "given", 0) + 1
        if session.given > limit:
            return "452 4.5.3 Too many recipients"
        return "250 2.1.5 Ok"

    def fresh(session, _line):
        session.given = 0
        return "250 2.1.0 Ok"
    upstream.steps = {"rcpt": limited, "mail": fresh, "rset": fresh}
    gate = Gate(case, route(upstream.port,
                            "max_sessions = 1 catchall_life = 0"))
    codes = []

    def ask(name):
        codes.append(gate.ask(name).code)
    threads = [threading.Thread(target=ask, args=(f"u{n}@example.com",))
               for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(codes, [250] * 12, "the replies")


def test_killed_under_load(case):
    """kill -9: Postfix's own default action applies, nothing else breaks;
    started again without any cleaning, all is as before."""
    upstream = scripted.Scripted(case)
    for number in range(2000):
        upstream.recipients[f"good{number}@example.com"] = "250 2.1.5 Ok"
    gate = Gate(case, route(upstream.port))
    over = threading.Event()
    replies, broken = [], []

    def load(worker):
        number = worker
        while not over.is_set():
            number += 8
            good = number % 2 == 0
            name = f"{'good' if good else 'bad'}{number % 2000}@example.com"
            try:
                began = time.monotonic()
                code = gate.ask(name).code
            except (OSError, EOFError) as error:
                broken.append(f"{name}: {error!r}")
                continue
            replies.append((began, good, code))
    workers = [threading.Thread(target=load, args=(n,)) for n in range(8)]
    for worker in workers:
        worker.start()
    wait_for(lambda: len(replies) > 200, "some load")
    gate.milter.kill()
    wait_for(lambda: any(code == 451 for _, _, code in replies),
             "451 while the milter is dead")
    time.sleep(1)
    gate.milter.start()
    back = time.monotonic()
    wait_for(lambda: sum(1 for at, _, _ in replies if at > back) > 200,
             "load after the start")
    over.set()
    for worker in workers:
        worker.join()
    equal(broken, [], "sessions that broke")
    wrong = [entry for entry in replies
             if entry[2] not in ((250, 451) if entry[1] else (550, 451))]
    equal(wrong, [], "wrong replies")
    late = [entry for entry in replies
            if entry[0] > back and entry[2] == 451]
    equal(late, [], "451 after the milter came back")


def test_frozen(case):
    """A milter that hangs: Postfix gives up after its own limit, 451."""
    upstream = scripted.Scripted(case)
    gate = Gate(case, route(upstream.port),
                milter_command_timeout="2s", milter_connect_timeout="2s")
    gate.expect("nobody@example.com", 550)
    gate.milter.freeze()
    began = time.monotonic()
    gate.expect("somebody@example.com", 451)
    check(time.monotonic() - began < 25, "451 came too late")
    gate.milter.thaw()
    wait_for(lambda: gate.ask("somebody@example.com").code == 550,
             "the milter to go on")


def test_certificates(case):
    """tls = verify: only the right certificate is good enough."""
    authority = certs.Authority(case.path("ca"))
    upstream = None
    for label, code in (("good", 550), ("expired", 451),
                        ("wrong_name", 451), ("self_signed", 451)):
        upstream = scripted.Scripted(case, tls=getattr(authority, label)())
        conf = route(upstream.port, f"""tls = "verify"
    tls_ca_file = "{authority.ca_file}" """)
        if label == "good":
            gate = Gate(case, conf)
        else:
            gate.milter.restart(conf)
        gate.expect("nobody@example.com", code)
        check(code == 550 or not upstream.counts["rcpt"],
              f"{label}: asked nevertheless")


def test_injected_behind_starttls(case):
    """What comes in clear behind the reply to STARTTLS is not believed."""
    authority = certs.Authority(case.path("ca"))
    upstream = scripted.Scripted(case, tls=authority.good())
    upstream.steps["starttls"] = scripted.raw(
        b"220 2.0.0 Go\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n")
    gate = Gate(case, route(upstream.port, f"""tls = "verify"
    tls_ca_file = "{authority.ca_file}" """))
    gate.expect("nobody@example.com", 451)
    equal(upstream.counts["rcpt"], 0, "questions")


def test_odd_addresses(case):
    """Addresses that must not become commands, or break anything."""
    upstream = scripted.Scripted(case)
    gate = Gate(case, route(upstream.port), smtpd_error_sleep_time="0")
    for address in ('"a b"@example.com', '"a\\"b"@example.com',
                    "a" * 64 + "@example.com", "a" * 400 + "@example.com",
                    "\"x\\\\y\"@example.com", "<a>@example.com",
                    "@relay.test:a@example.com", "a%b@example.com",
                    "a\tb@example.com", "a\0b@example.com"):
        with smtpclient.Client(gate.port, helo="client.test") as client:
            client.mail()
            reply = client.rcpt(address)
            check(reply.code // 100 in (4, 5),
                  f"{address!r} was taken: {reply!r}")
    for _, line in upstream.commands:
        check("\r" not in line and "\0" not in line and "\t" not in line
              and len(line) < 512, f"the upstream was sent {line!r}")
    gate.expect("nobody@example.com", 550)
