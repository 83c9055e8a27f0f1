-- SPDX-License-Identifier: BSD-2-Clause
-- top: binding "a" { }
-- top: peer "198.51.100.1" { context = {"binding=a"} }
-- top: peer "198.51.100.2" { context = {"binding=a:[192.0.2.1] b"} }
-- top: peer "198.51.100.3" { context = {"binding=a", "__bypass_smtp_rcptto_proxy=true"} }
-- relay_hosts: "198.51.100.4"
-- top: peer "198.51.100.4" { context = {"binding=a"} }
--
-- The binding as a header, if no recipient has a route; what is not a word
-- sends nothing anywhere.
local function send(ip, recipients, ...)
	local conn = client(ip)
	mail(conn, "<ann@client.test>")
	for _, recipient in ipairs(recipients) do
		is(rcpt(conn, recipient), "continue", "rcpt")
	end
	local said = message(conn, ...)
	mt.disconnect(conn)
	return said
end
local function ask(ip, ...)
	return send(ip, { "<bob@elsewhere.test>" }, ...)
end
local forged = { "x-postern-binding", "b" }

is(ask("198.51.100.1"), "add X-Postern-Binding: a\ncontinue", "a binding")
is(ask("198.51.100.1", forged, forged), "delete X-Postern-Binding 2\n" ..
    "delete X-Postern-Binding 1\nadd X-Postern-Binding: a\ncontinue",
    "forged ones")
is(ask("192.0.2.9", forged), "delete X-Postern-Binding 1\ncontinue",
    "forged by one without")
is(ask("198.51.100.2"), "451 4.3.0 Headers not set, try again later",
    "no word")
logged("client 198.51.100.2: message deferred: headers not set: " ..
    "the binding is not a word")

-- Recipients with a route: asked about, or not by context or relay_hosts.
local routed, other = "<bob@example.org>", "<bob@elsewhere.test>"
for _, ip in ipairs({ "198.51.100.1", "198.51.100.3", "198.51.100.4" }) do
	is(send(ip, { routed }), "continue", ip .. ": routed")
	is(send(ip, { other, routed, other }, forged), "delete " ..
	    "X-Postern-Binding 1\ncontinue", ip .. ": one of them routed")
	is(send(ip, { other, other }),
	    "add X-Postern-Binding: a\ncontinue", ip .. ": none routed")
	logged("tag: client=" .. ip .. " header=X%-Postern%-Binding value=a " ..
	    'added=0 reason="a recipient has a route"')
end

-- One that is refused is no recipient; each message counts its own.
local conn = client("198.51.100.1")
mail(conn, "<ann@client.test>")
like(rcpt(conn, "<unknown@example.org>"), "^550 ", "unknown")
is(rcpt(conn, other), "continue", "rcpt")
is(message(conn), "add X-Postern-Binding: a\ncontinue", "refused")
mail(conn, "<ann@client.test>")
is(rcpt(conn, routed), "continue", "rcpt")
is(message(conn), "continue", "the next message")
mail(conn, "<ann@client.test>")
is(rcpt(conn, routed), "continue", "rcpt")
mt.abort(conn)
mail(conn, "<ann@client.test>")
is(rcpt(conn, other), "continue", "rcpt")
is(message(conn), "add X-Postern-Binding: a\ncontinue", "after an abort")
finish(conn)
