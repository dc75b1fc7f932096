import { type Edit, edited, members } from './json-spans.js';
import type { Doubt } from './plan.js';

/** Most likely tokens that are asked for: every server allows five. */
const TOP = 5;

export type Route = 'completions' | 'chat';

export const OPENAI_ROUTES: Readonly<Record<string, Route>> = {
  '/v1/completions': 'completions',
  '/v1/chat/completions': 'chat',
};

/**
 * What changes what is asked for, or what a server answers when more is asked: nobody is certain what the client would get. `echo` repeats the prompt
 * among the tokens; beam search and `best_of` rank by what is asked for; the rest ask for other logarithms.
 */
const CONFLICTS = [
  'echo',
  'best_of',
  'use_beam_search',
  'prompt_logprobs',
  'logprob_token_ids',
  'return_tokens_as_token_ids',
];

/** What is added to a request, and so has to be taken from its answer. */
export interface Added {
  readonly logprobs: boolean;
  readonly tokenIds: boolean;
  /** More of the likeliest tokens: the client gets the first so many; null = none were added. */
  readonly keepTop: number | null;
}

export interface Asking {
  readonly stream: boolean;
  readonly model: string;
  /** The client wants logarithms of probabilities itself. */
  readonly asksLogprobs: boolean;
  readonly asksTokenIds: boolean;
  /** Likeliest tokens that the client of a chat gets where more are asked for; null = no more can be asked for. */
  readonly fewTop: number | null;
  /** Each event tells what was used so far: then that alone is no reason to send one. */
  readonly usageInAll: boolean;
  /** Text, or numbers of tokens, are all that the model is given: pictures, sound and embeddings are in no token. */
  readonly isText: boolean;
}

type Json = Record<string, unknown>;

/** What the client asks. @returns a doubt where the request is not understood */
export function readAsking(body: Buffer, route: Route): Asking | Doubt {
  let request: Json;
  try {
    const parsed = JSON.parse(body.toString('utf8')) as unknown;
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'malformed';
    request = parsed as Json;
  } catch {
    return 'malformed';
  }
  const {
    stream = false,
    model = '',
    logprobs = null,
    top_logprobs: top = null,
    return_token_ids: ids = null,
  } = request;
  if (typeof stream !== 'boolean' && stream !== null) return 'conflict';
  if (CONFLICTS.some((key) => isSet(request[key]))) return 'conflict';
  const asksLogprobs = route === 'chat' ? logprobs === true : typeof logprobs === 'number';
  const plain =
    route === 'chat' ? [null, false, true].includes(logprobs as boolean | null) : logprobs === null || asksLogprobs;
  if (!plain || (route === 'chat' && !asksLogprobs && isSet(top))) return 'conflict';
  // How a server writes that no likeliest tokens were asked for is its own.
  const few = route === 'chat' && asksLogprobs ? top : null;
  return {
    stream: stream === true,
    model: typeof model === 'string' ? model : '',
    asksLogprobs,
    asksTokenIds: ids === true,
    usageInAll: tellsUsageInAll(request['stream_options']),
    isText: isText(request),
    fewTop: typeof few === 'number' && Number.isInteger(few) && few > 0 && few < TOP ? few : null,
  };
}

function tellsUsageInAll(options: unknown): boolean {
  return (options as { readonly continuous_usage_stats?: unknown } | null | undefined)?.continuous_usage_stats === true;
}

function isText({ messages, prompt_embeds: embeddings }: Json): boolean {
  const parts = (Array.isArray(messages) ? messages : []).flatMap((message: unknown) => {
    const content = (message as { readonly content?: unknown } | null)?.content;
    return Array.isArray(content) ? (content as unknown[]) : [];
  });
  const isPlain = (part: unknown): boolean =>
    typeof part === 'string' || (part as { readonly type?: unknown } | null)?.type === 'text';
  return !isSet(embeddings) && parts.every(isPlain);
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0;
}

/** The same request with more asked for; every other byte stays as it was. */
export function withMoreAsked(body: Buffer, route: Route, added: Added): Buffer {
  const wanted: [key: string, text: string][] = [];
  if (added.logprobs && route === 'chat') wanted.push(['logprobs', 'true'], ['top_logprobs', String(TOP)]);
  if (added.keepTop !== null) wanted.push(['top_logprobs', String(TOP)]);
  if (added.logprobs && route === 'completions') wanted.push(['logprobs', String(TOP)]);
  if (added.tokenIds) wanted.push(['return_token_ids', 'true']);
  const there = members(body);
  const edits: Edit[] = [];
  let appended = '';
  for (const [key, text] of wanted) {
    const said = there.filter((each) => each.key === key);
    for (const { start, end } of said) edits.push({ start, end, text });
    if (said.length === 0) appended += `,"${key}":${text}`;
  }
  const last = there.at(-1);
  if (last !== undefined && appended !== '') edits.push({ start: last.end, end: last.end, text: appended });
  return edited(body, edits);
}
