-- What wrk sends: wrk -s requests.lua URL -- CASE RUN TOKEN, one thread. Keys are fresh: the run's name and a number.

local token, run, n = "", "", 0
local locations, skus_each = 10, 1000

local function get(path)
	return "GET " .. path .. " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " .. token .. "\r\n\r\n"
end

local function post(path, body)
	n = n + 1
	return "POST " .. path .. " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " .. token
		.. "\r\nContent-Type: application/json\r\nIdempotency-Key: " .. run .. "-" .. n
		.. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

local function reserve(location, sku)
	return post("/v1/reservations", '{"location":"' .. location .. '","ttl":"PT4H","lines":[{"sku":"' .. sku
		.. '","quantity":1}]}')
end

local cases = {
	constant = function() return "GET /livez HTTP/1.1\r\nHost: bench\r\n\r\n" end,
	hot = function() return reserve("bench-hot", "bench-hot") end,
	spread = function()
		return reserve(string.format("bench-%02d", math.random(locations)),
			string.format("bench-%04d", math.random(skus_each)))
	end,
	lookup = function() return get(string.format("/v1/inventory/bench-one-%04d", math.random(skus_each))) end,
}

function init(arguments)
	run, token = arguments[2], arguments[3]
	request = cases[arguments[1]]
	math.randomseed(os.time())
end

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format('{"requests":%d,"seconds":%f,"p50_ms":%f,"p99_ms":%f,"max_ms":%f,"refused":%d,"broken":%d}\n',
		summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
		latency.max / 1e3, errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
