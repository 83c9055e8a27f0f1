-- SPDX-License-Identifier: BSD-2-Clause
-- relay_hosts: "127.0.0.0/8", "::1", "198.51.100.0/24"
--
-- Own machines are not asked about.
local conns = { client("127.0.0.1"), client("198.51.100.200"), client("::1") }
for i, conn in ipairs(conns) do
	mail(conn, "<ann@client.test>")
	is(rcpt(conn, "<unknown@example.org>"), "continue", "client " .. i)
end
is(times("RCPT"), 0, "questions upstream")
logged("reason=\"client is in relay_hosts\"")
local stranger = client("198.51.101.1")
mail(stranger, "<ann@client.test>")
like(rcpt(stranger, "<unknown@example.org>"), "^550 5.1.1 ", "a stranger")
-- an address that is not known is nobody's
local unknown = client("unspec")
mail(unknown, "<ann@client.test>")
like(rcpt(unknown, "<unknown@example.org>"), "^550 5.1.1 ", "unspec")
logged("client=unknown ")
finish(conns[1], conns[2], conns[3], stranger, unknown)
