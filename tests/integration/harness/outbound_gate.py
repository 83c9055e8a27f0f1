# SPDX-License-Identifier: BSD-2-Clause
"""What most tests of outbound credentials want: an edge that delivers by
smtp(8), chrooted as Debian ships it and under verified TLS, postern-authd that
answers its look-ups, and next hops that log who has logged in.

    behind = outbound_gate.NextHop(case, authority, {"ann": "secret"})
    gate = outbound_gate.OutboundGate(
        case, conf, authority, behind.port,
        hosts=("relay.test",),
        options={"a": {"smtp_sasl_mechanism_filter": "plain"}},
        routes={"one.test": "a:[relay.test]"})
    mail = gate.send("bob@one.test")
    gate.wait_sent(mail)
    equal(behind.login(mail), ("PLAIN", "ann"), "who has logged in")
"""
import collections
import itertools
import os
import re

from . import mta_postfix, smtpclient, submission
from .authd import Authd
from .case import check, contains, wait_for

PATIENCE = 60.0  # seconds that a delivery may take on a slow machine

# smtp_reply_filter: a next hop offers a mechanism that nobody has, besides
# its own, in place of a keyword that smtp(8) has no use for; without AUTH the
# mail then waits.
AUTH_FILTER = ("/^250([- ])(SIZE( [0-9]*)?|ENHANCEDSTATUSCODES)$/ "
               "250${1}AUTH NOT-OFFERED\n")

# One message: queue id at the edge, message id, sender and recipient.
Mail = collections.namedtuple("Mail", "queue_id message_id sender recipient")

# What the edge's main.cf has, but for the map of a transport.
RECIPE = {
    "smtp_sasl_auth_enable": "yes",
    "smtp_sasl_tls_security_options": "noanonymous",
    "smtp_tls_security_level": "verify",
}


def socketmap(name, proxy=False):
    """smtp_sasl_password_maps for a binding, or "default"."""
    return f"{'proxy:' * proxy}socketmap:unix:postern/outbound:{name}"


class NextHop(submission.Submission):
    """A Postfix that takes mail from anybody and logs who has logged in; with
    required=True only from those who have.  users: {name: password}"""

    def __init__(self, case, users, tls, name="nexthop", required=False,
                 **settings):
        who = "permit_sasl_authenticated" if required else "permit_mynetworks"
        # SASL takes a name without a domain for one of the server's own
        super().__init__(
            case, {user if "@" in user else f"{user}@{name}.test": password
                   for user, password in users.items()},
            tls=tls, mechanisms="PLAIN LOGIN", name=name,
            **{"smtpd_relay_restrictions": f"{who}, reject",
               "mynetworks": "127.0.0.0/8",
               "smtpd_tls_auth_only": "yes",
               "inet_protocols": "ipv4",
               **settings})

    def login(self, mail):
        """Who brought a message: (mechanism, user), or None when nobody had
        logged in."""
        line = self.wait_log("cleanup[", f"message-id={mail.message_id}")
        queue_id = re.search(r"\]: (\w+): message-id=", line).group(1)
        line = self.wait_log("smtpd[", f"]: {queue_id}: client=")
        found = re.search(r"sasl_method=(\S+), sasl_username=(\S+)$", line)
        return found.groups() if found else None

    def has(self, mail):
        """Whether a message is there."""
        return self.logged(f"message-id={mail.message_id}") is not None


def transports(options):
    """Lines of master.cf: {name: {parameter: value}} are services like smtp,
    each with the map of its own name."""
    lines = []
    for name, values in options.items():
        values = {"smtp_sasl_password_maps": socketmap(name), **values}
        lines.append(f"{name} unix - - y - - smtp")
        lines += [f"  -o {{ {key} = {value} }}"
                  for key, value in values.items()]
    return lines


def add_hosts(edge, names):
    """Names that are 127.0.0.1 for whoever runs in the queue directory."""
    with open(os.path.join(edge.queue, "etc/hosts"), "a",
              encoding="ascii") as file:
        file.write("".join(f"127.0.0.1 {name}\n" for name in names))


