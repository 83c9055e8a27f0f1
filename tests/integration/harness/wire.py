# SPDX-License-Identifier: BSD-2-Clause
"""The frames between the plug-in and postern-authd (common/wire.h), and a
stand-in for postern-authd that answers as a test says."""
import os
import socket
import struct
import threading

CHECK, START, STEP = 1, 2, 3
GOOD, BAD, UNSURE, CHALLENGE = 64, 65, 66, 67
MECH, SERVICE, REALM, CLIENT, USER, PASS, DATA, REASON = range(1, 9)
VERSION = 1


def pack(kind, items, version=VERSION):
    """A frame; items: {tag: bytes}."""
    body = b"".join(struct.pack("!BH", tag, len(value)) + value
                    for tag, value in sorted(items.items()))
    return b"PA" + struct.pack("!BBI", version, kind, len(body)) + body


def read(stream):
    """(type, {tag: bytes}) of the next frame; None at the end."""
    header = stream.read(8)
    if len(header) < 8:
        return None
    magic, _, kind, length = struct.unpack("!2sBBI", header)
    if magic != b"PA":
        raise ValueError(f"no frame: {header!r}")
    body = stream.read(length)
    items = {}
    while body:
        tag, size = struct.unpack("!BH", body[:3])
        items[tag] = body[3:3 + size]
        body = body[3 + size:]
    return kind, items


def hang(standin, _connection, _message):
    """Say nothing until the test is over."""
    standin.over.wait(600)


def close(_standin, _connection, _message):
    """Close the connection instead of answering."""


def say(octets):
    """Send octets as they are, then close."""
    def act(_standin, connection, _message):
        connection.sendall(octets)
    return act


def drip(octets, pause):
    """Send octets one by one."""
    def act(standin, connection, _message):
        for octet in octets:
            connection.sendall(bytes([octet]))
            standin.over.wait(pause)
    return act


class Standin:
    """Answers WIRE_CHECK by its users {name: password}, unless `act` (a
    function like those above) is set.  messages: what was asked."""

    def __init__(self, case, path, users=()):
        self.path = path
        self.users = dict(users)
        self.act = None
        self.messages = []
        self.over = threading.Event()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        os.chmod(path, 0o666)
        self._socket.listen(256)
        threading.Thread(target=self._accept, daemon=True).start()
        case.cleanup(self.stop)

    def stop(self):
        """As if there were no daemon; its socket file stays."""
        self.over.set()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,),
                             daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            try:
                while True:
                    message = read(stream)
                    if message is None:
                        return
                    self.messages.append(message)
                    if self.act is not None:
                        self.act(self, connection, message)
                        return
                    connection.sendall(self._answer(*message))
            except OSError:
                pass

    def _answer(self, kind, items):
        if kind != CHECK:
            return pack(UNSURE, {REASON: b"a stand-in relays nothing"})
        name = items[USER].decode("utf-8")
        good = (name in self.users
                and self.users[name].encode("utf-8") == items[PASS])
        return pack(GOOD if good else BAD, {USER: items[USER]})
