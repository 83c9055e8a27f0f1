# SPDX-License-Identifier: BSD-2-Clause
"""A Sendmail of the test's own, as the edge MTA.

Its configuration is made by the m4 files of its own package, as an
administrator would, and reads nothing from /etc/mail.  A busy machine is no
reason for it to refuse the tests (REFUSE_LA).
"""
import os
import re

from . import packages, ports, smtpclient
from .case import check, wait_for

# What Sendmail needs for a milter that may take its time: its defaults give
# up after 10 s, and without F=T a filter that fails is passed over.
MILTER_FLAGS = "F=T, T=C:5s;S:10s;R:30s;E:1m"

_MC = """divert(-1)
divert(0)dnl
VERSIONID(`edge of a test')
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `edge.test')dnl
define(`confPID_FILE', `{dir}/pid')dnl
define(`QUEUE_DIR', `{dir}/queue')dnl
define(`STATUS_FILE', `{dir}/statistics')dnl
define(`HELP_FILE', `{dir}/helpfile')dnl
define(`ALIAS_FILE', `{dir}/aliases')dnl
define(`confCW_FILE', `-o {dir}/local-host-names')dnl
define(`confCR_FILE', `-o {dir}/relay-domains')dnl
define(`confSERVICE_SWITCH_FILE', `{dir}/service.switch')dnl
define(`confTO_IDENT', `0')dnl
define(`confTRUSTED_USER', `smmta')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confQUEUE_LA', `9999')dnl
define(`confREFUSE_LA', `9999')dnl
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {relay}')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
DAEMON_OPTIONS(`Name=MTA, Addr=127.0.0.1, Port={port}')dnl
{extra}
MAILER(`local')dnl
MAILER(`smtp')dnl
{behind}LOCAL_CONFIG
O DoubleBounceAddress=
{local}"""


class Sendmail:
    """One instance; made and started here, ended with the test.  Its log is
    the test's syslog (syslog.Syslog, to be made before it)."""

    def __init__(self, case, upstream_port, syslog, milter=None,
                 flags=MILTER_FLAGS, sasl=None, lines=(), behind=()):
        """Relays what it takes to the port upstream.  milter: the S= value of
        the filter, as in "unix:/path"; flags: the rest of its line.
        sasl: (AuthMechanisms, Sendmail.conf, directory of plug-ins); None as
        the second: for a client.  lines: of sendmail.mc, behind: those that
        belong behind the mailers.  syslog: None when nobody reads its log."""
        self.dir = case.path("sendmail")
        self.port = ports.free_port()
        self._case = case
        self._syslog = syslog
        self._tree = case.tree("sendmail")
        self._program = os.path.join(
            self._tree, "usr/libexec/sendmail/sendmail")
        self._environment = {
            "LD_LIBRARY_PATH": packages.library_path(self._tree)}
        self.cf = os.path.join(self.dir, "sendmail.cf")
        self.sasl_dir = os.path.join(self.dir, "sasl")
        extra = list(lines)
        local = ""
        if milter is not None:
            extra.append(
                f"INPUT_MAIL_FILTER(`postern', `S={milter}, {flags}')dnl")
        if sasl is not None:
            mechanisms, conf, plugins = sasl
            extra += [f"TRUST_AUTH_MECH(`{mechanisms}')dnl",
                      f"define(`confAUTH_MECHANISMS', `{mechanisms}')dnl"]
            local = (f"ESASL_PATH={plugins}\n" if conf is None else
                     self._configure_sasl(conf, plugins))
        self._write(upstream_port, "\n".join(extra), local,
                    "".join(line + "\n" for line in behind))
        self.child = None
        self.start()

    def _configure_sasl(self, conf, plugins):
        """Write Sendmail.conf where no other account may; returns the lines
        of sendmail.cf that lead libsasl there."""
        directory = self.sasl_dir
        os.makedirs(directory, mode=0o755)
        path = os.path.join(directory, "Sendmail.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(conf)
        os.chmod(path, 0o640)
        return f"ESASL_PATH={plugins}\nESASL_CONF_PATH={directory}\n"

    def expose_sasl(self):
        """Let everybody write where Sendmail.conf is."""
        os.chmod(self.sasl_dir, 0o777)

    def _write(self, upstream_port, extra, local, behind):
        os.makedirs(os.path.join(self.dir, "queue"), mode=0o755)
        os.chmod(os.path.join(self.dir, "queue"), 0o700)
        for name, text in (
                ("helpfile", "#vers\t2\n"), ("aliases", ""),
                ("relay-domains", "example.com\n"),
                ("local-host-names", "edge.test\n"),
                # no DNS: the tests stay on this machine
                ("service.switch", "hosts\tfiles\naliases\tfiles\n")):
            with open(os.path.join(self.dir, name), "w",
                      encoding="ascii") as file:
                file.write(text)
        mc = os.path.join(self.dir, "sendmail.mc")
        with open(mc, "w", encoding="ascii") as file:
            file.write(_MC.format(dir=self.dir, port=self.port, extra=extra,
                                  relay=upstream_port, local=local,
                                  behind=behind))
        base = os.path.join(self._tree, "usr/share/sendmail/cf/")
        done = self._case.run(
            [os.path.join(self._tree, "usr/bin/m4"), f"-D_CF_DIR_={base}",
             base + "m4/cf.m4", mc], env=self._environment)
        check(done.returncode == 0 and not done.stderr,
              f"m4 on sendmail.mc: {done.stderr}")
        with open(self.cf, "w", encoding="utf-8") as file:
            file.write(done.stdout)

    def start(self):
        """Start it (again); returns when it greets."""
        self.child = self._case.start(
            "sendmail-daemon", [self._program, "-bD", f"-C{self.cf}"],
            env=self._environment)
        wait_for(self._greets, "sendmail to greet")

    def _greets(self):
        check(self.child.running(), f"sendmail ended: {self.child.log()}")
        try:
            smtpclient.Client(self.port, timeout=30).close()
            return True
        except (OSError, EOFError):
            return False

    def stop(self):
        """Stop it."""
        self.child.stop()

    def run_queue(self):
        """Try again what waits; returns when that has begun."""
        done = self._case.run([self._program, f"-C{self.cf}", "-q"],
                              env=self._environment)
        check(done.returncode == 0, f"sendmail -q: {done.stderr}")

    def tries(self, queue_id):
        """How often it has tried to deliver a message that waits; None when
        there is no such message (any more)."""
        path = os.path.join(self.dir, "queue", "qf" + queue_id)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                found = re.search(r"^N(\d+)$", file.read(), re.MULTILINE)
        except FileNotFoundError:
            return None
        return int(found.group(1)) if found else 0

    def log(self):
        """Its lines of the log so far ("" without a mount namespace)."""
        if self._syslog is None:
            return ""
        return "\n".join(line for line in self._syslog.log().splitlines()
                         if "sendmail" in line or "sm-mta" in line)
