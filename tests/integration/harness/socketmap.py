# SPDX-License-Identifier: BSD-2-Clause
"""A stand-in for postern-authd's socketmap, which answers as told.

    stand_in = SocketMap(case)
    stand_in.answer = lambda name, key: "NOTFOUND "

An answer is a text, which is put in a netstring; octets, which are sent as
they are; CLOSE, to hang up; or HANG, to say nothing.
"""
import os
import socket
import threading

CLOSE, HANG = object(), object()


class SocketMap:
    """asked: (name, key) of each question.  In a directory of its own, which
    nobody else may write to: Sendmail insists on that."""

    def __init__(self, case):
        directory = case.path("socketmap")
        os.mkdir(directory, 0o755)
        self.path = os.path.join(directory, "outbound")
        self.asked = []
        self.answer = lambda name, key: "TEMP not told what to say"
        self._listener = None
        self._connections = set()
        self._over = threading.Event()
        self.start()
        case.cleanup(self._end)

    def start(self):
        """Listen (again)."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,),
                         daemon=True).start()

    def stop(self):
        """Be gone, and all connections with it."""
        os.unlink(self.path)
        for one in (self._listener, *self._connections):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # that one was over
        self._listener.close()
        self._listener = None

    def _end(self):
        self._over.set()
        if self._listener is not None:
            self.stop()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,),
                             daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as file:
            try:
                while self._one(connection, file):
                    pass
            except OSError:
                pass
        self._connections.discard(connection)

    def _one(self, connection, file):
        """Answer one question; False when there are to be no more."""
        digits = b""
        while not digits.endswith(b":"):
            octet = file.read(1)
            if not octet:
                return False
            digits += octet
        name, _, key = file.read(int(digits[:-1])).decode(
            "utf-8", "replace").partition(" ")
        if file.read(1) != b",":
            return False
        self.asked.append((name, key))
        answer = self.answer(name, key)
        if answer is CLOSE:
            return False
        if answer is HANG:
            self._over.wait()
            return False
        if isinstance(answer, str):
            octets = answer.encode("utf-8")
            answer = b"%d:%s," % (len(octets), octets)
        connection.sendall(answer)
        return True
