#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""posternctl recipe: the lines for the files of the MTA, and what cannot be
put in lines."""
import os
import re
import shlex
import shutil
import sys
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "milter"))

from rig import Rig  # noqa: E402
from test_outbound import SEEDS  # noqa: E402

BINDINGS = """
binding_group "g" {
    nexthops = {"[group.test]:587", "other.test"}
    outbound_smtp_auth_type = "LOGIN"
    binding "ingroup" {
        outbound_smtp_auth_user = "u"
        outbound_smtp_auth_pass = "Secret"
    }
}
binding "a" {
    nexthops = {"Relay.Test:587"}
    outbound_smtp_auth_user = "u"
    outbound_smtp_auth_pass = "Secret"
    sender "ann@example.org" {
        outbound_smtp_auth_user = "ann"
        outbound_smtp_auth_pass = "Secret"
    }
}
binding "B" {
    nexthops = {"2001:db8::25"}
    outbound_smtp_auth_user = "u"
    outbound_smtp_auth_pass = "Secret"
    outbound_smtp_auth_type = "PLAIN"
}
binding "none" { nexthops = {"plain.test"} }
binding "no_hops" { }
binding "my-relay" {
    nexthops = {"relay.test"}
    outbound_smtp_auth_user = "u"
    outbound_smtp_auth_pass = "Secret"
}
"""


def services(text):
    """{service: [line, option, ...]} of lines for master.cf."""
    found = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("  -o "):
            found[name].append(line[5:])
        else:
            name = line.split()[0]
            assert name not in found, name
            found[name] = [line]
    return found


def settings(text):
    """{name: value} of lines for main.cf."""
    return dict(line.split(" = ", 1) for line in text.splitlines()
                if line and not line.startswith("#"))


def page_blocks():
    """What postern-outbound(5) shows as literal text."""
    with open(os.path.join(HERE, "..", "..", "man", "postern-outbound.5"),
              encoding="ascii") as file:
        text = file.read()
    blocks = re.findall(r"\n\.Bd -literal.*\n([^\0]*?)\n\.Ed\n", text)
    blocks += re.findall(r"\n\.Dl (.*)", text)
    return [block.replace("\\e", "\\").replace("\\&", "")
            for block in blocks]


def block_with(text):
    """The one of them that begins so."""
    found = [block for block in page_blocks() if block.startswith(text)]
    assert len(found) == 1, (text, found)
    return found[0]


class Recipe(unittest.TestCase):
    def setUp(self):
        self.rig = Rig()
        self.addCleanup(self.rig.__exit__, None, None, None)

        self.rig.write_conf("")

    def write(self, text):
        """The configuration; nobody else reads its passwords."""
        self.rig.write_conf(text)
        os.chmod(self.rig.conf, 0o600)

    def recipe(self, *arguments, status=0):
        """What is printed for a file, and on standard error."""
        done = self.rig.ctl("recipe", *arguments)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertNotIn("Secret", done.stdout + done.stderr)
        again = self.rig.ctl("recipe", *arguments)
        self.assertEqual(again.stdout, done.stdout)
        return done.stdout, done.stderr

    def test_seeds(self):
        """A transport for each type, and a line for each domain."""
        self.write(SEEDS)
        out, err = self.recipe("master.cf")
        found = services(out)
        self.assertEqual((list(found), err), (["smtp-login", "smtp-plain"],
                                              ""))
        for name, lines in found.items():
            kind = name.split("-")[1]
            self.assertEqual(lines, [
                f"{name} unix - - y - - smtp",
                f"syslog_name=postfix/{name}",
                "smtp_sasl_auth_enable=yes",
                "smtp_sasl_password_maps="
                "socketmap:unix:postern/outbound:default",
                f"smtp_sasl_mechanism_filter={kind},not-offered",
                "smtp_sasl_security_options=noplaintext,noanonymous",
                "smtp_sasl_tls_security_options=noplaintext,noanonymous",
                "smtp_sasl_tls_verified_security_options=noanonymous",
                "smtp_tls_security_level=secure",
                "smtp_reply_filter=pcre:$config_directory/auth.pcre",
                "smtp_fallback_relay="])
        self.assertIn("250${1}AUTH NOT-OFFERED\n",
                      self.recipe("auth.pcre")[0])
        out, _ = self.recipe("transport")
        self.assertEqual(
            [line for line in out.splitlines()
             if line and not line.startswith("#")],
            ["messagesystems.com smtp-login:", "sparkpost.com smtp-plain:"])
        found = settings(self.recipe("main.cf")[0])
        self.assertEqual(found["transport_maps"],
                         "texthash:$config_directory/transport")
        self.assertNotIn("milter_header_checks", found)
        self.assertTrue(found["smtp_sasl_auth_cache_name"].startswith(
            "proxy:btree:$data_directory/"))
        for name in ("smtp-login", "smtp-plain"):
            self.assertIn(f"{name}_destination_concurrency_limit", found)

    def test_bindings(self):
        self.write(BINDINGS)
        out, err = self.recipe("master.cf")
        self.assertEqual(err, "")
        found = services(out)
        names = ["ingroup", "a", "B", "none", "no_hops", "my-relay"]
        self.assertEqual(list(found), ["binding-" + name for name in names])

        def options(name):
            return dict(option.split("=", 1)
                        for option in found["binding-" + name][1:])
        for name in names:
            self.assertEqual(
                options(name).get("smtp_sasl_password_maps"),
                None if name in ("none", "no_hops")
                else f"socketmap:unix:postern/outbound:{name}", name)
            self.assertEqual("smtp_sender_dependent_authentication"
                             in options(name), name == "a", name)
        kinds = [options(name).get("smtp_sasl_mechanism_filter")
                 for name in names]
        self.assertEqual(kinds, ["login,not-offered", None,
                                 "plain,not-offered"] + 3 * [None])
        # An IP address is in no certificate.
        self.assertEqual(out.count("smtp_tls_secure_cert_match"), 1)

    def test_headers(self):
        self.write(BINDINGS)
        out, err = self.recipe("binding.pcre")
        self.assertEqual(
            [line for line in out.splitlines() if line.startswith("/")], [
                "/^X-Postern-Binding: +ingroup$/ "
                "FILTER binding-ingroup:[group.test]:587",
                "/^X-Postern-Binding: +a$/ FILTER binding-a:relay.test:587",
                "/^X-Postern-Binding: +B$/ FILTER binding-B:[2001:db8::25]",
                "/^X-Postern-Binding: +none$/ "
                "FILTER binding-none:plain.test",
                "/^X-Postern-Binding:/ REJECT 4.3.5 "
                "no transport for this binding"])
        self.assertIn("binding no_hops: FILTER needs a next hop", err)
        self.assertIn("binding my-relay: no message can choose it", err)
        self.assertEqual(err.count("\n"), 2)
        out, err = self.recipe("binding_hide.pcre")
        self.assertIn("\n/^X-Postern-Binding:/ IGNORE\n", out)
        found = settings(self.recipe("main.cf")[0])
        self.assertEqual(found["milter_header_checks"],
                         "pcre:$config_directory/binding.pcre")
        self.assertIn("smtp_header_checks", found)
        self.assertNotIn("transport_maps", found)
        self.assertNotIn("binding-none_destination_concurrency_limit", found)

    def test_domains_of_a_query(self):
        """A domain whose credentials are in a data source needs a transport
        that asks, as one does that has them in its section."""
        self.write("""
