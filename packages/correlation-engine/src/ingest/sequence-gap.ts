import { SentinelError } from '@sentinel/service-kit/errors';

/** A record that is not the next one of its spool: what lies between would be lost. `after` = what the sender was told. */
export function sequenceGap(expected: number, got: number, after = 'archived_through'): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    reason: 'SEQUENCE_GAP',
    message: `record ${got} came where ${expected} was due`,
    field: 'sequence',
    hint: `Send every record in order, from the one after ${after} on.`,
  });
}
