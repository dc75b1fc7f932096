import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Bus } from '../bus/bus.js';
import type { Subscription } from '../bus/subscription.js';
import { HEARTBEAT_TEXT, resetText, startText, updatesText } from './event-text.js';
import { type LiveCursor, parseCursor } from './live-cursor.js';
import type { LiveLogReader } from './live-log.js';

/** Without news a reader hears this often that the connection is alive. */
export const HEARTBEAT_MS = 15_000;
/** A reader that leaves what it was sent unread for so long is cut. */
export const PATIENCE_MS = 30_000;

/** What readers are asked to wait before they come back. */
const RETRY_MS = 2_000;
const FORGOTTEN = 'what happened since is not known one by one: look at the whole fleet';

/** Why a stream ended: the reader left, did not read, or could not be told because the database is away; or the engine stops. */
export type StreamEnd = 'left' | 'slow' | 'no_database' | 'stopped';

/** One reader. It is subscribed before the log is read, so that nothing is missed between the two. */
export class EventStream {
  readonly #bus: Bus;
  readonly #log: LiveLogReader;
  readonly #response: ServerResponse;
  readonly #lastEventId: string;
  readonly #subscription: Subscription;
  readonly #over = new AbortController();
  #why: StreamEnd = 'left';
  /** All up to here was told. */
  #told: LiveCursor = { commitSeq: 0, nowUs: 0 };

  constructor(bus: Bus, log: LiveLogReader, response: ServerResponse, lastEventId: string) {
    this.#bus = bus;
    this.#log = log;
    this.#response = response;
    this.#lastEventId = lastEventId;
    this.#subscription = bus.subscribe();
    response.once('close', () => this.end('left'));
    // Also while what was written before waits to be read.
    this.#subscription.over.addEventListener('abort', () => {
      this.end(this.#subscription.end === 'slow' ? 'slow' : 'stopped');
    });
  }

  /** Until it is over. */
  async run(): Promise<StreamEnd> {
    const heartbeat = setInterval(() => this.#heartbeat(), HEARTBEAT_MS);
    try {
      this.#begin();
      await this.#catchUp(this.#lastEventId === '' ? null : parseCursor(this.#lastEventId));
      await this.#follow();
    } catch (error) {
      this.end(this.#over.signal.aborted ? this.#why : reasonOf(error));
    } finally {
      clearInterval(heartbeat);
    }
    return this.#why;
  }

  end(why: StreamEnd): void {
    if (this.#over.signal.aborted) return;
    this.#why = why;
    this.#over.abort();
    this.#subscription.close();
    this.#response.destroy();
  }

  #begin(): void {
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // A proxy that collects the answer would hold it for ever.
      'x-accel-buffering': 'no',
    });
    this.#response.write(`retry: ${RETRY_MS}\n\n`);
  }

  /** @param cursor null = the reader has nothing yet, or an id that no engine gave */
  async #catchUp(cursor: LiveCursor | null): Promise<void> {
    const missed = await inDatabase(cursor === null ? Promise.resolve(null) : this.#log.since(cursor));
    if (missed !== null) {
      this.#told = missed;
      return this.#write(updatesText(missed));
    }
    this.#told = await inDatabase(this.#log.head());
    const begins = cursor === null && this.#lastEventId === '';
    await this.#write(begins ? startText(this.#told) : resetText(this.#told, FORGOTTEN));
  }

  async #follow(): Promise<void> {
    for (;;) {
      const delivery = await this.#subscription.next();
      if (delivery === null) return;
      if (delivery === 'missed') await this.#catchUp(this.#told);
      else if (delivery.commitSeq > this.#told.commitSeq) {
        this.#told = delivery;
        await this.#write(updatesText(delivery));
      }
    }
  }

  /** While the bus is away the database is asked at this pace. */
  #heartbeat(): void {
    if (!this.#bus.up) this.#subscription.deliver('missed');
    if (!this.#response.writableNeedDrain) this.#response.write(HEARTBEAT_TEXT);
  }

  async #write(text: string): Promise<void> {
    if (this.#over.signal.aborted || this.#response.write(text)) return;
    const late = setTimeout(() => this.end('slow'), PATIENCE_MS);
    try {
      await once(this.#response, 'drain', { signal: this.#over.signal });
    } finally {
      clearTimeout(late);
    }
  }
}

class DatabaseAway extends Error {}

async function inDatabase<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new DatabaseAway('the database did not answer', { cause });
  }
}

function reasonOf(error: unknown): StreamEnd {
  return error instanceof DatabaseAway ? 'no_database' : 'left';
}
