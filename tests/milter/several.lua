-- SPDX-License-Identifier: BSD-2-Clause
-- Several recipients in a message, several messages in a session; each gets
-- its own answer.
local conn = client()
for message = 1, 5 do
	mail(conn, "<ann" .. message .. "@client.test>")
	for i = 1, 20 do
		is(rcpt(conn, "<bob" .. i .. "@example.org>"), "continue")
		like(rcpt(conn, "<unknown" .. i .. "@example.org>"),
		    "^550 5.1.1 ")
	end
	if message % 2 == 0 then
		is(mt.abort(conn), nil, "abort")
	else
		is(mt.eom(conn), nil, "eom")
		is(mt.getreply(conn), SMFIR_CONTINUE, "reply to eom")
	end
	logged("from=<ann" .. message .. "@client.test> " ..
	    "to=<unknown20@example.org>")
end
is(times("RCPT TO:<bob1@"), 1, "questions about bob1")
is(times("RCPT TO:<unknown20@"), 1, "questions about unknown20")
finish(conn)
