# SPDX-License-Identifier: BSD-2-Clause
"""postern-authd's sockets, and what comes in there that is no login: nobody
else may, nothing of it does harm, and logins go on meanwhile."""
import os
import resource
import socket
import struct
import subprocess
import threading
import time

from harness import auth_gate, namespace, scripted, scripted_auth, wire
from harness.auth_gate import Rig
from harness.case import check, contains, equal, wait_for
from harness.dial import dial

USER = "ann@example.org"
PASSWORD = "correct horse"


def rig_of(case):
    """An upstream that knows USER."""
    return Rig(case, {USER: PASSWORD})


def well(rig, why):
    """Logins work, and sooner than any limit of ours."""
    began = time.monotonic()
    rig.gate.expect(USER, PASSWORD, 235)
    took = time.monotonic() - began
    check(took < 9, f"{why}: a login took {took:.1f} s")


def question(user=USER, password=PASSWORD, **more):
    """A WIRE_CHECK."""
    items = {wire.MECH: b"PLAIN", wire.SERVICE: b"smtp",
             wire.REALM: b"", wire.CLIENT: b"192.0.2.1;25",
             wire.USER: user.encode("utf-8"),
             wire.PASS: password.encode("utf-8")}
    items.update({getattr(wire, name): value for name, value in more.items()})
    return wire.pack(wire.CHECK, items)


def ask(path, octets, shut=False, seconds=60.0):
    """Send octets; (type, items) of the answer, or None when it closes."""
    with dial(path, seconds) as connection:
        try:
            connection.sendall(octets)
            if shut:
                connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as stream:
                return wire.read(stream)
        except (BrokenPipeError, ConnectionResetError):
            return None


def test_frames(case):
    """Frames that are none are never answered with GOOD, and end there."""
    rig = rig_of(case)
    equal(ask(rig.authd.path, question())[0], wire.GOOD, "a question")
    equal(ask(rig.authd.path, question(password="no"))[0], wire.BAD, "bad")
    whole = question()
    for label, octets in (
            ("cut in the header", whole[:5]),
            ("cut in the body", whole[:-1]),
            ("another magic", b"XX" + whole[2:]),
            ("another version", whole[:2] + b"\2" + whole[3:]),
            ("an answer", wire.pack(wire.GOOD, {wire.USER: b"x"})),
            ("a step without start", wire.pack(
                wire.STEP, {wire.DATA: b"x"})),
            ("an unknown type", whole[:3] + b"\x30" + whole[4:]),
            ("oversized", whole[:4] + struct.pack("!I", 1 << 30) + b"x" * 99),
            ("a little too long", whole[:4] + struct.pack("!I", 32769)
             + bytes(32769)),
            ("length 0", whole[:4] + bytes(4)),
            ("an item missing", wire.pack(wire.CHECK, {
                wire.MECH: b"PLAIN", wire.USER: b"x"})),
            ("an item too much", question(REASON=b"x")),
            ("an unknown item", whole[:4]
             + struct.pack("!I", len(whole) - 8 + 4) + whole[8:]
             + b"\x63\0\1x"),
            ("items out of order", wire.pack(wire.CHECK, {})[:4]
             + struct.pack("!I", 8) + b"\5\0\1x" + b"\1\0\1x"),
            ("an item longer than the frame", whole[:4] + struct.pack("!I", 3)
             + b"\1\xff\xff"),
            ("text", b"GET / HTTP/1.0\r\n\r\n"),
            ("zeros", bytes(4096))):
        answer = ask(rig.authd.path, octets, shut=True)
        check(answer is None or answer[0] in (wire.UNSURE, wire.BAD),
              f"{label}: {answer}")
        check(answer is None or answer[0] == wire.UNSURE, f"{label}: refused")
    equal(len(rig.known.attempts), 2, "attempts")
    well(rig, "frames")
    check(rig.authd.child.running(), "the daemon ended")


