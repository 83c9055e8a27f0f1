# SPDX-License-Identifier: BSD-2-Clause
"""An upstream that does as a test says: replies, hangs, closes, counts.

    upstream = Scripted(case)
    upstream.recipients["bob@example.com"] = "250 2.1.5 Ok"
    upstream.other = "550 5.1.1 User unknown"
    upstream.steps["mail"] = hang

A step (connect, ehlo, helo, lhlo, starttls, auth, xclient, mail, rcpt, data,
body, rset, noop, quit) or a recipient is given a reply, with lines separated
by "\\n"; or a function(session, line) that returns one, or None when it has
dealt with it.  Steps come before recipients.
"""
import collections
import os
import re
import socket
import ssl
import threading
import time

from . import ports


class Hangup(Exception):
    """Close the session now."""


def hang(session, _line):
    """Say nothing more until the client leaves or the test is over."""
    session.upstream.over.wait(600)
    raise Hangup


def close(_session, _line):
    """Close the session instead of replying."""
    raise Hangup


def slow(seconds, reply):
    """Reply after a while."""
    def act(session, _line):
        session.upstream.over.wait(seconds)
        return reply
    return act


def raw(octets, then_close=False):
    """Send octets as they are."""
    def act(session, _line):
        session.socket.sendall(octets)
        if then_close:
            raise Hangup
    return act


def first(count, action, after):
    """`action` for the first `count` times, then `after`."""
    left = [count]

    def act(session, line):
        left[0] -= 1
        chosen = action if left[0] >= 0 else after
        return chosen(session, line) if callable(chosen) else chosen
    return act


class Session:
    """One client's session; threads share nothing but the Scripted."""

    def __init__(self, upstream, connection, number):
        self.upstream = upstream
        self.socket = connection
        self.number = number
        self.tls = False
        self.recipients = []
        self._input = b""
        self._over = upstream.over

    def say(self, reply):
        """Send a reply given as "250 text" or several lines of that."""
        lines = reply.split("\n")
        code = lines[0][:3]
        out = [code + "-" + line[4:] for line in lines[:-1]]
        out.append(code + " " + lines[-1][4:])
        self.socket.sendall("".join(
            line + "\r\n" for line in out).encode("utf-8"))

    def line(self):
        """The next line; Hangup at the end of input, or of the server."""
        while b"\n" not in self._input:
            more = self.socket.recv(65536)
            if not more:
                raise Hangup
            self._input += more
        if self._over.is_set():
            raise Hangup  # stopped while this one shook hands
        line, self._input = self._input.split(b"\n", 1)
        return line.rstrip(b"\r").decode("utf-8", "surrogateescape")

    def step(self, name, line, otherwise):
        """Do what was set for a step; return the reply that was sent."""
        self.upstream.reached[name] += 1
        action = self.upstream.steps.get(name, otherwise)
        reply = action(self, line) if callable(action) else action
        if reply is not None:
            self.say(reply)
        return reply

    def run(self):
        """The whole session."""
        up = self.upstream
        if up.implicit_tls:
            self._start_tls()
        self.step("connect", "", "220 mailstore.test ESMTP")
        while True:
            line = self.line()
            verb = line.split(" ", 1)[0].split(":", 1)[0].lower()
            up.note(self, verb, line)
            handler = getattr(self, "_do_" + verb, None)
            if handler is not None:
                handler(line)
            else:
                self.step(verb, line, "500 5.5.2 Unknown command")
            if verb == "quit":
                return

    def _start_tls(self):
        self.socket = self.upstream.tls_context.wrap_socket(
            self.socket, server_side=True)
        self.tls = True

    def _do_ehlo(self, line):
        keywords = list(self.upstream.keywords)
        if self.upstream.tls_context is not None and not self.tls:
            keywords.append("STARTTLS")
        self.step("ehlo", line, "\n".join(
            "250 " + text for text in ["mailstore.test"] + keywords))

    def _do_lhlo(self, line):
        self._do_ehlo(line)

    def _do_helo(self, line):
        self.step("helo", line, "250 mailstore.test")

    def _do_starttls(self, line):
        offered = self.upstream.tls_context is not None
        reply = self.step("starttls", line, "220 2.0.0 Go ahead"
                          if offered else "502 5.5.1 Not offered")
        if offered and reply is not None and reply.startswith("220"):
            self._input = b""
            self._start_tls()

    def _do_mail(self, line):
        self.recipients = []
        self.step("mail", line, "250 2.1.0 Ok")

    def _do_rcpt(self, line):
        found = re.match(r"(?i)RCPT TO:\s*<(.*)>", line)
        address = found.group(1) if found else ""
        up = self.upstream
        up.asked[address] += 1
        reply = self.step("rcpt", line,
                          up.recipients.get(address, up.other))
        if reply is not None and reply.startswith("2"):
            self.recipients.append(address)

    def _do_data(self, line):
        reply = self.step("data", line, "354 Go on" if self.recipients
                          else "503 5.5.1 No recipients")
        if reply is None or not reply.startswith("354"):
            return
        text = []
        while True:
            body = self.line()
            if body == ".":
                break
            text.append(body)
        self.upstream.messages.append((self.recipients, "\n".join(text)))
        self.step("body", line, "250 2.0.0 Taken")

    def _do_rset(self, line):
        self.recipients = []
        self.step("rset", line, "250 2.0.0 Ok")

    def _do_noop(self, line):
        self.step("noop", line, "250 2.0.0 Ok")

    def _do_quit(self, line):
        self.step("quit", line, "221 2.0.0 Bye")


