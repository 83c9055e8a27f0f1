# SPDX-License-Identifier: BSD-2-Clause
"""One Postfix with a door for each variant, the milters, the upstream."""
import os
import signal

from harness import mta_postfix, ports
from harness.case import wait_for

TICK = os.sysconf("SC_CLK_TCK")
DOMAIN = "example.com"
VARIANTS = ("bare", "noop", "lean", "postern")


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
    return _stat(pid)[1] / TICK


def resident(pid):
    """Resident memory in octets."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no VmRSS")


class Rig:
    """Everything that a run needs; ends with the case."""

    def __init__(self, case, options):
        self.case = case
        self.options = options
        self._serial = 0
        self._number = 1000000  # of the next recipient never seen before
        self.milters = {}
        self.doors = {name: ports.free_port() for name in VARIANTS}
        noop_port = ports.free_port()
        self._at_upstream = self._start_upstream()
        self.edge = self._start_edge(noop_port)
        sockets = os.path.join(self.edge.queue, "postern")
        os.mkdir(sockets, 0o755)
        self.sockets = {
            "noop": f"inet:{noop_port}@127.0.0.1",
            "lean": "unix:" + os.path.join(sockets, "lean"),
            "postern": "unix:" + os.path.join(sockets, "milter"),
        }
        self.variants = ["bare"]
        for name in options.variants:
            if name != "bare":
                self.milters[name] = self.start_milter(
                    name, self.sockets[name])
                self.variants.append(name)

    def program(self, name):
        """A program of bench/."""
        return os.path.join(self.case.build, "bench", name)

    def _start_upstream(self):
        self.upstream = self.case.start("upstream", [
            self.program("bench_upstream"), "--known", "user",
            "--latency-ms", str(self.options.latency)])
        line = wait_for(lambda: self.upstream.log().partition("\n")[0],
                        "the upstream's port")
        return "127.0.0.1:" + key_values(line)["port"]

    def _start_edge(self, noop_port):
        milters = {"bare": "", "noop": f"inet:127.0.0.1:{noop_port}",
                   "lean": "unix:postern/lean",
                   "postern": "unix:postern/milter"}
        services = []
        for name in VARIANTS:
            services += [
                f"127.0.0.1:{self.doors[name]} inet n - y - - smtpd",
                f"  -o syslog_name=postfix/{name}",
                f"  -o smtpd_milters={milters[name]}"]
        return mta_postfix.Postfix(self.case, "edge", {
            "relay_domains": DOMAIN,
            "relay_transport": "discard:",
            "milter_default_action": "tempfail",
            # all clients come from one address
            "smtpd_client_connection_count_limit": "0",
        }, services)

    def write_config(self, name, socket):
        """A postern.conf; returns its path."""
        return self.case.write(name + ".conf", f"""\
hostname = "edge.test"
relay_hosts = {{}}
log_target = "stderr"
smtp_rcptto_proxy {{
    domains = {{"{DOMAIN}"}}
    host = {{"{self._at_upstream}"}}
    tls = "none"
    {self.options.set}
}}
milter {{
    socket = "{socket}"
    control = "unix:{self.case.path(name + '.ctl')}"
}}
""")

    def start_milter(self, kind, socket):
        """Start a milter of that kind; returns the child when it listens."""
        self._serial += 1
        name = f"{kind}{self._serial}"
        if kind == "postern":
            argv = [os.path.join(self.case.build, "milter", "postern-milter"),
                    "-c", self.write_config(name, socket), "-f"]
        else:
            argv = [self.program("bench_noop_milter"),
                    *(["--lean"] if kind == "lean" else []), socket]
        child = self.case.start(name, argv)
        wait_for(lambda: self._listens(child, socket), f"{name} to listen")
        return child

    def _listens(self, child, socket):
        if not child.running():
            raise RuntimeError(f"{child.name} ended: {child.log()}")
        done = self.case.run(
            [self.program("bench_idle"), "--to", socket, "--sessions", "1"])
        if done.returncode != 0:
            return False
        if socket.startswith("unix:"):
            os.chmod(socket[5:], 0o666)
        return True

    def counters(self):
        """What the upstream has counted so far."""
        before = self.upstream.log().count("\n")
        self.upstream.kill(signal.SIGUSR1)
        wait_for(lambda: self.upstream.log().count("\n") > before,
                 "the upstream's counters")
        line = self.upstream.log().splitlines()[-1]
        return {key: int(value) for key, value in key_values(line).items()}

    def cpu(self, variant):
        """CPU seconds so far of Postfix and the variant's milter."""
        seconds = tree_seconds(self.edge.child.pid)
        if variant in self.milters:
            seconds += process_seconds(self.milters[variant].pid)
        return seconds

    def load(self, variant, clients, sessions, pool=0, **client):
        """Run the client against one variant; recipients are new, or, with
        pool, that many in turn; client: further options of it.  Returns its figures as numbers, with cpu_us
        (per session) and the upstream's counters as differences."""
        warm_up = 3 * clients
        argv = [self.program("bench_client"), "--to",
                str(self.doors[variant]), "--domain", DOMAIN,
                "--clients", str(clients), "--sessions", str(sessions),
                "--warm-up", str(warm_up)]
        argv += (["--pool", str(pool)] if pool
                 else ["--first", str(self._number)])
        argv += [f"--{key}={value}" for key, value in client.items()]
        counted = self.counters()
        cpu = self.cpu(variant)
        done = self.case.run(argv, seconds=600)
        cpu = self.cpu(variant) - cpu
        if done.returncode != 0:
            raise RuntimeError(f"bench_client at {variant}: {done.stdout}"
                               f"{done.stderr}")
        figures = {key: float(value)
                   for key, value in key_values(done.stdout).items()}
        if not pool:
            self._number = int(figures["next"])
        every = sessions + warm_up
        figures["cpu_us"] = cpu * 1e6 / every
        figures["every"] = every
        figures["upstream"] = {
            key: value - counted[key]
            for key, value in self.counters().items()}
        return figures
