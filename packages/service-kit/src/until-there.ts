import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from './backoff.js';
import type { SentinelError } from './errors.js';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

export interface Patience {
  /** What a failure means: UNAVAILABLE passes by itself. */
  readonly explain: (failure: unknown) => SentinelError;
  /** Heard after each try: why it failed, or null. */
  readonly heard: (error: SentinelError | null) => void;
  /** Ends the waiting. */
  readonly signal: AbortSignal | undefined;
  /** Waits in place of a timer. */
  readonly pause?: (ms: number) => Promise<void>;
}

/**
 * Tries again, ever more seldom, while a store is away.
 * @throws SentinelError what waiting does not mend; AbortError once the signal is given
 */
export async function untilThere<T>(
  work: () => Promise<T>,
  { explain, heard, signal, pause }: Patience,
  backoff = new Backoff({ firstMs: FIRST_RETRY_MS, lastMs: LAST_RETRY_MS }),
): Promise<T> {
  for (;;) {
    const outcome = await work().then(
      (value) => ({ value }),
      (failure: unknown) => ({ error: explain(failure) }),
    );
    if ('value' in outcome) {
      heard(null);
      return outcome.value;
    }
    if (outcome.error.code !== 'UNAVAILABLE') throw outcome.error;
    heard(outcome.error);
    const ms = backoff.nextMs();
    await (pause?.(ms) ?? sleep(ms, undefined, signal === undefined ? {} : { signal }));
  }
}
