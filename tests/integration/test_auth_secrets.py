# SPDX-License-Identifier: BSD-2-Clause
"""No password, token or response anywhere: a run as talkative as it can be,
and everything that it wrote, in any form, looked through."""
import os
import re
import threading

from harness import (auth_gate, certs, dovecot, logins, saslauthd, scripted,
                     scripted_auth, smtpclient, submission, syslog)
from harness.auth_gate import AuthGate
from harness.case import check, contains, equal, wait_for
from harness.leaks import Watch, forms, memory_of, shifted, written

USER = "ann@example.org"
PASSWORD = 'Tr0ub4dor-&3 "xyzzy" \\ %s'
WRONG = "plugh-Plover-9-nine"
TOKEN = "ya29.Zm9vYmFyLXRva2VuLXNlY3JldA"
BAD_TOKEN = "ya29.c29tZS1vdGhlci10b2tlbg"
NAMES = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2",
         "OAUTHBEARER")
HOW = {"PLAIN": logins.plain, "LOGIN": logins.login,
       "CRAM-MD5": logins.cram_md5, "SCRAM-SHA-256": logins.scram,
       "XOAUTH2": logins.xoauth2, "OAUTHBEARER": logins.oauthbearer}


class Wires:
    """Everything that a client of ours sends after its AUTH line is a
    secret, too; collected from the client."""

    def __init__(self):
        self.sent = set()

    def wrap(self, client):
        """Note what the client sends."""
        send = client.send

        def noting(data):
            text = data if isinstance(data, str) else data.decode("latin-1")
            words = text.split()
            if words and len(words[-1]) > 20:
                self.sent.add(words[-1])
            send(data)
        client.send = noting
        return client


def recipe():
    """smtpd.conf with all mechanisms."""
    return (f"postern_socket: postern/auth\npostern_mechs: {' '.join(NAMES)}\n"
            f"mech_list: {' '.join(NAMES)}\nlog_level: 7\n")


def conf(server, authority):
    """postern.conf: everything on."""
    listed = ", ".join(f'"{name}"' for name in NAMES)
    tls = f'tls = "verify" tls_ca_file = "{authority.ca_file}"'
    return 'log_level = "debug"\n' + auth_gate.route(
        server.port, f"mechanisms = {{{listed}}} {tls} good_memory = 5m")


def test_everything(case):
    """All mechanisms, good, bad and cannot tell; posternctl, too."""
    authority = certs.Authority(case.path("ca"))
    log = syslog.Syslog(case)
    server = dovecot.Dovecot(case, {USER: PASSWORD}, tls=authority.good(),
                             tokens={TOKEN: USER})
    gate = AuthGate(case, conf(server, authority), recipe(),
                    flags=("-v", "-v", "-v"))
    watch = Watch()
    wires = Wires()
    for up in (True, False):
        if not up:
            server.stop()
        for name in NAMES:
            pair = ((TOKEN, BAD_TOKEN) if "OAUTH" in name
                    else (PASSWORD, WRONG))
            for secret in pair:
                with smtpclient.Client(gate.port, helo="client.test") as \
                        client:
                    wires.wrap(client)
                    reply = HOW[name](client, USER, secret)
                want = {235} if secret == pair[0] else {535}
                if not up and name not in ("PLAIN", "LOGIN"):
                    # those two are remembered; of the others a Dovecot that
                    # is stopping may still refuse one
                    want = want - {235} | {454}
                check(reply.code in want, f"{name}, upstream {up}: {reply!r}")
    server.start()
    texts = {}
    for verb in (("auth",), ("explain", "auth")):
        for name in ("PLAIN", "LOGIN"):
            for secret in (PASSWORD, WRONG):
                done = gate.authd.posternctl(
                    *verb, "-m", name, USER, text=secret + "\n")
                equal(done.returncode, 0 if secret == PASSWORD else 1,
                      f"{verb}: {done.stderr}")
                texts[f"{verb} {name} {secret[:2]}"] = \
                    done.stdout + done.stderr
    for verb in ("status", "stats"):
        done = gate.authd.command(verb)
        equal(done.returncode, 0, f"{verb}: {done.stderr}")
        texts[verb] = done.stdout + done.stderr
    texts["ps"] = watch.stop()
    texts["syslog"] = log.log()
    gate.authd.stop()
    found = written(case, texts)
    check(any("AUTH" in text for text in found.values()),
          "nothing tells of AUTH at all")
    contains(found["authd/postern-authd.log"], "AUTH", "the daemon's log")
    wanted = set(wires.sent)
    check(len(wanted) >= 8, f"responses of clients: {len(wanted)}")
    for secret in (PASSWORD, WRONG, TOKEN, BAD_TOKEN):
        wanted |= forms(secret)
    for where, text in found.items():
        if where.startswith(("dovecot", "scripted")):
            continue
        for form in wanted:
            check(form not in text, f"{form!r} is in {where}")


