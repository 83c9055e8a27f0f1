-- SPDX-License-Identifier: BSD-2-Clause
-- options: mode = observe
--
-- Nobody is refused; the log says what would have been.
local conn = client()
mail(conn, "<ann@client.test>")
for _, local_part in ipairs({ "unknown", "temp", "policy", "close", "bob" }) do
	is(rcpt(conn, "<" .. local_part .. "@example.org>"), "continue",
	    local_part)
end
logged("to=<unknown@example.org> .*verdict=reject mode=observe")
logged("to=<temp@example.org> .*verdict=defer mode=observe")
is(string.find(logged("to=<bob@example.org>"), "observe"), nil, "bob")
finish(conn)
