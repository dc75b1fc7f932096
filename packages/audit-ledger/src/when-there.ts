/** A start that waits for its store: what passes by itself is said in one sentence per reason, what does not ends the start. */
import { SentinelError } from '@sentinel/service-kit/errors';
import type { Logger } from '@sentinel/service-kit/logging';
import { untilThere } from '@sentinel/service-kit/until-there';
import { publicOpenError } from './open-errors.js';
import type { Backend } from './storage/backend.js';

/** A store that stays away for the same reason is said again after this time. */
const REPEAT_MS = 60_000;

/** @throws SentinelError what waiting does not mend; AbortError once `signal` is given */
export async function whenThere<T>(
  open: () => Promise<T>,
  { place }: Pick<Backend, 'place'>,
  log: Logger,
  signal: AbortSignal,
): Promise<T> {
  let said: { readonly reason: string; readonly atMs: number } | undefined;
  const heard = (error: SentinelError | null): void => {
    if (error === null) {
      if (said !== undefined) log.info({ place }, 'the store of the log is back');
      return;
    }
    const { sentence: reason, field: setting } = error;
    if (said?.reason === reason && performance.now() - said.atMs < REPEAT_MS) return;
    said = { reason, atMs: performance.now() };
    log.error({ place, reason, setting }, 'the store of the log is away: nothing is acknowledged until it is back');
  };
  return await untilThere(open, { explain: (failure) => SentinelError.from(publicOpenError(failure)), heard, signal });
}
