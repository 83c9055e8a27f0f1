-- SPDX-License-Identifier: BSD-2-Clause
-- top: peer "198.51.100.0/24" { context = {"tenant=acme", "__bypass_smtp_rcptto_proxy=true"} }
-- top: peer "198.51.100.7" { context = {"__bypass_smtp_rcptto_proxy=false"} }
-- top: peer "2001:db8::/32" { context = {"__bypass_smtp_rcptto_proxy=true"} }
--
-- The context of the client's peer section, the most specific one.
local inside, inside6 = client("198.51.100.9"), client("2001:db8::9")
local but, outside = client("198.51.100.7"), client("192.0.2.9")

for _, conn in ipairs({ inside, inside6, but, outside }) do
	mail(conn, "<ann@client.test>")
end
is(rcpt(inside, "<unknown@example.org>"), "continue", "in the network")
is(rcpt(inside6, "<unknown@example.org>"), "continue", "in the IPv6 network")
is(times("RCPT"), 0, "questions upstream")
logged("client=198.51.100.9 .*reason=\"bypassed by context\"")
logged("client=2001:db8::9 .*reason=\"bypassed by context\"")
like(rcpt(but, "<unknown@example.org>"), "^550 5.1.1 ", "the exception")
like(rcpt(outside, "<unknown@example.org>"), "^550 5.1.1 ", "a stranger")

-- it holds for the connection, not for one message
mail(inside, "<ann@client.test>")
is(rcpt(inside, "<unknown@example.org>"), "continue", "next message")
finish(inside, inside6, but, outside)
