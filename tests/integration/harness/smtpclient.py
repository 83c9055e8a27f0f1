# SPDX-License-Identifier: BSD-2-Clause
"""A thin SMTP client that hides nothing: lines out, replies in."""
import re
import socket
import ssl


class Reply:
    """One reply: code, lines without code, and the enhanced status or ""."""

    def __init__(self, lines):
        self.raw = lines
        self.code = int(lines[-1][:3])
        self.lines = [line[4:] for line in lines]
        found = re.match(r"[245]\.\d{1,3}\.\d{1,3}(?= |$)", self.lines[0])
        self.enhanced = found.group(0) if found else ""

    @property
    def text(self):
        """All lines, joined."""
        return "\n".join(self.lines)

    def __repr__(self):
        return " / ".join(self.raw)


class Client:
    """A session; the greeting is read on connecting and kept."""

    def __init__(self, port, host="127.0.0.1", timeout=60.0, helo=None,
                 source=None):
        """source: the address to come from, if it matters."""
        self.socket = socket.create_connection(
            (host, port), timeout, source and (source, 0))
        self._input = b""
        self.greeting = self.reply()
        self.keywords = []
        if helo:
            self.ehlo(helo)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Close without QUIT."""
        self.socket.close()

    def send(self, data):
        """Send octets as they are."""
        self.socket.sendall(data if isinstance(data, bytes)
                            else data.encode("utf-8"))

    def line(self):
        """One line, without its line end; EOFError when the server left."""
        while b"\n" not in self._input:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError("the server closed the connection")
            self._input += more
        line, self._input = self._input.split(b"\n", 1)
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def reply(self):
        """The next reply."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return Reply(lines)

    def command(self, line):
        """Send one command; returns the reply."""
        self.send(line + "\r\n")
        return self.reply()

    def pipeline(self, *lines):
        """Send commands in one piece; returns the replies."""
        self.send("".join(line + "\r\n" for line in lines))
        return [self.reply() for _ in lines]

    def ehlo(self, name="client.test"):
        """EHLO; keeps the keywords."""
        reply = self.command("EHLO " + name)
        self.keywords = reply.lines[1:]
        return reply

    def mail(self, sender="ann@sender.test", parameters=""):
        """MAIL FROM."""
        return self.command(f"MAIL FROM:<{sender}>{parameters}")

    def rcpt(self, recipient, parameters=""):
        """RCPT TO."""
        return self.command(f"RCPT TO:<{recipient}>{parameters}")

    def data(self, text="Subject: test\r\n\r\nHello.\r\n"):
        """DATA and the message; returns the last reply there was."""
        reply = self.command("DATA")
        if reply.code != 354:
            return reply
        self.send(text + ".\r\n")
        return self.reply()

    def quit(self):
        """QUIT, close; returns the reply."""
        reply = self.command("QUIT")
        self.close()
        return reply

    def starttls(self, context=None):
        """STARTTLS and, after a 220, the handshake (unverified by default)."""
        reply = self.command("STARTTLS")
        if reply.code == 220:
            if context is None:
                context = ssl.create_default_context()
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        return reply


def ask(port, recipient, sender="ann@sender.test", **options):
    """One session up to RCPT TO; returns its reply (or the one that was in
    the way)."""
    with Client(port, helo="client.test", **options) as client:
        for line in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>"):
            reply = client.command(line)
            if reply.code >= 400:
                return reply
        return reply


def send(port, recipients, sender="ann@sender.test", **options):
    """A whole message; returns the replies to RCPT and to the message."""
    with Client(port, helo="client.test", **options) as client:
        client.mail(sender)
        rcpts = [client.rcpt(recipient) for recipient in recipients]
        done = client.data()
        client.quit()
        return rcpts, done
