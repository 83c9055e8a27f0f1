# SPDX-License-Identifier: BSD-2-Clause
"""What most tests of AUTH want: an edge whose SASL has our plug-in,
postern-authd beside it, and a route behind."""
import itertools
import re

from . import logins, mta_postfix, sasl, scripted, scripted_auth
from .authd import Authd
from .case import equal

# what smtp_auth_proxy has unless a test says otherwise: a test is one client
# that fails often, and is not to wait for its answers
_DEFAULTS = {"timeout": "5", "client_failures": "0",
             "shield_failures": "1000", "tls": '"none"'}


def options(text=""):
    """The options of smtp_auth_proxy, defaults included."""
    return "".join(f"    {name} = {value}\n"
                   for name, value in _DEFAULTS.items()
                   if not re.search(rf"\b{name} =", text)) + f"    {text}\n"


def route(port, text="", host="127.0.0.1"):
    """postern.conf: all logins go to a loopback port."""
    return (f'smtp_auth_proxy {{\n    host = {{"{host}:{port}"}}\n'
            f'{options(text)}}}\n')


def edge(case, recipe=sasl.RECIPE, plugins=None, **settings):
    """A Postfix, chrooted as Debian ships it, whose clients log in by the
    plug-in; a test may say XCLIENT to it."""
    return mta_postfix.edge(
        case, sasl=recipe,
        plugins=plugins or sasl.plugins(case),
        **{"smtpd_sasl_auth_enable": "yes",
           "smtpd_sasl_type": "cyrus",
           "smtpd_relay_restrictions":
               "permit_sasl_authenticated, reject_unauth_destination",
           "smtpd_authorized_xclient_hosts": "127.0.0.1",
           "inet_protocols": "all",  # or XCLIENT takes no IPv6 address
           **settings})


class AuthGate:
    """A Postfix edge and the postern-authd beside it."""

    def __init__(self, case, conf, recipe=sasl.RECIPE, flags=(), **settings):
        self.edge = edge(case, recipe, **settings)
        self.port = self.edge.port
        self.authd = Authd(case, conf, queue=self.edge.queue, start=False)
        self.authd.flags = flags
        self.authd.start()
        self._addresses = itertools.count(1)

    def fresh_address(self):
        """The address of a client that nobody has seen."""
        number = next(self._addresses)
        return f"10.{number // 250}.9.{number % 250 + 1}"

    def login(self, user, password, how=logins.plain, address="fresh",
              **arguments):
        """One login in a session of its own, from an address of its own
        unless told; returns the reply."""
        if address == "fresh":
            address = self.fresh_address()
        return logins.attempt(self.port, how, user, password, address,
                              **arguments)

    def expect(self, user, password, code, how=logins.plain, **arguments):
        """Log in, and fail unless the code is as it should be; returns the
        reply."""
        reply = self.login(user, password, how, **arguments)
        equal(reply.code, code, f"{how.__name__} of {user!r} ({reply!r})")
        return reply


class Rig:
    """A gate, and behind it a scripted upstream that knows passwords.

    upstream, known, gate, authd   the parts (known: scripted_auth.Passwords)
    conf                           the postern.conf that leads to it"""

    def __init__(self, case, users, text="", mechanisms="PLAIN LOGIN",
                 upstream=None, gate=None, **settings):
        """users: {name: password}; text: options of smtp_auth_proxy;
        upstream: what Scripted is told; gate: one that is there already;
        settings: for AuthGate."""
        self.upstream = scripted.Scripted(case, **(upstream or {}))
        self.known = scripted_auth.Passwords(
            self.upstream, users, mechanisms)
        self.conf = route(self.upstream.port, text, self.upstream.host)
        self.gate = gate or AuthGate(case, self.conf, **settings)
        self.authd = self.gate.authd

    @property
    def attempts(self):
        """How many reached the upstream."""
        return len(self.known.attempts)

    def fresh(self):
        """A daemon that knows nothing, and upstream sessions that are new."""
        self.authd.kill()
        self.upstream.drop()
        self.authd.start()
