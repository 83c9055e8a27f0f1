# SPDX-License-Identifier: BSD-2-Clause
"""Connections to Unix sockets."""
import socket
import struct


def dial(path, seconds=60.0):
    """A connection to a Unix socket; no call on it lasts longer.

    With a timeout of Python's a socket does not block, and connect() would
    say EAGAIN when the backlog is full.  With the kernel's it waits.
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO,
            struct.pack("@ll", int(seconds), int(seconds % 1 * 1000000)))
        connection.connect(path)
        connection.settimeout(seconds)
    except BaseException:
        connection.close()
        raise
    return connection
