#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""XSETCONTEXT, XDUMPCONTEXT, XREMOTEIP, XCLIENT and ALWAYS-ALLOW, for those
who may; and for those who may not."""
import sys

from rig import ALL, Rig, check, quit_session, run, same

NAMES = ("XCLIENT", "XREMOTEIP", "XSETCONTEXT", "XDUMPCONTEXT")


def advertised():
    """What the peer section says, no more."""
    for i, name in enumerate(NAMES):
        peer = f'peer "127.0.0.1" {{ smtp_extensions = {{"{name}"}} }}'
        with Rig(peer=peer) as rig:
            client = rig.client(ehlo=False)
            reply = client.ask("EHLO there", "250-")
            for j, other in enumerate(NAMES):
                same(other in reply, i == j, f"{other} in {reply}")
            check("XCLIENT NAME ADDR" in reply or i != 0, reply)
            check("XFORWARD" not in reply, reply)
            same(reply.splitlines()[-1][:4], "250 ", "last line")
            quit_session(client)


def nobody_else():
    """The MTA's answer to what it does not know, and nothing happens."""
    with Rig() as rig:
        client = rig.client()
        want = client.ask("XNONSENSE", "502 5.5.2")
        for line in ("XCLIENT ADDR=192.0.2.1", "xclient LOGIN=a", "XCLIENT",
                     " XCLIENT ADDR=192.0.2.1", "\"XCLIENT\" ADDR=192.0.2.1",
                     "\\XCLIENT ADDR=192.0.2.1", "X\0CLIENT ADDR=192.0.2.1",
                     "XFORWARD ADDR=192.0.2.1", "XREMOTEIP 192.0.2.1",
                     "\tXREMOTEIP\t192.0.2.1", "XSETCONTEXT a=b",
                     "XDUMPCONTEXT", "STARTTLS", " starttls", "<STARTTLS>",
                     "XPOSTERN-" + "0" * 32, "XPOSTERN"):
            same(client.ask(line), want, f"{line!r}")
        same(len(rig.mta.xclient), 1, "XCLIENT")
        same(rig.milter.claimed, set(rig.milter.sessions), "claimed")
        for line in rig.mta.commands:
            check(b"XCLIENT" not in line.upper().split(), line)
            check(b"STARTTLS" not in line.upper().split(), line)
        same([r[0] for r in rig.milter.requests],
             ["begin", "claimed", "hello"], "requests")
        quit_session(client)


def set_and_dump():
    """As in the manual."""
    with Rig(peer=ALL) as rig:
        client = rig.client()
        same(client.ask("XDUMPCONTEXT"),
             "250-[connection] ehlo_string EHLO there\r\n"
             "250 XDUMPCONTEXT complete\r\n", "dump")
        client.ask("XSETCONTEXT option1=value1 option2=a+20b+3Dc", "250 2.")
        client.ask("xsetcontext\toption1=other  empty=", "250 2.")
        same(client.ask("xdumpcontext"),
             "250-[connection] ehlo_string EHLO there\r\n"
             "250-[connection] option1 other\r\n"
             "250-[connection] option2 a b=c\r\n"
             "250-[connection] empty \r\n"
             "250 XDUMPCONTEXT complete\r\n", "dump")
        for line in ("a", "a=b c", "=b", "=", "a=+", "a=+4", "a=+GG", "a=b=c",
                     "a=b =", "", "a=b\0", "a=b\rc=d", "a=\x7f", "a=\xe9"):
            client.ask(f"XSETCONTEXT {line}".encode("latin-1"), "501 5.5.")
        same(len(rig.milter.asked("set")), 2, "set")
        client.ask("XSETCONTEXT a=b forbidden=c", "550 5.7.1 forbidden is")
        client.ask("XDUMPCONTEXT all", "501 5.5.4")
        check("a b" not in client.ask("XDUMPCONTEXT").split("] "), "a is set")
        quit_session(client)
        check("extension: command=XSETCONTEXT client=127.0.0.1 "
              "real=127.0.0.1 code=250" in rig.log(), "no line in the log")


def many_pairs():
    """A thousand are fine, more than there is room for are not."""
    with Rig(peer=ALL) as rig:
        client = rig.client()
        client.ask("XSETCONTEXT" + "".join(f" n={i}" for i in range(1000)),
                   "250 2.")
        same(len(rig.milter.asked("set")[0]), 1002, "words")
        client.ask("XSETCONTEXT" + " n=1" * 1025, "552 5.3.4")
        client.ask("XSETCONTEXT" + " n=1" * 16000, "552 5.3.4")
        client.ask("XSETCONTEXT" + " n=1" * 17000, "500 5.5.2")
        client.ask("XSETCONTEXT n=" + "x" * 65000, "501 5.5.4 n: ")
        client.ask("XSETCONTEXT n=" + "x" * 1024, "250")
        check("[connection] n xxx" in client.ask("XDUMPCONTEXT"), "n")
        quit_session(client)