def test_errors(case):
    """Odd credentials and odd upstreams at full detail: error texts hold none
    of it."""
    server = submission.Submission(case, {USER: PASSWORD})
    gate = AuthGate(case, 'log_level = "debug"\n'
                    + auth_gate.route(server.port), flags=("-v", "-v", "-v"))
    base = "zyzzyva-Quux"
    for user, password in (
            (USER, base + "\0x"), (USER, base + "\r\nQUIT"),
            (USER, base * 90), (USER, base + "\u00e4"), (base + "\n", "x"),
            (base + "\0", "x")):
        for how in (logins.plain, logins.login):
            logins.attempt(gate.port, how, user, password)
    gate.authd.stop()
    gate.expect(USER, base, 454)
    text = gate.authd.log() + gate.edge.log()
    for form in (base, *shifted(base.encode("ascii"))):
        # a name is no secret, but it is made harmless
        for line in text.splitlines():
            check(form not in line or "user=" in line
                  or "sasl_username=" in line, f"{form!r} is in {line!r}")


def test_not_dumpable(case):
    """No core dump, and nobody may look into the daemon's memory."""
    server = submission.Submission(case, {USER: PASSWORD})
    gate = AuthGate(case, auth_gate.route(server.port))
    gate.expect(USER, PASSWORD, 235)
    gate.expect(USER, WRONG, 535)
    pid = gate.authd.child.pid
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        limits = file.read()
    found = re.search(r"Max core file size +(\S+)", limits)
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = file.read()
    equal(found.group(1), "0", "the core limit")
    # what is not dumpable belongs to root in /proc, whoever runs it
    equal(os.stat(f"/proc/{pid}/environ").st_uid, 0, "owner in /proc")
    check(not re.search(r"^Uid:\s+0\s", status, re.MULTILINE),
          "it runs as root")


def test_wiped(case):
    """When a login is over the daemon has its password nowhere in memory,
    neither as such nor in base64."""
    authority = certs.Authority(case.path("ca"))
    upstream = scripted.Scripted(case, tls=authority.good())
    known = scripted_auth.Passwords(upstream, {USER: PASSWORD})
    gate = AuthGate(case, auth_gate.route(
        upstream.port,
        f'tls = "verify" tls_ca_file = "{authority.ca_file}"'))
    pid = gate.authd.child.pid
    octets = PASSWORD.encode("utf-8")
    # while it is going on, it is there: or we would see nothing at all
    over = threading.Event()
    known.final = lambda _session, _line: over.wait(30) and "454 4.7.0 no"
    with smtpclient.Client(gate.port, helo="client.test") as client:
        client.send("AUTH PLAIN " + logins.b64(logins.plain_response(
            USER, PASSWORD)) + "\r\n")
        wait_for(lambda: known.attempts, "a login in flight")
        check(octets in memory_of(pid), "its memory cannot be read")
        over.set()
        equal(client.reply().code, 454, "that login")
    known.final = None
    for how in (logins.plain, logins.login):
        gate.expect(USER, PASSWORD, 235, how)
        gate.expect(USER, WRONG, 535, how)
        answer = saslauthd.ask(gate.authd.mux, saslauthd.question(
            USER, PASSWORD, "smtp", ""))
        equal(answer[2:4], b"OK", "by saslauthd's protocol")
    memory = memory_of(pid)
    for secret in (PASSWORD, WRONG):
        octets = secret.encode("utf-8")
        check(octets not in memory, f"{secret!r} is in the daemon's memory")
        for form in shifted(octets):
            check(form.encode("ascii") not in memory,
                  f"{form!r} is in the daemon's memory")
