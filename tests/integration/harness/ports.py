# SPDX-License-Identifier: BSD-2-Clause
"""Free TCP ports on loopback."""
import random
import socket

# Taken from below the kernel's range for outgoing connections, or one of
# those could have it before the server that wants it.
_FIRST, _LAST = 20000, 32000
SLOTS = 12  # tests that run at one time have ports of their own
_SPAN = (_LAST - _FIRST) // SLOTS

_given = set()
_range = [_FIRST, _LAST - 1]


def use_slot(slot):
    """Keep to the ports of one of SLOTS."""
    _range[:] = [_FIRST + slot * _SPAN, _FIRST + (slot + 1) * _SPAN - 1]


def free_port():
    """A port nobody listens on, never given out before by this process."""
    for _ in range(1000):
        port = random.randint(*_range)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError(f"no free port between {_range[0]} and {_range[1]}")
