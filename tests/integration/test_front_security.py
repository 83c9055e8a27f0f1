# SPDX-License-Identifier: BSD-2-Clause
"""postern-front opens no relay: a smtpd on a Unix socket takes whoever it is
for localhost, and everything a client could do about that is tried here."""
import os
import secrets
import shutil
import socket
import time

from harness import namespace, smtpclient
from harness.case import check, contains, equal, wait_for
from harness.dial import dial
from harness.front_gate import (LOCAL, PEERS, STRANGER, TRUSTED, PostfixFront)

VICTIM = "victim@elsewhere.test"
RELAY = (f"\r\nRSET\r\nMAIL FROM:<spam@sender.test>\r\nRCPT TO:<{VICTIM}>\r\n"
         "DATA\r\nSubject: relayed\r\n\r\nrelayed\r\n.\r\nQUIT\r\n").encode()


def attack(gate, payload, source=STRANGER, greet=True, port=None):
    """Send octets and an attempt to relay in one go; returns what came back
    until the server closed."""
    with socket.create_connection(("127.0.0.1", port or gate.port), 60,
                                  (source, 0)) as client:
        if greet:
            client.recv(1000)
            client.sendall(b"EHLO [127.0.0.1]\r\n")
            client.recv(4000)
        try:
            client.sendall(payload + RELAY)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        got = b""
        while True:
            try:
                more = client.recv(65536)
            except ConnectionError:
                break
            if not more:
                break
            got += more
    return got


def nothing_relayed(gate, sources=(STRANGER,)):
    """No message for elsewhere has been queued, and the MTA has seen no
    client but those."""
    with gate.stranger() as client:
        client.mail()
        equal(client.rcpt("ann@example.com").code, 250, "an honest message")
        equal(client.data().code, 250, "an honest message")
    gate.edge.wait_log("to=<ann@example.com>", "status=sent")
    for line in gate.edge.log().splitlines():
        check(f"to=<{VICTIM}>" not in line or "NOQUEUE: reject" in line
              or ": reject: " in line, f"relayed: {line}")
        if ": client=" in line:
            check(any(f"[{source}]" in line for source in sources),
                  f"taken for another: {line}")
    check(not [message for message in gate.upstream.messages
               if message[0] != ["ann@example.com"]], "a message upstream")


def test_localhost(case):
    """What passes for localhost at the Unix socket does not at the front,
    however it calls itself or the recipient."""
    gate = PostfixFront(case, peers=PEERS + 'relay_hosts = {"127.0.0.1"}\n',
                        relay_domains="example.com",
                        allow_untrusted_routing="no")
    with gate.client(LOCAL) as client:
        client.mail()
        equal(client.rcpt(VICTIM).code, 250, "mynetworks, by the real address")
    for name in ("localhost", "[127.0.0.1]", "[IPv6:::1]", "edge.test",
                 "127.0.0.1"):
        with gate.stranger(helo=name) as client:
            for sender, parameters in (
                    ("root@localhost", ""), ("", ""),
                    ("postmaster@edge.test", " AUTH=<>"),
                    ("ann@example.com", " AUTH=ann@example.com")):
                client.mail(sender, parameters)
                for recipient in (
                        VICTIM, f"@localhost:{VICTIM}",
                        f"@example.com,@localhost:{VICTIM}",
                        "victim%elsewhere.test@example.com",
                        "victim%elsewhere.test", "elsewhere.test!victim",
                        "elsewhere.test!victim@example.com",
                        '"victim@elsewhere.test"',
                        '"victim@elsewhere.test"@example.com',
                        "victim@elsewhere.test@example.com",
                        "victim@[127.0.0.1]", "victim@elsewhere.test."):
                    reply = client.rcpt(recipient)
                    check(reply.code >= 400,
                          f"{name}, {sender}: {recipient}: {reply!r}")
                client.command("RSET")
    nothing_relayed(gate, (STRANGER, LOCAL))


def test_from_outside(case):
    """The same from an address that is not loopback's, with the mynetworks
    that Debian sets."""
    address = namespace.own_network()
    if address is None:
        print("skipped: no network of its own")
        return
    gate = PostfixFront(case, mynetworks="127.0.0.0/8 [::1]/128",
                        conf='relay_hosts = {"127.0.0.0/8", "::1"}\n')
    with gate.client(TRUSTED) as client:
        client.mail()
        equal(client.rcpt(VICTIM).code, 250, "loopback relays")
        client.command("RSET")
        equal(client.command("XREMOTEIP 198.51.100.7").code, 250, "XREMOTEIP")
        client.mail()
        equal(client.rcpt(VICTIM).code, 554, "as whom it passes for")
    with gate.client(address) as client:
        check(not [word for word in client.keywords if word[0] == "X"],
              f"offered: {client.keywords}")
        client.mail()
        equal(client.rcpt(VICTIM).code, 554, "relaying")
        equal(client.rcpt("nobody@example.com").code, 550, "verified")
    equal(gate.milter.verify_line("nobody@example.com")["client"], address,
          "client=")
    attack(gate, b"XCLIENT ADDR=127.0.0.1\r\nEHLO x", address)
    attack(gate, b"XREMOTEIP 127.0.0.1\r\nEHLO x", address)
    with gate.client(address) as client:
        client.mail()
        client.rcpt("ann@example.com")
        equal(client.data().code, 250, "an honest message")
    gate.edge.wait_log(": client=", f"[{address}]")
    check(gate.edge.logged(f"to=<{VICTIM}>", "status=") is None, "relayed")


