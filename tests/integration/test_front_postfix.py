# SPDX-License-Identifier: BSD-2-Clause
"""The session extensions through postern-front and a real Postfix: contexts,
and what may be seen and set."""
from harness.case import check, contains, equal, wait_for
from harness.front_gate import (ALLOWED, EXTENSIONS, LOCAL, PEERS, STRANGER,
                                TRUSTED, PostfixFront, has_ipv6)

UNKNOWN = "nobody@example.com"


def keywords(client):
    """The EHLO keywords, without parameters."""
    return [line.split()[0] for line in client.keywords]


def test_transcript(case):
    """The dialogue that the extensions are known by."""
    gate = PostfixFront(case)
    with gate.client(helo=None) as client:
        equal(client.greeting.code, 220, "the greeting")
        equal(client.command("ehlo there").code, 250, "EHLO")
        reply = client.command("XDUMPCONTEXT")
    found = [line for line in reply.raw if " ehlo_" in line
             or "complete" in line]
    equal(found, ["250-[connection] ehlo_domain there",
                  "250-[connection] ehlo_string ehlo there",
                  "250 XDUMPCONTEXT complete"], "the transcript's lines")


def test_advertised(case):
    """Each peer sees what it may use, nobody sees more."""
    gate = PostfixFront(case, peers=PEERS + """
peer "127.0.0.3/32" { smtp_extensions = {"XDUMPCONTEXT"} }
peer "127.0.0.4/32" { context = {"tenant=none"} }
""")
    for source, want in ((TRUSTED, set(EXTENSIONS)),
                         (ALLOWED, {"XDUMPCONTEXT"}),
                         ("127.0.0.3", {"XDUMPCONTEXT"}),
                         ("127.0.0.4", set()), (STRANGER, set()),
                         (LOCAL, set())):
        with gate.client(source) as client:
            seen = keywords(client)
            equal({word for word in seen if word.startswith("X")}, want,
                  f"what {source} is offered")
            check("STARTTLS" not in seen, "STARTTLS is offered")
            contains(seen, "PIPELINING", "what the MTA offers")
            contains(seen, "ENHANCEDSTATUSCODES", "what the MTA offers")


def test_enhanced_status_codes(case):
    """They are advertised when the MTA does so, and not otherwise."""
    gate = PostfixFront(
        case, smtpd_discard_ehlo_keywords="enhancedstatuscodes")
    with gate.client() as client:
        check("ENHANCEDSTATUSCODES" not in keywords(client),
              "a keyword that the MTA hides")
        contains(keywords(client), "XSETCONTEXT", "the front's own")


def test_nobody_else(case):
    """Without the right: the MTA's answer for an unknown command, and no
    effect."""
    gate = PostfixFront(case)
    commands = ("XSETCONTEXT __bypass_smtp_rcptto_proxy=true", "XDUMPCONTEXT",
                "XREMOTEIP 127.0.0.1", "XCLIENT ADDR=127.0.0.1",
                "XCLIENT LOGIN=ann", "XFORWARD ADDR=127.0.0.1",
                "XPOSTERN-" + 32 * "0")
    for source in (STRANGER, ALLOWED, LOCAL):
        with gate.client(source) as client:
            want = client.command("XNONSENSE 1").raw
            for line in commands:
                if source == ALLOWED and line == "XDUMPCONTEXT":
                    continue
                equal(client.command(line).raw, want,
                      f"{source}: the reply to {line}")
                equal(client.command(line.lower()).raw, want,
                      f"{source}: the reply to {line.lower()}")
            client.mail()
            equal(client.rcpt(UNKNOWN).code, 550, "no bypass")
        equal(gate.milter.verify_line(UNKNOWN)["client"], source, "client=")
    equal(gate.milter.lines("command=XSETCONTEXT"), [], "what was set")


def test_set_and_dump(case):
    """Values as xtext, overridden, odd and long: they come back as set."""
    gate = PostfixFront(case)
    with gate.client() as client:
        gate.set(client, "option1=value1", "option2=value2")
        gate.set(client, "option2=other", "spaced=a+20b+2B+3Dc", "nothing=",
                 "utf8=gr+C3+BC+C3+9F", "long=" + 700 * "x" + 200 * "+20"
                 + "y")
        forged = client.command("XSETCONTEXT crlf=a+0D+0A250+20forged")
        check(forged.code in (250, 501), f"CR LF in a value: {forged!r}")
        connection, message = gate.dump(client)
        equal(connection["option1"], "value1", "option1")
        equal(connection["option2"], "other", "option2")
        equal(connection["spaced"], "a b+=c", "spaced")
        equal(connection["utf8"], "grüß", "utf8")
        equal(connection["long"], 700 * "x" + 200 * " " + "y", "long")
        equal(message, {}, "the message context")
        equal(client.command("NOOP").code, 250, "the session goes on")


