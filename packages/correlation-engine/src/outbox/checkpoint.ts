import { SentinelError } from '@sentinel/service-kit/errors';

export interface TreeHead {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
}

/** First lines of a C2SP tlog-checkpoint: origin, size, root. null for the empty text. @throws SentinelError DATA_LOSS */
export function readCheckpoint(note: string): TreeHead | null {
  if (note === '') return null;
  const [origin = '', size = '', root = ''] = note.split('\n');
  if (origin === '' || root === '' || !/^(0|[1-9]\d{0,15})$/.test(size)) {
    throw new SentinelError({
      code: 'DATA_LOSS',
      reason: 'MALFORMED',
      message: 'the ledger answered with something that is no checkpoint',
    });
  }
  return { origin, size: Number(size), root };
}

/**
 * A log only grows: what the engine saw once must still be there.
 * @throws SentinelError DATA_LOSS when the ledger went back or became another one
 */
export function checkGrowth(before: TreeHead | null, after: TreeHead | null): void {
  if (before === null) return;
  const lost = (what: string): SentinelError =>
    new SentinelError({
      code: 'DATA_LOSS',
      reason: 'CONFLICT',
      message: `the ledger ${what}`,
      hint: 'Its storage was rolled back or replaced: run "sentinel audit verify" before anything else. Entries wait meanwhile.',
    });
  if (after === null) throw lost('gave no checkpoint');
  if (after.origin !== before.origin) throw lost(`is ${after.origin} now; it was ${before.origin}`);
  if (after.size < before.size) throw lost(`has ${after.size} entries now; it had ${before.size}`);
  if (after.size === before.size && after.root !== before.root)
    throw lost(`has another content at ${after.size} entries than before`);
}
