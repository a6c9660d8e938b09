-- Says that counts are known from here on: because nothing was ever counted, or because somebody says so.
--
-- KEYS  1 the generation
-- ARGV  1 begin | confirm  2 the id of a new generation  3 the server's run
-- Answers 1 when this changed anything.
local id, since = unpack(redis.call('HMGET', KEYS[1], 'id', 'since'))
if id and (ARGV[1] == 'begin' or since == '0') then return 0 end
redis.call('HSET', KEYS[1], 'id', id or ARGV[2], 'since', '0', 'run', ARGV[3])
return 1
