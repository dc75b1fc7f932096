import type { ServerResponse } from 'node:http';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Bus } from '../bus/bus.js';
import { EventStream, type StreamEnd } from './event-stream.js';
import type { LiveLog } from './live-log.js';

/** Readers of one replica: dashboards and command lines. */
export const MAX_EVENT_STREAMS = 256;
/** While somebody reads, the database is asked this often whether the bus has brought everything. */
const CHECK_MS = 2_000;

export interface EventStreamEvents {
  /** A stream is over, or was refused because there are too many. */
  ended(why: StreamEnd | 'refused'): void;
}

/**
 * Every reader of live updates over HTTP. The bus is quick and may lose: Redis fails, or an engine is killed between its commit and
 * its word. So the database has the last one.
 */
export class EventStreams {
  readonly #bus: Bus;
  readonly #log: LiveLog;
  readonly #events: EventStreamEvents;
  readonly #open = new Set<EventStream>();
  readonly #checks: NodeJS.Timeout;
  #checking = false;

  constructor(bus: Bus, log: LiveLog, events: EventStreamEvents) {
    this.#bus = bus;
    this.#log = log;
    this.#events = events;
    this.#checks = setInterval(() => void this.#check(), CHECK_MS);
    this.#checks.unref();
  }

  get size(): number {
    return this.#open.size;
  }

  /**
   * @param lastEventId of the newest event that the reader has; '' = it begins
   * @returns what writes the answer
   * @throws SentinelError RESOURCE_EXHAUSTED
   */
  open(lastEventId: string): (response: ServerResponse) => void {
    if (this.#open.size >= MAX_EVENT_STREAMS) {
      this.#events.ended('refused');
      throw tooMany();
    }
    return (response) => {
      const stream = new EventStream(this.#bus, this.#log, response, lastEventId);
      this.#open.add(stream);
      void stream.run().then((why) => {
        this.#open.delete(stream);
        this.#events.ended(why);
      });
    };
  }

  /** Readers come back, to another replica if need be, with the id of their newest event. */
  stop(): void {
    clearInterval(this.#checks);
    for (const stream of this.#open) stream.end('stopped');
  }

  /** One question for all. A database that does not answer commits nothing meanwhile. */
  async #check(): Promise<void> {
    if (this.#open.size === 0 || this.#checking) return;
    this.#checking = true;
    try {
      const newest = await this.#log.newest();
      for (const stream of this.#open) stream.committed(newest);
    } catch {
      // Asked again at the next turn.
    } finally {
      this.#checking = false;
    }
  }
}

function tooMany(): SentinelError {
  return new SentinelError({
    code: 'RESOURCE_EXHAUSTED',
    message: `${MAX_EVENT_STREAMS} readers of live updates are connected already`,
    retryAfterMs: 10_000,
    hint: 'Close one, or ask another replica.',
  });
}
