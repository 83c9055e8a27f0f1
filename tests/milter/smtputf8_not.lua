-- SPDX-License-Identifier: BSD-2-Clause
-- To one that does not: not even tried.
local conn = client()
mail(conn, "<ann@client.test>", "SMTPUTF8")
like(rcpt(conn, "<b\xc3\xb6b@example.org>"), "^451 4%.%d%.%d Recipient")
logged("reason=\"not to be asked about here\".*SMTPUTF8")
is(rcpt(conn, "<bob@example.org>"), "continue", "ASCII")
is(times("SMTPUTF8"), 0, "SMTPUTF8 upstream")
finish(conn)
