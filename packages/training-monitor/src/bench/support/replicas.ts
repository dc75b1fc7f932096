import { createHash } from 'node:crypto';
import type { Random } from '@sentinel/monitor-kit/testing/random';
import type { Held } from '../../analysers/replica-watch.js';

/** Words of a simulated replica: half parameters, half optimizer state. */
const WORDS = 256;
const DIGEST_DIGITS = 32;

/** Data-parallel replicas that make the same update in every step, bit for bit. */
export class Replicas {
  readonly #ranks: Float32Array[];

  constructor(ranks: number) {
    this.#ranks = Array.from({ length: ranks }, () => new Float32Array(WORDS));
  }

  step(random: Random): void {
    const gradient = Float32Array.from({ length: WORDS }, () => random.next() - 0.5);
    for (const words of this.#ranks) {
      for (let k = 0; k < WORDS; k += 1) words[k] = Math.fround((words[k] ?? 0) * 0.9 + (gradient[k] ?? 0));
    }
  }

  flip(rank: number, random: Random): void {
    const bits = new Uint32Array(this.#ranks[rank]?.buffer ?? new ArrayBuffer(4));
    const word = random.integer(bits.length);
    bits[word] = (bits[word] ?? 0) ^ (1 << random.integer(32));
  }

  /** As all ranks have it again, for example from a checkpoint. */
  repair(rank: number, from: number): void {
    const source = this.#ranks[from];
    if (source !== undefined) this.#ranks[rank]?.set(source);
  }

  held(): Held {
    return { checksums: this.checksums(), blocks: [] };
  }

  /** Of parameters, then of the optimizer's state. The library has its own sums; here any digest does. */
  checksums(): string[] {
    return this.#ranks.map((words) => {
      const halves = [words.subarray(0, WORDS / 2), words.subarray(WORDS / 2)];
      return halves.map((half) => digestOf(half).slice(0, DIGEST_DIGITS)).join('');
    });
  }
}

export function digestOf(values: Float32Array): string {
  return createHash('md5')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex');
}
