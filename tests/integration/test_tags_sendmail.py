# SPDX-License-Identifier: BSD-2-Clause
"""Headers from contexts on a Sendmail edge: tags, Authentication-Results."""
from harness import (auth_gate, logins, mta_sendmail, sasl, scripted,
                     scripted_auth, smtpclient, syslog, tagged)
from harness.authd import Authd
from harness.case import equal, wait_for
from harness.daemon import Milter
from harness.gate import route


class Tagged:
    """An edge whose mail goes on to a scripted server that knows ann."""

    def __init__(self, case, conf, **options):
        self.log = syslog.Syslog(case)
        self.upstream = scripted.Scripted(case)
        for name in ("ann@example.com", "ann@sub.example.com"):
            self.upstream.recipients[name] = "250 2.1.5 Ok"
        self.milter = Milter(case, route(self.upstream.port) + conf)
        self.edge = mta_sendmail.Sendmail(
            case, self.upstream.port, self.log, self.milter.socket,
            **options)
        self.port = self.edge.port


def test_tags(case):
    """Tags from the context; copies that the client made up never pass."""
    gate = Tagged(case, tagged.CONF)
    tagged.check_tags(gate)
    line = gate.milter.decision("tag: ", "header=X-Tenant")
    equal((line["client"], line["removed"]), (tagged.STRANGER, "2"),
          "the log")


def test_odd_headers(case):
    """What looks like a header and may be none."""
    tagged.check_odd(Tagged(case, tagged.CONF))


def test_values(case):
    """Any text arrives as it was set."""
    tagged.check_values(Tagged(case, tagged.CONF))


def test_many_copies(case):
    """A bound on what is removed."""
    tagged.check_many(Tagged(case, tagged.CONF))


def test_results(case):
    """Authentication-Results without a login, and forged ones."""
    tagged.check_results(
        Tagged(case, "authentication_results = true"), "edge.test")


def test_results_of_auth(case):
    """AUTH by the plug-in, then a message; a refused login is none."""
    upstream = scripted.Scripted(case)
    scripted_auth.Passwords(upstream, {"ann@example.org": "correct horse"})
    authd = Authd(case, auth_gate.route(upstream.port), user="smmta")
    gate = Tagged(
        case, "authentication_results = true",
        sasl=("PLAIN LOGIN", f"postern_socket: {authd.path}\n"
              "mech_list: PLAIN LOGIN\n", sasl.plugins(case)))
    for password, code, want in (
            ("wrong", 535, "edge.test; auth=none"),
            ("correct horse", 235,
             "edge.test; auth=pass (LOGIN) smtp.auth=ann@example.org")):
        count = len(gate.upstream.messages)
        with smtpclient.Client(gate.port, helo="client.test") as client:
            equal(logins.login(client, "ann@example.org", password).code,
                  code, "AUTH")
            client.mail()
            client.rcpt("ann@example.com")
            equal(client.data(
                "Authentication-Results: edge.test; auth=pass\r\n"
                "\r\nHello.\r\n").code, 250, "the message")
        wait_for(lambda: len(gate.upstream.messages) > count, "it to arrive")
        found = tagged.values(gate.upstream.messages[-1][1],
                              "Authentication-Results")
        equal([" ".join(value.split()) for value in found], [want],
              f"after {code}")


def test_binding(case):
    """The binding's header is added where no recipient has a route, and
    forged ones are removed; Sendmail itself does nothing with it."""
    gate = Tagged(case, f"""
binding "a" {{ }}
peer "{tagged.TENANT}" {{ context = {{"binding=a"}} }}
""")
    forged = ["X-Postern-Binding: b", "x-postern-binding : c"]
    for address, recipient, want in (
            (tagged.TENANT, "ann@sub.example.com", ["a"]),
            (tagged.TENANT, "ann@example.com", []),
            (tagged.STRANGER, "ann@sub.example.com", [])):
        text = tagged.send(gate, forged, address, recipient=recipient)
        equal(tagged.values(text, "X-Postern-Binding"), want,
              f"{address} to {recipient}")


def test_bypass(case):
    """__bypass_smtp_rcptto_proxy of a peer lets unknown recipients pass."""
    gate = Tagged(case, f"""
peer "{tagged.TENANT}" {{ context = {{"__bypass_smtp_rcptto_proxy=true"}} }}
""")
    for address, want in ((tagged.TENANT, 250), (tagged.STRANGER, 550)):
        equal(smtpclient.ask(gate.port, "nobody@example.com",
                             source=address).code, want, address)
