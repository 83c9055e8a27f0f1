# SPDX-License-Identifier: BSD-2-Clause
"""The MTA's side of the milter protocol, as far as the milter wants it.

    with Mta(path) as mta:
        mta.mail("<ann@client.test>")
        print(mta.rcpt("<bob@example.org>"))    # "continue", "550 5.1.1 ..."
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "integration"))

from harness.dial import dial  # noqa: E402

# All steps that there are, and all actions.
STEPS = 0x1fffff
ACTIONS = 0x1ff

NAMES = {"c": "continue", "t": "tempfail", "r": "reject", "a": "accept",
         "d": "discard"}


class Mta:
    """One connection to the milter, about one client."""

    def __init__(self, path, ip="192.0.2.9", name="client.test",
                 helo="client.test", seconds=60.0):
        self.socket = dial(path, seconds)
        self._buffer = b""
        self.send("O", struct.pack(">III", 6, ACTIONS, STEPS))
        command, octets = self.packet()
        if command != "O":
            raise ConnectionError(f"negotiation answered {command}")
        self.steps = struct.unpack(">III", octets[:12])[2]
        self.client(ip, name, helo)

    def client(self, ip="192.0.2.9", name="client.test", helo="client.test"):
        """A client connects and greets."""
        self.send("C", name.encode() + b"\0" +
                  (b"6" if ":" in ip else b"4") +
                  struct.pack(">H", 4711) + ip.encode() + b"\0")
        self.send("H", helo.encode() + b"\0")

    def __enter__(self):
        return self

    def __exit__(self, _kind, _value, _trace):
        self.close()

    def close(self):
        """Say good-bye, if anybody listens."""
        try:
            self.send("Q")
        except OSError:
            pass
        self.socket.close()

    def send(self, command, octets=b""):
        """One packet."""
        self.socket.sendall(struct.pack(">I", len(octets) + 1) +
                            command.encode() + octets)

    def packet(self):
        """The next packet, (None, b"") at the end."""
        while True:
            if len(self._buffer) >= 4:
                size = 4 + struct.unpack(">I", self._buffer[:4])[0]
                if len(self._buffer) >= size:
                    packet = self._buffer[4:size]
                    self._buffer = self._buffer[size:]
                    return chr(packet[0]), packet[1:]
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return None, b""
            self._buffer += more

    def reply(self):
        """The next reply in words, None at the end."""
        command, octets = self.packet()
        if command == "y":
            return octets.rstrip(b"\0").decode("utf-8", "replace")
        return NAMES.get(command, command)

    def macros(self, step, values):
        """What goes before a step; names without braces."""
        pairs = b"".join(
            (name if len(name) == 1 else "{" + name + "}").encode() + b"\0" +
            value.encode() + b"\0" for name, value in values.items())
        self.send("D", step.encode() + pairs)

    def helo(self, name, **macros):
        """HELO once more, and its reply."""
        self.macros("H", macros)
        self.send("H", name.encode() + b"\0")
        return self.reply()

    def mail(self, sender, **macros):
        """MAIL, to which no reply is due; macros without braces."""
        self.macros("M", macros)
        self.send("M", sender.encode() + b"\0")

    def send_rcpt(self, recipient):
        """RCPT, whose reply is left for reply()."""
        self.send("R", recipient.encode("utf-8") + b"\0")

    def rcpt(self, recipient):
        """RCPT and its reply."""
        self.send_rcpt(recipient)
        return self.reply()

    def message(self, *headers):
        """The headers, (name, value) each, and the end; what the milter does
        to them, by command, and its reply."""
        for name, value in headers:
            self.send("L", f"{name}\0{value}\0".encode())
        self.send("E")
        done = ""
        while True:
            command, octets = self.packet()
            if command in ("h", "i", "m"):
                done += command
            elif command == "y":
                return done, octets.rstrip(b"\0").decode("utf-8", "replace")
            else:
                return done, NAMES.get(command, command)

    def another(self, **client):
        """The client is gone, another one comes on this connection, and
        nothing is negotiated anew."""
        self.send("K")
        self.client(**client)

    def unknown(self, command):
        """A command that the MTA does not know, and the reply."""
        self.send("U", command.encode("latin-1") + b"\0")
        return self.reply()

    def end(self, **macros):
        """The end of the message and the reply."""
        self.macros("E", macros)
        self.send("E")
        return self.reply()

    def abort(self):
        """The message is given up."""
        self.send("A")
