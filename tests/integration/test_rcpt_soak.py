# SPDX-License-Identifier: BSD-2-Clause
"""200,000 probes: memory and descriptors stay where they are."""
import os
import re
import signal
import threading

from harness.case import check, equal, wait_for
from harness.daemon import Milter
from harness.gate import route
from harness.milterclient import MilterClient

WARM = 60000
PROBES = 200000
WORKERS = 8


def resident(pid):
    """Resident memory of a process, in kB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def descriptors(pid):
    """How many descriptors a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


class Load:
    """Threads that ask about recipients never asked about before, half of
    them unknown, in sessions of 1000 recipients."""

    def __init__(self, path):
        self.path = path
        self.next = 0
        self.wrong = []
        self._lock = threading.Lock()

    def run(self, count):
        """Ask about `count` more."""
        end = self.next + count
        threads = [threading.Thread(target=self._work, args=(end,))
                   for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _take(self, end):
        with self._lock:
            first = self.next
            self.next = min(first + 1000, end)
            return range(first, self.next)

    def _work(self, end):
        while numbers := self._take(end):
            try:
                self._session(numbers)
            except (OSError, EOFError) as error:
                self.wrong.append(repr(error))

    def _session(self, numbers):
        session = MilterClient(self.path)
        for number in numbers:
            if number % 50 == 0:
                session.abort()
                session.mail(f"s{number}@sender.test")
            good = number % 2 == 0
            name = f"{'known' if good else 'unknown'}{number}@example.com"
            code = session.rcpt(name)
            if code != (250 if good else 550):
                self.wrong.append(f"{name}: {code}")
        session.close()


def test_growth(case):
    """No growth of memory or descriptors, no wrong answer."""
    upstream = case.start("upstream", [
        os.path.join(case.build, "bench/bench_upstream")])
    port = wait_for(lambda: re.match(r"port=(\d+)\n", upstream.log()),
                    "the upstream's port").group(1)
    milter = Milter(case, 'log_level = "warning"\n' + route(
        port, "timeout = 20 cache_size = 10000 catchall_life = 0"))
    load = Load(milter.path)
    load.run(WARM)
    before = resident(milter.child.pid), descriptors(milter.child.pid)
    load.run(PROBES)
    after = resident(milter.child.pid), descriptors(milter.child.pid)
    equal(load.wrong, [], "wrong answers")
    upstream.kill(signal.SIGUSR1)
    asked = int(wait_for(lambda: re.search(r"\brcpt=(\d+)", upstream.log()),
                         "the upstream's counters").group(1))
    check(asked >= WARM + PROBES, f"only {asked} questions upstream")
    check(after[0] < before[0] + 2048,
          f"resident memory went from {before[0]} to {after[0]} kB")
    check(after[1] <= before[1] + WORKERS,
          f"descriptors went from {before[1]} to {after[1]}")
    print(f"  {asked} questions; {before[0]} -> {after[0]} kB, "
          f"{before[1]} -> {after[1]} descriptors")


test_growth.timeout = 1200
