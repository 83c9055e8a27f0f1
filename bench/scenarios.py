# SPDX-License-Identifier: BSD-2-Clause
"""What is measured, and what it is held against."""
import os
import select
import statistics
import subprocess

import rig as rigs

MEGABYTE = 1e6


class Row:
    """One line of the table."""

    def __init__(self, what, figure, floor, target, value, passed):
        self.what = what
        self.figure = figure
        self.floor = floor
        self.target = target
        self.value = value
        self.passed = passed  # None: nothing is demanded


def rounds(rig, clients, sessions, pool=0):
    """Each variant in turn, several times, each round beginning with another
    one; {variant: [figures of each round]}."""
    results = {name: [] for name in rig.variants}
    for number in range(rig.options.rounds):
        turn = number % len(rig.variants)
        for name in rig.variants[turn:] + rig.variants[:turn]:
            figures = rig.load(name, clients, sessions, pool)
            results[name].append(figures)
            print(f"  round {number + 1} {name:8} "
                  f"rate {figures['rate']:7.1f}/s  "
                  f"RCPT p50 {figures['p50_us']:6.0f} "
                  f"p90 {figures['p90_us']:6.0f} "
                  f"p99 {figures['p99_us']:6.0f} us  "
                  f"CPU {figures['cpu_us']:5.0f} us/session  "
                  f"upstream {figures['upstream']['commands']} commands, "
                  f"{figures['upstream']['connections']} connections",
                  flush=True)
    return results


def median(results, variant, key):
    """Of the rounds' figures."""
    return statistics.median(one[key] for one in results[variant])


class Spread:
    """A value of each round; what counts is the median."""

    def __init__(self, values, sign):
        self._values = sorted(values)
        self._sign = sign
        self.median = statistics.median(self._values)

    def __str__(self):
        places = 0 if self._sign == "+" else 3
        low, high = self._values[0], self._values[-1]
        return (f"{self._sign}{self.median:.{places}f} "
                f"({low:.{places}f} .. {high:.{places}f})")


def pairs(results, variant, key):
    """(the variant's, the floor's) figure, round by round: what the machine
    does besides hits both."""
    return [(one[key], other[key]) for one, other
            in zip(results[variant], results["noop"])]


def ratio(results, variant, key):
    """The variant's figure over the floor's, of each round."""
    return Spread((one / other for one, other
                   in pairs(results, variant, key)), "x ")


def compare(results, what, key, unit):
    """Rows for the variants that nothing is demanded of."""
    rows = []
    for name in results:
        if name not in ("noop", "postern"):
            rows.append(Row(
                f"{what}: {name}", f"{median(results, name, key):.0f} {unit}",
                f"{median(results, 'noop', key):.0f}", "-",
                str(ratio(results, name, key)), None))
    return rows


def must_have_asked(results):
    """A milter that does not ask is fast, and measures nothing."""
    for one in results.get("postern", []):
        asked, every = one["upstream"]["rcpt"], one["every"]
        if asked < every:
            raise RuntimeError(f"postern asked the upstream about {asked} of "
                               f"{every} new recipients")


def must_refuse(rig):
    """Whom the upstream refuses, the edge refuses."""
    if "postern" in rig.variants:
        rig.load("postern", 4, 20, prefix="unknown", expect="5")


def new_latency(rig):
    """RCPT for recipients never asked about, 16 clients."""
    must_refuse(rig)
    results = rounds(rig, 16, rig.options.sessions)
    must_have_asked(results)
    rows = compare(results, "new, 16 clients, p50", "p50_us", "us")
    if "postern" in results:
        extra = Spread((one - other for one, other
                        in pairs(results, "postern", "p50_us")), "+")
        limit = rig.options.latency * 1000 + 1500
        rows.append(Row(
            "new, 16 clients, p50",
            f"{median(results, 'postern', 'p50_us'):.0f} us",
            f"{median(results, 'noop', 'p50_us'):.0f}",
            f"<= +{limit} us", str(extra), extra.median <= limit))
    return rows


