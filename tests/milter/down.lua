-- SPDX-License-Identifier: BSD-2-Clause
-- hosts: "127.0.0.1:PORT"
--
-- Nobody there: 451, at once, and after a few tries without asking.
local conn = client()
mail(conn, "<ann@client.test>")
for i = 1, 8 do
	like(rcpt(conn, "<bob" .. i .. "@example.org>"),
	    "^451 4%.4%.1 Recipient address cannot be verified now", "down")
end
logged("warning: upstream 127.0.0.1:%d+: not asked for 5 s: ")
local line = logged("to=<bob8@example.org> .*verdict=defer")
is(string.find(line, "code="), nil, "a failure of ours has no code")
is(rcpt(conn, "<bob@example.net>"), "continue", "no route")
finish(conn)
