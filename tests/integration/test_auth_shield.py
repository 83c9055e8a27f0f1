# SPDX-License-Identifier: BSD-2-Clause
"""What is remembered of logins, and what guessing at the edge costs the
account behind: nothing much."""
import re
import threading
import time

from harness import auth_gate, logins, scripted, smtpclient, submission
from harness.auth_gate import AuthGate, Rig
from harness.case import check, equal, wait_for

USER = "ann@example.org"
PASSWORD = "correct horse"


BOB = "bob@example.org"


def rig_of(case, text="", **settings):
    """An upstream that knows two users, and counts."""
    return Rig(case, {USER: PASSWORD, BOB: PASSWORD}, text, **settings)


def test_bad_memory(case):
    """A pair that was refused is refused again without asking, whoever says
    it and by which mechanism; another password is asked about."""
    rig = rig_of(case, "bad_memory = 6s")
    rig.gate.expect(USER, "wrong", 535)
    for how in (logins.plain, logins.login):
        rig.gate.expect(USER, "wrong", 535, how)
    equal(rig.attempts, 1, "attempts")
    equal(rig.gate.authd.auth_line(USER)["cache"], "hit", "cache=")
    rig.gate.expect(USER, "wrong ", 535)
    rig.gate.expect(BOB, "wrong", 535)
    rig.gate.expect(USER, PASSWORD, 235)
    equal(rig.attempts, 4, "attempts")
    time.sleep(6.1)
    rig.gate.expect(USER, "wrong", 535)
    equal(rig.attempts, 5, "attempts when it is over")
    rig.gate.authd.restart(auth_gate.route(
        rig.upstream.port, "bad_memory = 0"))
    for _ in range(2):
        rig.gate.expect(USER, "wrong", 535)
    equal(rig.attempts, 7, "attempts without memory")


def test_not_remembered(case):
    """What cannot be told is asked about again."""
    rig = rig_of(case)
    rig.known.final = "454 4.7.0 later"
    for _ in range(2):
        rig.gate.expect(USER, PASSWORD, 454)
    equal(rig.attempts, 2, "attempts")
    rig.known.final = None
    rig.gate.expect(USER, PASSWORD, 235)
    rig.gate.expect(USER, PASSWORD, 235)
    equal(rig.attempts, 4, "attempts: a good login is not remembered")


def test_good_memory(case):
    """Only if asked for; and a refusal from upstream ends it."""
    rig = rig_of(case, "good_memory = 6s")
    for how in (logins.plain, logins.login):
        rig.gate.expect(USER, PASSWORD, 235, how)
    equal(rig.attempts, 1, "attempts")
    rig.gate.expect(USER, "wrong", 535)
    rig.upstream.stop()
    rig.gate.expect(USER, PASSWORD, 235)
    rig.gate.expect(BOB, PASSWORD, 454)
    rig.upstream.start()
    rig.known.users[USER] = "changed"
    time.sleep(6.1)
    wait_for(lambda: rig.gate.login(BOB, PASSWORD).code == 235,
             "the upstream to be asked again")
    rig.gate.expect(USER, PASSWORD, 535)
    rig.gate.expect(USER, "changed", 235)
    rig.gate.expect(USER, PASSWORD, 535)


def test_same_pair_at_once(case):
    """Many sessions with one bad pair at one time: the upstream sees it
    once."""
    rig = rig_of(case, default_process_limit="40")
    rig.known.final = scripted.slow(0.5, "535 5.7.8 no")
    clients = [smtpclient.Client(rig.gate.port, helo="client.test")
               for _ in range(12)]
    for client in clients:
        client.send("AUTH PLAIN " + logins.b64(logins.plain_response(
            USER, "wrong")) + "\r\n")
    equal([client.reply().code for client in clients], [535] * 12, "replies")
    equal(rig.attempts, 1, "attempts")


