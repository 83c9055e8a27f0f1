# SPDX-License-Identifier: BSD-2-Clause
"""Call-forward to upstreams that want a login before they know anybody."""
import base64
import os

from harness import certs, mta_postfix, saslauthd
from harness.case import check, contains, equal, wait_for
from harness.gate import Gate

USER = "postern"
# what a file or a command could trip over
PASSWORD = 'ze\u0308bra ${HOME} "\\q" %s\''
WRONG = "open sesame!"


def quoted(text):
    """As a value of postern.conf."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def conf(port, ca_file, password, mechanism):
    """A domain whose upstream is given a login."""
    kind = f'Outbound_SMTP_AUTH_Type = "{mechanism}"' if mechanism else ""
    return f"""
smtp_rcptto_proxy {{ timeout = 5 temporary_life = 0 }}
domain "example.com" {{
    smtp_rcptto_proxy {{
        host = "127.0.0.1:{port}"
        tls = "verify"
        tls_ca_file = "{ca_file}"
    }}
    Outbound_SMTP_AUTH_User = "{USER}"
    Outbound_SMTP_AUTH_Pass = {quoted(password)}
    {kind}
}}
"""


class Guarded:
    """An edge, and behind it a Postfix that wants a login under TLS."""

    def __init__(self, case, offered="PLAIN LOGIN"):
        self.case = case
        authority = certs.Authority(case.path("ca"))
        self.ca_file = authority.ca_file
        self.store = mta_postfix.mailstore(
            case, ["ann@example.com"], tls=authority.good(),
            **saslauthd.SETTINGS)
        self.logins = saslauthd.Saslauthd(
            case, self.store, {USER: PASSWORD}, offered)
        self.gate = None

    def set_up(self, password=PASSWORD, mechanism=None):
        """Start the milter (again), as talkative as it can be."""
        text = conf(self.store.port, self.ca_file, password, mechanism)
        if self.gate is None:
            self.gate = Gate(self.case, text)
            self.gate.milter.flags = ("-v", "-v")
        self.gate.milter.restart(text)
        return self.gate

    def check_secrecy(self, *more):
        """No log, and none of `more`, holds a password in any form."""
        texts = list(more)
        for top, _, names in os.walk(self.case.dir):
            for name in names:
                if name == "log" or name.endswith(".log"):
                    with open(os.path.join(top, name), encoding="utf-8",
                              errors="replace") as file:
                        texts.append(file.read())
        check(any("AUTH" in text for text in texts),
              "no log tells of AUTH at all")
        for password in (PASSWORD, WRONG):
            octets = password.encode("utf-8")
            forms = [password,
                     base64.b64encode(octets).decode("ascii"),
                     base64.b64encode(b"\0" + USER.encode("ascii") + b"\0"
                                      + octets).decode("ascii")]
            for form in forms:
                for text in texts:
                    check(form not in text, f"{form!r} is in a log")
                    check(form[:12] not in text, f"a part of {form!r} is")


def login(case, mechanism):
    """The job behind a login by one mechanism."""
    guarded = Guarded(case)
    gate = guarded.set_up(mechanism=mechanism)
    gate.expect("ann@example.com", 250)
    gate.expect("nobody@example.com", 550, "5.1.1")
    # a second session when the random question comes before the first is free
    equal(set(guarded.logins.asked), {USER}, "the logins")
    contains(gate.milter.log(), f"AUTH {mechanism}", "the dialogue")
    explained = gate.milter.posternctl(
        "explain", "rcpt", "nobody@example.com")
    equal(explained.returncode, 1, f"explain ({explained.stderr})")
    contains(explained.stdout, f"AUTH {mechanism}", "explain")
    shown = case.run([gate.milter.binary, "-c", gate.milter.conf_file, "-n"])
    equal(shown.returncode, 0, "-n")
    guarded.check_secrecy(explained.stdout, explained.stderr, shown.stdout,
                          shown.stderr)


def test_plain(case):
    """AUTH PLAIN under STARTTLS, verified by a private CA."""
    login(case, "PLAIN")


def test_login(case):
    """AUTH LOGIN likewise."""
    login(case, "LOGIN")


def test_what_is_offered(case):
    """Without a type, what the upstream offers; what it does not offer is
    not tried and refuses nobody."""
    guarded = Guarded(case, offered="LOGIN")
    gate = guarded.set_up()
    gate.expect("nobody@example.com", 550, "5.1.1")
    contains(gate.milter.log(), "AUTH LOGIN", "the dialogue")
    guarded.set_up(mechanism="PLAIN")
    gate.expect("somebody@example.com", 451)
    gate.milter.wait_log("does not offer AUTH PLAIN")
    equal(len(guarded.logins.asked), 1, "logins")


def test_wrong_password(case):
    """A refused login is our fault: 451 and a warning, until a reload brings
    the right password."""
    guarded = Guarded(case)
    for mechanism in ("PLAIN", "LOGIN"):
        gate = guarded.set_up(WRONG, mechanism)
        for name in ("ann", "nobody"):
            gate.expect(f"{name}@example.com", 451)
        gate.milter.wait_log("warning", f"127.0.0.1:{guarded.store.port}",
                             "535")
        equal(gate.milter.verify_line("nobody@example.com")["verdict"],
              "defer", "the log")
    guarded.store.wait_log("authentication failed")
    gate.milter.configure(conf(guarded.store.port, guarded.ca_file,
                               PASSWORD, "PLAIN"))
    equal(gate.milter.posternctl("reload").returncode, 0, "reload")
    # the breaker may have opened: one trial closes it
    wait_for(lambda: gate.ask("ann@example.com").code == 250,
             "the new password to count", 20, 0.3)
    gate.expect("nobody@example.com", 550, "5.1.1")
    guarded.check_secrecy()


def test_without_login(case):
    """An upstream that wants a login we do not have refuses nobody."""
    guarded = Guarded(case)
    gate = guarded.set_up()
    text = conf(guarded.store.port, guarded.ca_file, PASSWORD, "PLAIN")
    gate.milter.restart("\n".join(
        line for line in text.splitlines() if "Outbound" not in line))
    gate.expect("ann@example.com", 451)
    gate.expect("nobody@example.com", 451)
    gate.milter.wait_log("warning", f"127.0.0.1:{guarded.store.port}")
