import { SentinelError } from '@sentinel/service-kit/errors';

const RETRY_AFTER_MS = 500;

/** While no replica decides, or this one cannot reach the one that does. */
export function noLeader(cause?: unknown): SentinelError {
  return new SentinelError({
    code: 'UNAVAILABLE',
    message: 'no replica of the engine decides at the moment',
    retryAfterMs: RETRY_AFTER_MS,
    hint: 'Try again: another one takes over within seconds. Nothing that was acknowledged is lost.',
    cause,
  });
}

/** To whoever this replica answered while it decided. */
export function notLeading(): SentinelError {
  return new SentinelError({
    code: 'UNAVAILABLE',
    reason: 'SHUTTING_DOWN',
    message: 'another replica of the engine decides now',
    retryAfterMs: RETRY_AFTER_MS,
    hint: 'Connect again: nothing was lost.',
  });
}
