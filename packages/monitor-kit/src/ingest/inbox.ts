/** Records that wait for the analysers, of all streams together. */
export const MAX_WAITING = 8_192;

/** Of one stream, so that one rank cannot take the room of others. */
export const MAX_WAITING_OF_ONE = 512;

/** Records that are analysed before the sockets are read again. */
const BATCH = 32;

interface Waiting {
  readonly from: Lane;
  readonly work: () => void;
}

/** What waits of one stream. */
export interface Lane {
  waiting: number;
}

/**
 * Between reading and analysing: sockets are always read, so that no job waits for an analyser that is slow. What finds no room is dropped
 * and counted.
 */
export class Inbox {
  readonly #queue: Waiting[] = [];
  readonly #onFailure: (error: unknown) => void;
  #running = false;
  #idle: (() => void)[] = [];
  dropped = 0;

  /** @param onFailure an analyser threw, which none should */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** False where the record was dropped. */
  push(from: Lane, work: () => void): boolean {
    if (this.#queue.length >= MAX_WAITING || from.waiting >= MAX_WAITING_OF_ONE) {
      this.dropped += 1;
      return false;
    }
    from.waiting += 1;
    this.#queue.push({ from, work });
    if (!this.#running) {
      this.#running = true;
      setImmediate(() => this.#run());
    }
    return true;
  }

  /** Resolves when nothing waits. */
  idle(): Promise<void> {
    if (!this.#running) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #run(): void {
    for (const { from, work } of this.#queue.splice(0, BATCH)) {
      from.waiting -= 1;
      try {
        work();
      } catch (error) {
        this.#onFailure(error);
      }
    }
    if (this.#queue.length > 0) {
      setImmediate(() => this.#run());
      return;
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
