#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is not the front's own passes byte for byte, in both directions."""
import hashlib
import os
import sys
import threading
import time

from rig import ALL, LIMIT, Rig, check, quit_session, run, same


def greeting_and_ehlo():
    """The MTA's greeting; what it offers, but for what is not for clients."""
    with Rig() as rig:
        client = rig.client(ehlo=False)
        reply = client.ask("EHLO there", "250-edge.test\r\n")
        for word in ("XCLIENT", "XFORWARD", "STARTTLS", "XSETCONTEXT"):
            check(word not in reply, f"{word} is offered: {reply}")
        for word in ("SIZE 99999999", "AUTH PLAIN LOGIN", "CHUNKING"):
            check(word in reply, f"{word} is not offered: {reply}")
        check(reply.endswith("\r\n250 CHUNKING\r\n"), reply)
        quit_session(client)
        begin = rig.milter.asked("begin")[0]
        port = client_port(rig)
        check(f"real=127.0.0.1;{port}" in begin, str(begin))
        check("xclient=yes" in begin, str(begin))
        same(rig.mta.xclient,
             [f"XCLIENT NAME=[UNAVAILABLE] ADDR=127.0.0.1 PORT={port}"],
             "XCLIENT")
        same(rig.mta.commands, [b"EHLO there\r\n", b"QUIT\r\n"], "commands")
        rig.children[0].wait(LIMIT)
        same(len(rig.milter.asked("end")), 1, "end")
        same(rig.milter.sessions, {}, "sessions left")


def client_port(rig):
    """Of the last client, as the MTA was told."""
    return rig.mta.xclient[-1].split("PORT=")[1].split()[0]


def commands_unchanged():
    """Whatever the client says and the MTA answers."""
    odd = [b"NOOP \x80\xff", b"noop\tx", b" NOOP ", b"NO\0OP", b"\"NOOP\"",
           b"MAIL FROM:<a b@c>  SIZE=1", b"RCPT TO:<\"x>y\"@z>", b"X",
           b"", b"   ", b"VRFY \r x", b"XSETCONTEXT a=b", b"XDUMPCONTEXT",
           b"HELP " + b"y" * 3000]
    with Rig() as rig:
        client = rig.client()
        rig.mta.commands.clear()
        for command in odd:
            reply = client.ask(command)
            check(reply[:3] in ("250", "502"), f"{command!r}: {reply!r}")
        client.send(b"NOOP\nNOOP \r\r\n")
        client.reply()
        client.reply()
        same(rig.mta.commands,
             [x + b"\r\n" for x in odd] + [b"NOOP\n", b"NOOP \r\r\n"],
             "commands")
        rig.mta.answers["NOOP"] = b"250-one\n250 " + b"z" * 100000 + b"\r\n"
        same(client.ask("NOOP").encode(), rig.mta.answers["NOOP"], "reply")
        quit_session(client)


def message_with_dots():
    """DATA, and what only looks like its end."""
    body = b"..\r\n.x\r\n\r\n..\r\n. \r\nXCLIENT ADDR=192.0.2.1\r\n" \
        b"a\nb\r\n.\rc\r\nQUIT\r\n\0\r\n" + b"x" * 200000 + b"\r\n.a\r\n\r\n"
    with Rig() as rig:
        client = rig.client()
        for piece in (1, 7, 100000):
            client.ask("MAIL FROM:<>", "250")
            client.ask("RCPT TO:<a@b>", "250")
            client.ask("DATA", "354")
            text = body if piece > 1 else body[:200]
            wire = text + (b"\r\n" if not text.endswith(b"\r\n") else b"") \
                + b".\r\n"
            for at in range(0, len(wire), piece):
                client.send(wire[at:at + piece])
                if piece == 7 and at > 2000:
                    client.send(wire[at + piece:])
                    break
            check(client.reply().startswith("250"), "final reply")
            same(rig.mta.messages[-1], wire[:-3], "message")
        client.ask("MAIL FROM:<>", "250")
        client.ask("DATA", "354")
        client.send(b".\r\nNOOP\r\n")
        check(client.reply().startswith("250"), "empty message")
        check(client.reply().startswith("250"), "NOOP behind the dot")
        same(rig.mta.messages[-1], b"", "message")
        quit_session(client)


def pipelined():
    """A group of commands, BDAT among them, in one packet."""
    with Rig() as rig:
        client = rig.client()
        rig.mta.commands.clear()
        chunk = b"QUIT\r\n.\r\nXCLIENT ADDR=1.2.3.4\r\n\0" * 40
        size = str(len(chunk)).encode()
        group = [b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@d>\r\n",
                 b"BDAT " + size + b"\r\n", chunk, b"BDAT 0\r\n",
                 b"bdat " + size + b" last\r\n", chunk, b"RSET\r\n",
                 b"NOOP\r\n", b"QUIT\r\n"]
        client.send(b"".join(group))
        for want in ("250 2.1.0", "250 2.1.0", f"250 2.0.0 Ok: {len(chunk)}",
                     "250 2.0.0 Ok: 0", f"250 2.0.0 Ok: {len(chunk)}",
                     "250", "250", "221"):
            check(client.reply().startswith(want), want)
        client.ends()
        same(rig.mta.messages, [chunk + chunk], "message")
        same(rig.mta.commands,
             [x for x in group if not x.startswith(b"QUIT\r\n.")],
             "commands")


