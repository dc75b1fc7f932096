import { SentinelError } from '@sentinel/service-kit/errors';
import type { BusDrop, BusEvents } from '../bus.js';

/** Remembers what a bus says of itself. */
export class BusLog implements BusEvents {
  /** Sentences; null = it was there again. */
  readonly changes: (string | null)[] = [];
  readonly #dropped = new Map<BusDrop, number>();

  changed(error: unknown): void {
    this.changes.push(error === null ? null : SentinelError.from(error).sentence);
  }

  dropped(what: BusDrop, count: number): void {
    this.#dropped.set(what, this.droppedOf(what) + count);
  }

  droppedOf(what: BusDrop): number {
    return this.#dropped.get(what) ?? 0;
  }
}
