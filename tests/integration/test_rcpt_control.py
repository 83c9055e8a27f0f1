# SPDX-License-Identifier: BSD-2-Clause
"""posternctl and reload, against a running milter."""
import threading

from harness import scripted
from harness.case import check, contains, equal, wait_for
from harness.gate import Gate, route


def gate_and_upstream(case):
    """An edge, and an upstream that knows ann."""
    upstream = scripted.Scripted(case)
    upstream.recipients["ann@example.com"] = "250 2.1.5 Ok"
    return Gate(case, route(upstream.port)), upstream


def test_rcpt(case):
    """rcpt asks without any daemon, with the exit codes of a verdict."""
    gate, upstream = gate_and_upstream(case)
    gate.milter.kill()
    done = gate.milter.posternctl("rcpt", "ann@example.com")
    equal(done.returncode, 0, f"known ({done.stderr})")
    equal(done.stdout.split()[:3], ["ann@example.com", "accept", "250"],
          "known")
    done = gate.milter.posternctl(
        "rcpt", "ann@example.com", "nobody@example.com")
    equal(done.returncode, 1, "unknown")
    equal(done.stdout.splitlines()[1].split()[:4],
          ["nobody@example.com", "reject", "550", "5.1.1"], "unknown")
    upstream.stop()
    done = gate.milter.posternctl("rcpt", "ann@example.com")
    equal(done.returncode, 75, "stopped")
    equal(done.stdout.split()[:2], ["ann@example.com", "defer"], "stopped")
    equal(gate.milter.posternctl("rcpt").returncode, 64, "usage")


def test_rcpt_other_host(case):
    """-H asks a host that no route leads to, -f sets the sender."""
    gate, _ = gate_and_upstream(case)
    other = scripted.Scripted(case)
    other.recipients["zoe@other.test"] = "250 2.1.5 Ok"
    done = gate.milter.posternctl(
        "rcpt", "-f", "me@here.test", "-H", f"127.0.0.1:{other.port}",
        "zoe@other.test")
    equal(done.returncode, 0, f"exit code ({done.stdout}{done.stderr})")
    contains([line for _, line in other.commands][1], "<me@here.test>",
             "MAIL")


def test_explain(case):
    """explain tells the route, the hosts and the dialogue."""
    gate, upstream = gate_and_upstream(case)
    done = gate.milter.posternctl("explain", "rcpt", "nobody@example.com")
    equal(done.returncode, 1, f"exit code ({done.stdout}{done.stderr})")
    for part in (f"127.0.0.1:{upstream.port}", "RCPT TO", "550", "reject"):
        contains(done.stdout, part, "explain")


def test_cache(case):
    """show, drop and flush work at once."""
    gate, upstream = gate_and_upstream(case)
    gate.expect("nobody@example.com", 550)
    gate.expect("ann@example.com", 250)
    done = gate.milter.posternctl("cache", "show")
    equal(done.returncode, 0, f"show ({done.stderr})")
    contains(done.stdout, "nobody@example.com", "show")
    upstream.recipients["nobody@example.com"] = "250 2.1.5 Ok"
    gate.expect("nobody@example.com", 550)
    equal(gate.milter.posternctl(
        "cache", "drop", "nobody@example.com").returncode, 0, "drop")
    gate.expect("nobody@example.com", 250)
    gate.expect("other@example.com", 550)
    upstream.recipients["other@example.com"] = "250 2.1.5 Ok"
    equal(gate.milter.posternctl(
        "cache", "drop", "@example.com").returncode, 0, "drop a domain")
    gate.expect("other@example.com", 250)
    gate.expect("third@example.com", 550)
    equal(gate.milter.posternctl("cache", "flush").returncode, 0, "flush")
    upstream.recipients["third@example.com"] = "250 2.1.5 Ok"
    gate.expect("third@example.com", 250)


def test_status(case):
    """status and stats tell of what happened; without a daemon they fail."""
    gate, upstream = gate_and_upstream(case)
    gate.expect("nobody@example.com", 550)
    done = gate.milter.posternctl("status")
    equal(done.returncode, 0, f"status ({done.stderr})")
    contains(done.stdout, f"127.0.0.1:{upstream.port}", "status")
    done = gate.milter.posternctl("stats")
    equal(done.returncode, 0, f"stats ({done.stderr})")
    check("1" in done.stdout and "reject" in done.stdout,
          f"stats: {done.stdout}")
    gate.milter.kill()
    check(gate.milter.posternctl("status").returncode not in (0, 1),
          "status without a daemon")


