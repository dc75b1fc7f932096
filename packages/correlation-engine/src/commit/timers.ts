import type { Clock } from '@sentinel/service-kit/clock';
import { dueAt } from '../core.js';
import type { Committer } from './committer.js';

/** Even a core that asks again at once gets no more timer records than this allows. */
const MIN_INTERVAL_MS = 200;
/** setTimeout's range ends at 2^31 ms; nothing is due so precisely a day ahead. */
const MAX_INTERVAL_MS = 3_600_000;

/** Commits a timer record when time alone may change something, and never otherwise: an idle fleet leaves an idle log. */
export class Timers {
  readonly #committer: Committer;
  readonly #clock: Clock;
  #timer: NodeJS.Timeout | undefined;
  #waiting = false;
  #stopped = false;

  constructor(committer: Committer, clock: Clock) {
    this.#committer = committer;
    this.#clock = clock;
  }

  /** After every transaction. */
  schedule(): void {
    if (this.#waiting || this.#stopped) return;
    clearTimeout(this.#timer);
    const due = dueAt(this.#committer.state);
    if (due === undefined) return;
    const ms = Math.ceil((due - Number(this.#clock.nowUs())) / 1000);
    this.#timer = setTimeout(() => this.#fire(), Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, ms)));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #fire(): void {
    const due = dueAt(this.#committer.state);
    if (due === undefined || due > Number(this.#clock.nowUs())) return this.schedule();
    this.#waiting = true;
    const done = (): void => {
      this.#waiting = false;
      this.schedule();
    };
    this.#committer.submit({ kind: 'own', record: { kind: 'timer' }, committed: done, failed: done });
  }
}
