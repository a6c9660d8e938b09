-- Calls in flight of one organisation that are still under way: each counts for another lease.
--
-- KEYS  one a call, the count that it belongs to; a count that was lost comes back so
-- ARGV  1 the time in microseconds, or empty for this server's clock, 2 the lease, in microseconds, 3 how long the
--       key stays, in milliseconds, then a field a call
local now
if ARGV[1] == '' then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
else
  now = tonumber(ARGV[1])
end
for i, key in ipairs(KEYS) do
  redis.call('HSET', key, ARGV[i + 3], string.format('%.0f', now + ARGV[2]))
  redis.call('PEXPIRE', key, ARGV[3])
end
return #KEYS
