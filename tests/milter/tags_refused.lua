-- SPDX-License-Identifier: BSD-2-Clause
-- top: tag "X-Tenant" { variable = "tenant" }
-- top: peer "198.51.100.0/24" { context = {"tenant=acme"} }
--
-- An MTA that will not have its headers changed gets no message through.
local function ask(actions, ip, ...)
	local conn = mt.connect(SOCKET, 40, 0.05)
	is(mt.negotiate(conn, 6, 0x1fffff, actions), nil, "negotiate")
	is(mt.test_option(conn, SMFIP_NOHDRS), false, "NOHDRS")
	is(mt.test_option(conn, SMFIP_NOEOH), true, "NOEOH")
	is(mt.test_option(conn, SMFIP_NOBODY), true, "NOBODY")
	is(mt.test_action(conn, SMFIF_ADDHDRS), actions & SMFIF_ADDHDRS ~= 0,
	    "ADDHDRS")
	is(mt.test_action(conn, SMFIF_CHGHDRS), actions & SMFIF_CHGHDRS ~= 0,
	    "CHGHDRS")
	is(mt.conninfo(conn, "client.test", ip), nil, "connect")
	is(mt.helo(conn, "client.test"), nil, "helo")
	mail(conn, "<ann@client.test>")
	is(rcpt(conn, "<bob@example.org>"), "continue", "rcpt")
	local said = message(conn, ...)
	mt.disconnect(conn)
	return said
end
local deferred = "451 4.3.0 Headers not set, try again later"
local forged = { "X-Tenant", "forged" }

is(ask(0x1ff, "198.51.100.1", forged),
    "delete X-Tenant 1\nadd X-Tenant: acme\ncontinue", "all actions")
is(ask(SMFIF_ADDHDRS, "192.0.2.9", forged), deferred, "no CHGHDRS")
logged("does not let us remove a header")
is(ask(SMFIF_CHGHDRS, "198.51.100.1"), deferred, "no ADDHDRS")
logged("does not let us add a header")
is(ask(SMFIF_CHGBODY, "192.0.2.9"), "continue", "nothing to be done")
finish()
