-- SPDX-License-Identifier: BSD-2-Clause
-- top: binding "a" { }
-- top: peer "198.51.100.1" { context = {"binding=a"} }
-- top: peer "198.51.100.2" { context = {"binding=a:[192.0.2.1] b"} }
--
-- The binding as a header; what is not a word sends nothing anywhere.
local function ask(ip, ...)
	local conn = client(ip)
	mail(conn, "<ann@client.test>")
	is(rcpt(conn, "<bob@example.org>"), "continue", "rcpt")
	local said = message(conn, ...)
	mt.disconnect(conn)
	return said
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
finish()
