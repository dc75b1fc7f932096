/**
 * Seals: every so often a system entry states what was logged since the seal before: range, counts per type and the root
 * of every batch. Ranges leave nothing out, so the totals survive pruning and are provably complete.
 */
import type { JsonValue } from '../detail/canonical.js';
import { LeafType } from '../leaf/leaf.js';

/** A seal is due when this many batches or entries wait for one: its detail stays below 64 KiB and a restart re-reads little. */
export const MAX_BATCHES_PER_SEAL = 256;
export const MAX_ENTRIES_PER_SEAL = 2 ** 17;

export interface SealedBatch {
  readonly commit: number;
  readonly firstSeq: number;
  readonly types: readonly LeafType[];
  readonly batchRoot: Uint8Array;
  /** The batch holds nothing but a seal; alone it calls for no further one. */
  readonly onlySeal: boolean;
}

type Counts = ReadonlyMap<LeafType, number>;

export class SealTracker {
  #batches: { batch: Omit<SealedBatch, 'types'>; count: number; byType: Counts }[] = [];

  add({ types, ...batch }: SealedBatch): void {
    this.#batches.push({ batch, count: types.length, byType: tally(types) });
  }

  /** Something other than the last seal itself awaits sealing. */
  get pending(): boolean {
    return this.#batches.some(({ batch }) => !batch.onlySeal);
  }

  get full(): boolean {
    return this.#batches.length >= MAX_BATCHES_PER_SEAL || this.#entries() >= MAX_ENTRIES_PER_SEAL;
  }

  /** First commit whose entries no seal covers; undefined when all are covered. */
  get firstUnsealedCommit(): number | undefined {
    return this.#batches[0]?.batch.commit;
  }

  /** First entry that no seal covers; undefined when all are covered. */
  get firstUnsealedSeq(): number | undefined {
    return this.#batches[0]?.batch.firstSeq;
  }

  /** Detail of the seal that covers everything waiting. */
  detail(): JsonValue {
    const first = this.#batches[0]?.batch.firstSeq;
    if (first === undefined) throw new Error('nothing to seal');
    const entries = this.#entries();
    return {
      event: 'seal',
      first,
      last: first + entries - 1,
      counts: this.#counts(),
      batches: this.#batches.map(({ batch }) => ({
        first: batch.firstSeq,
        root: Buffer.from(batch.batchRoot).toString('hex'),
      })),
    };
  }

  /** To be called once the seal is committed. */
  sealed(): void {
    this.#batches = [];
  }

  #entries(): number {
    return this.#batches.reduce((sum, { count }) => sum + count, 0);
  }

  #counts(): { [name: string]: number } {
    const counts: { [name: string]: number } = {};
    for (const [name, type] of Object.entries(LeafType)) {
      const count = this.#batches.reduce((sum, { byType }) => sum + (byType.get(type) ?? 0), 0);
      if (count > 0) counts[name] = count;
    }
    return counts;
  }
}

function tally(types: readonly LeafType[]): Counts {
  const counts = new Map<LeafType, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}
