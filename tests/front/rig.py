# SPDX-License-Identifier: BSD-2-Clause
"""What postern-front stands between: a client, an MTA that knows XCLIENT, and
postern-milter's control socket, each as small as these tests can do with."""
import base64
import collections
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

BUILD = os.environ.get("top_builddir", ".")
FRONT = os.path.join(BUILD, "front/postern-front")
LIMIT = 60  # seconds for what never comes

CONF = """hostname = "edge.test"
log_target = "stderr"
log_level = "debug"
milter {{ socket = "unix:{dir}/milter" control = "unix:{dir}/control" }}
front {{ next = "unix:{dir}/smtpd" timeout = {timeout} {front} }}
{peer}
"""

ALL = 'peer "127.0.0.0/8" { smtp_extensions = {"XCLIENT", "XREMOTEIP", ' \
      '"XSETCONTEXT", "XDUMPCONTEXT"} }'


class Failed(Exception):
    """A check that did not hold."""


def check(holds, what):
    """Fail with a text unless it holds."""
    if not holds:
        raise Failed(what)


def same(got, want, what="got"):
    """Fail with both unless they are equal."""
    if got != want:
        raise Failed(f"{what}: {str(got)[:400]!r}, want {str(want)[:400]!r}")


def unxtext(text):
    """xtext as it was before."""
    return urllib.parse.unquote(text.replace("%", "%25").replace("+", "%"))


class Server:
    """Unix socket; a thread for each connection."""

    def __init__(self, path):
        self.path = path
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(path)
        self.sock.listen(64)
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        """Until it is closed."""
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(
                target=self.safely, args=(conn,), daemon=True).start()

    def safely(self, conn):
        """A client that goes away is nothing special."""
        try:
            self.serve(conn)
        except (ConnectionError, TimeoutError, ValueError):
            pass
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()
        finally:
            conn.close()

    def serve(self, conn):
        """One connection."""
        raise NotImplementedError

    def close(self):
        """No more of them: its thread must not wait on a descriptor that
        the next one will have."""
        if self.thread.is_alive():
            self.sock.shutdown(socket.SHUT_RDWR)
            self.thread.join(LIMIT)
        self.sock.close()
        if os.path.exists(self.path):
            os.unlink(self.path)


class Milter(Server):
    """The requests of postern-front, kept in memory."""

    def __init__(self, directory):
        self.sessions = {}
        self.claimed = set()
        self.requests = []
        self.refuse = {}
        self.user = ""          # whom the MTA has told of
        super().__init__(os.path.join(directory, "control"))

    def serve(self, conn):
        line = conn.makefile("rb").readline().decode("ascii").rstrip("\n")
        words = line.split(" ")
        self.requests.append(words[1:])
        lines, error = self.answer(words[1], words[2], words[3:])
        text = "".join(f" {x}\n" for x in lines)
        conn.sendall((text + (f"error: {error}\n" if error else "ok\n"))
                     .encode())

    def answer(self, what, token, rest):
        """Lines, and an error or None."""
        if what in self.refuse:
            return [], self.refuse[what]
        if what == "begin":
            self.sessions[token] = dict(
                x.split("=", 1) for x in rest)
            self.sessions[token]["context"] = {}
            return [], None
        session = self.sessions.get(token)
        if session is None:
            return [], "no such session"
        if what == "claimed":
            return [], None if token in self.claimed else "not claimed"
        if what == "move":
            moved = dict(session)
            moved.update(x.split("=", 1) for x in rest[1:])
            self.sessions[rest[0]] = moved
        elif what == "seen":
            session["seen"] = rest[0]
        elif what == "tls":
            session["context"].update(x.split("=", 1) for x in rest)
        elif what == "hello":
            session["context"]["ehlo_string"] = unxtext(rest[0])
        elif what == "set":
            for pair in rest:
                name, value = pair.split("=", 1)
                if name == "forbidden":
                    return [], "550 5.7.1 forbidden is not allowed"
                session["context"][name] = unxtext(value)
        elif what == "user":
            return [self.user] if self.user else [], None
        elif what == "dump":
            return [f"[connection] {k} {v}"
                    for k, v in session["context"].items()], None
        elif what == "end":
            del self.sessions[token]
        return [], None

    def asked(self, what):
        """The requests of one kind."""
        return [r for r in self.requests if r[0] == what]


