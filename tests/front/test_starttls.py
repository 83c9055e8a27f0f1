#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""STARTTLS, ended by postern-front."""
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile

from rig import ALL, Failed, LIMIT, Rig, check, quit_session, run, same


def rig_with_tls(**more):
    """One that has a certificate."""
    return Rig(front=f'tls_cert_file = "{WORK}/cert.pem" '
               f'tls_key_file = "{WORK}/key.pem"', **more)


def make_certificate(directory):
    """Self-signed."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
         "/CN=edge.test", "-days", "2", "-keyout", directory + "/key.pem",
         "-out", directory + "/cert.pem"],
        check=True, capture_output=True, timeout=60)


def session():
    """Offered once; a message, contexts and all behind it."""
    body = b"line\r\n" * 300000
    with rig_with_tls(peer=ALL) as rig:
        client = rig.client(ehlo=False)
        check(client.ask("EHLO there").endswith("250 STARTTLS\r\n"),
              "not offered")
        client.ask("STARTTLS now", "501")
        same(client.starttls(), "TLSv1.3", "version")
        client.ask("MAIL FROM:<>", "503 5.5.1")
        client.ask("AUTH PLAIN", "503 5.5.1")
        check("STARTTLS" not in client.ask("EHLO again"), "offered again")
        client.ask("STARTTLS", "554 5.5.1")
        client.ask("XSETCONTEXT a=b", "250")
        client.ask("XREMOTEIP 192.0.2.1", "250")
        client.ask("MAIL FROM:<>", "250")
        client.ask("RCPT TO:<a@b>", "250")
        client.ask("DATA", "354")
        client.send(body + b".\r\n")
        check(client.reply().startswith("250"), "final reply")
        same(rig.mta.messages[0], body, "message")
        dump = client.ask("XDUMPCONTEXT")
        check("] tls true\r\n" in dump and "] a b\r\n" in dump, dump)
        rig.mta.answers["NOOP"] = b"250-" + b"x" * 900000 + b"\r\n250 y\r\n"
        same(client.ask("NOOP").encode(), rig.mta.answers["NOOP"], "reply")
        quit_session(client)
        for line in rig.mta.commands:
            check(b"STARTTLS" not in line, line)
        check(b"EHLO again\r\n" in rig.mta.commands, "EHLO")


def in_a_transaction():
    """Not now."""
    with rig_with_tls() as rig:
        client = rig.client()
        client.ask("MAIL FROM:<>", "250")
        client.ask("STARTTLS", "503 5.5.1")
        client.ask("RSET", "250")
        client.starttls()
        client.ask("EHLO there", "250")
        quit_session(client)


def after_extensions():
    """What was said in clear, by whomever, must not count behind TLS; what
    the MTA and the milter have been told cannot be taken back."""
    for line in ("XSETCONTEXT a=b", "XREMOTEIP 192.0.2.1",
                 "XCLIENT ADDR=192.0.2.1"):
        with rig_with_tls(peer=ALL) as rig:
            client = rig.client()
            client.ask("XSETCONTEXT forbidden=1", "550")
            client.ask(line, "2")
            client.ask("STARTTLS", "503 5.5.1")
            quit_session(client)


def injected():
    """What stands behind STARTTLS in clear is never a command."""
    with rig_with_tls(peer=ALL) as rig:
        client = rig.client()
        client.send(b"STARTTLS\r\nXSETCONTEXT a=b\r\nMAIL FROM:<x@y>\r\n")
        check(client.reply().startswith("220"), "STARTTLS")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        client.sock = context.wrap_socket(client.sock)
        client.ask("NOOP", "250 2.1.0")
        same(rig.mta.commands[-1], b"NOOP\r\n", "command")
        same(rig.milter.asked("set"), [], "set")
        quit_session(client)


def no_old_versions():
    """TLS 1.1 is refused; a client without a handshake is left alone."""
    with rig_with_tls() as rig:
        client = rig.client()
        client.ask("STARTTLS", "220")
        client.send(b"EHLO in clear\r\n" * 10)
        client.sock.settimeout(LIMIT)
        try:
            data = client.sock.recv(100)
        except ConnectionError:
            data = b""
        check(not data.startswith(b"250"), data)
        client.sock.close()
        client = rig.client()
        client.ask("STARTTLS", "220")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            context.minimum_version = ssl.TLSVersion.TLSv1_1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.wrap_socket(client.sock)
            raise Failed("TLS 1.1")
        except (ssl.SSLError, ValueError, ConnectionError, socket.timeout):
            client.sock.close()
        same([x for x in rig.mta.commands if b"clear" in x], [], "commands")


def bad_certificate():
    """Named by -n, and told to nobody else."""
    with Rig(front='tls_cert_file = "/nonexistent/c" '
             'tls_key_file = "/nonexistent/k"') as rig:
        done = subprocess.run(
            [os.path.join(os.environ.get("top_builddir", "."),
                          "front/postern-front"), "-n", "-c", rig.conf],
            capture_output=True, text=True, timeout=LIMIT, check=False)
        same(done.returncode, 78, "exit")
        check("/nonexistent/c" in done.stderr, done.stderr)
        client = rig.connect()
        check(client.reply().startswith("421 4.3.0 "), "greeting")
        client.ends()
        same(rig.children.pop().wait(LIMIT), 78, "exit")


if __name__ == "__main__":
    if shutil.which("openssl") is None:
        print("skipped: openssl is missing")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="postern-front.") as WORK:
        make_certificate(WORK)
        code = run([session, in_a_transaction, after_extensions, injected,
                    no_old_versions, bad_certificate])
    sys.exit(code)
