# SPDX-License-Identifier: BSD-2-Clause
"""Outbound passwords at rest and in passing: nowhere but where they belong."""
import os
import shutil
import stat

from harness import (certs, mta_postfix, namespace, outbound_gate, syslog)
from harness.case import check, contains, equal
from harness.daemon import Milter
from harness.leaks import Watch, forms, written
from harness.outbound_gate import NextHop, OutboundGate

RELAY = "relay.test"
USER = "edge@corp.test"
PASSWORD = "Tr0ub4dor-&3-xyzzy-%s"
REFUSED = "plugh-Plover-9-nine"
MISSED = "zyzzyva-Quux-17-none"


def binding(name, password, user=USER, more=""):
    """A binding whose mail goes to RELAY."""
    return f"""
binding "{name}" {{
    nexthops = {{"{RELAY}"}}
    outbound_smtp_auth_user = "{user}"
    outbound_smtp_auth_pass = "{password}"
    {more}
}}
"""


def rig_of(case, conf, names=("a",), **settings):
    """A next hop, and an edge with those transports."""
    authority = certs.Authority(case.path("ca"))
    behind = NextHop(case, {USER: PASSWORD},
                     authority.issue("relay", names=(RELAY,)))
    gate = OutboundGate(
        case, conf, authority, behind.port, (RELAY,),
        {name: {} for name in names},
        {f"{name}.test": f"{name}:[{RELAY}]" for name in names}, **settings)
    return behind, gate


def test_not_utf8(case):
    """Postfix would write an answer that is not UTF-8 into its log."""
    path = case.path("latin.pass")
    with open(path, "wb") as file:
        file.write(b"caf\xe9-au-lait-Plover\n")
    os.chmod(path, 0o600)
    _, gate = rig_of(case, binding("a", "file:" + path), ("a",))
    gate.wait_deferred(gate.send("x@a.test"))
    check("au-lait-Plover" not in gate.edge.log(), "it is in Postfix's log")
    contains(gate.authd.log(), "not UTF-8", "the reason")


def test_nowhere(case):
    """A run as talkative as it can be, with passwords that are taken, refused
    and cannot be carried: all logs, queue files, headers, command lines and
    what posternctl says."""
    system = syslog.Syslog(case)
    conf = ('log_level = "debug"\n' + binding("a", PASSWORD)
            + binding("refused", REFUSED)
            + binding("missed", MISSED, user="not:carried"))
    peers = 'peer "127.0.0.2" { context = {"binding=a"} }\n'
    names = ("a", "refused", "missed")
    behind, gate = rig_of(
        case, conf, names,
        smtp_sasl_auth_cache_name="proxy:btree:$data_directory/sasl_refused",
        **mta_postfix.milter_settings())
    gate.authd.kill()
    gate.authd.flags = ("-v", "-v", "-v")
    watch = Watch()
    gate.authd.start()
    milter = Milter(case, conf + peers, queue=gate.edge.queue, start=False)
    milter.flags = ("-v", "-v", "-v")
    milter.start()
    good = gate.send("x@a.test", source="127.0.0.2")
    gate.wait_sent(good)
    equal(behind.login(good), ("PLAIN", USER), "who has logged in")
    gate.wait_deferred(gate.send("x@refused.test"),
                       gate.send("x@missed.test"))
    texts = {}
    for where in (("-b", "a", RELAY), ("-b", "refused", RELAY),
                  ("-b", "missed", RELAY)):
        for verb in (("outbound",), ("explain", "outbound")):
            done = gate.authd.posternctl(*verb, *where)
            texts[f"{verb} {where}"] = done.stdout + done.stderr
            contains(texts[f"{verb} {where}"], RELAY, "what posternctl says")
    for verb in ("status", "stats"):
        done = gate.authd.command(verb)
        equal(done.returncode, 0, f"{verb}: {done.stderr}")
        texts[verb] = done.stdout + done.stderr
    # the printed configuration
    done = case.run([gate.authd.binary, "-c", gate.authd.conf_file, "-n"])
    texts["-n"] = done.stdout + done.stderr
    contains(texts["-n"], "outbound_smtp_auth_pass", "-n")
    done = gate.edge.command("postcat", "-q", "-evbh", gate.send(
        "x@missed.test", source="127.0.0.2").queue_id)
    texts["postcat"] = done.stdout + done.stderr
    texts["ps"] = watch.stop()
    texts["syslog"] = system.log()
    pid = gate.authd.child.pid
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        check("Uid:\t0\t" not in file.read(), "it runs as root")
    found = written(case, texts)
    for name in ("authd/postern.conf", "nexthop/queue/sasldb2"):
        contains(found.pop(name), PASSWORD, name)
    contains(found["authd/postern-authd.log"], "user=<edge@corp.test>",
             "the log")
    check(any("/queue/deferred/" in name for name in found),
          "no queue file was looked at")
    for secret in (PASSWORD, REFUSED, MISSED):
        for where, text in found.items():
            for form in forms(secret):
                check(form not in text, f"{form!r} is in {where}")