def test_shield(case):
    """The upstream sees shield_failures refusals of an account; then a pair
    that is not known bad is 454, and one that is, 535.  Other accounts are
    another matter."""
    rig = rig_of(case, "shield_failures = 3 shield_window = 8s")
    for number in range(3):
        rig.gate.expect(USER, f"guess {number}", 535)
    began = time.monotonic()
    for number in range(3, 8):
        rig.gate.expect(USER, f"guess {number}", 454)
    equal(rig.gate.authd.auth_line(USER)["verdict"], "defer", "verdict=")
    rig.gate.expect(USER, "guess 1", 535)
    rig.gate.expect(USER.title(), "guess 9", 454)
    equal(rig.attempts, 3, "attempts")
    rig.gate.expect(BOB, "guess", 535)
    rig.gate.expect(BOB, PASSWORD, 235)
    time.sleep(max(0, 8.2 - (time.monotonic() - began)))
    rig.gate.expect(USER, PASSWORD, 235)


def test_real_user(case):
    """While somebody guesses, the real user gets in with the password that
    was good last."""
    rig = rig_of(case, "shield_failures = 3")
    rig.gate.expect(USER, PASSWORD, 235, address="192.0.2.1")
    for number in range(6):
        rig.gate.login(USER, f"guess {number}")
    check(rig.attempts <= 4, f"{rig.attempts} attempts")
    for how in (logins.plain, logins.login):
        rig.gate.expect(USER, PASSWORD, 235, how, address="192.0.2.1")
        rig.gate.expect(USER, PASSWORD, 235, how)  # from anywhere
    before = rig.attempts
    rig.gate.expect(USER, PASSWORD, 235)
    equal(rig.attempts, before + 1, "attempts: the pair alone is no login")
    # changed behind our back: then it is no good pair any more
    rig.known.users[USER] = "changed"
    rig.gate.expect(USER, PASSWORD, 535)
    before = rig.attempts
    rig.gate.expect(USER, PASSWORD, 535)
    equal(rig.attempts, before, "attempts with the old password")


def test_known_address(case):
    """A changed password gets in from an address that logged in lately,
    though guesses have used up the rest; the address alone is no login."""
    rig = rig_of(case, "shield_failures = 3")
    rig.gate.expect(USER, PASSWORD, 235, address="192.0.2.1")
    for number in range(6):
        rig.gate.login(USER, f"guess {number}")
    equal(rig.attempts, 1 + 2, "attempts: one is kept back")
    rig.known.users[USER] = "changed"
    rig.gate.expect(USER, "changed", 454, address="198.51.100.1")
    rig.gate.expect(USER, "changed", 235, address="192.0.2.1")
    rig.gate.expect(USER, "not this", 535, address="192.0.2.1")
    rig.gate.expect(USER, "nor this", 454, address="192.0.2.1")


def test_guesses_at_once(case):
    """Guesses at one time do not slip through between question and answer."""
    rig = rig_of(case, "shield_failures = 3", default_process_limit="40")
    rig.known.final = scripted.slow(0.3, "535 5.7.8 no")
    clients = [smtpclient.Client(rig.gate.port, helo="client.test")
               for _ in range(15)]
    for number, client in enumerate(clients):
        client.send("AUTH PLAIN " + logins.b64(logins.plain_response(
            USER, f"guess {number}")) + "\r\n")
    codes = sorted(client.reply().code for client in clients)
    equal(codes, [454] * 12 + [535] * 3, "replies")
    equal(rig.attempts, 3, "attempts")


def test_lockout_upstream(case):
    """An upstream that locks an account after five refusals never gets to
    it."""
    rig = rig_of(case, "shield_failures = 4")
    refused = [0]

    def locking(session, _line):
        del session
        user, password = rig.known.attempts[-1][2:]
        if refused[0] >= 5:
            return "535 5.7.0 Account is locked"
        if rig.known.users.get(user) == password:
            refused[0] = 0
            return "235 2.7.0 ok"
        refused[0] += 1
        return "535 5.7.8 no"

    rig.known.final = locking
    rig.gate.expect(USER, PASSWORD, 235)
    for number in range(30):
        rig.gate.login(USER, f"guess {number}")
    check(refused[0] <= 4, f"{refused[0]} refusals upstream")
    rig.gate.expect(USER, PASSWORD, 235)


