# SPDX-License-Identifier: BSD-2-Clause
"""Logins through the SASL plug-in: what is measured, and what it is held
against."""
import subprocess
import time

import rig as rigs
from harness.case import wait_for
from measure import MEGABYTE, Row, rounds

SLOW = 5000  # ms for each reply, in `waiting'
OTHER = "fast.example"  # whose upstream is not slow


def must_have_asked(results):
    """One that does not ask is fast, and measures nothing."""
    for name in results.variants():
        for one in results.of(name):
            asked, every = one["upstream"].get("logins"), one["every"]
            if asked not in (None, every):
                raise RuntimeError(f"{name}: {asked} logins at the upstream "
                                   f"for {every} new users")


def must_refuse(rig):
    """Whom the upstream refuses, the edge refuses.  Two, or the shield would
    take this client for one who guesses."""
    for name in rig.variants:
        if name not in (rig.FLOOR, "late"):
            rig.load(name, 1, 2, warm_up=0, prefix="unknown", expect="5")


def _new(rig, clients):
    must_refuse(rig)
    results = rounds(rig, clients, rig.options.sessions)
    must_have_asked(results)
    return results


def _share(results, what):
    """What a login costs the upstream."""
    return [Row(f"{what}: {name}, upstream {key}",
                f"{results.each(name, key):.3f} each", "-", "-",
                f"{results.each(name, key):.3f}", None)
            for name in results.variants()
            if name not in ("floor", "late", "direct")
            for key in ("turns", "commands", "connections")]


def latency(rig):
    """AUTH for new users, 16 clients, an upstream at a distance.  `direct'
    shows what a round trip to it really takes."""
    with rig.behind(rig.options.latency, "direct",
                    *rig.chosen(("postern", "reuse"))):
        results = _new(rig, 16)
    what = f"{rig.options.latency} ms, 16 clients"
    limit = rig.options.latency * 1000 + 500
    return [results.row(f"{what}: {name}, p50", name, "p50_us", "us",
                        None if name in ("mux", "direct") else ("+", limit))
            for name in results.variants() if name != "floor"
            ] + _share(results, what)


def throughput(rig):
    """The same, 64 clients."""
    with rig.behind(rig.options.latency, "late",
                    *rig.chosen(("postern", "reuse"))):
        results = _new(rig, 64)
    what = f"{rig.options.latency} ms, 64 clients"
    return [results.row(f"{what}: {name}, rate", name, "rate", "/s",
                        None if name in ("late", "mux") else (">=", 0.9))
            for name in results.variants() if name != "floor"
            ] + _share(results, what)


def tls(rig):
    """As throughput, but each session begins with STARTTLS: what a submission
    port does for a login, most of which is the handshake."""
    with rig.under_tls(), rig.behind(
            rig.options.latency, "late", *rig.chosen(("postern", "reuse"))):
        results = _new(rig, 64)
    what = f"TLS, {rig.options.latency} ms, 64 clients"
    rows = []
    for name in results.variants():
        if name == "floor":
            continue
        rows.append(results.row(f"{what}: {name}, rate", name, "rate", "/s",
                                None if name in ("late", "mux")
                                else (">=", 0.9)))
        rows.append(results.row(f"{what}: {name}, CPU per login", name,
                                "cpu_us", "us"))
    return rows + _share(results, what)


def near(rig):
    """The upstream answers at once: what it costs to ask it."""
    with rig.behind(0, *rig.chosen(("postern", "reuse"))):
        results = _new(rig, 16)
    what = "0 ms, 16 clients"
    rows = []
    for name in results.variants():
        if name == "floor":
            continue
        demanded = name != "mux"
        rows.append(results.row(f"{what}: {name}, rate", name, "rate", "/s",
                                (">=", 0.85) if demanded else None))
        rows.append(results.row(f"{what}: {name}, CPU per login", name,
                                "cpu_us", "us",
                                ("<=", 1.25) if demanded else None))
    return rows + _share(results, what)


def remembered(rig):
    """Users who have logged in before, with good_memory."""
    pool = rig.options.pool
    with rig.behind(rig.options.latency, "remembered",
                    more="good_memory = 1h"):
        if "remembered" in rig.variants:
            rig.load("remembered", 16, pool, pool)  # all of them once
        results = rounds(rig, 16, rig.options.sessions, pool)
    if not results.of("remembered"):
        return []
    for one in results.of("remembered"):
        if one["upstream"]["auth"] > 0:
            raise RuntimeError("the upstream was asked about logins that "
                               "had been good before")
    return [results.row("remembered, rate", "remembered", "rate", "/s",
                        (">=", 0.97)),
            results.row("remembered, CPU per login", "remembered", "cpu_us",
                        "us")]


def _logins(rig, socket, domain, count):
    """The command line of bench_logins."""
    return [rig.program("bench_logins"), "--to", "unix:" + socket,
            "--domain", domain, "--logins", str(count)]


def waiting(rig):
    """Many at once for a slow upstream; others are served meanwhile."""
    if not rig.built():
        return []
    count = rig.options.waiting
    slow = rigs.Upstream(rig.case, SLOW)
    fast = rigs.Upstream(rig.case, 0)
    daemon = rig.start_authd(
        "waiting", slow.address,
        f"max_sessions = {count}",
        f'domain "{OTHER}" {{ smtp_auth_proxy {{ '
        f'host = {{"{fast.address}"}} }} }}')
    # until it knows that the upstream works: greeting, EHLO, both slow
    wait_for(lambda: slow.counters()["ehlo"] > 0, "a warm session", 30)
    time.sleep(1.2 * SLOW / 1000)
    held = idle = rigs.resident(daemon.child.pid)
    with subprocess.Popen(
            _logins(rig, daemon.path, rigs.DOMAIN, count),
            stdout=subprocess.PIPE, text=True) as crowd:
        crowd.stdout.readline()  # all have been sent
        others = rigs.key_values(rig.case.run(
            _logins(rig, daemon.path, OTHER, 16)).stdout)
        while crowd.poll() is None:
            held = max(held, rigs.resident(daemon.child.pid))
            time.sleep(0.05)
        figures = rigs.key_values(crowd.stdout.read())
    print(f"  waiting: {figures}\n  others: {others}", flush=True)
    rig.stop_authd(daemon)
    for upstream in (slow, fast):
        upstream.child.stop()
    limit = 100 * count / 1000
    quick = int(others["good"]) == 16 and int(others["last_ms"]) < SLOW / 2
    return [
        Row(f"{count} waiting: memory", f"{held / MEGABYTE:.1f} MB",
            f"{idle / MEGABYTE:.1f}", f"<= {limit:g} MB",
            f"{held / MEGABYTE:.1f} MB", held / MEGABYTE <= limit),
        Row(f"{count} waiting: logged in", figures["good"], "-",
            f"= {count}", figures["good"], int(figures["good"]) == count),
        Row(f"{count} waiting: others meanwhile", f"{others['good']} of 16",
            "-", "= 16, at once", f"{others['last_ms']} ms", quick)]


ALL = {
    "auth-latency": latency,
    "auth-throughput": throughput,
    "auth-tls": tls,
    "auth-near": near,
    "auth-remembered": remembered,
    "auth-waiting": waiting,
}
