import type { Clock } from '@sentinel/service-kit/clock';
import type { DirectiveLog } from './directive-log.js';

const DAY_US = 86_400_000_000;
const EVERY_MS = 3_600_000;

/** Gives up directives that are older than the configuration says, now and once an hour. */
export class Retention {
  readonly #log: DirectiveLog;
  readonly #clock: Clock;
  readonly #days: () => number;
  readonly #failed: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(log: DirectiveLog, clock: Clock, days: () => number, failed: (error: unknown) => void) {
    this.#log = log;
    this.#clock = clock;
    this.#days = days;
    this.#failed = failed;
  }

  start(): void {
    this.#prune();
    this.#timer = setInterval(() => this.#prune(), EVERY_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  #prune(): void {
    const beforeUs = Number(this.#clock.nowUs()) - this.#days() * DAY_US;
    // What could not be given up now is given up an hour later.
    this.#running = this.#log.prune(beforeUs).catch(this.#failed);
  }
}
