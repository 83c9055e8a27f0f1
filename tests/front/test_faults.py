#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What goes wrong: no milter, no MTA, silence, and messages that two would
end in different places."""
import os
import socket
import sys
import time

from rig import ALL, LIMIT, Rig, check, quit_session, run, same

GONE = "421 4.3.0 "


def turned_away(rig):
    """No greeting but 421, and the end."""
    client = rig.connect()
    reply = client.reply()
    check(reply.startswith(GONE), f"greeted with {reply!r}")
    client.ends()
    rig.children[-1].wait(LIMIT)
    check("turned away: " in rig.log(), f"no reason: {rig.log()}")


def no_milter():
    """Nobody listens on the control socket."""
    with Rig(milter=False) as rig:
        turned_away(rig)


def no_mta():
    """Nobody listens on front.next."""
    with Rig(mta=False) as rig:
        turned_away(rig)


def mta_refuses():
    """In the greeting, at XCLIENT, by hanging up."""
    with Rig() as rig:
        rig.mta.greeting = b"421 4.3.2 all server ports are busy\r\n"
        turned_away(rig)
        rig.mta.greeting = b"554 5.7.1 no\r\n"
        turned_away(rig)
        rig.mta.greeting = b"hello\r\n"
        turned_away(rig)
        rig.mta.greeting = b"220 x\r\n"
        for answer in ("550 5.7.0 Error: insufficient authorization",
                       "250 2.0.0 Ok", "502 5.5.2 unknown", "221 bye"):
            rig.mta.answers["XCLIENT"] = answer
            turned_away(rig)
        same(rig.mta.commands, [], "commands")


def milter_refuses():
    """At begin, and when the token never comes."""
    for what in ("begin", "claimed"):
        with Rig() as rig:
            rig.milter.refuse[what] = "no"
            turned_away(rig)
            same(rig.mta.commands, [], "commands")


def milter_forgets():
    """Restarted between two messages: no message without its context."""
    with Rig(peer=ALL) as rig:
        client = rig.client()
        client.ask("MAIL FROM:<>", "250")
        client.ask("RSET", "250")
        rig.milter.sessions.clear()
        rig.mta.commands.clear()
        client.send(b"NOOP\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n")
        check(client.reply().startswith("250"), "NOOP")
        check(client.reply().startswith(GONE), "MAIL")
        client.ends()
        same(rig.mta.commands, [b"NOOP\r\n"], "commands")


def milter_goes():
    """Each command that needs it."""
    for line in ("MAIL FROM:<>", "XSETCONTEXT a=b", "XDUMPCONTEXT",
                 "XREMOTEIP 192.0.2.1", "XCLIENT ADDR=192.0.2.1"):
        with Rig(peer=ALL) as rig:
            client = rig.client()
            rig.milter.close()
            client.ask(line, GONE)
            client.ends()


def mta_goes():
    """Between commands, in a reply's place, in a message, with a word."""
    with Rig() as rig:
        client = rig.client()
        rig.mta.answers["NOOP"] = None
        client.send(b"VRFY x\r\nNOOP\r\nRSET\r\n")
        check(client.reply().startswith("502"), "VRFY")
        check(client.reply().startswith(GONE), "NOOP")
        client.ends()
        rig.mta.answers["NOOP"] = "421 4.4.2 Error: timeout exceeded"
        client = rig.client()
        client.send(b"NOOP\r\nQUIT\r\n")
        check(client.reply().startswith("421 4.4.2"), "NOOP")
        client.reply()
        client.sock.close()


def xclient_goes_wrong():
    """The MTA hangs up, or the milter does not hear the new token."""
    with Rig(peer=ALL) as rig:
        for answer in (None, "421 4.3.0 no", b"what?\r\n"):
            client = rig.client()
            rig.mta.answers["XCLIENT"] = answer
            client.ask("XREMOTEIP 192.0.2.1", GONE)
            client.ends()
            rig.mta.answers.clear()
        client = rig.client()
        rig.milter.refuse["claimed"] = "no"
        client.ask("XCLIENT ADDR=192.0.2.1", GONE)
        client.ends()


def silence():
    """Of the client, and of the MTA."""
    with Rig(timeout="3") as rig:
        client = rig.client()
        check(client.reply().startswith("421 4.4.2 "), "idle")
        client.ends()
        client = rig.client()
        rig.mta.hold.clear()
        client.ask("NOOP", "421 4.4.2 ")
        client.ends()
        rig.mta.hold.set()
        client = rig.client()
        client.ask("MAIL FROM:<>", "250")
        client.ask("DATA", "354")
        for _ in range(10):
            client.send(b"slow\r\n")
            time.sleep(0.4)
        client.send(b".\r\n")
        check(client.reply().startswith("250"), "slow, but not silent")
        client.send(b"x")
        check(client.reply().startswith("421 4.4.2 "), "half a line")
        client.ends()