datasource "accounts" { uri = "sqlite:/nonexistent/accounts.db" }
outbound_smtp_auth {
    ds_cache = "accounts"
    query = "SELECT user, pass FROM t WHERE key = :key AND host = :host"
}
domain "Keyed.Test." { outbound_smtp_auth_key = "somestring" }
domain "typed.test" {
    outbound_smtp_auth_key = "other"
    outbound_smtp_auth_type = "LOGIN"
}
domain "type.alone.test" { outbound_smtp_auth_type = "PLAIN" }
domain "nothing.test" { smtp_rcptto_proxy { host = {"127.0.0.1:1"} } }
""")
        out, _ = self.recipe("transport")
        self.assertEqual(
            [line for line in out.splitlines()
             if line and not line.startswith("#")],
            ["keyed.test smtp-auth:", "type.alone.test smtp-plain:",
             "typed.test smtp-login:"])
        self.assertEqual(list(services(self.recipe("master.cf")[0])),
                         ["smtp-auth", "smtp-plain", "smtp-login"])
        out, _ = self.recipe("main.cf")
        self.assertIn("transport_maps", settings(out))
        # Any other domain may have a row, too.
        self.assertIn("\n#default_transport = smtp-auth:\n", out)

    def test_later_nexthops(self):
        """A transport asks if there is something for any of its next hops:
        mail may be sent to each of them by it."""
        self.write("""
