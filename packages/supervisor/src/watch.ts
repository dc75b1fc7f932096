import type { Display } from './display.js';
import type { FleetSource } from './fleet-source.js';
import type { Stack } from './stack.js';
import type { FleetView } from './status-view.js';

const STATUS_INTERVAL_MS = 1_000;
/** While services start the status follows sooner. */
const STARTING_INTERVAL_MS = 100;
const NOT_ASKED: FleetView = { fleet: null, gates: new Map(), problem: '' };

export interface WatchOptions {
  readonly stack: Stack;
  readonly source: FleetSource;
  readonly display: Display;
  /** Rings when a service changed. */
  readonly alarm: Alarm;
  readonly stop: AbortSignal;
  /** Lines for the moment when everything serves, so many seconds after the start. */
  greeting(seconds: number): readonly string[];
}

/** Shows how services and fleet are, until a stop is asked for or a service can never start. */
export async function watch({ stack, source, display, alarm, stop, greeting }: WatchOptions): Promise<void> {
  const startedAt = performance.now();
  let greeted = false;
  while (!stop.aborted && stack.failed === undefined) {
    const answer = stack.serves('engine') ? await source.ask() : NOT_ASKED;
    if (stop.aborted) return;
    display.show({ processes: stack.statuses, ...answer, nowUs: BigInt(Date.now()) * 1000n });
    if (!greeted && stack.statuses.every(({ state }) => state === 'running')) {
      greeted = true;
      for (const line of greeting((performance.now() - startedAt) / 1000)) display.say(line);
    } else await alarm.wait(greeted ? STATUS_INTERVAL_MS : STARTING_INTERVAL_MS, stop);
  }
}

/** Shortens a wait. What rings while nobody waits is kept for the next wait. */
export class Alarm {
  #rung = Promise.withResolvers<void>();

  ring(): void {
    this.#rung.resolve();
  }

  /** Until the time is over, the alarm rings or `stop` is aborted. */
  async wait(ms: number, stop: AbortSignal): Promise<void> {
    if (stop.aborted) return;
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, ms);
    const stopped = (): void => over.resolve();
    stop.addEventListener('abort', stopped);
    await Promise.race([over.promise, this.#rung.promise]);
    clearTimeout(timer);
    stop.removeEventListener('abort', stopped);
    this.#rung = Promise.withResolvers();
  }
}