def test_bad_xsetcontext(case):
    """What cannot be read sets nothing, not even the pairs before it."""
    gate = PostfixFront(case)
    with gate.client() as client:
        for line in ("XSETCONTEXT", "XSETCONTEXT ", "XSETCONTEXT a",
                     "XSETCONTEXT =b", "XSETCONTEXT good=1 a=+G0",
                     "XSETCONTEXT good=1 a=+2", "XSETCONTEXT good=1 a=+",
                     "XSETCONTEXT good=1 a=b=c", "XSETCONTEXT good=1 a=+00",
                     "XSETCONTEXT good=1 " + 200 * "n" + "=1",
                     "XSETCONTEXT good=1 \xff=1", "XSETCONTEXT good=1 a=\0b",
                     "XSETCONTEXT good=1 a\rb=1", "XSETCONTEXT good=1 b",
                     "XSETCONTEXT good=1 auth_user=ann",
                     "XDUMPCONTEXT now"):
            reply = client.command(line)
            check(500 <= reply.code < 560 or reply.code == 452,
                  f"the reply to {line!r}: {reply!r}")
            check(reply.enhanced != "", f"no enhanced status: {reply!r}")
            check("good" not in gate.dump(client)[0], f"{line!r} was obeyed")
        equal(gate.set(client, "good=2"), None, "a good one")
        equal(gate.dump(client)[0]["good"], "2", "good")


def test_many_and_long(case):
    """1000 pairs, a line of 1 MB: an answer, and the session goes on."""
    gate = PostfixFront(case)
    with gate.client() as client:
        before = gate.dump(client)[0]
        many = client.command("XSETCONTEXT " + " ".join(
            f"n{number}=1" for number in range(1000)))
        check(many.code in (250, 452, 552), f"1000 pairs: {many!r}")
        if many.code != 250:
            equal(gate.dump(client)[0], before, "all or nothing")
        reply = client.command("XSETCONTEXT a=" + 1000000 * "x")
        check(500 <= reply.code < 560, f"1 MB: {reply!r}")
        reply = client.command(1000000 * "x")
        check(500 <= reply.code < 560, f"1 MB of nonsense: {reply!r}")
        gate.set(client, *(f"m{number}=1" for number in range(30)))
        equal(gate.dump(client)[0]["m29"], "1", "m29")


def test_message_context(case):
    """It is filled by MAIL and RCPT, and emptied for each message."""
    gate = PostfixFront(case)
    with gate.client() as client:
        client.mail("Jo.Doe@Sender.test")
        message = gate.dump(client)[1]
        equal(message["mailfrom_string"], "Jo.Doe@Sender.test", "sender")
        equal(message["mailfrom_localpart"], "Jo.Doe", "its local part")
        equal(message["mailfrom_domain"].lower(), "sender.test", "its domain")
        check("rcptto_string" not in message, "no recipient yet")
        equal(client.rcpt("ann@example.com").code, 250, "RCPT")
        message = gate.dump(client)[1]
        equal(message["rcptto_string"], "ann@example.com", "recipient")
        equal(message["rcptto_localpart"], "ann", "its local part")
        equal(message["rcptto_domain"], "example.com", "its domain")
        equal(message["smtp_rcptto_proxy_result"], "pass", "the result")
        equal(client.rcpt(UNKNOWN).code, 550, "RCPT")
        message = gate.dump(client)[1]
        equal(message["rcptto_string"], UNKNOWN, "the last recipient")
        equal(message["smtp_rcptto_proxy_result"], "fail", "its result")
        equal(client.data().code, 250, "the message")
        equal(gate.dump(client)[1], {}, "after the message")
        client.mail("")
        equal(client.rcpt("bob@example.com").code, 250, "RCPT")
        message = gate.dump(client)[1]
        equal(message.get("mailfrom_string", ""), "", "the null sender")
        equal(client.command("RSET").code, 250, "RSET")
        connection, message = gate.dump(client)
        equal(message, {}, "after RSET")
        equal((connection["connection_message_count"],
               connection["connection_rcpt_count"]), ("2", "3"), "counts")


