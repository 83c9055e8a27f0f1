# SPDX-License-Identifier: BSD-2-Clause
"""Look-ups of outbound credentials: what is measured, and what it is held
against."""
from measure import Results, Row

RATE = 20000  # look-ups/s
STUCK = 200   # who do not read, or do not finish a request


def _rounds(rig, rate, stuck=0):
    results = Results(rig)
    for number in range(rig.options.rounds):
        turn = number % len(rig.variants)
        for name in rig.variants[turn:] + rig.variants[:turn]:
            # the floor has nothing against those that are stuck
            one = rig.load(name, rate, 0 if name == rig.FLOOR else stuck)
            results.add(name, one)
            print(f"  round {number + 1} {name:10} rate {one['rate']:7.0f}/s"
                  f"  p50 {one['p50_us']:6.0f} p99 {one['p99_us']:6.0f} us  "
                  f"CPU {one['cpu_us']:.1f} us/look-up", flush=True)
    return results


def _limit(results, what, key, unit, limit, low):
    """A row with an absolute target: at most, or (low) at least."""
    value = results.median("postern", key)
    met = value >= limit if low else value <= limit
    return Row(what, f"{value:.0f} {unit}",
               f"{results.median('floor', key):.0f}",
               f"{'>=' if low else '<='} {limit}",
               str(results.ratio("postern", key)), met)


def most(rig):
    """As many as one core can answer: each connection asks again when it has
    its answer."""
    before = rig.logged()
    results = _rounds(rig, 0)
    asked = sum(one["lookups"] for one in results.of("postern"))
    if before is not None and rig.logged() - before < asked:
        raise RuntimeError("look-ups without a line in the log")
    return [_limit(results, "most, 100 connections: rate", "rate", "/s",
                   RATE, True),
            _limit(results, "most: for each second of CPU", "per_cpu", "",
                   RATE, True)]


def steady(rig):
    """At a given rate, whether answers come or not."""
    results = _rounds(rig, RATE)
    return [_limit(results, f"{RATE}/s, 100 connections: p99", "p99_us", "us",
                   1000, False),
            _limit(results, f"{RATE}/s: p50", "p50_us", "us", 1000, False)]


def stuck(rig):
    """The same, among others who do not read or do not finish."""
    results = _rounds(rig, RATE, STUCK)
    return [_limit(results, f"{RATE}/s, {STUCK} stuck: p99", "p99_us", "us",
                   1000, False)]


ALL = {
    "outbound-most": most,
    "outbound-steady": steady,
    "outbound-stuck": stuck,
}
