# SPDX-License-Identifier: BSD-2-Clause
"""postern-front when the milter, the private smtpd or the client goes: 421 or
the session as it was, never a message without its context."""
import os
import re
import signal
import socket
import time

from harness.case import check, contains, equal, wait_for
from harness.front_gate import PEERS, STRANGER, TRUSTED, PostfixFront


def ends(client):
    """Whether the server has closed."""
    try:
        client.line()
        return False
    except (EOFError, OSError):
        return True


def expect_421(client, line):
    """The command is answered with 421 and the end; some of what was said
    before may be answered first."""
    began = time.monotonic()
    try:
        reply = client.command(line)
    except (EOFError, OSError) as error:
        check(False, f"{line}: closed without a word: {error!r}")
    equal((reply.code, reply.enhanced[:2]), (421, "4."),
          f"the reply to {line} ({reply!r})")
    check(ends(client), f"{line}: the session goes on")
    check(time.monotonic() - began < 25, f"{line}: it took too long")


def no_session(gate, **options):
    """A new session is turned away."""
    with gate.client(helo=None, **options) as client:
        equal((client.greeting.code, client.greeting.enhanced),
              (421, "4.3.0"), "the greeting")
        check(ends(client), "it goes on")


def processes(name, inside):
    """Pids of the processes of a name whose command line has a part."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().decode("utf-8", "replace").split("\0")
        except (OSError, ValueError):
            continue
        if os.path.basename(words[0]) == name and \
                inside in " ".join(words):
            found.append(int(entry))
    return found


def fronts(gate):
    """Pids of this gate's fronts."""
    return processes("postern-front", gate.milter.conf_file)


def open_sessions(gate):
    """What the milter says of front sessions: (tied, pending)."""
    done = gate.milter.posternctl("status")
    found = re.search(r"front_sessions=(\d+) front_sessions_pending=(\d+)",
                      done.stdout)
    check(found is not None, f"status: {done.stdout}{done.stderr}")
    return int(found.group(1)), int(found.group(2))


def test_milter_restarts(case):
    """With it the contexts are gone: each session is told so at its next
    message or X command."""
    gate = PostfixFront(case)
    commands = ("MAIL FROM:<ann@sender.test>", "XSETCONTEXT a=b",
                "XDUMPCONTEXT", "XREMOTEIP 192.0.2.1",
                "XCLIENT ADDR=192.0.2.1")
    for how in ("killed", "restarted"):
        clients = [gate.client() for _ in commands]
        stranger = gate.stranger()
        for client in clients:
            gate.set(client, "tenant=acme")
        gate.milter.kill()
        if how == "restarted":
            gate.milter.start()
        for client, line in zip(clients, commands):
            expect_421(client, line)
        expect_421(stranger, commands[0])
        if how == "killed":
            no_session(gate)
            gate.milter.start()
        with gate.client() as client:
            check("tenant" not in gate.dump(client)[0], "an old context")
            client.mail()
            equal(client.rcpt("ann@example.com").code, 250, "afterwards")
            equal(client.data().code, 250, "afterwards")
    wait_for(lambda: gate.upstream.messages, "the messages")


def test_milter_restarts_in_a_message(case):
    """A transaction under way: what the MTA makes of it, then the end; no
    recipient is taken unverified."""
    gate = PostfixFront(case)
    for last in ("rcpt", "data"):
        with gate.client() as client:
            gate.set(client, "tenant=acme")
            client.mail()
            equal(client.rcpt("ann@example.com").code, 250, "RCPT")
            gate.milter.kill()
            gate.milter.start()
            if last == "rcpt":
                reply = client.rcpt("nobody@example.com")
            else:
                reply = client.data()
            check(reply.code >= 400, f"{last}: {reply!r}")
            try:
                client.command("RSET")
                reply = client.mail()
                equal(reply.code, 421, "the next message")
            except (EOFError, OSError):
                pass  # the MTA has closed: 421 was the reply before
    check(not [text for _, text in gate.upstream.messages],
          "a message without its context")


