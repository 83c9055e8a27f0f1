# SPDX-License-Identifier: BSD-2-Clause
"""What passes through postern-front passes as it is: octet by octet, in
order, in bounded memory."""
import hashlib
import os
import re
import socket
import ssl
import threading
import time

from harness import certs, smtpclient
from harness.case import check, contains, equal, wait_for
from harness.front_gate import ALLOWED, STRANGER, TRUSTED, PostfixFront

ODD = ("Subject: odd\r\nX-Long: " + 900 * "y" + "\r\n\r\n"
       ".\r\n..\r\n...\r\n.dot\r\n..dot\r\n. \r\n"
       "\r\n\r\n" + 990 * "z" + "\r\n"
       "tab\tand\x01control\x7f\r\n"
       "XSETCONTEXT a=b\r\nXDUMPCONTEXT\r\nQUIT\r\nRSET\r\n"
       "BDAT 10 LAST\r\n trailing \r\nend\r\n")


def stuffed(text):
    """With the dots that DATA wants."""
    return re.sub(r"(?m)^\.", "..", text)


def body(message):
    """A message as the upstream got it, from the Subject on."""
    return message[message.index("Subject:"):]


def mail_by_data(client, text):
    """One message; returns the reply to its end."""
    client.mail()
    client.rcpt("ann@example.com")
    return client.data(stuffed(text))


def arrived(gate, count):
    """The messages upstream, when there are so many."""
    wait_for(lambda: len(gate.upstream.messages) >= count,
             f"{count} messages upstream")
    return [body(text) for _, text in gate.upstream.messages]


def test_dots(case):
    """DATA with all sorts of lines arrives as it does without the front."""
    gate = PostfixFront(case)
    with smtpclient.Client(gate.direct, source=STRANGER, helo="x") as client:
        equal(mail_by_data(client, ODD).code, 250, "without the front")
    for source in (STRANGER, TRUSTED):
        with gate.client(source) as client:
            equal(mail_by_data(client, ODD).code, 250, source)
            equal(mail_by_data(client, ODD).code, 250, f"{source}, again")
            equal(client.command("NOOP").code, 250, "in step")
            if source == TRUSTED:
                check("a" not in gate.dump(client)[0],
                      "a line of the message was a command")
    messages = arrived(gate, 5)
    equal(messages[0].replace("\n", "\r\n") + "\r\n", stuffed(ODD),
          "without the front")
    equal(set(messages), {messages[0]}, "through the front")


def test_bit_by_bit(case):
    """The same octet by octet, and in one piece with all commands."""
    gate = PostfixFront(case)
    whole = ("MAIL FROM:<ann@sender.test>\r\nRCPT TO:<ann@example.com>\r\n"
             "DATA\r\n" + stuffed(ODD) + ".\r\nNOOP\r\n").encode()
    for source in (STRANGER, TRUSTED):
        with gate.client(source) as client:
            client.send(whole)
            equal([client.reply().code for _ in range(5)],
                  [250, 250, 354, 250, 250], "in one piece")
            client.socket.setsockopt(socket.IPPROTO_TCP,
                                     socket.TCP_NODELAY, 1)
            for octet in whole:
                client.send(bytes([octet]))
            equal([client.reply().code for _ in range(5)],
                  [250, 250, 354, 250, 250], "octet by octet")
    messages = arrived(gate, 4)
    equal(set(messages), {messages[0]}, "what arrived")
    equal(messages[0].replace("\n", "\r\n") + "\r\n", stuffed(ODD), "all")


def bdat(text, size):
    """A message as chunks, the last one marked, in one piece."""
    data = text.encode("latin-1")
    out = b""
    for at in range(0, len(data), size):
        chunk = data[at:at + size]
        last = b" LAST" if at + size >= len(data) else b""
        out += b"BDAT %d%s\r\n" % (len(chunk), last) + chunk
    return out


