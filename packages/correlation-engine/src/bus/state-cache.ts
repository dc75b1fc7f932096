import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '@sentinel/service-kit/backoff';
import type { Bus, CacheEntry } from './bus.js';

/** Devices written in one step: a millisecond of the server's time. */
export const CHUNK_DEVICES = 256;
/** The cache is looked at this often, also when nothing changes: it may have been emptied. */
const CHECK_MS = 2_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** Goes up when CachedState changes its meaning: what an earlier release wrote is then written anew. */
const FORMAT = 1;

/** The committed state, as the cache takes it. Read between transactions. */
export interface CacheSource {
  /** Newest record of the log. */
  commitSeq(): number;
  ids(): Iterable<string>;
  has(id: string): boolean;
  /** A CachedState; null = there is no such device. */
  json(id: string): string | null;
}

export interface StateCacheEvents {
  /** The cache lacked something and was written as a whole. */
  rewritten(devices: number): void;
}

/**
 * Keeps the bus's cached states as the engine's committed ones. It holds ids of changed devices alone (at most all there are) and reads
 * their state when it writes, so that nothing waits for it and nothing is lost by its being away. The generation is the newest record
 * that the cache shows; where another is found, the whole is written anew.
 */
export class StateCache {
  readonly #bus: Bus;
  readonly #source: CacheSource;
  readonly #events: StateCacheEvents;
  readonly #changed = new Set<string>();
  readonly #backoff = new Backoff({ firstMs: FIRST_RETRY_MS, lastMs: LAST_RETRY_MS });
  /** Generations that the last write may have left, the newest last; [] = not known yet. */
  #possible: string[] = [];
  #generation: string | null = null;
  #news = new AbortController();
  #stopped = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(bus: Bus, source: CacheSource, events: StateCacheEvents) {
    this.#bus = bus;
    this.#source = source;
    this.#events = events;
    bus.onReturn(() => this.#wake());
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** These devices changed, came or went, in a transaction that memory shows. */
  changed(ids: Iterable<string>): void {
    const before = this.#changed.size;
    for (const id of ids) this.#changed.add(id);
    if (before === 0 && this.#changed.size > 0) this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#loop;
  }

  #wake(): void {
    this.#news.abort();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#news = new AbortController();
      const waitMs = this.#bus.up ? await this.#work() : CHECK_MS;
      if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.#news.signal }).catch(() => {});
    }
  }

  /** @returns how long there is nothing to do, ms */
  async #work(): Promise<number> {
    try {
      this.#generation ??= await this.#findGeneration();
      if (this.#generation === null) await this.#rewrite();
      else await this.#write(this.#generation);
      if (this.#generation === null) return this.#backoff.nextMs();
      this.#backoff.reset();
      return this.#changed.size === 0 ? CHECK_MS : 0;
    } catch {
      // The bus says that it is away. Whether the last write took place is seen later.
      this.#generation = null;
      return this.#backoff.nextMs();
    }
  }

  /** null = what is there is not what this engine knows. */
  async #findGeneration(): Promise<string | null> {
    const possible = this.#possible.length > 0 ? this.#possible : [this.#own()];
    const found = await this.#bus.generation();
    return found !== null && possible.includes(found) ? found : null;
  }

  #own(): string {
    return `${FORMAT}:${this.#source.commitSeq()}`;
  }

  async #write(from: string): Promise<void> {
    const ids = [...this.#changed].slice(0, CHUNK_DEVICES);
    const { entries, removed } = this.#read(ids);
    for (const id of ids) this.#changed.delete(id);
    // Only once nothing is left does the cache show the newest record.
    const to = this.#changed.size === 0 ? this.#own() : from;
    this.#possible = [from, to];
    try {
      const done = await this.#bus.put({ from, to, entries, removed });
      this.#generation = done ? to : null;
      if (!done) this.#possible = [UNKNOWN];
    } catch (error) {
      for (const id of ids) this.#changed.add(id);
      throw error;
    }
  }

  /** All devices, in steps. A cache that is emptied meanwhile loses the generation, and the next step fails. */
  async #rewrite(): Promise<void> {
    const unfinished = `${this.#own()} unfinished`;
    this.#possible = [UNKNOWN];
    this.#changed.clear();
    const ids = [...this.#source.ids()];
    await this.#bus.put({ from: null, to: unfinished, entries: [], removed: [] });
    const until = this.#own();
    for (let i = 0; i < ids.length; i += CHUNK_DEVICES) {
      const { entries, removed } = this.#read(ids.slice(i, i + CHUNK_DEVICES));
      if (!(await this.#bus.put({ from: unfinished, to: null, entries, removed }))) return;
      if (this.#stopped) return;
    }
    await this.#removeUnknown();
    if (!(await this.#bus.put({ from: unfinished, to: until, entries: [], removed: [] }))) return;
    this.#generation = until;
    this.#possible = [until];
    this.#events.rewritten(ids.length);
  }

  /** Devices that went while nobody could be told. */
  async #removeUnknown(): Promise<void> {
    for await (const ids of this.#bus.ids()) {
      const removed = ids.filter((id) => !this.#source.has(id));
      if (removed.length > 0) await this.#bus.put({ from: null, to: null, entries: [], removed });
    }
  }

  #read(ids: readonly string[]): { entries: CacheEntry[]; removed: string[] } {
    const commitSeq = this.#source.commitSeq();
    const entries: CacheEntry[] = [];
    const removed: string[] = [];
    for (const id of ids) {
      const json = this.#source.json(id);
      if (json === null) removed.push(id);
      else entries.push({ id, commitSeq, json });
    }
    return { entries, removed };
  }
}

/** Matches no generation. */
const UNKNOWN = '';
