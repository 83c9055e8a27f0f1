# SPDX-License-Identifier: BSD-2-Clause
"""Free TCP ports on loopback."""
import random
import socket

_given = set()


def free_port():
    """A port nobody listens on, never given out before by this process.

    Taken from below the kernel's range for outgoing connections, or one of
    those could have it before the server that wants it."""
    for _ in range(1000):
        port = random.randint(20000, 32000)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError("no free port between 20000 and 32000")