class Mta(Server):
    """As much of smtpd(8) as matters here; what it gets is written down."""

    def __init__(self, directory, milter):
        self.milter = milter
        self.commands = []      # without those of the front
        self.messages = []
        self.xclient = []
        self.keywords = ["PIPELINING", "SIZE 99999999", "STARTTLS",
                         "AUTH PLAIN LOGIN", "ENHANCEDSTATUSCODES",
                         "XCLIENT NAME ADDR PORT PROTO HELO LOGIN",
                         "XFORWARD NAME ADDR", "8BITMIME", "CHUNKING"]
        self.greeting = b"220-edge.test here\r\n220 edge.test ESMTP\r\n"
        self.answers = {}       # verb: reply, or None to hang up
        self.dies_behind = ()   # verbs
        self.read_slowly = 0    # seconds between reads of a message
        self.hold = threading.Event()   # answers wait for it
        self.hold.set()
        super().__init__(os.path.join(directory, "smtpd"))

    def serve(self, conn):
        conn.settimeout(LIMIT)
        Smtpd(self, conn).run()


class Smtpd:
    """One session of an Mta."""

    def __init__(self, mta, conn):
        self.mta = mta
        self.conn = conn
        self.buf = b""
        self.body = []

    def more(self):
        """Some octets."""
        data = self.conn.recv(1 << 18)
        if data == b"":
            raise ConnectionError
        self.buf += data

    def line(self):
        """Up to and with LF."""
        while b"\n" not in self.buf:
            self.more()
        line, self.buf = self.buf.split(b"\n", 1)
        return line + b"\n"

    def octets(self, n):
        """So many."""
        while len(self.buf) < n:
            self.more()
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def say(self, text):
        """A reply."""
        self.mta.hold.wait(LIMIT)
        self.conn.sendall(text if isinstance(text, bytes)
                          else text.encode() + b"\r\n")

    def run(self):
        """Until QUIT."""
        self.say(self.mta.greeting)
        while True:
            line = self.line()
            verb = line.split()[0].upper().decode("latin-1") \
                if line.split() else ""
            if verb.startswith("XPOSTERN-"):
                self.mta.milter.claimed.add(line.strip()[9:].decode())
                self.say("502 5.5.2 Error: command not recognized")
                continue
            if verb == "XCLIENT":
                self.mta.xclient.append(line.strip().decode("latin-1"))
                if self.mta.answers.get(verb, "") is None:
                    return
                self.say(self.mta.answers.get(
                    verb, "220 edge.test ESMTP again"))
                continue
            self.mta.commands.append(line)
            if verb in self.mta.answers:
                if self.mta.answers[verb] is None:
                    return
                self.say(self.mta.answers[verb])
                if verb in self.mta.dies_behind:
                    return
                continue
            handler = getattr(self, "do_" + verb.lower(), None)
            if handler is None:
                self.say("502 5.5.2 Error: command not recognized")
            elif handler(line):
                return

    def do_ehlo(self, _):
        """All keywords."""
        lines = ["edge.test"] + self.mta.keywords
        self.say("\r\n".join("250-" + x for x in lines[:-1])
                 + f"\r\n250 {lines[-1]}")

    def ok(self, _=None):
        """250."""
        self.say("250 2.1.0 Ok")

    do_helo = do_mail = do_rcpt = do_rset = do_noop = ok

    def do_data(self, _):
        """As old Postfix: bare LF ends a line."""
        self.say("354 End data with <CR><LF>.<CR><LF>")
        body = []
        size = 0
        while True:
            at = self.buf.find(b"\r\n.\r\n")
            if self.buf[:3] == b".\r\n" and not body:
                self.octets(3)
                break
            if at >= 0:
                body.append(self.octets(at + 5)[:-3])
                break
            if len(self.buf) > 4:
                body.append(self.octets(len(self.buf) - 4))
            time.sleep(self.mta.read_slowly)
            self.more()
            size += 1
        self.mta.messages.append(b"".join(body))
        self.say("250 2.0.0 Ok: queued as 1")

    def do_bdat(self, line):
        """RFC 3030."""
        words = line.split()
        self.body.append(self.octets(int(words[1])))
        if len(words) > 2:
            self.mta.messages.append(b"".join(self.body))
            self.body = []
        self.say(f"250 2.0.0 Ok: {int(words[1])} bytes")

    def do_auth(self, line):
        """PLAIN with an initial response, and LOGIN."""
        words = line.split()
        if words[1].upper() == b"LOGIN":
            self.say("334 " + base64.b64encode(b"Username:").decode())
            self.mta.commands.append(self.line())
            self.say("334 " + base64.b64encode(b"Password:").decode())
            self.mta.commands.append(self.line())
        elif len(words) == 2:
            self.say("334 ")
            self.mta.commands.append(self.line())
        self.say("235 2.7.0 Authentication successful")

    def do_quit(self, _):
        """The end."""
        self.say("221 2.0.0 Bye")
        return True


