# SPDX-License-Identifier: BSD-2-Clause
"""The harness itself: private Postfix instances, without Postern."""
import os
import socket
import ssl

from harness import certs, mta_postfix, scripted, smtpclient
from harness.case import check, contains, equal, wait_for


def test_delivers_to_the_mailstore(case):
    """A message for a user goes from the edge to the server behind."""
    store = mta_postfix.mailstore(case, ["ann@example.com"])
    edge = mta_postfix.edge(case, store.port)
    rcpts, done = smtpclient.send(edge.port, ["ann@example.com"])
    equal([reply.code for reply in rcpts], [250], "RCPT")
    equal(done.code, 250, "the message")
    edge.wait_log("to=<ann@example.com>", "status=sent")
    store.wait_log("to=<ann@example.com>", "status=sent", "discard")


def test_unknown_is_refused_upstream(case):
    """Without Postern the edge takes anybody, and bounces later."""
    store = mta_postfix.mailstore(case, ["ann@example.com"])
    edge = mta_postfix.edge(case, store.port)
    reply = smtpclient.ask(store.port, "nobody@example.com")
    equal((reply.code, reply.enhanced), (550, "5.1.1"), "the mailstore")
    rcpts, _ = smtpclient.send(edge.port, ["nobody@example.com"])
    equal(rcpts[0].code, 250, "RCPT at the edge")
    line = edge.wait_log("to=<nobody@example.com>", "status=bounced")
    contains(line, "550 5.1.1", "the bounce")
    reply = smtpclient.ask(edge.port, "ann@elsewhere.test")
    equal((reply.code, reply.enhanced), (554, "5.7.1"), "a stranger's domain")


def test_starttls(case):
    """The mailstore shows the certificate that it was given."""
    authority = certs.Authority(case.path("ca"))
    store = mta_postfix.mailstore(
        case, ["ann@example.com"], tls=authority.good())
    context = ssl.create_default_context(cafile=authority.ca_file)
    context.check_hostname = False
    with smtpclient.Client(store.port, helo="client.test") as client:
        contains(client.keywords, "STARTTLS", "the keywords")
        equal(client.starttls(context).code, 220, "STARTTLS")
        client.ehlo()
        client.mail()
        equal(client.rcpt("ann@example.com").code, 250, "RCPT under TLS")


def test_certificates(case):
    """Each kind of certificate fails, or not, for the reason in its name."""
    authority = certs.Authority(case.path("ca"))

    def shake(pair):
        upstream = scripted.Scripted(case, tls=pair, implicit_tls=True)
        context = ssl.create_default_context(cafile=authority.ca_file)
        try:
            with socket.create_connection(
                    ("127.0.0.1", upstream.port)) as plain:
                context.wrap_socket(
                    plain, server_hostname="mailstore.test").close()
            return ""
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
    equal(shake(authority.good()), "", "good")
    contains(shake(authority.expired()), "expired", "expired")
    contains(shake(authority.wrong_name()), "ostname mismatch", "wrong name")
    contains(shake(authority.self_signed()), "self-signed", "self-signed")


def test_xclient(case):
    """A test may speak as any client when the edge trusts it to."""
    edge = mta_postfix.edge(
        case, smtpd_authorized_xclient_hosts="127.0.0.1")
    with smtpclient.Client(edge.port, helo="client.test") as client:
        equal(client.command("XCLIENT NAME=mx.test ADDR=192.0.2.9").code,
              220, "XCLIENT")
        client.ehlo()
        client.mail()
        equal(client.rcpt("ann@example.com").code, 250, "RCPT")
    edge.wait_log("mx.test[192.0.2.9]")


def test_restart(case):
    """Stopped, nobody listens; started again, it is the same server."""
    store = mta_postfix.mailstore(case, ["ann@example.com"])
    store.stop()
    try:
        smtpclient.Client(store.port)
        check(False, "the mailstore still answers")
    except ConnectionRefusedError:
        pass
    store.start()
    equal(smtpclient.ask(store.port, "ann@example.com").code, 250, "RCPT")


def test_private(case):
    """Programs, files and log are those of the test; smtpd is chrooted."""
    edge = mta_postfix.edge(case)
    contains(edge.command("postconf", "-h", "mail_version").stdout,
             "3.", "postconf")
    for name in ("config_directory", "queue_directory", "data_directory"):
        value = edge.command("postconf", "-h", name).stdout.strip()
        check(value.startswith(case.dir + "/"), f"{name} is {value}")
    with smtpclient.Client(edge.port, helo="client.test"):
        pid = int(edge.wait_log("postfix/smtpd[", "connect from")
                  .split("smtpd[")[1].split("]")[0])
        equal(os.readlink(f"/proc/{pid}/root"), edge.queue, "smtpd's root")
        program = os.readlink(f"/proc/{pid}/exe")
        check(program.startswith(case.tree("postfix")),
              f"smtpd is {program}")
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
            library = [line for line in maps if "libpostfix-util" in line][0]
        contains(library, case.tree("postfix"), "libpostfix-util")
    wait_for(lambda: edge.logged("disconnect from"), "the session to end")