def edge_of(case, options, routes, hosts, services=(), **settings):
    """The Postfix that sends.  options: as in transports(); routes:
    {recipient's domain: "transport:nexthop"}; hosts: as in add_hosts(), whose
    port is smtp_tcp_port unless a next hop has one."""
    transport_maps = case.write("transports", "".join(
        f"{domain} {where}\n" for domain, where in routes.items()))
    os.utime(transport_maps, (0, 0))  # see postfix.sh
    edge = mta_postfix.Postfix(case, "edge", {
        "mynetworks": "127.0.0.0/8",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "default_transport": "smtp",
        "transport_maps": f"texthash:{transport_maps}",
        **RECIPE, **settings}, [*services, *transports(options)])
    add_hosts(edge, hosts)
    return edge


class OutboundGate:
    """Edge and postern-authd."""

    def __init__(self, case, conf, authority, port, hosts=(), options=None,
                 routes=None, edge=None, **settings):
        """port: that of next hops without one; hosts, options, routes: as for
        edge_of(), settings: its main.cf.  edge: one that is there already."""
        self.case = case
        self.edge = edge or edge_of(
            case, options or {}, routes or {}, hosts, **{
                "smtp_tls_CAfile": authority.ca_file,
                "smtp_tcp_port": str(port),
                "smtp_sasl_password_maps": socketmap("default"),
                **settings})
        self.authd = Authd(case, conf, queue=self.edge.queue)
        self._numbers = itertools.count(1)
    def send(self, recipient, sender="ann@sender.test", headers=(),
             source="127.0.0.1", port=None, before=()):
        """Hand one message to the edge; returns a Mail.  before: commands
        that come first."""
        message_id = f"<m{next(self._numbers)}@edge.test>"
        with smtpclient.Client(port or self.edge.port, source=source,
                               helo="client.test") as client:
            for line in before:
                check(client.command(line).code < 400, line)
            for reply in (client.mail(sender), client.rcpt(recipient)):
                check(reply.code == 250, f"mail to {recipient}: {reply!r}")
            done = client.data("".join(
                line + "\r\n" for line in
                ("Subject: test", f"Message-ID: {message_id}", *headers)) +
                "\r\nHello.\r\n")
            check(done.code == 250, f"mail to {recipient}: {done!r}")
            client.quit()
        contains(done.text, "queued as ", "the reply to the message")
        return Mail(done.text.rpartition(" ")[2], message_id, sender,
                    recipient)

    def outcomes(self, mail):
        """What has come of a message so far, a log line for each try."""
        return [line for line in self.edge.log().splitlines()
                if f"]: {mail.queue_id}: to=<" in line]

    def wait_status(self, mail, status, *parts, tries=1):
        """Wait until a message was tried so often, and fail unless the last
        try came to `status`, with those parts in its log line."""
        def tried():
            found = self.outcomes(mail)
            return found if len(found) >= tries else None
        line = wait_for(tried, f"try {tries} of {mail}", PATIENCE)[-1]
        for part in (f"status={status} ", *parts):
            contains(line, part, f"what came of {mail}")
        return line

    def wait_sent(self, *mails):
        """Wait until messages are delivered, each at its first or a later
        try."""
        for mail in mails:
            wait_for(lambda mail=mail: any(
                "status=sent " in line for line in self.outcomes(mail)),
                f"{mail} to be delivered", PATIENCE)

    def wait_deferred(self, *mails):
        """Wait until messages were tried in vain, and wait now; returns the
        log lines."""
        return [self.wait_status(mail, "deferred") for mail in mails]

    def queued(self, mail):
        """Whether a message is in the queue."""
        done = self.edge.command("postqueue", "-j")
        check(done.returncode == 0, f"postqueue: {done.stderr}")
        return f'"{mail.queue_id}"' in done.stdout

    def retry(self, *mails):
        """Have messages that were deferred tried at once."""
        for mail in mails:
            done = self.edge.command("postqueue", "-i", mail.queue_id)
            check(done.returncode == 0, f"postqueue: {done.stderr}")
