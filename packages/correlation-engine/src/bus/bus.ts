import type { LiveUpdates } from './live-updates.js';
import type { Subscription } from './subscription.js';

/** One device's state as other engines and dashboards may read it. `json` is a CachedState. */
export interface CacheEntry {
  readonly id: string;
  /** Newest record of the log that it shows: an entry never gives way to an older one. */
  readonly commitSeq: number;
  readonly json: string;
}

/** Changes of the cache that take place together. */
export interface CacheChange {
  /** The writer's generation must be this one; null = whatever it is. */
  readonly from: string | null;
  /** The writer's generation from now on; null = as it was. */
  readonly to: string | null;
  readonly entries: readonly CacheEntry[];
  /** Ids of devices that are no more. */
  readonly removed: readonly string[];
}

export interface BusEvents {
  /** It went away (with the reason), or is there again (null). */
  changed(error: unknown): void;
  /** So many updates were given up. */
  dropped(what: BusDrop, count: number): void;
}

/** An update that the server was not sent; that a subscriber was too slow for; that another engine sent and nobody can read. */
export type BusDrop = 'publish' | 'subscriber' | 'malformed';

/**
 * Cached states and live updates, shared by the engines of one fleet. Nothing here is the truth: whoever writes must be able to write
 * it again, and MUST NOT let anything else wait for it. Every call ends within BUS_TIMEOUT_MS.
 */
export interface Bus {
  /** As far as is known, calls would be answered. */
  readonly up: boolean;
  /**
   * @returns false = the writer's generation is another one, so that the cache lacks something: nothing was changed
   * @throws SentinelError UNAVAILABLE when it is not known whether it took place
   */
  put(change: CacheChange): Promise<boolean>;
  /** The writer's generation; null = there is none: the cache is empty or somebody else's. @throws SentinelError UNAVAILABLE */
  generation(): Promise<string | null>;
  /** JSON by id; ids that are not cached are left out. @throws SentinelError UNAVAILABLE */
  get(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Ids that are cached, some at a time; one may come twice. @throws SentinelError UNAVAILABLE */
  ids(): AsyncIterable<readonly string[]>;
  /** To every subscriber of every engine, soon or never; those of this engine get it at once, in order. */
  publish(updates: LiveUpdates): void;
  /** What is published from now on. */
  subscribe(): Subscription;
  /** Calls back each time the bus is there again after it was away. */
  onReturn(listener: () => void): void;
  /** Ends every subscription. */
  stop(): Promise<void>;
}

/** No call takes longer. */
export const BUS_TIMEOUT_MS = 2_000;