binding "b" { nexthops = {"one.test", "two.test"} }
domain "two.test" {
    outbound_smtp_auth_user = "u"
    outbound_smtp_auth_pass = "Secret"
}
""")
        self.assertIn("smtp_sasl_auth_enable=yes",
                      services(self.recipe("master.cf")[0])["binding-b"])

    def test_mixed_types(self):
        """One transport has one filter; which is told."""
        self.write("""
binding "m" {
    nexthops = {"relay.test"}
    sender "a@example.org" { outbound_smtp_auth_user = "a"
        outbound_smtp_auth_pass = "Secret" outbound_smtp_auth_type = "PLAIN" }
    sender "b@example.org" { outbound_smtp_auth_user = "b"
        outbound_smtp_auth_pass = "Secret" outbound_smtp_auth_type = "LOGIN" }
}
""")
        out, err = self.recipe("master.cf")
        self.assertNotIn("smtp_sasl_mechanism_filter", out)
        self.assertIn("binding m: credentials of different types", err)
        # Any type is also this one; the relay's own is the sender's, too.
        self.write("""
domain "relay.test" { outbound_smtp_auth_type = "LOGIN" }
binding "m" {
    nexthops = {"relay.test"}
    outbound_smtp_auth_user = "u" outbound_smtp_auth_pass = "Secret"
    sender "a@example.org" { outbound_smtp_auth_user = "a"
        outbound_smtp_auth_pass = "Secret" }
}
""")
        out, err = self.recipe("master.cf")
        self.assertEqual(err, "")
        self.assertIn("smtp_sasl_mechanism_filter=login,not-offered\n", out)

    def test_global(self):
        """A relay for all mail: a line to take the comment from."""
        self.write("""
outbound_smtp_auth { nexthops = {"[smart.test]:465"}
    outbound_smtp_auth_user = "u" outbound_smtp_auth_pass = "Secret"
    outbound_smtp_auth_type = "PLAIN" }
""")
        self.assertEqual(list(services(self.recipe("master.cf")[0])),
                         ["smtp-plain"])
        self.assertIn("\n#default_transport = smtp-plain:[smart.test]:465\n",
                      self.recipe("main.cf")[0])

    def test_query(self):
        """Where a query says where, no section has to."""
        self.write("""
datasource "t" { uri = "file:/nonexistent" }
outbound_smtp_auth { ds_cache = "t"
    query = "SELECT user, pass FROM t WHERE host = :host" }
binding "b" { nexthops = {"relay.test"} outbound_smtp_auth_type = "LOGIN" }
""".replace("file:/nonexistent", "sqlite:" + self.rig.path("t.db")))
        found = services(self.recipe("master.cf")[0])
        self.assertEqual(list(found), ["binding-b", "smtp-auth"])
        self.assertIn("smtp_sasl_mechanism_filter=login,not-offered", found["binding-b"])

    def test_key(self):
        """A domain whose login is in the database goes there by its
        transport, too; without a query there is none."""
        domains = """
domain "one.test" { outbound_smtp_auth_key = "k" }
domain "two.test" { outbound_smtp_auth_key = "k"
    outbound_smtp_auth_type = "LOGIN" }
domain "three.test" { outbound_smtp_auth_type = "LOGIN" }
"""
        self.write(f"""
