#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The scripted upstream itself: what it sends, and that it notices."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("top_builddir", ".")
PROGRAM = os.path.join(BUILD, "tests", "upstream", "scripted")


class Upstream:
    def __init__(self, script, *options):
        self.proc = subprocess.Popen(
            [PROGRAM, "-t", "100", *options, "-"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.proc.stdin.write(script)
        self.proc.stdin.close()
        self.proc.stdin = None
        self.where = self.proc.stdout.readline().strip()

    def connect(self):
        if self.where.startswith("/"):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(self.where)
        else:
            sock = socket.create_connection(("127.0.0.1", int(self.where)))
        sock.settimeout(60)
        return sock

    def end(self, sig=None):
        if sig is not None:
            self.proc.send_signal(sig)
        out, err = self.proc.communicate(timeout=120)
        return self.proc.returncode, out, err


def slurp(sock):
    got = b""
    try:
        while True:
            chunk = sock.recv(65536)
            if not chunk:
                return got
            got += chunk
    except ConnectionResetError:
        return got + b"<RST>"


class Base(unittest.TestCase):
    def setUp(self):
        self.open = []

    def tearDown(self):
        for up in self.open:
            if up.proc.poll() is None:
                up.proc.kill()
            up.proc.communicate()

    def upstream(self, script, *options):
        up = Upstream(script, *options)
        self.open.append(up)
        return up

    def talk(self, script, data, *options):
        """One connection: send data, close, and return all that came."""
        up = self.upstream(script, *options)
        with up.connect() as sock:
            sock.sendall(data)
            with contextlib.suppress(OSError):  # a reset may be faster
                sock.shutdown(socket.SHUT_WR)
            got = slurp(sock)
        return (got, *up.end())


class Scripted(Base):
    def test_dialogue(self):
        got, rc, out, err = self.talk(
            "# a comment\nS: 220 hi\nC: EHLO *\nS: 250 ok \n",
            b"EHLO me\r\nQUIT\r\n")
        self.assertEqual((rc, err), (0, ""))
        self.assertEqual(got, b"220 hi\r\n250 ok \r\n221 2.0.0 bye\r\n")
        self.assertIn("1 C: EHLO me\n", out)

    def test_mismatch(self):
        cases = {
            "C: EHLO *": [b"HELO x\r\n", b"EHLO x\n", b"EHLO", b""],
            r"C: A\*B": [b"AxB\r\n", b"A*B \r\n"],
            "C: A*B*C": [b"AxBx\r\n", b"ACB\r\n"],
            "eof": [b"x", b"QUIT\r\n"],
            "bye": [b"NOOP\r\n", b"QUIT"],
            "quiet 1s": [b"x", b""],
            "data": [b"a\r\n.", b".\n"],
            "loop\nC: A\nS: b\nend": [b"B\r\n"],
            "C: A\nconnection\nC: B": [b"A\r\n"],
        }
        for script, inputs in cases.items():
            for data in inputs:
                with self.subTest(script=script, data=data):
                    up = self.upstream(script + "\n")
                    with up.connect() as sock:
                        sock.sendall(data)
                        sock.shutdown(socket.SHUT_WR)
                        slurp(sock)
                        rc, _, err = up.end(signal.SIGTERM)
                    self.assertEqual(rc, 1)
                    self.assertIn("scripted: -:", err)

    def test_match(self):
        for script, data in {
                r"C: A\*B": b"A*B\r\n", "C: A*B*C": b"AxBCxBxC\r\n",
                "C: *": b"\r\n", r"C: \x00\xff": b"\0\xff\r\n",
                "data": b"a\r\n..\r\n.\r\n", "eof": b"",
                "quiet 100ms\nconnection optional": None,
                "loop\nC: A\nbreak\nend\nC: B": b"A\r\nB\r\n"}.items():
            with self.subTest(script=script):
                up = self.upstream(script + "\n")
                with up.connect() as sock:
                    if data is None:
                        time.sleep(1)
                    else:
                        sock.sendall(data)
                    sock.shutdown(socket.SHUT_WR)
                    slurp(sock)
                    time.sleep(0.1)
                self.assertEqual(up.end(signal.SIGTERM)[::2], (0, ""))

    def test_raw_and_repeat(self):
        got, rc, _, _ = self.talk(
            'S-raw: 2\\x320 a\\0b\\r\\n\nrepeat 3 "250-x\\r\\n"\n'
            'repeat 65536 "y"\nS:\n', b"")
        self.assertEqual(rc, 0)
        self.assertEqual(
            got, b"220 a\0b\r\n" + b"250-x\r\n" * 3 + b"y" * 65536 + b"\r\n")

    def test_loop(self):
        script = ("loop\nC: RCPT TO:<unknown*\nS: 550 5.1.1 no\n"
                  "C: RCPT *\nS: 250 2.1.5 ok\nC: QUIT\nS: 221 x\nclose\nend\n")
        got, rc, _, _ = self.talk(
            script, b"RCPT TO:<a@b>\r\nRCPT TO:<unknown@b>\r\nQUIT\r\n")
        self.assertEqual(rc, 0)
        self.assertEqual(got, b"250 2.1.5 ok\r\n550 5.1.1 no\r\n221 x\r\n")

    def test_connections_side_by_side(self):
        up = self.upstream("S: one\nC: A\nclose\nconnection\nS: two\nC: B\n"
                           "close\nconnection *\nS: more\nclose\n")
        one, two = up.connect(), up.connect()
        three, four = up.connect(), up.connect()
        two.sendall(b"B\r\n")
        self.assertEqual(slurp(two), b"two\r\n")
        self.assertEqual(slurp(three) + slurp(four), b"more\r\nmore\r\n")
        one.sendall(b"A\r\n")
        self.assertEqual(slurp(one), b"one\r\n")
        for sock in (one, two, three, four):
            sock.close()
        self.assertEqual(up.end(signal.SIGTERM)[0], 0)

    def test_one_connection_too_many(self):
        up = self.upstream("C: A\nclose\n")
        one, two = up.connect(), up.connect()
        self.assertEqual(slurp(two), b"")
        one.sendall(b"A\r\n")
        self.assertEqual(slurp(one), b"")
        one.close()
        two.close()
        rc, _, err = up.end()
        self.assertEqual(rc, 1)
        self.assertIn("does not expect it", err)

    def test_reset_and_close(self):
        got, rc, _, _ = self.talk("S: 421 go\nC: A\nreset\n", b"A\r\n")
        self.assertEqual((got, rc), (b"421 go\r\n<RST>", 0))
        got, rc, _, _ = self.talk("S: 421 go\nC: A\nclose\n", b"A\r\nB\r\n")
        self.assertEqual((got, rc), (b"421 go\r\n", 0))

    def test_hang(self):
        up = self.upstream("hang 300ms\nS: late\nhang\n")
        start = time.monotonic()
        with up.connect() as sock:
            sock.sendall(b"EHLO x\r\n")
            self.assertEqual(sock.recv(100), b"late\r\n")
        self.assertGreaterEqual(time.monotonic() - start, 0.3)
        self.assertEqual(up.end()[0], 0)

    def test_limit(self):
        start = time.monotonic()
        up = self.upstream("hang\n", "-t", "1")
        with up.connect():
            rc, _, err = up.end()
        self.assertEqual(rc, 1)
        self.assertIn("not over after 1 s", err)
        self.assertLess(time.monotonic() - start, 50)

    def test_bad_scripts(self):
        for script in ("", "foo\n", "sleep\n", "sleep 3\n", "S: \\q\n",
                       "loop\nC: A\n", "loop\nS: A\nend\n", "end\n",
                       "connection *\nconnection\n", "repeat x \"a\"\n",
                       "starttls\n", "tls good maybe\n", "expect sni\n",
                       "eof now\n", "loop\nC: A\nloop\nend\nend\n"):
            with self.subTest(script=script):
                up = self.upstream(script, "-n")
                rc, _, err = up.end()
                self.assertEqual(rc, 2)
                self.assertRegex(err, r"^scripted: -:\d+: ")

    def test_unix_socket(self):
        with tempfile.TemporaryDirectory() as tmp:
            up = self.upstream("S: hi\nclose\n", "-u", tmp + "/s")
            with up.connect() as sock:
                self.assertEqual(slurp(sock), b"hi\r\n")
            self.assertEqual(up.end()[0], 0)
            self.assertEqual(os.listdir(tmp), [])


class ScriptedTls(Base):
    @classmethod
    def setUpClass(cls):
        cls.tmp = tempfile.TemporaryDirectory()
        subprocess.run([os.path.join(HERE, "mkcerts"), cls.tmp.name],
                       check=True)

    @classmethod
    def tearDownClass(cls):
        cls.tmp.cleanup()

    def certs(self, name):
        return os.path.join(self.tmp.name, name)

    def context(self):
        return ssl.create_default_context(cafile=self.certs("ca.crt"))

    def handshake(self, script, name="mx.example.org", ctx=None, session=None):
        up = self.upstream(script, "-C", self.tmp.name)
        try:
            with (ctx or self.context()).wrap_socket(
                    up.connect(), server_hostname=name) as sock:
                got = slurp(sock)
        except ssl.SSLError as err:
            got = err.reason
        return (got, *up.end())

    def test_implicit(self):
        got, rc, out, err = self.handshake(
            "tls good\nexpect sni mx.*\nexpect resumed no\nexpect tls TLSv1.3"
            "\nexpect client \nS: 220 hi\nclose\n")
        self.assertEqual((got, rc, err), (b"220 hi\r\n", 0, ""))
        self.assertIn("TLS with good: TLSv1.3", out)

    def test_expect_fails(self):
        for what in ("sni other", "resumed yes", "tls TLSv1.2", "client x*",
                     "nonsense *"):
            with self.subTest(what=what):
                rc = self.handshake("tls good\nexpect " + what + "\n")[1]
                self.assertEqual(rc, 1)

    def test_certificates(self):
        for cert in ("expired", "future", "othername", "stranger",
                     "selfsigned"):
            with self.subTest(cert=cert):
                got, rc, _, err = self.handshake("tls " + cert + " fails\n")
                self.assertEqual((got, rc, err),
                                 ("CERTIFICATE_VERIFY_FAILED", 0, ""))
                self.assertEqual(self.handshake("tls " + cert + "\n")[1], 1)
        self.assertEqual(self.handshake("tls good fails\n")[1], 1)
        self.assertEqual(self.handshake("tls wildcard\nclose\n")[1], 0)
        self.assertEqual(self.handshake("tls missing\n")[1], 1)

    def test_client_certificate(self):
        script = "tls good client-ca ca\nexpect client edge.*\nclose\n"
        ctx = self.context()
        self.assertEqual(self.handshake(script, ctx=ctx)[1], 1)
        ctx.load_cert_chain(self.certs("client.crt"), self.certs("client.key"))
        self.assertEqual(self.handshake(script, ctx=ctx)[1], 0)

    def test_starttls_and_resumption(self):
        section = "S: 220 hi\nC: STARTTLS\nS: 220 go\nstarttls good tls1.2\n" \
                  "expect tls TLSv1.2\nexpect resumed {}\nclose\n"
        up = self.upstream(section.format("no") + "connection\n" +
                           section.format("yes"), "-C", self.tmp.name)
        ctx, session = self.context(), None
        for _ in range(2):
            sock = up.connect()
            reader = sock.makefile("rb", buffering=0)
            self.assertEqual(reader.readline(), b"220 hi\r\n")
            sock.sendall(b"STARTTLS\r\n")
            self.assertEqual(reader.readline(), b"220 go\r\n")
            reader.close()
            with ctx.wrap_socket(sock, server_hostname="localhost",
                                 session=session) as tls:
                session = tls.session
                self.assertEqual(slurp(tls), b"")
        self.assertEqual(up.end()[::2], (0, ""))

    def test_clear_octets_before_the_handshake(self):
        up = self.upstream("C: STARTTLS\nS: 220 go\nstarttls good\n",
                           "-C", self.tmp.name)
        with up.connect() as sock:
            sock.sendall(b"STARTTLS\r\nEHLO x\r\n")
            slurp(sock)
        rc, _, err = up.end()
        self.assertEqual(rc, 1)
        self.assertIn("octets in clear", err)

    def test_cut_has_no_close_notify(self):
        ctx = self.context()
        ctx.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # Python sets it
        up = self.upstream("tls good\ncut\nconnection\ntls good\nclose\n",
                           "-C", self.tmp.name)
        with ctx.wrap_socket(up.connect(), server_hostname="localhost",
                             suppress_ragged_eofs=False) as sock:
            with self.assertRaises(ssl.SSLError):
                sock.recv(1)
        with ctx.wrap_socket(up.connect(), server_hostname="localhost",
                             suppress_ragged_eofs=False) as sock:
            self.assertEqual(sock.recv(1), b"")
        self.assertEqual(up.end()[0], 0)


if __name__ == "__main__":
    if not os.access(PROGRAM, os.X_OK):
        sys.exit("no " + PROGRAM)
    unittest.main()
