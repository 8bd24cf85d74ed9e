"""What runs inside Redis: each script is one round trip, and nothing comes in between."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tiktok_clone.common.redis import NoScriptError, Redis


@dataclass(frozen=True)
class Script:
    """A script in Lua, and the digest by which Redis knows it."""

    text: str

    @cached_property
    def digest(self) -> str:
        """SHA-1 in hex, as EVALSHA wants it."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def run(self, redis: Redis, keys: Sequence[str], values: Sequence[bytes | str | int]) -> Any:
        """Return what it answers; its text is sent only to a Redis that has not seen it."""
        try:
            return redis.evalsha(self.digest, len(keys), *keys, *values)
        except NoScriptError:
            return redis.eval(self.text, len(keys), *keys, *values)


# A reader was here: renew, and forget those who read longest ago. KEYS of readers; seconds to
# live, reader (0 for none), how many readers, prefix of all keys.
_TOUCH = """
local function touch(readers, seconds, reader, most, prefix)
  if reader == '0' then return end
  local now = redis.call('TIME')
  redis.call('ZADD', readers, now[1] * 1000000 + now[2], reader)
  redis.call('EXPIRE', readers, seconds)
  local over = redis.call('ZCARD', readers) - most
  if over > 0 then
    for _, who in ipairs(redis.call('ZRANGE', readers, 0, over - 1)) do
      local line = prefix .. 'timeline:'
      redis.call('DEL', line .. 'following:' .. who, line .. 'friends:' .. who)
      redis.call('ZREM', readers, who)
    end
  end
end
"""

# Cut a list that is too long. What is cut off raises the floor to its newest entry, which is not
# always the first of them. A list that is being built has no floor yet:
# it is forgotten, and built anew. Bytes are compared one by one: Redis compares strings by locale.
_CUT = """
local function later(one, other)
  for i = 1, 12 do
    local a, b = string.byte(one, i) or 0, string.byte(other, i) or 0
    if a ~= b then return a > b end
  end
  return false
end
local function cut(key, cap)
  local mark = redis.call('LINDEX', key, -1)
  if string.sub(mark, 1, 1) ~= 'F' then return redis.call('DEL', key) end
  local floor = string.sub(mark, 2)
  for _, entry in ipairs(redis.call('LRANGE', key, cap, -2)) do
    if later(entry, floor) then floor = entry end
  end
  redis.call('LTRIM', key, 0, cap - 1)
  redis.call('RPUSH', key, 'F' .. floor)
end
"""

# KEYS: the list. ARGV: mark, seconds for the builder.
BEGIN = Script("""
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
""")

# KEYS: the list, the readers. ARGV: seconds, reader, most, prefix, our mark, the new mark, cap,
# slack, entries.
FINISH = Script(
    _TOUCH
    + _CUT
    + """
if redis.call('LINDEX', KEYS[1], -1) ~= ARGV[5] then return 0 end
redis.call('RPOP', KEYS[1])
for i = 9, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
redis.call('RPUSH', KEYS[1], ARGV[6])
if redis.call('LLEN', KEYS[1]) > ARGV[7] + ARGV[8] + 1 then cut(KEYS[1], tonumber(ARGV[7])) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
touch(KEYS[2], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4])
return 1
"""
)

# KEYS: the readers, lists. ARGV: seconds, reader, most, prefix.
READ = Script(
    _TOUCH
    + """
local found = {}
for i = 2, #KEYS do
  local entries = redis.call('LRANGE', KEYS[i], 0, -1)
  if #entries > 0 and string.sub(entries[#entries], 1, 1) == 'F' then
    found[i - 1] = entries
  else
    found[i - 1] = false
  end
end
if found[1] then touch(KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]) end
return found
"""
)

