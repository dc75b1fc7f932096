/** Wall time that shares one seed per family across the fleet. */
export const EPOCH_MS = 10_000;

/** Indices that one write to disk sets aside, so that a burst does not write per execution. */
export const INDEX_BLOCK = 64;

export function epochAt(wallMs: number): number {
  return Math.floor(wallMs / EPOCH_MS);
}

/** What must be on disk before a seed is used. */
export interface SavedIndices {
  /** Latest epoch in which an index was taken. */
  readonly latestEpoch: number;
  /** Epoch of the index taken last: earlier than `latestEpoch` after the clock was set back. */
  readonly epoch: number;
  /** Every index up to this one may have been used in `epoch`. */
  readonly reserved: number;
  /** Every index up to this one may have been used in some epoch. */
  readonly highest: number;
  /** Per family, the latest epoch whose index 0 was used. */
  readonly scheduled: Readonly<Record<string, number>>;
}

export const NO_INDICES: SavedIndices = { latestEpoch: -1, epoch: -1, reserved: 0, highest: 0, scheduled: {} };

/**
 * Hands out the seed indices of one device, none of them twice, across restarts and clock steps.
 * `save` must make the state durable before it returns.
 */
export class SeedIndices {
  #saved: SavedIndices;
  #last: number;
  readonly #save: (state: SavedIndices) => void;

  constructor(saved: SavedIndices, save: (state: SavedIndices) => void) {
    this.#saved = saved;
    this.#last = saved.reserved;
    this.#save = save;
  }

  /** The device's next unused index of this epoch, counting from 1. */
  next(epoch: number): number {
    const { latestEpoch, highest } = this.#saved;
    if (epoch !== this.#saved.epoch) {
      // An epoch from before a clock step may have been in use: only indices beyond every earlier one are surely free.
      this.#last = epoch > latestEpoch ? 0 : highest;
      this.#reserve(epoch);
    } else if (this.#last >= this.#saved.reserved) {
      this.#reserve(epoch);
    }
    this.#last += 1;
    return this.#last;
  }

  /** Whether a scheduled run of `family` may start in this epoch; false until the next one when index 0 is already used. */
  mayRunScheduled(family: string, epoch: number): boolean {
    return this.#saved.scheduled[family] !== epoch;
  }

  /** Index of a scheduled run: 0, or after the clock was set back an index that was surely not used. */
  scheduled(family: string, epoch: number): number {
    const latest = this.#saved.scheduled[family] ?? -1;
    if (epoch < latest) return this.next(epoch);
    this.#commit({ ...this.#saved, scheduled: { ...this.#saved.scheduled, [family]: epoch } });
    return 0;
  }

  #reserve(epoch: number): void {
    const reserved = this.#last + INDEX_BLOCK;
    const latestEpoch = Math.max(epoch, this.#saved.latestEpoch);
    this.#commit({ ...this.#saved, epoch, latestEpoch, reserved, highest: Math.max(reserved, this.#saved.highest) });
  }

  #commit(state: SavedIndices): void {
    this.#save(state);
    this.#saved = state;
  }
}
