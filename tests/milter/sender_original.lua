-- SPDX-License-Identifier: BSD-2-Clause
-- options: mailfrom = original
--
-- With the client's own sender upstream; one that cannot be repeated there
-- is not asked with.
local conn = client()
mail(conn, "<\"Ann B\"@Client.test>", "SIZE=1000")
is(rcpt(conn, "<bob@example.org>"), "continue", "known")
asked("MAIL FROM:<\"Ann B\"@Client.test>$")
mail(conn, "<>")
is(rcpt(conn, "<bob@example.org>"), "continue", "from <>")
asked("MAIL FROM:<>$")

local before = times("MAIL")
mail(conn, "<a b@client.test>")
like(rcpt(conn, "<bob@example.org>"), "^451 4%.3%.0 Recipient", "bad sender")
logged("reason=\"sender not usable upstream\"")
is(rcpt(conn, "<bob@example.net>"), "continue", "no route")
is(times("MAIL"), before, "senders upstream")
finish(conn)
