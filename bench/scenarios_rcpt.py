# SPDX-License-Identifier: BSD-2-Clause
"""RCPT through the milter: what is measured, and what it is held against."""
import os
import select
import subprocess

import rig as rigs
from measure import MEGABYTE, Row, rounds


def must_have_asked(results):
    """A milter that does not ask is fast, and measures nothing."""
    for one in results.of("postern"):
        asked, every = one["upstream"]["rcpt"], one["every"]
        if asked < every:
            raise RuntimeError(f"postern asked the upstream about {asked} of "
                               f"{every} new recipients")


def must_refuse(rig):
    """Whom the upstream refuses, the edge refuses."""
    if "postern" in rig.variants:
        rig.load("postern", 4, 20, prefix="unknown", expect="5")


def _others(results, what, key, unit):
    """Rows for the variants that nothing is demanded of."""
    return [results.row(f"{what}: {name}", name, key, unit)
            for name in results.variants() if name not in ("noop", "postern")]


def new_latency(rig):
    """RCPT for recipients never asked about, 16 clients."""
    must_refuse(rig)
    results = rounds(rig, 16, rig.options.sessions)
    must_have_asked(results)
    what = "new, 16 clients, p50"
    rows = _others(results, what, "p50_us", "us")
    if results.of("postern"):
        rows.append(results.row(what, "postern", "p50_us", "us",
                                ("+", rig.options.latency * 1000 + 1500)))
    return rows


def new_throughput(rig):
    """The same at 64 clients: sessions per second, and the upstream's share.
    """
    results = rounds(rig, 64, rig.options.sessions)
    must_have_asked(results)
    what = "new, 64 clients"
    rows = _others(results, f"{what}, rate", "rate", "/s")
    if not results.of("postern"):
        return rows
    rows.append(results.row(f"{what}, rate", "postern", "rate", "/s",
                            (">=", 0.95)))
    for key, limit in (("commands", 1.2), ("connections", 0.01)):
        each = results.each("postern", key)
        rows.append(Row(f"{what}, upstream {key}", f"{each:.4f} each", "-",
                        f"<= {limit}", f"{each:.4f}", each <= limit))
    return rows


def repeated(rig):
    """Recipients that were asked about before."""
    pool = rig.options.pool
    if "postern" in rig.variants:
        rig.load("postern", 16, pool, pool)  # all of them once
    results = rounds(rig, 16, rig.options.sessions, pool)
    rows = _others(results, "repeated, rate", "rate", "/s")
    rows += _others(results, "repeated, CPU", "cpu_us", "us")
    if results.of("postern"):
        rows.append(results.row("repeated, rate", "postern", "rate", "/s",
                                (">=", 0.97)))
        rows.append(results.row("repeated, CPU per session", "postern",
                                "cpu_us", "us", ("<=", 1.1)))
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
