# SPDX-License-Identifier: BSD-2-Clause
"""AUTH on a Postfix edge when postern-authd is not what it should be: the
client is told 454, in time, and nobody is let in."""
import os
import threading
import time

from harness import auth_gate, daemon, logins, scripted, scripted_auth, \
    smtpclient, wire
from harness.auth_gate import Rig
from harness.case import check, contains, equal, wait_for

USER = "ann@example.org"
PASSWORD = "correct horse"
# postern_timeout; the test's own is shorter
RECIPE = ("postern_socket: postern/auth\npostern_timeout: 2\n"
          "mech_list: PLAIN LOGIN\n")
GOOD = wire.pack(wire.GOOD, {wire.USER: USER.encode("ascii")})


class Stand:
    """An edge whose plug-in talks to a stand-in."""

    def __init__(self, case, recipe=RECIPE):
        self.case = case
        self.edge = auth_gate.edge(case, recipe)
        self.path = os.path.join(daemon.socket_directory(self.edge.queue),
                                 "auth")
        self.daemon = wire.Standin(case, self.path, {USER: PASSWORD})

    def expect(self, code, why, password=PASSWORD, seconds=15.0):
        """Both mechanisms get that code, soon; the session goes on."""
        for how in (logins.plain, logins.login):
            began = time.monotonic()
            with smtpclient.Client(self.edge.port,
                                   helo="client.test") as client:
                reply = how(client, USER, password)
                equal(reply.code, code, f"{why}, {how.__name__} ({reply!r})")
                equal(client.command("NOOP").code, 250, f"{why}: NOOP")
            took = time.monotonic() - began
            check(took < seconds, f"{why}: took {took:.1f} s")


def test_standin(case):
    """What the plug-in asks, and what it makes of good and bad."""
    stand = Stand(case)
    stand.expect(235, "good")
    stand.expect(535, "bad", password="wrong")
    kind, items = stand.daemon.messages[0]
    equal(kind, wire.CHECK, "the question")
    equal(items[wire.MECH], b"PLAIN", "MECH")
    equal(items[wire.SERVICE], b"smtp", "SERVICE")
    equal(items[wire.USER], USER.encode("ascii"), "USER")
    equal(items[wire.PASS], PASSWORD.encode("ascii"), "PASS")
    contains(items[wire.CLIENT], b"127.0.0.1;", "CLIENT")
    equal(stand.daemon.messages[1][1][wire.MECH], b"LOGIN", "MECH of LOGIN")


def test_unsure(case):
    """Cannot tell is 454; why goes to the log, not to the client."""
    stand = Stand(case)
    stand.daemon.act = wire.say(wire.pack(
        wire.UNSURE, {wire.REASON: b"the moon is full"}))
    stand.expect(454, "unsure")
    for how in (logins.plain, logins.login):
        reply = logins.attempt(stand.edge.port, how, USER, PASSWORD)
        check("moon" not in reply.text, f"the client was told: {reply!r}")
    stand.edge.wait_log("moon")


def test_garbage(case):
    """Answers that are none."""
    stand = Stand(case)
    other_version = wire.pack(wire.GOOD, {wire.USER: b"x"}, version=2)
    too_long = b"PA\1" + bytes([wire.GOOD]) + b"\x7f\xff\xff\xff"
    for why, octets in (
            ("nothing", b""),
            ("text", b"OK\r\n"),
            ("saslauthd's OK", b"\0\2OK"),
            ("zeros", bytes(64)),
            ("another version", other_version),
            ("a short header", GOOD[:5]),
            ("a short body", GOOD[:-1]),
            ("too long", too_long),
            ("GOOD of nobody", wire.pack(wire.GOOD, {})),
            ("GOOD with a reason", wire.pack(
                wire.GOOD, {wire.USER: b"x", wire.REASON: b"y"})),
            ("a question", wire.pack(wire.STEP, {wire.DATA: b"x"})),
            ("a challenge", wire.pack(wire.CHALLENGE, {wire.DATA: b"x"})),
            ("unknown type", wire.pack(99, {})),
            ("an item twice", b"PA\1" + bytes([wire.BAD])
             + b"\0\0\0\x08" + b"\5\0\1x\5\0\1x")):
        stand.daemon.act = wire.say(octets)
        stand.expect(454, why)
    stand.daemon.act = None
    stand.expect(235, "afterwards")


