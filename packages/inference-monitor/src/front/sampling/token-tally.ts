import type { TokenBlock } from '@sentinel/contracts/sentinel/v1/inference.js';

/** As inference.proto says. */
const BLOCK_TOKENS = 64;
/** Further tokens of one answer are not looked at. */
const MAX_TOKENS = 16_384;
/** How far rounding may put the logarithm of a probability above 0. */
const ROUNDING = 1e-3;

/** A token of an answer with what the server says of it. */
export interface Token {
  /** Natural logarithm of its probability; null = it was no number. */
  readonly logprob: number | null;
  /** Of the most likely tokens, this one among them or not; [] = not told. */
  readonly top: readonly (number | null)[];
}

/** Puts the tokens of one choice together to blocks. */
export class TokenTally {
  readonly #tokens: Token[] = [];
  #count = 0;

  /** Tokens of the answer, looked at or not. */
  get count(): number {
    return this.#count;
  }

  push(token: Token): void {
    this.#count += 1;
    if (this.#tokens.length < MAX_TOKENS) this.#tokens.push(token);
  }

  blocks(): TokenBlock[] {
    const blocks: TokenBlock[] = [];
    for (let at = 0; at < this.#tokens.length; at += BLOCK_TOKENS)
      blocks.push(block(this.#tokens.slice(at, at + BLOCK_TOKENS)));
    return blocks;
  }
}

function block(tokens: readonly Token[]): TokenBlock {
  const told = tokens.map(({ top }) => top.filter(possible)).filter(({ length }) => length > 0);
  const values = tokens.flatMap(({ logprob, top }) => [logprob, ...top]);
  return {
    logprobs: tokens.map(({ logprob }) => logprob ?? Number.NaN),
    entropy: told.length === 0 ? undefined : mean(told.map(entropy)),
    topLogprob: told.length === 0 ? undefined : mean(told.map(largest)),
    maxLogit: undefined,
    excess: told.length === 0 ? undefined : Math.max(0, largest(told.map(mass)) - 1),
    impossible: values.filter((value) => !possible(value)).length,
  };
}

function possible(logprob: number | null): logprob is number {
  return logprob !== null && Number.isFinite(logprob) && logprob <= ROUNDING;
}

/** Of the most likely tokens and of all others taken as one, nats: a lower bound of the entropy. */
function entropy(top: readonly number[]): number {
  const rest = Math.max(0, 1 - mass(top));
  const ofRest = rest === 0 ? 0 : -rest * Math.log(rest);
  return top.reduce((sum, logprob) => sum - Math.exp(logprob) * logprob, ofRest);
}

/** Of any number of values: arguments of a call are limited. */
function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}

function mass(top: readonly number[]): number {
  return top.reduce((sum, logprob) => sum + Math.exp(logprob), 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
