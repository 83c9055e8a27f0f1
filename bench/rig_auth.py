# SPDX-License-Identifier: BSD-2-Clause
"""Postfix with Cyrus SASL: its stock plug-ins and a daemon that says OK at
once, against ours and postern-authd, which asks the upstream."""
import contextlib
import functools
import os
import shutil

from harness import authd, certs, ports, sasl
from harness.case import wait_for
from harness.daemon import socket_directory
import rig as rigs

_TLS = "-tls"  # what a door's name ends with

_STOCK = """pwcheck_method: saslauthd
saslauthd_path: /postern/{socket}
mech_list: PLAIN LOGIN
"""

_CONF = """
smtp_auth_proxy {{
    host = {{"{host}"}}
    tls = "none"
    {options}
}}
"""


class Rig(rigs.Rig):
    """See rigs.Rig; its helpers say whether a login is right.  Those that ask
    an upstream come and go with it: see behind().  Each door but `direct' has
    a twin with TLS: see under_tls()."""

    DOORS = ("floor", "late", "mux", "postern", "reuse", "remembered")
    FLOOR = "floor"
    COMMAND = "AUTH"
    CLIENT = ("--auth",)
    # 64 clients have 64 logins under way, each on a session of its own, and
    # it takes three round trips until there is another in its place: at 5000
    # logins/s and 5 ms that is 75 more, of which none is idle
    SET = "warm_sessions = 128 max_sessions = 384"

    def __init__(self, case, options):
        super().__init__(case, options)
        self._tls = False
        self.doors.update({name + _TLS: ports.free_port()
                           for name in self.DOORS})
        # as most sites have it
        self._pair = certs.Authority(
            case.path("ca"), certs.RSA_2048).issue("edge", ("edge.test",))
        self.start_edge(
            {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "cyrus"},
            self._door, sasl=sasl.RECIPE,
            plugins=sasl.plugins(case, self.built()))
        self.sockets = socket_directory(self.edge.queue)
        for name in self.DOORS:
            self._configure_door(name)
        self.helpers["floor"] = self._start_stub()
        self.variants = ["floor"]

    def _door(self, name):
        """What is different there.  Of TLS nothing is in main.cf, so that the
        other doors know nothing of it."""
        if not name.endswith(_TLS):
            return {"smtpd_sasl_path": name}
        return {"smtpd_sasl_path": name.removesuffix(_TLS),
                "smtpd_tls_security_level": "encrypt",
                "smtpd_tls_cert_file": self._pair.cert,
                "smtpd_tls_key_file": self._pair.key}

    def way(self, variant):
        """See rigs.Rig."""
        if not self._tls:
            return super().way(variant)
        return ["--starttls", *super().way(variant + _TLS)]

    @contextlib.contextmanager
    def under_tls(self):
        """All variants, the floor too, are measured at their doors with
        TLS."""
        self._tls = True
        try:
            yield
        finally:
            self._tls = False

    def built(self):
        """Whether there is anything but the floor."""
        return all(os.path.exists(os.path.join(self.case.build, path))
                   for path in ("saslauth-plugin/.libs/libpostern.so",
                                authd.Authd.program))

    def _configure_door(self, name):
        """What libsasl reads for smtpd_sasl_path = name."""
        stock = {"floor": "floor", "late": "late", "mux": "mux.mux"}
        if name in stock:
            text = _STOCK.format(socket=stock[name])
        else:
            text = sasl.RECIPE.replace("postern/auth", "postern/" + name)
        path = os.path.join(os.path.dirname(self.edge.sasl_conf),
                            name + ".conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def _start_stub(self, name="floor", *flags):
        path = os.path.join(self.sockets, name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # of one that has ended
        child = self.case.start(
            f"stub-{name}",
            [self.program("bench_saslauthd"), *flags, "unix:" + path])
        wait_for(lambda: os.path.exists(path), "the stub to listen")
        os.chmod(path, 0o666)
        return child

    def start_authd(self, name, host, options, more=""):
        """postern-authd for a variant; returns it when it listens.  options:
        of smtp_auth_proxy; more: what else is in postern.conf."""
        return authd.Authd(
            self.case, _CONF.format(host=host, options=options) + more,
            queue=self.edge.queue, name=name)

    @staticmethod
    def stop_authd(daemon):
        """End it; another may have its name then."""
        daemon.stop()
        shutil.rmtree(daemon.dir)

    @contextlib.contextmanager
    def behind(self, latency, *variants, more=""):
        """With an upstream so many ms away (one that offers XCLIENT, for
        `reuse'), and a postern-authd for each of the variants, which are
        measured besides the floor.  `direct' is the upstream itself.  more:
        options of postern.conf."""
        started = []
        try:
            for name in variants if self.built() else ():
                if name == "late":
                    self.variants.append(name)
                    stub = self._start_stub(name, f"--delay-ms={latency}")
                    self.helpers[name] = stub
                    started.append(stub.stop)
                    continue
                flags = ["--xclient"] if name == "reuse" else []
                upstream = rigs.Upstream(self.case, latency, *flags)
                started.append(upstream.child.stop)
                self.variants.append(name)
                if name == "direct":
                    self.doors[name] = upstream.address.rpartition(":")[2]
                    continue
                self.upstreams[name] = upstream
                daemon = self.start_authd(name, upstream.address,
                                          f"{self.set}\n{more}")
                started.append(functools.partial(self.stop_authd, daemon))
                self.helpers[name] = daemon.child
            yield
        finally:
            self.variants = ["floor"]
            for stop in reversed(started):
                stop()
