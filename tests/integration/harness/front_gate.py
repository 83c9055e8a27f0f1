# SPDX-License-Identifier: BSD-2-Clause
"""postern-front as it is installed: a trusted port of Postfix's, by spawn(8),
with a private smtpd behind it; or of an inetd's, with Sendmail behind it.

Clients are told apart by their loopback addresses.  Only LOCAL is in Postfix's
mynetworks, and it is what a smtpd takes the peer of a Unix socket for.
"""
import os
import re
import socket
import subprocess
import threading

from . import (mta_postfix, mta_sendmail, namespace, ports, scripted,
               smtpclient, syslog)
from .case import check, equal
from .daemon import Milter

LOCAL = "127.0.0.1"
TRUSTED = "127.0.0.7"   # has all extensions but ALWAYS-ALLOW
ALLOWED = "127.0.0.8"   # has ALWAYS-ALLOW alone
STRANGER = "127.0.0.9"  # is in no peer section
EXTENSIONS = ("XCLIENT", "XREMOTEIP", "XSETCONTEXT", "XDUMPCONTEXT")
KNOWN = ("ann@example.com", "bob@example.com", "good@example.com")

PEERS = f"""
peer "{TRUSTED}/32" {{
    smtp_extensions = {{"XCLIENT", "XREMOTEIP", "XSETCONTEXT", "XDUMPCONTEXT"}}
}}
peer "{ALLOWED}/32" {{ smtp_extensions = {{"ALWAYS-ALLOW", "XDUMPCONTEXT"}} }}
"""

_FRONT = """
front {{
    next = "{next}"
    timeout = {timeout}
    {options}
}}
"""

_PRIVATE = """psmtpd unix n - n - {maxproc} smtpd
    -o smtpd_authorized_xclient_hosts=static:all
    -o smtpd_soft_error_limit=100000
    -o smtpd_hard_error_limit=100000
    -o smtpd_sasl_auth_enable=yes"""


def has_ipv6():
    """Whether ::1 is there."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
            return True
        except OSError:
            return False


def undo(text):
    """xtext as it was before."""
    return re.sub(r"\+([0-9A-F]{2})",
                  lambda found: chr(int(found.group(1), 16)),
                  text).encode("latin-1").decode("utf-8", "replace")


def parse_dump(reply):
    """The reply to XDUMPCONTEXT as two dictionaries; fails unless each line
    is as it should be."""
    equal(reply.code, 250, f"the reply to XDUMPCONTEXT ({reply!r})")
    equal(reply.lines[-1], "XDUMPCONTEXT complete", "its last line")
    found = {"connection": {}, "message": {}}
    ahead = None
    for line in reply.lines[:-1]:
        check(len(line) < 998 and all(" " <= c <= "~" for c in line),
              f"a line of XDUMPCONTEXT: {line!r}")
        match = re.fullmatch(r"\[(connection|message)\] (\S+) (.*)", line)
        check(match is not None, f"a line of XDUMPCONTEXT: {line!r}")
        which, name, value = match.groups()
        if ahead is not None:  # a long value goes on
            equal((which, name), ahead[:2], "the name of a line that goes on")
            value = ahead[2] + value
        ahead = None
        if re.search(r"\+$", value):
            ahead = which, name, value[:-1]
            continue
        check(name not in found[which], f"{name} twice in {reply!r}")
        found[which][name] = undo(value)
    check(ahead is None, f"XDUMPCONTEXT ends in a value: {reply!r}")
    return found["connection"], found["message"]


class Gate:
    """What the two kinds have in common: port, milter, upstream, edge."""

    def __init__(self, case):
        self.case = case
        self.milter = self.edge = self.port = None
        self.upstream = scripted.Scripted(case)
        for name in KNOWN:
            self.upstream.recipients[name] = "250 2.1.5 Ok"
        self.front_log_path = case.path("front.log")
        with open(self.front_log_path, "w", encoding="ascii"):
            pass
        os.chmod(self.front_log_path, 0o666)

    def routes(self, options=""):
        """postern.conf: example.com's recipients are known upstream."""
        return (f"smtp_rcptto_proxy {{ timeout = 5 {options} }}\n"
                f'domain "example.com" {{ smtp_rcptto_proxy {{ host = '
                f'{{"127.0.0.1:{self.upstream.port}"}} }} }}\n')

    def client(self, source=TRUSTED, helo="client.test", **options):
        """A session through the front."""
        return smtpclient.Client(self.port, source=source, helo=helo,
                                 **options)

    def front_log(self):
        """What the fronts have logged."""
        with open(self.front_log_path, encoding="utf-8",
                  errors="replace") as file:
            return file.read()

    @staticmethod
    def dump(client):
        """The two contexts of a session."""
        return parse_dump(client.command("XDUMPCONTEXT"))

    @staticmethod
    def set(client, *pairs):
        """XSETCONTEXT that succeeds."""
        reply = client.command("XSETCONTEXT " + " ".join(pairs))
        equal(reply.code, 250, f"the reply to XSETCONTEXT ({reply!r})")