def remote_ip():
    """The MTA is told, then the milter session is tied, EHLO is said again."""
    with Rig(peer=ALL) as rig:
        client = rig.client()
        client.ask("XSETCONTEXT tenant=acme", "250")
        rig.mta.commands.clear()
        for said, want in (("192.0.2.1", "192.0.2.1"),
                           ("2001:DB8::1", "IPV6:2001:db8::1"),
                           ("ipv6:2001:db8::2", "IPV6:2001:db8::2"),
                           ("::ffff:192.0.2.3", "192.0.2.3")):
            client.ask("XREMOTEIP " + said, "250 2.")
            same(rig.mta.xclient[-1], "XCLIENT NAME=[UNAVAILABLE] ADDR="
                 + want + " PORT=[UNAVAILABLE]", said)
        same(rig.mta.commands, [b"EHLO there\r\n"] * 4, "commands")
        moves = rig.milter.asked("move")
        same([m[3] for m in moves],
             ["seen=192.0.2.1", "seen=2001:db8::1", "seen=2001:db8::2",
              "seen=192.0.2.3"], "moves")
        same(len({m[2] for m in moves}), 4, "tokens")
        check("tenant acme" in client.ask("XDUMPCONTEXT"), "lost")
        for said in ("", "here", "192.0.2", "192.0.2.1.", "0.0.0.0", "::",
                     "ipv6:192.0.2.1", "192.0.2.1 x", "[192.0.2.1]",
                     "192.0.2.1\0", "fe80::1%eth0", "1" * 1000):
            client.ask("XREMOTEIP " + said, "501 5.5.")
        client.ask("MAIL FROM:<>", "250")
        client.ask("XREMOTEIP 192.0.2.1", "503 5.5.1")
        client.ask("XCLIENT ADDR=192.0.2.1", "503 5.5.1")
        client.ask("RSET", "250")
        client.ask("XREMOTEIP 192.0.2.9", "250")
        same(len(rig.mta.xclient), 6, "XCLIENT")
        quit_session(client)
        check("command=XREMOTEIP client=192.0.2.9 real=127.0.0.1 "
              "was=192.0.2.3 code=250" in rig.log(), rig.log())


def remote_ip_before_ehlo():
    """Nothing to say again then; refused by the MTA: all as it was."""
    with Rig(peer=ALL) as rig:
        client = rig.client(ehlo=False)
        client.ask("XREMOTEIP 192.0.2.1", "250")
        same(rig.mta.commands, [], "commands")
        rig.mta.answers["XCLIENT"] = "501 5.5.4 Bad"
        client.ask("XREMOTEIP 192.0.2.2", "550 5.7.1")
        del rig.mta.answers["XCLIENT"]
        client.ask("MAIL FROM:<>", "250")
        client.ask("RSET", "250")
        rig.milter.refuse["move"] = "not this one"
        client.ask("XREMOTEIP 192.0.2.3", "550 5.7.1")
        same(len(rig.mta.xclient), 3, "XCLIENT")
        quit_session(client)


def login_is_kept():
    """After AUTH the MTA's name for it is said with the new address; without
    one the client stays who it is."""
    with Rig(peer=ALL) as rig:
        client = rig.client()
        client.ask("AUTH PLAIN AGEAYg==", "235")
        client.ask("XREMOTEIP 192.0.2.1", "550 5.7.1")
        same(len(rig.mta.xclient), 1, "XCLIENT")
        rig.milter.user = "a+2Bb@example.org"
        rig.mta.commands.clear()
        client.ask("XREMOTEIP 192.0.2.1", "250")
        check(rig.mta.xclient[-1].endswith(" LOGIN=a+2Bb@example.org"),
              rig.mta.xclient[-1])
        same(rig.mta.commands, [b"EHLO there\r\n"] * 2, "commands")
        check("login=a+2Bb@example.org" in rig.milter.asked("move")[0],
              "move")
        quit_session(client)


