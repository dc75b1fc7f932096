import type { LiveUpdates } from './live-updates.js';

/** Updates that wait for one subscriber. Beyond it the subscriber is behind for good. */
export const MAX_WAITING_UPDATES = 256;

/** `missed`: updates may have been published that nobody here was told of; what is known has to be asked for anew. */
export type Delivery = LiveUpdates | 'missed';

/** Why no more comes: the subscriber did not keep up, or one side has had enough. */
export type End = 'slow' | 'closed';

/** One reader's bounded queue. */
export class Subscription {
  readonly #onEnd: (end: End, dropped: number) => void;
  readonly #over = new AbortController();
  #waiting: Delivery[] = [];
  #wake: (() => void) | null = null;
  #end: End | null = null;

  /** @param onEnd called once, with the number of deliveries that were given up */
  constructor(onEnd: (end: End, dropped: number) => void) {
    this.#onEnd = onEnd;
  }

  /** null = more may come. */
  get end(): End | null {
    return this.#end;
  }

  /** Aborted with the end. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** The oldest that waits; null = it is over. One call at a time. */
  async next(): Promise<Delivery | null> {
    while (this.#end === null && this.#waiting.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#waiting.shift() ?? null;
  }

  /** By the bus. */
  deliver(delivery: Delivery): void {
    if (this.#end !== null) return;
    if (this.#waiting.length >= MAX_WAITING_UPDATES) return this.#finish('slow', 1);
    this.#waiting.push(delivery);
    this.#wake?.();
  }

  close(): void {
    this.#finish('closed', 0);
  }

  #finish(end: End, undelivered: number): void {
    if (this.#end !== null) return;
    this.#end = end;
    const dropped = end === 'slow' ? this.#waiting.length + undelivered : 0;
    this.#waiting = [];
    this.#wake?.();
    this.#over.abort();
    this.#onEnd(end, dropped);
  }
}
