-- SPDX-License-Identifier: BSD-2-Clause
-- hosts: "127.0.0.1:PORT", "127.0.0.1:UPSTREAM"
--
-- The second host is asked when the first is not there.
local conn = client()
mail(conn, "<ann@client.test>")
is(rcpt(conn, "<bob@example.org>"), "continue", "known")
like(rcpt(conn, "<unknown@example.org>"), "^550 5.1.1 ", "unknown")
finish(conn)
