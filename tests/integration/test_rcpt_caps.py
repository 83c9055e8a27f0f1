# SPDX-License-Identifier: BSD-2-Clause
"""The caps on what an upstream is asked, as it sees them behind a Postfix edge
with many clients."""
import collections
import threading
import time

from harness import scripted, smtpclient
from harness.case import check, equal, wait_for
from harness.gate import Gate, route

CLIENTS = 24


def gate_of(case, options):
    """An upstream that takes everybody, and an edge."""
    upstream = scripted.Scripted(case)
    upstream.other = "250 2.1.5 Ok"
    return upstream, Gate(
        case, route(upstream.port, f"{options} catchall_life = 0"),
        smtpd_error_sleep_time="0", smtpd_hard_error_limit="1000")


def load(gate, each, label="u"):
    """CLIENTS sessions at once, `each` new recipients in every one; returns
    the reply codes, counted."""
    codes = collections.Counter()

    def client(number):
        with smtpclient.Client(gate.port, helo="client.test") as session:
            session.mail()
            for recipient in range(each):
                codes[session.rcpt(
                    f"{label}{number}-{recipient}@example.com").code] += 1
    threads = [threading.Thread(target=client, args=(number,))
               for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def by_session(upstream):
    """{session: its commands, in order}."""
    sessions = collections.defaultdict(list)
    for number, line in upstream.commands:
        sessions[number].append(line)
    return sessions


def test_max_sessions(case):
    """Never more sessions at once; also when they are slow to open, and when
    each client would have its own."""
    upstream, gate = gate_of(case, "max_sessions = 3")
    upstream.steps = {"connect": scripted.slow(0.2, "220 mailstore.test")}
    upstream.other = scripted.slow(0.02, "250 2.1.5 Ok")
    equal(load(gate, 4), {250: CLIENTS * 4}, "the replies")
    check(1 < upstream.most_open <= 3, f"{upstream.most_open} sessions")
    upstream.most_open = 0
    gate.milter.restart(route(
        upstream.port,
        'max_sessions = 2 helo = "replay" catchall_life = 0 timeout = 10'))
    codes = []

    def ask(number):
        with smtpclient.Client(gate.port, helo=f"c{number}.test") as client:
            client.mail()
            codes.append(client.rcpt(f"h{number}@example.com").code)
    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(codes, [250] * 8, "the replies")
    check(0 < upstream.most_open <= 2, f"{upstream.most_open} with replay")


def test_max_probe_rate(case):
    """So many questions a second; who waits for his turn is answered all the
    same, within the timeout."""
    rate = 20
    upstream, gate = gate_of(case, f"max_probe_rate = {rate} timeout = 10")
    times = []

    def note(_session, _line):
        times.append(time.monotonic())
        return "250 2.1.5 Ok"
    upstream.steps = {"rcpt": note}
    began = time.monotonic()
    equal(load(gate, 2), {250: CLIENTS * 2}, "the replies")
    equal(len(times), CLIENTS * 2, "questions")
    # a tenth of a second's worth may come at once; late is never early
    for number, at in enumerate(sorted(times)):
        check(number <= rate * (at - began + 0.1) + 2,
              f"question {number} came after {at - began:.2f} s")
    span = max(times) - began
    check(span < 4 * len(times) / rate, f"{span:.1f} s for {len(times)}")


def test_rate_and_timeout(case):
    """Who cannot have his turn in time is deferred in time."""
    upstream, gate = gate_of(
        case, "max_probe_rate = 4 timeout = 2 temporary_life = 0")
    began = time.monotonic()
    codes = load(gate, 1)
    took = time.monotonic() - began
    check(took < 10, f"took {took:.1f} s")
    equal(set(codes), {250, 451}, "the replies")
    check(codes[250] <= 4 * took + 3, f"{codes[250]} answered")
    check(upstream.counts["rcpt"] <= 4 * took + 3, "too many questions")


def test_max_commands(case):
    """A session is replaced before it has given more commands."""
    upstream, gate = gate_of(
        case, "max_commands = 20 batch = 10 max_sessions = 2")
    equal(load(gate, 4), {250: CLIENTS * 4}, "the replies")
    equal(sum(upstream.asked.values()), CLIENTS * 4, "questions")
    sessions = by_session(upstream)
    most = max(len([line for line in lines if line != "QUIT"])
               for lines in sessions.values())
    check(most <= 20, f"{most} commands in one session")
    check(len(sessions) <= CLIENTS * 4 // 12 + 2,
          f"{len(sessions)} sessions for {CLIENTS * 4} questions")
    check(upstream.most_open <= 2, f"{upstream.most_open} sessions at once")


def test_max_errors(case):
    """A session is replaced before it has had more refusals, and none is
    asked for more at once than it may still refuse."""
    upstream, gate = gate_of(case, "max_errors = 5 max_sessions = 2")
    upstream.other = "550 5.1.1 User unknown"
    equal(load(gate, 3, "x"), {550: CLIENTS * 3}, "the replies")
    sessions = by_session(upstream)
    refused = [sum(line.startswith("RCPT") for line in lines)
               for lines in sessions.values()]
    check(max(refused) <= 5, f"{max(refused)} refusals in one session")
    equal(sum(refused), CLIENTS * 3, "questions")
    check(len(sessions) <= CLIENTS * 3 // 5 + 6,
          f"{len(sessions)} sessions for {CLIENTS * 3} refusals")
    check(upstream.most_open <= 2, f"{upstream.most_open} sessions at once")


def test_idle_timeout(case):
    """Idle sessions are closed, with QUIT; the next question opens one."""
    upstream, gate = gate_of(case, "idle_timeout = 1s")
    gate.expect("ann@example.com", 250)
    equal(upstream.open, 1, "open sessions")
    wait_for(lambda: upstream.open == 0, "the session to be closed")
    equal(upstream.counts["quit"], 1, "QUIT")
    gate.expect("bob@example.com", 250)
    equal(upstream.sessions, 2, "sessions")


def test_quit_hangs(case):
    """A session that the upstream does not close after QUIT keeps its place
    for a second, not for ever."""
    upstream, gate = gate_of(
        case, "max_errors = 1 batch = 1 max_sessions = 1")
    upstream.other = "550 5.1.1 User unknown"
    upstream.steps = {"quit": scripted.hang}
    for number in range(3):
        began = time.monotonic()
        gate.expect(f"x{number}@example.com", 550)
        took = time.monotonic() - began
        check(took < 4, f"question {number} took {took:.1f} s")
    equal(upstream.sessions, 3, "sessions")