# KEYS: lists. ARGV: entry, cap, slack.
PUSH = Script(
    _CUT
    + """
local pushed, cap, most = 0, tonumber(ARGV[2]), ARGV[2] + ARGV[3] + 1
for _, key in ipairs(KEYS) do
  local length = redis.call('LPUSHX', key, ARGV[1])
  if length > 0 then pushed = pushed + 1 end
  if length > most then cut(key, cap) end
end
return pushed
"""
)

# Take a prepared page, and the cards for it. KEYS: what is prepared for the reader. ARGV: what is
# asked for, prefix of the cards, most pages. The keys of the cards follow from what is there, so
# all keys have to be on one server.
TAKE = Script("""
local key, most = KEYS[1], tonumber(ARGV[3])
local function cards(page)
  local ids, keys = {}, {}
  for id in string.gmatch(page, '(%d+) [^\\n]+') do
    ids[#ids + 1] = id
    keys[#keys + 1] = ARGV[2] .. id
  end
  return ids, keys
end
local fields = {'order', 'pages', 'at'}
for n = 0, most do fields[n + 4] = 'asked' .. n end
local held = redis.call('HMGET', key, unpack(fields))
if not held[1] then return {'absent'} end
local pages, found, first = tonumber(held[2]), nil, string.match(held[4], '^%S+')
for n = 0, pages do
  if string.sub(held[n + 4], 1, 1) == '=' then held[n + 4] = first .. string.sub(held[n + 4], 2) end
  if held[n + 4] == ARGV[1] and n < pages then found = n end
end
if not found then return {'other'} end
local page, following = unpack(redis.call('HMGET', key, 'page' .. found, 'page' .. found + 1))
local ids, keys = cards(page)
local kept, cold = {}, 0
if #ids > 0 then
  for _, act in ipairs(redis.call('HMGET', key, unpack(ids))) do
    if act and tonumber(act) > tonumber(held[3]) then return {'acted'} end
  end
  kept = redis.call('MGET', unpack(keys))
end
if following and found + 1 < pages then
  local _, later = cards(following)
  if #later > 0 and redis.call('EXISTS', unpack(later)) < #later then cold = 1 end
end
return {'found', held[1], held[found + 5], page, kept, pages, pages - 1 - found, cold}
""")

# Keep prepared pages in place of those before. KEYS: what is prepared for the reader. ARGV:
# version, most pages, seconds, names and values of fields.
KEEP = Script("""
local key = KEYS[1]
if redis.call('HGET', key, 'version') ~= ARGV[1] then return 0 end
local old = {}
for n = 0, ARGV[2] do
  old[#old + 1] = 'page' .. n
  old[#old + 1] = 'asked' .. n
end
redis.call('HDEL', key, unpack(old))
redis.call('HSET', key, unpack(ARGV, 4))
redis.call('EXPIRE', key, ARGV[3])
return 1
""")

# The reader liked or saved something, or took it back. KEYS: what is prepared for them. ARGV: most
# acts, ids of videos.
ACT = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then return end
local acts = redis.call('HINCRBY', KEYS[1], 'acts', 1)
if acts > tonumber(ARGV[1]) then return redis.call('DEL', KEYS[1]) end
for i = 2, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], acts) end
""")

# Count views, and take all that are counted when it is time to. KEYS: what is counted, a timer.
# ARGV: until when this is good, milliseconds between two takes, then for each video its id, people,
# views and hundredths of a second.
COUNT_VIEWS = Script("""
local now = redis.call('TIME')
if now[1] * 1000 + now[2] / 1000 > tonumber(ARGV[1]) then return false end
for i = 3, #ARGV, 4 do
  for offset, name in ipairs({'shown', 'views', 'hundredths'}) do
    if ARGV[i + offset] ~= '0' then
      redis.call('HINCRBY', KEYS[1], ARGV[i] .. ':' .. name, ARGV[i + offset])
    end
  end
end
local every = tonumber(ARGV[2])
if every > 0 and not redis.call('SET', KEYS[2], '', 'NX', 'PX', every) then return {} end
local held = redis.call('HGETALL', KEYS[1])
redis.call('DEL', KEYS[1])
return held
""")
