/** What the ledger throws, as callers see it. */
import { SentinelError } from '@sentinel/service-kit/errors';
import { LedgerClosedError, OverloadedError } from '../commit/ledger.js';
import { MalformedRecordError } from '../commit/record.js';
import { EventConflictError, StaleNumberError } from '../ingest/deduplicate.js';
import { MalformedLeafError } from '../leaf/leaf.js';
import { UnverifiableError } from '../reader/verified-tree.js';
import { StaleWriterError, StoreFullError, UnknownOutcomeError } from '../storage/errors.js';

/** Half of what a full queue takes to drain. */
const RETRY_OVERLOAD_MS = 250;
const RETRY_FULL_MS = 10_000;
const RETRY_RESTART_MS = 1_000;

export function publicLedgerError(error: unknown): unknown {
  if (error instanceof OverloadedError) {
    return new SentinelError({
      code: 'RESOURCE_EXHAUSTED',
      message: 'the ledger has more to write than it can; nothing of this request was taken',
      retryAfterMs: RETRY_OVERLOAD_MS,
      hint: 'Send the same request again a little later.',
    });
  }
  if (error instanceof EventConflictError) {
    return new SentinelError({
      code: 'ALREADY_EXISTS',
      reason: 'CONFLICT',
      message: error.message,
      field: `events[${error.index}].event_id`,
      hint: 'The refusal is recorded; give a different event an id of its own.',
    });
  }
  if (error instanceof StaleNumberError) {
    return new SentinelError({
      code: 'ALREADY_EXISTS',
      reason: 'SEQUENCE_GAP',
      message: error.message,
      field: 'first_sequence',
      hint: 'Number new events beyond those acknowledged, or begin a new producer_epoch.',
    });
  }
  return unavailable(error) ?? error;
}

function unavailable(error: unknown): SentinelError | undefined {
  if (error instanceof StoreFullError) {
    return new SentinelError({
      code: 'UNAVAILABLE',
      reason: 'DISK_FULL',
      message: 'the disk of the ledger is full; nothing of this request is in the log',
      retryAfterMs: RETRY_FULL_MS,
      hint: 'Free some space on it; reads go on.',
      cause: error,
    });
  }
  if (error instanceof UnknownOutcomeError || error instanceof StaleWriterError) {
    const message = 'the ledger stops; whether this request is in the log will be known after its restart';
    return new SentinelError({
      code: 'UNAVAILABLE',
      message,
      retryAfterMs: RETRY_RESTART_MS,
      hint: 'Send the same request again.',
      cause: error,
    });
  }
  if (error instanceof LedgerClosedError) {
    const message = `${error.message}; nothing of this request is in the log`;
    return new SentinelError({
      code: 'UNAVAILABLE',
      reason: 'SHUTTING_DOWN',
      message,
      retryAfterMs: RETRY_RESTART_MS,
      cause: error,
    });
  }
  return undefined;
}

/** What reading a damaged log throws, as callers see it. */
export function publicReadError(error: unknown): unknown {
  const damaged =
    error instanceof MalformedRecordError || error instanceof MalformedLeafError || error instanceof UnverifiableError;
  if (!damaged) return error;
  return new SentinelError({
    code: 'DATA_LOSS',
    reason: 'MALFORMED',
    message: `what the ledger has stored is damaged: ${error.message}`,
    hint: 'sentinel-audit-ledger verify --full says where, and repair --from COPY mends it.',
    cause: error,
  });
}

export function outOfRange(field: string, message: string): SentinelError {
  return new SentinelError({ code: 'INVALID_ARGUMENT', field, message });
}
