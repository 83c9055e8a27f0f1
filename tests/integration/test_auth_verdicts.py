# SPDX-License-Identifier: BSD-2-Clause
"""What upstream replies, and what the client of a Postfix edge is told: only
235 is good, only 535 to the credentials is bad."""
import time

from harness import (auth_gate, certs, logins, namespace, scripted,
                     scripted_auth)
from harness.auth_gate import AuthGate, Rig
from harness.case import check, contains, equal

USER = "ann@example.org"
PASSWORD = "correct horse"


class Asked(Rig):
    """An upstream that does as it is told; each login is somebody new."""

    def __init__(self, case, text="", **settings):
        super().__init__(case, {USER: PASSWORD}, text, **settings)
        self._count = 0

    def expect(self, want, label, how=logins.plain, warning=None, **fields):
        """A login nobody has tried before ends with that code; the log has
        the fields, and a warning if one is due."""
        self._count += 1
        user = f"user{self._count}@example.org"
        reply = self.gate.login(user, PASSWORD, how)
        equal(reply.code, want, f"{label}, {how.__name__} ({reply!r})")
        line = self.gate.authd.auth_line(user)
        verdict = {235: "accept", 535: "reject", 454: "defer"}[want]
        for key, value in {"verdict": verdict, **fields}.items():
            equal(line.get(key), value, f"{label}: {key}= in the log")
        if warning is not None:
            self.gate.authd.wait_log("warning", warning)
        return user


REFUSALS = ("535 5.7.8 Authentication failed", "535 Authentication failed",
            "535 5.7.1 no", "535-5.7.8 one\n535 5.7.8 two")
POLICY = ("535 5.7.0 Authentication failed: account is suspended",
          "535 5.7.3 Authentication unsuccessful, SMTP AUTH is disabled")
SET_UP = ("500 5.5.2 Unknown command", "501 5.5.2 Syntax", "502 5.5.1 Never",
          "503 5.5.1 Out of place", "504 5.5.4 No such mechanism",
          "530 5.7.0 Must issue STARTTLS first",
          "534 5.7.9 Stronger mechanism, please", "538 5.7.11 Encrypt")
OTHERS = ("550 5.7.1 Go away", "554 5.7.8 Authentication credentials invalid",
          "552 5.7.8 no", "421 4.3.2 Closing", "432 4.7.12 Change it",
          "450 4.7.0 Later", "451 4.3.0 Later", "454 4.7.0 Temporary",
          "455 later", "250 2.0.0 Ok", "220 what", "354 Go on",
          "599 what")


def test_refusals(case):
    """535 to the credentials is bad, whatever stands behind it."""
    rig = Asked(case)
    for reply in REFUSALS:
        rig.known.final = reply
        for how in (logins.plain, logins.login):
            rig.expect(535, reply, how, code="535")


def test_policy(case):
    """535 that speaks of policy is given, and asked about again."""
    rig = Asked(case)
    for reply in POLICY:
        rig.known.final = reply
        user = rig.expect(535, reply, code="535", dsn=reply[4:9])
        rig.gate.expect(user, PASSWORD, 535)
        equal(rig.known.names().count(user), 2, f"{reply}: attempts")
        rig.known.final = "235 2.7.0 ok"
        rig.gate.expect(user, PASSWORD, 235)


def test_our_set_up(case):
    """Replies that say that we are set up wrongly: 454 and a warning."""
    rig = Asked(case)
    for reply in SET_UP:
        for at in ("first", "final"):
            rig.fresh()
            setattr(rig.known, at, reply)
            rig.expect(454, f"{at} {reply}", code=reply[:3],
                       warning=reply[:3])
            setattr(rig.known, at, None)


def test_others(case):
    """Every other reply to the credentials: 454."""
    rig = Asked(case)
    for reply in OTHERS:
        rig.fresh()
        rig.known.final = reply
        rig.expect(454, reply, code=reply[:3])
    for octets in (b"235", b"235\r", b"5350 no\r\n", b"\xff\xfe\r\n",
                   b"535-5.7.8 more\r\n454 4.7.0 other\r\n",
                   b"235-2.7.0 more\r\n535 5.7.8 other\r\n",
                   b"334 \r\n", b"334 !!!\r\n",
                   b"535 " + b"x" * 70000 + b"\r\n"):
        rig.fresh()
        rig.known.final = scripted.raw(octets, True)
        rig.expect(454, repr(octets[:40]))
    rig.fresh()
    rig.known.final = None
    rig.gate.expect(USER, PASSWORD, 235)


def test_early_refusal(case):
    """535 before there were credentials says nothing of them."""
    rig = Asked(case, mechanisms="LOGIN")
    for at in ("first", "name"):
        rig.fresh()
        setattr(rig.known, at, "535 5.7.8 Authentication failed")
        user = rig.expect(454, at)
        setattr(rig.known, at, None)
        rig.known.users[user] = PASSWORD
        rig.fresh()
        rig.gate.expect(user, PASSWORD, 235)


