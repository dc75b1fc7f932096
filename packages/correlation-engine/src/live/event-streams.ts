import type { ServerResponse } from 'node:http';
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Bus } from '../bus/bus.js';
import { EventStream, type StreamEnd } from './event-stream.js';
import type { LiveLogReader } from './live-log.js';

/** Readers of one replica: dashboards and command lines. */
export const MAX_EVENT_STREAMS = 256;

export interface EventStreamEvents {
  /** A stream is over, or was refused because there are too many. */
  ended(why: StreamEnd | 'refused'): void;
}

/** Every reader of live updates over HTTP. */
export class EventStreams {
  readonly #bus: Bus;
  readonly #log: LiveLogReader;
  readonly #events: EventStreamEvents;
  readonly #open = new Set<EventStream>();

  constructor(bus: Bus, log: LiveLogReader, events: EventStreamEvents) {
    this.#bus = bus;
    this.#log = log;
    this.#events = events;
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
    for (const stream of this.#open) stream.end('stopped');
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