def test_bdat(case):
    """Pipelined BDAT, and X commands that wait behind it."""
    gate = PostfixFront(case)
    count = 0
    for source in (STRANGER, TRUSTED):
        for size in (1, 7, 100, 4096, 100000):
            with gate.client(source) as client:
                contains(client.keywords, "CHUNKING", "EHLO")
                chunks = bdat(ODD, size)
                number = -(-len(ODD) // size)
                client.send(b"MAIL FROM:<ann@sender.test>\r\n"
                            b"RCPT TO:<ann@example.com>\r\n" + chunks
                            + b"XSETCONTEXT after=1\r\nBDAT 0 LAST\r\n"
                            + b"NOOP\r\n")
                codes = [client.reply().code
                         for _ in range(2 + number + 3)]
                equal(set(codes[:2 + number]), {250}, f"{source} {size}")
                equal(codes[-3] == 250, source == TRUSTED, "XSETCONTEXT")
                equal(codes[-1], 250, "in step")
                count += 1
    messages = arrived(gate, count)
    equal(set(messages), {messages[0]}, "what arrived")
    equal(messages[0].replace("\n", "\r\n") + "\r\n", stuffed(ODD), "all")


def test_refused_data(case):
    """DATA and BDAT that the MTA refuses leave both in step."""
    gate = PostfixFront(case)
    for source in (STRANGER, TRUSTED):
        with gate.client(source) as client:
            equal(client.command("DATA").code, 503, "DATA first")
            equal(client.command("NOOP").code, 250, "in step")
            client.mail()
            equal(client.command("DATA").code, 554, "no recipients")
            client.send(bdat("XSETCONTEXT a=b\r\nQUIT\r\n", 5) + b"NOOP\r\n")
            codes = [client.reply().code for _ in range(6)]
            equal((codes[-1], {code // 100 for code in codes[:-1]}),
                  (250, {5}), f"BDAT without recipients: {codes}")
            client.command("RSET")
            replies = client.pipeline(
                "MAIL FROM:<a@sender.test>", "RCPT TO:<no@example.com>",
                "DATA", "NOOP")
            equal([reply.code for reply in replies], [250, 550, 554, 250],
                  "pipelined")


def front_memory():
    """VmHWM of each postern-front, in KiB."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/comm", encoding="ascii") as file:
                if file.read().strip() != "postern-front":
                    continue
            with open(f"/proc/{entry}/status", encoding="ascii") as file:
                found.append(int(re.search(r"VmHWM:\s+(\d+)",
                                           file.read()).group(1)))
        except (OSError, AttributeError):
            continue
    return found


def test_50_megabytes(case):
    """A message of 50 MB, octet by octet, in little memory."""
    gate = PostfixFront(case, message_size_limit="100000000",
                        queue_minfree="0")
    got = hashlib.sha256()
    done = threading.Event()

    def take(session, _line):
        session.say("354 Go on")
        # all octets up to the dot; what was read ahead first
        tail = session._input  # pylint: disable=protected-access
        session._input = b""  # pylint: disable=protected-access
        begun = False
        while not tail.endswith(b"\r\n.\r\n"):
            more = session.socket.recv(1 << 20)
            check(more, "the edge left")
            tail += more
            if not begun and b"Subject:" in tail:
                tail = tail[tail.index(b"Subject:"):]
                begun = True
            if begun and len(tail) > 1 << 20:
                got.update(tail[:-16])
                tail = tail[-16:]
        got.update(tail[:-3])
        done.set()
        return "250 2.0.0 Taken"

    gate.upstream.keywords = ["8BITMIME"]  # QUIT comes by itself
    gate.upstream.steps["data"] = take
    line = "".join(chr(33 + n % 90) for n in range(74)).replace(".", ",")
    text = ("Subject: large\r\n\r\n" + (line + "\r\n") * 690000).encode()
    with gate.client() as client:
        client.mail()
        equal(client.rcpt("ann@example.com").code, 250, "RCPT")
        equal(client.command("DATA").code, 354, "DATA")
        client.send(text)
        most = max(front_memory(), default=0)
        client.send(b".\r\n")
        equal(client.reply().code, 250, "the message")
        equal(client.command("XDUMPCONTEXT").code, 250, "in step")
    wait_for(done.is_set, "the message upstream")
    equal(got.hexdigest(), hashlib.sha256(text).hexdigest(), "the octets")
    check(0 < most < 40000, f"the front took {most} KiB")


test_50_megabytes.timeout = 600


def test_1000_messages(case):
    """On one session, with its context all the time."""
    gate = PostfixFront(case, relay_transport="discard:",
                        smtpd_milters="unix:postern/milter")
    with gate.client() as client:
        gate.set(client, "tenant=acme")
        for number in range(1000):
            client.send(f"MAIL FROM:<n{number}@sender.test>\r\n"
                        "RCPT TO:<ann@example.com>\r\nDATA\r\n")
            codes = [client.reply().code for _ in range(3)]
            client.send(f"Subject: {number}\r\n\r\n{number}\r\n.\r\n")
            codes.append(client.reply().code)
            equal(codes, [250, 250, 354, 250], f"message {number}")
            if number % 250 == 249:
                connection, message = gate.dump(client)
                equal((connection["tenant"], message,
                       connection["connection_message_count"],
                       connection["connection_rcpt_count"]),
                      ("acme", {}, str(number + 1), str(number + 1)),
                      "the context")
        equal(client.quit().code, 221, "QUIT")
    wait_for(lambda: gate.edge.log().count("status=sent") == 1000,
             "1000 deliveries", 300)
    equal(len(gate.milter.lines("context: ", "tenant=acme")), 1000,
          "lines of contexts")


test_1000_messages.timeout = 600


def test_slow_reader(case):
    """Replies that nobody reads, until no more commands are taken: none is
    lost, and the front does not collect them."""
    gate = PostfixFront(case, smtpd_soft_error_limit="100000")
    padding = 400 * b"x"
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.bind((TRUSTED, 0))
    client.connect(("127.0.0.1", gate.port))
    client.settimeout(60)
    enough = threading.Event()
    sent = [0]

    def talk():
        client.sendall(b"EHLO x\r\n")
        while not enough.is_set():
            client.sendall(b"VRFY <%s.u%d@example.com>\r\n"
                           % (padding, sent[0]))
            if sent[0] % 1000 == 0:
                client.sendall(b"XSETCONTEXT n=%d\r\n" % sent[0])
            sent[0] += 1
        client.sendall(b"XDUMPCONTEXT\r\nQUIT\r\n")

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    before = -1
    while before != sent[0]:
        before = sent[0]
        time.sleep(2)
        # more than all sockets hold
        check(sent[0] < 90000, "somebody takes it all")
    enough.set()
    most = max(front_memory(), default=0)
    check(0 < most < 40000, f"the front took {most} KiB")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    got = b""
    while True:
        more = client.recv(65536)
        if not more:
            break
        got += more
    thread.join(60)
    count = sent[0]
    lines = got.decode().split("\r\n")
    numbers = [int(found.group(1)) for found in
               (re.search(r"u(\d+)@example\.com", line) for line in lines)
               if found]
    equal(len(numbers), count, "replies")
    check(numbers == sorted(numbers), "their order")
    marks = -(-count // 1000)
    contains(got.decode(), f"[connection] n {marks * 1000 - 1000}\r",
             "XDUMPCONTEXT")
    equal(lines.count("250 2.0.0 Ok"), marks, "XSETCONTEXT")
    print(f"{count} commands before it stopped")
    check(lines[-2].startswith("221 "), f"the end: {lines[-3:]}")
    client.close()


def test_order_of_replies(case):
    """X commands amid pipelined ones are answered in their turn."""
    gate = PostfixFront(case)
    with gate.client() as client:
        replies = client.pipeline(
            "NOOP", "XSETCONTEXT a=1", "VRFY ann@example.com",
            "MAIL FROM:<m1@sender.test>", "XDUMPCONTEXT", "XREMOTEIP 1.2.3.4",
            "RCPT TO:<ann@example.com>", "XDUMPCONTEXT", "RSET",
            "XDUMPCONTEXT", "XREMOTEIP 192.0.2.1", "XDUMPCONTEXT",
            "XCLIENT ADDR=192.0.2.2", "XDUMPCONTEXT", "EHLO again",
            "XSETCONTEXT a=2", "XDUMPCONTEXT", "QUIT")
        equal([reply.code for reply in replies],
              [250, 250, 252, 250, 250, 503, 250, 250, 250, 250, 250, 250,
               220, 250, 250, 250, 250, 221], "the codes")
        dumps = [reply.text for reply in replies
                 if "XDUMPCONTEXT complete" in reply.text]
        for dump, want in zip(dumps, (
                "[message] mailfrom_localpart m1",
                "[message] rcptto_string ann@example.com", "a 1",
                "client_ip 192.0.2.1", "client_ip 192.0.2.2", "a 2")):
            contains(dump, want, "a dump in its turn")
        check("[message]" not in dumps[2], "behind RSET")


def test_half_close(case):
    """A client that has said all and closes its side gets its answers."""
    gate = PostfixFront(case)
    with gate.client() as client:
        client.send("MAIL FROM:<ann@sender.test>\r\nRCPT TO:<ann@example.com>"
                    "\r\nDATA\r\nSubject: a\r\n\r\nb\r\n.\r\nQUIT\r\n")
        client.socket.shutdown(socket.SHUT_WR)
        equal([client.reply().code for _ in range(5)],
              [250, 250, 354, 250, 221], "the replies")


def certificate(case):
    """A pair for the edge, which the front's user may read, too."""
    pair = certs.Authority(case.path("ca")).issue("edge", ("edge.test",))
    os.chmod(case.path("ca"), 0o755)
    os.chmod(pair.key, 0o644)
    return pair


def test_starttls(case):
    """Ended by the front when it has a certificate, and hidden otherwise;
    what was said before is forgotten."""
    pair = certificate(case)
    edge = {"smtpd_tls_security_level": "may",
            "smtpd_tls_cert_file": pair.cert, "smtpd_tls_key_file": pair.key}
    gate = PostfixFront(
        case, front=f'tls_cert_file = "{pair.cert}" '
        f'tls_key_file = "{pair.key}"', **edge)
    with gate.client() as client:
        contains(client.keywords, "STARTTLS", "EHLO")
        equal(client.starttls().code, 220, "STARTTLS")
        check(isinstance(client.socket, ssl.SSLSocket), "TLS")
        equal(client.mail().code, 503, "MAIL without EHLO")
        client.ehlo("inside.test")
        gate.set(client, "tenant=acme")
        check("STARTTLS" not in client.keywords, "STARTTLS in TLS")
        connection = gate.dump(client)[0]
        equal((connection["tls"], connection["tls_cipher"],
               connection["tls_cipher_usebits"], connection["ehlo_domain"],
               connection["tenant"]),
              ("true", client.socket.cipher()[0],
               str(client.socket.cipher()[2]), "inside.test", "acme"),
              "the context")
        check(client.command("STARTTLS").code >= 500, "STARTTLS again")
        equal(client.command("XREMOTEIP 192.0.2.1").code, 250, "XREMOTEIP")
        equal(gate.dump(client)[0]["tls"], "true", "tls behind XREMOTEIP")
        equal(mail_by_data(client, ODD).code, 250, "a message")
        large = "Subject: large\r\n\r\n" + (70 * "x" + "\r\n") * 30000
        equal(mail_by_data(client, large).code, 250, "a large one")
        equal(client.quit().code, 221, "QUIT")
    equal(sorted(arrived(gate, 2))[0].replace("\n", "\r\n") + "\r\n",
          stuffed(large), "the large one")
    # nor is what somebody has set in clear
    with gate.client() as client:
        gate.set(client, "tenant=acme")
        equal(client.command("STARTTLS").code, 503, "behind XSETCONTEXT")
    # plain text behind STARTTLS is no part of the session in TLS
    with gate.client() as client:
        client.send("STARTTLS\r\nXSETCONTEXT evil=1\r\n")
        equal(client.reply().code, 220, "STARTTLS")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            client.socket = context.wrap_socket(client.socket)
        except (ssl.SSLError, OSError):
            return  # the octets were no handshake: as good
        client.ehlo()
        check("evil" not in gate.dump(client)[0], "it was obeyed")


def test_starttls_hidden(case):
    """Without a certificate of its own the front hides the MTA's."""
    pair = certificate(case)
    gate = PostfixFront(case, smtpd_tls_security_level="may",
                        smtpd_tls_cert_file=pair.cert,
                        smtpd_tls_key_file=pair.key)
    with smtpclient.Client(gate.direct, helo="x") as client:
        contains(client.keywords, "STARTTLS", "without the front")
    for source in (TRUSTED, STRANGER, ALLOWED):
        with gate.client(source) as client:
            check("STARTTLS" not in client.keywords, "STARTTLS")
            for line in ("STARTTLS", "starttls", " STARTTLS"):
                check(client.command(line).code >= 500, line)
            equal(client.command("NOOP").code, 250, "in step")


def test_timeouts(case):
    """Silence: 421 by the front, or by the MTA if that is sooner."""
    gate = PostfixFront(case, timeout=2)
    for words in ("", "RSE", "MAIL FROM:<a@sender.test>\r\n"
                  "RCPT TO:<ann@example.com>\r\nDATA\r\nSubject: a\r\n"):
        with gate.client() as client:
            began = time.monotonic()
            client.send(words)
            replies = []
            try:
                while True:
                    replies.append(client.reply())
            except EOFError:
                pass
            took = time.monotonic() - began
            equal((replies[-1].code, replies[-1].enhanced), (421, "4.4.2"),
                  f"behind {words!r}")
            check(1 < took < 20, f"it took {took:.1f} s")
    gate.milter.configure(gate.conf.replace("timeout = 2", "timeout = 60"))
    edge = gate.edge.command("postconf", "-e", "smtpd_timeout=2s")
    equal(edge.returncode, 0, "postconf")
    gate.edge.stop()
    gate.edge.start()
    with gate.client() as client:
        reply = client.reply()
        equal((reply.code, reply.enhanced), (421, "4.4.2"), "the MTA's")
        contains(reply.text, "edge.test", "its words")
        try:
            client.line()
            check(False, "the session goes on")
        except EOFError:
            pass