def ambiguous_ends():
    """Where one sees the end of a message and another does not."""
    smuggled = b"XCLIENT ADDR=127.0.0.1\r\nMAIL FROM:<x@y>\r\n"
    for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r\r\n",
                b"\r\n.\r\r\r\n", b"\n.\r\r\n"):
        with Rig() as rig:
            client = rig.client()
            client.ask("MAIL FROM:<>", "250")
            client.ask("DATA", "354")
            client.send(b"a" + end + smuggled + b".\r\n")
            reply = client.reply()
            check(reply.startswith("521 5.5.2 "), f"{end!r}: {reply}")
            client.ends()
            same(len(rig.mta.xclient), 1, "XCLIENT")
            same(rig.mta.messages, [], "messages")


def ambiguous_chunks():
    """BDAT that the MTA may read otherwise never reaches it."""
    for args in ("", "x", "-1", "+5", "5 FIRST", "5 LAST x", "0x10", "5\0",
                 "99999999999999999999999"):
        with Rig() as rig:
            client = rig.client()
            rig.mta.commands.clear()
            client.ask(f"BDAT {args}", "521 5.5.4")
            client.ends()
            same(rig.mta.commands, [], "commands")
    with Rig() as rig:
        rig.mta.keywords.remove("CHUNKING")
        client = rig.client()
        line = b"NOOP XCLIENT ADDR=1.1.1.1\r\n"
        client.send(b"BDAT 5\r\n" + line)
        check(client.reply().startswith("502"), "BDAT")
        check(client.reply().startswith("250"), "NOOP")
        same(rig.mta.commands[-1], line, "command")
        quit_session(client)
    with Rig() as rig:
        client = rig.client()
        client.ask("MAIL FROM:<>", "250")
        rig.mta.answers["BDAT"] = "503 5.5.1 no"
        client.send(b"BDAT 1000 LAST\r\nNOOP\r\n")
        check(client.reply().startswith("503"), "BDAT")
        check(client.reply().startswith(GONE), "half a chunk")
        client.ends()


def garbage_from_mta():
    """Replies that are none."""
    for answer in (b"hello\r\n", b"25\r\n", b"\r\n", b"250+x\r\n",
                   b"x" * 200000, b"\0\0\0\0\r\n"):
        with Rig() as rig:
            client = rig.client()
            rig.mta.answers["NOOP"] = answer
            client.ask("NOOP", GONE)
            client.ends()
    with Rig() as rig:
        client = rig.client()
        rig.mta.answers["NOOP"] = "354 go on"
        client.send(b"NOOP\r\n")
        check(client.reply().startswith("354"), "NOOP")
        check(client.reply().startswith(GONE), "the end")
        client.ends()
    with Rig() as rig:
        rig.mta.answers["EHLO"] = b"250-" + b"x" * 100000 + b"\r\n250 a\r\n"
        client = rig.client(ehlo=False)
        client.ask("EHLO there", GONE)
        client.ends()


def bad_configuration():
    """The client is told no more than anybody."""
    with Rig() as rig:
        with open(rig.conf, "a", encoding="ascii") as file:
            file.write("nonsense = 1\n")
        client = rig.connect()
        check(client.reply().startswith(GONE), "greeting")
        client.ends()
        same(rig.children.pop().wait(LIMIT), 78, "exit")


def no_tcp():
    """A socket that has no address."""
    with Rig() as rig:
        ours, theirs = socket.socketpair()
        rig.spawn(theirs)
        ours.settimeout(LIMIT)
        check(ours.recv(100).startswith(b"421 "), "greeting")
        ours.close()
        same(rig.milter.requests, [], "requests")


def client_goes():
    """In the midst of a message: the milter is told, nothing is sent on."""
    with Rig() as rig:
        client = rig.client()
        client.ask("MAIL FROM:<>", "250")
        client.ask("DATA", "354")
        client.send(b"half a line")
        client.sock.close()
        rig.children[0].wait(LIMIT)
        same(rig.mta.messages, [], "messages")
        same(len(rig.milter.asked("end")), 1, "end")


def core_and_memory():
    """What holds a client's words is not dumped."""
    with Rig() as rig:
        client = rig.client()
        path = f"/proc/{rig.children[0].pid}/"
        same(os.stat(path + "environ").st_uid, 0, "owner: dumpable")
        quit_session(client)


if __name__ == "__main__":
    sys.exit(run([
        no_milter, no_mta, mta_refuses, milter_refuses, milter_forgets,
        milter_goes, mta_goes, xclient_goes_wrong, silence, ambiguous_ends,
        ambiguous_chunks, garbage_from_mta, bad_configuration, no_tcp,
        client_goes, core_and_memory]))
