-- SPDX-License-Identifier: BSD-2-Clause
-- What is asked of an MTA that can do it all: MAIL and RCPT, two macros.
local conn = mt.connect(SOCKET, 40, 0.05)
-- version 6, all steps, all actions: miltertest has them in this order
is(mt.negotiate(conn, 6, 0x1fffff, 0x1ff), nil, "negotiate")
for _, step in ipairs({ SMFIP_NOBODY, SMFIP_NOHDRS, SMFIP_NOEOH,
    SMFIP_NODATA, SMFIP_NOUNKNOWN, SMFIP_NR_CONN, SMFIP_NR_HELO,
    SMFIP_NR_MAIL }) do
	is(mt.test_option(conn, step), true, "option " .. step)
end
for _, step in ipairs({ SMFIP_NOCONNECT, SMFIP_NOHELO, SMFIP_NOMAIL,
    SMFIP_NORCPT, SMFIP_NR_RCPT, SMFIP_RCPT_REJ }) do
	is(mt.test_option(conn, step), false, "option " .. step)
end
for _, action in ipairs({ SMFIF_ADDHDRS, SMFIF_CHGBODY, SMFIF_ADDRCPT,
    SMFIF_DELRCPT, SMFIF_CHGHDRS, SMFIF_QUARANTINE }) do
	is(mt.test_action(conn, action), false, "action " .. action)
end

-- After version, actions and steps: the lists of macros, by stage.
local command, octets = packet()
is(command, "O", "packet of the negotiation")
local macros = string.sub(string.gsub(octets, "\\x(%x%x)", function(hex)
	return string.char(tonumber(hex, 16))
end), 13)
local lists, at = {}, 1
while at <= #macros do
	local stage, text, next = string.unpack(">I4z", macros, at)
	lists[stage] = text
	at = next
end
is(lists[0], "", "macros at connect")
is(lists[1], "", "macros at helo")
is(lists[2], "i {auth_authen}", "macros at MAIL")
is(lists[3], "", "macros at RCPT")
is(lists[5], "", "macros at the end")

-- Nothing is sent for a step that needs no reply.
local before = packets("c")
mail(conn, "<ann@client.test>")
is(packets("c"), before, "replies to connect, helo and MAIL")
is(rcpt(conn, "<bob@example.org>"), "continue", "known")
is(packets("c"), before + 1, "replies to RCPT")
finish(conn)