def test_slow(case):
    """Hung, or slower than postern_timeout: 454 when that is over."""
    stand = Stand(case)
    stand.daemon.act = wire.hang
    stand.expect(454, "hung")
    stand.daemon.act = wire.drip(GOOD, 0.4)
    stand.expect(454, "an octet now and then")
    stand.daemon.act = wire.drip(GOOD, 0.004)
    stand.expect(235, "slow, but in time")


def test_no_accept(case):
    """A socket that nobody accepts on any more."""
    stand = Stand(case)
    stand.daemon.stop()
    stand.expect(454, "refused connections")
    os.unlink(stand.path)
    stand.expect(454, "no socket")
    with open(stand.path, "w", encoding="ascii"):
        pass
    stand.expect(454, "a file in its place")
    os.unlink(stand.path)
    os.mkdir(stand.path)
    stand.expect(454, "a directory in its place")


def rig_of(case, recipe=RECIPE, **settings):
    """An upstream that knows USER."""
    return Rig(case, {USER: PASSWORD}, recipe=recipe, **settings)


def test_daemon_stops(case):
    """Missing, frozen and killed; and each time it is well again at once."""
    rig = rig_of(case)
    gate = rig.gate
    for harm, cure in ((gate.authd.kill, gate.authd.start),
                       (gate.authd.freeze, gate.authd.thaw),
                       (gate.authd.stop, gate.authd.start)):
        gate.expect(USER, PASSWORD, 235)
        harm()
        for how in (logins.plain, logins.login):
            began = time.monotonic()
            gate.expect(USER, PASSWORD, 454, how)
            took = time.monotonic() - began
            check(took < 15, f"{harm.__name__}: took {took:.1f} s")
        equal(logins.swaks(case, gate.port, "PLAIN", USER, PASSWORD)[0], 454,
              f"swaks, {harm.__name__}")
        cure()
        gate.expect(USER, PASSWORD, 235)


def test_restart_in_session(case):
    """A session that has outlived its daemon logs in to the next one."""
    rig = rig_of(case)
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        equal(logins.plain(client, USER, "wrong").code, 535, "a bad login")
        rig.gate.authd.kill()
        equal(logins.plain(client, USER, PASSWORD).code, 454, "no daemon")
        rig.gate.authd.start()
        equal(logins.plain(client, USER, PASSWORD).code, 235, "a new one")


def test_kept_connection(case):
    """smtpd keeps one connection for its logins; a daemon that is replaced
    between two of them costs none."""
    rig = rig_of(case)
    authd = rig.gate.authd

    def accepted():
        words = authd.command("stats").stdout.split()
        return int(dict(word.split("=", 1) for word in words
                        if "=" in word)["connections_accepted"])

    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        equal(logins.plain(client, USER, "wrong").code, 535, "a bad login")
        before = accepted()
        for attempt in range(3):
            equal(logins.plain(client, USER, f"wrong {attempt}").code, 535,
                  "another")
        equal(accepted(), before, "connections")
        for end in (authd.stop, authd.kill):
            end()
            authd.start()
            before = accepted()
            for attempt in range(2):
                equal(logins.plain(client, USER, f"wrong {attempt}").code,
                      535, f"after {end.__name__}")
            equal(accepted(), before + 1, "connections to the new daemon")
        equal(logins.plain(client, USER, PASSWORD).code, 235, "a good one")
        equal(accepted(), before + 1, "connections to the new daemon")


