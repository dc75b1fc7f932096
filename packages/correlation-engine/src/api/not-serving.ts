import { SentinelError } from '@sentinel/service-kit/errors';

const RETRY_AFTER_MS = 1_000;

/** From the opening of the ports until the state is read, which waits for the database. */
export function starting(): SentinelError {
  return new SentinelError({
    code: 'UNAVAILABLE',
    message: 'the engine is starting: it has not read its state yet',
    retryAfterMs: RETRY_AFTER_MS,
    hint: 'Try again. Where it stays so, /health says what the engine waits for.',
  });
}