def many_commands():
    """More in flight than the front keeps account of at once."""
    with Rig() as rig:
        client = rig.client()
        rig.mta.hold.clear()
        sender = threading.Thread(
            target=client.send, args=(b"NOOP\r\n" * 20000 + b"QUIT\r\n",))
        sender.start()
        time.sleep(0.1)
        rig.mta.hold.set()
        for _ in range(20000):
            same(client.line(), b"250 2.1.0 Ok\r\n", "NOOP")
        check(client.reply().startswith("221"), "QUIT")
        sender.join()
        client.ends()


def many_messages():
    """1000 of them on one session; each asks the milter once."""
    with Rig() as rig:
        client = rig.client()
        text = b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n"
        for i in range(1000):
            client.send(text)
            for want in (b"250", b"250", b"354"):
                same(client.line()[:3], want, "reply")
            client.send(b"Subject: %d\r\n\r\n.\r\n" % i)
            same(client.line()[:3], b"250", "reply")
        same(len(rig.mta.messages), 1000, "messages")
        same(len(rig.milter.asked("alive")), 1000, "asked")
        quit_session(client)


def auth_dialogues():
    """LOGIN with three lines, PLAIN with one, a command-like response."""
    with Rig() as rig:
        client = rig.client()
        rig.mta.commands.clear()
        said = [b"AUTH LOGIN\r\n", b"QUIT\r\n", b"c2VjcmV0\r\n",
                b"AUTH PLAIN\r\n", b"x" * 70000 + b"\r\n",
                b"auth plain AGEAYg==\r\n", b"NOOP\r\n"]
        client.ask(said[0][:-2], "334")
        client.ask(said[1][:-2], "334")
        client.ask(said[2][:-2], "235")
        client.send(b"".join(said[3:]))   # though nobody should
        for want in ("334", "235", "235", "250"):
            check(client.reply().startswith(want), want)
        same(rig.mta.commands, said, "commands")
        log = rig.log()
        check("c2VjcmV0" not in log, "a response is in the log")
        quit_session(client)


def memory(pid):
    """Peak resident memory, octets."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def large_message():
    """50 MB, to an MTA that reads slowly, in bounded memory."""
    line = os.urandom(48).hex().encode() + b"\r\n"
    block = line * 10240
    with Rig() as rig:
        client = rig.client()
        rig.mta.read_slowly = 0.001
        client.ask("MAIL FROM:<>", "250")
        client.ask("RCPT TO:<a@b>", "250")
        client.ask("DATA", "354")
        before = memory(rig.children[0].pid)
        size = 0
        digest = hashlib.sha256()
        while size < 50 << 20:
            client.send(block)
            digest.update(block)
            size += len(block)
        client.send(b".\r\n")
        check(client.reply().startswith("250"), "final reply")
        same(hashlib.sha256(rig.mta.messages[0]).digest(), digest.digest(),
             "message")
        grown = memory(rig.children[0].pid) - before
        check(grown < 4 << 20, f"grown by {grown} octets")
        quit_session(client)


def slow_reader():
    """A client that does not read stops the MTA, and nothing is lost."""
    with Rig() as rig:
        client = rig.connect(buffers=4096)
        client.reply()
        client.ask("EHLO there", "250")
        rig.mta.answers["NOOP"] = b"".join(
            b"250-%06d " % i + b"x" * 900 + b"\r\n" for i in range(10000)) \
            + b"250 done\r\n"
        before = memory(rig.children[0].pid)
        client.send(b"NOOP\r\nRSET\r\n")
        time.sleep(0.3)
        same(client.reply().encode(), rig.mta.answers["NOOP"], "reply")
        check(client.reply().startswith("250"), "RSET")
        grown = memory(rig.children[0].pid) - before
        check(grown < 4 << 20, f"grown by {grown} octets")
        quit_session(client)


def long_lines():
    """1 MB without a line end: an MTA's command passes, an X command of the
    front is refused without being kept."""
    with Rig(peer=ALL) as rig:
        client = rig.client()
        rig.mta.commands.clear()
        long = b"HELP " + b"y" * (1 << 20)
        client.ask(long, "502")
        same(rig.mta.commands, [long + b"\r\n"], "command")
        client.ask(b"XSETCONTEXT a=" + b"y" * (1 << 20), "500 5.5.2")
        client.ask(b"EHLO " + b"y" * (1 << 20), "500 5.5.2")
        client.ask(b" " * (1 << 20) + b"XCLIENT ADDR=1.2.3.4")
        same(len(rig.mta.xclient), 1, "XCLIENT")
        same(rig.milter.asked("set"), [], "set")
        quit_session(client)


def half_closed():
    """A client that says all it has and closes its side gets the answers."""
    with Rig() as rig:
        client = rig.connect()
        client.send(b"EHLO there\r\nNOOP\r\nQUIT\r\nNOO")
        client.sock.shutdown(1)
        client.reply()
        for want in ("250", "250", "221"):
            check(client.reply().startswith(want), want)
        client.ends()
        same(rig.mta.commands[-1], b"QUIT\r\n", "last command")


if __name__ == "__main__":
    sys.exit(run([
        greeting_and_ehlo, commands_unchanged, message_with_dots, pipelined,
        many_commands, many_messages, auth_dialogues, large_message,
        slow_reader, long_lines, half_closed]))
