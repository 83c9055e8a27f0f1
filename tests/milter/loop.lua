-- SPDX-License-Identifier: BSD-2-Clause
-- A probe of our own that comes back is known by its EHLO name and sender.
local conn = client("192.0.2.9", "edge.test", "EDGE.test")
mail(conn, "<>")
like(rcpt(conn, "<bob@example.org>"), "^451 4%.4%.6 ", "our own")
is(times("RCPT"), 0, "questions upstream")
-- a bounce of this very edge to somebody else's domain is none
is(rcpt(conn, "<bob@example.net>"), "continue", "no route")
mail(conn, "<ann@client.test>")
is(rcpt(conn, "<bob@example.org>"), "continue", "another sender")
finish(conn)
