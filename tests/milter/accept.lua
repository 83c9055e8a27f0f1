-- SPDX-License-Identifier: BSD-2-Clause
-- A recipient that the upstream takes goes on to the MTA's own rules.
local conn = client()
mail(conn, "<ann@client.test>")
is(rcpt(conn, "<bob@example.org>"), "continue", "known")
asked("MAIL FROM:<>$")
asked("RCPT TO:<bob@example.org>$")
like(logged("to=<bob@example.org>"), "verify: client=192.0.2.9 " ..
    "helo=client.test from=<ann@client.test> to=<bob@example.org> " ..
    "upstream=127.0.0.1:%d+ cache=miss code=250 dsn=2.1.5 " ..
    "verdict=accept delay=%d+%.%d%d%d ")

-- again, from memory
is(rcpt(conn, "<bob@example.org>"), "continue", "known, again")
is(times("RCPT TO:<bob@example.org>"), 1, "questions upstream")
logged("to=<bob@example.org> .*cache=hit")

-- the null sender
mail(conn, "<>")
is(rcpt(conn, "<carl@example.org>"), "continue", "from <>")
finish(conn)
