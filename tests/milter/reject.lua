-- SPDX-License-Identifier: BSD-2-Clause
-- Only the upstream's own refusal of this recipient is one to the client:
-- its code and enhanced status, words of ours, no name of what is behind.
local conn = client()
mail(conn, "<ann@client.test>")
local unknown = "Recipient address rejected: user unknown"
local mailbox = "Recipient address rejected: mailbox unavailable"

is(rcpt(conn, "<unknown@example.org>"), "550 5.1.1 " .. unknown)
like(logged("to=<unknown@example.org>"), "code=550 dsn=5.1.1 " ..
    "verdict=reject .*text=\".*store1.inside.test\"", "text in the log")
is(rcpt(conn, "<unknown@example.org>"), "550 5.1.1 " .. unknown, "again")
logged("to=<unknown@example.org> .*cache=hit")
is(rcpt(conn, "<plain@example.org>"), "550 5.1.1 " .. unknown,
    "without an enhanced status")
is(rcpt(conn, "<lines@example.org>"), "550 5.1.1 " .. unknown,
    "in several lines")
is(rcpt(conn, "<full@example.org>"), "552 5.2.2 " .. mailbox)
is(rcpt(conn, "<disabled@example.org>"), "550 5.2.1 " .. mailbox)

-- the others of the same message are not harmed
is(rcpt(conn, "<bob@example.org>"), "continue", "known")
finish(conn)