def test_results(case):
    """transient and skip are told as well."""
    gate = PostfixFront(case, relay_domains="example.com example.net",
                        conf='peer "127.0.0.5/32" { context = {'
                        '"__bypass_smtp_rcptto_proxy=true"} '
                        'smtp_extensions = {"XDUMPCONTEXT"} }')
    gate.upstream.recipients["later@example.com"] = "450 4.2.1 Later"
    with gate.client() as client:
        client.mail()
        for recipient, want in (("later@example.com", "transient"),
                                ("any@example.net", "skip")):
            client.rcpt(recipient)
            equal(gate.dump(client)[1]["smtp_rcptto_proxy_result"], want,
                  recipient)
    with gate.client("127.0.0.5") as client:
        client.mail()
        equal(client.rcpt(UNKNOWN).code, 250, "bypassed")
        equal(gate.dump(client)[1]["smtp_rcptto_proxy_result"], "skip",
              "bypassed")


def test_peers_by_address(case):
    """The most specific network sets the context, IPv4 and IPv6."""
    gate = PostfixFront(case, peers="""
peer "127.0.0.0/8" { context = {"tenant=wide"}
    smtp_extensions = {"XDUMPCONTEXT"} }
peer "127.0.0.16/28" { context = {"tenant=narrow", "more=1"}
    smtp_extensions = {"XDUMPCONTEXT"} }
peer "127.0.0.17/32" { context = {"tenant=one"}
    smtp_extensions = {"XDUMPCONTEXT"} }
peer "::/64" { context = {"tenant=six"}
    smtp_extensions = {"XDUMPCONTEXT"} }
""")
    for source, want in (("127.0.0.1", "wide"), ("127.1.2.3", "wide"),
                         ("127.0.0.18", "narrow"), ("127.0.0.17", "one")):
        with gate.client(source) as client:
            connection = gate.dump(client)[0]
            equal(connection["tenant"], want, source)
            equal(connection["client_ip"], source, "client_ip")
            equal("more" in connection, want == "narrow", "one section only")
    if has_ipv6():
        with gate.client(None, host="::1") as client:
            connection = gate.dump(client)[0]
            equal((connection["tenant"], connection["client_ip"]),
                  ("six", "::1"), "IPv6")


def test_names_that_may_be_set(case):
    """setcontext_names, and reserved names."""
    all_ = '"XSETCONTEXT", "XDUMPCONTEXT"'
    gate = PostfixFront(case, peers=PEERS + f"""
peer "127.0.0.3/32" {{ smtp_extensions = {{{all_}}}
    setcontext_names = {{"tenant", "campaign_*"}} }}
peer "127.0.0.4/32" {{ smtp_extensions = {{{all_}}}
    setcontext_names = {{"__bypass_smtp_rcptto_proxy", "binding"}} }}
peer "127.0.0.5/32" {{ smtp_extensions = {{{all_}}}
    setcontext_names = {{"*"}} }}
""")
    reserved = ("auth_user", "auth_status", "tls", "tls_cipher", "client_ip",
                "client_name", "ehlo_domain", "ehlo_string", "can_relay",
                "binding", "outbound_smtp_auth_pass", "outbound_anything",
                "smtp_rcptto_proxy_result", "__bypass_smtp_rcptto_proxy",
                "__bypass_other", "auth_new")
    for source, bad, good in (
            (TRUSTED, reserved, ("tenant", "anything")),
            ("127.0.0.3", reserved + ("other", "campaig", "tenant2"),
             ("tenant", "campaign_7")),
            ("127.0.0.4", ("tenant", "auth_user", "__bypass_other"),
             ("__bypass_smtp_rcptto_proxy", "binding")),
            ("127.0.0.5", reserved, ("tenant", "anything"))):
        with gate.client(source) as client:
            before = gate.dump(client)
            for name in bad:
                reply = client.command(f"XSETCONTEXT ok=1 {name}=x")
                equal((reply.code, reply.enhanced), (550, "5.7.1"),
                      f"{source}: {name} ({reply!r})")
            equal(gate.dump(client), before, "nothing was set")
            for name in good:
                gate.set(client, f"{name}=x")
                equal(gate.dump(client)[0][name], "x", name)


def test_bypass(case):
    """A peer that may set it makes the call-forward go away, for the
    connection."""
    gate = PostfixFront(case, peers=f"""
peer "{TRUSTED}/32" {{ smtp_extensions = {{"XSETCONTEXT"}}
    setcontext_names = {{"__bypass_smtp_rcptto_proxy"}} }}
""")
    with gate.client() as client:
        client.mail()
        equal(client.rcpt(UNKNOWN).code, 550, "before")
        gate.set(client, "__bypass_smtp_rcptto_proxy=true")
        equal(client.rcpt("other@example.com").code, 250, "with it")
        client.command("RSET")
        client.mail()
        equal(client.rcpt("third@example.com").code, 250, "next message")
        gate.set(client, "__bypass_smtp_rcptto_proxy=false")
        equal(client.rcpt("fourth@example.com").code, 550, "after")
    with gate.client() as client:
        client.mail()
        equal(client.rcpt("fifth@example.com").code, 550, "next connection")


