import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Bus } from '../bus/bus.js';
import type { LiveUpdates } from '../bus/live-updates.js';
import type { Subscription } from '../bus/subscription.js';
import { EventText, endText, HEARTBEAT_TEXT } from './event-text.js';
import { parseCursor } from './live-cursor.js';
import type { LiveLog } from './live-log.js';

/** Without news a reader hears this often that the connection is alive. */
export const HEARTBEAT_MS = 15_000;
/** A reader that leaves what it was sent unread for so long is cut. */
export const PATIENCE_MS = 30_000;
/** So long the last words may take to leave. */
const LINGER_MS = 1_000;
/** What readers are asked to wait before they come back. */
const RETRY_MS = 2_000;
const FORGOTTEN = 'what happened since is not known one by one: look at the whole fleet';

/** Why a stream ended: the reader left, did not read, or could not be told because the database is away; or the engine stops. */
export type StreamEnd = 'left' | 'slow' | 'no_database' | 'stopped';

/** The same for the reader, which comes back with the id of its newest event. */
const LAST_WORDS: Readonly<Record<Exclude<StreamEnd, 'left'>, string>> = {
  slow: 'this reader did not keep up',
  no_database: 'the database does not answer',
  stopped: 'this engine stops',
};

/** One reader. It is subscribed before the log is read, so that nothing is missed between the two. */
export class EventStream {
  readonly #log: LiveLog;
  readonly #text: EventText;
  readonly #response: ServerResponse;
  readonly #lastEventId: string;
  readonly #subscription: Subscription;
  readonly #over = new AbortController();
  #why: StreamEnd = 'left';
  /** All up to this record was told; null = nothing yet. */
  #told: number | null = null;

  constructor(bus: Bus, log: LiveLog, response: ServerResponse, lastEventId: string) {
    this.#log = log;
    this.#text = new EventText(log.fleet);
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
      await this.#catchUp(this.#lastEventId === '' ? null : parseCursor(this.#log.fleet, this.#lastEventId));
      await this.#follow();
    } catch (error) {
      this.end(error instanceof DatabaseAway ? 'no_database' : 'left');
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
    if (why === 'left') this.#response.destroy();
    else this.#bidFarewell(LAST_WORDS[why]);
  }

  /** Something was committed, as the database says: where the bus has not brought it, it is asked for. */
  committed(commitSeq: number): void {
    if (this.#told !== null && this.#told < commitSeq) this.#subscription.deliver('missed');
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

  /** @param after null = the reader has nothing yet, or an id that no engine of this fleet gave */
  async #catchUp(after: number | null): Promise<void> {
    const missed = await inDatabase(after === null ? Promise.resolve(null) : this.#log.since(after));
    if (missed !== null) {
      this.#told = missed.commitSeq;
      return this.#write(this.#text.updates(missed));
    }
    const head = await inDatabase(this.#log.head());
    this.#told = head;
    const begins = after === null && this.#lastEventId === '';
    await this.#write(begins ? this.#text.start(head) : this.#text.reset(head, FORGOTTEN));
  }

  async #follow(): Promise<void> {
    for (;;) {
      const delivery = await this.#subscription.next();
      if (delivery === null) return;
      const told = this.#told ?? 0;
      if (delivery === 'missed') await this.#catchUp(told);
      else if (delivery.commitSeq > told) await this.#tell(delivery, told);
    }
  }

  /** Where the one before did not come through, the database has both. */
  async #tell(updates: LiveUpdates, told: number): Promise<void> {
    if (updates.after > told) return this.#catchUp(told);
    this.#told = updates.commitSeq;
    await this.#write(this.#text.updates(updates));
  }

  #heartbeat(): void {
    if (!this.#over.signal.aborted && !this.#response.writableNeedDrain) this.#response.write(HEARTBEAT_TEXT);
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

  /** Whoever does not read them in time is cut all the same. */
  #bidFarewell(reason: string): void {
    const cut = setTimeout(() => this.#response.destroy(), LINGER_MS);
    this.#response.once('close', () => clearTimeout(cut));
    this.#response.end(endText(reason));
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
