import type { Replay } from '@sentinel/contracts/sentinel/v1/inference.js';
import type { Sample } from '../../analysers/sample.js';

/** A request of a user that other replicas can compute again, and what was answered to it. */
export interface Sampled {
  readonly replay: Replay;
  /** Logarithms of the probabilities of the answer's tokens; [] = not known. */
  readonly logprobs: readonly number[];
}

/** Null where it cannot be computed again. */
export function sampledOf({ blocks }: Pick<Sample, 'blocks'>, replay: Replay): Sampled | null {
  if (replay.completion.length === 0 && replay.body.length === 0) return null;
  const logprobs = blocks.flatMap((block) => block.logprobs);
  return { replay, logprobs: logprobs.length === replay.completion.length ? logprobs : [] };
}

/** Of the requests since the last replay one, each with the same probability. */
export class Reservoir {
  readonly #random: () => number;
  #held: Sampled | null = null;
  #seen = 0;

  /** @param random uniform in [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
  }

  get isEmpty(): boolean {
    return this.#held === null;
  }

  offer(sampled: Sampled): void {
    this.#seen += 1;
    if (this.#random() * this.#seen < 1) this.#held = sampled;
  }

  take(): Sampled | null {
    const held = this.#held;
    this.#held = null;
    this.#seen = 0;
    return held;
  }
}
