import { setTimeout as delay } from 'node:timers/promises';
import OpenAI from 'openai';
import { TINY } from '../../inference/servers.js';
import { drawPrompt } from './questions.js';

/** Of each replica. */
const PERIOD_MS = 500;
const MAX_IN_FLIGHT = 8;
const MAX_TOKENS = 8;
const ASK_MS = 120_000;

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
}

/** Users of one replica, at a steady rate. */
export class Users {
  readonly counts: Asked = { answered: 0, failedByMonitor: 0, failedByServer: 0 };
  readonly #doors: Doors;
  readonly #next: () => number;
  readonly #timer: NodeJS.Timeout;
  readonly #log: (line: string) => void;
  #inFlight = 0;

  /** @param next uniform in [0, 1) */
  constructor(doors: Doors, next: () => number, log: (line: string) => void) {
    this.#doors = doors;
    this.#next = next;
    this.#log = log;
    this.#timer = setInterval(() => {
      if (this.#inFlight < MAX_IN_FLIGHT) void this.#ask(drawPrompt(this.#next), this.#next() < 0.5);
    }, PERIOD_MS);
  }

  async #ask(prompt: string, chat: boolean): Promise<void> {
    this.#inFlight += 1;
    try {
      await complete(this.#doors.url, prompt, chat);
      this.counts.answered += 1;
    } catch (error) {
      try {
        await complete(this.#doors.direct, prompt, chat);
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
}

async function complete(url: string, prompt: string, chat: boolean): Promise<void> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0, timeout: ASK_MS });
  const common = { model: TINY, max_tokens: MAX_TOKENS, temperature: 1 };
  if (chat) await client.chat.completions.create({ ...common, messages: [{ role: 'user', content: prompt }] });
  else await client.completions.create({ ...common, prompt });
}
