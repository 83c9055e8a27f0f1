# SPDX-License-Identifier: BSD-2-Clause
"""Credentials that a message brings with it, under Sendmail: a peer's, a
client's, a policy's; from the milter to postern-authd, and by the queue id to
the rule set."""
import os

from harness import scripted, smtpclient, syslog
from harness.authd import Authd
from harness.case import check, contains, equal, wait_for
from harness.daemon import Milter
from harness.front_gate import Inetd
from harness.gate import route
from harness.outbound_sendmail import SendmailGate, queue_id, send_in

PLAIN, ANN, BINDING, CLIENT, HALF = (f"127.0.0.{n}" for n in range(2, 7))
USERS = {"ann": "anns:secret", "bob": 'bobs"secret', "a": "as_secret",
         "everybody": "common_secret"}

CONF = f"""
outbound_smtp_auth {{
    nexthops = {{"[127.0.0.1]"}}
    outbound_smtp_auth_user = "everybody"
    outbound_smtp_auth_pass = "{USERS["everybody"]}"
    outbound_smtp_auth_type = "PLAIN"
    message_credentials = true
}}
binding "a" {{
    nexthops = {{"[127.0.0.1]"}}
    outbound_smtp_auth_user = "a"
    outbound_smtp_auth_pass = "{USERS["a"]}"
    outbound_smtp_auth_type = "LOGIN"
}}
"""
PEERS = f"""
peer "{ANN}/32" {{ context = {{"outbound_smtp_auth_user=ann",
    "outbound_smtp_auth_pass={USERS["ann"]}",
    "outbound_smtp_auth_type=LOGIN"}} }}
peer "{BINDING}/32" {{ context = {{"binding=a"}} }}
peer "{HALF}/32" {{ context = {{"outbound_smtp_auth_user=ann"}} }}
peer "{CLIENT}/32" {{
    smtp_extensions = {{"XSETCONTEXT"}}
    setcontext_names = {{"outbound_smtp_auth_*", "binding"}}
}}
"""


class MessageGate(SendmailGate):
    """Sendmail with the milter in front and postern-authd behind."""

    def __init__(self, case, **options):
        self.case = case
        self.authd = Authd(case, CONF, user="smmta")
        self.milter = Milter(case, self.conf())
        self.log = syslog.Syslog(case)
        super().__init__(case, self.authd.outbound, USERS, log=self.log,
                         milter=self.milter.socket, **options)

    def conf(self, text=CONF):
        """The milter's."""
        return ('relay_hosts = {"127.0.0.0/8"}\n' + PEERS +
                f'authd {{ control = "unix:{self.authd.control}" }}\n' + text)

    def front(self):
        """A client that may say XSETCONTEXT, and send to who has a route."""
        store = scripted.Scripted(self.case)
        store.other = "250 2.1.5 Ok"
        self.milter.restart(
            self.conf() + route(store.port) + "front { next = "
            f'"127.0.0.1:{self.edge.port}" xclient = "no" }}')
        control = os.path.join(self.milter.dir, "milter.ctl")
        wait_for(lambda: self.milter.listens(control), "its control socket")
        inetd = Inetd(self.case, [
            os.path.join(self.case.build, "front/postern-front"), "-c",
            self.milter.conf_file], self.case.path("front.log"))
        return smtpclient.Client(inetd.port, source=CLIENT,
                                 helo="client.test")

    def expect(self, mail, recipient, want):
        """It leaves, with that login."""
        check(self.gone(mail), f"mail to {recipient} waits")
        equal(self.login(recipient), want, recipient)

    def no_secret(self):
        """No password in a log, or in what Sendmail has kept."""
        queue = os.path.join(self.edge.dir, "queue")
        texts = [self.milter.log(), self.authd.log(), self.edge.log()]
        for name in os.listdir(queue):
            with open(os.path.join(queue, name), encoding="utf-8",
                      errors="replace") as file:
                texts.append(file.read())
        for secret in USERS.values():
            check(not any(secret in text for text in texts), secret)


def refused(gate, source, why):
    """The client keeps its message, and the log says why."""
    with smtpclient.Client(gate.edge.port, source=source,
                           helo="client.test") as client:
        done = send_in(client, "no@example.com")
    equal((done.code, done.enhanced), (451, "4.7.0"), f"the reply ({done!r})")
    line = gate.milter.decision("outbound: ", "verdict=defer")
    contains(line["reason"], why, "reason=")
    equal(gate.got("no@example.com"), 0, "what was refused")