def test_each_step(case):
    """An upstream that hangs, closes, babbles or is unwilling at each step of
    a session, warm or not."""
    rig = Asked(case, "timeout = 2")
    actions = {"hang": scripted.hang, "close": scripted.close,
               "garbage": scripted.raw(b"\0\xff hello\r\n"),
               "451": "451 4.3.0 Later", "421": "421 4.3.2 Closing",
               "554": "554 5.7.1 You are blocked", "535": "535 5.7.8 no"}
    for step in ("connect", "ehlo", "auth"):
        for label, action in actions.items():
            if (step, label) == ("auth", "535"):
                continue
            rig.gate.authd.kill()
            rig.upstream.drop()
            auth = rig.upstream.steps["auth"]
            rig.upstream.steps[step] = action
            rig.gate.authd.start()
            began = time.monotonic()
            rig.expect(454, f"{label} at {step}")
            took = time.monotonic() - began
            check(took < 10, f"{label} at {step}: took {took:.1f} s")
            rig.upstream.drop()
            if step == "auth":
                rig.upstream.steps["auth"] = auth
            else:
                del rig.upstream.steps[step]
    rig.fresh()
    rig.gate.expect(USER, PASSWORD, 235)


def test_no_auth_offered(case):
    """An upstream without AUTH, or without a mechanism for passwords."""
    rig = Asked(case, mechanisms="")
    rig.expect(454, "no AUTH", warning="AUTH")
    equal(rig.upstream.counts["auth"], 0, "AUTH upstream")
    rig.upstream.keywords.append("AUTH GSSAPI CRAM-MD5")
    rig.fresh()
    rig.expect(454, "no PLAIN", warning="PLAIN")
    equal(rig.upstream.counts["auth"], 0, "AUTH upstream")


def test_old_spelling(case):
    """AUTH= as older servers write it, and LOGIN where only that is there."""
    rig = Asked(case, mechanisms="")
    for keywords, used in (("AUTH=LOGIN", "LOGIN"), ("AUTH LOGIN", "LOGIN"),
                           ("AUTH LOGIN PLAIN", "PLAIN"),
                           ("auth login plain cram-md5", "PLAIN")):
        rig.upstream.keywords[-1:] = [keywords]
        rig.fresh()
        rig.gate.expect(USER, PASSWORD, 235, logins.login)
        rig.gate.expect(USER, PASSWORD, 235, logins.plain)
        equal(rig.known.attempts[-1][1], used, keywords)
    rig.gate.expect(USER, "wrong", 535)


def test_timeout(case):
    """The whole login has one limit, and more than the plug-in waits is
    lowered with a warning."""
    rig = Asked(case, "timeout = 3")
    rig.known.final = scripted.slow(1, "235 2.7.0 ok")
    rig.expect(235, "slow, but in time")
    rig.known.final = scripted.hang
    began = time.monotonic()
    rig.expect(454, "hung")
    took = time.monotonic() - began
    check(1 < took < 10, f"took {took:.1f} s")
    rig.gate.authd.restart(auth_gate.route(rig.upstream.port, "timeout = 60"))
    rig.gate.authd.wait_log("warning", "timeout")


def test_unreachable(case):
    """Nobody listens, or a name that is none: 454, and well again after."""
    rig = Asked(case)
    rig.upstream.stop()
    rig.expect(454, "nobody listens")
    rig.upstream.start()
    rig.fresh()
    rig.gate.expect(USER, PASSWORD, 235)
    rig.gate.authd.restart(auth_gate.route(25, host="no-such-host.invalid"))
    rig.expect(454, "no such host")


def test_certificates(case):
    """A certificate that is not right: 454, a warning, and no password."""
    authority = certs.Authority(case.path("ca"))
    gate = None
    for label, pair in (("expired", authority.expired()),
                        ("wrong", authority.wrong_name()),
                        ("self", authority.self_signed()),
                        ("good", authority.good())):
        for implicit in (False, True):
            upstream = scripted.Scripted(case, tls=pair,
                                         implicit_tls=implicit)
            known = scripted_auth.Passwords(upstream, {USER: PASSWORD})
            tls = "implicit" if implicit else "verify"
            conf = auth_gate.route(
                upstream.port,
                f'tls = "{tls}" tls_ca_file = "{authority.ca_file}"')
            if gate is None:
                gate = AuthGate(case, conf)
            else:
                gate.authd.restart(conf)
            code = 235 if label == "good" else 454
            reply = gate.expect(USER, PASSWORD, code)
            check("ertificate" not in reply.text, f"told: {reply!r}")
            equal(len(known.attempts), 1 if label == "good" else 0,
                  f"attempts with a {label} certificate, tls={tls}")
            if label != "good":
                gate.authd.wait_log("warning", str(upstream.port),
                                    "ertificate")


