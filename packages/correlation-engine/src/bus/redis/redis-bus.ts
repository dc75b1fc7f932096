import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Bus, BusEvents, CacheChange } from '../bus.js';
import { FanOut } from '../fan-out.js';
import { type LiveUpdates, parseLiveUpdates } from '../live-updates.js';
import type { Subscription } from '../subscription.js';
import { endClient, type RedisOptions, redisClient } from './client.js';
import { type FleetKeys, fleetKeys, isDevice } from './keys.js';
import { jsonOf, PUT_SCRIPT, putArguments } from './put-script.js';
import { type RedisPlace, redisError, redisPlace } from './redis-error.js';

/** Updates that may be on their way to the server. */
export const MAX_UNSENT_UPDATES = 1_024;
/** Fields that one step of a scan looks at, about. */
const SCAN_COUNT = 512;
/** A connection on which nothing comes back is noticed after this and BUS_TIMEOUT_MS. */
const PING_MS = 2_000;
/** A server that does not let this engine listen is asked again after this time. */
const REFUSED_MS = 5_000;

export interface RedisBusOptions extends RedisOptions {
  /** Id of the fleet's database: fleets that share a server do not see each other. */
  readonly fleet: string;
  /** Names this engine among those of its fleet, the same after a restart. */
  readonly writer: string;
  /** Connections at most. With one nothing is heard of other engines. */
  readonly poolSize: number;
}

/** The bus over a Redis server. One connection writes and reads, another listens. */
export class RedisBus implements Bus {
  readonly #id = randomUUID();
  readonly #keys: FleetKeys;
  readonly #place: RedisPlace;
  readonly #events: BusEvents;
  readonly #fanOut: FanOut;
  readonly #writer: Redis;
  readonly #listener: Redis | null;
  readonly #pings: NodeJS.Timeout;
  readonly #returned: (() => void)[] = [];
  #again: NodeJS.Timeout | undefined;
  #up = false;
  #unsent = 0;
  #reason: unknown = null;
  /** Commands that the server answers with a refusal. */
  readonly #refused = new Set<string>();

  constructor(options: RedisBusOptions, events: BusEvents) {
    this.#keys = fleetKeys(options.fleet, options.writer);
    this.#place = redisPlace(options.url);
    this.#events = events;
    this.#fanOut = new FanOut((count) => events.dropped('subscriber', count));
    this.#writer = this.#open(redisClient(options, 'sentinel-engine'));
    this.#listener = options.poolSize > 1 ? this.#listen(redisClient(options, 'sentinel-engine-live')) : null;
    this.#pings = setInterval(() => this.#ping(), PING_MS);
  }

  get up(): boolean {
    return this.#up;
  }

