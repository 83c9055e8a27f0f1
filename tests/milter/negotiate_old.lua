-- SPDX-License-Identifier: BSD-2-Clause
-- An MTA that wants an answer to everything (Sendmail 8.12 and 8.13, and
-- Postfix with a low milter_protocol) gets one.
for version, steps in pairs({ [2] = 0x7f, [4] = 0x3ff, [6] = 0x7f }) do
	local conn = mt.connect(SOCKET, 40, 0.05)
	is(mt.negotiate(conn, version, steps, 0x3f), nil, "negotiate")
	is(mt.test_option(conn, SMFIP_NR_MAIL), false, "NR_MAIL")
	local before = packets("c")
	is(mt.conninfo(conn, "client.test", "192.0.2.9"), nil, "connect")
	is(mt.getreply(conn), SMFIR_CONTINUE, "reply to connect")
	is(mt.helo(conn, "client.test"), nil, "helo")
	is(mt.getreply(conn), SMFIR_CONTINUE, "reply to helo")
	mail(conn, "<ann@client.test>")
	is(packets("c"), before + 3, "replies")
	is(rcpt(conn, "<bob@example.org>"), "continue", "known")
	like(rcpt(conn, "<unknown@example.org>"), "^550 5.1.1 ", "unknown")
	is(mt.eom(conn), nil, "eom")
	mt.disconnect(conn)
end
logged("client=192.0.2.9 helo=client.test from=<ann@client.test>")
finish()
