/** Why a log could not be opened, in one sentence that says what to do. */
import { SentinelError } from '@sentinel/service-kit/errors';
import { RollbackError, StaleWriterError, StoreFullError, TamperedStoreError } from './storage/errors.js';
import { MalformedHeadError } from './storage/head.js';

export function publicOpenError(error: unknown): unknown {
  if (error instanceof StaleWriterError)
    return new SentinelError({
      code: 'FAILED_PRECONDITION',
      reason: 'STALE_OWNER',
      message: error.message,
      cause: error,
    });
  if (error instanceof RollbackError)
    return new SentinelError({ code: 'DATA_LOSS', message: error.message, cause: error });
  if (error instanceof TamperedStoreError || error instanceof MalformedHeadError) {
    const hint = 'Nothing was changed; restore the folder from a copy.';
    return new SentinelError({ code: 'DATA_LOSS', message: error.message, hint, cause: error });
  }
  if (error instanceof StoreFullError) {
    const hint = 'Free some space on it.';
    return new SentinelError({
      code: 'UNAVAILABLE',
      reason: 'DISK_FULL',
      message: 'the disk of the ledger is full',
      hint,
      cause: error,
    });
  }
  return error;
}
