# SPDX-License-Identifier: BSD-2-Clause
"""Look-ups of outbound credentials: postern-authd on one core, its rows in
SQLite and remembered, its log through syslog(3); and the least that can
answer."""
import os
import shutil
import sqlite3

from harness import authd, namespace
from harness.case import wait_for
import rig as rigs

KEYS = 1000

_CONF = """
log_target = "syslog"
datasource "relays" {{
    uri = {{"sqlite:{rows}"}}
    cache_life = 24h  cache_size = {size}
}}
outbound_smtp_auth {{
    ds_cache = "relays"
    query = "SELECT user, pass FROM relays WHERE host = :host"
}}
binding "a" {{ nexthops = {{{hops}}}
    outbound_smtp_auth_user = "u"  outbound_smtp_auth_pass = "p" }}
{more}
"""


class Rig:
    """The doors, by name: path of the socket, process behind it."""

    FLOOR = "floor"

    def __init__(self, case, options):
        self.case = case
        self.options = options
        self.set = "" if options.set is None else options.set
        self.variants = ["floor", "postern"]
        # the daemon has a core of its own, where there is another
        self.cores = sorted(os.sched_getaffinity(0))
        self.doors, self.helpers = {}, {}
        self.sink = None
        self._start_floor()
        self._start_sink()
        self._start_daemon()

    def _pin(self, child):
        """On the last core, with all its threads."""
        for task in os.listdir(f"/proc/{child.pid}/task"):
            os.sched_setaffinity(int(task), {self.cores[-1]})

    def _start_floor(self):
        path = self.case.path("floor")
        child = self.case.start("floor", [
            rigs.program(self.case, "bench_socketmap"), "unix:" + path])
        wait_for(lambda: os.path.exists(path), "the floor to listen")
        self._pin(child)
        self.doors["floor"], self.helpers["floor"] = path, child

    def _start_sink(self):
        """Without a mount namespace the log goes to the machine's."""
        path = os.environ.get("HARNESS_SYSLOG")
        if path is not None:
            self.sink = self.case.start("syslog", [
                rigs.program(self.case, "bench_syslog"), path,
                self.case.path("messages")])
            wait_for(lambda: os.path.exists(path), "the log to be there")

    def _start_daemon(self):
        rows = self.case.path("relays.db")
        with sqlite3.connect(rows) as table:
            table.execute("CREATE TABLE relays (host TEXT PRIMARY KEY, "
                          "user TEXT, pass TEXT)")
            table.executemany("INSERT INTO relays VALUES (?, ?, ?)", [
                (f"h{n}.example.net", f"u{n}", f"password of {n}")
                for n in range(KEYS)])
        table.close()
        shutil.chown(rows, namespace.account_id("postern"))
        daemon = authd.Authd(self.case, _CONF.format(
            rows=rows, size=2 * KEYS, more=self.set,
            hops=", ".join(f'"r{n}.example.net"' for n in range(100))),
            start=False)
        daemon.ready = lambda: daemon.listens(daemon.outbound)
        daemon.start()
        self._pin(daemon.child)
        self.doors["postern"] = daemon.outbound
        self.helpers["postern"] = daemon.child

    def logged(self):
        """How many lines of look-ups are in the log."""
        if self.sink is None:
            return None
        with open(self.case.path("messages"), "rb") as file:
            return sum(b"outbound: " in line for line in file)

    def load(self, variant, rate, stuck=0, seconds=5):
        """Look-ups at a rate, or as many as can be; what they took."""
        argv = [rigs.program(self.case, "bench_lookups"),
                "--to", "unix:" + self.doors[variant], "--keys", str(KEYS),
                "--connections", "100", "--rate", str(rate),
                "--seconds", str(seconds), "--stuck", str(stuck)]
        pid = self.helpers[variant].pid
        cpu = rigs.process_seconds(pid)
        done = self.case.run(argv, seconds=120)
        cpu = rigs.process_seconds(pid) - cpu
        if done.returncode != 0:
            raise RuntimeError(
                f"bench_lookups at {variant}: {done.stdout}{done.stderr}")
        figures = {key: float(value) for key, value
                   in rigs.key_values(done.stdout).items()}
        figures["cpu_us"] = cpu * 1e6 / (figures["lookups"] + KEYS)
        figures["per_cpu"] = 1e6 / figures["cpu_us"]
        return figures
