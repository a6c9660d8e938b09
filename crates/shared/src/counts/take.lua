-- Takes every count of a call, or none of them, by the clock of this server.
--
-- KEYS  1 the organisation's generation of counts, then one key a count: all in one slot of a cluster
-- ARGV  1 take | look       2 the time in microseconds, or empty for this server's clock (tests alone give one)
--       3 the server's run  4 the id of a new generation, should one begin here
--       5 1 where this run may go on with the counts of another  6 wait | confirm: what lost counts need
--       7 the field of a call in flight  8 how long such a call counts without a sign of life, in microseconds
--       9 how many of the counts are enforced  10 how many come after them and are observed
--         the others are attempts: each is taken by itself where the call is not made
--       then six a count: kind, three numbers, the maximum, the amount
--         r  seconds, -, -             a rolling window
--         c  begin, end, next end      a calendar window and the one after it, in seconds
--         f  -, -, -                   calls in flight
-- Amounts are millionths as decimal text, up to 21 digits. Numbers of Lua are exact to 2^53 only, so sums are kept in
-- two halves, split at 10^12.
--
-- Answers  ok       now, generation, the bucket of each count that is enforced, the place of each observed one that is full
--          full     now, generation, the place of the count, what is used, then its hash
--          unknown  now, since when counts are known, the place of the count
--          edges    now, then for each count the time that its calendar window must hold
local MARGIN = 3600000000
local UNCONFIRMED = '9000000000000000'
local HALF = 1000000000000
local mode, me, lease = ARGV[1], ARGV[7], tonumber(ARGV[8])

local function whole(n) return string.format('%.0f', n) end
local function halves(text)
  if #text > 12 then return tonumber(string.sub(text, 1, -13)), tonumber(string.sub(text, -12)) end
  return 0, tonumber(text)
end
local function plus(h, l, text)
  local h2, l2 = halves(text)
  h, l = h + h2, l + l2
  if l >= HALF then return h + 1, l - HALF end
  return h, l
end
local function text(h, l)
  if h > 0 then return string.format('%.0f%012.0f', h, l) end
  return whole(l)
end
local function part(at, seconds)
  local span = seconds * 50000
  return (at * 3 - math.fmod(at * 3, span)) / span
end

local now
if ARGV[2] == '' then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
else
  now = tonumber(ARGV[2])
end

-- Whether what is counted here is all that was taken.
local known = redis.call('HMGET', KEYS[1], 'id', 'since', 'run')
local id, since, another = known[1], known[2], known[3] ~= ARGV[3]
if not id or (another and ARGV[5] ~= '1') then
  id = ARGV[4]
  since = ARGV[6] == 'confirm' and UNCONFIRMED or whole(now)
end
if another and mode == 'take' then redis.call('HSET', KEYS[1], 'id', id, 'since', since, 'run', ARGV[3]) end
local from = tonumber(since)

