# SPDX-License-Identifier: BSD-2-Clause
"""A Sendmail with the rule set of dist/sendmail-outbound.m4, and a next hop
that knows who has logged in.

    gate = SendmailGate(case, socket)
    mail = gate.send("bob@example.com")
    check(gate.gone(mail), "it waits")
    equal(gate.login("bob@example.com"), ("PLAIN", "ann"), "who has logged in")
"""
import base64
import os
import re

from . import mta_sendmail, sasl, scripted, scripted_auth, smtpclient
from .case import check, wait_for

RULES = os.path.abspath(os.path.join(
    os.path.dirname(mta_sendmail.__file__),
    "../../../dist/sendmail-outbound.m4"))

# of postern-authd, where it answers in the form of the rule set
PARTS = re.compile(r"authinfo:(?P<due>due:)?id:(?P<id>\w+);msg:(?P<msg>\w*);"
                   r"to:(?P<to>[^;]*);hop:(?P<hop>[^;]*);from:(?P<sender>.*)$")


def parts(key):
    """{part: text} of a key that the rule set asks with."""
    found = PARTS.match(key)
    check(found, f"the key {key!r}")
    return found.groupdict()


def none(key):
    """The answer that no login is due."""
    return f"OK {parts(key)['id']} none"


def given(key, user, password, mechanisms="PLAIN"):
    """The answer that this one is due."""
    asked = parts(key)
    if asked["due"]:
        return f"OK {asked['id']} due"
    coded = [base64.b64encode(text.encode("utf-8")).decode("ascii")
             for text in (user, password)]
    return (f'OK {asked["id"]} "U={coded[0]}" "P={coded[1]}" '
            f'"M:{mechanisms}"')


def send_in(client, *recipients, sender="me@example.com"):
    """One message in a session; the reply to its end."""
    for reply in (client.mail(sender), *map(client.rcpt, recipients)):
        check(reply.code == 250, f"before the message: {reply!r}")
    return client.data()


def queue_id(done):
    """Of a message that has been taken."""
    check(done.code == 250, f"the message: {done!r}")
    return re.match(r"2\.0\.0 (\w+) ", done.text).group(1)


class SendmailGate:
    """hop: scripted, which takes mail for everybody; known: its passwords."""

    def __init__(self, case, socket, users=None, tls=None, name="default",
                 host="[127.0.0.1]", wait=20, mode="background", lines=(),
                 behind=(), log=None, port=None, recipe=None,
                 names="secure", **options):
        """socket: of postern-authd.  users: of the next hop; None: it has no
        AUTH.  tls: (authority, pair of the next hop), or no TLS is asked for;
        names: POSTERN_OUTBOUND_TLS.  host: where all mail is sent, port: to
        another server than the hop.  wait: seconds for an answer; mode: of
        delivery.  recipe: lines of sendmail.mc that say socket, name and TLS.
        options: for mta_sendmail."""
        self.hop = scripted.Scripted(case, tls=tls and tls[1])
        self.hop.other = "250 2.1.5 Ok"
        self.known = users and scripted_auth.Passwords(self.hop, dict(users))
        if recipe is None:
            recipe = [f"define(`POSTERN_OUTBOUND_SOCKET', `unix:{socket}')dnl",
                      f"define(`POSTERN_OUTBOUND_NAME', `{name}')dnl",
                      f"define(`POSTERN_OUTBOUND_WAIT', `{wait}')dnl"]
            if tls is None:
                names = "none"
            else:
                recipe += [f"define(`confCACERT', `{tls[0].ca_file}')dnl",
                           f"define(`confCACERT_PATH', `{tls[0].dir}')dnl"]
            recipe.append(f"define(`POSTERN_OUTBOUND_TLS', `{names}')dnl")
            recipe.append(f"include(`{RULES}')dnl")
        self.edge = mta_sendmail.Sendmail(
            case, port or self.hop.port, log, lines=[
                f"define(`confDELIVERY_MODE', `{mode}')dnl",
                f"define(`SMART_HOST', `relay:{host}')dnl", *lines],
            behind=[*recipe, *behind],
            **{"sasl": ("PLAIN LOGIN", None, sasl.plugins(case, ours=False)),
               **options})

    def send(self, *recipients, sender="me@example.com", source="127.0.0.1"):
        """Hand it one message; returns the queue id.  source: the client's
        address."""
        with smtpclient.Client(self.edge.port, source=source,
                               helo="client.test") as client:
            mail = queue_id(send_in(client, *recipients, sender=sender))
            client.quit()
        return mail

    def gone(self, mail, tries=1):
        """Whether it is gone; waits until it is, or has been tried as often."""
        def over():
            tried = self.edge.tries(mail)
            return "gone" if tried is None else "waits" * (tried >= tries)

        return wait_for(over, f"an end of {mail}", 60) == "gone"

    def retry(self, *mails):
        """Run the queue until these are gone; on a busy machine some look-up
        may come too late."""
        left = mails
        for _ in range(5):
            tried = {mail: self.edge.tries(mail) for mail in left}
            self.edge.run_queue()
            left = [mail for mail, tries in tried.items()
                    if tries is not None and not self.gone(mail, tries + 1)]
            if not left:
                return
        check(False, f"{left} are still there")

    def got(self, recipient):
        """How often the next hop has taken a message for somebody."""
        return sum(recipient in recipients
                   for recipients, _ in self.hop.messages)

    def login(self, recipient):
        """Who brought mail for somebody: (mechanism, user), None when nobody
        had logged in.  There has to be one session that did."""
        sessions = {number for number, line in self.hop.commands
                    if f"<{recipient}>" in line
                    and line.upper().startswith("RCPT")}
        check(len(sessions) == 1, f"sessions for {recipient}: {sessions}")
        found = [attempt[1:3] for attempt in
                 (self.known.attempts if self.known else ())
                 if attempt[0] in sessions]
        check(len(found) < 2, f"logins for {recipient}: {found}")
        return found[0] if found else None
