-- SPDX-License-Identifier: BSD-2-Clause
-- Who has logged in is not asked about.
local conn = client()
mt.macro(conn, SMFIC_MAIL, "{auth_authen}", "ann", "i", "4XyZ12")
mail(conn, "<ann@client.test>")
is(rcpt(conn, "<unknown@example.org>"), "continue", "logged in")
logged("id=4XyZ12 .*verdict=accept .*reason=\"client is authenticated\"")
is(times("RCPT"), 0, "questions upstream")

-- the next message of the same session was not
mt.macro(conn, SMFIC_MAIL, "i", "4XyZ13")
mail(conn, "<ann@client.test>")
like(rcpt(conn, "<unknown@example.org>"), "^550 5.1.1 ", "not logged in")

-- a login that means nobody
mt.macro(conn, SMFIC_MAIL, "{auth_authen}", "anonymous")
mail(conn, "<ann@client.test>")
like(rcpt(conn, "<unknown2@example.org>"), "^550 5.1.1 ", "anonymous")
mt.macro(conn, SMFIC_MAIL, "{auth_authen}", "")
mail(conn, "<ann@client.test>")
like(rcpt(conn, "<unknown3@example.org>"), "^550 5.1.1 ", "empty")
finish(conn)