class Scripted:
    """The server: listens on a port of host, or on a Unix socket."""

    def __init__(self, case, tls=None, implicit_tls=False, unix=None,
                 port=None, host="127.0.0.1"):
        """tls: a certs.Pair, to offer STARTTLS or (implicit_tls) to begin
        with the handshake."""
        self.steps = {}
        self.recipients = {}
        self.other = "550 5.1.1 User unknown"
        self.keywords = ["PIPELINING", "SIZE 10240000",
                         "ENHANCEDSTATUSCODES", "8BITMIME"]
        self.counts = collections.Counter()
        self.asked = collections.Counter()
        self.reached = collections.Counter()
        self.commands = []
        self.messages = []
        self.sessions = 0
        self.open = 0
        self.most_open = 0
        self.implicit_tls = implicit_tls
        self.tls_context = None
        self.use_tls(tls)
        self.unix = unix
        self.port = port
        self.host = host
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._sessions = set()
        self.log_path = case.path(f"scripted-{id(self):x}.log")
        self._listener = None
        self._thread = None
        self.start()
        case.cleanup(self.stop)

    def use_tls(self, pair):
        """Have this certificate from now on; None: no TLS."""
        context = None
        if pair is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair.cert, pair.key)
        self.tls_context = context

    def _bind(self):
        """A socket on our port; the first time, on one that is free."""
        for _ in range(100):
            listener = socket.socket(
                socket.AF_INET6 if ":" in self.host else socket.AF_INET)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port = self.port or ports.free_port()
            try:
                listener.bind((self.host, port))
            except OSError:
                # Another test, in a process of its own, was faster.
                listener.close()
                if self.port:
                    raise
                continue
            self.port = port
            return listener
        raise RuntimeError("no port to listen on")

    def start(self):
        """Listen (again)."""
        self.over = threading.Event()
        if self.unix:
            listener = socket.socket(socket.AF_UNIX)
            if os.path.exists(self.unix):
                os.unlink(self.unix)
            listener.bind(self.unix)
            os.chmod(self.unix, 0o666)
        else:
            listener = self._bind()
        listener.listen(512)
        self._listener = listener
        self._thread = threading.Thread(
            target=self._accept, args=(listener,), daemon=True)
        self._thread.start()

    def stop(self):
        """Stop listening and drop every session."""
        self.over.set()
        listener, self._listener = self._listener, None
        if listener is None:
            return
        try:
            listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        listener.close()
        self._thread.join(5)
        self.drop()

    def drop(self):
        """Drop every open session."""
        with self._lock:
            for session in self._sessions:
                try:
                    # the one in use: that of TLS is another
                    session.socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def note(self, session, verb, line):
        """Count and log one command."""
        with self._lock:
            self.counts[verb] += 1
            self.commands.append((session.number, line))
            with open(self.log_path, "a", encoding="utf-8",
                      errors="replace") as log:
                log.write(f"{time.monotonic():.3f} {session.number} "
                          f"{line}\n")

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self.sessions += 1
                self.open += 1
                self.most_open = max(self.most_open, self.open)
                session = Session(self, connection, self.sessions)
                self._sessions.add(session)
            if not self.unix:
                connection.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, daemon=True,
                             args=(session, connection)).start()

    def _serve(self, session, connection):
        try:
            session.run()
        except (Hangup, OSError):
            pass
        finally:
            with self._lock:
                self.open -= 1
                self._sessions.discard(session)
            # closing without this would leave the client's data unread
            # and turn our close into a reset
            session.socket.close()
            connection.close()
