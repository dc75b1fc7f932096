/**
 * A ledger that contradicts what it showed gets nothing more from the engine, until an operator says that its rollback was meant. What
 * it had taken and lost is sent once more, as far as it is kept, and the rest is named.
 */
import { SentinelError } from '@sentinel/service-kit/errors';
import type { LedgerRollbackRecord } from '../core.js';
import { checkGrowth, InconsistentLedgerError, readCheckpoint } from './checkpoint.js';
import type { OutboxStore } from './outbox-store.js';
import type { LedgerCalls, Relay } from './relay.js';

/** By how much the clocks of ledger and database may differ. */
const CLOCKS_US = 60_000_000;

export interface RollbackParts {
  readonly store: OutboxStore;
  readonly ledger: LedgerCalls;
  readonly relay: Pick<Relay, 'reread'>;
  /** Makes it an entry of the record log, and an event for the ledger. */
  readonly commit: (record: LedgerRollbackRecord) => Promise<void>;
}

export type AcceptedRollback = Omit<LedgerRollbackRecord, 'kind' | 'reason' | 'actor'>;

/** @throws SentinelError FAILED_PRECONDITION where the ledger holds all that it showed before, or is another one */
export async function acceptRollback(
  { store, ledger, relay, commit }: RollbackParts,
  { reason, actor }: { readonly reason: string; readonly actor: string },
): Promise<AcceptedRollback> {
  const { checkpoint: before, acknowledgedUs } = await store.standing();
  const now = await ledger.checkpoint();
  const contradiction = await contradictionOf(before, now, ledger);
  const [known, found] = [readCheckpoint(before), readCheckpoint(now)];
  if (contradiction === null || known === null || found === null) throw nothingToAccept(found?.size ?? 0);
  if (known.origin !== found.origin) throw anotherLog(known.origin, found.origin);
  const rollbacks = await ledger.rollbacks(acknowledgedUs - CLOCKS_US);
  // 0: the ledger does not say itself how far it went back.
  const lostFrom = rollbacks.length === 0 ? 0 : Math.min(...rollbacks.map(({ size }) => size), known.size);
  const { kept, ...losses } = await store.losses(lostFrom, known.size);
  const accepted = { knownEntries: known.size, entries: found.size, lostFrom, sentAgain: kept, ...losses };
  await store.keepEvidence(before, now, contradiction.message);
  await commit({ kind: 'ledger-rollback', reason, actor, ...accepted });
  await store.acceptRollback(before, now, lostFrom);
  relay.reread();
  return accepted;
}

async function contradictionOf(
  before: string,
  now: string,
  ledger: LedgerCalls,
): Promise<InconsistentLedgerError | null> {
  try {
    await checkGrowth(before, now, (oldSize, newSize) => ledger.consistencyProof(oldSize, newSize));
    return null;
  } catch (error) {
    if (error instanceof InconsistentLedgerError) return error;
    throw error;
  }
}

function nothingToAccept(size: number): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    message: `the ledger holds everything that it showed this engine before (${size} entries now)`,
    hint: 'Nothing needs to be accepted.',
  });
}

function anotherLog(known: string, found: string): SentinelError {
  return new SentinelError({
    code: 'FAILED_PRECONDITION',
    message: `the ledger is ${found} now; it was ${known}`,
    hint: 'That is another log, not an older state of this one: point audit_ledger_endpoint at the right one.',
  });
}