def spellings(word, arguments):
    """A command as an MTA could read it, and a proxy not."""
    yield f"{word} {arguments}"
    yield f"{word.lower()} {arguments}"
    yield f" {word} {arguments}"
    yield f"\t{word}\t{arguments}"
    yield f"\r{word} {arguments}"
    yield f"\v{word} {arguments}"
    yield f"\0{word} {arguments}"
    yield f'"{word}" {arguments}'
    yield f'"{word[:3]}"{word[3:]} {arguments}'
    yield f"\\{word} {arguments}"
    yield f"{word[0]}\\{word[1:]} {arguments}"
    yield f"{word[:4]}\0{word[4:]} {arguments}"
    yield f"{word[:4]}\r{word[4:]} {arguments}"
    yield f"{word}\0 {arguments}"
    yield f"{word}\r {arguments}"
    yield f"{word}: {arguments}"
    yield f"({word}) {word} {arguments}"
    yield f"(comment) {word} {arguments}"
    yield f"<{word}> {arguments}"
    yield f"NOOP\r{word} {arguments}"
    yield f"NOOP\n{word} {arguments}"
    yield f"NOOP\n\r{word} {arguments}"
    yield f"NOOP\r\r\n{word} {arguments}"
    yield f"NOOP\0\r\n{word} {arguments}"
    yield 2000 * " " + f"{word} {arguments}"
    yield "HELO " + 70000 * "x" + f"\r\n{word} {arguments}"
    for size in (510, 1022, 2046, 2047, 2048, 4096, 8192, 65535, 65536):
        yield "NOOP " + (size - 5) * "x" + f"{word} {arguments}"


def test_commands_of_the_trusted(case):
    """XCLIENT and its kin by strangers, in every spelling."""
    gate = PostfixFront(case, smtpd_forbidden_commands="")
    for word, arguments in (
            ("XCLIENT", "ADDR=127.0.0.1 NAME=localhost LOGIN=ann"),
            ("XREMOTEIP", "127.0.0.1"),
            ("XFORWARD", "ADDR=127.0.0.1 NAME=localhost")):
        for line in spellings(word, arguments):
            got = attack(gate, line.encode() + b"\r\nEHLO x")
            check(b"\n220 " not in got, f"{line[:80]!r}: {got[-400:]!r}")
    nothing_relayed(gate)


def test_smuggling(case):
    """Octets that the front could take for one thing, and the MTA for
    another."""
    gate = PostfixFront(case, smtpd_forbidden_commands="")
    inner = b"XCLIENT ADDR=127.0.0.1\r\nEHLO x" + RELAY
    begin = b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<ann@example.com>\r\n"
    size = str(len(inner)).encode()
    payloads = [
        inner, b"\r\n" + inner, b"DATA\r\n" + inner,
        b"BDAT " + size + b"\r\n" + inner,
        b"BDAT " + size + b" LAST\r\n" + inner,
        begin + b"BDAT " + size + b" LAST\r\n" + inner,
        b"AUTH LOGIN\r\n" + inner, b"AUTH PLAIN\r\n" + inner,
        b"AUTH\r\n" + inner, b"AUTH NONSENSE\r\n" + inner,
        b"STARTTLS\r\n" + inner, b"RSET\r\nSTARTTLS\r\n" + inner,
        b"BURL x\r\n" + inner, b"QUIT\r\n" + inner,
    ]
    for count in (b"", b"-1", b"+5", b"0x10", b"1e3", b"5 5", b"5 LAST x",
                  b"\t5", b"99999999999999999999", b"4294967297",
                  b"18446744073709551617", b"0", b"0 LAST", b"\"5\"", b"5,",
                  b"5\0", b"5\r"):
        for front in (b"", begin):
            payloads.append(front + b"BDAT " + count + b"\r\n" + inner)
            payloads.append(front + b"bdat\t" + count + b"\n" + inner)
            payloads.append(front + b"\"BDAT\" " + count + b"\r\n" + inner)
    for end in (b"\r\n.\r\n", b"\n.\r\n", b"\r\n.\n", b"\n.\n", b"\r.\r",
                b"\r\n.\r", b"\n.\r\r\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n",
                b"\r\n. \r\n", b"\r\n..\r\n", b"\r\r\n.\r\n",
                b"\r\n.\r\r\n", b"\n\r.\r\n"):
        payloads.append(begin + b"DATA\r\nSubject: a\r\n\r\nb" + end + inner)
    for payload in payloads:
        got = attack(gate, payload)
        check(b"\n220 " not in got, f"{payload[:120]!r}: {got[-400:]!r}")
        attack(gate, payload, greet=False)
    nothing_relayed(gate)