def test_mechanisms(case):
    """What the plug-in would not send: mechanisms that are none, or not
    permitted."""
    rig = rig_of(case)
    for name in (b"GSSAPI", b"CRAM-MD5", b"plain\r\n", b"X" * 300):
        answer = ask(rig.authd.path, question(MECH=name))
        check(answer is None or answer[0] == wire.UNSURE, f"{name}: {answer}")
        answer = ask(rig.authd.path, wire.pack(wire.START, {
            wire.MECH: name, wire.SERVICE: b"smtp"}))
        check(answer is None or answer[0] == wire.UNSURE, f"{name}: {answer}")
    for client in (b"", b"nonsense", b"192.0.2.1", b"192.0.2.1;25\r\nx",
                   b"2001:db8::1;1"):
        equal(ask(rig.authd.path, question(CLIENT=client))[0], wire.GOOD,
              f"client {client}")
    equal(ask(rig.authd.path, question(CLIENT=b"\xff" * 500)), None,
          "a client of 500 octets")
    for line in rig.authd.log().splitlines():
        check(line.isprintable(), f"in the log: {line!r}")
    well(rig, "mechanisms")


def test_byte_by_byte(case):
    """A question that comes slowly is a question, and holds nobody up."""
    rig = rig_of(case)
    octets = question()
    with dial(rig.authd.path) as slow:
        for octet in octets[:-1]:
            slow.sendall(bytes([octet]))
            time.sleep(0.005)
        well(rig, "a slow one")
        slow.sendall(octets[-1:])
        with slow.makefile("rb") as stream:
            equal(wire.read(stream)[0], wire.GOOD, "the answer")
    with dial(rig.authd.mux) as slow:
        for field in (USER, PASSWORD, "smtp", ""):
            for octet in (struct.pack("!H", len(field))
                          + field.encode("ascii")):
                slow.sendall(bytes([octet]))
                time.sleep(0.005)
        equal(slow.recv(100)[2:4], b"OK", "saslauthd's answer")


def test_never_ends(case):
    """A question that does not end is given up within half a minute."""
    rig = rig_of(case)
    began = time.monotonic()
    connections = []
    for path, octets in ((rig.authd.path, question()),
                         (rig.authd.mux, b"\0\3ann\0\3x")):
        connection = dial(path)
        connection.sendall(octets[:7])
        connections.append(connection)
    for connection in connections:
        while True:
            data = connection.recv(100)
            check(b"OK" not in data, f"answered {data!r}")
            if not data:
                break
        connection.close()
    check(time.monotonic() - began < 32, "given up late")


def test_leaves_early(case):
    """Clients that ask and do not wait: nothing stays behind."""
    rig = rig_of(case)
    rig.known.final = scripted.slow(0.2, "235 2.7.0 ok")
    before = len(os.listdir(f"/proc/{rig.authd.child.pid}/fd"))
    for number in range(40):
        with dial(rig.authd.path) as connection:
            connection.sendall(question(user=f"user{number}"))
    rig.known.final = None
    wait_for(lambda: len(os.listdir(f"/proc/{rig.authd.child.pid}/fd"))
             <= before + 8, "descriptors to be closed")
    well(rig, "leaving early")


