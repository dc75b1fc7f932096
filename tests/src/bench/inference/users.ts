import { setTimeout as delay } from 'node:timers/promises';

const MAX_IN_FLIGHT = 8;

/** One request, drawn: asks it at a URL. @throws Error where it fails */
export type Ask = (url: string) => Promise<void>;

export interface Asked {
  answered: number;
  /** The server answers the same request where nothing is between. */
  failedByMonitor: number;
  /** It fails there as well. */
  failedByServer: number;
}

export interface Doors {
  /** The sidecar. */
  readonly url: string;
  /** The server behind it. */
  readonly direct: string;
  readonly periodMs: number;
}

/** Users of one replica, at a steady rate. */
export class Users implements AsyncDisposable {
  readonly counts: Asked = { answered: 0, failedByMonitor: 0, failedByServer: 0 };
  readonly #doors: Doors;
  readonly #timer: NodeJS.Timeout;
  readonly #log: (line: string) => void;
  #inFlight = 0;

  /** @param draw a request */
  constructor(doors: Doors, draw: () => Ask, log: (line: string) => void) {
    this.#doors = doors;
    this.#log = log;
    this.#timer = setInterval(() => {
      if (this.#inFlight < MAX_IN_FLIGHT) void this.#ask(draw());
    }, doors.periodMs);
  }

  async #ask(ask: Ask): Promise<void> {
    this.#inFlight += 1;
    try {
      await ask(this.#doors.url);
      this.counts.answered += 1;
    } catch (error) {
      try {
        await ask(this.#doors.direct);
        this.counts.failedByMonitor += 1;
        this.#log(`a request failed, and not where it was asked directly: ${String(error)}`);
      } catch {
        this.counts.failedByServer += 1;
      }
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Resolves when all that was asked is answered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    while (this.#inFlight > 0) await delay(100);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
