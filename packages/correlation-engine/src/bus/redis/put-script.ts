import type { CacheChange } from '../bus.js';
import { type FleetKeys, KEPT_S } from './keys.js';

/** Everything of a change or nothing, in one step of the server. */
export const PUT_SCRIPT = `
local states, generation, from, to, entries = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[5])
if from ~= '' and redis.call('HGET', states, generation) ~= from then return 0 end
local last = 5 + entries * 3
for i = 6, last, 3 do
  local known = redis.call('HGET', states, ARGV[i])
  local seq = known and tonumber(string.match(known, '^%d+'))
  if not seq or seq <= tonumber(ARGV[i + 1]) then
    redis.call('HSET', states, ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2])
  end
end
for i = last + 1, #ARGV do redis.call('HDEL', states, ARGV[i]) end
if to ~= '' then redis.call('HSET', states, generation, to) end
redis.call('EXPIRE', states, ARGV[4])
return 1`;

/** Keys and arguments of the script. */
export function putArguments({ states, generation }: FleetKeys, change: CacheChange): string[] {
  const { from, to, entries, removed } = change;
  const head = [generation, from ?? '', to ?? '', String(KEPT_S), String(entries.length)];
  const triples = entries.flatMap(({ id, commitSeq, json }) => [id, String(commitSeq), json]);
  return [states, ...head, ...triples, ...removed];
}

/** The JSON of a field's `COMMIT_SEQ JSON`. */
export function jsonOf(field: string): string {
  return field.slice(field.indexOf(' ') + 1);
}
