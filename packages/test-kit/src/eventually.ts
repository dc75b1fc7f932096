import { setTimeout as delay } from 'node:timers/promises';

/** Far beyond what anything takes, a machine that stands still for seconds included. */
const TIMEOUT_MS = 60_000;
const INTERVAL_MS = 20;

export interface EventuallyOptions {
  /** What is waited for, in the words of the error. */
  readonly what: string;
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

/**
 * Polls until `predicate` gives something other than false, null or undefined, and resolves with it. What it throws counts as "not yet".
 * @throws Error saying what was waited for and what the predicate threw last, which is its cause
 */
export async function eventually<T>(
  predicate: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  options: EventuallyOptions,
): Promise<T> {
  const { what, timeoutMs = TIMEOUT_MS, intervalMs = INTERVAL_MS } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    try {
      const value = await predicate();
      if (value !== false && value !== null && value !== undefined) return value;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) throw new Error(`not within ${timeoutMs} ms: ${what}${last(cause)}`, { cause });
    await delay(intervalMs);
  }
}

function last(cause: unknown): string {
  return cause === undefined ? '' : ` (last: ${cause instanceof Error ? cause.message : String(cause)})`;
}
