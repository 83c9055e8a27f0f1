-- SPDX-License-Identifier: BSD-2-Clause
-- A message that is given up leaves nothing to the next one.
local conn = client()
mt.macro(conn, SMFIC_MAIL, "{auth_authen}", "ann", "i", "FIRST")
mail(conn, "<ann@client.test>")
is(rcpt(conn, "<unknown@example.org>"), "continue", "logged in")
is(mt.abort(conn), nil, "abort")
is(mt.abort(conn), nil, "abort, again")
mt.macro(conn, SMFIC_MAIL, "i", "SECOND")
mail(conn, "<carl@client.test>")
like(rcpt(conn, "<unknown@example.org>"), "^550 5.1.1 ", "after it")
logged("id=SECOND .*from=<carl@client.test>")
finish(conn)

-- A client that is gone in the middle of it.
local gone = client()
mail(gone, "<ann@client.test>")
mt.disconnect(gone, false)
local other = client()
mail(other, "<ann@client.test>")
like(rcpt(other, "<unknown9@example.org>"), "^550 5.1.1 ", "another one")
finish(other)
