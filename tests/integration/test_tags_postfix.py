# SPDX-License-Identifier: BSD-2-Clause
"""Headers from contexts on a Postfix edge: tags, Authentication-Results, and
the binding that chooses a transport."""
from harness import (auth_gate, logins, mta_postfix, scripted, scripted_auth,
                     smtpclient, tagged)
from harness.authd import Authd
from harness.case import check, contains, equal, wait_for
from harness.daemon import Milter
from harness.gate import Gate, route

XCLIENT = {"smtpd_authorized_xclient_hosts": "127.0.0.0/8"}


class Tagged(Gate):
    """An edge whose mail goes on to a scripted server that knows ann."""

    def __init__(self, case, conf, **settings):
        self.upstream = scripted.Scripted(case)
        for name in ("ann@example.com", "ann@example.net"):
            self.upstream.recipients[name] = "250 2.1.5 Ok"
        super().__init__(case, route(self.upstream.port) + conf,
                         self.upstream.port, **settings)


def test_tags(case):
    """Tags from the context; copies that the client made up never pass."""
    gate = Tagged(case, tagged.CONF)
    tagged.check_tags(gate)
    line = gate.milter.decision("tag: ", "header=X-Tenant")
    equal((line["client"], line["removed"]), (tagged.STRANGER, "2"),
          "the log")
    check(line["id"] in gate.edge.log(), "the queue id is not Postfix's")


def test_odd_headers(case):
    """What looks like a header and may be none."""
    tagged.check_odd(Tagged(case, tagged.CONF))


def test_values(case):
    """Any text arrives as it was set."""
    tagged.check_values(Tagged(case, tagged.CONF))


def test_many_copies(case):
    """A bound on what is removed."""
    tagged.check_many(Tagged(case, tagged.CONF))


def test_chunking(case):
    """Headers that come in pieces, by BDAT."""
    gate = Tagged(case, tagged.CONF)
    with smtpclient.Client(gate.port, source=tagged.TENANT,
                           helo="client.test") as client:
        contains(client.keywords, "CHUNKING", "the keywords")
        client.mail()
        client.rcpt("ann@example.com")
        for part, last in (("X-Ten", ""), ("ant: forged\r\nx-TENANT", ""),
                           (": forged\r\n\r\nHello.\r\n", " LAST")):
            client.send(f"BDAT {len(part)}{last}\r\n{part}")
            equal(client.reply().code, 250, "BDAT")
    wait_for(lambda: gate.upstream.messages, "the message to arrive")
    equal(tagged.values(gate.upstream.messages[0][1], "X-Tenant"), ["acme"],
          "X-Tenant")


def test_messages_of_a_session(case):
    """Each message of a session has its own headers counted, also behind one
    that was given up, and one whose recipients are refused."""
    gate = Tagged(case, tagged.CONF)
    forged = "X-Tenant: forged\r\n"
    with smtpclient.Client(gate.port, source=tagged.TENANT,
                           helo="client.test") as client:
        for copies in (3, 0, 1, 2):
            client.mail()
            client.command("RSET")
            client.mail()
            equal(client.rcpt("nobody@example.com").code, 550, "nobody")
            equal(client.rcpt("ann@example.com").code, 250, "ann")
            client.data(forged * copies + "Subject: x\r\n\r\nHello.\r\n")
    wait_for(lambda: len(gate.upstream.messages) == 4, "four messages")
    for _, text in gate.upstream.messages:
        equal(tagged.values(text, "X-Tenant"), ["acme"], "X-Tenant")


def test_reload(case):
    """A session goes on as it began; the next one has what is new."""
    gate = Tagged(case, "")
    forged = "X-Tenant: forged\r\n\r\nHello.\r\n"
    with smtpclient.Client(gate.port, source=tagged.TENANT,
                           helo="client.test") as client:
        client.mail()
        gate.milter.configure(route(gate.upstream.port) + tagged.CONF)
        equal(gate.milter.posternctl("reload").returncode, 0, "reload")
        client.rcpt("ann@example.com")
        equal(client.data(forged).code, 250, "a message")
        wait_for(lambda: gate.upstream.messages, "it to arrive")
        equal(tagged.values(gate.upstream.messages[0][1], "X-Tenant"),
              ["forged"], "without tags")
        text = tagged.send(gate, ["X-Tenant: forged"])
        equal(tagged.values(text, "X-Tenant"), ["acme"], "with tags")
    with smtpclient.Client(gate.port, source=tagged.TENANT,
                           helo="client.test") as client:
        client.mail()
        gate.milter.configure(route(gate.upstream.port))
        equal(gate.milter.posternctl("reload").returncode, 0, "reload")
        client.rcpt("ann@example.com")
        equal(client.data(forged).code, 250, "a message")
    wait_for(lambda: len(gate.upstream.messages) == 3, "it to arrive")
    # its client was known after the reload, so it has no context
    equal(tagged.values(gate.upstream.messages[2][1], "X-Tenant"), [],
          "the session that began with tags")