class PostfixFront(Gate):
    """Postfix owns both ports: `port` with the front, `direct` without."""

    def __init__(self, case, conf="", peers=PEERS, routes="", front="",
                 timeout=30, maxproc="-", fronts="-", script=True,
                 sasl=None, plugins=None, start_milter=True, next_=None,
                 services=(), **settings):
        """conf: postern.conf; peers: its peer sections; routes: options of
        smtp_rcptto_proxy; front: of front.  maxproc, fronts: the process
        limits of the private smtpd and of spawn.  services: more lines of
        master.cf.  script: whether a script
        sends the front's log to front.log (or else it is syslog's)."""
        super().__init__(case)
        self.port = ports.free_port()
        queue = case.path("edge", "queue")
        self.private = os.path.join(queue, "public", "psmtpd")
        self.conf = self.routes(routes) + peers + _FRONT.format(
            next=next_ or f"unix:{self.private}", timeout=timeout,
            options=front) + conf
        self.hosts = ["127.0.0.1"] + (["[::1]"] if has_ipv6() else [])
        self.edge = mta_postfix.edge(
            case, self.upstream.port, sasl=sasl, plugins=plugins,
            services=[
                f"{host}:{self.port} inet n n n - {fronts} spawn "
                f"user=postern:postdrop argv={self._argv(script)}"
                for host in self.hosts
            ] + [_PRIVATE.format(maxproc=maxproc), *services],
            **mta_postfix.milter_settings(**{
                "inet_protocols": "all" if has_ipv6() else "ipv4",
                "mynetworks": f"{LOCAL}/32 [::1]/128",
                "smtpd_relay_restrictions":
                    "permit_mynetworks, permit_sasl_authenticated, "
                    "reject_unauth_destination",
                **settings}))
        self.direct = self.edge.port
        self.milter = Milter(case, self.conf, queue=self.edge.queue,
                             start=start_milter)

    def _argv(self, script):
        program = os.path.join(self.case.build, "front/postern-front")
        check(os.access(program, os.X_OK), f"there is no {program}")
        conf = self.case.path("postern", "postern.conf")
        if not script:
            return f"{program} -c {conf}"
        path = self.case.write(
            "front.sh", f"#!/bin/sh\nexec {program} -c {conf} "
            f"2>>{self.front_log_path}\n", 0o755)
        return path

    def stranger(self, **options):
        """A client of the trusted port that nobody trusts."""
        return self.client(STRANGER, **options)


class Inetd:
    """Accepts, and begins a program with the client as its 0 and 1."""

    def __init__(self, case, argv, log, user="postern"):
        self.port = ports.free_port()
        self._argv, self._log = argv, log
        self._ids = {"user": namespace.account_id(user),
                     "group": namespace.account_id(user, "-g"),
                     "extra_groups": []}
        self.children = []
        self._listener = socket.create_server(("0.0.0.0", self.port),
                                              backlog=128)
        threading.Thread(target=self._accept, daemon=True).start()
        case.cleanup(self._listener.close)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, open(self._log, "ab") as log:
                self.children.append(subprocess.Popen(
                    self._argv, stdin=client, stdout=client, stderr=log,
                    **self._ids))


class SendmailFront(Gate):
    """Sendmail, which has no XCLIENT, and a front begun by an inetd."""

    def __init__(self, case, conf="", peers=PEERS, routes="", timeout=30,
                 front="", listener=Inetd, sasl=None):
        """conf to front: as for PostfixFront; sasl: as for Sendmail."""
        super().__init__(case)
        self.log = syslog.Syslog(case)
        self.milter = Milter(case, "", start=False)
        self.edge = mta_sendmail.Sendmail(
            case, self.upstream.port, self.log, self.milter.socket,
            sasl=sasl)
        self.conf = self.routes(routes) + peers + _FRONT.format(
            next=f"127.0.0.1:{self.edge.port}", timeout=timeout,
            options='xclient = "no"\n' + front) + conf
        self.milter.configure(self.conf)
        self.milter.start()
        self.direct = self.edge.port
        self.port = listener(
            case, [os.path.join(case.build, "front/postern-front"), "-c",
                   self.milter.conf_file], self.front_log_path).port