-- What a call asks of a count, as it stands now, and whether it fits.
local function read(i)
  local at = 10 + (i - 1) * 6
  local kind, max, amount, key = ARGV[at + 1], ARGV[at + 5], ARGV[at + 6], KEYS[i + 1]
  local latest = kind == 'f' and now or tonumber(redis.call('HGET', key, 'l') or '0')
  -- A clock that goes back frees nothing.
  local this = { kind = kind, key = key, max = max, amount = amount, at = math.max(now, latest), stale = {}, sure = true }
  local h, l = 0, 0
  if kind == 'f' then
    local fields = redis.call('HGETALL', key)
    local calls = 0
    for f = 1, #fields, 2 do
      if fields[f] ~= 'm' then
        if tonumber(fields[f + 1]) > now then calls = calls + 1 else table.insert(this.stale, fields[f]) end
      end
    end
    h, l = halves(whole(calls * 1000000))
    this.sure = from + lease <= now
  elseif kind == 'r' then
    local seconds = tonumber(ARGV[at + 2])
    this.number = part(this.at, seconds)
    this.ends = this.at + seconds * 1000000 * 61 / 60
    local fields = redis.call('HGETALL', key)
    for f = 1, #fields, 2 do
      local number = tonumber(fields[f])
      if number and number < this.number - 60 then table.insert(this.stale, fields[f])
      elseif number and number <= this.number then h, l = plus(h, l, fields[f + 1]) end
      if number == this.number then this.held = fields[f + 1] end
    end
    this.sure = from == 0 or part(from, seconds) + 61 <= this.number
  else
    for edge = 2, 3 do
      local begin, fin = tonumber(ARGV[at + edge]), tonumber(ARGV[at + edge + 1])
      if begin * 1000000 <= this.at and this.at < fin * 1000000 then this.number, this.ends = begin, fin * 1000000 end
    end
    -- The window that was sent is not the present one.
    if not this.number then return this end
    this.held = redis.call('HGET', key, whole(this.number))
    if this.held then
      h, l = halves(this.held)
    else
      for _, field in ipairs(redis.call('HKEYS', key)) do
        local number = tonumber(field)
        if number and number < this.number then table.insert(this.stale, field) end
      end
    end
    this.sure = from <= this.number * 1000000
  end
  local mh, ml = halves(max)
  local wh, wl = plus(h, l, amount)
  this.used = text(h, l)
  this.fits = wh < mh or (wh == mh and wl <= ml)
  return this
end

local function write(this)
  if this.kind == 'f' then
    redis.call('HSET', this.key, me, whole(now + lease), 'm', this.max)
    redis.call('PEXPIRE', this.key, whole(math.ceil((lease + MARGIN) / 1000)))
  else
    local h, l = halves(this.held or '0')
    redis.call('HSET', this.key, whole(this.number), text(plus(h, l, this.amount)), 'l', whole(this.at), 'm', this.max)
    redis.call('PEXPIRE', this.key, whole(math.ceil((this.ends - now + MARGIN) / 1000)))
  end
  -- Lua's stack holds some thousands of values only.
  for first = 1, #this.stale, 1000 do
    redis.call('HDEL', this.key, unpack(this.stale, first, math.min(first + 999, #this.stale)))
  end
end

-- Everything is read and judged before anything is written.
local all, enforced = (#ARGV - 10) / 6, tonumber(ARGV[9])
local observed = enforced + tonumber(ARGV[10])
local plan, times, again, full, unknown = {}, {}, false, nil, nil
for i = 1, all do
  local this = read(i)
  plan[i], times[i] = this, whole(this.at)
  if this.kind ~= 'f' and not this.number then again = true
  elseif i <= enforced then
    if not full and not this.fits then full = i end
    if not unknown and not this.sure then unknown = i end
  end
end
if again then return { 'edges', whole(now), unpack(times) } end
-- The attempts of a call that is not made, each by itself.
local function attempted()
  for i = observed + 1, all do
    local this = read(i)
    if this.sure and this.fits then write(this) end
  end
end
if full then
  local answer = { 'full', whole(now), id, whole(full), plan[full].used }
  for _, value in ipairs(redis.call('HGETALL', KEYS[full + 1])) do table.insert(answer, value) end
  attempted()
  return answer
end
if unknown then return { 'unknown', whole(now), since, whole(unknown) } end

local answer = { 'ok', whole(now), id }
for i = 1, enforced do
  answer[i + 3] = whole(plan[i].number or 0)
  if mode == 'take' then write(plan[i]) end
end
-- Each that is only observed, on its own: it holds nothing up, and may be the same count as the one before.
for i = enforced + 1, observed do
  local this = read(i)
  if this.sure and not this.fits then table.insert(answer, whole(i - enforced)) end
  if this.sure and this.fits and mode == 'take' then write(this) end
end
-- A call that is only looked at is not made.
if mode == 'look' then attempted() end
return answer
