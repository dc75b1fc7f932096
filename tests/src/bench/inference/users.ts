import { setTimeout as delay } from 'node:timers/promises';
import { APIConnectionError } from 'openai';

const MAX_IN_FLIGHT = 8;

/** One request, drawn: asks it at a URL. @throws Error where it fails */
export type Ask = (url: string) => Promise<void>;

export interface Asked {
  answered: number;
  /**
   * No answer began on a connection that was kept, and the same request was answered on another: the server may close one as it is used, and
   * clients ask again, as that of OpenAI does by itself.
   */
  connectionsLost: number;
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
  readonly counts: Asked = { answered: 0, connectionsLost: 0, failedByMonitor: 0, failedByServer: 0 };
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
    const { url, direct } = this.#doors;
    try {
      const error = await failureOf(ask(url));
      if (error === null) this.counts.answered += 1;
      else if (isConnection(error) && (await failureOf(ask(url))) === null) this.counts.connectionsLost += 1;
      else if ((await failureOf(ask(direct))) !== null) this.counts.failedByServer += 1;
      else {
        this.counts.failedByMonitor += 1;
        this.#log(`a request failed, and not where it was asked directly: ${String(error)}`);
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

async function failureOf(asking: Promise<void>): Promise<Error | null> {
  try {
    await asking;
    return null;
  } catch (error) {
    return error as Error;
  }
}

/** Nothing was answered: of OpenAI's client, and of fetch. */
function isConnection(error: Error): boolean {
  return error instanceof APIConnectionError || (error instanceof TypeError && error.message === 'fetch failed');
}
