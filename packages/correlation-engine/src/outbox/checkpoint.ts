import { SentinelError } from '@sentinel/service-kit/errors';
import { verifyConsistency } from '@sentinel/service-kit/merkle-consistency';

/** Two checkpoints of the ledger that contradict each other, as it gave them. */
export class InconsistentLedgerError extends SentinelError {
  readonly first: string;
  readonly second: string;

  constructor(what: string, first: string, second: string) {
    super({
      code: 'DATA_LOSS',
      reason: 'CONFLICT',
      message: `the ledger ${what}`,
      hint: 'Its storage was rolled back, replaced or forked: run "sentinel audit verify" before anything else. Entries wait meanwhile; if the rollback was meant, "sentinel audit accept-rollback" goes on.',
    });
    this.first = first;
    this.second = second;
  }
}

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
 * A log only grows: what the engine saw once must still be there, and the ledger must prove it. The first checkpoint is believed.
 * @param ask gives the ledger's proof from one size to another
 * @throws InconsistentLedgerError when the ledger went back, was forked or became another one
 */
export async function checkGrowth(
  first: string,
  second: string,
  ask: (oldSize: number, newSize: number) => Promise<readonly Uint8Array[]>,
): Promise<void> {
  const [before, after] = [readCheckpoint(first), readCheckpoint(second)];
  if (before === null) return;
  const lost = (what: string): SentinelError => new InconsistentLedgerError(what, first, second);
  if (after === null) throw lost('gave no checkpoint');
  if (after.origin !== before.origin) throw lost(`is ${after.origin} now; it was ${before.origin}`);
  if (after.size < before.size) throw lost(`has ${after.size} entries now; it had ${before.size}`);
  const proof = after.size === before.size ? [] : await ask(before.size, after.size);
  if (verifyConsistency(headOf(before), headOf(after), proof)) return;
  throw lost(
    after.size === before.size
      ? `has another content at ${after.size} entries than before`
      : `cannot prove that its ${after.size} entries begin with the ${before.size} it had`,
  );
}

function headOf({ size, root }: TreeHead): { size: number; root: Uint8Array } {
  return { size, root: Buffer.from(root, 'base64') };
}
