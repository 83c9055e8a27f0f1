# SPDX-License-Identifier: BSD-2-Clause
"""A Postfix that knows passwords itself: an upstream for logins.  Its SASL is
Cyrus's own plug-ins over sasldb, so it can do challenge-response, too."""
import os
import shutil

from . import mta_postfix, namespace, ports, sasl
from .case import equal, wait_for

_SMTPD_CONF = """pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: sasldb2
mech_list: {mechanisms}
"""
MECHANISMS = "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256"


class Submission(mta_postfix.Postfix):
    """port: SMTP, with STARTTLS where there is a certificate (tls, a
    certs.Pair); tls_port: TLS from the first octet."""

    def __init__(self, case, users, tls=None, mechanisms=MECHANISMS,
                 name="submission", **settings):
        """users: {name with domain: password}"""
        self.tls_port = ports.free_port()
        services = []
        if tls is not None:
            settings = {"smtpd_tls_security_level": "may",
                        "smtpd_tls_cert_file": tls.cert,
                        "smtpd_tls_key_file": tls.key,
                        "smtpd_tls_loglevel": "1", **settings}
            services = [f"127.0.0.1:{self.tls_port} inet n - y - - smtpd",
                        "  -o smtpd_tls_wrappermode=yes"]
        # smtpd opens it by this relative path, chrooted or not yet
        database = case.path(name + "-sasldb2")
        sasl.sasldb(case, database, users)
        self._database = database
        super().__init__(
            case, name, {
                "myhostname": f"{name}.test",
                "smtpd_sasl_auth_enable": "yes",
                "smtpd_sasl_type": "cyrus",
                "smtpd_relay_restrictions":
                    "permit_sasl_authenticated, reject_unauth_destination",
                "inet_protocols": "all",  # or XCLIENT takes no IPv6 address
                **settings},
            services, sasl=_SMTPD_CONF.format(mechanisms=mechanisms),
            plugins=sasl.plugins(case, ours=False))

    def start(self):
        """Start it (again), with its database where smtpd sees it."""
        path = os.path.join(self.queue, "sasldb2")
        shutil.copy(self._database, path)
        shutil.chown(path, namespace.account_id("postfix"))
        os.chmod(path, 0o600)
        super().start()

    def set_password(self, case, user, password):
        """Change one password."""
        sasl.sasldb(case, os.path.join(self.queue, "sasldb2"),
                    {user: password})

    def refused(self):
        """How many logins it has refused."""
        return self.log().count("authentication failed")

    def wait_refused(self, count):
        """Wait for its log to tell of so many, and no more."""
        wait_for(lambda: self.refused() >= count,
                 f"{count} refused logins in the log of {self.name}")
        equal(self.refused(), count, f"refused logins in {self.name}")

    def ended(self, *parts):
        """The lines that tell what a session that is over has done."""
        return [line for line in self.log().splitlines()
                if "disconnect from" in line
                and all(part in line for part in parts)]