def test_client_delay(case):
    """Failing answers of one client come later and later; nobody else waits,
    and the delay is no one's thread."""
    rig = rig_of(case, "client_failures = 10")

    def figure(command, name):
        found = re.search(rf"\b{name}=(\d+)",
                          rig.authd.command(command).stdout)
        return int(found.group(1))

    took, held = [], []
    for number in range(4):
        began = time.monotonic()
        rig.gate.expect(USER, f"guess {number}", 535, address="192.0.2.66")
        took.append(time.monotonic() - began)
        held.append(figure("stats", "answers_held_back"))
    equal(held, [0, 0, 1, 2], "answers that were held back")
    check(took[2] > 0.9 and took[3] > 1.8, f"the last took {took}")

    def guess():
        rig.gate.login(USER, "guess 9", address="192.0.2.66")

    thread = threading.Thread(target=guess)
    thread.start()
    wait_for(lambda: figure("status", "answers_held") == 1, "the delay")
    # of 4 s
    rig.gate.expect(USER, PASSWORD, 235)
    rig.gate.expect(USER, "another", 535)
    check(thread.is_alive(), "others wait, too")
    thread.join()


def test_client_limit(case):
    """After client_failures nothing new of that address is asked upstream;
    a good pair, and an account that it has logged in to, still are."""
    rig = rig_of(case, "client_failures = 2")
    address = "192.0.2.66"
    rig.gate.expect(BOB, PASSWORD, 235, address=address)
    rig.gate.expect(USER, PASSWORD, 235)
    for number in range(2):
        rig.gate.expect(f"user{number}@example.org", "x", 535,
                        address=address)
    before = rig.attempts
    rig.gate.expect("user9@example.org", "x", 454, address=address)
    equal(rig.attempts, before, "attempts beyond the limit")
    rig.gate.expect(BOB, PASSWORD, 235, address=address)
    rig.gate.expect(USER, PASSWORD, 235, address=address)
    rig.gate.expect("user9@example.org", "x", 535)  # somebody else


def test_client_network(case):
    """An IPv6 client is its /64."""
    rig = rig_of(case, "client_failures = 2")
    for number in range(2):
        rig.gate.expect(USER, f"guess {number}", 535,
                        address=f"IPV6:2001:db8:1:2::{number + 1}")
    rig.gate.expect(USER, "guess 2", 454, address="IPV6:2001:db8:1:2:3::9")
    rig.gate.expect(USER, "guess 3", 535, address="IPV6:2001:db8:1:3::9")


def test_real_upstream(case):
    """Guesses, seen by a real Postfix."""
    server = submission.Submission(case, {USER: PASSWORD})
    gate = AuthGate(case, auth_gate.route(
        server.port, "shield_failures = 3"))
    gate.expect(USER, PASSWORD, 235)
    for number in range(10):
        gate.login(USER, f"guess {number}")
        gate.login(USER, "guess 0", logins.login)
    check(server.refused() <= 3, f"{server.refused()} refusals upstream")
    gate.expect(USER, PASSWORD, 235)


def test_drop(case):
    """An operator can let an account try again."""
    rig = rig_of(case, "shield_failures = 1")
    rig.gate.expect(USER, "guess", 535)
    rig.gate.expect(USER, PASSWORD, 454)
    done = rig.gate.authd.command("cache", "drop", USER)
    equal(done.returncode, 0, f"cache drop ({done.stderr})")
    rig.gate.expect(USER, PASSWORD, 235)


def test_restart_forgets(case):
    """The memory ends with the process: no file, no key."""
    rig = rig_of(case)
    rig.gate.expect(USER, "wrong", 535)
    rig.known.users[USER] = "wrong"
    rig.gate.expect(USER, "wrong", 535)
    rig.gate.authd.kill()
    rig.gate.authd.start()
    rig.gate.expect(USER, "wrong", 235)
