-- SPDX-License-Identifier: BSD-2-Clause
-- What the scripts share; runs one of them. A script ends with finish().

local function lines_of(path)
	local all = {}
	for line in io.lines(path) do
		all[#all + 1] = line
	end
	return all
end

-- is(got, want, what): fail unless they are equal
function is(got, want, what)
	if got ~= want then
		error(string.format("%s: got %s, want %s", what or "value",
		    tostring(got), tostring(want)), 2)
	end
end

-- like(got, pattern, what): fail unless got matches the Lua pattern
function like(got, pattern, what)
	if got == nil or not string.find(got, pattern) then
		error(string.format("%s: got %s, want %s", what or "value",
		    tostring(got), pattern), 2)
	end
end

local function must(err, what)
	if err ~= nil then
		error(what .. ": " .. tostring(err), 3)
	end
end

-- packet(): the last one that came from the milter: command and octets
function packet()
	local all = lines_of(NOTES)
	if #all == 0 then
		return nil
	end
	return string.match(all[#all], "^%d+ (.) (.*)$")
end

-- packets(command): how many came with that command
function packets(command)
	local n = 0
	for _, line in ipairs(lines_of(NOTES)) do
		if string.match(line, "^%d+ (.)") == command then
			n = n + 1
		end
	end
	return n
end

-- message(conn, header...): the headers, each { name, value }, and the end;
-- what the milter changes in it, in order: "delete NAME INDEX",
-- "add NAME: VALUE", "insert INDEX NAME: VALUE", and what it says at last:
-- "continue", "tempfail", "451 4.3.0 text"
function message(conn, ...)
	local from = #lines_of(NOTES)
	for _, header in ipairs({ ... }) do
		must(mt.header(conn, header[1], header[2]), "header")
		is(mt.getreply(conn), SMFIR_CONTINUE, "reply to header")
	end
	must(mt.eom(conn), "eom")
	local reply, said = mt.getreply(conn), {}
	local all = lines_of(NOTES)
	for i = from + 1, #all do
		local command, text = string.match(all[i], "^%d+ (.) (.*)$")
		text = string.gsub(text, "\\x00$", "")
		local index = 0
		for _ = 1, (command == "m" or command == "i") and 4 or 0 do
			local octet, rest = string.match(text,
			    "^\\x(%x%x)(.*)$")
			index = index * 256 + (octet and tonumber(octet, 16) or
			    string.byte(text))
			text = rest or string.sub(text, 2)
		end
		text = string.gsub(text, "\\x0a", "\n")
		text = string.gsub(text, "\\x09", "\t")
		local name, value = string.match(text, "^(.-)\\x00(.*)$")
		if command == "m" then
			is(value, "", "a header that is changed")
			said[#said + 1] = "delete " .. name .. " " .. index
		elseif command == "h" then
			said[#said + 1] = "add " .. name .. ": " .. value
		elseif command == "i" then
			said[#said + 1] = "insert " .. index .. " " .. name ..
			    ": " .. value
		end
	end
	if reply == SMFIR_CONTINUE then
		said[#said + 1] = "continue"
	elseif reply == SMFIR_TEMPFAIL then
		said[#said + 1] = "tempfail"
	else
		is(reply, SMFIR_REPLYCODE, "reply to the message")
		local _, text = packet()
		said[#said + 1] = (string.gsub(text, "\\x00$", ""))
	end
	return table.concat(said, "\n")
end

-- client([ip[, name[, helo]]]): a connection of the MTA's about that client
function client(ip, name, helo)
	local conn = mt.connect(SOCKET, 40, 0.05)
	if conn == nil then
		error("no connection to the milter", 2)
	end
	must(mt.conninfo(conn, name or "client.test", ip or "192.0.2.9"),
	    "conninfo")
	is(mt.getreply(conn), SMFIR_CONTINUE, "reply to connect")
	must(mt.helo(conn, helo or "client.test"), "helo")
	is(mt.getreply(conn), SMFIR_CONTINUE, "reply to helo")
	return conn
end

-- mail(conn, from[, argument]): MAIL, which is never refused
function mail(conn, from, argument)
	if argument ~= nil then
		must(mt.mailfrom(conn, from, argument), "mail")
	else
		must(mt.mailfrom(conn, from), "mail")
	end
	is(mt.getreply(conn), SMFIR_CONTINUE, "reply to mail")
end

-- rcpt(conn, to): what the client is told: "continue", "550 5.1.1 text", or
-- "tempfail" and the like where there is no text
function rcpt(conn, to)
	must(mt.rcptto(conn, to), "rcpt")
	local reply = mt.getreply(conn)
	if reply == SMFIR_CONTINUE then
		return "continue"
	elseif reply == SMFIR_TEMPFAIL then
		return "tempfail"
	elseif reply == SMFIR_REJECT then
		return "reject"
	elseif reply == SMFIR_REPLYCODE then
		local command, text = packet()
		is(command, "y", "packet of a reply")
		return (string.gsub(text, "\\x00$", ""))
	end
	return "reply " .. tostring(reply)
end

-- Waits, for what comes a moment later than the reply.
local function matching(path, pattern)
	for _ = 1, 3000 do
		for _, line in ipairs(lines_of(path)) do
			if string.find(line, pattern) then
				return line
			end
		end
		mt.sleep(0.02)
	end
	return nil
end

-- logged(pattern): the first line of the milter's log that matches
function logged(pattern)
	local line = matching(LOG, pattern)
	if line == nil then
		error("not in the log: " .. pattern, 2)
	end
	return line
end

-- asked(pattern): the first command the upstream got that matches
function asked(pattern)
	local line = matching(ASKED, pattern)
	if line == nil then
		error("the upstream was not given: " .. pattern, 2)
	end
	return line
end

-- times(pattern): how many such commands the upstream got so far
function times(pattern)
	local n = 0
	for _, line in ipairs(lines_of(ASKED)) do
		if string.find(line, pattern) then
			n = n + 1
		end
	end
	return n
end

-- finish(conn...): the MTA says good-bye
function finish(...)
	for _, conn in ipairs({ ... }) do
		mt.disconnect(conn)
	end
	finished = true
end

-- miltertest itself does not tell what was wrong.
local ok, why = xpcall(dofile, debug.traceback, SCRIPT)
if not ok then
	mt.echo(why)
elseif not finished then
	mt.echo("the script has not come to its end")
else
	mt.echo("done")
end
