# SPDX-License-Identifier: BSD-2-Clause
"""Sendmail with dist/sendmail-outbound.m4: whatever goes wrong, no mail goes
out without the login that is due.  What Postern answers is a stand-in's;
test_outbound_sendmail_scopes.py has postern-authd itself."""
from harness import certs, scripted, smtpclient, socketmap, syslog
from harness.case import check, equal, wait_for
from harness.outbound_sendmail import SendmailGate, given, none, parts

USER, PASSWORD = "ann", 'p w"\\<>\u00e9'
DUE = {USER: PASSWORD}


def due(_name, key):
    """USER has to log in."""
    return given(key, USER, PASSWORD)


def by_sender(answers, otherwise=due):
    """An answer function: {local part of the sender: answer, or function}."""
    def answer(name, key):
        chosen = answers.get(parts(key)["sender"].partition("@")[0], otherwise)
        return chosen(name, key) if callable(chosen) else chosen
    return answer


def make(case, answer=due, users=None, **options):
    """The stand-in, and Sendmail with a next hop that knows USER."""
    stand_in = socketmap.SocketMap(case)
    stand_in.answer = answer
    gate = SendmailGate(case, stand_in.path,
                        users=DUE if users is None else users, **options)
    return stand_in, gate


def expect_repaired(gate, stand_in, mails):
    """{recipient: queue id} wait, and go out with the login afterwards."""
    stand_in.answer = due
    for recipient, mail in mails.items():
        check(not gate.gone(mail), f"mail to {recipient} is gone")
        equal(gate.got(recipient), 0, f"mail to {recipient}")
    gate.retry(*mails.values())
    for recipient in mails:
        equal(gate.got(recipient), 1, f"mail to {recipient}")
        equal(gate.login(recipient), ("PLAIN", USER), recipient)


def test_login(case):
    """With the login that is due, without where none is; two recipients, a
    null sender, senders of all sorts.  No password in log or queue."""
    log = syslog.Syslog(case)
    _, gate = make(case, by_sender({"free": lambda _, key: none(key)}),
                   log=log)
    gate.gone(gate.send("a@example.com", "b@example.com"))
    gate.gone(gate.send("c@example.com", sender=""))
    gate.gone(gate.send("d@example.com", sender="free@example.com"))
    for number, local in enumerate((
            '"a;b (c) <x> \\"q\\""', '";from:x@y"', '"a\\\\b"', "a%b!c",
            "a+b=c/d{}", "x" * 200, "a." * 90 + "a")):
        gate.gone(gate.send(f"odd{number}@example.com",
                            sender=local + "@example.com"))
        equal(gate.login(f"odd{number}@example.com"), ("PLAIN", USER), local)
    for name in "abc":
        equal(gate.login(name + "@example.com"), ("PLAIN", USER), name)
    equal(gate.login("d@example.com"), None, "where none is due")
    for secret in (PASSWORD, "cCB3Ilw8PsOp"):
        check(secret not in gate.edge.log(), "the password is in the log")


FAULTS = {
    "temp": "TEMP no", "perm": "PERM no", "notfound": "NOTFOUND ",
    "empty": "", "blank": "OK ", "word": "OK due", "other": "FOO bar",
    "octets": b"xx", "long": b"99999999999:x", "short": b"9:OK,",
    "nocomma": b"3:OK \n", "closed": socketmap.CLOSE,
    "huge": "OK " + "x" * 5000,
    "stranger": lambda name, key: due(name, key).replace("OK ", "OK x"),
}


def test_faults(case):
    """A map that fails or talks nonsense, on either question: the mail waits,
    and is not bounced."""
    late = {"late-" + name: (lambda name, key, answer=answer:
                             due(name, key) if parts(key)["due"] else
                             answer(name, key) if callable(answer) else answer)
            for name, answer in FAULTS.items()}
    late["late-again"] = lambda name, key: f"OK {parts(key)['id']} due"
    late["late-none"] = lambda name, key: (
        due(name, key) if parts(key)["due"] else none(key))
    stand_in, gate = make(case, by_sender({**FAULTS, **late}), wait=3)
    mails = {f"{name}@example.com":
             gate.send(f"{name}@example.com", sender=f"{name}@example.com")
             for name in (*FAULTS, *late)}
    for mail in mails.values():
        gate.gone(mail)
    equal(gate.known.attempts, [], "logins")
    expect_repaired(gate, stand_in, mails)


def test_hung_and_dead(case):
    """A map that says nothing, or is not there."""
    stand_in, gate = make(
        case, by_sender({"hung": socketmap.HANG, "late": lambda name, key: due(
            name, key) if parts(key)["due"] else socketmap.HANG}), wait=1)
    mails = {f"{name}@example.com":
             gate.send(f"{name}@example.com", sender=f"{name}@example.com")
             for name in ("hung", "late")}
    for mail in mails.values():
        gate.gone(mail)
    stand_in.stop()
    mails["dead@example.com"] = gate.send("dead@example.com")
    gate.gone(mails["dead@example.com"])
    stand_in.start()
    expect_repaired(gate, stand_in, mails)


