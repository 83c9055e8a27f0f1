-- SPDX-License-Identifier: BSD-2-Clause
-- keyword: SMTPUTF8
--
-- Addresses in UTF-8, to an upstream that takes them.
local conn = client()
mail(conn, "<ann@client.test>", "SMTPUTF8")
is(rcpt(conn, "<b\xc3\xb6b@example.org>"), "continue", "UTF-8")
asked("MAIL FROM:<> SMTPUTF8 BODY=8BITMIME$")
asked("RCPT TO:<b\xc3\xb6b@example.org>$")
like(rcpt(conn, "<unknown\xc3\xb6@example.org>"), "^550 5.1.1 ", "unknown")
finish(conn)
