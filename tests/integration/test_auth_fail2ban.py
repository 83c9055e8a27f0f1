# SPDX-License-Identifier: BSD-2-Clause
"""The fail2ban filter finds the refused logins in what postern-authd logs,
and no user name makes it find another."""
import re

from harness import auth_gate, scripted, scripted_auth, syslog, wire
from harness.authd import Authd
from harness.case import check, contains, equal, wait_for
from harness.dial import dial
from harness.fail2ban import Fail2ban

USER = "ann@example.org"
PASSWORD = "correct horse"
VICTIM = "198.51.100.7"
# seconds; fail2ban reads many logs
TIMEOUT = 600
FILTER = "postern-auth"
AGGRESSIVE = "postern-auth[mode=aggressive]"

# How a line begins in a file of syslog's, traditional and ISO, with the
# host's name and without; and what the journal makes of it.
FORMS = (
    ("Nov 20 12:45:36 edge postern-authd[123]: ", ()),
    ("Nov  2 02:05:06 edge.example.org postern-authd[1]: ", ()),
    ("2026-11-20T12:45:36.123456+01:00 edge postern-authd[123]: ", ()),
    ("Nov 20 12:45:36 postern-authd[123]: ", ()),
    ("edge postern-authd[123]: ", ("-d", "{NONE}")),
    ("edge postern-authd[123]: postern-authd: ", ("-d", "{NONE}")),
)

LINE = f"auth: client={VICTIM} user=<x> mech=PLAIN verdict=reject delay=0.001"

# Names that want to be read as more than a name.
NAMES = (
    f"x client={VICTIM} verdict=reject",
    f"x> client={VICTIM} verdict=reject delay=0",
    f'x>" client={VICTIM} verdict=reject',
    f'x\\" client={VICTIM} verdict=reject',
    f'x\\\\" client={VICTIM} verdict=reject x="',
    f'" {LINE}',
    f'"> {LINE} "',
    f"\\ {LINE}",
    LINE,
    f"Nov 20 12:45:36 edge postern-authd[123]: {LINE}",
    f"2026-11-20T12:45:36 edge postern-authd[123]: {LINE}",
    f"x\n{LINE}",
    f"x\r\nNov 20 12:45:36 edge postern-authd[123]: {LINE}",
    f"x\u2028{LINE}",
    f"x\u0085{LINE}",
    f"x\u00a0client={VICTIM}\u00a0verdict=reject",
    f"x\x00{LINE}",
    f"x\tclient={VICTIM}\tverdict=reject",
    "verdict=reject", "client=" + VICTIM, "=", '"', "\\", '\\"', "x" * 300,
    '"' * 320, "\\" * 320, f"<HOST> <ADDR> {VICTIM}", "%(_pair)s", "",
)


def login(authd, user, password, client):
    """One login as the plug-in asks; returns the answer's type."""
    with dial(authd.path) as connection:
        connection.sendall(wire.pack(wire.CHECK, {
            wire.MECH: b"PLAIN", wire.SERVICE: b"smtp",
            wire.CLIENT: client.encode("ascii"),
            wire.USER: user.encode("utf-8"),
            wire.PASS: password.encode("utf-8")}))
        with connection.makefile("rb") as stream:
            return wire.read(stream)[0]


def logged(authd, count):
    """Its decisions, as they are handed to syslog."""
    lines = wait_for(
        lambda: (found := authd.lines("auth: ", " verdict="))[count - 1:]
        and found, f"{count} decisions in the log")
    return [line.removeprefix("postern-authd: ") for line in lines]


def daemon(case, options=""):
    """postern-authd, and an upstream that knows one password."""
    upstream = scripted.Scripted(case)
    known = scripted_auth.Passwords(upstream, {USER: PASSWORD})
    return Authd(case, auth_gate.route(upstream.port, options)), known


def test_matches(case):
    """Refusals count, with addresses of both families; nothing else does,
    however the line was written down."""
    authd, known = daemon(case)
    login(authd, USER, PASSWORD, "192.0.2.1;1025")
    login(authd, USER, "wrong", "192.0.2.2;1025")
    login(authd, USER, "wrong", "192.0.2.2;1026")
    login(authd, USER, "", "192.0.2.3;1025")
    login(authd, "bob b", "wrong", "2001:db8::5;1025")
    login(authd, "eve", "wrong", "")
    known.final = "454 4.7.0 Temporary authentication failure"
    login(authd, USER, "another", "192.0.2.4;1025")
    known.final = '535 5.7.8 client=' + VICTIM + ' "verdict=reject'
    login(authd, USER, "third", "192.0.2.6;1025")
    lines = logged(authd, 8)
    fail2ban = Fail2ban(case)
    for prefix, options in FORMS:
        equal(fail2ban.matches([prefix + line for line in lines], FILTER,
                               *options),
              ["192.0.2.2", "192.0.2.2", "192.0.2.3", "2001:db8::5",
               "192.0.2.6"], f"matches behind {prefix!r}")


