-- Requests of wrk: wrk -s requests.lua URL -- CASE RUN TOKEN [PATH TAG], one thread. Keys are fresh: the run's name and a number.

local token, run, n = "", "", 0
local path, tag
local locations, skus_each = 10, 1000

local function get(path, tag)
	return "GET " .. path .. " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " .. token .. "\r\n"
		.. (tag and "If-None-Match: " .. tag .. "\r\n" or "") .. "\r\n"
end

local function post(path, body, more)
	return "POST " .. path .. " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " .. token
		.. "\r\nContent-Type: application/json\r\n" .. (more or "") .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
end

local function fresh()
	n = n + 1
	return run .. "-" .. n
end

local function location() return string.format("bench-%02d", math.random(locations)) end
local function sku() return string.format("bench-%04d", math.random(skus_each)) end

local function reserve(at, what)
	return post("/v1/reservations", '{"location":"' .. at .. '","ttl":"PT4H","lines":[{"sku":"' .. what
		.. '","quantity":1}]}', "Idempotency-Key: " .. fresh() .. "\r\n")
end

local function order()
	local name = fresh()
	local first, second = sku(), sku()
	return post("/v1/orders", '{"channel":"bench","external_ref":"' .. name .. '","currency":"EUR","customer":{"name":"Ada Byron"},'
		.. '"ship_to":{"name":"Ada Byron","line1":"Lange Reihe 1","city":"Hamburg","postal_code":"20099","country":"DE"},'
		.. '"fulfillment":{"method":"ship","location":"' .. location() .. '"},"lines":[{"sku":"' .. first
		.. '","quantity":1,"unit_price":{"amount":1999,"currency":"EUR"}},{"sku":"' .. second
		.. '","quantity":1,"unit_price":{"amount":2999,"currency":"EUR"}}]}', "Idempotency-Key: " .. name .. "\r\n")
end

-- Repeatable requests are made once, to save work in wrk.
local function one_of(make)
	local made
	return function()
		if not made then
			made = {}
			for i = 1, skus_each do made[i] = make(i) end
		end
		return made[math.random(#made)]
	end
end

-- Twenty SKUs in eight of the ten stores.
local function availability(i)
	local skus, stores = {}, {}
	for k = 0, 19 do skus[#skus + 1] = string.format('"bench-%04d"', (i * 7 + k) % skus_each + 1) end
	for k = 0, 7 do stores[#stores + 1] = string.format('"bench-%02d"', (i + k) % locations + 1) end
	return post("/v1/availability/query", '{"skus":[' .. table.concat(skus, ",") .. '],"locations":['
		.. table.concat(stores, ",") .. "]}")
end

local cases = {
	constant = function() return "GET / HTTP/1.1\r\nHost: bench\r\n\r\n" end,
	hot = function() return reserve("bench-hot", "bench-hot") end,
	spread = function() return reserve(location(), sku()) end,
	orders = order,
	availability = one_of(availability),
	queue = one_of(function() return get("/v1/locations/bench-01/queue?limit=200") end),
	unchanged = one_of(function(i) return get(string.format("/v1/products/bench-%04d", i), '"1"') end),
	view = one_of(function() return get(path, tag) end), -- the PATH with its TAG
	lookup = one_of(function(i) return get(string.format("/v1/inventory/bench-one-%04d", i)) end),
}

function init(arguments)
	run, token, path, tag = arguments[2], arguments[3], arguments[4], arguments[5]
	request = cases[arguments[1]]
	math.randomseed(os.time())
end

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format('{"requests":%d,"seconds":%f,"p50_ms":%f,"p99_ms":%f,"max_ms":%f,"refused":%d,"broken":%d}\n',
		summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
		latency.max / 1e3, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
