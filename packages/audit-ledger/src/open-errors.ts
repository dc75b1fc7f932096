/** Why a log could not be opened, in one sentence that says what to do. */
import { SentinelError } from '@sentinel/service-kit/errors';
import { NoLogError, RollbackError, StaleWriterError, StoreFullError, TamperedStoreError } from './storage/errors.js';
import { MalformedHeadError } from './storage/head.js';

const REPAIR_HINT =
  'Nothing was changed. sentinel-audit-ledger repair --from COPY mends entries; where the head is gone the log has to be restored from a copy.';

export function publicOpenError(error: unknown): unknown {
  if (error instanceof StaleWriterError)
    return new SentinelError({
      code: 'FAILED_PRECONDITION',
      reason: 'STALE_OWNER',
      message: error.message,
      cause: error,
    });
  if (error instanceof NoLogError)
    return new SentinelError({
      code: 'FAILED_PRECONDITION',
      field: error.setting,
      message: error.message,
      cause: error,
    });
  if (error instanceof RollbackError)
    return new SentinelError({ code: 'DATA_LOSS', message: error.message, cause: error });
  if (error instanceof TamperedStoreError || error instanceof MalformedHeadError) {
    return new SentinelError({ code: 'DATA_LOSS', message: error.message, hint: REPAIR_HINT, cause: error });
  }
  // A damaged file of records.
  if (error instanceof SentinelError && error.code === 'DATA_LOSS' && error.reason === 'MALFORMED')
    return new SentinelError({ code: 'DATA_LOSS', message: error.message, hint: REPAIR_HINT, cause: error });
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