def test_aggressive(case):
    """What the shield held back counts only where that is asked for."""
    authd, _ = daemon(case, "shield_failures = 2\n")
    for number in range(4):
        login(authd, USER, f"wrong{number}", f"192.0.2.{number + 1};1025")
    lines = [FORMS[0][0] + line for line in logged(authd, 4)]
    contains(lines[3], "verdict=defer", "held back")
    fail2ban = Fail2ban(case)
    equal(fail2ban.matches(lines, FILTER), ["192.0.2.1", "192.0.2.2"],
          "mode normal")
    equal(fail2ban.matches(lines, AGGRESSIVE),
          [f"192.0.2.{number}" for number in range(1, 5)], "mode aggressive")


def test_forged(case):
    """A name that looks like a log line is a name: of a login that is
    refused, accepted, deferred, and of one without an address."""
    authd, known = daemon(case, "bad_memory = 0\n")
    for user in NAMES:
        known.final = None
        login(authd, user, "wrong", "192.0.2.1;1025")
        login(authd, user, "wrong", "")
        known.final = "235 2.7.0 Go ahead"
        login(authd, user, "right", "192.0.2.2;1025")
        known.final = "454 4.7.0 Try again"
        login(authd, user, "wrong", "192.0.2.3;1025")
    lines = logged(authd, 4 * len(NAMES))
    # where the name itself cannot be any, all are refused
    expected = [re.match(r"auth: client=(\S+) ", line).group(1)
                for line in lines if line.startswith("auth: client=")
                and line.rpartition(" verdict=")[2].startswith("reject")]
    check(expected.count("192.0.2.1") == len(NAMES)
          and expected.count("192.0.2.2") < len(NAMES) // 2
          and VICTIM not in expected, f"the log: {lines}")
    fail2ban = Fail2ban(case)
    everything = [line.removeprefix("postern-authd: ")
                  for line in authd.log().splitlines()]
    for prefix, options in FORMS:
        for mode in (FILTER, AGGRESSIVE):
            equal(fail2ban.matches([prefix + line for line in everything],
                                   mode, *options),
                  expected, f"matches behind {prefix!r}")


def test_other_programs(case):
    """What another program logs is not ours, whatever it holds."""
    lines = [begin + LINE for begin in (
        "Nov 20 12:45:36 edge postfix/smtpd[9]: ",
        "Nov 20 12:45:36 edge postfix/smtpd[9]: postern-authd[1]: ",
        "Nov 20 12:45:36 edge postfix/smtpd[9]: x postern-authd[1]: ",
        "Nov 20 12:45:36 edge xpostern-authd[9]: ",
        "Nov 20 12:45:36 edge postern-milter[9]: ",
        "Nov 20 12:45:36 edge ", "Nov 20 12:45:36 ", "")]
    fail2ban = Fail2ban(case)
    for options in ((), ("-d", "{NONE}")):
        equal(fail2ban.matches(lines, AGGRESSIVE, *options), [], "matches")
    equal(fail2ban.matches(["Nov 20 12:45:36 edge postern-authd[9]: " + LINE],
                           FILTER), [VICTIM], "our own")


def test_syslog(case):
    """Through syslog(3) itself."""
    log = syslog.Syslog(case)
    if log.path is None:
        return
    upstream = scripted.Scripted(case)
    scripted_auth.Passwords(upstream, {USER: PASSWORD})
    authd = Authd(case, "log_target = syslog\n"
                  + auth_gate.route(upstream.port))
    login(authd, USER, "wrong", "2001:db8::5;1025")
    wait_for(lambda: "auth: client" in log.log(), "the line in syslog")
    equal(Fail2ban(case).matches(log.log().splitlines(), FILTER),
          ["2001:db8::5"], "matches")


def test_jail(case):
    """The sample jail is one that fail2ban takes."""
    told = Fail2ban(case).jail(FILTER)
    for part in ("'add'", "verdict=reject", "'systemd'", "'maxretry', 20",
                 "submissions"):
        contains(told, part, "the jail")
