# SPDX-License-Identifier: BSD-2-Clause
"""A private certificate authority, by the openssl command."""
import os
import subprocess

_CONFIG = """[req]
distinguished_name = dn
prompt = no
[dn]
CN = {name}
[ca]
default_ca = ours
[ours]
database = {dir}/index
new_certs_dir = {dir}
serial = {dir}/serial
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = CA:false
subjectAltName = {alternatives}
"""


EC_P256 = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA_2048 = ("rsa:2048",)


class Pair:
    """A certificate and its key, as paths of PEM files."""

    def __init__(self, cert, key):
        self.cert = cert
        self.key = key


class Authority:
    """A CA in a directory of its own; `ca_file` is its certificate.  All
    keys, its own among them, are of one kind."""

    def __init__(self, directory, kind=EC_P256):
        self.dir = directory
        self._kind = kind
        self.ca_file = os.path.join(directory, "ca.pem")
        self._key = os.path.join(directory, "ca.key")
        os.makedirs(directory)
        with open(os.path.join(directory, "index"), "w",
                  encoding="ascii"):
            pass
        with open(os.path.join(directory, "serial"), "w",
                  encoding="ascii") as file:
            file.write("1000\n")
        config = self._config("ca", "Test authority", "DNS:unused.test")
        self._openssl(
            "req", "-config", config, "-x509", *self._new_key(self._key),
            "-extensions", "root", "-days", "30", "-out", self.ca_file)

    @staticmethod
    def _openssl(*arguments):
        done = subprocess.run(["openssl", *arguments], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]}: {done.stderr}")

    def _new_key(self, path):
        return ["-newkey", *self._kind, "-nodes", "-keyout", path]

    def _config(self, label, name, alternatives):
        path = os.path.join(self.dir, label + ".cnf")
        with open(path, "w", encoding="ascii") as file:
            file.write(_CONFIG.format(
                dir=self.dir, name=name, alternatives=alternatives))
        return path

    def _paths(self, label):
        return [os.path.join(self.dir, f"{label}.{end}")
                for end in ("pem", "key", "csr")]

    def issue(self, label, names=("mailstore.test",),
              addresses=("127.0.0.1",), expired=False):
        """A certificate for host names and addresses; returns a Pair."""
        cert, key, request = self._paths(label)
        config = self._config(label, names[0], ",".join(
            [f"DNS:{name}" for name in names]
            + [f"IP:{address}" for address in addresses]))
        self._openssl("req", "-config", config, "-new", *self._new_key(key),
                      "-out", request)
        span = (["-startdate", "20200101000000Z", "-enddate",
                 "20200201000000Z"] if expired else ["-days", "20"])
        self._openssl(
            "ca", "-batch", "-notext", "-config", config, "-name", "ours",
            "-cert", self.ca_file, "-keyfile", self._key, "-extensions",
            "leaf", *span, "-in", request, "-out", cert)
        return Pair(cert, key)

    def good(self):
        """For mailstore.test and 127.0.0.1."""
        return self.issue("good")

    def expired(self):
        """The right name, but long over."""
        return self.issue("expired", expired=True)

    def wrong_name(self):
        """Valid, but for somebody else."""
        return self.issue("wrong", names=("other.test",),
                          addresses=("192.0.2.1",))

    def self_signed(self):
        """The right name, but signed by nobody we know."""
        cert, key, _ = self._paths("self")
        config = self._config("self", "mailstore.test",
                              "DNS:mailstore.test,IP:127.0.0.1")
        self._openssl(
            "req", "-config", config, "-x509", *self._new_key(key),
            "-extensions", "leaf", "-days", "20", "-out", cert)
        return Pair(cert, key)
