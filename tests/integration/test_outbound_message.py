# SPDX-License-Identifier: BSD-2-Clause
"""Credentials and bindings that a message brings with it.  On a Postfix edge
what cannot be carried is not taken, and a binding chooses a transport; on a
Sendmail edge they are handed over before the message is taken."""
import os
import socket
import threading

from harness import (mta_sendmail, scripted, smtpclient, syslog, tagged)
from harness.case import check, contains, equal, wait_for
from harness.front_gate import PostfixFront, TRUSTED
from harness.daemon import Milter
from harness.gate import Gate, route

PASS = "hush4321"
NAMES = ("outbound_smtp_auth_user", "outbound_smtp_auth_pass",
         "outbound_smtp_auth_type", "outbound_smtp_auth_key")
PEERS = f"""
peer "{TRUSTED}/32" {{
    smtp_extensions = {{"XSETCONTEXT", "XDUMPCONTEXT", "XREMOTEIP"}}
    setcontext_names = {{"outbound_smtp_auth_*", "binding", "tenant"}}
}}
"""


def within(directory, octets):
    """Whether a file below a directory has these octets."""
    for where, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(where, name)
            if not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                if octets in file.read():
                    return True
    return False


class Edge(PostfixFront):
    """Two bindings with a transport each, and postern-front.  Recipients in
    example.com have a route, all others go to the upstream without one."""

    def __init__(self, case, conf="", peers=PEERS):
        self.behind = {name: scripted.Scripted(case) for name in "ab"}
        for server in self.behind.values():
            server.other = "250 2.1.5 Ok"
        checks = case.write("binding.pcre", "".join(
            f"/^X-Postern-Binding: +({name})$/ "
            f"FILTER binding-$1:[127.0.0.1]:{server.port}\n"
            for name, server in self.behind.items()))
        hide = case.write("hide.pcre", "/^X-Postern-Binding:/ IGNORE\n")
        super().__init__(
            case, 'log_level = "debug"\nbinding "a" { }\nbinding "b" { }\n'
            + conf, peers=peers, milter_header_checks="pcre:" + checks,
            smtp_header_checks="pcre:" + hide,
            relay_domains="example.com example.net")
        self.upstream.recipients["ann@example.net"] = "250 2.1.5 Ok"
        self.edge.stop()
        with open(self.edge.dir + "/conf/master.cf", "a",
                  encoding="ascii") as file:
            file.write("binding-a unix - - y - - smtp\n"
                       "binding-b unix - - y - - smtp\n")
        self.edge.start()

    def places(self):
        """The messages that have arrived, by server."""
        return {"": len(self.upstream.messages),
                **{name: len(server.messages)
                   for name, server in self.behind.items()}}

    def arrived(self, client, *recipients):
        """Send a message; returns where it arrived, "" for the upstream."""
        before = self.places()
        client.mail()
        for recipient in recipients:
            equal(client.rcpt(recipient).code, 250, "RCPT")
        done = client.data("X-Postern-Binding: b\r\n\r\nHello.\r\n")
        equal(done.code, 250, f"the message ({done!r})")
        found = wait_for(
            lambda: [name for name, count in self.places().items()
                     if count > before[name]], "the message to arrive", 30)
        equal(len(found), 1, f"where it arrived ({found})")
        server = self.behind.get(found[0], self.upstream)
        equal(tagged.values(server.messages[-1][1], "X-Postern-Binding"), [],
              "the header behind")
        return found[0]

    def no_secret(self):
        """The password is in no log, and in nothing that Postfix keeps."""
        for log in (self.milter.log(), self.front_log(), self.edge.log()):
            check(PASS not in log, "the password in a log")
        check(not within(self.edge.queue, PASS.encode()),
              "the password in Postfix's queue")


def refused(client, recipient="ann@example.net"):
    """A message is deferred at its end."""
    client.mail()
    equal(client.rcpt(recipient).code, 250, "RCPT")
    done = client.data("Subject: x\r\n\r\nHello.\r\n")
    equal((done.code, done.enhanced), (451, "4.7.0"), f"the reply ({done!r})")
    for word in ("postern", "outbound", "password", "auth"):
        check(word not in done.text.lower(), f"the text says {word}")