def xclient():
    """Passes as it is; the session that follows has the old context."""
    with Rig(peer=ALL) as rig:
        client = rig.client()
        client.ask("XSETCONTEXT tenant=acme", "250")
        line = "XCLIENT NAME=mail.example ADDR=192.0.2.1 LOGIN=a+2Bb HELO=x"
        same(client.ask(line), "220 edge.test ESMTP again\r\n", "XCLIENT")
        same(rig.mta.xclient[-1], line, "XCLIENT")
        move = rig.milter.asked("move")[0]
        same(move[3:], ["seen=192.0.2.1", "login=a+2Bb", "by=XCLIENT"], "move")
        same(len(rig.milter.asked("hello")), 1, "hello")
        check("tenant acme" in client.ask("XDUMPCONTEXT"), "lost")
        rig.mta.answers["XCLIENT"] = "501 5.5.4 Bad NAME"
        same(client.ask("XCLIENT NAME=_"), "501 5.5.4 Bad NAME\r\n", "bad")
        for args in ("", "NAME", "ADDR=here", "LOGIN=+0", "NAME=a\0b",
                     "NAME=\xe9", "NAME=" + "x" * 3000):
            client.ask(f"XCLIENT {args}".encode("latin-1"), "501 5.5.")
        same(len(rig.mta.xclient), 3, "XCLIENT")
        client.ask("MAIL FROM:<>", "250")
        client.ask("RSET", "250")
        # The MTA may have taken the first of these.
        client.ask("XCLIENT ADDR=192.0.2.1 NAME=_", "501 5.5.4 Bad NAME")
        check(client.reply().startswith("421 4.3.0"), "half an XCLIENT")
        client.ends()


def pipelined():
    """Each in its turn, whatever stands before and behind it."""
    with Rig(peer=ALL) as rig:
        client = rig.client()
        client.send(b"NOOP\r\nXSETCONTEXT a=1\r\nXDUMPCONTEXT\r\nNOOP\r\n"
                    b"XCLIENT ADDR=192.0.2.1\r\nEHLO again\r\n"
                    b"XREMOTEIP 192.0.2.2\r\nMAIL FROM:<>\r\n"
                    b"XSETCONTEXT a=2\r\nRCPT TO:<a@b>\r\nDATA\r\n"
                    b"XSETCONTEXT a=3\r\nXCLIENT ADDR=1.1.1.1\r\n.\r\n"
                    b"BDAT 17 LAST\r\nXSETCONTEXT a=4\r\n"
                    b"AUTH LOGIN\r\nXSETCONTEXT a=5\r\nXDUMPCONTEXT\r\n"
                    b"XDUMPCONTEXT\r\nQUIT\r\n")
        got = ""
        replies = []
        for want in ("250 2.1", "250 2.0", "250-[c", "250 2.1", "220",
                     "250-edge", "250 2.0", "250 2.1", "250 2.0", "250 2.1",
                     "354", "250", "250", "334", "334", "235", "250-[c",
                     "221"):
            got = client.reply()
            check(got.startswith(want), f"{got}, want {want}")
            replies.append(got)
        client.ends()
        same(rig.mta.messages,
             [b"XSETCONTEXT a=3\r\nXCLIENT ADDR=1.1.1.1\r\n",
              b"XSETCONTEXT a=4\r\n"], "messages")
        check("] a 1\r\n" in replies[2], replies[2])
        check("] a 2\r\n" in replies[-2], replies[-2])
        same(len(rig.mta.xclient), 3, "XCLIENT")


def always_allow():
    """Logged in as anonymous, before and after XREMOTEIP."""
    peer = 'peer "127.0.0.1" { smtp_extensions = {"ALWAYS-ALLOW", ' \
        '"XREMOTEIP"} }'
    with Rig(peer=peer) as rig:
        client = rig.client()
        client.ask("XREMOTEIP 192.0.2.1", "250")
        for line in rig.mta.xclient:
            check(line.endswith(" LOGIN=anonymous"), line)
        check("login=anonymous" in rig.milter.asked("begin")[0], "begin")
        check("login=anonymous" in rig.milter.asked("move")[0], "move")
        check("ALWAYS" not in client.ask("EHLO there"), "advertised")
        quit_session(client)


def without_xclient():
    """An MTA that has none: the milter alone is told."""
    with Rig(peer=ALL, front='xclient = "no"') as rig:
        rig.mta.keywords.remove("XCLIENT NAME ADDR PORT PROTO HELO LOGIN")
        client = rig.client()
        reply = client.ask("EHLO there")
        check("XREMOTEIP" in reply and "XCLIENT" not in reply, reply)
        check("xclient=no" in rig.milter.asked("begin")[0], "begin")
        client.ask("XSETCONTEXT a=b", "250")
        client.ask("XREMOTEIP 192.0.2.1", "250")
        same(rig.milter.asked("seen")[0][2], "192.0.2.1", "seen")
        client.ask("MAIL FROM:<>", "250")
        client.ask("XREMOTEIP 192.0.2.1", "503")
        same(rig.mta.xclient, [], "XCLIENT")
        quit_session(client)


if __name__ == "__main__":
    sys.exit(run([
        advertised, nobody_else, set_and_dump, many_pairs, remote_ip,
        remote_ip_before_ehlo, login_is_kept, xclient, pipelined, always_allow,
        without_xclient]))
