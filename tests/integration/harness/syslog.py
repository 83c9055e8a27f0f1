# SPDX-License-Identifier: BSD-2-Clause
"""What /dev/log leads to inside the namespace: a file of the test's."""
import fcntl
import os
import socket
import threading


class Syslog:
    """Collects syslog messages until the test is over.  Without a mount
    namespace there is none, and `path` is None."""

    def __init__(self, case):
        self.file = case.path("syslog.log")
        self.path = os.environ.get("HARNESS_SYSLOG")
        with open(self.file, "w", encoding="utf-8"):
            pass
        if self.path is None:
            return
        # there is one for all tests, and no other may have it meanwhile
        self._lock = open(self.path + ".lock", "w", encoding="ascii")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        if os.path.exists(self.path):
            os.unlink(self.path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        os.chmod(self.path, 0o666)
        threading.Thread(target=self._collect, daemon=True).start()
        case.cleanup(self._close)

    def _collect(self):
        with open(self.file, "a", encoding="utf-8") as file:
            while True:
                message = self._socket.recv(65536)
                if message == b"":
                    return
                text = message.decode("utf-8", "replace").rstrip("\n\0")
                # "<22>Nov 20 ..." begins with the priority
                file.write(text.partition(">")[2] + "\n")
                file.flush()

    def _close(self):
        self._socket.sendto(b"", self.path)
        os.unlink(self.path)
        self._lock.close()

    def log(self):
        """What was logged so far."""
        with open(self.file, encoding="utf-8") as file:
            return file.read()
