# SPDX-License-Identifier: BSD-2-Clause
"""Messages with headers that somebody made up, and a look at what arrived."""
import email.header
import re

from . import smtpclient
from .case import equal, wait_for

# The peers of the tests: a client with a tenant, and any other.
TENANT = "127.0.0.2"
STRANGER = "127.0.0.3"

NOTE = "Zo\u00eb \U0001f4ec " * 30 + "end"
LONG = "word " * 60 + "end"

CONF = f"""
tag "X-Tenant" {{ variable = "tenant" }}
tag "X-Note" {{ variable = "note" }}
tag "X-Long" {{ variable = "long" }}
tag "X-Result" {{ variable = "smtp_rcptto_proxy_result" }}
peer "{TENANT}" {{ context = {{"tenant=acme", "note={NOTE}",
    "long={LONG}"}} }}
"""

# The ways to write the same header that an MTA takes.
FORGED = ["X-Tenant: forged", "x-tenant: forged", "X-TENANT:forged",
          "X-Tenant : forged", "X-Tenant:\r\n forged", "X-Tenant:",
          "X-Tenant: forged\r\n\tand\r\n  folded", "X-Tenant: \u00eb"]


def fields(text):
    """The headers of a message, unfolded: [(name, value)]."""
    found = []
    for line in text.split("\n"):
        if not line:
            break
        if line[0] in " \t":
            found[-1] = (found[-1][0], found[-1][1] + line)
        else:
            name, _, value = line.partition(":")
            found.append((name.rstrip(), value.strip()))
    return found


def values(text, name):
    """The values of the headers of that name, decoded."""
    return [str(email.header.make_header(email.header.decode_header(value)))
            for given, value in fields(text)
            if given.lower() == name.lower()]


def send(gate, headers, address=TENANT, code=250, before=(),
         encoding="utf-8", recipient="ann@example.com"):
    """One message with those headers through gate.port; returns what arrived
    at gate.upstream, or None when it was not taken.  code: the reply, None
    for any; before: commands that come first, and their codes."""
    count = len(gate.upstream.messages)
    with smtpclient.Client(gate.port, source=address) as client:
        for line, want in before:
            equal(client.command(line).code, want, line)
        client.ehlo("client.test")
        client.mail()
        equal(client.rcpt(recipient).code, 250, "RCPT")
        equal(client.command("DATA").code, 354, "DATA")
        client.send(("".join(line + "\r\n" for line in headers) +
                     "\r\nX-Tenant: in the body\r\n.\r\n"
                     ).encode(encoding))
        done = client.reply()
        if code is not None:
            equal(done.code, code, f"the message ({done!r})")
    if done.code != 250:
        return None
    wait_for(lambda: len(gate.upstream.messages) > count,
             "the message to arrive")
    return gate.upstream.messages[-1][1]


def check_tags(gate):
    """One, two, three copies and more, alone and between others."""
    other = ["Subject: test", "X-Tenants: not ours", "X-Tenan: not ours"]
    more = ["Comments: a", "Comments: b"]
    for headers in (
            [], FORGED[:1], FORGED[:2], FORGED[1:4], FORGED,
            [FORGED[0], more[0], FORGED[4], FORGED[6], more[1], FORGED[1]],
            ["X-Note: a", FORGED[0], "X-Note: b", FORGED[3], "X-Note: c"]):
        for address, want in ((TENANT, ["acme"]), (STRANGER, [])):
            text = send(gate, ["From: <bob@sender.test>", *other, *headers],
                        address)
            what = f"of {headers} from {address}"
            equal(values(text, "X-Tenant"), want, "X-Tenant " + what)
            equal(values(text, "X-Note"), [NOTE] if want else [],
                  "X-Note " + what)
            equal(values(text, "X-Tenants"), ["not ours"], "X-Tenants")
            equal(values(text, "X-Tenan"), ["not ours"], "X-Tenan")
            equal(text.split("\n\n", 1)[1].rstrip("\n"),
                  "X-Tenant: in the body", "the body " + what)


