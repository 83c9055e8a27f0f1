-- SPDX-License-Identifier: BSD-2-Clause
-- Odd recipients: nothing but an address goes upstream, and that byte for
-- byte.
local conn = client()
mail(conn, "<ann@client.test>")

-- as it was given, quotes and case and all
local good = {
	["<\"bob o'hara\"@example.org>"] = "RCPT TO:<\"bob o'hara\"@example.org>",
	["<\"a\\\"b\\\\c\"@example.org>"] =
	    "RCPT TO:<\"a\\\"b\\\\c\"@example.org>",
	["<\"a@b> <c\"@example.org>"] = "RCPT TO:<\"a@b> <c\"@example.org>",
	["<Bob.MiXeD+tag=x@Example.ORG>"] =
	    "RCPT TO:<Bob.MiXeD+tag=x@Example.ORG>",
	["<SRS0=4x=Y2=client.test=ann@example.org>"] =
	    "RCPT TO:<SRS0=4x=Y2=client.test=ann@example.org>",
	["<a%b!c@example.org>"] = "RCPT TO:<a%b!c@example.org>",
	["<.dots..@example.org>"] = "RCPT TO:<.dots..@example.org>",
	["<@a.test,@b.test:route@example.org>"] = "RCPT TO:<route@example.org>",
	["bare@example.org"] = "RCPT TO:<bare@example.org>",
	["<" .. string.rep("l", 300) .. "@example.org>"] =
	    "RCPT TO:<" .. string.rep("l", 300) .. "@example.org>",
}
local n = 0
for given, command in pairs(good) do
	is(rcpt(conn, given), "continue", given)
	-- the whole command and nothing else
	like(asked(string.gsub(command, "%p", "%%%0") .. "$"), "%d+ RCPT TO")
	n = n + 1
end
is(times("RCPT TO"), n + 1, "RCPTs, with the one that tests the domain")

-- what is none is asked about of nobody and refused to nobody
local before = times(" ")
for _, given in ipairs({ "<bob@x@example.org>", "<bob smith@example.org>",
    "<@example.org>", "<bob@example.org", "<bob@example.org>x",
    "<bob\r\nRSET@example.org>", "<bob\1@example.org>",
    "<b\xf8b@example.org>", "<\"bob@example.org>", "<bob@-example.org>",
    "<" .. string.rep("l", 320) .. "@example.org>",
    "<" .. string.rep("l", 900) .. "@example.org>", "<bob@example..org>" })
do
	like(rcpt(conn, given), "^451 4%.3%.0 Recipient address cannot", given)
end
is(times(" "), before, "commands upstream")
logged("to=<bob%?%?RSET@example.org> .*not an address that can be asked")

-- the session is none the worse
like(rcpt(conn, "<unknown@example.org>"), "^550 5.1.1 ", "after them")
finish(conn)
