-- SPDX-License-Identifier: BSD-2-Clause
-- An odd sender is the MTA's business: it is not repeated upstream.
local conn = client()
for _, from in ipairs({ "<a b@client.test>", "<b\xf8b@client.test>",
    "<a@b@c>", "<" .. string.rep("l", 400) .. "@client.test>", "", "<",
    "<x\r\nRSET@client.test>" }) do
	mail(conn, from)
	is(rcpt(conn, "<bob@example.org>"), "continue", from)
	like(rcpt(conn, "<unknown@example.org>"), "^550 5.1.1 ", from)
	is(rcpt(conn, "<bob@example.net>"), "continue", "no route")
end
is(times("MAIL FROM:<>$"), times("MAIL"), "senders upstream")
is(times("RSET"), 0, "RSETs")
finish(conn)