def test_refused(case):
    """What the next hop says to the login is no, or later, or nothing: the
    mail waits.  Nor does one that went through help the next message."""
    _, gate = make(case)
    mails = {}
    for name, final in (
            ("no", "535 5.7.8 no"), ("never", "500 5.5.1 what?"),
            ("later", "454 4.7.0 later"), ("closing", "421 4.3.2 closing"),
            ("closed", scripted.close)):
        gate.known.final = final
        mails[name + "@example.com"] = gate.send(name + "@example.com")
        check(not gate.gone(mails[name + "@example.com"]), name)
    # the first of them may, the second not, in one process
    gate.known.final = scripted.first(
        1, "235 2.7.0 welcome", "535 5.7.8 no")
    gate.edge.run_queue()
    left = [mail for mail in mails.values() if not gate.gone(mail, tries=2)]
    equal(len(left), len(mails) - 1, "how many still wait")
    equal(len(gate.hop.messages), 1, "messages")
    gate.known.final = None
    gate.retry(*left)
    equal(len(gate.hop.messages), len(mails), "messages")


def test_without_auth(case):
    """A next hop without AUTH: what needs none goes, the rest waits."""
    _, gate = make(case, by_sender({"free": lambda _, key: none(key)}),
                   users={})
    gate.gone(gate.send("a@example.com", sender="free@example.com"))
    equal(gate.got("a@example.com"), 1, "what needs none")
    mail = gate.send("b@example.com", "c@example.com")
    check(not gate.gone(mail), "it is gone")
    equal(gate.got("b@example.com"), 0, "what needs one")
    check(not any(line.upper().startswith("RCPT") and "<b@" in line
                  for _, line in gate.hop.commands), "RCPT")


def tls_case(case, name, other, **options):
    """A login only where the certificate is good, and has that name."""
    authority = certs.Authority(case.path("ca"))
    good = authority.issue("good", names=("more.test", name))
    bad = {
        "name": authority.issue("name", names=(other,)),
        "self": authority.self_signed(),
        "expired": authority.issue("old", names=(name,), expired=True),
        "clear": None,
    }
    _, gate = make(case, by_sender({"free": lambda _, key: none(key)}),
                   tls=(authority, good), host="[localhost]", **options)
    check(gate.gone(gate.send("a@example.com")), "it waits")
    equal(gate.login("a@example.com"), ("PLAIN", USER), "with a good one")
    mails = []
    for which, pair in bad.items():
        gate.hop.use_tls(pair)
        mails.append(gate.send(f"{which}@example.com"))
        check(not gate.gone(mails[-1]), which)
        check(gate.gone(gate.send("b@example.com",
                                  sender="free@example.com")), which)
    equal(len(gate.known.attempts), 1, "logins")
    gate.hop.use_tls(good)
    gate.retry(*mails)
    for which in bad:
        equal(gate.login(f"{which}@example.com"), ("PLAIN", USER), which)


def test_tls(case):
    """The name is that of the route: what DNS makes of it does not count."""
    tls_case(case, "localhost", "localhost.test")


def test_tls_of_server(case):
    """The server's, when told so; a wildcard will do."""
    tls_case(case, "*.test", "*.localhost.test", names="verify")


def test_tls_in_turn(case):
    """One process that delivers to the same host over and over: what the last
    connection had does not count for the next."""
    authority = certs.Authority(case.path("ca"))
    pairs = {name: authority.issue(name, names=(name,))
             for name in ("localhost", "other.test")}
    turns = iter(("other.test", None, "localhost"))
    _, gate = make(case, tls=(authority, pairs["localhost"]),
                   host="[localhost]", mode="queueonly")

    def leave(_session, _line):
        gate.hop.use_tls(pairs.get(next(turns, "localhost")))
        return "221 2.0.0 Bye"

    gate.hop.steps["quit"] = leave
    mails = [gate.send(f"u{number}@example.com") for number in range(4)]
    gate.edge.run_queue()
    for mail in mails:
        gate.gone(mail)
    equal(len(gate.known.attempts), 2, "logins")
    equal(len(gate.hop.messages), 2, "messages")


