# SPDX-License-Identifier: BSD-2-Clause
"""Dovecot's submission service: an upstream for logins that is no Postfix,
with a server behind it that tells whether an OAuth token is good."""
import http.server
import json
import os
import socket
import threading
import urllib.parse

from . import namespace, ports, scripted, smtpclient
from .case import Child, wait_for

SCRIPT = os.path.join(namespace.HERE, "dovecot.sh")
MECHANISMS = ("plain login cram-md5 scram-sha-1 scram-sha-256 xoauth2 "
              "oauthbearer")

# Its accounts are such as every Debian has.
_CONF = """
base_dir = {dir}/run
state_dir = {dir}/state
instance_name = test
log_path = {dir}/log
auth_verbose = yes
libexec_dir = {libexec}
mail_plugin_dir = {libexec}/modules
import_environment = TZ LD_LIBRARY_PATH LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP NSS_WRAPPER_HOSTS
protocols = submission
listen = 127.0.0.1
hostname = mailstore.test
default_internal_user = daemon
default_internal_group = daemon
default_login_user = nobody
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
disable_plaintext_auth = no
login_trusted_networks = {trusted}
mail_location = maildir:{dir}/mail
first_valid_uid = 1
submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
{tls}
service submission-login {{
  chroot =
  inet_listener submission {{
    address = 127.0.0.1
    port = {port}
  }}
  {implicit}
}}
service anvil {{
  # or each refusal makes the next one slower
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
  args = {dir}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid=daemon gid=daemon home={dir}/mail
}}
"""

_OAUTH2 = """introspection_mode = post
introspection_url = http://127.0.0.1:{port}/introspect
client_id = test
client_secret = test
username_attribute = username
active_attribute = active
active_value = true
"""


class Tokens:
    """Tells Dovecot whose a token is: {token: user}."""

    def __init__(self, case, tokens):
        self.tokens = tokens
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One question."""

            def do_POST(self):  # pylint: disable=invalid-name
                """RFC 7662."""
                size = int(self.headers.get("Content-Length", "0"))
                form = urllib.parse.parse_qs(
                    self.rfile.read(size).decode("ascii"))
                token = form.get("token", [""])[0]
                outer.asked.append(token)
                user = outer.tokens.get(token)
                answer = json.dumps(
                    {"active": False} if user is None
                    else {"active": True, "username": user}).encode("ascii")
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format, *args):
                """Keep quiet."""

        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever,
                         daemon=True).start()
        case.cleanup(self._server.shutdown)


class Dovecot:
    """port: SMTP, with STARTTLS where there is a certificate (tls, a
    certs.Pair); tls_port: TLS from the first octet."""

    def __init__(self, case, users, tls=None, mechanisms=MECHANISMS,
                 tokens=None, trusted=""):
        """users: {name: password}; tokens: {token: user}; trusted: the
        networks that may say XCLIENT."""
        namespace.need_mounts("Dovecot")
        self._case = case
        self._tree = case.tree("dovecot")
        self.name = "dovecot"
        self.dir = case.path("dovecot")
        self.port = ports.free_port()
        self.tls_port = ports.free_port()
        # where the mail of those who have logged in goes: nowhere
        self.relay = scripted.Scripted(case)
        self.tokens = Tokens(case, tokens or {})
        os.mkdir(self.dir, 0o755)
        self._write("users", "".join(
            f"{name}:{{PLAIN}}{password}\n"
            for name, password in users.items()))
        self._write("oauth2.conf", _OAUTH2.format(port=self.tokens.port))
        implicit = ""
        secure = "ssl = no"
        if tls is not None:
            implicit = (f"inet_listener submissions {{\n address = 127.0.0.1"
                        f"\n port = {self.tls_port}\n ssl = yes\n }}")
            secure = (f"ssl = yes\nssl_cert = <{tls.cert}\n"
                      f"ssl_key = <{tls.key}")
        self._write("dovecot.conf", _CONF.format(
            dir=self.dir, port=self.port, mechanisms=mechanisms, tls=secure,
            libexec=os.path.join(self._tree, "usr/lib/dovecot"),
            trusted=trusted, relay=self.relay.port, implicit=implicit))
        self.child = None
        self.start()

    def _write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        """Start it (again); returns when it greets."""
        self.child = self._case.start(
            "dovecot", ["unshare", "--mount", "/bin/sh", SCRIPT, self._tree,
                        self.dir],
            at_end=Child.stop)
        wait_for(self._greets, "dovecot to greet")

    def _greets(self):
        if not self.child.running():
            raise RuntimeError(f"dovecot ended: {self.child.log()}")
        try:
            with smtpclient.Client(self.port, timeout=30):
                return True
        except (OSError, EOFError, socket.timeout):
            return False

    def stop(self):
        """Stop it."""
        self.child.stop()

    def log(self):
        """Its log so far."""
        try:
            with open(os.path.join(self.dir, "log"), encoding="utf-8",
                      errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""
