# SPDX-License-Identifier: BSD-2-Clause
"""Call-forward on a Sendmail edge, with the recipe for its filter line."""
import threading
import time

from harness import mta_sendmail, scripted, smtpclient, syslog
from harness.case import check, contains, equal, wait_for
from harness.daemon import Milter
from harness.gate import route

NAMES = ["ann@example.com"] + [f"good{n}@example.com" for n in range(500)]


class SendmailGate:
    """A Sendmail edge, the milter, and an upstream that knows NAMES."""

    def __init__(self, case, options="", flags=mta_sendmail.MILTER_FLAGS):
        self.log = syslog.Syslog(case)
        self.upstream = scripted.Scripted(case)
        for name in NAMES:
            self.upstream.recipients[name] = "250 2.1.5 Ok"
        self.milter = Milter(case, route(self.upstream.port, options))
        self.edge = mta_sendmail.Sendmail(
            case, self.upstream.port, self.log, self.milter.socket,
            flags=flags)
        self.port = self.edge.port

    def ask(self, recipient, **options):
        """RCPT TO in a session of its own; returns the reply."""
        return smtpclient.ask(self.port, recipient, **options)

    def expect(self, recipient, code, enhanced=None):
        """Ask, and fail unless the reply is as it should be."""
        reply = self.ask(recipient)
        equal(reply.code, code, f"the reply to {recipient} ({reply!r})")
        if enhanced is not None:
            equal(reply.enhanced, enhanced, f"status ({reply!r})")
        return reply


def test_known_and_unknown(case):
    """Unknown recipients are refused at the door, others taken."""
    gate = SendmailGate(case)
    gate.expect("ann@example.com", 250)
    reply = gate.expect("nobody@example.com", 550, "5.1.1")
    check("mailstore" not in reply.text, f"the reply is {reply!r}")
    line = gate.milter.verify_line("nobody@example.com")
    equal((line["verdict"], line["client"], line["helo"]),
          ("reject", "127.0.0.1", "client.test"), "the log")
    if gate.log.path is not None:
        wait_for(lambda: "reject=550 5.1.1" in gate.edge.log(),
                 "sendmail's log line")


def test_message_goes_through(case):
    """A message to two of whom one is unknown reaches the other."""
    gate = SendmailGate(case)
    rcpts, done = smtpclient.send(
        gate.port, ["ann@example.com", "nobody@example.com"])
    equal([reply.code for reply in rcpts], [250, 550], "RCPT")
    equal(done.code, 250, "the message")
    wait_for(lambda: gate.upstream.messages, "the message upstream")
    equal(gate.upstream.messages[0][0], ["ann@example.com"], "recipients")


def test_upstream_stopped(case):
    """Nobody can tell: 451; what is known still holds."""
    gate = SendmailGate(case)
    gate.expect("ann@example.com", 250)
    gate.expect("nobody@example.com", 550)
    gate.upstream.stop()
    check(gate.expect("good1@example.com", 451).enhanced.startswith("4."),
          "enhanced status")
    gate.expect("ann@example.com", 250)
    gate.expect("nobody@example.com", 550)
    gate.upstream.start()
    wait_for(lambda: gate.ask("good1@example.com").code == 250,
             "the upstream to be asked again", 60, 0.5)


def test_upstream_hangs(case):
    """The answer comes within the limit, and is 451."""
    gate = SendmailGate(case)
    gate.upstream.steps["rcpt"] = scripted.hang
    began = time.monotonic()
    gate.expect("good2@example.com", 451)
    check(time.monotonic() - began < 20, "451 came too late")


def test_longer_than_sendmails_default(case):
    """An answer that takes 12 s is waited for (the default is R:10s)."""
    gate = SendmailGate(case, "timeout = 20")
    gate.upstream.recipients["slow@example.com"] = scripted.slow(
        12, "550 5.1.1 User unknown")
    gate.expect("slow@example.com", 550, "5.1.1")


def test_frozen(case):
    """A milter that hangs: Sendmail gives up after its R:, and defers."""
    gate = SendmailGate(
        case, flags="F=T, T=C:2s;S:2s;R:2s;E:1m")
    gate.expect("nobody@example.com", 550)
    gate.milter.freeze()
    began = time.monotonic()
    reply = gate.ask("somebody@example.com")
    check(400 <= reply.code < 500, f"the reply is {reply!r}")
    check(time.monotonic() - began < 40, "it came too late")
    gate.milter.thaw()
    wait_for(lambda: gate.ask("somebody@example.com").code == 550,
             "the milter to go on")


def test_killed_under_load(case):
    """kill -9: F=T defers, nothing else breaks, and a start heals it."""
    gate = SendmailGate(case)
    over = threading.Event()
    replies, broken = [], []

    def load(worker):
        number = worker
        while not over.is_set():
            number += 4
            good = number % 2 == 0
            name = f"{'good' if good else 'bad'}{number % 500}@example.com"
            try:
                reply = gate.ask(name)
            except (OSError, EOFError) as error:
                broken.append(f"{name}: {error!r}")
                continue
            replies.append((time.monotonic(), good, reply.code))
    workers = [threading.Thread(target=load, args=(n,)) for n in range(4)]
    for worker in workers:
        worker.start()
    wait_for(lambda: len(replies) > 100, "some load")
    gate.milter.kill()
    wait_for(lambda: any(400 <= code < 500 for _, _, code in replies),
             "deferrals while the milter is dead")
    time.sleep(1)
    gate.milter.start()
    back = time.monotonic()
    wait_for(lambda: sum(1 for at, _, _ in replies if at > back + 2) > 50,
             "load after the start")
    over.set()
    for worker in workers:
        worker.join()
    equal(broken, [], "sessions that broke")
    wrong = [entry for entry in replies
             if entry[2] != (250 if entry[1] else 550)
             and not 400 <= entry[2] < 500]
    equal(wrong, [], "wrong replies")
    late = [entry for entry in replies
            if entry[0] > back + 2 and entry[2] // 100 == 4]
    equal(late, [], "deferrals after the milter came back")


def test_pipelined_session(case):
    """Each recipient of one write gets the reply that is its own."""
    gate = SendmailGate(case)
    with smtpclient.Client(gate.port, helo="client.test") as client:
        contains(client.keywords, "PIPELINING", "the keywords")
        replies = client.pipeline(
            "MAIL FROM:<ann@sender.test>",
            *(f"RCPT TO:<{name}@example.com>"
              for name in ("good1", "x1", "good2", "x2")))
        equal([reply.code for reply in replies], [250, 250, 550, 250, 550],
              "the replies")
