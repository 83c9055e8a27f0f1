-- SPDX-License-Identifier: BSD-2-Clause
-- top: peer "198.51.100.0/24" { context = {"tenant=acme", "note=zoë  =?x", "empty="} }
-- top: tag "X-Tenant" { variable = "tenant" }
-- top: tag "X-Note" { variable = "note" }
-- top: tag "X-Empty" { variable = "empty" }
-- top: tag "X-Result" { variable = "smtp_rcptto_proxy_result" }
--
-- Headers from either context; copies that came in are removed.
local tenant, note = "add X-Tenant: acme", "add X-Note: " ..
    "=?utf-8?Q?zo=C3=AB__=3D=3Fx?="
local function begin(conn)
	mail(conn, "<ann@client.test>")
	is(rcpt(conn, "<bob@example.org>"), "continue", "rcpt")
end
local function lines(...)
	return table.concat({ ... }, "\n")
end

local conn = client("198.51.100.7")
begin(conn)
is(message(conn, { "Subject", "test" }),
    lines(tenant, note, "add X-Result: pass", "continue"), "nothing came in")

begin(conn)
is(message(conn, { "X-Tenant", "forged" }), lines("delete X-Tenant 1",
    tenant, note, "add X-Result: pass", "continue"), "one copy")

-- others between, in other letters, with a blank, folded, empty
begin(conn)
is(message(conn, { "X-Tenant", "a" }, { "Subject", "x" }, { "x-TENANT", "b" },
    { "X-Tenants", "c" }, { "X-Empty", "" }, { "X-Tenan", "d" },
    { "X-Tenant ", "e\n\tf" }), lines("delete X-Tenant 3",
    "delete X-Tenant 2", "delete X-Tenant 1", "delete X-Empty 1", tenant,
    note, "add X-Result: pass", "continue"), "three copies")
logged("tag: client=198.51.100.7 header=X%-Tenant removed=3")

-- the next message begins anew, one that was given up counts for nothing
begin(conn)
is(mt.header(conn, "X-Tenant", "forged"), nil, "header")
is(mt.getreply(conn), SMFIR_CONTINUE, "reply to header")
is(mt.abort(conn), nil, "abort")
begin(conn)
is(message(conn, { "X-Note", "a" }, { "X-Note", "b" }),
    lines("delete X-Note 2", "delete X-Note 1", tenant, note,
    "add X-Result: pass", "continue"), "after an abort")

-- a client without any such variable
local other = client("192.0.2.9")
mail(other, "<ann@client.test>")
is(rcpt(other, "<bob@elsewhere.test>"), "continue", "no route")
is(message(other, { "X-Tenant", "a" }, { "X-Tenant", "b" }),
    lines("delete X-Tenant 2", "delete X-Tenant 1", "add X-Result: skip",
    "continue"), "no variable")

-- as many as are removed, and one more
local forged = {}
for i = 1, 500 do
	forged[i] = { "X-Empty", "" }
end
begin(conn)
like(message(conn, table.unpack(forged)), "^delete X%-Empty 500\n.*continue$",
    "500 copies")
forged[501] = { "X-Tenant", "a" }
begin(conn)
is(message(conn, table.unpack(forged)), "550 5.6.0 Too many copies of a header",
    "501 copies")
begin(conn)
is(message(conn), lines(tenant, note, "add X-Result: pass", "continue"),
    "afterwards")
finish(conn, other)
