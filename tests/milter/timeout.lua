-- SPDX-License-Identifier: BSD-2-Clause
-- options: timeout = 700ms
--
-- The upstream says nothing: the answer is there in time all the same.
local conn = client()
mail(conn, "<ann@client.test>")
local begin = os.time()
like(rcpt(conn, "<hang@example.org>"), "^451 4%.%d%.%d Recipient", "hangs")
local delay = string.match(logged("to=<hang@example.org>"), "delay=(%S+)")
if tonumber(delay) < 0.6 or tonumber(delay) > 2 * PATIENCE or os.time() - begin > 5 * PATIENCE then
	error("the answer took " .. delay .. " s")
end
logged("to=<hang@example.org> .*verdict=defer")

-- One who answers late answers the next time.
like(rcpt(conn, "<tarpit@example.org>"), "^451 ", "late")
mt.sleep(6)
like(rcpt(conn, "<tarpit@example.org>"), "^550 5.1.1 ", "later")
logged("to=<tarpit@example.org> .*cache=hit")
finish(conn)