def test_milter_frozen(case):
    """A milter that hangs: 421 in time, and all is well when it goes on."""
    gate = PostfixFront(case, milter_command_timeout="5s",
                        milter_connect_timeout="5s")
    with gate.client() as client, gate.client() as other:
        gate.set(client, "tenant=acme")
        gate.milter.freeze()
        client.socket.settimeout(60)
        began = time.monotonic()
        reply = client.mail()
        check(400 <= reply.code < 500, f"MAIL: {reply!r}")
        check(time.monotonic() - began < 25, "it took too long")
        gate.milter.thaw()
        gate.set(other, "tenant=b")
        equal(gate.dump(other)[0]["tenant"], "b", "the other session")
    gate.client().close()


def test_milter_reload(case):
    """A reload leaves contexts alone."""
    gate = PostfixFront(case)
    with gate.client() as client:
        gate.set(client, "tenant=acme")
        gate.milter.reload()
        gate.milter.wait_log("configuration read anew")
        equal(gate.dump(client)[0]["tenant"], "acme", "tenant")
        client.mail()
        equal(client.rcpt("ann@example.com").code, 250, "RCPT")
        equal(client.data().code, 250, "the message")


def test_milter_reloads_rights_away(case):
    """Without any peer with extensions, tokens still come: sessions under
    way end in order, new ones are those of strangers."""
    gate = PostfixFront(case)
    with gate.client() as client:
        gate.set(client, "tenant=acme")
        gate.milter.configure(gate.conf.replace(
            PEERS, f'peer "{TRUSTED}/32" {{ context = {{"x=1"}} }}\n'))
        gate.milter.reload()
        gate.milter.wait_log("configuration read anew")
        reply = client.command("XDUMPCONTEXT")
        check(reply.code in (421, 550), f"XDUMPCONTEXT: {reply!r}")
    gate.milter.configure(gate.conf)
    gate.milter.reload()
    wait_for(lambda: len(gate.milter.lines("configuration read anew")) == 2,
             "the second reload")
    with gate.client() as client:
        gate.set(client, "tenant=acme")


def test_smtpd_is_missing(case):
    """The private service refuses, is not there, or says 421 itself."""
    gate = PostfixFront(case)
    gate.client().close()
    away = gate.private + ".away"
    os.rename(gate.private, away)
    no_session(gate)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(gate.private)
        os.chmod(gate.private, 0o666)
        no_session(gate)  # it does not listen
        deaf.listen(1)

        def greets(text):
            client = socket.create_connection(("127.0.0.1", gate.port), 60,
                                              (TRUSTED, 0))
            smtpd = deaf.accept()[0]
            smtpd.sendall(text)
            smtpd.close()
            got = client.recv(1000)
            client.close()
            return got

        for text in (b"", b"421 4.3.2 All server ports are busy\r\n",
                     b"554 5.7.1 no\r\n", b"220 half", b"nonsense\r\n",
                     b"220 and away\r\n"):
            got = greets(text)
            check(got.startswith(b"421 "), f"{text!r}: {got!r}")
    os.unlink(gate.private)
    os.rename(away, gate.private)
    gate.client().close()
    wait_for(lambda: open_sessions(gate)[0] == 0, "the sessions to end")


def test_smtpd_dies(case):
    """kill -9 in the middle: the client is told."""
    gate = PostfixFront(case)
    clients = [gate.client(), gate.client()]
    clients[1].mail()
    killed = 0
    for pid in processes("smtpd", "-n psmtpd"):
        with open(f"/proc/{pid}/environ", encoding="latin-1") as file:
            if f"MAIL_CONFIG={gate.edge.dir}" in file.read():
                os.kill(pid, signal.SIGKILL)
                killed += 1
    equal(killed, 2, "private smtpds")
    for client in clients:
        reply = client.reply()
        equal((reply.code, reply.enhanced), (421, "4.3.0"), "the client")
        check(ends(client), "the session goes on")
    wait_for(lambda: open_sessions(gate)[0] == 0, "the sessions to end")


def test_process_limit(case):
    """One private smtpd: the second client waits for it, and gets it."""
    gate = PostfixFront(case, maxproc="1")
    first = gate.client()
    second = socket.create_connection(("127.0.0.1", gate.port), 60,
                                      (STRANGER, 0))
    second.settimeout(1)
    try:
        got = second.recv(100)
        check(False, f"served beyond the limit: {got!r}")
    except TimeoutError:
        pass
    first.close()
    second.settimeout(60)
    check(second.recv(100).startswith(b"220 "), "the second client")
    second.close()