def test_refused(case):
    """A peer's credentials: the client keeps the message, and when they are
    gone it is taken."""
    upstream = scripted.Scripted(case)
    upstream.recipients["ann@example.com"] = "250 2.1.5 Ok"
    conf = route(upstream.port)
    off, on = "", "outbound_smtp_auth { message_credentials = true }\n"
    gate = Gate(case, conf, upstream.port)
    for name in NAMES:
        value = PASS if name.endswith("_pass") else "x"
        for more in (off, on):
            gate.milter.restart(conf + more + f"""
peer "{tagged.TENANT}" {{ context = {{"{name}={value}"}} }}
peer "{tagged.STRANGER}" {{ context = {{"{name}=false"}} }}
""")
            with smtpclient.Client(gate.port, source=tagged.TENANT,
                                   helo="client.test") as client:
                refused(client, "ann@example.com")
            line = gate.milter.decision("outbound: ", "verdict=defer")
            equal(line["client"], tagged.TENANT, "client=")
            equal(line["from"], "<ann@sender.test>", "from=")
            contains(line["reason"], "Postfix", "reason=")
            contains(line["reason"], name, "reason=")
            gate.edge.wait_log(line["id"], "milter-reject")
            wait_for(lambda: "queue is empty" in gate.edge.command(
                "postqueue", "-p").stdout, "the queue to be empty")
            count = len(upstream.messages)
            with smtpclient.Client(gate.port, source=tagged.STRANGER,
                                   helo="client.test") as client:
                client.mail()
                client.rcpt("ann@example.com")
                equal(client.data().code, 250, "without one")
            wait_for(lambda n=count: len(upstream.messages) > n,
                     "it to arrive")
            equal(len(upstream.messages), count + 1, "messages")
        check(PASS not in gate.milter.log() + gate.edge.log(),
              "the password in a log")
    check(not within(gate.edge.queue, PASS.encode()), "it is in the queue")


def test_refused_by_a_client(case):
    """XSETCONTEXT: the same, until the client unsets them."""
    gate = Edge(case)
    with gate.client() as client:
        equal(gate.arrived(client, "ann@example.net"), "", "before")
        gate.set(client, f"{NAMES[0]}=ann", f"{NAMES[1]}={PASS}")
        dump = gate.dump(client)[0]
        equal((dump[NAMES[0]], dump[NAMES[1]]), ("ann", "********"),
              "XDUMPCONTEXT")
        refused(client)
        line = gate.milter.decision("outbound: ", "verdict=defer")
        contains(line["reason"], ", ".join(NAMES[:2]), "reason=")
        equal(line["user"], "ann", "user=")
        # a binding beside it does not help
        gate.set(client, "binding=a")
        refused(client)
        gate.set(client, f"{NAMES[0]}=false")
        refused(client)
        gate.set(client, f"{NAMES[1]}=")
        equal(gate.arrived(client, "ann@example.net"), "a", "afterwards")
        # changed by the client between two addresses it passes for
        gate.set(client, f"{NAMES[1]}={PASS}")
        equal(client.command("XREMOTEIP 192.0.2.33").code, 250, "XREMOTEIP")
        refused(client)
        for bad in ("=G", f"{NAMES[1]}={PASS}+0A", f"{NAMES[1]}={PASS}+",
                    f"{NAMES[1]}=" + PASS + 2000 * "x",
                    f"{NAMES[1]}={PASS}=", f"auth_user={PASS}"):
            reply = client.command("XSETCONTEXT " + bad)
            check(reply.code >= 500 and PASS not in repr(reply),
                  f"the reply to {bad}: {reply!r}")
    gate.milter.wait_log("extension: ", "name=" + NAMES[1],
                         "value=********")
    gate.no_secret()


def test_binding_by_a_client(case):
    """XSETCONTEXT through the front chooses a transport for what follows,
    but for recipients with a route, which go where they belong."""
    gate = Edge(case)
    with gate.client() as client:
        for name in ("a", "b", "a"):
            gate.set(client, "binding=" + name)
            equal(gate.arrived(client, "ann@example.net"), name, "binding")
        equal(gate.arrived(client, "ann@example.com"), "", "with a route")
        gate.milter.decision("tag: ", "value=a", "added=0")
        equal(gate.arrived(client, "ann@example.net", "ann@example.com"), "",
              "both")
        equal(gate.arrived(client, "ann@example.net"), "a", "the next one")
        # the choice may come after the recipients
        client.mail()
        equal(client.rcpt("ann@example.net").code, 250, "RCPT")
        gate.set(client, "binding=b")
        count = len(gate.behind["b"].messages)
        equal(client.data().code, 250, "the message")
        wait_for(lambda: len(gate.behind["b"].messages) > count,
                 "it to arrive at b")
        client.mail()
        equal(client.rcpt("bob@example.com").code, 250, "RCPT")
        gate.set(client, "binding=a")
        count = len(gate.upstream.messages)
        equal(client.data().code, 250, "the message")
        wait_for(lambda: len(gate.upstream.messages) > count,
                 "it to arrive upstream")
        gate.set(client, "binding=")
        equal(gate.arrived(client, "ann@example.net"), "", "unset")
        gate.set(client, "binding=a-b")
        client.mail()
        client.rcpt("ann@example.net")
        equal(client.data().code, 451, "no word")
    with gate.stranger() as client:
        check(client.command("XSETCONTEXT binding=a").code >= 500,
              "a stranger set it")


