-- SPDX-License-Identifier: BSD-2-Clause
-- top: authentication_results = true
--
-- Authentication-Results: ours on top, those that claim to be ours away.
local conn = client()
local function begin(...)
	is(mt.macro(conn, SMFIC_MAIL, ...), nil, "macros")
	mail(conn, "<ann@client.test>")
	is(rcpt(conn, "<bob@elsewhere.test>"), "continue", "rcpt")
end
local function results(value)
	return { "Authentication-Results", value }
end
local start = "insert 0 Authentication-Results: edge.test; "

begin("{auth_authen}", "ann@example.org", "{auth_type}", "PLAIN")
is(message(conn, { "Subject", "x" }),
    start .. "auth=pass (PLAIN)\n\tsmtp.auth=ann@example.org\ncontinue",
    "a login")
begin("{auth_authen}", "", "{auth_type}", "")
is(message(conn), start .. "auth=none\ncontinue", "no login")
begin("{auth_authen}", "anonymous", "{auth_type}", "XCLIENT")
is(message(conn), start .. "auth=none\ncontinue", "anonymous")

-- forged between those of others, which stay
begin("{auth_authen}", "", "{auth_type}", "")
is(message(conn, results("other.test; auth=pass"),
    results("edge.test; auth=pass smtp.auth=root"), { "Subject", "x" },
    { "AUTHENTICATION-results ", "(a (b) \\) c)\n \"EDGE.test\" 1; spf=pass" },
    results("edge.test.other.test; spf=pass"), results("=?utf-8?q?edge?="),
    { "X-Authentication-Results", "edge.test; auth=pass" }),
    "delete Authentication-Results 5\ndelete Authentication-Results 3\n" ..
    "delete Authentication-Results 2\n" .. start .. "auth=none\ncontinue",
    "forged ones")
logged("tag: client=192.0.2.9 header=Authentication%-Results removed=3")
finish(conn)
