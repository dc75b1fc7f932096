import type { Random } from '@sentinel/monitor-kit/testing/random';
import type { Answer } from '../../analysers/finding.js';
import type { Replay } from '../../analysers/replay-watch.js';
import { digestOf } from './replicas.js';

const SIDE = 4;

/** A fault of one rank's multiplier: a flipped bit of one product, in each computation or in one of them. */
export interface ProductFault {
  readonly rank: number;
  readonly stays: boolean;
}

/** A micro-batch of `rank` as the library replays it: by itself, by its neighbour, and where they disagree by a third rank. */
export function replayed(rank: number, ranks: number, random: Random, fault: ProductFault | null): Replay {
  const inputs = Float32Array.from({ length: 2 * SIDE * SIDE }, () => Math.fround(random.normal()));
  const flip = { element: random.integer(SIDE * SIDE), bit: random.integer(32) };
  const once = random.integer(2);
  const compute = (by: number, turn: number): string => {
    const product = multiply(inputs);
    if (fault?.rank === by && (fault.stays || turn === once)) {
      const bits = new Uint32Array(product.buffer);
      bits[flip.element] = (bits[flip.element] ?? 0) ^ (1 << flip.bit);
    }
    return digestOf(product);
  };
  const neighbour = (rank + 1) % ranks;
  const answers: Answer[] = [
    { rank, digest: compute(rank, 0), again: false },
    { rank, digest: compute(rank, 1), again: true },
    { rank: neighbour, digest: compute(neighbour, 0), again: true },
  ];
  if (new Set(answers.map(({ digest }) => digest)).size > 1) {
    const third = (rank + 2) % ranks;
    answers.push({ rank: third, digest: compute(third, 0), again: true });
  }
  return { rank, answers, asked: false, originalMayDiffer: false };
}

function multiply(inputs: Float32Array): Float32Array<ArrayBuffer> {
  const product = new Float32Array(SIDE * SIDE);
  for (let row = 0; row < SIDE; row += 1) {
    for (let column = 0; column < SIDE; column += 1) {
      let sum = 0;
      for (let k = 0; k < SIDE; k += 1) {
        sum = Math.fround(
          sum + Math.fround((inputs[row * SIDE + k] ?? 0) * (inputs[SIDE * SIDE + k * SIDE + column] ?? 0)),
        );
      }
      product[row * SIDE + column] = sum;
    }
  }
  return product;
}
