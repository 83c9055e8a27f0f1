# SPDX-License-Identifier: BSD-2-Clause
"""What most tests want: an edge with postern-milter, and a route behind."""
import re

from . import mta_postfix, smtpclient
from .case import equal
from .daemon import Milter


def route(port, options="", domain="example.com", host=None):
    """postern.conf: a domain's recipients are known at a loopback port."""
    if not re.search(r"\btimeout\b", options):
        options += " timeout = 5"
    return f"""
smtp_rcptto_proxy {{
    {options}
}}
domain "{domain}" {{
    smtp_rcptto_proxy {{ host = {{"{host or f'127.0.0.1:{port}'}"}} }}
}}
"""


class Gate:
    """A Postfix edge and the milter in front of it."""

    def __init__(self, case, conf, upstream_port=None,
                 domains=("example.com",), **settings):
        self.edge = mta_postfix.edge(
            case, upstream_port, domains,
            **mta_postfix.milter_settings(**settings))
        self.milter = Milter(case, conf, queue=self.edge.queue)
        self.port = self.edge.port

    def ask(self, recipient, sender="ann@sender.test", **options):
        """RCPT TO in a session of its own; returns the reply."""
        return smtpclient.ask(self.port, recipient, sender, **options)

    def expect(self, recipient, code, enhanced=None, **options):
        """Ask, and fail unless the reply is as it should be; returns it."""
        reply = self.ask(recipient, **options)
        equal(reply.code, code, f"the reply to {recipient} ({reply!r})")
        if enhanced is not None:
            equal(reply.enhanced, enhanced,
                  f"the enhanced status for {recipient} ({reply!r})")
        return reply
