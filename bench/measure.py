# SPDX-License-Identifier: BSD-2-Clause
"""Rounds of load, and what is made of their figures."""
import statistics

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


class Results:
    """The figures of each variant, round by round."""

    def __init__(self, rig):
        self._floor = rig.FLOOR
        self._figures = {name: [] for name in rig.variants}

    def add(self, variant, figures):
        """Of one more round."""
        self._figures[variant].append(figures)

    def variants(self):
        """Their names."""
        return list(self._figures)

    def of(self, variant):
        """The figures of all its rounds; none if it was not measured."""
        return self._figures.get(variant, [])

    def median(self, variant, key):
        """Of the rounds' figures."""
        return statistics.median(one[key] for one in self.of(variant))

    def _pairs(self, variant, key):
        """(the variant's, the floor's) figure, round by round: what the
        machine does besides hits both."""
        return [(one[key], other[key]) for one, other
                in zip(self.of(variant), self.of(self._floor))]

    def ratio(self, variant, key):
        """The variant's figure over the floor's, of each round."""
        return Spread((one / other for one, other
                       in self._pairs(variant, key)), "x ")

    def extra(self, variant, key):
        """By how much it is above the floor's, in each round."""
        return Spread((one - other for one, other
                       in self._pairs(variant, key)), "+")

    def each(self, variant, key):
        """How many of something the upstream counted for each session."""
        every = sum(one["every"] for one in self.of(variant))
        return sum(one["upstream"][key] for one in self.of(variant)) / every

    def row(self, what, variant, key, unit, target=None):
        """A row of the table.  target: ("<=" or ">=", a ratio), ("+", the
        most that it may be above the floor), or None."""
        kind, limit = target or ("", None)
        value = (self.extra if kind == "+" else self.ratio)(variant, key)
        text, passed = "-", None
        if kind == "+":
            text, passed = f"<= +{limit}", value.median <= limit
        elif kind == "<=":
            text, passed = f"<= x {limit}", value.median <= limit
        elif kind == ">=":
            text, passed = f">= x {limit}", value.median >= limit
        return Row(what, f"{self.median(variant, key):.0f} {unit}",
                   f"{self.median(self._floor, key):.0f}", text, str(value),
                   passed)


def rounds(rig, clients, sessions, pool=0):
    """Each variant in turn, several times, each round beginning with another
    one, but never with the one that was the last before: its smtpd are at
    the end of their lives together.  Of two the order stays."""
    results = Results(rig)
    for number in range(rig.options.rounds):
        turn = number % len(rig.variants) if len(rig.variants) > 2 else 0
        for name in rig.variants[turn:] + rig.variants[:turn]:
            figures = rig.load(name, clients, sessions, pool)
            results.add(name, figures)
            upstream = figures["upstream"]
            print(f"  round {number + 1} {name:10} "
                  f"rate {figures['rate']:7.1f}/s  "
                  f"{rig.COMMAND} p50 {figures['p50_us']:6.0f} "
                  f"p90 {figures['p90_us']:6.0f} "
                  f"p99 {figures['p99_us']:6.0f} us  "
                  f"CPU {figures['cpu_us']:5.0f} us/session, "
                  f"{figures['helper_us']:.0f} of it not Postfix's"
                  + (f"  upstream {upstream['commands']} commands, "
                     f"{upstream['connections']} connections"
                     if upstream else ""),
                  flush=True)
    return results
