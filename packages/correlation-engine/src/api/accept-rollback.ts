import type {
  AcceptLedgerRollbackRequest,
  AcceptLedgerRollbackResponse,
} from '@sentinel/contracts/sentinel/v1/quarantine.js';
import type { Identity } from '@sentinel/service-kit/auth';
import { acceptRollback, type RollbackParts } from '../outbox/accept-rollback.js';
import { checkText, MAX_REASON_BYTES } from './order-checks.js';

/** @throws SentinelError INVALID_ARGUMENT, FAILED_PRECONDITION, or UNAVAILABLE where the ledger is away */
export async function acceptLedgerRollback(
  parts: RollbackParts,
  { reason }: AcceptLedgerRollbackRequest,
  caller: Identity,
): Promise<AcceptLedgerRollbackResponse> {
  checkText('reason', reason, MAX_REASON_BYTES);
  const accepted = await acceptRollback(parts, { reason, actor: caller.subject });
  return {
    knownEntries: BigInt(accepted.knownEntries),
    entries: BigInt(accepted.entries),
    lostFrom: BigInt(accepted.lostFrom),
    sentAgain: accepted.sentAgain,
    notKeptUntil: BigInt(accepted.notKeptUntil),
    lostDecisions: accepted.decisions.map(({ gpu, seq, time_us: timeUs }) => ({
      gpu,
      seq: BigInt(seq),
      timeUs: BigInt(timeUs),
    })),
    lostDecisionsTotal: accepted.decisionsTotal,
  };
}
