#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""An MTA that does not do what the front takes it to do, and clients that
would use it."""
import sys
import time

from rig import LIMIT, Rig, check, quit_session, run, same

INNER = b"XCLIENT ADDR=127.0.0.1\r\n"
NOT_COUNTED = "530 5.7.0 Must issue a STARTTLS command first"


def chunks_without_a_transaction():
    """An MTA that wants TLS before all else refuses BDAT without a look at
    its octets, and reads on behind the line: they must not be there."""
    with Rig() as rig:
        client = rig.client()
        rig.mta.answers["BDAT"] = rig.mta.answers["MAIL"] = NOT_COUNTED
        size = b"%d" % len(INNER)
        client.send(b"BDAT " + size + b"\r\n" + INNER + b"NOOP\r\n")
        check(client.reply().startswith("503 5.5.1"), "BDAT alone")
        check(client.reply().startswith("250"), "NOOP")
        client.send(b"MAIL FROM:<a@b>\r\nBDAT " + size + b" LAST\r\n" + INNER
                    + b"BDAT 0 LAST\r\nNOOP\r\n")
        for want in ("530", "503 5.5.1", "503 5.5.1", "250"):
            check(client.reply().startswith(want), want)
        client.send(b"BDAT 70000\r\n" + b"QUIT\r\n" * 10000)
        time.sleep(0.1)
        client.send(b"QUIT\r\n" * 1666 + b"QUIT" + b"NOOP\r\n")
        check(client.reply().startswith("503 5.5.1"), "a long one")
        check(client.reply().startswith("250"), "NOOP")
        same(len(rig.mta.xclient), 1, "XCLIENT")
        check(not [x for x in rig.mta.commands if x.startswith(b"BDAT")],
              f"BDAT passed: {rig.mta.commands}")
        del rig.mta.answers["BDAT"], rig.mta.answers["MAIL"]
        client.send(b"MAIL FROM:<a@b>\r\nBDAT " + size + b" LAST\r\n" + INNER
                    + b"NOOP\r\n")
        for want in ("250", f"250 2.0.0 Ok: {len(INNER)}", "250"):
            check(client.reply().startswith(want), want)
        same(rig.mta.messages, [INNER], "messages")
        quit_session(client)


def answer_before_the_dot():
    """A message that is refused in its midst: what follows would be commands
    of the front's."""
    with Rig() as rig:
        rig.mta.answers["DATA"] = "354 Go\r\n552 5.3.4 No"
        client = rig.client()
        client.ask("MAIL FROM:<>", "250")
        client.ask("DATA", "354")
        check(client.reply()[:3] in ("552", "421"), "what it has said")
        try:
            client.send(b"XCLIENT ADDR=127.0.0.1\r\n.\r\nNOOP\r\n")
            while client.line() != b"":
                pass
        except ConnectionError:
            pass
        rig.children[0].wait(LIMIT)
        same(len(rig.mta.xclient), 1, "XCLIENT")


def answer_to_nothing():
    """One reply too many, and each command would have its neighbour's."""
    with Rig() as rig:
        rig.mta.answers["NOOP"] = "250 2.0.0 Ok\r\n250 2.0.0 Ok"
        client = rig.client()
        client.send(b"NOOP\r\n")
        lines = []
        while (line := client.line()) != b"":
            lines.append(line)
        same(lines[0], b"250 2.0.0 Ok\r\n", "the answer")
        check(lines[-1].startswith(b"421 4.3.0"), f"the end: {lines}")


def half_a_reply():
    """The MTA dies in the midst of one: the client is not kept waiting."""
    for half in (b"250 2.0", b"250-one\r\n250-two\r\n250", b"2"):
        for verb in ("NOOP", "EHLO"):
            with Rig(timeout="300") as rig:
                client = rig.client()
                rig.mta.answers[verb] = half
                rig.mta.dies_behind = (verb,)
                client.send(f"{verb} x\r\n".encode())
                begun = time.monotonic()
                lines = []
                while (line := client.line()) != b"":
                    lines.append(line)
                check(lines and lines[-1].startswith(b"421 4.3.0"),
                      f"{verb} {half!r}: {lines}")
                check(time.monotonic() - begun < 100, "kept waiting")
                rig.children[0].wait(LIMIT)


def milter_goes_behind_mail():
    """Without XCLIENT the milter alone keeps the MTA from relaying: no
    recipient without it."""
    with Rig(front='xclient = "no"') as rig:
        client = rig.client()
        client.ask("MAIL FROM:<>", "250")
        client.ask("RCPT TO:<a@b>", "250")
        rig.milter.refuse["alive"] = "421 4.3.2 no such session"
        client.ask("RCPT TO:<c@d>", "421")
        client.ends()
        check(b"RCPT TO:<c@d>\r\n" not in rig.mta.commands, "RCPT passed")
    with Rig() as rig:
        client = rig.client()
        client.ask("MAIL FROM:<>", "250")
        client.ask("RCPT TO:<a@b>", "250")
        same(len(rig.milter.asked("alive")), 1, "asked")
        quit_session(client)


def xclient_where_there_is_none():
    """front.xclient says no, and the MTA knows it all the same."""
    with Rig(front='xclient = "no"') as rig:
        client = rig.client()
        client.send(b"XCLIENT ADDR=127.0.0.1\r\nMAIL FROM:<>\r\n")
        lines = []
        while (line := client.line()) != b"":
            lines.append(line)
        check(lines[-1].startswith(b"421 4.3.0"), f"{lines}")
        check(b"MAIL FROM:<>\r\n" not in rig.mta.commands, "it goes on")


if __name__ == "__main__":
    sys.exit(run([
        chunks_without_a_transaction, answer_before_the_dot,
        answer_to_nothing, half_a_reply, milter_goes_behind_mail,
        xclient_where_there_is_none]))
