import type { Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import { SentinelError } from '@sentinel/service-kit/errors';
import { saysNonfinite } from '../../front/sampling/nonfinite.js';
import { type ModelAnswer, textNumber } from '../digest.js';
import { malformed, OF_A_USER, pathOf, type UpstreamHttp } from './http.js';
import { fieldsOf, listOf, numbersOf, textOf } from './json.js';

const COMPLETIONS = '/v1/completions';
const CHAT = '/v1/chat/completions';

/** Values of one answer that are kept; of longer ones the last, which are those of the answer and not of the prompt. */
export const MAX_VALUES = 4_096;

/** Tokens that a request of a user is continued by when it is computed again. */
const MAX_REPLAYED_TOKENS = 64;

/** Fields of a user's request that change what is computed, beside those that are set here. */
const KEPT = [
  'messages',
  'prompt',
  'tools',
  'tool_choice',
  'response_format',
  'stop',
  'suffix',
  'chat_template_kwargs',
];

/** What is asked for beside the question: the prompt's own tokens, and fields that only some servers know. */
interface Wishes {
  readonly echo: boolean;
  readonly extra: boolean;
}

/** TensorRT-LLM refuses fields that it does not know, others to tell of the prompt. */
const CANARY_WISHES: readonly Wishes[] = [
  { echo: true, extra: true },
  { echo: false, extra: true },
  { echo: true, extra: false },
  { echo: false, extra: false },
];
const REPLAY_WISHES: readonly Wishes[] = [
  { echo: true, extra: true },
  { echo: true, extra: false },
];

/** The most likely token, always, and how likely it is. */
const GREEDY = { temperature: 0, top_p: 1, seed: 0, n: 1, stream: false } as const;

export interface OpenAiAnswer extends ModelAnswer {
  /** What the server says of its configuration, '' where it says nothing; absent where no answer could be written. */
  readonly fingerprint?: string;
}

/** Questions to a server with OpenAI's interface, as vLLM, SGLang and TensorRT-LLM have it. */
export class OpenAiServer {
  readonly #http: UpstreamHttp;
  /** What the server was not found to refuse yet: it is not asked again for what it does. */
  #canaries: readonly Wishes[] = CANARY_WISHES;
  #replays: readonly Wishes[] = REPLAY_WISHES;
  #asked = 0;

  constructor(http: UpstreamHttp) {
    this.#http = http;
  }

  /** Greedy continuation of a prompt, with the probabilities of its own tokens where the server tells them. @throws SentinelError */
  async canary(model: string, prompt: string, maxTokens: number): Promise<OpenAiAnswer> {
    return orNonfinite(this.#canary(model, prompt, maxTokens));
  }

  async #canary(model: string, prompt: string, maxTokens: number): Promise<OpenAiAnswer> {
    const body = { model, prompt, max_tokens: maxTokens, ...GREEDY, logprobs: 1 };
    const { answer, left } = await firstTaken(this.#canaries, ({ echo, extra }) =>
      this.#http.postJson(COMPLETIONS, { ...body, ...(extra ? this.#extra() : {}), ...(echo ? { echo } : {}) }),
    );
    this.#canaries = left;
    return completionOf(answer);
  }

  /** The prompt and the answer that was given, teacher forced in one prefill; else the request again, greedily. @throws SentinelError */
  async replay(model: string, replay: Replay): Promise<OpenAiAnswer> {
    return orNonfinite(this.#replay(model, replay));
  }

  async #replay(model: string, { prompt, completion, body, path }: Replay): Promise<OpenAiAnswer> {
    if (completion.length > 0) {
      const tokens = { prompt: [...prompt, ...completion], max_tokens: 1 };
      const asked = { model, ...tokens, ...GREEDY, logprobs: 1, echo: true };
      return prefillOf(await this.#replayed(COMPLETIONS, asked));
    }
    if (path !== COMPLETIONS && path !== CHAT)
      throw new SentinelError({
        code: 'INVALID_ARGUMENT',
        field: 'path',
        message: `${pathOf(path)} is not computed again`,
      });
    const known = fieldsOf(parsed(body));
    const kept = Object.fromEntries(KEPT.filter((key) => key in known).map((key) => [key, known[key]]));
    const logprobs = path === CHAT ? { logprobs: true, top_logprobs: 1 } : { logprobs: 1 };
    const asked = { model, ...kept, max_tokens: MAX_REPLAYED_TOKENS, ...GREEDY, ...logprobs };
    const answer = await this.#replayed(path, asked);
    return path === CHAT ? chatOf(answer) : completionOf(answer);
  }

  async #replayed(path: string, asked: object): Promise<unknown> {
    const { answer, left } = await firstTaken(this.#replays, ({ extra }) =>
      this.#http.postJson(path, { ...asked, ...(extra ? this.#extra() : {}) }, OF_A_USER),
    );
    this.#replays = left;
    return answer;
  }

  /** Fields of vLLM: numbers of tokens, and a prefix of its own, so that nothing comes out of a cache. */
  #extra(): Record<string, unknown> {
    this.#asked += 1;
    return { return_token_ids: true, cache_salt: `sentinel ${Date.now()} ${this.#asked}` };
  }
}

