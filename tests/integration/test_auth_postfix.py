# SPDX-License-Identifier: BSD-2-Clause
"""AUTH at a Postfix edge, chrooted as Debian ships it: the plug-in, what its
clients see, and what it leaves alone."""
import glob
import os
import re
import subprocess

from harness import (auth_gate, daemon, logins, mta_postfix, namespace, sasl,
                     scripted, smtpclient, syslog)
from harness.auth_gate import Rig
from harness.case import Skipped, check, contains, equal, wait_for
from harness.gate import route

USER = "ann@example.org"
PASSWORD = "correct horse"
LOCALLY = "only the edge knows"


def rig_of(case, **settings):
    """An upstream that knows USER."""
    return Rig(case, {USER: PASSWORD}, **settings)


def auth_lines(port):
    """The AUTH lines of the answer to EHLO."""
    with smtpclient.Client(port, helo="client.test") as client:
        return [line for line in client.keywords if "AUTH" in line]


def test_swaks(case):
    """PLAIN and LOGIN by swaks: good, bad, cannot tell."""
    rig = rig_of(case)
    for name in ("PLAIN", "LOGIN"):
        for password, code in ((PASSWORD, 235), ("wrong" + name, 535)):
            equal(logins.swaks(case, rig.gate.port, name, USER, password)[0],
                  code, f"{name} with {password!r}")
    rig.upstream.stop()
    for name in ("PLAIN", "LOGIN"):
        code, text = logins.swaks(case, rig.gate.port, name, USER, PASSWORD)
        equal(code, 454, f"{name} without upstream ({text})")
        contains(text, "4.7.0", "the reply")
    equal(rig.known.names(), [USER] * 4, "logins upstream")


def test_smtplib(case):
    """The same by Python's smtplib, and by hand in all forms."""
    rig = rig_of(case)
    for name in ("PLAIN", "LOGIN"):
        for password, code in ((PASSWORD, 235), ("wrong" + name, 535)):
            equal(logins.smtplib_login(rig.gate.port, name, USER,
                                       password)[0],
                  code, f"{name} with {password!r}")
    for how in (logins.plain, logins.login):
        for initial in (True, False):
            rig.gate.expect(USER, PASSWORD, 235, how, initial=initial)
            rig.gate.expect(USER, f"no {how.__name__} {initial}", 535, how,
                            initial=initial)
    rig.upstream.stop()
    for name in ("PLAIN", "LOGIN"):
        equal(logins.smtplib_login(rig.gate.port, name, USER, PASSWORD)[0],
              454, f"{name} without upstream")


def test_session(case):
    """In one session: a bad login, a good one, then mail may be relayed."""
    rig = rig_of(case)
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        equal(logins.plain(client, USER, "wrong").code, 535, "a bad login")
        equal(logins.login(client, USER, "wrong, too").code, 535, "another")
        client.mail()
        equal(client.rcpt("bob@elsewhere.test").code, 554, "relaying")
        client.command("RSET")
        equal(logins.plain(client, USER, PASSWORD).code, 235, "a good login")
        client.mail()
        equal(client.rcpt("bob@elsewhere.test").code, 250, "relaying")
        equal(client.data().code, 250, "the message")
        client.quit()
    line = rig.gate.edge.wait_log("sasl_method=", f"sasl_username={USER}")
    contains(line, "sasl_method=PLAIN", "the log of the edge")
    line = rig.gate.edge.wait_log("authentication failed")
    contains(line, f"sasl_username={USER}", "the log of the edge")


def test_abort(case):
    """A client that gives up in the middle, or sends what is not base64,
    costs nothing and is no login."""
    rig = rig_of(case)
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        for line, code in (("*", 501), ("=not base64=", 535)):
            equal(client.command("AUTH LOGIN").code, 334, "AUTH LOGIN")
            equal(client.command(line).code, code, repr(line))
            equal(client.command("AUTH LOGIN").code, 334, "AUTH LOGIN")
            equal(client.command(logins.b64(USER)).code, 334, "the name")
            equal(client.command(line).code, code, repr(line))
        equal(logins.plain(client, USER, PASSWORD).code, 235, "afterwards")
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        client.command("AUTH LOGIN")
        client.command(logins.b64(USER))
    equal(rig.known.names(), [USER], "logins upstream")


