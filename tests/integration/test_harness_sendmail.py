# SPDX-License-Identifier: BSD-2-Clause
"""The harness itself: a private Sendmail, and what isolates it."""
import os
import socket

from harness import mta_sendmail, scripted, smtpclient, syslog
from harness.case import check, contains, equal, wait_for


def test_relays_to_the_upstream(case):
    """A message goes through; a refusal upstream is a bounce later."""
    upstream = scripted.Scripted(case)
    upstream.recipients["ann@example.com"] = "250 2.1.5 Ok"
    edge = mta_sendmail.Sendmail(case, upstream.port, syslog.Syslog(case))
    with smtpclient.Client(edge.port) as client:
        contains(client.greeting.text, "Sendmail 8.17", "the greeting")
    rcpts, done = smtpclient.send(edge.port, ["ann@example.com"])
    equal([reply.code for reply in rcpts], [250], "RCPT")
    equal(done.code, 250, "the message")
    wait_for(lambda: upstream.messages, "the message upstream")
    equal(upstream.messages[0][0], ["ann@example.com"], "recipients")
    rcpts, _ = smtpclient.send(edge.port, ["nobody@example.com"])
    equal(rcpts[0].code, 250, "an unknown recipient, without a milter")
    wait_for(lambda: upstream.asked["nobody@example.com"], "the delivery")


def test_failed_filter_defers(case):
    """With F=T a filter that is not there defers; this is the recipe."""
    upstream = scripted.Scripted(case)
    edge = mta_sendmail.Sendmail(
        case, upstream.port, syslog.Syslog(case),
        milter=f"unix:{case.path('nobody-here')}")
    with smtpclient.Client(edge.port) as client:
        replies = [client.greeting, client.ehlo(), client.mail()]
        check(any(400 <= reply.code < 500 for reply in replies),
              f"nothing was deferred: {replies}")


def test_log_is_private(case):
    """What goes to /dev/log goes to the test."""
    log = syslog.Syslog(case)
    upstream = scripted.Scripted(case)
    upstream.other = "250 2.1.5 Ok"
    edge = mta_sendmail.Sendmail(case, upstream.port, log)
    smtpclient.send(edge.port, ["ann@example.com"])
    if log.path is not None:
        wait_for(lambda: "to=<ann@example.com>" in edge.log(),
                 "sendmail's log line")


def test_isolation(case):
    """Accounts are there only inside; no well-known port is taken."""
    text = case.run(["id", "smmta"]).stdout
    contains(text, "smmta", "id")
    if log_is_ours():
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            contains(mounts.read(), " /etc/passwd ", "the mounts")
    upstream = scripted.Scripted(case)
    before = listeners()
    edge = mta_sendmail.Sendmail(case, upstream.port, syslog.Syslog(case))
    new = listeners() - before
    contains(new, ("127.0.0.1", edge.port), "listeners")
    check(not any(port < 1024 for _, port in new), f"listeners: {new}")


def log_is_ours():
    """Whether there is a mount namespace."""
    return "HARNESS_SYSLOG" in os.environ


def listeners():
    """The (IPv4 address, port) pairs that somebody listens on."""
    found = set()
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in list(table)[1:]:
            fields = line.split()
            if fields[3] == "0A":
                address, port = fields[1].split(":")
                found.add((socket.inet_ntoa(bytes.fromhex(address)[::-1]),
                           int(port, 16)))
    return found
