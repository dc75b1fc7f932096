import type { Finding } from './finding.js';

/** Part of the weights that one worker holds. */
export interface WeightShard {
  readonly worker: number;
  /** Lower-case hexadecimal digits; expected '' = there is no manifest. */
  readonly digest: string;
  readonly expected: string;
  /** Names of tensors that differ from the manifest. */
  readonly differing: readonly string[];
}

export interface Weights {
  readonly timeUs: number;
  readonly algorithm: string;
  readonly shards: readonly WeightShard[];
  /** On purpose they are others than in the report before. */
  readonly reloaded: boolean;
}

/** By worker, what it held when it was last right. */
export type WeightState = Readonly<Record<string, string>>;

/** Workers that are remembered. */
const MAX_WORKERS = 1_024;

/** Resident weights of one replica: they change when they are loaded, and never else. */
export class WeightWatch {
  readonly #known: Map<string, string>;
  /** By worker, the wrong value that was told. */
  readonly #told = new Map<number, string>();

  constructor(state: WeightState = {}) {
    this.#known = new Map(Object.entries(state));
  }

  get state(): WeightState {
    return Object.fromEntries(this.#known);
  }

  take({ shards, algorithm, reloaded, timeUs }: Weights): Finding[] {
    if (reloaded) {
      this.#known.clear();
      this.#told.clear();
    }
    return shards.flatMap((shard) => {
      const { worker, digest } = shard;
      const reason = this.#wrong(shard, algorithm);
      if (reason === null) {
        this.#told.delete(worker);
        if (this.#known.size < MAX_WORKERS) this.#known.set(keyOf(worker, algorithm), digest);
        return [];
      }
      if (this.#told.get(worker) === digest) return [];
      this.#told.set(worker, digest);
      const known = { type: 'INVARIANT_VIOLATION', detector: 'weights', severity: 'CRITICAL' } as const;
      const value = Math.max(1, shard.differing.length);
      const detail = `The weights of worker ${worker} ${reason}`;
      const onUntold = () => void this.#told.delete(worker);
      return [{ ...known, workers: [worker], timeUs, value, limit: 0, detail, onUntold }];
    });
  }

  #wrong({ worker, digest, expected, differing }: WeightShard, algorithm: string): string | null {
    const names = differing.length === 0 ? '' : `: ${differing.join(', ')}`;
    if (expected !== '') return digest === expected ? null : `are not what their manifest says${names}`;
    const before = this.#known.get(keyOf(worker, algorithm));
    return before === undefined || before === digest ? null : `changed while nothing was loaded${names}`;
  }
}

function keyOf(worker: number, algorithm: string): string {
  return `${worker} ${algorithm}`;
}