def test_bypass(case):
    """__bypass_smtp_rcptto_proxy of a peer: unknown recipients pass, for
    that peer alone, and are shown as skipped."""
    gate = Tagged(case, f"""
tag "X-Result" {{ variable = "smtp_rcptto_proxy_result" }}
peer "{tagged.TENANT}" {{ context = {{"__bypass_smtp_rcptto_proxy=true"}} }}
""")
    gate.expect("nobody@example.com", 250, source=tagged.TENANT)
    equal(gate.milter.verify_line("nobody@example.com")["reason"],
          '"bypassed by context"', "the log")
    gate.expect("nobody@example.com", 550, source=tagged.STRANGER)
    equal(tagged.values(tagged.send(gate, []), "X-Result"), ["skip"],
          "the result")


def test_results(case):
    """Authentication-Results without a login, and forged ones."""
    tagged.check_results(
        Tagged(case, "authentication_results = true"), "edge.test")


def test_results_of_a_login(case):
    """The login is shown, and only a real one."""
    gate = Tagged(case, "authentication_results = true", **XCLIENT,
                  smtpd_sasl_auth_enable="yes")
    forged = ["Authentication-Results: edge.test; auth=pass smtp.auth=root"]
    for login, want in (
            ("ann@example.org",
             "auth=pass (XCLIENT) smtp.auth=ann@example.org"),
            ("ann+20smith+3B+22x", 'auth=pass (XCLIENT) '
             'smtp.auth="ann smith;\\"x"'),
            ("anonymous", "auth=none")):
        text = tagged.send(gate, forged, before=[
            (f"XCLIENT LOGIN={login}", 220)])
        found = [" ".join(value.split()) for value in
                 tagged.values(text, "Authentication-Results")]
        equal(found, ["edge.test; " + want], f"with {login}")


def test_results_of_auth(case):
    """AUTH by the plug-in, then a message; a refused login is none."""
    upstream = scripted.Scripted(case)
    upstream.recipients["ann@example.com"] = "250 2.1.5 Ok"
    scripted_auth.Passwords(upstream, {"ann@example.org": "correct horse"})
    edge = auth_gate.edge(
        case, relay_domains="example.com",
        relay_transport=f"smtp:[127.0.0.1]:{upstream.port}",
        **mta_postfix.milter_settings())
    Authd(case, auth_gate.route(upstream.port), queue=edge.queue)
    Milter(case, route(upstream.port) + "authentication_results = true",
           queue=edge.queue)
    for password, code, want in (
            ("wrong", 535, "edge.test; auth=none"),
            ("correct horse", 235,
             "edge.test; auth=pass (PLAIN) smtp.auth=ann@example.org")):
        count = len(upstream.messages)
        with smtpclient.Client(edge.port, helo="client.test") as client:
            equal(logins.plain(client, "ann@example.org", password).code,
                  code, "AUTH")
            client.mail()
            client.rcpt("ann@example.com")
            equal(client.data().code, 250, "the message")
        wait_for(lambda: len(upstream.messages) > count, "it to arrive")
        found = tagged.values(upstream.messages[-1][1],
                              "Authentication-Results")
        equal([" ".join(value.split()) for value in found], [want],
              f"after {code}")


