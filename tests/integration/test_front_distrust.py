# SPDX-License-Identifier: BSD-2-Clause
"""What a real Postfix does with commands that it refuses, and what becomes of
the front's idea of it."""
import socket

from harness.case import check, contains, equal
from harness.front_gate import STRANGER, TRUSTED, PostfixFront

ELSEWHERE = "bob@elsewhere.test"
INNER = b"XCLIENT ADDR=127.0.0.1\r\nEHLO inner\r\n"


def test_tls_first(case):
    """A smtpd that wants TLS before all else refuses BDAT and reads on behind
    the line, where a stranger's octets are; XCLIENT it takes even so."""
    gate = PostfixFront(case, smtpd_tls_security_level="encrypt")
    with socket.create_connection(("127.0.0.1", gate.port), 60,
                                  (STRANGER, 0)) as client:
        stream = client.makefile("rb")
        stream.readline()
        client.sendall(b"EHLO outer\r\n")
        offered = b""
        while not offered.rsplit(b"\n", 2)[-2:][0].startswith(b"250 "):
            offered += stream.readline()
        check(b"CHUNKING" in offered, f"no CHUNKING: {offered!r}")
        client.sendall(b"BDAT %d LAST\r\n" % len(INNER) + INNER
                       + b"NOOP\r\nQUIT\r\n")
        got = stream.read()
    check(b"220 " not in got and b"CHUNKING" not in got, f"taken: {got!r}")
    contains(got, b"503 5.5.1", "BDAT")


def test_refused_xclient(case):
    """Postfix takes attributes one by one: one that is wrong leaves those
    before it.  Nobody is taken for another without the milter's knowledge."""
    gate = PostfixFront(case)
    for wrong in ("NONSENSE=1", "NAME=a..b", "PORT=x", "PROTO=X"):
        with gate.client() as client:
            reply = client.command(f"XCLIENT ADDR=127.0.0.1 {wrong}")
            equal(reply.code, 501, wrong)
            try:
                client.mail()
                reply = client.rcpt(ELSEWHERE)
            except (OSError, EOFError, ValueError):
                continue
            check(reply.code in (421, 554), f"{wrong}: {reply!r}")
    with gate.client() as client:
        equal(client.command("XCLIENT NAME=a..b").code, 501, "NAME alone")
        equal(client.command("XCLIENT NONSENSE=1").code, 501, "unknown")
        equal(gate.dump(client)[0]["client_ip"], TRUSTED, "client_ip")
