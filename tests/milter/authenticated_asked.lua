-- SPDX-License-Identifier: BSD-2-Clause
-- options: skip_authenticated = false
--
-- Unless the configuration says that they are.
local conn = client()
mt.macro(conn, SMFIC_MAIL, "{auth_authen}", "ann")
mail(conn, "<ann@client.test>")
like(rcpt(conn, "<unknown@example.org>"), "^550 5.1.1 ", "logged in")
finish(conn)
