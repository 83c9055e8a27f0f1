# SPDX-License-Identifier: BSD-2-Clause
"""Postfix with and without milters, and the upstream that one of them asks."""
import os

from harness import ports
from harness.case import wait_for
import rig as rigs


class Rig(rigs.Rig):
    """See rigs.Rig; its helpers are milters."""

    DOORS = ("bare", "noop", "lean", "postern")
    FLOOR = "noop"
    COMMAND = "RCPT"

    def __init__(self, case, options):
        super().__init__(case, options)
        self._serial = 0
        noop_port = ports.free_port()
        milters = {"bare": "", "noop": f"inet:127.0.0.1:{noop_port}",
                   "lean": "unix:postern/lean",
                   "postern": "unix:postern/milter"}
        upstream = rigs.Upstream(case, options.latency)
        self._at_upstream = upstream.address
        self.upstreams = {name: upstream for name in self.DOORS}
        self.start_edge({"milter_default_action": "tempfail"},
                        lambda name: {"smtpd_milters": milters[name]})
        sockets = os.path.join(self.edge.queue, "postern")
        os.mkdir(sockets, 0o755)
        self.sockets = {
            "noop": f"inet:{noop_port}@127.0.0.1",
            "lean": "unix:" + os.path.join(sockets, "lean"),
            "postern": "unix:" + os.path.join(sockets, "milter"),
        }
        self.variants = ["bare"]
        for name in ("noop", *self.chosen(("postern",))):
            if name == "postern" and not os.path.exists(self._binary()):
                print(f"note: there is no {self._binary()}: the floors only")
            elif name != "bare":
                self.helpers[name] = self.start_milter(
                    name, self.sockets[name])
                self.variants.append(name)

    def _binary(self):
        return os.path.join(self.case.build, "milter", "postern-milter")

    def write_config(self, name, socket):
        """A postern.conf; returns its path."""
        return self.case.write(name + ".conf", f"""\
hostname = "edge.test"
relay_hosts = {{}}
log_target = "stderr"
smtp_rcptto_proxy {{
    domains = {{"{rigs.DOMAIN}"}}
    host = {{"{self._at_upstream}"}}
    tls = "none"
    {self.set}
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
            argv = [self._binary(), "-c", self.write_config(name, socket),
                    "-f"]
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