def test_peers(case):
    """By the client's address: user, password and type; a binding; nothing.
    To several recipients, of whom one has a file of his own in the queue, and
    one is refused: his bounce is nobody's but Sendmail's."""
    queue = case.path("sendmail", "queue")
    gate = MessageGate(
        case, lines=[f"QUEUE_GROUP(`mqueue', `P={queue}, r=1')dnl"])
    gate.hop.recipients["no@example.com"] = "550 5.1.1 no"
    gate.expect(gate.send("a@example.com", source=PLAIN), "a@example.com",
                ("PLAIN", "everybody"))
    gate.expect(gate.send("b@example.com", source=BINDING), "b@example.com",
                ("LOGIN", "a"))
    mail = gate.send("c@example.com", "d@example.com", "no@example.com",
                     source=ANN)
    wait_for(lambda: all(gate.got(f"{name}@example.com") for name in
                         ("c", "d", "me")), "all three, and the bounce", 30)
    for name, want in (("c", ("LOGIN", "ann")), ("d", ("LOGIN", "ann")),
                       ("no", ("LOGIN", "ann")),
                       ("me", ("PLAIN", "everybody"))):
        equal(gate.login(f"{name}@example.com"), want, name)
    line = gate.milter.decision("outbound: ", f"id={mail}")
    equal((line["user"], line["type"], line["verdict"]),
          ("ann", "LOGIN", "kept"), "the milter's log")
    line = gate.authd.decision("outbound: ", f"id={mail}", "user=<ann>")
    equal((line["scope"], line["verdict"]), ("message", "given"), "the log")
    gate.no_secret()


def test_client(case):
    """XSETCONTEXT: one session, message after message."""
    gate = MessageGate(case)
    user, password, kind = (
        f"XSETCONTEXT outbound_smtp_auth_{name}=" for name in
        ("user", "pass", "type"))
    with gate.front() as client:
        for number, (lines, want) in enumerate((
                ((), ("PLAIN", "everybody")),
                ((user + "bob", password + "bobs+22secret", kind + "PLAIN"),
                 ("PLAIN", "bob")),
                ((user + "ann", password + "anns:secret", kind + "LOGIN"),
                 ("LOGIN", "ann")),
                ((user + "false", password, kind), ("PLAIN", "everybody")),
                (("XSETCONTEXT binding=a",), ("LOGIN", "a")))):
            for line in lines:
                equal(client.command(line).code, 250, line)
            recipient = f"u{number}@example.com"
            gate.expect(queue_id(send_in(client, recipient)), recipient, want)
    gate.no_secret()


def test_refused(case):
    """What cannot be kept is not taken."""
    gate = MessageGate(case)
    refused(gate, HALF, "without outbound_smtp_auth_pass")
    gate.authd.kill()
    refused(gate, ANN, "Connection refused")
    gate.authd.start()
    gate.expect(gate.send("a@example.com", source=ANN), "a@example.com",
                ("LOGIN", "ann"))
    gate.milter.restart(gate.conf(
        CONF.replace("message_credentials = true", "")))
    refused(gate, ANN, "message_credentials is off")
    gate.no_secret()


def test_lost(case):
    """postern-authd is another one by the time of the delivery: what it had
    in memory is lost, and the message waits, whoever would send it else."""
    gate = MessageGate(case, mode="queueonly")
    lost = gate.send("lost@example.com", source=ANN)
    binding = gate.send("binding@example.com", source=BINDING)
    other = gate.send("other@example.com", source=PLAIN)
    gate.authd.kill()
    gate.authd.start()
    kept = gate.send("kept@example.com", source=ANN)
    gate.edge.run_queue()
    for mail in (lost, binding):
        check(not gate.gone(mail), f"{mail} is gone")
    gate.expect(other, "other@example.com", ("PLAIN", "everybody"))
    gate.expect(kept, "kept@example.com", ("LOGIN", "ann"))
    for name in ("lost", "binding"):
        equal(gate.got(f"{name}@example.com"), 0, name)
    # one of them; the other's line is held back
    line = gate.authd.decision("outbound: ", "verdict=defer")
    check(line["id"] in (lost, binding), "the log")
    gate.no_secret()
