import type { Bus, BusEvents, CacheChange, CacheEntry } from './bus.js';
import { FanOut } from './fan-out.js';
import type { LiveUpdates } from './live-updates.js';
import type { Subscription } from './subscription.js';

/** The bus of a single engine: in its own memory. */
export class MemoryBus implements Bus {
  readonly up = true;
  readonly #entries = new Map<string, CacheEntry>();
  readonly #fanOut: FanOut;
  #generation: string | null = null;

  constructor(events: BusEvents) {
    this.#fanOut = new FanOut((count) => events.dropped('subscriber', count));
  }

  async put({ from, to, entries, removed }: CacheChange): Promise<boolean> {
    if (from !== null && from !== this.#generation) return false;
    for (const entry of entries) {
      const known = this.#entries.get(entry.id);
      if (known === undefined || known.commitSeq <= entry.commitSeq) this.#entries.set(entry.id, entry);
    }
    for (const id of removed) this.#entries.delete(id);
    if (to !== null) this.#generation = to;
    return true;
  }

  async generation(): Promise<string | null> {
    return this.#generation;
  }

  async get(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const id of ids) {
      const entry = this.#entries.get(id);
      if (entry !== undefined) found.set(id, entry.json);
    }
    return found;
  }

  async *ids(): AsyncIterable<readonly string[]> {
    yield [...this.#entries.keys()];
  }

  publish(updates: LiveUpdates): void {
    this.#fanOut.deliver(updates);
  }

  subscribe(): Subscription {
    return this.#fanOut.subscribe();
  }

  /** It is never away. */
  onReturn(): void {}

  async stop(): Promise<void> {
    this.#fanOut.stop();
  }
}