def control(gate, *words):
    """One request to the milter's control socket, as the front's; returns
    (whether it went well, the text)."""
    path = os.path.join(gate.milter.dir, "milter.ctl")
    with dial(path) as request:
        request.sendall((" ".join(words) + "\n").encode())
        text = request.makefile("r").read()
    return text.splitlines()[-1] == "ok", text


def test_tokens(case):
    """They are nobody's to guess, and good once, for the client they were
    made for."""
    gate = PostfixFront(case)
    with gate.client() as client:
        gate.set(client, "tenant=acme")
        for number in range(20):
            token = secrets.token_hex(16)
            for line in (f"XPOSTERN-{token}", f"xpostern-{token.upper()}",
                         f"XPOSTERN {token}", f" XPOSTERN-{token}",
                         "XPOSTERN-",
                         f"XPOSTERN-{token} {number}"):
                reply = client.command(line)
                check(reply.code >= 500, f"{line}: {reply!r}")
        equal(gate.dump(client)[0]["tenant"], "acme", "the session")

    def begin(token, address, *more):
        return control(gate, "front", "begin", token,
                       f"real={address};4711", *more)[0]

    def said(token, source, port=None):
        """Said at a smtpd by a client without a front."""
        client = smtpclient.Client(port or gate.direct, source=source,
                                   helo="client.test")
        equal(client.command("XPOSTERN-" + token).raw,
              client.command("XNONSENSE").raw, "the reply to a token")
        return client

    token = secrets.token_hex(16)
    check(begin(token, TRUSTED), "begin")
    check(not begin(token, TRUSTED), "begin, with a token in use")
    said(token, STRANGER).close()
    check(not control(gate, "front", "claimed", token)[0],
          "another client has said it")
    said(token, TRUSTED).close()
    check(not control(gate, "front", "claimed", token)[0],
          "it is spoilt for its client as well")
    token = secrets.token_hex(16)
    check(begin(token, TRUSTED), "begin")
    check(not control(gate, "front", "set", token, "a=b")[0],
          "nobody has said it yet")
    first = said(token, TRUSTED)
    check(control(gate, "front", "claimed", token)[0], "its own client")
    check(control(gate, "front", "set", token, "a=b")[0], "XSETCONTEXT")
    said(token, TRUSTED).close()
    said(token, STRANGER).close()
    contains(control(gate, "front", "dump", token)[1], "a b", "still tied")
    gate.milter.wait_log("token", STRANGER)
    # a second token for a session that has one
    other = secrets.token_hex(16)
    check(begin(other, TRUSTED), "begin")
    first.command("XPOSTERN-" + other)
    check(not control(gate, "front", "claimed", other)[0],
          "two tokens for one session")
    first.close()
    wait_for(lambda: not control(gate, "front", "alive", token)[0],
             "the session to end")
    # through the front a client cannot say one at all
    token = secrets.token_hex(16)
    check(begin(token, STRANGER), "begin")
    said(token, STRANGER, gate.port).close()
    check(not control(gate, "front", "claimed", token)[0],
          "said through the front")
    log = gate.milter.log() + gate.front_log() + gate.edge.log()
    check(token not in log, "a token in a log")


def test_rights_of_tokens(case):
    """The milter judges a front's requests itself."""
    gate = PostfixFront(case)
    for words in (
            ("real=127.0.0.9;1", "seen=127.0.0.1"),
            ("real=127.0.0.9;1", "login=ann"),
            ("real=127.0.0.9;1", "login=anonymous"),
            ("real=127.0.0.8;1", "login=ann"),
            ("real=nonsense;1",), ("real=127.0.0.7",), ("seen=127.0.0.7",),
            ("real=127.0.0.7;1", "nonsense=1"),
            ("real=127.0.0.7;99999",)):
        ok, text = control(gate, "front", "begin", secrets.token_hex(16),
                           *words)
        check(not ok, f"begin {words}: {text}")
    for token in ("", "0", 31 * "0", 33 * "0", 32 * "g", 32 * "A"):
        check(not control(gate, "front", "begin", token,
                          "real=127.0.0.7;1")[0], f"the token {token!r}")
    token = secrets.token_hex(16)
    control(gate, "front", "begin", token, "real=127.0.0.9;1")
    with smtpclient.Client(gate.direct, source=STRANGER,
                           helo="x") as client:
        client.command("XPOSTERN-" + token)
        check(control(gate, "front", "claimed", token)[0], "claimed")
        for words in (("set", token, "a=b"), ("dump", token),
                      ("move", token, secrets.token_hex(16),
                       "seen=127.0.0.1"),
                      ("move", token, secrets.token_hex(16), "login=ann"),
                      ("seen", token, "127.0.0.1")):
            ok, text = control(gate, "front", *words)
            check(not ok, f"{words[0]} for a stranger: {text}")
    # whose control socket is it?
    path = os.path.join(gate.milter.dir, "milter.ctl")
    equal(os.stat(path).st_mode & 0o777, 0o600, "its mode")
    equal(os.stat(path).st_uid, namespace.account_id("postern"), "its owner")