def credentials(case, name="credentials", mode=0o500, **secrets):
    """A directory as systemd makes one for a service: of its user, for its
    eyes only.  Returns its path."""
    owner = namespace.account_id("postern")
    directory = case.path(name)
    os.mkdir(directory)
    for secret, text in secrets.items():
        path = os.path.join(directory, secret)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, 0o400)
        shutil.chown(path, owner)
    os.chmod(directory, mode)
    shutil.chown(directory, owner)
    return directory


def test_files(case):
    """A password from a file that only the daemon may read, as systemd gives
    it; a change takes a reload; a file that cannot be read is told of, and
    what was in force stays so."""
    directory = credentials(case, relay=PASSWORD + "\n", old="outdated")
    behind, gate = rig_of(case, binding("a", f"file:{directory}/relay"))

    def expect(user):
        mail = gate.send("x@a.test")
        if user is None:
            gate.wait_deferred(mail)
            return
        gate.wait_sent(mail)
        equal(behind.login(mail), ("PLAIN", user), "who has logged in")
    expect(USER)
    check(not gate.authd.lines("can read"), "a warning about what is private")
    gate.authd.configure(binding("a", f"file:{directory}/old"))
    equal(gate.authd.command("reload").returncode, 0, "reload")
    expect(None)
    os.unlink(os.path.join(directory, "old"))
    done = gate.authd.command("reload")
    check(done.returncode != 0, f"reloaded without its file: {done.stdout}")
    contains(done.stdout + done.stderr + gate.authd.log(),
             f"{directory}/old", "what is told")
    gate.authd.configure(binding("a", f"file:{directory}/relay"))
    equal(gate.authd.command("reload").returncode, 0, "reload")
    expect(USER)
    gate.authd.stop()
    os.unlink(os.path.join(directory, "relay"))
    done = case.run([gate.authd.binary, "-c", gate.authd.conf_file, "-f"])
    check(done.returncode != 0, "started without its file")
    contains(done.stderr, f"{directory}/relay", "what is told")


def test_who_can_read(case):
    """A password that everybody on the machine can read is warned of at the
    start, whether it is in postern.conf or in a file of its own."""
    directory = credentials(case, mode=0o755, relay=PASSWORD)
    secret = os.path.join(directory, "relay")
    _, gate = rig_of(case, binding("a", PASSWORD))
    check(os.stat(gate.authd.conf_file).st_mode & stat.S_IROTH,
          "postern.conf is private")

    def warnings(conf, mode):
        """What is said at a start."""
        gate.authd.kill()
        before = len(gate.authd.lines("warning"))
        gate.authd.configure(conf)
        os.chmod(gate.authd.conf_file, mode)
        shutil.chown(gate.authd.conf_file, namespace.account_id("postern"))
        gate.authd.start()
        return [line for line in gate.authd.lines("warning")[before:]
                if "everybody" in line]

    equal(len(warnings(binding("a", PASSWORD), 0o644)), 1, "warnings")
    equal(warnings(binding("a", PASSWORD), 0o600), [], "of a private one")
    equal(warnings(binding("a", f"file:{secret}"), 0o644), [],
          "of a private file")
    os.chmod(secret, 0o444)
    found = warnings(binding("a", f"file:{secret}"), 0o644)
    equal(len(found), 1, "warnings about the file")
    contains(found[0], secret, "the warning")
