-- Gives back what a call took, once, however often it is asked.
--
-- KEYS  1 the generation of counts, 2 the mark of this giving back, then one key a count
-- ARGV  1 the generation that was taken from, 2 how long the mark stays, in milliseconds,
--       then four a count: q (a use) or f (a call in flight), the bucket, the amount, the field of the call
-- Answers 1 when it was given back now, else 0.
local HALF = 1000000000000
local function halves(text)
  if #text > 12 then return tonumber(string.sub(text, 1, -13)), tonumber(string.sub(text, -12)) end
  return 0, tonumber(text)
end
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[2]) then return 0 end
for i = 1, (#ARGV - 2) / 4 do
  local at, key = 2 + (i - 1) * 4, KEYS[i + 2]
  if ARGV[at + 1] == 'f' then
    redis.call('HDEL', key, ARGV[at + 4])
  else
    local bucket = ARGV[at + 2]
    local held = redis.call('HGET', key, bucket)
    if held then
      local h, l = halves(held)
      local h2, l2 = halves(ARGV[at + 3])
      h, l = h - h2, l - l2
      if l < 0 then h, l = h - 1, l + HALF end
      if h < 0 then h, l = 0, 0 end
      local left = h > 0 and string.format('%.0f%012.0f', h, l) or string.format('%.0f', l)
      redis.call('HSET', key, bucket, left)
    end
  end
end
return 1