def test_kept_connection(case):
    """Sendmail that keeps connections, against the rule set's wish: what
    comes next on one of them is not sent as another."""
    authority = certs.Authority(case.path("ca"))
    good = authority.issue("good", names=("localhost",))
    stand_in, gate = make(
        case, by_sender({"free": lambda _, key: none(key)}),
        tls=(authority, good), host="[localhost]", mode="queueonly",
        behind=["define(`confMCI_CACHE_SIZE', `2')dnl"])
    mails = {f"u{number}@example.com": gate.send(
        f"u{number}@example.com", sender=f"{sender}@example.com")
        for number, sender in enumerate(("me", "free", "you"))}
    gate.edge.run_queue()
    for mail in mails.values():
        gate.gone(mail)
    for recipients, _ in gate.hop.messages:
        equal(gate.login(recipients[0]),
              None if recipients == ["u1@example.com"] else ("PLAIN", USER),
              recipients)
    check(any(parts(key)["sender"].startswith("free@")
              for _, key in stand_in.asked) or
          gate.got("u1@example.com") == 0, "nobody asked for it")


def test_kept_in_clear(case):
    """The same without TLS."""
    _, gate = make(
        case, by_sender({"free": lambda _, key: none(key)}),
        mode="queueonly", behind=["define(`confMCI_CACHE_SIZE', `2')dnl"])
    for sender in ("free", "me", "free", "me"):
        gate.send(f"{sender}@example.org", sender=f"{sender}@example.com")
    gate.edge.run_queue()
    wait_for(lambda: gate.hop.messages and gate.hop.open == 0,
             "the queue run")
    users = {}  # whether somebody has logged in, by session
    for number, line in gate.hop.commands:
        verb = line.upper().split()[0]
        if verb == "AUTH":
            users[number] = True
        elif verb == "RCPT":
            equal(users.get(number, False), "<me@" in line, line)


def expect_names(case, mode):
    """Envelopes that Sendmail has split tell where they are from; a bounce
    tells so, too, and is known by its sender."""
    queue = case.path("sendmail", "queue")
    stand_in, gate = make(
        case, mode=mode, lines=[f"QUEUE_GROUP(`mqueue', `P={queue}, r=1')dnl"])
    gate.hop.recipients["no@example.com"] = "550 5.1.1 no"
    mail = gate.send("a@example.com", "no@example.com")
    if mode == "queueonly":
        gate.edge.run_queue()
    wait_for(lambda: gate.got("a@example.com") and gate.got("me@example.com"),
             "mail and bounce", 30)
    asked = [parts(key) for _, key in stand_in.asked]
    equal({part["msg"] for part in asked}, {mail}, "msg:")
    equal(len({part["id"] for part in asked}), 3, "how many id:")
    equal(len({part["id"] for part in asked if "@" in part["sender"]}), 2,
          "how many id: with a sender")


def test_names(case):
    """As it comes in."""
    expect_names(case, "background")


def test_names_queued(case):
    """Out of the queue."""
    expect_names(case, "queueonly")


def test_one_process(case):
    """-odi: one process that takes mail and delivers it, more than once."""
    _, gate = make(case, by_sender({"free": lambda _, key: none(key)}),
                   mode="interactive")
    finals = [None, "535 5.7.8 no", None]
    with smtpclient.Client(gate.edge.port, helo="client.test") as client:
        for number, sender in enumerate(("me", "me", "me", "free")):
            gate.known.final = (finals + [None])[number]
            client.mail(f"{sender}@example.com")
            client.rcpt(f"u{number}@example.com")
            equal(client.data().code, 250, "the message")
    equal([gate.got(f"u{number}@example.com") for number in range(4)],
          [1, 0, 1, 1], "what has got through")
    equal(gate.login("u3@example.com"), None, "where none is due")


def test_beside_other_features(case):
    """Behind access_db and authinfo, whose maps know nothing, the rule set is
    still asked; and what they would give is not used."""
    _, gate = make(case, lines=[
        f"FEATURE(`access_db', `hash -T<TMPF> -o {case.path('access')}')dnl",
        f"FEATURE(`authinfo', `hash -o {case.path('authinfo')}')dnl"])
    check(gate.gone(gate.send("a@example.com")), "it waits")
    equal(gate.login("a@example.com"), ("PLAIN", USER), "who")


LMTP = """#!/bin/sh
echo 220 local
while read -r line; do
	case $line in
	[Dd][Aa][Tt][Aa]*)
		echo 354 go on
		while read -r line; do
			case $line in .|.?) break ;; esac
		done
		echo taken >>{taken}
		echo 250 2.0.0 taken ;;
	[Qq]*) echo 221 bye; exit ;;
	*) echo 250 ok ;;
	esac
done
"""


def test_local_mail(case):
    """Mail for a program that speaks LMTP needs no answer of Postern's."""
    taken = case.write("taken", "", 0o666)
    program = case.write("lmtp", LMTP.format(taken=taken), 0o755)
    stand_in, gate = make(case, lines=[
        f"FEATURE(`local_lmtp', `{program}', `lmtp')dnl"])
    stand_in.stop()
    check(gate.gone(gate.send("root@edge.test")), "it waits")
    with open(taken, encoding="ascii") as file:
        equal(file.read(), "taken\n", "the mailbox")