/**
 * Asks for ever less where the server does not understand what it is asked for.
 * @returns what it took, and what is left to ask for
 */
async function firstTaken(wishes: readonly Wishes[], ask: (wish: Wishes) => Promise<unknown>) {
  for (const [i, wish] of wishes.entries()) {
    try {
      return { answer: await ask(wish), left: wishes.slice(i) };
    } catch (error) {
      const isTooMuch = SentinelError.from(error).code === 'INVALID_ARGUMENT' && !isNonfinite(error);
      if (!isTooMuch || i === wishes.length - 1) throw error;
    }
  }
  throw new SentinelError({ code: 'INTERNAL', message: 'there is nothing to ask for' });
}

/** What a server refuses may be words of a user: they are in no message. */
function isNonfinite(error: unknown): boolean {
  const { message, cause } = SentinelError.from(error);
  return saysNonfinite(`${message} ${cause instanceof Error ? cause.message : ''}`);
}

/** A server that cannot write its logarithms of probabilities has answered too: they are no numbers. */
async function orNonfinite(answer: Promise<OpenAiAnswer>): Promise<OpenAiAnswer> {
  try {
    return await answer;
  } catch (error) {
    if (isNonfinite(error)) return { tokens: [], values: [Number.NaN] };
    throw error;
  }
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw new SentinelError({ code: 'INVALID_ARGUMENT', field: 'body', message: 'is no JSON' });
  }
}

function choiceOf(answer: unknown, path: string) {
  const fields = fieldsOf(answer);
  const choice = listOf(fields['choices'])[0];
  if (choice === undefined) throw malformed(path, 'has no choice');
  return { choice: fieldsOf(choice), fingerprint: textOf(fields['system_fingerprint']) };
}

/** A server without probabilities is compared by its text alone. */
function completionOf(answer: unknown): OpenAiAnswer {
  const { choice, fingerprint } = choiceOf(answer, COMPLETIONS);
  const logprobs = fieldsOf(choice['logprobs']);
  const ids = numbersOf(choice['token_ids']);
  const texts = listOf(logprobs['tokens']).map(textOf);
  const tokens = ids.length > 0 ? ids : (texts.length > 0 ? texts : [textOf(choice['text'])]).map(textNumber);
  return { tokens, values: lastOf(numbersOf(logprobs['token_logprobs'])), fingerprint };
}

/** Without the token that had to be asked for. */
function prefillOf(answer: unknown): OpenAiAnswer {
  const { choice, fingerprint } = choiceOf(answer, COMPLETIONS);
  const values = numbersOf(fieldsOf(choice['logprobs'])['token_logprobs']);
  if (values.length < 2) throw malformed(COMPLETIONS, 'tells no probabilities of the prompt');
  return { tokens: [], values: lastOf(values.slice(0, -1)), fingerprint };
}

function chatOf(answer: unknown): OpenAiAnswer {
  const { choice, fingerprint } = choiceOf(answer, CHAT);
  const content = listOf(fieldsOf(choice['logprobs'])['content']).map(fieldsOf);
  const said = fieldsOf(choice['message']);
  const texts = content.length > 0 ? content.map(({ token }) => textOf(token)) : [JSON.stringify(said)];
  const values = lastOf(numbersOf(content.map(({ logprob }) => logprob)));
  return { tokens: texts.map(textNumber), values, fingerprint };
}

function lastOf(values: number[]): number[] {
  return values.slice(-MAX_VALUES);
}