def new_throughput(rig):
    """The same at 64 clients: sessions per second, and the upstream's share.
    """
    results = rounds(rig, 64, rig.options.sessions)
    must_have_asked(results)
    rows = compare(results, "new, 64 clients, rate", "rate", "/s")
    if "postern" not in results:
        return rows
    share = ratio(results, "postern", "rate")
    rows.append(Row(
        "new, 64 clients, rate",
        f"{median(results, 'postern', 'rate'):.0f} /s",
        f"{median(results, 'noop', 'rate'):.0f}", ">= x 0.95",
        str(share), share.median >= 0.95))
    every = sum(one["every"] for one in results["postern"])
    for key, limit in (("commands", 1.2), ("connections", 0.01)):
        each = sum(one["upstream"][key] for one in results["postern"]) / every
        rows.append(Row(f"new, 64 clients, upstream {key}",
                        f"{each:.4f} each", "-", f"<= {limit}",
                        f"{each:.4f}", each <= limit))
    return rows


def repeated(rig):
    """Recipients that were asked about before."""
    pool = rig.options.pool
    if "postern" in rig.variants:
        rig.load("postern", 16, pool, pool)  # all of them once
    results = rounds(rig, 16, rig.options.sessions, pool)
    rows = compare(results, "repeated, rate", "rate", "/s")
    rows += compare(results, "repeated, CPU", "cpu_us", "us")
    if "postern" not in results:
        return rows
    share = ratio(results, "postern", "rate")
    rows.append(Row(
        "repeated, rate", f"{median(results, 'postern', 'rate'):.0f} /s",
        f"{median(results, 'noop', 'rate'):.0f}", ">= x 0.97",
        str(share), share.median >= 0.97))
    cost = ratio(results, "postern", "cpu_us")
    rows.append(Row(
        "repeated, CPU per session",
        f"{median(results, 'postern', 'cpu_us'):.0f} us",
        f"{median(results, 'noop', 'cpu_us'):.0f}", "<= x 1.1",
        str(cost), cost.median <= 1.1))
    return rows


def _hold_idle(rig, socket, pid, sessions):
    """Resident memory of process pid with so many idle sessions."""
    with subprocess.Popen(
            [rig.program("bench_idle"), "--to", socket, "--mail",
             "--sessions", str(sessions)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        ready, _, _ = select.select([holder.stdout], [], [], 120)
        if not ready or not holder.stdout.readline().startswith(b"ready="):
            holder.kill()
            raise RuntimeError("bench_idle did not get its sessions")
        held = rigs.resident(pid)
        holder.stdin.close()
    return held


def idle(rig):
    """Sessions that have come to MAIL and then do nothing."""
    rows = []
    grown = {}
    for kind in rig.variants[1:]:
        socket = "unix:" + rig.case.path(f"idle-{kind}")
        child = rig.start_milter(kind, socket)
        _hold_idle(rig, socket, child.pid, 20)
        before = rigs.resident(child.pid)
        grown[kind] = (_hold_idle(rig, socket, child.pid, rig.options.idle)
                       - before) / MEGABYTE
        child.stop()
        limit = 20 * rig.options.idle / 4000
        rows.append(Row(
            f"{rig.options.idle} idle sessions, {kind}",
            f"{grown[kind]:.1f} MB", f"{grown.get('noop', 0):.1f}",
            f"<= {limit:g} MB" if kind == "postern" else "-",
            f"{grown[kind]:.1f} MB",
            grown[kind] <= limit if kind == "postern" else None))
    return rows


def cache(rig):
    """A million verdicts in the cache."""
    program = rig.program("bench_cache")
    if not os.path.exists(program):
        print("  no bench_cache: passed over")
        return []
    done = rig.case.run([program, "1000000"], seconds=300)
    print("  " + done.stdout.strip().replace("\n", "\n  "), flush=True)
    if done.returncode != 0:
        raise RuntimeError(f"bench_cache: {done.stderr}")
    used = float(rigs.key_values(done.stdout)["rss_mb"])
    return [Row("a million verdicts", f"{used:.0f} MB", "-", "<= 200 MB",
                f"{used:.0f} MB", used <= 200)]


ALL = {
    "new-latency": new_latency,
    "new-throughput": new_throughput,
    "repeated": repeated,
    "idle": idle,
    "cache": cache,
}
