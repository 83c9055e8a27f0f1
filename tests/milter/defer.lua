-- SPDX-License-Identifier: BSD-2-Clause
-- What is no refusal of the recipient is 451 4.x.x, whatever the upstream's
-- code was.
local conn = client()
local text = "Recipient address cannot be verified now, try again later"

mail(conn, "<ann@client.test>")
is(rcpt(conn, "<temp@example.org>"), "451 4.3.0 " .. text)
logged("to=<temp@example.org> .*verdict=defer .*store1.inside.test")
is(rcpt(conn, "<grey@example.org>"), "451 4.7.1 " .. text)
is(rcpt(conn, "<policy@example.org>"), "451 4.3.0 " .. text,
    "a refusal of us")
logged("warning: .*refuses us, at rcpt: 550 5.7.1 relaying denied")

-- One that breaks the session is deferred; who comes next is not.
is(rcpt(conn, "<close@example.org>"), "451 4.4.1 " .. text)
is(rcpt(conn, "<bob@example.org>"), "continue", "after that")
finish(conn)