def test_tls_faults(case):
    """STARTTLS refused, broken off or answered with garbage, and a handshake
    that hangs: 454, in time, and no password in the clear."""
    authority = certs.Authority(case.path("ca"))
    pair = authority.good()
    conf = (f'tls = "encrypt" tls_ca_file = "{authority.ca_file}" '
            "timeout = 2")
    rig = Asked(case, conf, upstream={"tls": pair})
    for label, action in (
            ("454", "454 4.7.0 TLS not available"), ("502", "502 5.5.1 no"),
            ("closed", scripted.close), ("hung", scripted.hang),
            ("garbage", scripted.raw(b"220 go\r\n\x16\x03garbage" * 9)),
            ("plain", scripted.raw(b"220 go\r\n235 2.7.0 ok\r\n")),
            ("closed in the handshake", scripted.raw(b"220 go\r\n", True))):
        rig.gate.authd.kill()
        rig.upstream.drop()
        rig.upstream.steps["starttls"] = action
        rig.gate.authd.start()
        began = time.monotonic()
        rig.expect(454, label)
        took = time.monotonic() - began
        check(took < 10, f"{label}: took {took:.1f} s")
    equal(rig.upstream.counts["auth"], 0, "AUTH upstream")
    del rig.upstream.steps["starttls"]
    rig.fresh()
    rig.gate.expect(USER, PASSWORD, 235)
    # one that never says a word of TLS
    mute = scripted.Scripted(case)
    mute.steps["connect"] = scripted.hang
    rig.gate.authd.restart(auth_gate.route(
        mute.port, f'tls = "implicit" tls_ca_file = "{authority.ca_file}" '
        "timeout = 2"))
    rig.expect(454, "implicit")


def test_no_tls(case):
    """An upstream off loopback without STARTTLS, where it is wanted, gets no
    password; on loopback there is nothing to hide."""
    address = namespace.own_network()
    rig = Asked(case, upstream={"host": address})
    for tls, warning in (("verify", "STARTTLS"), ("encrypt", "STARTTLS"),
                         ("implicit", str(rig.upstream.port))):
        rig.gate.authd.restart(auth_gate.route(
            rig.upstream.port, f'tls = "{tls}" timeout = 2', host=address))
        rig.expect(454, tls, warning=warning)
    equal(rig.upstream.counts["auth"], 0, "AUTH upstream")
    rig.gate.authd.restart(auth_gate.route(
        rig.upstream.port, 'tls = "none"', host=address))
    rig.gate.authd.wait_log("warning", "tls")
    rig.gate.expect(USER, PASSWORD, 235)
    here = Asked(case, 'tls = "verify"', gate=rig.gate)
    rig.gate.authd.restart(here.conf)
    rig.gate.expect(USER, PASSWORD, 235)


def test_may_off_loopback(case):
    """tls=may where others could listen is refused at start."""
    rig = Asked(case)
    authd = rig.gate.authd
    authd.kill()
    authd.configure(auth_gate.route(587, 'tls = "may"', host="192.0.2.1"))
    done = case.run([authd.binary, "-c", authd.conf_file, "-n"])
    equal(done.returncode, 78, f"-n ({done.stderr})")
    contains(done.stderr, "tls", "what it says")


def test_reply_text(case):
    """The client is not told the upstream's words; the log is."""
    rig = Asked(case)
    for reply, code in (("535 5.7.8 secret.internal says no", 535),
                        ("454 4.7.0 secret.internal is tired", 454)):
        rig.known.final = reply
        answer = rig.gate.login(USER, f"x{code}")
        equal(answer.code, code, reply)
        check("secret" not in answer.text, f"the client was told: {answer!r}")
        rig.gate.authd.wait_log("secret.internal", "auth: ")


def test_log_line(case):
    """The keys of the log line, and log_authentication = false."""
    rig = Asked(case)
    rig.gate.expect(USER, PASSWORD, 235, address="192.0.2.7")
    line = rig.gate.authd.auth_line(USER)
    for key, value in {"client": "192.0.2.7", "mech": "PLAIN",
                       "upstream": f"127.0.0.1:{rig.upstream.port}",
                       "cache": "miss", "code": "235", "dsn": "2.7.0",
                       "verdict": "accept"}.items():
        equal(line.get(key), value, f"{key}=")
    check(0 <= float(line["delay"]) < 60, f"delay={line['delay']}")
    rig.gate.expect(USER, "wrong", 535, logins.login, address="192.0.2.7")
    rig.gate.expect(USER, "wrong", 535, logins.login, address="192.0.2.7")
    line = rig.gate.authd.auth_line(USER)
    for key, value in {"client": "192.0.2.7", "mech": "LOGIN",
                       "cache": "hit", "verdict": "reject"}.items():
        equal(line.get(key), value, f"{key}= of the second")
    rig.gate.authd.restart(auth_gate.route(
        rig.upstream.port, "log_authentication = false"))
    before = len(rig.gate.authd.lines("auth: "))
    rig.gate.expect(USER, PASSWORD, 235)
    equal(len(rig.gate.authd.lines("auth: ")), before, "log lines")
