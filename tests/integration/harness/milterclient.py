# SPDX-License-Identifier: BSD-2-Clause
"""The MTA's side of the milter protocol, as far as RCPT: for questions in
numbers that no MTA passes on in reasonable time."""
import struct

from .dial import dial

# What Postfix 3.7 offers: any step may be left out or left unanswered.
_OFFER = struct.pack("!III", 6, 0x1ff, 0x1fffff)
_NO_REPLY = {"C": 0x1000, "H": 0x2000, "M": 0x4000}
_LEFT_OUT = {"C": 0x1, "H": 0x2, "M": 0x4}


class MilterClient:
    """One milter session on a Unix socket, past HELO."""

    def __init__(self, path, client="192.0.2.1", helo="client.test"):
        self._socket = dial(path)
        self._input = b""
        self._send("O", _OFFER)
        code, data = self._receive()
        if code != "O":
            raise OSError(f"the milter negotiates with {code!r}")
        self._steps = struct.unpack("!III", data[:12])[2]
        self._tell("C", client.encode() + b"\0" + b"4"
                   + struct.pack("!H", 2525) + client.encode() + b"\0")
        self._tell("H", helo.encode() + b"\0")

    def close(self):
        """QUIT."""
        self._send("Q", b"")
        self._socket.close()

    def mail(self, sender):
        """MAIL FROM."""
        self._tell("M", f"<{sender}>".encode() + b"\0")

    def rcpt(self, recipient):
        """RCPT TO; returns the reply's code, 250 when it is taken."""
        self._send("R", f"<{recipient}>".encode() + b"\0")
        code, data = self._receive()
        if code == "c":
            return 250
        if code == "y":
            return int(data[:3])
        raise OSError(f"the milter answers RCPT with {code!r}")

    def abort(self):
        """The end of a transaction without a message."""
        self._send("A", b"")

    def _tell(self, code, data):
        if self._steps & _LEFT_OUT[code]:
            return
        self._send(code, data)
        if not self._steps & _NO_REPLY[code]:
            self._receive()

    def _send(self, code, data):
        self._socket.sendall(struct.pack("!I", len(data) + 1)
                             + code.encode() + data)

    def _receive(self):
        head = self._take(4)
        packet = self._take(struct.unpack("!I", head)[0])
        return chr(packet[0]), packet[1:]

    def _take(self, count):
        while len(self._input) < count:
            more = self._socket.recv(65536)
            if not more:
                raise EOFError("the milter closed the session")
            self._input += more
        taken, self._input = self._input[:count], self._input[count:]
        return taken