def test_ehlo_line(case):
    """The documented recipe leaves one AUTH line, each mechanism once."""
    rig = rig_of(case)
    lines = auth_lines(rig.gate.port)
    equal(len(lines), 1, f"AUTH lines ({lines})")
    words = lines[0].split()
    equal(sorted(words), ["AUTH", "LOGIN", "PLAIN"], "what is offered")


def test_one_mechanism(case):
    """postern_mechs and mech_list name fewer: only these are offered."""
    rig = rig_of(case, recipe="postern_socket: postern/auth\n"
              "postern_mechs: PLAIN\nmech_list: PLAIN\n")
    equal(auth_lines(rig.gate.port), ["AUTH PLAIN"], "what is offered")
    rig.gate.expect(USER, PASSWORD, 235)
    rig.gate.expect(USER, PASSWORD, 535, logins.login)


def test_wins(case):
    """Beside stock mechanisms of the same name ours is the one in use,
    whichever libsasl finds first, with mech_list and without."""
    rig = rig_of(case)
    edge = rig.gate.edge
    both = [sasl.only_ours(case), sasl.plugins(case, ours=False)]
    for path in (both, both[::-1]):
        for recipe in (sasl.RECIPE, "postern_socket: postern/auth\n"):
            edge.stop()
            edge.plugins = ":".join(path)
            edge.configure_sasl(recipe)
            edge.start()
            rig.gate.expect(USER, PASSWORD, 235)
            rig.gate.expect(USER, PASSWORD, 235, logins.login)
    equal(rig.known.names(), [USER] * 8, "logins upstream")


def test_others_are_unaffected(case):
    """Where smtpd.conf has no postern_socket the stock plug-ins are in use,
    and ours is as if it were not there, in libsasl's debug lines, too."""
    system = syslog.Syslog(case)
    database = case.path("users.db")
    sasl.sasldb(case, database, {USER: LOCALLY})
    recipe = ("pwcheck_method: auxprop\nauxprop_plugin: sasldb\n"
              "sasldb_path: sasldb2\n")
    with_ours = auth_gate.edge(case, recipe)
    os.link(database, os.path.join(with_ours.queue, "sasldb2"))
    os.chmod(database, 0o644)
    with_ours.stop()
    with_ours.start()
    offered = auth_lines(with_ours.port)
    for name in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
        equal(offered[0].split().count(name), 1, f"{name} in {offered}")
    for how in (logins.plain, logins.login, logins.cram_md5, logins.scram):
        equal(logins.attempt(with_ours.port, how, USER, LOCALLY).code, 235,
              how.__name__)
        equal(logins.attempt(with_ours.port, how, USER, PASSWORD).code, 535,
              how.__name__)
    check("postern:" not in with_ours.log(), "the log speaks of postern")
    check("postern" not in system.log(), f"syslog has: {system.log()}")


# there is one syslog for all
test_others_are_unaffected.alone = True


def test_set_up_wrong(case):
    """An empty postern_socket, or one that cannot be, offers nothing rather
    than stock mechanisms that refuse everybody."""
    rig = rig_of(case)
    rig.gate.edge.stop()
    rig.gate.edge.configure_sasl(
        f"postern_socket: {'x' * 200}\nmech_list: PLAIN LOGIN\n")
    rig.gate.edge.start()
    reply = rig.gate.login(USER, PASSWORD)
    check(reply.code != 235, f"a login without daemon: {reply!r}")
    equal(rig.known.names(), [], "logins upstream")


