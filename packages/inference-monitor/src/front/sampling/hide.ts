import { type Edit, edited, elements, type Member, member, members, removal } from './json-spans.js';
import type { Added } from './openai-request.js';
import type { Shape } from './shape.js';

/** Takes from an answer, or one event of it, what the client did not ask for; every other byte stays as it was. */
export function hide(text: Buffer, added: Added, shape: Shape): Buffer {
  const top = members(text);
  const edits: Edit[] = added.tokenIds ? nulls(text, top, ['prompt_token_ids']) : [];
  const choices = top.find(({ key }) => key === 'choices');
  for (const { start } of choices === undefined ? [] : elements(text, choices.start)) {
    const inside = members(text, start);
    if (added.tokenIds) edits.push(...nulls(text, inside, ['token_ids', 'prompt_token_ids']));
    if (added.logprobs) edits.push(...withoutLogprobs(text, inside, shape));
    if (added.keepTop !== null) edits.push(...fewerTop(text, inside, added.keepTop));
  }
  return edited(text, edits);
}

function nulls(text: Buffer, all: readonly Member[], keys: readonly string[]): Edit[] {
  return all
    .filter(({ key, start }) => keys.includes(key) && isValue(text, start))
    .map(({ start, end }) => ({ start, end, text: 'null' }));
}

function withoutLogprobs(text: Buffer, all: readonly Member[], shape: Shape): Edit[] {
  const k = all.findIndex(({ key }) => key === 'logprobs');
  const found = all[k];
  if (found === undefined || !isValue(text, found.start)) return [];
  const finish = all.find(({ key }) => key === 'finish_reason');
  const last = finish !== undefined && isValue(text, finish.start);
  const absent = (last ? shape.last : shape.other) === 'absent';
  return [absent ? removal(all, k) : { start: found.start, end: found.end, text: 'null' }];
}

/** Of a chat: servers tell the likeliest tokens in an order that does not depend on how many they are. */
function fewerTop(text: Buffer, all: readonly Member[], keep: number): Edit[] {
  const logprobs = all.find(({ key }) => key === 'logprobs');
  const content = logprobs === undefined ? undefined : member(text, 'content', logprobs.start);
  return (content === undefined ? [] : elements(text, content.start)).flatMap(({ start }) => {
    const top = member(text, 'top_logprobs', start);
    const tokens = top === undefined ? [] : elements(text, top.start);
    const [first, last] = [tokens[keep], tokens.at(-1)];
    if (first === undefined || last === undefined) return [];
    return [{ start: tokens[keep - 1]?.end ?? first.start, end: last.end, text: '' }];
  });
}

function isValue(text: Buffer, at: number): boolean {
  return text[at] !== 'n'.charCodeAt(0);
}

/** Of an event that is about nothing but its tokens. */
const EVENT_KEYS = new Set(['id', 'object', 'created', 'model', 'system_fingerprint', 'choices']);
const EVENT_KEYS_WITH_USAGE = new Set([...EVENT_KEYS, 'usage']);
const CHOICE_KEYS = new Set(['index', 'delta']);
/** Of a choice: what was asked for in addition. */
const TOKEN_KEYS = new Set(['logprobs', 'token_ids']);

/**
 * An event that vLLM sends for the sake of tokens alone, while a parser of tool calls or of reasoning holds the text back: it has them, no
 * text, and nothing else.
 * @param usageInAll the client asked that each event tells what was used so far
 */
export function carriesNothing(text: Buffer, usageInAll: boolean): boolean {
  const top = members(text);
  const choices = top.findLast(({ key }) => key === 'choices');
  if (choices === undefined || !hasOnly(text, top, usageInAll ? EVENT_KEYS_WITH_USAGE : EVENT_KEYS)) return false;
  const all = elements(text, choices.start);
  return (
    all.length > 0 &&
    all.every(({ start }) => {
      const inside = members(text, start);
      const delta = inside.find(({ key }) => key === 'delta');
      const empty = delta !== undefined && members(text, delta.start).length === 0 && delta.end - delta.start >= 2;
      const told = inside.some(({ key, start: at }) => TOKEN_KEYS.has(key) && isValue(text, at));
      const rest = inside.filter(({ key }) => !TOKEN_KEYS.has(key));
      return empty && told && hasOnly(text, rest, CHOICE_KEYS);
    })
  );
}

/** Whatever else there is has no value. */
function hasOnly(text: Buffer, all: readonly Member[], keys: ReadonlySet<string>): boolean {
  return all.every(({ key, start }) => keys.has(key) || !isValue(text, start));
}