def check_odd(gate):
    """What is no header, or half of one, by the look of it: whatever the MTA
    makes of it, no reader finds a forged one among the headers."""
    for odd in (
            b"X-Tenant\t: forged", b"X-Tenant \t : forged",
            b"X-Tenant\x0b: forged", b"X-Tenant\x00: forged",
            b"\x00X-Tenant: forged", b"X-Ten\x00ant: forged",
            b"X-Tenant\xa0: forged", b"X-Tenant\r: forged",
            b"Comments: a\nX-Tenant: forged",
            b"Comments: a\rX-Tenant: forged",
            b"Comments: a\r\rX-Tenant: forged",
            b"Comments: \x00\r\nX-Tenant: forged",
            b"Comments:\r\n \r\nX-Tenant: forged",
            b"Comments: " + b"a" * 989 + b"\r\nX-Tenant: forged",
            b"Comments: " + b"a" * 2038 + b"X-Tenant: forged",
            b"Comments: " + b"a " * 4000 + b"\r\nX-Tenant: forged",
            b"Comments: " + b"a\r\n\t" * 400 + b"\r\nX-Tenant: forged",
            b"no header\r\nX-Tenant: forged",
            b"From bob@sender.test\r\nX-Tenant: forged",
            b">From bob\r\nX-Tenant: forged",
            b": forged\r\nX-Tenant: forged",
            b"X-Tenant", b"X-Tenant forged\r\nX-Tenant: forged",
            b"Content-Type: multipart/mixed; boundary=x\r\n"
            b"X-Tenant: forged",
            b"Bcc: ann@example.com\r\nX-Tenant: forged",
            b"Resent-From: bob@sender.test\r\nX-Tenant: forged"):
        for lines in ([odd], [b"Subject: test", odd], [odd, odd]):
            text = send(gate, [line.decode("latin-1") for line in lines],
                        code=None, encoding="latin-1")
            if text is None:
                continue  # refused, as Sendmail does with a lone CR
            head = text.split("\n\n", 1)[0]
            found = re.findall(r"(?im)^[^a-z\n]*x-?tenant[^a-z\n]*:.*", head)
            equal([line.rstrip("\r") for line in found],
                  ["X-Tenant: acme"], f"X-Tenant of {lines}")


def check_values(gate):
    """Values arrive as they were set, in lines that may be sent."""
    text = send(gate, ["Subject: test"])
    for name, want in (("X-Note", NOTE), ("X-Long", LONG),
                       ("X-Tenant", "acme"), ("X-Result", "pass")):
        equal(values(text, name), [want], name)
    head = text.split("\n\n", 1)[0]
    equal([line for line in head.split("\n")
           if len(line) > 78 or not line.isascii()], [], "odd lines")
    equal(len(re.findall(r"(?m)^X-Long:", head)), 1, "X-Long")


def check_results(gate, host, **options):
    """Ours on top, saying that nobody has logged in; forged ones gone, those
    of others where they were."""
    name = "Authentication-Results"
    forged = [f"{name}: {host}; auth=pass smtp.auth=root",
              f"{name.lower()} : (x) \"{host.upper()}\" 1; auth=pass",
              f"{name}:\r\n {host}\r\n\t; auth=pass",
              f"{name}: {host} (unfinished"]
    others = [f"{name}: other.test; auth=pass", f"{name}: {host}.test; none"]
    for headers in ([], forged[:1], forged[1:3], forged + forged):
        text = send(gate, ["Subject: test", others[0], *headers, others[1],
                           *headers], **options)
        equal(fields(text)[0], (name, f"{host}; auth=none"), "on top")
        equal(values(text, name)[1:],
              [line.split(": ", 1)[1] for line in others],
              f"the others, with {headers}")


def check_many(gate):
    """500 copies are removed; more are refused."""
    lines = ["X-Tenant: x"] * 500
    equal(values(send(gate, lines), "X-Tenant"), ["acme"], "500 copies")
    send(gate, lines + ["X-Tenant: x"], code=550)
    equal(values(send(gate, lines[:3]), "X-Tenant"), ["acme"], "afterwards")
