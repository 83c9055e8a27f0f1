# SPDX-License-Identifier: BSD-2-Clause
"""posternctl auth and explain auth, with no daemon, against real servers."""
import os

from harness import certs, dovecot, sasl, submission
from harness.case import check, contains, equal

USER = "ann@example.org"
PASSWORD = "correct horse"
TOKEN = "ya29.token-of-ann"
OAUTH = ("XOAUTH2", "OAUTHBEARER")
PROVED = ("CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256")


class Ctl:
    """posternctl, with a postern.conf of these options."""

    def __init__(self, case, port, options):
        self._case = case
        self._conf = case.path("ctl.conf")
        with open(self._conf, "w", encoding="utf-8") as file:
            file.write('hostname = "edge.test"\nsmtp_auth_proxy {\n'
                       f'host = {{"127.0.0.1:{port}"}}\n{options}\n}}\n')

    def run(self, secret, *arguments):
        """Its exit status, standard output and standard error."""
        done = self._case.run(
            [os.path.join(self._case.build, "tools/posternctl"), "-c",
             self._conf, *arguments], secret + "\n",
            env={"SASL_PATH": self._plugins()})
        check(secret not in done.stdout + done.stderr, "the secret is shown")
        return done.returncode, done.stdout, done.stderr

    def _plugins(self):
        return sasl.tree_plugins(self._case)

    def expect(self, mechanism, secret, status, verdict, code):
        """One login."""
        got = self.run(secret, "auth", "-m", mechanism, USER)
        words = got[1].split()
        equal((got[0], words[:2], got[1].count("\n")),
              (status, [USER, verdict], 1), f"{mechanism}: {got}")
        equal(words[2:3], [code] if code else [], f"{mechanism}: {got}")


def test_postfix(case):
    """Under TLS, verified, with everything that Postfix knows."""
    authority = certs.Authority(case.path("ca"))
    server = submission.Submission(case, {USER: PASSWORD},
                                   tls=authority.good())
    ctl = Ctl(case, server.port,
              f'tls = "verify"\ntls_ca_file = "{authority.ca_file}"')
    for name in ("PLAIN", "LOGIN", *PROVED):
        ctl.expect(name, PASSWORD, 0, "accept", "235")
        ctl.expect(name, "another", 1, "reject", "535")
    ctl.expect("XOAUTH2", TOKEN, 75, "defer", None)
    status, out, _ = ctl.run(PASSWORD, "explain", "auth", "-m",
                             "SCRAM-SHA-256", USER)
    equal(status, 0, "explain auth")
    for part in ("STARTTLS", "under TLS", "> AUTH SCRAM-SHA-256 ********",
                 f"{USER} accept 235"):
        contains(out, part, "explain auth")
    server.stop()
    ctl.expect("PLAIN", PASSWORD, 75, "defer", None)


def test_strange_certificate(case):
    """The password does not go where the certificate is not good."""
    server = submission.Submission(
        case, {USER: PASSWORD},
        tls=certs.Authority(case.path("other-ca")).good())
    authority = certs.Authority(case.path("ca"))
    ctl = Ctl(case, server.port,
              f'tls = "verify"\ntls_ca_file = "{authority.ca_file}"')
    status, out, err = ctl.run(PASSWORD, "auth", USER)
    equal((status, out), (75, f"{USER} defer\n"), "a strange certificate")
    contains(err, "certificate", "why")
    check("AUTH" not in server.log(), "it was asked")


def test_dovecot(case):
    """Tokens, and what is proved, with Dovecot."""
    server = dovecot.Dovecot(case, {USER: PASSWORD}, tokens={TOKEN: USER})
    ctl = Ctl(case, server.port, "")
    for name in (*OAUTH, *PROVED, "PLAIN"):
        secret = TOKEN if name in OAUTH else PASSWORD
        ctl.expect(name, secret, 0, "accept", "235")
        ctl.expect(name, secret + "x", 1, "reject", "535")