def test_reload(case):
    """SIGUSR1 and `reload` take a new file; a bad one changes nothing."""
    gate, _ = gate_and_upstream(case)
    second = scripted.Scripted(case)
    second.other = "250 2.1.5 Ok"
    gate.expect("nobody@example.com", 550)
    gate.milter.configure(route(second.port))
    gate.milter.reload()
    wait_for(lambda: gate.ask("nobody@example.com").code == 250,
             "the new route")
    gate.milter.configure("smtp_rcptto_proxy { timeuot = 5 }\n")
    done = gate.milter.posternctl("reload")
    check(done.returncode != 0, "reload of a bad file succeeded")
    contains(done.stdout + done.stderr, "timeuot", "the reason")
    gate.expect("somebody@example.com", 250)
    third = scripted.Scripted(case)
    gate.milter.configure(route(third.port))
    equal(gate.milter.posternctl("reload").returncode, 0, "reload")
    gate.expect("fourth@example.com", 550)
    equal(third.asked["fourth@example.com"], 1, "questions")


def test_bad_configuration(case):
    """-n refuses what it does not know, with line and nearest name."""
    gate, _ = gate_and_upstream(case)
    gate.milter.configure("smtp_rcptto_proxy { timeuot = 5 }\n")
    done = case.run([gate.milter.binary, "-c", gate.milter.conf_file, "-n"])
    equal(done.returncode, 78, "exit code")
    contains(done.stderr, "postern.conf:", "the message")
    contains(done.stderr, "timeout", "the message")


def fields(text, first):
    """{name: value} of the first line that has the word."""
    line = next(line for line in text.splitlines() if first in line)
    return dict(word.split("=", 1) for word in line.split() if "=" in word)


def test_live_figures(case):
    """Breaker, queue, cache and counters, as they are while things happen."""
    gate, upstream = gate_and_upstream(case)
    label = f"upstream=127.0.0.1:{upstream.port}"
    gate.milter.restart(route(
        upstream.port, "max_sessions = 1 batch = 1 temporary_life = 0 "
        "timeout = 25"))

    def status():
        return gate.milter.posternctl("status").stdout

    def explain(recipient):
        return gate.milter.posternctl("explain", "rcpt", recipient).stdout
    gate.expect("ann@example.com", 250)
    for _ in range(2):
        gate.expect("nobody@example.com", 550)
    wait_for(lambda: int(fields(status(), label)["accepted"]) == 1,
             "the figures")
    figures = fields(status(), label)
    equal((figures["breaker"], figures["sessions"], figures["queue"],
           figures["outstanding"]), ("closed", "1", "0", "0"), "status")
    stats = dict(word.split("=", 1) for word in
                 gate.milter.posternctl("stats").stdout.split())
    equal((stats["accepted"], stats["rejected"], stats["cache_hits"],
           stats["upstream_connections"]), ("1", "2", "1", "1"), "stats")
    contains(explain("nobody@example.com"), "memory: reject 550 5.1.1",
             "explain")
    contains(explain("fresh@example.com"), "memory: nothing", "explain")

    go_on = threading.Event()
    upstream.steps = {"rcpt": lambda _session, _line: (
        go_on.wait(25) and "250 2.1.5 Ok")}
    threads = [threading.Thread(target=gate.ask, args=(f"w{n}@example.com",))
               for n in range(3)]
    for thread in threads:
        thread.start()
    wait_for(lambda: fields(status(), label)["queue"] == "2", "the queue")
    equal(fields(status(), label)["outstanding"], "1", "on their way")
    equal(fields(status(), "questions_open")["questions_open"], "3",
          "questions")
    go_on.set()
    for thread in threads:
        thread.join()

    upstream.stop()
    for number in range(8):
        gate.expect(f"down{number}@example.com", 451)
    equal(fields(status(), label)["breaker"], "open", "status")
    contains(explain("down0@example.com"), "breaker=open", "explain")
    # what explain asks itself does not wait for the breaker
    upstream.steps = {}
    upstream.start()
    done = gate.milter.posternctl("explain", "rcpt", "ann@example.com")
    equal(done.returncode, 0, f"explain ({done.stdout})")
    contains(done.stdout, "memory: accept", "explain")
