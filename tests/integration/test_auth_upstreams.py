# SPDX-License-Identifier: BSD-2-Clause
"""A client logs in at the edge with a password that only the server behind
knows: each kind of server, each kind of TLS, swaks and smtplib."""
from harness import (auth_gate, certs, dovecot, logins, scripted,
                     scripted_auth, submission)
from harness.auth_gate import AuthGate
from harness.case import contains, equal, wait_for

USERS = {"ann@example.org": "correct horse",
         "bob@example.org": "p%s \\ \"q\""}
EIGHT_BIT = {"zoe@example.org": "z\u00f6e's"}


class ScriptedPair:
    """Two scripted upstreams, as one speaks TLS from the first octet."""

    def __init__(self, case, pair):
        self._both = [scripted.Scripted(case, tls=pair),
                      scripted.Scripted(case, tls=pair, implicit_tls=True)]
        for one in self._both:
            scripted_auth.Passwords(one, {**USERS, **EIGHT_BIT})
        self.port, self.tls_port = (one.port for one in self._both)

    def stop(self):
        """Both."""
        for one in self._both:
            one.stop()

    def start(self):
        """Both."""
        for one in self._both:
            one.start()


def login_every_way(case, gate, tls, thoroughly):
    """Good and bad; some upstreams take their time over bad ones."""
    users = list(USERS.items())
    for user, password in users if thoroughly else users[:1]:
        for name in ("PLAIN", "LOGIN"):
            for given, code in ((password, 235), (f"wrong {name}", 535)):
                equal(logins.smtplib_login(gate.port, name, user, given)[0],
                      code, f"smtplib, {name} of {user}, tls={tls}")
    for user, password in EIGHT_BIT.items():
        for how in (logins.plain, logins.login):
            gate.expect(user, password, 235, how)
    user, password = users[0]
    for name in ("PLAIN", "LOGIN") if thoroughly else ("PLAIN",):
        for given, code in ((password, 235), (name + "?", 535)):
            equal(logins.swaks(case, gate.port, name, user, given)[0], code,
                  f"swaks, {name}, tls={tls}")


def every_way(case, server, authority):
    """Good, bad and cannot tell through one upstream."""
    gate = None
    ports = {"none": server.port, "verify": server.port,
             "implicit": server.tls_port}
    for tls, port in ports.items():
        ca_file = (f'tls_ca_file = "{authority.ca_file}"'
                   if tls != "none" else "")
        conf = auth_gate.route(port, f'tls = "{tls}" {ca_file}')
        if gate is None:
            gate = AuthGate(case, conf)
        else:
            gate.authd.restart(conf)
        login_every_way(case, gate, tls, thoroughly=tls == "none")
    user, password = list(USERS.items())[0]
    server.stop()
    for name in ("PLAIN", "LOGIN"):
        equal(logins.swaks(case, gate.port, name, user, password)[0], 454,
              f"swaks, {name}, stopped")
        equal(logins.smtplib_login(gate.port, name, user, password)[0], 454,
              f"smtplib, {name}, stopped")
    server.start()
    wait_for(lambda: gate.login(user, password).code == 235,
             "a login after the upstream is back", 30, 0.2)
    return gate


def test_postfix(case):
    """Postfix that has its own SASL."""
    authority = certs.Authority(case.path("ca"))
    server = submission.Submission(case, {**USERS, **EIGHT_BIT},
                                   tls=authority.good())
    every_way(case, server, authority)
    contains(server.log(), "TLS connection established", "its log")
    wait_for(lambda: server.refused() >= 10, "refusals in its log")


def test_dovecot(case):
    """Dovecot's submission service."""
    authority = certs.Authority(case.path("ca"))
    server = dovecot.Dovecot(case, {**USERS, **EIGHT_BIT},
                             tls=authority.good())
    every_way(case, server, authority)
    contains(server.log(), "Login: user=<ann@example.org>", "its log")


def test_scripted(case):
    """The scripted one."""
    authority = certs.Authority(case.path("ca"))
    every_way(case, ScriptedPair(case, authority.good()), authority)


def test_edge_with_tls(case):
    """The usual way: the client's own session is under TLS, too."""
    authority = certs.Authority(case.path("ca"))
    pair = authority.good()
    server = submission.Submission(case, USERS, tls=pair)
    gate = AuthGate(
        case, auth_gate.route(server.port, 'tls = "verify" '
                              f'tls_ca_file = "{authority.ca_file}"'),
        smtpd_tls_security_level="may", smtpd_tls_cert_file=pair.cert,
        smtpd_tls_key_file=pair.key, smtpd_tls_auth_only="yes")
    user, password = list(USERS.items())[0]
    for name in ("PLAIN", "LOGIN"):
        for given, code in ((password, 235), ("wrong" + name, 535)):
            equal(logins.smtplib_login(gate.port, name, user, given,
                                       tls=authority.ca_file)[0], code, name)
    server.stop()
    equal(logins.smtplib_login(gate.port, "PLAIN", user, password,
                               tls=authority.ca_file)[0], 454, "stopped")
