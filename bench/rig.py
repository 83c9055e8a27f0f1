# SPDX-License-Identifier: BSD-2-Clause
"""What the benchmarks share: an upstream, a Postfix with a door for each
variant, load on a door, and what it took."""
import itertools
import os
import signal
import time

from harness import mta_postfix, ports
from harness.case import wait_for

CPUCLOCK_SCHED = 2
TICK = os.sysconf("SC_CLK_TCK")
DOMAIN = "example.com"


def key_values(line):
    """{"p50_us": "812", ...} of a line of key=value."""
    return dict(word.split("=", 1) for word in line.split() if "=" in word)


def _stat(pid):
    """(parent, cpu ticks of itself, of its ended children) or None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8",
                  errors="replace") as file:
            words = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(words[1]), int(words[11]) + int(words[12]),
            int(words[13]) + int(words[14]))


def _own_seconds(pid, ticks):
    """CPU time of a process with one thread, finer than ticks if it can be
    had: a hundred processes cut to 10 ms each would be an error of a second.
    """
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e9
    except (OSError, IndexError, ValueError):
        return ticks / TICK


def tree_seconds(root):
    """User and system time of a process and all its children, those that
    have ended (and were waited for) included."""
    known = {int(name): _stat(name) for name in os.listdir("/proc")
             if name.isdigit()}
    members = {root}
    while True:
        more = {pid for pid, stat in known.items()
                if stat is not None and stat[0] in members} - members
        if not more:
            break
        members |= more
    return sum(_own_seconds(pid, known[pid][1]) + known[pid][2] / TICK
               for pid in members if known.get(pid) is not None)


def process_seconds(pid):
    """User and system time of all threads, the ended ones included."""
    # as clock_getcpuclockid(3) has it
    return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)


def resident(pid):
    """Resident memory in octets."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no VmRSS")


class Upstream:
    """bench_upstream, and what it has counted; ends with the case."""

    _serial = itertools.count(1)

    def __init__(self, case, latency, *flags):
        self.child = case.start(f"upstream{next(self._serial)}", [
            program(case, "bench_upstream"), "--known", "user",
            "--latency-ms", str(latency), *flags])
        line = wait_for(lambda: self.child.log().partition("\n")[0],
                        "the upstream's port")
        self.address = "127.0.0.1:" + key_values(line)["port"]

    def counters(self):
        """So far."""
        before = self.child.log().count("\n")
        self.child.kill(signal.SIGUSR1)
        wait_for(lambda: self.child.log().count("\n") > before,
                 "the upstream's counters")
        line = self.child.log().splitlines()[-1]
        return {key: int(value) for key, value in key_values(line).items()}


def program(case, name):
    """A program of bench/."""
    return os.path.join(case.build, "bench", name)


class Rig:
    """Everything that a run needs; ends with the case.

    doors      {variant: port of its smtpd}
    variants   those that are measured, the floor among them
    helpers    {variant: the process that its smtpd asks}
    upstreams  {variant: the Upstream behind it}
    """

    DOORS = ()   # all variants that there may be
    FLOOR = ""   # the one that others are held against
    COMMAND = ""  # what is timed
    SET = ""     # options of postern.conf unless the user says otherwise
    CLIENT = ()  # options of bench_client

    def __init__(self, case, options):
        self.case = case
        self.options = options
        self.set = self.SET if options.set is None else options.set
        self._number = 1000000  # of the next recipient never seen before
        self.doors = {name: ports.free_port() for name in self.DOORS}
        self.variants = []
        self.helpers = {}
        self.upstreams = {}
        self.edge = None

    def program(self, name):
        """A program of bench/."""
        return program(self.case, name)

    def chosen(self, usual):
        """The variants that the user wants, or the usual ones."""
        if self.options.variants is None:
            return list(usual)
        return [name for name in self.options.variants if name in self.DOORS
                and name != self.FLOOR]

    def way(self, variant):
        """Options of bench_client: where to, and what it does there."""
        return ["--to", str(self.doors[variant]), *self.CLIENT]

    def start_edge(self, settings, door, **postfix):
        """The Postfix.  settings: main.cf; door(variant): what is different
        at that door, {name: value}; postfix: see there."""
        services = []
        for name, port in self.doors.items():
            services += [f"127.0.0.1:{port} inet n - y - - smtpd",
                         f"  -o syslog_name=postfix/{name}"]
            services += [f"  -o {key}={value}"
                         for key, value in door(name).items()]
        self.edge = mta_postfix.Postfix(self.case, "edge", {
            "relay_domains": DOMAIN,
            "relay_transport": "discard:",
            # all clients come from one address
            "smtpd_client_connection_count_limit": "0",
            **settings}, services, **postfix)

    def _counters(self, variant):
        upstream = self.upstreams.get(variant)
        return upstream.counters() if upstream else {}

    def cpu(self, variant):
        """CPU seconds so far: (Postfix, what the variant's smtpd asks)."""
        helper = self.helpers.get(variant)
        return (tree_seconds(self.edge.child.pid),
                process_seconds(helper.pid) if helper else 0)

    def load(self, variant, clients, sessions, pool=0, warm_up=None,
             **client):
        """Run the client against one variant; recipients or users are new,
        or, with pool, that many in turn; client: further options of it.
        Returns its figures as numbers, with cpu_us (per session; helper_us is
        the helper's part of it) and the upstream's counters as differences."""
        if warm_up is None:
            warm_up = 3 * clients
        argv = [self.program("bench_client"), *self.way(variant),
                "--domain", DOMAIN, "--clients", str(clients),
                "--sessions", str(sessions), "--warm-up", str(warm_up)]
        argv += (["--pool", str(pool)] if pool
                 else ["--first", str(self._number)])
        argv += [f"--{key}={value}" for key, value in client.items()]
        counted = self._counters(variant)
        cpu = self.cpu(variant)
        done = self.case.run(argv, seconds=600)
        postfix, helper = (after - before for after, before
                           in zip(self.cpu(variant), cpu))
        if done.returncode != 0:
            helper = self.helpers.get(variant)
            raise RuntimeError(
                f"bench_client at {variant}: {done.stdout}{done.stderr}"
                + (f"... {helper.log()[-1000:]}" if helper else ""))
        figures = {key: float(value)
                   for key, value in key_values(done.stdout).items()}
        if not pool:
            self._number = int(figures["next"])
        every = sessions + warm_up
        figures["cpu_us"] = (postfix + helper) * 1e6 / every
        figures["helper_us"] = helper * 1e6 / every
        figures["every"] = every
        figures["upstream"] = {
            key: value - counted[key]
            for key, value in self._counters(variant).items()}
        return figures
