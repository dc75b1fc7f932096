import { SentinelError } from '@sentinel/service-kit/errors';

/** A record that is not the next one of its spool: what lies between would be lost. */
export function sequenceGap(expected: number, got: number): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    reason: 'SEQUENCE_GAP',
    message: `record ${got} came where ${expected} was due`,
    field: 'sequence',
    hint: 'Send every record in order, from the one after archived_through on.',
  });
}
