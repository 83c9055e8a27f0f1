-- SPDX-License-Identifier: BSD-2-Clause
-- Strangers' mail is none of our business, whatever it looks like.
local conn = client()
mail(conn, "<ann@client.test>")
for _, to in ipairs({ "<unknown@example.net>", "<unknown@sub.example.org>",
    "<postmaster>", "<unknown@[192.0.2.1]>" }) do
	is(rcpt(conn, to), "continue", to)
end
logged("to=<unknown@example.net> .*upstream=none cache=none .*\"no route\"")
logged("reason=\"no domain\"")
is(times("RCPT"), 0, "questions upstream")
like(rcpt(conn, "<unknown@EXAMPLE.Org>"), "^550 5.1.1 ", "any case")
finish(conn)
