# SPDX-License-Identifier: BSD-2-Clause
"""Postfix instances of the test's own: an edge, and a mailstore behind it."""
import os

from . import namespace, ports, smtpclient
from .case import wait_for

SCRIPT = os.path.join(namespace.HERE, "postfix.sh")
EVERY_DOMAIN = "example.com"


class Postfix:
    """One instance; made and started here, ended with the test."""

    def __init__(self, case, name, settings, services=(), sasl=None,
                 plugins=None):
        """settings: main.cf, on top of postfix.sh's; services: lines that
        are added to master.cf.  sasl: the smtpd.conf that Cyrus SASL reads,
        plugins: the directory of its plug-ins."""
        self.name = name
        self.dir = case.path(name)
        self.port = ports.free_port()
        self.queue = os.path.join(self.dir, "queue")
        self._case = case
        namespace.tool(
            "postfix.sh", "make", case.tree("postfix"), self.dir,
            str(self.port),
            *(f"{key}={value}" for key, value in settings.items()))
        if services:
            with open(os.path.join(self.dir, "conf", "master.cf"), "a",
                      encoding="ascii") as file:
                file.write("".join(line + "\n" for line in services))
        # Debian's Postfix looks nowhere else
        self.sasl_conf = os.path.join(self.dir, "conf", "sasl", "smtpd.conf")
        if sasl is not None:
            self.configure_sasl(sasl)
        self.plugins = plugins
        self.child = None
        self.start()

    def configure_sasl(self, text):
        """Write smtpd.conf; a running smtpd keeps what it has read."""
        os.makedirs(os.path.dirname(self.sasl_conf), exist_ok=True)
        with open(self.sasl_conf, "w", encoding="ascii") as file:
            file.write(text)

    def start(self):
        """Start it (again); returns when it greets."""
        self.child = self._case.start(
            self.name + "-master", ["/bin/sh", SCRIPT, "run", self.dir],
            env=self.plugins and {"SASL_PATH": self.plugins})
        wait_for(self._greets, f"{self.name} to greet")

    def _greets(self):
        if not self.child.running():
            raise RuntimeError(f"{self.name}: master ended")
        try:
            smtpclient.Client(self.port, timeout=30).close()
            return True
        except (OSError, EOFError):
            return False

    def stop(self):
        """Stop it; its queue stays, so it may be started again.  Its
        processes end one by one: returns when none of them listens."""
        self.child.stop()
        wait_for(self._refuses, f"{self.name} to stop listening")

    def _refuses(self):
        try:
            smtpclient.Client(self.port, timeout=5).close()
        except ConnectionRefusedError:
            return True
        except (OSError, EOFError):
            pass
        return False

    def command(self, *argv):
        """Run one of its commands (postqueue, postconf, ...)."""
        return self._case.run(
            ["/bin/sh", SCRIPT, "command", self.dir, *argv])

    def log(self):
        """Its mail log so far."""
        try:
            with open(os.path.join(self.dir, "log"), encoding="utf-8",
                      errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def logged(self, *parts):
        """The first log line that has all the parts, or None."""
        for line in self.log().splitlines():
            if all(part in line for part in parts):
                return line
        return None

    def wait_log(self, *parts):
        """Wait for such a line."""
        return wait_for(lambda: self.logged(*parts),
                        f"{self.name} to log {' and '.join(parts)}")


def edge(case, upstream_port=None, domains=(EVERY_DOMAIN,), sasl=None,
         plugins=None, services=(), **settings):
    """The edge MTA: relays `domains` to the port upstream, or nowhere."""
    relay = (f"smtp:[127.0.0.1]:{upstream_port}" if upstream_port
             else "discard:")
    return Postfix(case, "edge", {
        "relay_domains": " ".join(domains),
        "relay_transport": relay,
        **settings}, services, sasl=sasl, plugins=plugins)


def milter_settings(socket="unix:postern/milter", **settings):
    """What the edge's main.cf needs for the milter."""
    return {"smtpd_milters": socket, "milter_default_action": "tempfail",
            **settings}


def mailstore(case, users, domains=(EVERY_DOMAIN,), name="mailstore",
              tls=None, **settings):
    """The server behind the edge, which knows its users; takes mail for them
    and drops it.  tls: a certs.Pair, to offer STARTTLS."""
    users_file = case.write(
        f"{name}.users", "".join(f"{user} ok\n" for user in users))
    os.utime(users_file, (0, 0))  # or its readers wait: see postfix.sh
    if tls is not None:
        settings = {"smtpd_tls_security_level": "may",
                    "smtpd_tls_cert_file": tls.cert,
                    "smtpd_tls_key_file": tls.key, **settings}
    return Postfix(case, name, {
        "myhostname": f"{name}.test",
        "virtual_mailbox_domains": " ".join(domains),
        "virtual_mailbox_maps": f"texthash:{users_file}",
        "virtual_mailbox_base": "/nonexistent",
        "virtual_transport": "discard:",
        **settings})
