import type { Bus, CacheChange } from '../bus.js';
import type { LiveUpdates } from '../live-updates.js';
import type { Subscription } from '../subscription.js';

/** How the next writes end: as they should; not sent; sent, and the answer lost; sent, after which the cache was emptied. */
export type Fate = 'done' | 'unsent' | 'unanswered' | 'emptied';

/** A bus whose writes fail as they are told to; afterwards all succeed. */
export class FailingBus implements Bus {
  readonly up = true;
  readonly fates: Fate[];
  #inner: Bus;
  readonly #fresh: () => Bus;

  constructor(fresh: () => Bus, fates: Fate[]) {
    this.#fresh = fresh;
    this.#inner = fresh();
    this.fates = fates;
  }

  async put(change: CacheChange): Promise<boolean> {
    const fate = this.fates.shift() ?? 'done';
    if (fate === 'unsent') throw new Error('unsent');
    const done = await this.#inner.put(change);
    if (fate === 'unanswered') throw new Error('unanswered');
    if (fate === 'emptied') this.#inner = this.#fresh();
    return done;
  }

  generation(): Promise<string | null> {
    return this.#inner.generation();
  }

  get(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#inner.get(ids);
  }

  ids(): AsyncIterable<readonly string[]> {
    return this.#inner.ids();
  }

  publish(updates: LiveUpdates): void {
    this.#inner.publish(updates);
  }

  subscribe(): Subscription {
    return this.#inner.subscribe();
  }

  onReturn(): void {}

  stop(): Promise<void> {
    return this.#inner.stop();
  }
}