datasource "t" {{ uri = "sqlite:{self.rig.path("t.db")}" }}
outbound_smtp_auth {{ ds_cache = "t"
    query = "SELECT user, pass FROM t WHERE key = :key" }}
{domains}""")
        self.assertEqual(list(services(self.recipe("master.cf")[0])),
                         ["smtp-auth", "smtp-login"])
        self.assertEqual(
            [line for line in self.recipe("transport")[0].splitlines()
             if line and line[0] != "#"],
            ["one.test smtp-auth:", "two.test smtp-login:"])
        self.assertIn("transport_maps", settings(self.recipe("main.cf")[0]))
        self.write(domains)
        self.assertEqual(services(self.recipe("master.cf")[0]), {})

    def test_socket(self):
        """Relative below the queue directory; else without a chroot."""
        for path, queue, want in (
                ("/var/spool/postfix/postern/outbound", (),
                 ("y", "unix:postern/outbound")),
                ("/var/spool/postfix/postern/outbound", ("-q", "/q"),
                 ("n", "unix:/var/spool/postfix/postern/outbound")),
                ("/q/s/o", ("-q", "/q//"), ("y", "unix:s/o")),
                ("/queue/o", ("-q", "/q"), ("n", "unix:/queue/o"))):
            self.write(
                SEEDS + f'authd {{ socketmap_socket = "unix:{path}" }}\n')
            out, _ = self.recipe(*queue, "master.cf")
            lines = services(out)["smtp-login"]
            self.assertEqual((lines[0].split()[4], lines[3]), (
                want[0], "smtp_sasl_password_maps=socketmap:"
                + want[1] + ":default"))
            self.assertEqual("proxy_read_maps" in out, want[0] == "n")
        self.write(SEEDS + 'authd { socketmap_socket = {'
                   '"unix:/run/o", "unix:/q/o"} }\n')
        self.assertIn("socketmap:unix:o:default",
                      self.recipe("-q", "/q", "master.cf")[0])
        self.assertIn("`unix:/run/o'", self.recipe("sendmail.mc")[0])
        self.write(
            SEEDS + 'authd { socketmap_socket = "unix:/q/a b" }\n')
        _, err = self.recipe("master.cf", status=78)
        self.assertIn("socketmap_socket", err)
        self.write(SEEDS + 'authd { socketmap_socket = {} }\n')
        self.recipe("master.cf", status=78)

    def test_sendmail(self):
        self.write(BINDINGS)
        out, _ = self.recipe("sendmail.mc")
        found = re.findall(r"(?m)^(dnl )?define\(`(\w+)', `(.*)'\)dnl$", out)
        self.assertIn(("", "POSTERN_OUTBOUND_NAME", "default"), found)
        self.assertIn(("dnl ", "POSTERN_OUTBOUND_NAME", "a"), found)
        self.assertNotIn("my-relay", out)
        self.assertRegex(out.splitlines()[-1],
                         r"\Ainclude\(`/.*/sendmail-outbound.m4'\)dnl\Z")
        if shutil.which("m4") is None:
            self.skipTest("m4 is missing")
        source = os.path.join(HERE, "..", "..", "dist",
                              "sendmail-outbound.m4")
        done = self.rig.run(["m4"], re.sub(
            r"include\(`.*'\)", f"include(`{source}')", out))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("Kdefault socket ", done.stdout)
        self.assertIn("unix:/var/spool/postfix/postern/outbound",
                      done.stdout)

    def test_page(self):
        """The page shows what is printed for its own examples."""
        relay = block_with('binding "a" {').replace("file:/etc/postern/",
                                                    "Secret-")
        partners = block_with("outbound_smtp_auth { }").replace(
            'Pass = "', 'Pass = "Secret-').replace('pass = "',
                                                   'pass = "Secret-')
        self.write(partners + "\n" + relay)

        def lines(name):
            return [line for line in self.recipe(name)[0].splitlines()
                    if line and not line.startswith("#")]
        shown = block_with("binding-a unix").splitlines()
        self.assertEqual(lines("master.cf")[:len(shown)], shown)
        self.assertEqual(lines("binding.pcre"), block_with(
            "/^X-Postern-Binding: ").splitlines())
        self.assertEqual(lines("auth.pcre"), [block_with("/^250")])
        self.assertIn(block_with("messagesystems.com smtp-login:"),
                      lines("transport"))
        for block in (block_with("smtp_sasl_auth_cache_name"),
                      block_with("milter_header_checks")):
            for line in block.splitlines():
                self.assertIn(line, lines("main.cf"))
        self.write(partners + "\n" + block_with("authd {") + "\n")
        out = [line for line in self.recipe("sendmail.mc")[0].splitlines()
               if not line.startswith("dnl")]
        self.assertEqual(
            [re.sub("`/[^']*/share/", "`/usr/share/", line) for line in out],
            block_with("define(`confAUTH").splitlines())
        self.write(partners + "\n" + relay)
        shown = block_with("# posternctl outbound").splitlines()
        for command, printed in zip(shown[::2], shown[1::2]):
            done = self.rig.ctl(*shlex.split(command)[2:])
            self.assertEqual(done.stdout, printed + "\n", command)

    def test_empty(self):
        """A configuration without any."""
        for name in ("main.cf", "master.cf", "transport", "sendmail.mc"):
            out, err = self.recipe(name)
            self.assertEqual(
                [line for line in out.splitlines()
                 if line and line.split()[0] not in ("#", "dnl")], [])
            self.assertEqual(err, "")

    def test_usage(self):
        for arguments in ((), ("nosuch",), ("main.cf", "master.cf"),
                          ("-q",), ("-x", "main.cf")):
            out, err = self.recipe(*arguments, status=64)
            self.assertEqual(out, "")
            self.assertTrue(re.search("usage:", err), err)
        self.rig.write_conf("binding { }")
        self.recipe("main.cf", status=78)


if __name__ == "__main__":
    unittest.main()
