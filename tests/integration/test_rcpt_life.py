# SPDX-License-Identifier: BSD-2-Clause
"""How long a Postfix edge remembers what the upstream said."""
import time

from harness import scripted
from harness.case import check, contains, equal, wait_for
from harness.gate import Gate, route

ANN = "ann@example.com"


def gate_of(case, options):
    """An upstream that knows ann, and an edge."""
    upstream = scripted.Scripted(case)
    upstream.recipients[ANN] = "250 2.1.5 Ok"
    return upstream, Gate(case, route(
        upstream.port, options + " catchall_life = 0"))


def test_refresh(case):
    """After half its life a positive answer is renewed behind the client's
    back: the hit waits for nothing, and one question goes upstream."""
    upstream, gate = gate_of(case, "positive_life = 8s")
    gate.expect(ANN, 250)
    born = time.monotonic()
    gate.expect(ANN, 250)
    equal(upstream.asked[ANN], 1, "questions in the first half")
    upstream.recipients[ANN] = scripted.slow(2.5, "250 2.1.5 Ok")
    time.sleep(born + 4.5 - time.monotonic())
    began = time.monotonic()
    for _ in range(5):
        gate.expect(ANN, 250)
    check(time.monotonic() - began < 2.4, "a hit waited for the refresh")
    wait_for(lambda: upstream.asked[ANN] == 2, "the refresh")
    contains([line.split("cache=")[1].split()[0] for line in
              gate.milter.lines("verify: ", f"to=<{ANN}>")], "refresh",
             "the log")
    time.sleep(born + 8.8 - time.monotonic())
    # past the first life, within the second: nobody is asked, or it is 451
    upstream.stop()
    gate.expect(ANN, 250)
    equal(upstream.asked[ANN], 2, "questions")


def test_refused_refresh(case):
    """One refusal, or a failure, does not end a positive answer at once; its
    life does."""
    upstream, gate = gate_of(case, "positive_life = 6s")
    names = {"refused@example.com": ("550 5.1.1 User unknown", 550),
             "failed@example.com": ("451 4.3.0 Not now", 451)}
    for name in names:
        upstream.recipients[name] = "250 2.1.5 Ok"
        gate.expect(name, 250)
    born = time.monotonic()
    time.sleep(3.4)
    for name, (reply, _) in names.items():
        upstream.recipients[name] = reply
        gate.expect(name, 250)
    wait_for(lambda: all(upstream.asked[name] == 2 for name in names),
             "the refreshes")
    time.sleep(0.2)
    for name in names:
        gate.expect(name, 250)
    time.sleep(born + 6.5 - time.monotonic())
    for name, (_, code) in names.items():
        gate.expect(name, code)


def test_lives_end(case):
    """Negative, temporary and mailbox answers hold as long as they should,
    and no longer."""
    upstream, gate = gate_of(
        case, "negative_life = 3s temporary_life = 3s mailbox_life = 3s")
    names = {"gone@example.com": ("550 5.1.1 User unknown", 550),
             "later@example.com": ("450 4.2.0 Greylisted", 451),
             "full@example.com": ("552 5.2.2 Full", 552)}
    for name, (reply, code) in names.items():
        upstream.recipients[name] = reply
        gate.expect(name, code)
        upstream.recipients[name] = "250 2.1.5 Ok"
        gate.expect(name, code)
        equal(upstream.asked[name], 1, f"questions about {name}")
    time.sleep(3.3)
    for name in names:
        gate.expect(name, 250)
        equal(upstream.asked[name], 2, f"questions about {name}")


def test_lives_of_none(case):
    """A life of 0: nothing is remembered."""
    upstream, gate = gate_of(
        case, "positive_life = 0 negative_life = 0 temporary_life = 0")
    upstream.recipients["later@example.com"] = "450 4.2.0 Greylisted"
    for name, code in ((ANN, 250), ("x@example.com", 550),
                       ("later@example.com", 451)):
        gate.expect(name, code)
        gate.expect(name, code)
        equal(upstream.asked[name], 2, f"questions about {name}")