def test_killed_in_flight(case):
    """kill -9 while many wait for a slow upstream: all of them 454."""
    rig = rig_of(case, recipe=auth_gate.sasl.RECIPE,
              default_process_limit="60")
    rig.known.final = scripted.hang
    clients = [smtpclient.Client(rig.gate.port, helo="client.test")
               for _ in range(30)]
    for number, client in enumerate(clients):
        client.send("AUTH PLAIN " + logins.b64(logins.plain_response(
            f"user{number}@example.org", PASSWORD)) + "\r\n")
    wait_for(lambda: len(rig.known.attempts) >= 10, "logins in flight")
    began = time.monotonic()
    rig.gate.authd.kill()
    equal([client.reply().code for client in clients], [454] * len(clients),
          "replies")
    check(time.monotonic() - began < 15, "they were told late")
    rig.known.final = None
    rig.upstream.drop()
    rig.gate.authd.start()
    equal(logins.plain(clients[0], USER, PASSWORD).code, 235,
          "in an old session")
    rig.gate.expect(USER, PASSWORD, 235)
    rig.gate.expect(USER, "wrong", 535)


class Load:
    """Clients that log in, one session after another; good users are always
    good and bad ones always bad, or it is 454."""

    def __init__(self, gate):
        self.gate = gate
        self.codes = {"good": [], "bad": []}
        self.over = threading.Event()
        self.errors = []
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(8)]
        for thread in self._threads:
            thread.start()

    def _run(self, number):
        kind = "good" if number % 2 else "bad"
        count = 0
        while not self.over.is_set():
            count += 1
            password = (PASSWORD if kind == "good"
                        else f"wrong {number} {count}")
            how = (logins.plain, logins.login)[count % 2]
            try:
                reply = logins.attempt(self.gate.port, how, USER, password)
                self.codes[kind].append(reply.code)
            except (OSError, EOFError) as error:
                self.errors.append(repr(error))

    def wait(self, count, codes):
        """Wait until both kinds were told one of the codes so many times
        more."""
        begun = {kind: len(self.codes[kind]) for kind in self.codes}
        wait_for(lambda: all(
            sum(code in codes for code in self.codes[kind][begun[kind]:])
            >= count for kind in begun), f"replies {codes}")

    def stop(self):
        """Let all of them end."""
        self.over.set()
        for thread in self._threads:
            thread.join(60)


def test_killed_under_load(case):
    """kill -9 again and again: nobody is told 535 for a good password, or 235
    for a bad one, and logins work as soon as it is back."""
    rig = rig_of(case, recipe=auth_gate.sasl.RECIPE,
              default_process_limit="60")
    rig.known.final = None
    load = Load(rig.gate)
    for _ in range(5):
        load.wait(2, {235, 535})
        rig.gate.authd.kill()
        load.wait(1, {454})
        rig.gate.authd.start()
        rig.gate.expect(USER, PASSWORD, 235)
    load.wait(1, {235, 535})
    load.stop()
    equal(load.errors, [], "sessions that failed")
    equal(set(load.codes["good"]), {235, 454}, "replies to good passwords")
    equal(set(load.codes["bad"]), {535, 454}, "replies to bad passwords")


def test_sigterm_under_load(case):
    """SIGTERM: who is in flight gets an answer, and it ends soon."""
    rig = rig_of(case, recipe=auth_gate.sasl.RECIPE)
    rig.known.final = scripted.hang
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        client.send("AUTH PLAIN " + logins.b64(logins.plain_response(
            USER, PASSWORD)) + "\r\n")
        wait_for(lambda: rig.known.attempts, "a login in flight")
        began = time.monotonic()
        equal(rig.gate.authd.stop(), 0, "the exit code")
        check(time.monotonic() - began < 20, "it took long to stop")
        equal(client.reply().code, 454, "the login in flight")


def test_reload(case):
    """SIGUSR1 and posternctl reload put a new file in force; a bad one
    changes nothing."""
    rig = rig_of(case)
    other = scripted.Scripted(case)
    known = scripted_auth.Passwords(other, {USER: "another"})
    rig.gate.expect(USER, PASSWORD, 235)
    rig.gate.authd.configure(auth_gate.route(other.port))
    rig.gate.authd.reload()
    wait_for(lambda: rig.gate.login(USER, "another").code == 235,
             "the new route")
    rig.gate.authd.configure("smtp_auth_proxy { hots = 1 }")
    rig.gate.authd.reload()
    rig.gate.authd.wait_log("hots")
    rig.gate.expect(USER, "another", 235)
    check(USER in known.names(), "the other upstream was asked")
