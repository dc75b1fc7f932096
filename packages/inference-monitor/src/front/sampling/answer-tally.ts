import { type RequestSample, RequestSample_Kind } from '@sentinel/contracts/sentinel/v1/inference.js';
import { modelName } from './names.js';
import type { Route } from './openai-request.js';
import { type Token, TokenTally } from './token-tally.js';

/** Token ids of a longer prompt or answer are not kept. */
const MAX_REPLAY_TOKENS = 16_384;

interface Choice {
  readonly index?: number;
  readonly logprobs?: unknown;
  readonly token_ids?: unknown;
  readonly prompt_token_ids?: unknown;
}

interface Answer {
  readonly model?: unknown;
  readonly choices?: readonly Choice[];
  readonly usage?: { readonly prompt_tokens?: unknown; readonly completion_tokens?: unknown } | null;
  readonly prompt_token_ids?: unknown;
}

/** Reads an answer of the OpenAI API, whole or by its events, and puts a sample together. */
export class AnswerTally {
  readonly #route: Route;
  readonly #tallies = new Map<number, TokenTally>();
  #model = '';
  #promptTokens = 0;
  #completionTokens = 0;
  #prompt: number[] = [];
  #completion: number[] = [];

  constructor(route: Route) {
    this.#route = route;
  }

  push(answer: Answer): void {
    if (typeof answer.model === 'string') this.#model = answer.model;
    const { prompt_tokens: prompt, completion_tokens: completion } = answer.usage ?? {};
    if (typeof prompt === 'number') this.#promptTokens = prompt;
    if (typeof completion === 'number') this.#completionTokens = completion;
    this.#takePrompt(answer.prompt_token_ids);
    for (const choice of Array.isArray(answer.choices) ? answer.choices : []) this.#takeChoice(choice);
  }

  /** @returns null where nothing was told of any token */
  sample(): Pick<RequestSample, 'kind' | 'model' | 'promptTokens' | 'completionTokens' | 'blocks'> | null {
    const tallies = [...this.#tallies.entries()].sort(([a], [b]) => a - b).map(([, tally]) => tally);
    const counted = tallies.reduce((sum, { count }) => sum + count, 0);
    if (counted === 0) return null;
    return {
      kind: this.#route === 'chat' ? RequestSample_Kind.CHAT : RequestSample_Kind.COMPLETION,
      model: modelName(this.#model),
      promptTokens: this.#promptTokens || this.#prompt.length,
      completionTokens: this.#completionTokens || counted,
      blocks: tallies.flatMap((tally) => tally.blocks()),
    };
  }

  /** Of the first choice; null where the server did not tell them all. */
  get tokens(): { prompt: number[]; completion: number[] } | null {
    const whole = this.#completion.length === this.#tallies.get(0)?.count;
    if (!whole || this.#prompt.length === 0) return null;
    return { prompt: this.#prompt, completion: this.#completion };
  }

  #takeChoice(choice: Choice): void {
    const index = typeof choice.index === 'number' ? choice.index : 0;
    if (index === 0) {
      this.#takePrompt(choice.prompt_token_ids);
      const room = MAX_REPLAY_TOKENS - this.#completion.length;
      this.#completion.push(...tokenIds(choice.token_ids).slice(0, room));
    }
    const tokens = this.#route === 'chat' ? chatTokens(choice.logprobs) : completionTokens(choice.logprobs);
    if (tokens.length === 0) return;
    const tally = this.#tallies.get(index) ?? new TokenTally();
    this.#tallies.set(index, tally);
    for (const token of tokens) tally.push(token);
  }

  #takePrompt(ids: unknown): void {
    if (this.#prompt.length === 0) this.#prompt = tokenIds(ids);
  }
}

function tokenIds(ids: unknown): number[] {
  if (!Array.isArray(ids) || ids.length > MAX_REPLAY_TOKENS) return [];
  return ids.every((id) => Number.isInteger(id) && id >= 0) ? (ids as number[]) : [];
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function chatTokens(logprobs: unknown): Token[] {
  const { content } = (logprobs ?? {}) as { readonly content?: unknown };
  if (!Array.isArray(content)) return [];
  return (content as { logprob?: unknown; top_logprobs?: unknown }[]).map(({ logprob, top_logprobs: top }) => ({
    logprob: number(logprob),
    top: Array.isArray(top) ? (top as { logprob?: unknown }[]).map((each) => number(each.logprob)) : [],
  }));
}

function completionTokens(logprobs: unknown): Token[] {
  const { token_logprobs: chosen, top_logprobs: tops } = (logprobs ?? {}) as {
    readonly token_logprobs?: unknown;
    readonly top_logprobs?: unknown;
  };
  if (!Array.isArray(chosen)) return [];
  return chosen.map((logprob: unknown, k) => {
    const top = Array.isArray(tops) ? (tops[k] as unknown) : null;
    const told = typeof top === 'object' && top !== null ? Object.values(top).map(number) : [];
    return { logprob: number(logprob), top: told };
  });
}
