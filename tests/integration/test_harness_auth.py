# SPDX-License-Identifier: BSD-2-Clause
"""The harness itself: servers that know passwords, clients that log in."""
from harness import (certs, dovecot, logins, mta_sendmail, sasl, scripted,
                     scripted_auth, smtpclient, submission, syslog)
from harness.case import check, contains, equal

USER = "ann@example.org"
PASSWORD = "correct horse"
TOKEN = "ya29.token-of-ann"


def by_every_mechanism(port, names, client_of=smtpclient.Client):
    """Good and bad logins by the mechanisms that a server offers."""
    for name in names:
        secret = TOKEN if "OAUTH" in name else PASSWORD
        for given, code in ((secret, 235), (secret + "x", 535)):
            with client_of(port, helo="client.test") as client:
                offered = [line.split()[1:] for line in client.keywords
                           if line.startswith("AUTH ")]
                check(offered and name in offered[0],
                      f"{name} is not offered: {offered}")
                reply = HOW[name](client, USER, given)
            equal(reply.code, code, f"{name} ({reply!r})")


HOW = {"PLAIN": logins.plain, "LOGIN": logins.login,
       "CRAM-MD5": logins.cram_md5, "SCRAM-SHA-1": logins.scram_sha1,
       "SCRAM-SHA-256": logins.scram, "XOAUTH2": logins.xoauth2,
       "OAUTHBEARER": logins.oauthbearer}


def test_submission(case):
    """Postfix, its passwords in sasldb."""
    pair = certs.Authority(case.path("ca")).good()
    server = submission.Submission(case, {USER: PASSWORD}, tls=pair)
    by_every_mechanism(server.port, submission.MECHANISMS.split())
    server.wait_refused(5)
    server.set_password(case, USER, "another")
    equal(logins.attempt(server.port, logins.plain, USER, "another").code,
          235, "the new password")
    with smtpclient.Client(server.port, helo="client.test") as client:
        client.starttls()
        client.ehlo()
        equal(logins.plain(client, USER, "another").code, 235, "under TLS")


def test_dovecot(case):
    """Dovecot's submission service, with tokens, too."""
    pair = certs.Authority(case.path("ca")).good()
    server = dovecot.Dovecot(case, {USER: PASSWORD}, tls=pair,
                             tokens={TOKEN: USER})
    by_every_mechanism(server.port, list(HOW))
    contains(server.tokens.asked, TOKEN + "x", "tokens that were asked about")


def test_clients(case):
    """swaks and smtplib say what the server has said."""
    server = submission.Submission(case, {USER: PASSWORD})
    for name in ("PLAIN", "LOGIN", "CRAM-MD5"):
        for given, code in ((PASSWORD, 235), ("wrong", 535)):
            equal(logins.swaks(case, server.port, name, USER, given)[0],
                  code, f"swaks, {name}")
            equal(logins.smtplib_login(server.port, name, USER, given)[0],
                  code, f"smtplib, {name}")


def test_sendmail(case):
    """Sendmail reads the Sendmail.conf and the plug-ins it is given."""
    upstream = scripted.Scripted(case)
    database = case.path("users.db")
    sasl.sasldb(case, database, {USER: PASSWORD})
    edge = mta_sendmail.Sendmail(
        case, upstream.port, syslog.Syslog(case),
        sasl=("PLAIN LOGIN", "pwcheck_method: auxprop\n"
              f"auxprop_plugin: sasldb\nsasldb_path: {database}\n"
              "mech_list: PLAIN LOGIN\n", sasl.plugins(case, ours=False)))
    by_every_mechanism(edge.port, ["PLAIN", "LOGIN"])


def test_scripted(case):
    """The scripted upstream knows passwords, too."""
    upstream = scripted.Scripted(case)
    known = scripted_auth.Passwords(upstream, {USER: PASSWORD})
    by_every_mechanism(upstream.port, ["PLAIN", "LOGIN"])
    equal(known.names(), [USER] * 4, "attempts")
    with smtpclient.Client(upstream.port, helo="client.test") as client:
        equal(logins.plain(client, USER, PASSWORD, initial=False).code, 235,
              "PLAIN in two lines")
