-- SPDX-License-Identifier: BSD-2-Clause
-- options: timeout = 500ms
-- step: mail hang
--
-- The same one step earlier.
local conn = client()
mail(conn, "<ann@client.test>")
like(rcpt(conn, "<bob@example.org>"), "^451 4%.%d%.%d Recipient", "hangs")
finish(conn)
