-- SPDX-License-Identifier: BSD-2-Clause
-- options: reveal_upstream_text = true
--
-- The upstream's words, when that is wanted: one line, each % doubled.
local conn = client()
mail(conn, "<ann@client.test>")
is(rcpt(conn, "<unknown@example.org>"),
    "550 5.1.1 <unknown@example.org> no such user on store1.inside.test")
is(rcpt(conn, "<temp@example.org>"),
    "451 4.3.0 try later on store1.inside.test")
is(rcpt(conn, "<percent@example.org>"), "550 5.1.1 100%% unknown, %%s %%n",
    "doubled: the MTA eats one")
is(rcpt(conn, "<lines@example.org>"), "550 5.1.1 no such user here")
is(rcpt(conn, "<long@example.org>"),
    "550 5.1.1 " .. string.rep("unknown ", 60))
is(rcpt(conn, "<policy@example.org>"), "451 4.3.0 relaying denied")
-- there are no words where nobody answered
like(rcpt(conn, "<close@example.org>"), "^451 4.4.1 Recipient address cannot")
finish(conn)