  async put(change: CacheChange): Promise<boolean> {
    const [states = '', ...values] = putArguments(this.#keys, change);
    return (await this.#ask('put', () => this.#writer.eval(PUT_SCRIPT, 1, states, ...values))) === 1;
  }

  generation(): Promise<string | null> {
    return this.#ask('generation', () => this.#writer.hget(this.#keys.states, this.#keys.generation));
  }

  async get(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (ids.length === 0) return new Map();
    const fields = await this.#ask('get', () => this.#writer.hmget(this.#keys.states, ...ids));
    const found = new Map<string, string>();
    for (const [i, id] of ids.entries()) {
      const field = fields[i];
      if (typeof field === 'string') found.set(id, jsonOf(field));
    }
    return found;
  }

  async *ids(): AsyncIterable<readonly string[]> {
    let cursor = '0';
    do {
      const from = cursor;
      const [next, fields] = await this.#ask('ids', () =>
        this.#writer.hscan(this.#keys.states, from, 'COUNT', SCAN_COUNT),
      );
      yield fields.filter((field, i) => i % 2 === 0 && isDevice(field));
      cursor = next;
    } while (cursor !== '0');
  }

  publish(updates: LiveUpdates): void {
    this.#fanOut.deliver(updates);
    if (!this.#up || this.#unsent >= MAX_UNSENT_UPDATES) return this.#events.dropped('publish', 1);
    this.#unsent += 1;
    this.#writer
      .publish(this.#keys.live, JSON.stringify({ from: this.#id, ...updates }))
      .then(
        () => this.#took('publish'),
        (error: unknown) => {
          this.#events.dropped('publish', 1);
          this.#refuses('publish', error);
        },
      )
      .finally(() => {
        this.#unsent -= 1;
      });
  }

  subscribe(): Subscription {
    return this.#fanOut.subscribe();
  }

  onReturn(listener: () => void): void {
    this.#returned.push(listener);
  }

  async stop(): Promise<void> {
    clearInterval(this.#pings);
    clearTimeout(this.#again);
    this.#fanOut.stop();
    for (const client of [this.#writer, this.#listener])
      if (client !== null) endClient(client.removeAllListeners('close'));
  }

  #open(writer: Redis): Redis {
    return writer
      .on('ready', () => this.#isUp())
      .on('error', (error) => {
        this.#reason = error;
      })
      .on('close', () => this.#isAway(this.#reason));
  }

  #isUp(): void {
    this.#up = true;
    this.#reason = null;
    this.#refused.clear();
    this.#events.changed(null);
    for (const returned of this.#returned) returned();
  }

  #isAway(reason: unknown): void {
    this.#up = false;
    this.#events.changed(redisError(reason, this.#place));
  }

  /** What is published while it has no connection is missed. */
  #listen(listener: Redis): Redis {
    let missed = false;
    return listener
      .on('error', () => {})
      .on('close', () => {
        missed = true;
      })
      .on('ready', () => {
        listener.subscribe(this.#keys.live).then(
          () => {
            if (missed) this.#fanOut.deliver('missed');
            missed = false;
            this.#took('subscribe');
          },
          (error: unknown) => {
            this.#refuses('subscribe', error);
            this.#again = setTimeout(() => listener.disconnect(true), isRefusal(error) ? REFUSED_MS : 0);
          },
        );
      })
      .on('message', (_, message) => this.#heard(message));
  }

  /** Its own come back too: they were delivered when they were published. */
  #heard(message: string): void {
    const value = parsed(message);
    if ((value as { from?: unknown } | null)?.from === this.#id) return;
    const updates = parseLiveUpdates(value);
    if (updates === null) this.#events.dropped('malformed', 1);
    else this.#fanOut.deliver(updates);
  }

  #ping(): void {
    for (const client of [this.#writer, this.#listener]) {
      if (client?.status !== 'ready') continue;
      client.ping().catch((error: unknown) => this.#silent(client, error));
    }
  }

  async #ask<T>(what: string, command: () => Promise<T>): Promise<T> {
    try {
      const answer = await command();
      this.#took(what);
      return answer;
    } catch (error) {
      if (isTimeout(error)) this.#silent(this.#writer, error);
      this.#refuses(what, error);
      throw redisError(this.#up ? error : (this.#reason ?? notYet()), this.#place);
    }
  }

  /** The server is there and says no: it lacks rights, room, or is a copy. */
  #refuses(what: string, error: unknown): void {
    if (!this.#up || !isRefusal(error)) return;
    this.#refused.add(what);
    this.#events.changed(redisError(error, this.#place));
  }

  #took(what: string): void {
    if (this.#refused.delete(what) && this.#refused.size === 0) this.#events.changed(null);
  }

  /** Nothing comes back: another connection may fare better. */
  #silent(client: Redis, error: unknown): void {
    if (client.status !== 'ready') return;
    if (client === this.#writer) {
      this.#reason = error;
      this.#isAway(error);
    }
    client.disconnect(true);
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
}

function notYet(): Error {
  return new Error('it is not connected yet');
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

function parsed(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return null;
  }
}