def resident(pid):
    """A process's resident memory, in kB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(file.read().split("VmRSS:")[1].split()[0])


def test_idle_connections(case):
    """Ten thousand connections that say nothing, on both sockets."""
    rig = rig_of(case)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    limit = min(5000, (hard - 200) // 2)
    held = []
    began = time.monotonic()
    for path in (rig.authd.path, rig.authd.mux):
        for _ in range(limit):
            held.append(dial(path))
    well(rig, f"with {len(held)} idle connections")
    check(time.monotonic() - began < 200, "it took too long")
    size = resident(rig.authd.child.pid)
    check(size < 150000, f"{size} kB resident")
    for connection in held:
        connection.close()
    well(rig, "afterwards")


def as_user(user, path):
    """What happens when another account connects and asks."""
    script = ("import socket,sys\n"
              "s=socket.socket(socket.AF_UNIX)\n"
              "try:\n"
              " s.connect(sys.argv[1])\n"
              " s.settimeout(60)\n"
              " s.sendall(sys.stdin.buffer.read())\n"
              " s.shutdown(socket.SHUT_WR)\n"
              " sys.stdout.buffer.write(s.recv(4096))\n"
              "except OSError as e: print('E', e.errno)\n")
    ids = (namespace.account_id(user), namespace.account_id(user, "-g"))

    def become():
        os.setgroups([])
        os.setgid(ids[1])
        os.setuid(ids[0])
    return subprocess.run(
        ["python3", "-c", script, path], input=question(), check=False,
        stdout=subprocess.PIPE, preexec_fn=become).stdout


def test_who_may(case):
    """Only root, `user` and allow_users; the socket's mode says so, and so
    does the daemon where the mode does not."""
    rig = rig_of(case)
    opened = (rig.authd.path, rig.authd.mux)
    for path in opened:
        equal(os.stat(path).st_mode & 0o007, 0, f"others' mode of {path}")
    check(as_user("postfix", rig.authd.path)[:4] == b"PA\1"
          + bytes([wire.GOOD]), "the MTA's account may not ask")
    for path in opened:
        contains(as_user("smmsp", path), b"E ", f"another account at {path}")
        os.chmod(path, 0o666)
    os.chmod(os.path.dirname(rig.authd.path), 0o755)
    before = len(rig.known.attempts)
    for path in opened:
        answer = as_user("smmsp", path)
        check(not answer.startswith(b"PA\1" + bytes([wire.GOOD]))
              and b"OK" not in answer, f"another account got {answer!r}")
    equal(len(rig.known.attempts), before, "attempts")
    rig.authd.wait_log("warning", "uid")


def test_left_by_root(case):
    """Started by root, and then by the user alone, as the unit does it: the
    sockets that the former has left are replaced."""
    rig = rig_of(case)
    for path in (rig.authd.path, rig.authd.mux, rig.authd.control):
        equal(os.stat(path).st_uid, namespace.account_id("postern"),
              f"the owner of {path}")
    rig.authd.kill()
    rig.authd.prefix = ("setpriv", "--reuid", "postern", "--regid", "postern",
                        "--clear-groups")
    rig.authd.start()
    contains(rig.authd.log(), "serving 2 sockets", "the log")


def test_many_wait(case):
    """A thousand logins wait for a slow upstream at once, in moderate memory,
    and others are served."""
    count = 1000
    rig = rig_of(case)
    other = scripted.Scripted(case)
    scripted_auth.Passwords(other, {"bob@b.test": PASSWORD})
    rig.authd.restart(auth_gate.route(
        rig.upstream.port, f"max_sessions = {count} timeout = 25") + f"""
domain "b.test" {{ smtp_auth_proxy {{ host = "127.0.0.1:{other.port}" }} }}
""")
    over = threading.Event()
    rig.known.final = lambda _session, _line: (
        over.wait(20) and "235 2.7.0 ok")
    held = []
    for number in range(count):
        connection = dial(rig.authd.path)
        connection.sendall(question(user=f"user{number}@a.test"))
        held.append(connection)
    wait_for(lambda: len(rig.known.attempts) == count,
             "all of them to be asked about", 18)
    began = time.monotonic()
    rig.gate.expect("bob@b.test", PASSWORD, 235)
    check(time.monotonic() - began < 12, "the others were held up")
    size = resident(rig.authd.child.pid)
    check(size < 100000, f"{size} kB resident")
    over.set()
    kinds = []
    for connection in held:
        with connection.makefile("rb") as stream:
            kinds.append(wire.read(stream)[0])
        connection.close()
    equal(set(kinds), {wire.GOOD}, "answers")
    rig.gate.expect("bob@b.test", PASSWORD, 235)