class Client:
    """An SMTP client that says exactly what it is told to."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(LIMIT)
        self.buf = b""
        self.lines = collections.deque()

    def send(self, data):
        """Octets."""
        self.sock.sendall(data)

    def line(self):
        """One line; b"" at the end."""
        while not self.lines:
            data = self.sock.recv(65536)
            if data == b"":
                rest, self.buf = self.buf, b""
                return rest
            lines = (self.buf + data).split(b"\n")
            self.buf = lines.pop()
            self.lines.extend(x + b"\n" for x in lines)
        return self.lines.popleft()

    def reply(self):
        """A whole reply."""
        reply = [self.line()]
        while reply[-1][3:4] == b"-":
            reply.append(self.line())
        return b"".join(reply).decode("latin-1")

    def ask(self, command, want=""):
        """A line, and its reply, which must begin so."""
        if isinstance(command, str):
            command = command.encode()
        self.send(command + b"\r\n")
        reply = self.reply()
        check(reply.startswith(want),
              f"{command[:80]!r}: {reply[:200]!r}, want {want}")
        return reply

    def starttls(self):
        """And TLS; the version."""
        self.ask("STARTTLS", "220 2.0.0")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock)
        return self.sock.version()

    def ends(self):
        """Nothing more comes."""
        same(self.line(), b"", "after the end")
        self.sock.close()


class Rig:
    """All of it, in a directory of its own."""

    def __init__(self, peer="", timeout="20", front="", mta=True,
                 milter=True):
        self.work = tempfile.TemporaryDirectory(prefix="postern-front.")
        self.dir = self.work.name
        self.conf = os.path.join(self.dir, "postern.conf")
        with open(self.conf, "w", encoding="ascii") as file:
            file.write(CONF.format(dir=self.dir, timeout=timeout,
                                   front=front, peer=peer))
        self.milter = Milter(self.dir)
        self.mta = Mta(self.dir, self.milter)
        if not mta:
            self.mta.close()
        if not milter:
            self.milter.close()
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.log_path = os.path.join(self.dir, "log")
        self.children = []

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for child in self.children:
            try:
                child.wait(LIMIT if kind is None else 0.1)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                if kind is None:
                    raise Failed("postern-front has not ended") from None
        self.milter.close()
        self.mta.close()
        self.listener.close()
        log = self.log()
        if kind is not None:
            print(log, *(str(x)[:300] for x in self.milter.requests),
                  sep="\n", file=sys.stderr)
        bad = [c.returncode for c in self.children if c.returncode > 0]
        check(kind is not None or ("Sanitizer" not in log and not bad),
              f"exit {bad}: {log}")
        self.work.cleanup()

    def connect(self, buffers=0):
        """A client, and a front for it, without looking at the greeting."""
        sock = socket.socket()
        if buffers:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
        sock.connect(self.listener.getsockname())
        end, _ = self.listener.accept()
        self.spawn(end)
        return Client(sock)

    def spawn(self, end):
        """A front for a client's socket, which is closed here."""
        with open(self.log_path, "ab") as log:
            self.children.append(subprocess.Popen(
                [FRONT, "-c", self.conf], stdin=end, stdout=end, stderr=log))
        end.close()

    def client(self, ehlo=True):
        """One that has been greeted."""
        client = self.connect()
        same(client.reply(), self.mta.greeting.decode(), "greeting")
        if ehlo:
            client.ask("EHLO there", "250")
        return client

    def log(self):
        """What was logged."""
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()


def quit_session(client):
    """In order."""
    client.ask("QUIT", "221")
    client.ends()


def run(tests):
    """Each test; those named on the command line alone."""
    failed = 0
    for test in tests:
        if sys.argv[1:] and test.__name__ not in sys.argv[1:]:
            continue
        begun = time.monotonic()
        try:
            test()
            word = "ok"
        except (Failed, OSError) as why:
            failed += 1
            word = f"FAILED: {why!r}" if isinstance(why, OSError) \
                else f"FAILED: {why}"
        print(f"{test.__name__}: {word} ({time.monotonic() - begun:.2f} s)",
              flush=True)
    return 1 if failed else 0