def test_process_limit_for_good(case):
    """The same when none becomes free: 421 before the client's patience
    ends, and nothing stays registered."""
    gate = PostfixFront(case, maxproc="1", timeout=90)
    first = gate.client()
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", gate.port), 60,
                                  (STRANGER, 0)) as second:
        got = second.recv(100)
    check(got.startswith(b"421 4.3.0"), f"the second client: {got!r}")
    check(time.monotonic() - began < 45, "it took too long")
    equal(open_sessions(gate), (1, 0), "sessions")
    gate.set(first, "a=b")
    first.close()
    gate.client().close()


def test_spawn_limit(case):
    """spawn's own limit: a client more waits."""
    gate = PostfixFront(case, fronts="1")
    first = gate.client()
    second = socket.create_connection(("127.0.0.1", gate.port), 60,
                                      (TRUSTED, 0))
    first.close()
    second.settimeout(60)
    check(second.recv(100).startswith(b"220 "), "the second client")
    second.close()


def test_client_goes(case):
    """Whatever it was doing: front, smtpd and milter session end, and half
    a message is none."""
    gate = PostfixFront(case)
    for words in ("", "RSE", "XSETCONTEXT a=b\r\n",
                  "MAIL FROM:<ann@sender.test>\r\n",
                  "MAIL FROM:<a@sender.test>\r\nRCPT TO:<ann@example.com>\r\n"
                  "DATA\r\nSubject: half\r\n\r\nhalf",
                  "MAIL FROM:<a@sender.test>\r\nRCPT TO:<ann@example.com>\r\n"
                  "BDAT 100 LAST\r\nSubject: half\r\n\r\nhalf", "AUTH LOGIN"):
        for reset in (False, True):
            client = gate.client()
            client.send(words)
            time.sleep(0.05)
            if reset:
                client.socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER,
                    b"\1\0\0\0\0\0\0\0")
            client.close()
    wait_for(lambda: not fronts(gate), "the fronts to end")
    wait_for(lambda: open_sessions(gate) == (0, 0), "the sessions to end")
    with gate.client() as client:
        client.mail()
        client.rcpt("ann@example.com")
        equal(client.data().code, 250, "an honest message")
    gate.edge.wait_log("to=<ann@example.com>", "status=sent")
    wait_for(lambda: gate.upstream.messages, "it upstream")
    check(not [text for _, text in gate.upstream.messages if "half" in text],
          "half a message")


def test_front_dies(case):
    """kill -9 of the front: the milter forgets the session, nobody else is
    disturbed."""
    gate = PostfixFront(case)
    with gate.client() as client:
        gate.set(client, "a=b")
        mine = fronts(gate)
        equal(len(mine), 1, "fronts")
        with gate.client() as other:
            gate.set(other, "a=c")
            os.kill(mine[0], signal.SIGKILL)
            check(ends(client), "the client's end")
            wait_for(lambda: open_sessions(gate) == (1, 0), "one session")
            equal(gate.dump(other)[0]["a"], "c", "the other")
    wait_for(lambda: open_sessions(gate) == (0, 0), "no session")


def test_many_at_once(case):
    """Sessions side by side do not see each other's contexts."""
    gate = PostfixFront(case)
    clients = [gate.client() for _ in range(30)]
    for number, client in enumerate(clients):
        gate.set(client, f"n={number}")
    for number, client in enumerate(clients):
        if number % 3 == 0:
            client.command(f"XREMOTEIP 192.0.2.{number + 1}")
    for number, client in enumerate(clients):
        connection = gate.dump(client)[0]
        equal((connection["n"], connection["client_ip"]),
              (str(number), f"192.0.2.{number + 1}" if number % 3 == 0
               else TRUSTED), f"client {number}")
    equal(open_sessions(gate), (30, 0), "sessions")
    for client in clients:
        client.close()
    wait_for(lambda: open_sessions(gate) == (0, 0), "the sessions to end")
    contains(gate.milter.posternctl("status").stdout, "front_sessions=0",
             "status")


def test_postfix_reloads(case):
    """`postfix reload`: sessions under way go on."""
    gate = PostfixFront(case)
    with gate.client() as client:
        gate.set(client, "a=b")
        gate.edge.child.kill(signal.SIGHUP)
        time.sleep(0.5)
        equal(gate.dump(client)[0]["a"], "b", "the context")
        client.mail()
        equal(client.rcpt("ann@example.com").code, 250, "RCPT")
        equal(client.data().code, 250, "the message")
    gate.client().close()