def test_tags_by_a_client(case):
    """Headers of what a client has set through the front, in the message
    and nowhere else; forged ones go."""
    gate = Edge(case, 'tag "X-Tenant" { variable = "tenant" }\n'
                'tag "X-User" { variable = "ehlo_string" }\n')
    with gate.client() as client:
        for value, want in (("acme", ["acme"]), ("gr+C3+BC+C3+9F", ["grüß"]),
                            ("", []), ("a+20b", ["a b"])):
            gate.set(client, "tenant=" + value)
            count = len(gate.upstream.messages)
            client.mail()
            client.rcpt("ann@example.com")
            equal(client.data("X-Tenant: forged\r\nSubject: x\r\n\r\n"
                              "Hello.\r\n").code, 250, "the message")
            wait_for(lambda n=count: len(gate.upstream.messages) > n,
                     "it to arrive")
            text = gate.upstream.messages[-1][1]
            equal(tagged.values(text, "X-Tenant"), want, "X-Tenant")
            equal(tagged.values(text, "X-User"), ["EHLO client.test"],
                  "X-User")
    with gate.stranger() as client:
        client.mail()
        client.rcpt("ann@example.com")
        count = len(gate.upstream.messages)
        equal(client.data("X-Tenant: forged\r\n\r\nHello.\r\n").code, 250,
              "a stranger's message")
        wait_for(lambda: len(gate.upstream.messages) > count, "it to arrive")
        equal(tagged.values(gate.upstream.messages[-1][1], "X-Tenant"), [],
              "a stranger's")


class Control:
    """In place of postern-authd's control socket."""

    def __init__(self, case):
        self.path = case.path("authd.ctl")
        self.requests = []
        self.answer = "ok\n"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        os.chmod(self.path, 0o666)  # the milter is no root
        self._listener.listen(8)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            client, _ = self._listener.accept()
            with client, client.makefile("rw", encoding="ascii") as stream:
                self.requests.append(stream.readline().rstrip("\n"))
                stream.write(self.answer)


class SendmailEdge:
    """A Sendmail edge, a milter, and who is told of credentials."""

    def __init__(self, case, conf):
        self.control = Control(case)
        self.log = syslog.Syslog(case)
        self.upstream = scripted.Scripted(case)
        self.upstream.recipients["ann@example.com"] = "250 2.1.5 Ok"
        self.milter = Milter(
            case, 'log_level = "debug"\n' + route(self.upstream.port) + conf +
            f'authd {{ control = "unix:{self.control.path}" }}\n')
        self.edge = mta_sendmail.Sendmail(
            case, self.upstream.port, self.log, self.milter.socket)
        self.port = self.edge.port

    def client(self, address=tagged.TENANT):
        """A session."""
        return smtpclient.Client(self.port, source=address,
                                 helo="client.test")


def test_sendmail(case):
    """The queue id is known to be Sendmail's, and is the one that delivery
    will have; what is not taken over defers the message."""
    gate = SendmailEdge(case, f"""
outbound_smtp_auth {{ message_credentials = true }}
peer "{tagged.TENANT}" {{ context = {{"{NAMES[0]}=ann smith",
    "{NAMES[1]}={PASS}", "binding=a"}} }}
peer "127.0.0.4" {{ context = {{"binding=b"}} }}
""")
    for address, want in (
            (tagged.TENANT, f"user=ann+20smith pass={PASS} binding=a"),
            ("127.0.0.4", "binding=b")):
        with gate.client(address) as client:
            for _ in range(2):
                count = len(gate.upstream.messages)
                client.mail()
                client.rcpt("ann@example.com")
                done = client.data("Subject: x\r\n\r\nHello.\r\n")
                equal(done.code, 250, f"the message ({done!r})")
                queue_id = done.text.split()[1]
                equal(gate.control.requests[-1],
                      f"outbound put {queue_id} {want}", "the request")
                wait_for(lambda n=count: len(gate.upstream.messages) > n,
                         "it to arrive")
                gate.milter.wait_log("outbound: ", f"id={queue_id}",
                                     "verdict=kept")
    equal(len(gate.control.requests), 4, "requests")
    with gate.client(tagged.STRANGER) as client:
        client.mail()
        client.rcpt("ann@example.com")
        equal(client.data().code, 250, "one without")
    equal(len(gate.control.requests), 4, "requests after one without")
    gate.control.answer = "error: too many messages\n"
    with gate.client() as client:
        refused(client, "ann@example.com")
    line = gate.milter.decision("outbound: ", "verdict=defer")
    contains(line["reason"], "too many messages", "reason=")
    wait_for(lambda: len(gate.upstream.messages) == 5, "five messages")
    check(PASS not in gate.milter.log() + gate.log.log(),
          "the password in a log")


def test_sendmail_off(case):
    """Without message_credentials nothing is handed over."""
    gate = SendmailEdge(case, f"""
peer "{tagged.TENANT}" {{ context = {{"{NAMES[0]}=ann",
    "{NAMES[1]}={PASS}"}} }}
""")
    with gate.client() as client:
        refused(client, "ann@example.com")
    line = gate.milter.decision("outbound: ", "verdict=defer")
    contains(line["reason"], "message_credentials is off", "reason=")
    equal((gate.control.requests, gate.upstream.messages), ([], []), "nobody")
