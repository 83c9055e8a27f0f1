# SPDX-License-Identifier: BSD-2-Clause
"""saslauthd's protocol.  The passwords of an upstream Postfix, asked for as
Cyrus SASL asks its saslauthd: the mechanisms are SASL's own, the list of users
is the test's.  And the other side, question() and ask()."""
import os
import socket
import struct
import threading

from .dial import dial

_SMTPD_CONF = """pwcheck_method: saslauthd
saslauthd_path: /saslauthd
mech_list: {mechanisms}
"""


# main.cf of a Postfix that knows nobody who has not logged in under TLS
SETTINGS = {"smtpd_sasl_auth_enable": "yes",
            "smtpd_tls_auth_only": "yes",
            "smtpd_client_restrictions": "permit_sasl_authenticated, reject"}


class Saslauthd:
    """Answers a Postfix that was made with SETTINGS, on a socket in its queue
    directory, where its smtpd is chrooted.  users: {name: password};
    asked: the names that were asked about, in order."""

    def __init__(self, case, postfix, users, mechanisms="PLAIN LOGIN"):
        self.users = users
        self.asked = []
        path = os.path.join(postfix.queue, "saslauthd")
        postfix.configure_sasl(_SMTPD_CONF.format(mechanisms=mechanisms))
        postfix.stop()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        os.chmod(path, 0o666)
        self._socket.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()
        postfix.start()
        case.cleanup(self._close)

    def _close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as question:
                name, password, _service, _realm = (
                    question.read(struct.unpack("!H", question.read(2))[0])
                    for _ in range(4))
                name = name.decode("utf-8")
                self.asked.append(name)
                good = (name in self.users
                        and self.users[name].encode("utf-8") == password)
                answer = b"OK" if good else b"NO wrong"
                connection.sendall(struct.pack("!H", len(answer)) + answer)


def question(*fields):
    """A request; str or bytes."""
    octets = [field if isinstance(field, bytes) else field.encode("utf-8")
              for field in fields]
    return b"".join(struct.pack("!H", len(field)) + field
                    for field in octets)


def ask(path, octets, seconds=60.0):
    """What is answered at a socket: bytes, b"" when it closes without."""
    with dial(path, seconds) as connection:
        connection.sendall(octets)
        answer = b""
        while True:
            try:
                more = connection.recv(4096)
            except ConnectionResetError:
                more = b""
            if not more:
                return answer
            answer += more