def test_log(case):
    """Who has set what, with both addresses; no passwords."""
    gate = PostfixFront(case)
    with gate.client() as client:
        gate.set(client, "tenant=acme", "door_password=hush4321")
        gate.set(client, "tenant=umbrella")
        equal(client.command("XREMOTEIP 192.0.2.33").code, 250, "XREMOTEIP")
        gate.set(client, "tenant=third")
        client.mail()
        client.rcpt("ann@example.com")
        done = client.data()
        equal(done.code, 250, "the message")
    line = gate.milter.wait_log("extension: ", "value=umbrella")
    for part in (f"real={TRUSTED}", "name=tenant", "was=acme"):
        contains(line, part, "the line of an override")
    line = gate.milter.wait_log("extension: ", "value=third")
    for part in (f"real={TRUSTED}", "client=192.0.2.33", "was=umbrella"):
        contains(line, part, "the line of an override")
    line = gate.milter.wait_log("extension: ", "command=XREMOTEIP")
    for part in (f"real={TRUSTED}", "192.0.2.33"):
        contains(line, part, "the line of XREMOTEIP")
    queue_id = done.text.rsplit(" ", 1)[1]
    line = gate.milter.wait_log("context: ", f"id={queue_id}")
    for part in ("tenant=third", f"real={TRUSTED}"):
        contains(line, part, "the line of the message")
    for log in (gate.milter.log(), gate.front_log()):
        check("hush4321" not in log, "a password in the log")


def test_without_the_script(case):
    """The program as spawn begins it, its log in syslog: nothing but SMTP
    reaches the client, even of a configuration that cannot be read."""
    gate = PostfixFront(case, script=False)
    with gate.client() as client:
        gate.set(client, "a=b")
        equal(gate.dump(client)[0]["a"], "b", "a")
    with open(gate.milter.conf_file, "a", encoding="ascii") as file:
        file.write("nonsense = {\n")
    with gate.client(helo=None) as client:
        equal((client.greeting.code, client.greeting.enhanced),
              (421, "4.3.0"), "the greeting")
        try:
            rest = client.line()
        except EOFError:
            rest = None
        equal(rest, None, "what comes behind")


def test_configuration(case):
    """Extensions for everybody, and for localhost by default: neither."""
    gate = PostfixFront(case)
    for program in ("milter/postern-milter", "front/postern-front"):
        for net in ("0.0.0.0/0", "::/0"):
            path = case.write("everybody.conf", gate.conf + f"""
peer "{net}" {{ smtp_extensions = {{"XDUMPCONTEXT"}} }}
""")
            done = case.run([f"{case.build}/{program}", "-c", path, "-n"])
            equal(done.returncode, 78, f"{program} with {net}: {done.stderr}")
            contains(done.stderr, "everybody.conf:", "the message")
        done = case.run([f"{case.build}/{program}", "-c",
                         gate.milter.conf_file, "-n"])
        equal(done.returncode, 0, f"{program} -n: {done.stderr}")
    with gate.client(LOCAL) as client:
        check(not set(keywords(client)) & set(EXTENSIONS),
              "localhost has extensions")


def test_reload(case):
    """Rights are taken away by a reload: judged again by the milter."""
    gate = PostfixFront(case)
    with gate.client() as client:
        gate.set(client, "tenant=acme")
        gate.milter.configure(gate.conf.replace(PEERS, f"""
peer "{TRUSTED}/32" {{ smtp_extensions = {{"XDUMPCONTEXT"}} }}
"""))
        gate.milter.reload()
        wait_for(lambda: client.command("XSETCONTEXT tenant=acme").code == 550,
                 "the milter to refuse")
        equal(gate.dump(client)[0]["tenant"], "acme", "tenant")


def test_explain_session(case):
    """posternctl tells what a live session's contexts are, and who set
    them."""
    gate = PostfixFront(case)
    with gate.client() as client:
        gate.set(client, "tenant=acme")
        client.mail()
        client.rcpt("ann@example.com")
        done = client.data()
    queue_id = done.text.rsplit(" ", 1)[1]
    line = gate.milter.wait_log("context: ", f"id={queue_id}")
    contains(line, "tenant=acme", "what was set")