class Bindings(Tagged):
    """Two bindings with a transport each, by the recipe of the manual.
    Recipients in example.com have a route, those in example.net do not."""

    def __init__(self, case, conf):
        self.behind = {name: scripted.Scripted(case) for name in "ab"}
        for server in self.behind.values():
            server.other = "250 2.1.5 Ok"
        checks = case.write("binding.pcre", "".join(
            f"/^X-Postern-Binding: +({name})$/ "
            f"FILTER binding-$1:[127.0.0.1]:{server.port}\n"
            for name, server in self.behind.items()) +
            "/^X-Postern-Binding: +(\\w+)$/ "
            "FILTER binding-$1:[127.0.0.1]:1\n")
        hide = case.write("hide.pcre", "/^X-Postern-Binding:/ IGNORE\n")
        super().__init__(
            case, conf, domains=("example.com", "example.net"),
            milter_header_checks="pcre:" + checks,
            smtp_header_checks="pcre:" + hide)
        self.edge.stop()
        with open(self.edge.dir + "/conf/master.cf", "a",
                  encoding="ascii") as file:
            file.write("binding-a unix - - y - - smtp\n"
                       "binding-b unix - - y - - smtp\n")
        self.edge.start()

    def arrived(self, headers, address, recipients=("ann@example.net",)):
        """Send a message; returns at whose server it arrived ("" for the
        edge's own next hop), and its text."""
        places = {"": self.upstream, **self.behind}
        counts = {name: len(place.messages)
                  for name, place in places.items()}
        with smtpclient.Client(self.port, source=address,
                               helo="client.test") as client:
            client.mail()
            for recipient in recipients:
                equal(client.rcpt(recipient).code, 250, "RCPT")
            done = client.data("".join(line + "\r\n" for line in headers) +
                               "\r\nHello.\r\n")
            equal(done.code, 250, f"the message ({done!r})")

        def where():
            return [(name, place.messages[-1][1])
                    for name, place in places.items()
                    if len(place.messages) > counts[name]]
        found = wait_for(where, "the message to arrive")
        equal(len(found), 1, f"where it arrived ({found})")
        return found[0]


def test_binding(case):
    """The context's binding chooses the transport; the client's header does
    not, and nobody behind sees one."""
    gate = Bindings(case, f"""
binding "a" {{ }}
binding "b" {{ }}
peer "{tagged.TENANT}" {{ context = {{"binding=a"}} }}
peer "127.0.0.4" {{ context = {{"binding=b"}} }}
""")
    for copies in range(4):
        forged = ["X-Postern-Binding: b", "x-postern-BINDING : a",
                  "X-Postern-Binding:\r\n b"][:copies]
        for address, want in ((tagged.TENANT, "a"), ("127.0.0.4", "b"),
                              (tagged.STRANGER, "")):
            name, text = gate.arrived(forged, address)
            equal(name, want, f"where {forged} from {address} arrived")
            equal(tagged.values(text, "X-Postern-Binding"), [],
                  "the header behind")


def test_binding_unknown(case):
    """A binding that is not a word, or that no transport is for."""
    gate = Bindings(case, """
binding "a" { }
peer "127.0.0.2" { context = {"binding=a b"} }
peer "127.0.0.4" { context = {"binding=c"} }
""")
    tagged.send(gate, [], code=451)
    gate.milter.wait_log("error", tagged.TENANT, "the binding is not a word")
    with smtpclient.Client(gate.port, source="127.0.0.4",
                           helo="client.test") as client:
        client.mail()
        client.rcpt("ann@example.net")
        equal(client.data().code, 250, "the message")
    gate.edge.wait_log("status=deferred", "mail transport unavailable")
    equal(gate.upstream.messages, [], "what went another way")


def test_binding_and_routes(case):
    """A recipient with a route is not redirected, nor is one beside it; the
    log says so."""
    gate = Bindings(case, f"""
binding "a" {{ }}
peer "{tagged.TENANT}" {{ context = {{"binding=a"}} }}
peer "127.0.0.4" {{
    context = {{"binding=a", "__bypass_smtp_rcptto_proxy=true"}}
}}
""")
    for address in (tagged.TENANT, "127.0.0.4"):
        name, _ = gate.arrived([], address, ["ann@example.net"])
        equal(name, "a", "without a route")
        for recipients in (["ann@example.com"],
                           ["ann@example.net", "ann@example.com"]):
            name, text = gate.arrived(["X-Postern-Binding: b"], address,
                                      recipients)
            equal(name, "", f"where a message to {recipients} arrived")
            equal(tagged.values(text, "X-Postern-Binding"), [],
                  "the header behind")
            gate.milter.decision("tag: ", f"client={address}", "value=a",
                                 "added=0")