def test_thin(case):
    """libc only, one exported symbol; nothing that smtpd would not have."""
    library = os.path.join(case.build, "saslauth-plugin/.libs/libpostern.so")
    needed = subprocess.run(["readelf", "-dW", library], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    equal(re.findall(r"\(NEEDED\).*\[(.*)\]", needed), ["libc.so.6"],
          "what it is linked with")
    symbols = subprocess.run(["nm", "-D", "--defined-only", library],
                             check=True, stdout=subprocess.PIPE,
                             text=True).stdout.split()
    equal([word for word in symbols[2::3]], ["sasl_server_plug_init"],
          "exported symbols")


def server_of(edge, client):
    """The pid of the smtpd that serves a client; it logs ports."""
    port = client.socket.getsockname()[1]
    line = edge.wait_log("postfix/smtpd[", " connect from", f"]:{port}")
    return int(line.split("smtpd[")[1].split("]")[0])


def test_in_the_chroot(case):
    """smtpd has ours and no curl, and its root is the queue directory."""
    rig = rig_of(case, smtpd_client_port_logging="yes")
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        equal(logins.plain(client, USER, PASSWORD).code, 235, "PLAIN")
        pid = server_of(rig.gate.edge, client)
        equal(os.readlink(f"/proc/{pid}/root"), rig.gate.edge.queue,
              "smtpd's root")
        with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
            maps = file.read()
        contains(maps, "/libpostern.so", "smtpd's libraries")
        check("libcurl" not in maps, "smtpd has libcurl")


def test_without_chroot(case):
    """smtpd that is not chrooted, socket relative or absolute."""
    rig = rig_of(case, smtpd_client_port_logging="yes")
    edge = rig.gate.edge
    master_cf = os.path.join(edge.dir, "conf", "master.cf")
    with open(master_cf, encoding="ascii") as file:
        text = file.read()
    with open(master_cf, "w", encoding="ascii") as file:
        file.write(re.sub(r"(inet n +- +)y", r"\1n", text))
    for path in ("postern/auth", rig.gate.authd.path):
        edge.stop()
        edge.configure_sasl(
            f"postern_socket: {path}\nmech_list: PLAIN LOGIN\n")
        edge.start()
        with smtpclient.Client(edge.port, helo="client.test") as client:
            equal(logins.plain(client, USER, PASSWORD).code, 235, path)
            pid = server_of(edge, client)
            equal(os.readlink(f"/proc/{pid}/root"), "/", "smtpd's root")


def test_beside_the_milter(case):
    """Both daemons at one edge: who has logged in may send anywhere, and is
    not asked about; others are."""
    rig = rig_of(case, **mta_postfix.milter_settings())
    store = scripted.Scripted(case)
    milter = daemon.Milter(case, route(store.port),
                           queue=rig.gate.edge.queue)
    equal(smtpclient.ask(rig.gate.port, "nobody@example.com").code, 550,
          "a stranger")
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        equal(logins.plain(client, USER, PASSWORD).code, 235, "PLAIN")
        client.mail()
        equal(client.rcpt("nobody@example.com").code, 250, "RCPT")
        equal(client.rcpt("bob@elsewhere.test").code, 250, "relaying")
    equal(store.counts["rcpt"], 1, "questions behind")
    check(milter.child.running(), "the milter ended")


def test_default_directory(case):
    """Installed where Debian's libsasl looks, it needs no SASL_PATH."""
    place = glob.glob("/usr/lib/*-linux-gnu/sasl2")
    if not place:
        raise Skipped("there is no directory of SASL plug-ins")
    place = place[0]
    ours = sasl.plugins(case)
    namespace.own_mounts("the plug-in directory")
    subprocess.run(["mount", "--bind", ours, place], check=True)
    rig = rig_of(case, plugins=place)
    rig.gate.expect(USER, PASSWORD, 235)
    rig.gate.expect(USER, "wrong", 535)


def test_names(case):
    """What cannot be credentials is refused at once, without asking."""
    rig = rig_of(case)
    gate = rig.gate
    bad = [("", PASSWORD), (USER, ""), (USER, b"pass\0word"),
           (b"ann\r@example.org", PASSWORD), (b"ann\n@example.org", PASSWORD),
           (b"ann\r\nQUIT\r\n@example.org", PASSWORD),
           (b"ann\x7f@example.org", PASSWORD),
           ("a" * 1012 + "@example.org", PASSWORD)]
    for user, password in bad:
        gate.expect(user, password, 535)
        if user != "":
            gate.expect(user, password, 535, logins.login)
    gate.expect(b"ann\0@example.org", PASSWORD, 535, logins.login)
    equal(rig.known.attempts, [], "logins upstream")
    equal(rig.upstream.counts["auth"], 0, "AUTH upstream")
    check(gate.authd.lines("auth: ", "malformed"), "no line says malformed")
    for line in gate.authd.log().splitlines():
        check(re.match(r"^[\x20-\x7e]*$", line), f"in the log: {line!r}")


def test_8bit(case):
    """Octets above 127 go upstream as they are."""
    names = {"zo\u00eb@example.org": "p\u00e4ssword", "\u4f60": "\u597d"}
    rig = Rig(case, users=names)
    for user, password in names.items():
        for how in (logins.plain, logins.login):
            rig.gate.expect(user, password, 235, how)
    latin = b"zo\xeb@example.org"
    rig.gate.expect(latin, PASSWORD, 535)
    equal(rig.known.names()[-1].encode("utf-8", "surrogateescape"), latin,
          "the name upstream")


def test_authzid(case):
    """To act as somebody else is refused; as oneself is not."""
    rig = rig_of(case)
    rig.gate.expect(USER, PASSWORD, 235, authzid=USER)
    rig.gate.expect(USER, PASSWORD, 535, authzid="bob@example.org")
    equal(rig.known.names(), [USER], "logins upstream")


def test_long_password(case):
    """A response too long for one command line goes in a line of its own."""
    long = "x" * 1200
    rig = Rig(case, users={USER: long})
    for how in (logins.plain, logins.login):
        rig.gate.expect(USER, long, 235, how)
        rig.gate.expect(USER, long + "y", 535, how)
    for _, line in rig.upstream.commands:
        check(len(line) <= 510, f"a command of {len(line)} octets")
    rig.gate.expect(USER, "z" * 1200, 535, initial=False)


def test_canon(case):
    """Which name goes upstream, with and without smtpd_sasl_local_domain."""
    users = {"ann": "1", "ann@example.org": "2", "ann@corp.test": "3",
             "Ann@Example.ORG": "4", "corp.test/ann": "5"}
    rig = Rig(case, users=users)

    def expect(canon, typed, password):
        rig.gate.authd.restart(auth_gate.route(
            rig.upstream.port, f'canon = "{canon}"'))
        for how in (logins.plain, logins.login):
            rig.gate.expect(typed, password, 235, how)

    expect("none", "ann", "1")
    expect("none", "Ann@Example.ORG", "4")
    expect("lower", "Ann@Example.ORG", "2")
    expect("localpart", "ann@anywhere.test", "1")
    expect(":localpart@corp.test", "ann@example.org", "3")
    rig.gate.edge.command("postconf", "-e",
                          "smtpd_sasl_local_domain=corp.test")
    rig.gate.edge.stop()
    rig.gate.edge.start()
    # the name as typed goes upstream, realm or no realm
    expect("none", "ann", "1")
    expect("none", "ann@example.org", "2")
    expect(":localpart@:realm", "ann", "3")
    expect(":realm/:localpart", "ann@corp.test", "5")
    # the MTA knows the user by the name with its realm
    with smtpclient.Client(rig.gate.port, helo="client.test") as client:
        equal(logins.plain(client, "ann", "5").code, 235, "ann")
        client.mail()
        equal(client.rcpt("bob@elsewhere.test").code, 250, "relaying")
        client.data()
    rig.gate.edge.wait_log("sasl_username=ann@corp.test")


def test_many_at_once(case):
    """Logins of many sessions at one time, each with its own answer."""
    users = {f"user{number}@example.org": f"password{number}"
             for number in range(40)}
    rig = Rig(case, users=users, default_process_limit="60")
    rig.known.final = None
    clients = [smtpclient.Client(rig.gate.port, helo="client.test")
               for _ in users]
    for client, (user, password) in zip(clients, users.items()):
        bad = user.startswith("user1")
        client.send("AUTH PLAIN " + logins.b64(logins.plain_response(
            user, password + ("x" if bad else ""))) + "\r\n")
    for client, user in zip(clients, users):
        equal(client.reply().code, 535 if user.startswith("user1") else 235,
              user)
        client.close()
    wait_for(lambda: len(rig.known.attempts) == len(users),
             "all attempts to be counted")