def cannot_connect(case, path, user):
    """Whether a user is kept out of a socket."""
    python = shutil.which("python3")
    done = case.run(
        ["setpriv", f"--reuid={namespace.account_id(user)}",
         f"--regid={namespace.account_id(user, '-g')}", "--clear-groups",
         python, "-c", "import socket, sys\n"
         "socket.socket(socket.AF_UNIX).connect(sys.argv[1])", path])
    check(done.returncode == 0 or "PermissionError" in done.stderr,
          f"connect: {done.stderr}")
    return done.returncode != 0


def test_private_socket(case):
    """Nobody but root, postfix and the group reaches the private smtpd, which
    would take anybody for localhost."""
    gate = PostfixFront(case)
    for user in ("smmta", "nobody", "postern"):
        check(cannot_connect(case, gate.private, user), f"{user} gets in")
        check(user == "postern" or cannot_connect(
            case, os.path.join(gate.milter.dir, "milter.ctl"), user),
              f"{user} gets at the milter's control socket")


def test_milter_is_missing(case):
    """No milter, no session: 421, before a word of the client's; with it
    all is well."""
    gate = PostfixFront(case, start_milter=False)
    for source in (TRUSTED, STRANGER):
        got = attack(gate, b"", source, greet=False)
        check(got.startswith(b"421 4.3.0 ") and got.count(b"\r\n") == 1,
              f"without milter: {got!r}")
    gate.milter.start()
    with gate.stranger() as client:
        client.mail()
        equal(client.rcpt(VICTIM).code, 554, "relaying")
    nothing_relayed(gate)


def refuses(gate, *parts):
    """Each client is turned away, and the log says why."""
    for source in (TRUSTED, STRANGER):
        got = attack(gate, b"EHLO x\r\nXCLIENT ADDR=127.0.0.1", source,
                     greet=False)
        check(got.startswith(b"421 4.3.0 ") and got.count(b"\r\n") == 1,
              f"{source}: {got!r}")
    for part in parts:
        contains(gate.front_log(), part, "the log")
    check(gate.edge.logged(f"to=<{VICTIM}>") is None, "relayed")


def edit_master(gate, old, new):
    """Another master.cf, read anew."""
    path = os.path.join(gate.edge.dir, "conf", "master.cf")
    with open(path, encoding="ascii") as file:
        text = file.read()
    check(old in text, f"no {old!r} in master.cf")
    gate.edge.stop()
    with open(path, "w", encoding="ascii") as file:
        file.write(text.replace(old, new))
    gate.edge.start()


def test_private_smtpd_misconfigured(case):
    """A private smtpd that takes no XCLIENT, or knows no milter: 421."""
    gate = PostfixFront(case)
    gate.client().close()
    edit_master(gate, "-o smtpd_authorized_xclient_hosts=static:all",
                "-o smtpd_authorized_xclient_hosts=")
    refuses(gate, "XCLIENT is not taken")
    edit_master(gate, "-o smtpd_authorized_xclient_hosts=",
                "-o smtpd_milters= -o "
                "smtpd_authorized_xclient_hosts=static:all")
    refuses(gate, "did not tell postern-milter")


def test_other_next(case):
    """front.next must be on this machine."""
    gate = PostfixFront(case)
    for place in ("192.0.2.1:25", "mail.example.com", "[2001:db8::1]:25",
                  "0.0.0.0:25"):
        path = case.write("next.conf", gate.conf.replace(
            f"unix:{gate.private}", place))
        done = case.run([f"{case.build}/front/postern-front", "-c", path,
                         "-n"])
        equal(done.returncode, 78, f"next = {place}: {done.stderr}")
    began = time.monotonic()
    done = case.run([f"{case.build}/front/postern-front", "-c",
                     gate.milter.conf_file, "-f"])
    equal(done.returncode, 64, f"without a client: {done.stderr}")
    check(time.monotonic() - began < 30, "it waits for something")
