-- SPDX-License-Identifier: BSD-2-Clause
-- step: mail 550 5.7.1 you are not welcome here
--
-- A refusal of us says nothing about the recipient.
local conn = client()
mail(conn, "<ann@client.test>")
like(rcpt(conn, "<bob@example.org>"), "^451 4%.3%.0 ", "refused at MAIL")
logged("warning: .*refuses us, at mail: 550 5.7.1 you are not welcome here")
finish(conn)
