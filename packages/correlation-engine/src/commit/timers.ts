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
  /** When the timer fires, and when the last record was asked for, on the monotonic clock, ms. */
  #atMs = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #waiting = false;
  #stopped = false;

  constructor(committer: Committer, clock: Clock) {
    this.#committer = committer;
    this.#clock = clock;
  }

  /**
   * After every transaction. A timer that fires early enough is left alone: transactions that follow each other closely must not
   * push it ahead of them for ever.
   */
  schedule(): void {
    if (this.#waiting || this.#stopped) return;
    const due = dueAt(this.#committer.state);
    if (due === undefined) return this.#clear();
    const ms = Math.ceil((due - Number(this.#clock.nowUs())) / 1000);
    const nowMs = this.#clock.monotonicMs();
    const atMs = Math.max(this.#lastMs + MIN_INTERVAL_MS, nowMs + Math.min(MAX_INTERVAL_MS, Math.max(0, ms)));
    if (this.#timer !== undefined && this.#atMs <= atMs) return;
    this.#clear();
    this.#atMs = atMs;
    this.#timer = setTimeout(() => this.#fire(), Math.ceil(atMs - nowMs));
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#clear();
  }

  #fire(): void {
    this.#timer = undefined;
    const due = dueAt(this.#committer.state);
    if (due === undefined || due > Number(this.#clock.nowUs())) return this.schedule();
    this.#waiting = true;
    this.#lastMs = this.#clock.monotonicMs();
    const done = (): void => {
      this.#waiting = false;
      this.schedule();
    };
    this.#committer.submit({ kind: 'own', record: { kind: 'timer' }, committed: done, failed: done });
  }
}
