-- SPDX-License-Identifier: BSD-2-Clause
-- hosts: "127.0.0.1:PORT"
-- options: on_down = accept
--
-- Nobody there, and mail is wanted nevertheless.
local conn = client()
mail(conn, "<ann@client.test>")
is(rcpt(conn, "<bob@example.org>"), "continue", "down")
logged("to=<bob@example.org> .*verdict=accept .*on_down = accept")
finish(conn)
